"""Which customers a purpose leaves out, whatever may be seen of others: those who restricted, objected or said no yes.

- A *restriction* (GDPR Art. 18) keeps a customer from all purposes but those that state `sees_restricted`.
- An *objection* (Art. 21) to a data use keeps them from purposes of that use, or of a use below it, that rest on
  legitimate interests or a public task; from direct marketing whatever it rests on (Art. 21(3)). An objection that
  names no data use is one to all of them.
- A number on the company's own *do-not-call* list keeps whoever holds it from marketing by phone and SMS, consent or
  not (47 CFR 64.1200(d)).
- A purpose that `requires_consent` reaches only those whose newest word on its data use (or one above it) for its
  channel (or `any`) is a yes that has not run out.
- The yes of a child counts for nothing until a guardian gave it (Art. 8); of which age, says the country.

What is in force stands in the table `standing`: a *bar* for each party of a customer, `restriction` or the data use
that was objected to, or `do_not_call`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from hub.access.minors import AGES, Ages
from hub.access.policy import ANY_CHANNEL, Purpose
from hub.access.scope import EVERYONE, SUBJECT, Within

RESTRICTION: Final = "restriction"
"""The bar of a restriction."""
ALL_USES: Final = "*"
"""The bar of an objection that names no data use."""
SUBJECT_VARIABLE: Final = "#subject"
"""The variable by which a plan that is limited to one customer is told which; GraphQL can call none of its own so."""
DO_NOT_CALL: Final = "do_not_call"
"""The bar of a number on the company's own do-not-call list."""
DIRECT_MARKETING: Final = "marketing"
_OBJECTIONABLE: Final = frozenset({"legitimate_interests", "public_task"})


SOFT_OPT_IN = "soft_opt_in"
OWN_MARKETING = "marketing.communications"
"""The data use of telling one's own customers of one's own products."""
_ELECTRONIC_MAIL = ("email", "sms")
CALLED = ("phone", "sms")
"""The channels that reach a telephone number: what may not be called may not be texted (47 CFR 64.1200(e))."""


@dataclass(frozen=True, slots=True)
class Consent:
    """The yes that a purpose needs: to one of these data uses, for one of these channels."""

    uses: tuple[str, ...]
    channels: tuple[str, ...]
    bases: tuple[str, ...] = ("consent",)
    """What a yes may rest on, where its source says; one that rests on a contract or an interest is no consent."""
    ages: Ages = AGES
    """Who is younger has to be spoken for by a guardian."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which customers a request reaches at all, and what the requester's token says for the scopes of grants."""

    bars: tuple[str, ...] = ()
    """Customers with one of these are left out."""
    consent: Consent | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    """By scope, sorted: the regions, brands or names under which sources know an employee."""
    only: Within = EVERYONE
    """Customers out of it are not reached, whatever grants say."""
    unopened: Consent | None = None
    """The yes that what break-glass does not open needs all the same."""

    @property
    def variables(self) -> Mapping[str, Any]:
        """What plans that are compiled for it are to be run with, beside their own variables."""
        subject = self.attributes.get(SUBJECT)
        return {} if subject is None else {SUBJECT_VARIABLE: subject}

    @property
    def is_plain(self) -> bool:
        """Whether whom it reaches follows from nothing but the bars."""
        return self.consent is None and not self.attributes


WHOLE_REACH: Final = Reach()
"""All customers: that of the machine's own operator."""


def bars_of(purpose: Purpose) -> tuple[str, ...]:
    """What keeps a customer from the purpose."""
    restriction = () if purpose.sees_restricted else (RESTRICTION,)
    uses = lineage(purpose.data_use)
    if uses[-1] == DIRECT_MARKETING:
        calls = (DO_NOT_CALL,) if purpose.channel in CALLED else ()
        return (*restriction, *calls, ALL_USES, *uses)
    return (*restriction, ALL_USES, *uses) if purpose.legal_basis in _OBJECTIONABLE else restriction


def consent_of(purpose: Purpose, ages: Ages = AGES) -> Consent | None:
    """The yes that the purpose needs; None when it needs none."""
    if not purpose.requires_consent:
        return None
    bases = ["consent", *([SOFT_OPT_IN] if _takes_soft_opt_in(purpose) else [])]
    channels = dict.fromkeys((purpose.channel, ANY_CHANNEL))
    return Consent(lineage(purpose.data_use), tuple(channels), tuple(bases), ages)


def _takes_soft_opt_in(purpose: Purpose) -> bool:
    """Whether buyers may be written to who did not refuse: by e-mail and SMS, of what is the seller's own.

    ePrivacy Art. 13(2), PECR reg. 22(3). That they bought, and could refuse each time, is for the source to see to.
    """
    return purpose.channel in _ELECTRONIC_MAIL and OWN_MARKETING in lineage(purpose.data_use)


def lineage(data_use: str) -> tuple[str, ...]:
    """The data use and those above it, the highest last."""
    parts = data_use.split(".")
    return tuple(".".join(parts[:end]) for end in range(len(parts), 0, -1))
