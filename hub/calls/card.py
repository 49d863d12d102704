"""What an agent sees when the phone rings: a card, which tells of none, of one or of many.

A card is made of plain values, so that GraphQL, JSON, the page and a phone's display show the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hub.calls.levels import Level
from hub.calls.numbers import Number


class Status(StrEnum):
    """How many customers may be calling."""

    NONE = "none"
    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a call when it comes in, in the order in which it is trusted, the most first."""

    ivr_id: str | None = field(default=None, repr=False)
    """What the caller typed: a customer number, a card, an account."""
    uui: str | None = field(default=None, repr=False)
    """User-to-user information that came with the call; a token of the hub's counts, all else does not."""
    reference: str | None = field(default=None, repr=False)
    """Number of a ticket, order, invoice or parcel, or of a customer or card as they told it somebody."""
    number: str | None = field(default=None, repr=False)
    """The caller's number, as the network shows it."""
    dialled: str | None = field(default=None, repr=False)
    """Our number that was called: tells the brand, and nothing of the caller."""
    pin_was_right: bool = False
    attestation: str | None = None
    """What the network says of the number by STIR/SHAKEN: A, B or C."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why they may be calling, with what the hub has it from."""

    kind: str
    text: str = field(repr=False)
    ref: str | None = field(repr=False)
    """Number that people know it by."""
    at: str | None
    """When it came about: ISO date or UTC instant."""
    why: str
    """Why the hub thinks so."""
    type: str
    id: str
    source: str | None


@dataclass(frozen=True, slots=True)
class Touch:
    """A touchpoint: who began it, who took part for us, what came of it."""

    id: str
    type: str
    at: str
    title: str | None = field(repr=False)
    channel: str | None
    direction: str | None
    handled_by: str | None = field(repr=False)
    outcome: str | None
    source: str


@dataclass(frozen=True, slots=True)
class OpenThing:
    """A ticket, order, parcel, invoice or return that is not done with."""

    kind: str
    id: str
    ref: str | None = field(repr=False)
    title: str | None = field(repr=False)
    status: str | None
    at: str | None
    due: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Promise:
    """What we promised and have not kept yet."""

    text: str = field(repr=False)
    by: str | None = field(repr=False)
    due: str | None
    id: str
    source: str | None


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else who may be meant: on the same line, in the household, at the account."""

    id: str
    name: str | None = field(repr=False)
    relation: str
    calls: int = 0
    """How often they were picked for calls from this number."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What the customer is worth, as far as the caller's role may know."""

    orders: int | None
    total: tuple[str, ...]
    """What they bought, a text for each currency."""
    since: str | None
    points: str | None


@dataclass(frozen=True, slots=True)
class SourceAge:
    """How fresh a source's word is."""

    source: str
    at: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """A customer who may be calling."""

    id: str
    kind: str
    confidence: float
    """From 0 to 1, as one would bet."""
    why: tuple[str, ...]
    """What speaks for them, and against."""
    level: Level
    calls: int = 0
    name: str | None = field(default=None, repr=False)
    company: str | None = field(default=None, repr=False)
    tier: str | None = None
    language: str | None = None
    open_tickets: int | None = None
    phones: tuple[str, ...] = field(default=(), repr=False)
    email: str | None = field(default=None, repr=False)
    likely: Reason | None = None
    reasons: tuple[Reason, ...] = ()
    touches: tuple[Touch, ...] = ()
    open: tuple[OpenThing, ...] = ()
    promises: tuple[Promise, ...] = ()
    warnings: tuple[str, ...] = ()
    worth: Worth | None = None
    others: tuple[Other, ...] = ()
    freshness: tuple[SourceAge, ...] = ()
    withheld: tuple[str, ...] = ()
    """Parts that the policy keeps from whoever asks."""
    uui: str | None = field(default=None, repr=False)
    """User-to-user information by which the call can be handed on to another switch, and the hub knows them again."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Where the number of a call stands in a text: maybe it is theirs."""

    type: str
    id: str
    customer_id: str | None
    title: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """The answer to a ringing phone."""

    status: Status
    number: Number
    brand: str | None
    """What the called number is for."""
    matches: tuple[Match, ...] = ()
    """The likeliest first."""
    mentions: tuple[Mention, ...] = ()
    notes: tuple[str, ...] = ()
    """What the hub could not make use of, and why."""
    deadline_hit: bool = False
    """Whether there was no time for all of it."""


@dataclass(slots=True)
class Seen:
    """What was read for a card, for its audit event."""

    types: set[str] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)
    properties: set[str] = field(default_factory=set)
    customers: dict[str, None] = field(default_factory=dict)
    masked: int = 0
    denied: int = 0
