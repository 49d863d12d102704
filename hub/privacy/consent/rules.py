"""Whether a customer may be contacted on a channel for a data use: how the words of all sources combine.

The words of all parties of a customer count, whichever source states them.

1. A *restriction* bars every contact; an *objection* bars its use and all below it, one that names no use bars all.
2. Marketing (every use below `marketing`) needs a yes (ePrivacy Art. 13, PECR 21-24, TCPA). Other uses need none.
3. Words on the use or one above it count, for the channel or for `any`.
4. The newest of them decides. Of two at one time, the no is stronger; a no without a time is stronger than every yes.
5. Only `given`, with a time, is a yes: `pending` is none, and a newer `pending` takes an older yes back.
6. A yes holds up to and with the day `expiresOn`. An older yes does not come back when a newer one has run out.
7. A yes whose source says that it rests on a contract or an interest is no word at all; one by *soft opt-in* is a yes
   to the company's own news (`marketing.communications`) by e-mail and SMS alone. A no counts whatever it rests on.
8. A contact by e-mail, phone or SMS needs an address.

These are the rules of read plans (docs/access.md, "Whom a purpose leaves out"): `reach_of` gives the reach that a
purpose of the policy with the same data use and channel has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, get_args

from hub.access import Reach
from hub.access.policy import Channel, Purpose
from hub.access.standing import ALL_USES, DIRECT_MARKETING, RESTRICTION, Consent, bars_of, consent_of, lineage
from hub.graph.contact import ADDRESSED, Contact, Word
from hub.graph.plans.reach import GIVEN

CHANNELS: Final[tuple[str, ...]] = tuple(each for each in get_args(Channel) if each != "any")
"""The ways of contact; `any` is none, but what words cover."""


class Reason(StrEnum):
    """Why a customer may or may not be contacted; the first that holds."""

    RESTRICTION = "restriction"
    """Use of their data is restricted (GDPR Art. 18)."""
    OBJECTION = "objection"
    """They objected (Art. 21), asked not to be called, or sent Global Privacy Control."""
    WITHDRAWN = "withdrawn"
    """Their newest word is a no."""
    PENDING = "pending"
    """Their newest word is not confirmed."""
    EXPIRED = "expired"
    """Their newest yes has run out."""
    NO_CONSENT = "no_consent"
    """They never said yes."""
    NO_ADDRESS = "no_address"
    """They may be contacted, but no address is known."""
    CONSENT = "consent"
    """They said yes."""
    NOT_NEEDED = "not_needed"
    """The use rests on no consent, and they did not object."""


ALLOWED: Final = frozenset({Reason.CONSENT, Reason.NOT_NEEDED})
SAID_NO: Final = frozenset({Reason.RESTRICTION, Reason.OBJECTION, Reason.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether, why, and the rows that decided."""

    reason: Reason
    evidence: tuple[Word, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the customer may be contacted."""
        return self.reason in ALLOWED


def reach_of(use: str, channel: Channel) -> Reach:
    """The reach of a purpose that contacts people for the data use on the channel."""
    needs = lineage(use)[-1] == DIRECT_MARKETING
    purpose = Purpose(
        label=use,
        data_use=use,
        legal_basis="consent" if needs else "legitimate_interests",
        requires_consent=needs,
        channel=channel,
        retention_days=1,
    )
    return Reach(bars_of(purpose), consent_of(purpose))


def decide(contact: Contact, reach: Reach, channel: str, today: str) -> Verdict:
    """Whether what is known of the customer allows the contact; `today` as YYYY-MM-DD."""
    barred = contact.bars.intersection(reach.bars)
    if barred:
        reason = Reason.RESTRICTION if RESTRICTION in barred else Reason.OBJECTION
        return Verdict(reason, tuple(word for word in contact.words if _bar(word) in barred))
    verdict = _agreed(contact.words, reach.consent, today) if reach.consent else Verdict(Reason.NOT_NEEDED)
    scheme = ADDRESSED.get(channel)
    if verdict.allowed and scheme and not contact.addresses.get(scheme):
        return Verdict(Reason.NO_ADDRESS, verdict.evidence)
    return verdict


def _bar(word: Word) -> str | None:
    if word.kind == "consent":
        return None
    return RESTRICTION if word.kind == "restriction" else word.use or ALL_USES


def _agreed(words: Iterable[Word], asked: Consent, today: str) -> Verdict:
    said = [
        word
        for word in words
        if word.kind == "consent" and word.use in asked.uses and word.channel in asked.channels
        if word.state != GIVEN or word.legal_basis is None or word.legal_basis in asked.bases
    ]
    timeless = tuple(word for word in said if word.at is None and word.state != GIVEN)
    if timeless:
        return Verdict(_no(timeless), timeless)
    newest = max((word.at for word in said if word.at is not None), default=None)
    last = [word for word in said if newest is not None and word.at == newest]
    against = tuple(word for word in last if word.state != GIVEN)
    if against:
        return Verdict(_no(against), against)
    holding = tuple(word for word in last if word.expires_on is None or word.expires_on >= today)
    if holding:
        return Verdict(Reason.CONSENT, holding)
    return Verdict(Reason.EXPIRED, tuple(last)) if last else Verdict(Reason.NO_CONSENT)


def _no(words: Iterable[Word]) -> Reason:
    states = {word.state for word in words}
    if states <= {"pending"}:
        return Reason.PENDING
    return Reason.EXPIRED if states <= {"expired", "pending"} else Reason.WITHDRAWN
