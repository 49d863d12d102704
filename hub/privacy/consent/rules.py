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
8. The yes of a child counts when a guardian gave it (`givenBy`); of which age, says the country (GDPR Art. 8).
9. A number on the company's own do-not-call list bars marketing by phone and SMS to its holder, whatever the yes.
10. A number in a country's register bars it unless a yes names that channel itself; so does a register that is too old
    to be relied on, 31 days in the USA (16 CFR 310.4(b)(3)(iv)), 28 in the United Kingdom.
11. A contact by e-mail, phone or SMS needs an address.
12. Marketing by phone and SMS waits for 8 to 21 o'clock in every zone where the number may be.

These are the rules of read plans (docs/access.md, "Whom a purpose leaves out"): `reach_of` gives the reach that a
purpose of the policy with the same data use and channel has. Rules 10 to 12 are about the act of calling, so they are
those of `contactAllowed`, and but for the hours of audiences; a read of data is no call.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, get_args

from hub.access import Reach
from hub.access.minors import AGES, Ages, is_child
from hub.access.policy import Channel, Purpose
from hub.access.standing import (
    ALL_USES,
    CALLED,
    DIRECT_MARKETING,
    DO_NOT_CALL,
    RESTRICTION,
    Consent,
    bars_of,
    consent_of,
    lineage,
)
from hub.graph.callregisters import Registered
from hub.graph.contact import ADDRESSED, Contact, Word
from hub.graph.keyed import KeyedBar
from hub.graph.plans.reach import GIVEN, GUARDIAN

CHANNELS: Final[tuple[str, ...]] = tuple(each for each in get_args(Channel) if each != "any")
"""The ways of contact; `any` is none, but what words cover."""


class Reason(StrEnum):
    """Why a customer may or may not be contacted; the first that holds."""

    RESTRICTION = "restriction"
    """Use of their data is restricted (GDPR Art. 18)."""
    OBJECTION = "objection"
    """They objected (Art. 21), or sent Global Privacy Control."""
    DO_NOT_CALL = "do_not_call"
    """A number of theirs is on the company's own do-not-call list."""
    WITHDRAWN = "withdrawn"
    """Their newest word is a no."""
    PENDING = "pending"
    """Their newest word is not confirmed."""
    EXPIRED = "expired"
    """Their newest yes has run out."""
    NO_CONSENT = "no_consent"
    """They never said yes."""
    CHILD = "child"
    """Their yes is that of a child, and no guardian gave it."""
    REGISTERED = "registered"
    """A register of their country has a number of theirs, and no yes names the channel."""
    REGISTER_OUTDATED = "register_outdated"
    """The register of their country was imported too long ago to tell."""
    NO_ADDRESS = "no_address"
    """They may be contacted, but no address is known."""
    CALLING_HOURS = "calling_hours"
    """They may be called, but it is too early or too late where they may be."""
    CONSENT = "consent"
    """They said yes."""
    NOT_NEEDED = "not_needed"
    """The use rests on no consent, and they did not object."""


ALLOWED: Final = frozenset({Reason.CONSENT, Reason.NOT_NEEDED})
SAID_NO: Final = frozenset({Reason.RESTRICTION, Reason.OBJECTION, Reason.DO_NOT_CALL, Reason.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether, why, and the rows that decided."""

    reason: Reason
    evidence: tuple[Word, ...] = ()
    keyed: tuple[KeyedBar, ...] = ()
    """What was said by an identifier, where that decided."""
    registered: tuple[Registered, ...] = ()
    """The registers that decided."""
    allowed_from: datetime | None = None
    """When they may be called, where only the hour is against it."""

    @property
    def allowed(self) -> bool:
        """Whether the customer may be contacted."""
        return self.reason in ALLOWED


def reach_of(use: str, channel: Channel, ages: Ages = AGES) -> Reach:
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
    return Reach(bars_of(purpose), consent_of(purpose, ages))


def is_telemarketing(reach: Reach, channel: str) -> bool:
    """Whether it is what the laws on calls are about: marketing to a telephone number."""
    return channel in CALLED and DIRECT_MARKETING in reach.bars


def decide(contact: Contact, reach: Reach, channel: str, today: str) -> Verdict:
    """Whether what is known of the customer allows the contact; `today` as YYYY-MM-DD."""
    barred = contact.bars.intersection(reach.bars)
    if barred:
        return _barred(contact, barred)
    verdict = _agreed(contact, reach.consent, today) if reach.consent else Verdict(Reason.NOT_NEEDED)
    if verdict.allowed and is_telemarketing(reach, channel):
        verdict = _by_registers(contact, verdict, channel)
    scheme = ADDRESSED.get(channel)
    if verdict.allowed and scheme and not contact.addresses.get(scheme):
        return replace(verdict, reason=Reason.NO_ADDRESS)
    return verdict


def _barred(contact: Contact, barred: Collection[str]) -> Verdict:
    said = tuple(word for word in contact.words if _bar(word) in barred)
    keyed = tuple(each for each in contact.keyed if each.bar in barred)
    if RESTRICTION in barred:
        return Verdict(Reason.RESTRICTION, said, keyed)
    return Verdict(Reason.DO_NOT_CALL if {*barred} == {DO_NOT_CALL} else Reason.OBJECTION, said, keyed)


def _by_registers(contact: Contact, verdict: Verdict, channel: str) -> Verdict:
    """The verdict on somebody who agreed, as far as their yes is none to this kind of call."""
    if any(word.channel == channel for word in verdict.evidence):
        return verdict
    if contact.registered:
        return replace(verdict, reason=Reason.REGISTERED, registered=contact.registered)
    return replace(verdict, reason=Reason.REGISTER_OUTDATED) if contact.outdated else verdict


def _bar(word: Word) -> str | None:
    if word.kind == "consent":
        return None
    return RESTRICTION if word.kind == "restriction" else word.use or ALL_USES


def _agreed(contact: Contact, asked: Consent, today: str) -> Verdict:
    said = [
        word
        for word in contact.words
        if word.kind == "consent" and word.use in asked.uses and word.channel in asked.channels
        if word.state != GIVEN or word.legal_basis is None or word.legal_basis in asked.bases
    ]
    if not is_child(contact.born, contact.is_minor, contact.country, today, asked.ages):
        return _newest(said, today)
    verdict = _newest([word for word in said if word.state != GIVEN or word.given_by == GUARDIAN], today)
    own = _newest(said, today)
    return Verdict(Reason.CHILD, own.evidence) if own.allowed and not verdict.allowed else verdict


def _newest(said: Sequence[Word], today: str) -> Verdict:
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
