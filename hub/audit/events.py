"""What the audit log records: one event, of an allow-listed schema, and its canonical bytes.

An event tells who did what, as which role, for which purpose, to which kinds of data of which customers, and
how it ended. It names people by opaque ids only. Every field has a rule; what no rule allows cannot get in:

    AuditEvent(Action.READ, "u-17", roles=("agent",), purpose="essential.service", counts={"results": 1},
               customers=("mfrggzdfmztwq2lknnwg23tpoa",), data_categories=("user.contact.email",))

The canonical bytes are compact JSON with sorted keys, absent and empty fields left out. They are the leaf that
the Merkle tree hashes, so their form never changes for events already written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self
from uuid import UUID, uuid5

import orjson

from hub.errors import AuditError

FORMAT = 1
"""Version of the canonical form, `v` in the leaf; only ever raised, and old leaves stay readable."""

MAX_LEAF_BYTES = 65_535
"""C2SP tlog-tiles v0.1.0 writes the length of an entry as an unsigned 16-bit number."""

MAX_CUSTOMERS = 400
"""Customers in one leaf; a read of more becomes several leaves, so that none of them goes unrecorded."""

MAX_LISTED = 100
"""Roles, entity types or data categories in one leaf, far above what a policy has; the rest are only counted.

Three lists of 100 words of 96 characters and 400 ids of 64 stay below MAX_LEAF_BYTES together.
"""

MAX_PAYLOADS = 40
"""Sealed payloads of one event, and data keys that one event names; whoever has more makes several events."""


MAX_PAST_TIMES = 10
"""Past times of which one event tells; whoever asks of more makes several requests."""


class Action(StrEnum):
    """What happened; a closed list, so that questions to the log can be complete."""

    CONFIGURATION_LOADED = "configuration_loaded"
    POLICY_LOADED = "policy_loaded"
    LOGIN_REFUSED = "login_refused"
    SYNC_STARTED = "sync_started"
    SYNC_FINISHED = "sync_finished"
    BATCH_APPLIED = "batch_applied"
    QUARANTINE_REPLAYED = "quarantine_replayed"
    CUSTOMER_CREATED = "customer_created"
    CUSTOMER_CHANGED = "customer_changed"
    CUSTOMER_MERGED = "customer_merged"
    CUSTOMER_UNMERGED = "customer_unmerged"
    REVIEW_DECIDED = "review_decided"
    CORRECTION = "correction"
    READ = "read"
    READ_REFUSED = "read_refused"
    SEARCH = "search"
    EXPORT = "export"
    BREAK_GLASS = "break_glass"
    CONSENT_CHANGED = "consent_changed"
    RESTRICTION_CHANGED = "restriction_changed"
    PRIVACY_REQUEST_OPENED = "privacy_request_opened"
    PRIVACY_REQUEST_CLOSED = "privacy_request_closed"
    ERASED = "erased"
    ERASE_VERIFIED = "erase_verified"
    KEY_DESTROYED = "key_destroyed"
    AUDIT_READ = "audit_read"
    AUDIT_VERIFIED = "audit_verified"
    INTERACTION_LOGGED = "interaction_logged"
    SYNC_REQUESTED = "sync_requested"
    SOURCE_FROZEN = "source_frozen"
    COMMAND_REFUSED = "command_refused"
    API_KEY_CHANGED = "api_key_changed"
    MASTER_KEY_CHANGED = "master_key_changed"
    SUPPRESSION_RELEASED = "suppression_released"
    CALL_REPORTED = "call_reported"
    CALL_VERIFIED = "call_verified"
    CALL_HANDLED = "call_handled"
    GRANT_ATTESTED = "grant_attested"
    PRIVACY_MAP_READ = "privacy_map_read"
    FINDING_RAISED = "finding_raised"
    FINDING_DECIDED = "finding_decided"
    RETENTION_RUN = "retention_run"
    LEGAL_HOLD = "legal_hold"
    INCIDENT = "incident"
    PRIVACY_REQUEST_STEP = "privacy_request_step"


class Outcome(StrEnum):
    """How it ended: `partial` means that some of what was asked was masked, denied or left out."""

    OK = "ok"
    PARTIAL = "partial"
    REFUSED = "refused"
    FAILED = "failed"


COUNTS = frozenset(
    {
        *("read", "unchanged", "accepted", "quarantined", "replayed", "deleted", "drifted", "batches"),
        *("created", "updated", "merged", "unmerged", "linked", "entities", "parties", "customers"),
        *("results", "fields", "masked", "denied", "exported", "bytes", "attempts", "faults", "suppressed"),
        *("results", "fields", "masked", "denied", "exported", "bytes", "attempts", "faults", "suppressed"),
        *("mentions", "remaining", "overdue", "held", "bound"),
    }
)
"""The names that `counts` may hold."""

_MAX_COUNT = 2**53
"""Beyond it, readers that parse JSON numbers as doubles would see another number."""


def new_event_id() -> str:
    """A UUID of version 7 (RFC 9562): random, and ascending in time, which keeps its index compact."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    digits = f"{value & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def microseconds(at: datetime) -> int:
    """The instant as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event, checked field by field; it holds no personal value and cannot be changed.

    Raises:
        AuditError: a field breaks its rule; the message names the field and never shows the value. The caller
            gives an id, a code or a key in its place: free text has no place in the log.
    """

    action: Action
    actor: str
    """Opaque subject id of the user, or `system`; never an e-mail address."""
    outcome: Outcome = Outcome.OK
    reason_code: str | None = None
    """A stable word for why it was refused, failed or is partial."""
    roles: tuple[str, ...] = ()
    department: str | None = None
    purpose: str | None = None
    """The data use that the request states."""
    policy_sha256: str | None = None
    """Hex hash of the policy file in force."""
    query_sha256: str | None = None
    """Hex hash of the query document without variables and the values in it, which may be personal and guessed."""
    source: str | None = None
    stream: str | None = None
    run_id: str | None = None
    entity_types: tuple[str, ...] = ()
    data_categories: tuple[str, ...] = ()
    customers: tuple[str, ...] = field(default=(), repr=False)
    """Public ids of the customers concerned, each once, in the order given."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Numbers by the names in COUNTS."""
    id: str = field(default_factory=new_event_id)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    part_of: str | None = None
    """The id of the event whose further customers this one lists."""
    omitted: Mapping[str, int] = field(default_factory=dict)
    """By field, how many of its values were left out because the list was too long."""
    break_glass: str | None = None
    """The id of the broken glass under which it happened."""
    payloads: tuple[str, ...] = ()
    """Hex hashes of the sealed payloads: of nonce and ciphertext, never of what they hold."""
    keys: tuple[str, ...] = ()
    """Ids of the data keys: those that seal the payloads, in their order, or those that were destroyed."""
    as_of: tuple[str, ...] = ()
    """The past times, in UTC, of which data were read."""
    about: str | None = None
    """The id of the event that it is about: whose payloads were opened, which erasure was carried out."""
    credential: str | None = None
    """The fingerprint of the token or the API key that was shown: which of an account's it was."""
    registered: str | None = None
    """Hex hash of what the register of erasures holds under this event's id."""
    sealed: tuple[bytes, ...] = field(default=(), repr=False, compare=False)
    """The payloads as they are sealed. They are no part of the leaf, but are written beside it in one transaction."""

    def __post_init__(self) -> None:
        self._check({name: getattr(self, name) for name in _FIELDS})

    def _check(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            clean, expected = _RULES[name]
            try:
                cleaned = clean(value)
            except (ValueError, TypeError, AttributeError):
                raise AuditError(f"audit event: {name} is not {expected}") from None
            object.__setattr__(self, name, cleaned)

    def again(self, **changes: Any) -> Self:
        """An event of its own that happens now, alike but for these fields, which alone are checked.

        Not for an event with payloads, which are sealed for it alone.

        Raises:
            AuditError: as for a new event.
        """
        made = object.__new__(type(self))
        for name in _FIELDS:
            object.__setattr__(made, name, getattr(self, name))
        object.__setattr__(made, "sealed", ())
        made._check({"id": new_event_id(), "at": datetime.now(UTC), **changes})
        return made

    def encode(self) -> bytes:
        """The canonical bytes; the same event always gives the same."""
        present: dict[str, Any] = {"v": FORMAT}
        for name in _FIELDS:
            value = getattr(self, name)
            if isinstance(value, MappingProxyType):
                value = dict(value)
            if value:
                present[name] = value
        present["at"] = self.at.isoformat(timespec="microseconds")[:26] + "Z"
        return orjson.dumps(present, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decode(cls, data: bytes | str) -> Self:
        """The event that `encode` wrote.

        Raises:
            AuditError: the bytes are not such an event, or hold more than the schema allows.
        """
        try:
            present = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise AuditError("audit event: not JSON") from None
        if not isinstance(present, dict) or present.pop("v", None) != FORMAT:
            raise AuditError(f"audit event: not of format {FORMAT}")
        if not _REQUIRED <= present.keys() <= _FIELD_NAMES:
            raise AuditError("audit event: fields are missing, or not of the schema")
        try:
            present["at"] = datetime.fromisoformat(present["at"])
        except (ValueError, TypeError):
            raise AuditError("audit event: at is not an instant") from None
        return cls(**present)

    def pack(self) -> str:
        """The event as an outbox keeps it: the canonical text, then its sealed payloads, a line each."""
        return "\n".join([self.encode().decode(), *(base64.b64encode(each).decode() for each in self.sealed)])

    @classmethod
    def unpack(cls, text: str) -> Self:
        """The event that `pack` wrote.

        Raises:
            AuditError: the text is no such event, or the payloads are not those that the event names.
        """
        leaf, *lines = text.split("\n")
        event = cls.decode(leaf)
        try:
            sealed = tuple(base64.b64decode(line, validate=True) for line in lines)
        except binascii.Error:
            raise AuditError("audit event: a sealed payload is not Base64") from None
        event = replace(event, sealed=sealed) if sealed else event
        event.require_payloads()
        return event

    def require_payloads(self) -> None:
        """Check that the sealed payloads beside the event are those that it names.

        Raises:
            AuditError: they are not; seal them for this event, after its last change.
        """
        if not self.payloads and not self.sealed:
            return
        if self.payloads != tuple(map(payload_hash, self.sealed)) or len(self.keys) != len(self.payloads):
            raise AuditError("audit event: the sealed payloads beside it are not those that it names")

    def parts(self) -> tuple[Self, ...]:
        """The event as events that each fit a leaf: itself, mostly.

        A longer list of customers is continued in further events, whose ids follow from this one's, with
        `part_of` set and without counts, so that sums over the log stay right. Other lists are cut, and what
        was cut is counted in `omitted`.
        """
        whole = self._with_bounded_lists()
        if len(whole.customers) <= MAX_CUSTOMERS:
            return (whole,)
        chunks = [
            self.customers[at : at + MAX_CUSTOMERS] for at in range(0, len(self.customers), MAX_CUSTOMERS)
        ]
        first = replace(whole, customers=chunks[0])
        return (first, *(first._continued(number, chunk) for number, chunk in enumerate(chunks[1:], 1)))

    def _with_bounded_lists(self) -> Self:
        lengths = {name: len(getattr(self, name)) for name in _BOUNDED_LISTS}
        if max(lengths.values()) <= MAX_LISTED:
            return self
        cut = {name: length - MAX_LISTED for name, length in lengths.items() if length > MAX_LISTED}
        kept = {name: getattr(self, name)[:MAX_LISTED] for name in cut}
        return replace(self, **kept, omitted={**self.omitted, **cut})

    def _continued(self, number: int, customers: tuple[str, ...]) -> Self:
        part_id = str(uuid5(UUID(self.id), str(number)))
        first_only: dict[str, Any] = {
            "counts": {},
            "payloads": (),
            "keys": (),
            "sealed": (),
            "registered": None,
        }
        return replace(self, id=part_id, part_of=self.id, customers=customers, **first_only)


def payload_hash(sealed: bytes) -> str:
    """What an event names a sealed payload by."""
    return hashlib.sha256(sealed).hexdigest()


_Clean = Callable[[Any], object]

_WORD = r"[A-Za-z0-9][A-Za-z0-9._:/|-]{0,95}"
"""Ids, codes and configured names. Without space, `@` and `+`, no e-mail address or written name passes."""

_NAME = r"[A-Za-z][A-Za-z0-9_.]{0,95}"

_CUSTOMER = r"(?=[0-9_-]*[a-z])[a-z0-9_-]{16,64}"
"""Longer than any phone number, lower case unlike an IBAN, and not digits alone like a card number."""


def _text(pattern: str) -> _Clean:
    matches = re.compile(pattern).fullmatch

    def clean(value: Any) -> str:
        if not matches(value):
            raise ValueError
        return str(value)

    return clean


def _optional(clean: _Clean) -> _Clean:
    return lambda value: None if value is None else clean(value)


def _list(clean: _Clean, most: int | None = None) -> _Clean:
    def clean_all(values: Iterable[Any]) -> tuple[object, ...]:
        if isinstance(values, str | bytes | Mapping):
            raise TypeError
        cleaned = tuple(dict.fromkeys(clean(value) for value in values))
        if most is not None and len(cleaned) > most:
            raise ValueError
        return cleaned

    return clean_all


def _numbers(names: frozenset[str]) -> _Clean:
    def clean(values: Mapping[str, Any]) -> Mapping[str, int]:
        for name, value in values.items():
            if name not in names or type(value) is not int or not 0 <= value <= _MAX_COUNT:
                raise ValueError
        return MappingProxyType(dict(values))

    return clean


def is_customer_id(text: str) -> bool:
    """Whether an event could name a customer so."""
    return re.fullmatch(_CUSTOMER, text) is not None


def is_fingerprint(text: str) -> bool:
    """Whether an event could name a credential so."""
    return re.fullmatch(_FINGERPRINT, text) is not None


def is_actor(text: str) -> bool:
    """Whether an event could name its actor so."""
    return re.fullmatch(_WORD, text) is not None


_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"


def _utc(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise ValueError
    return value.astimezone(UTC)


_FINGERPRINT = r"[0-9a-f]{32}"

_BOUNDED_LISTS = ("roles", "entity_types", "data_categories")

_RULES: Mapping[str, tuple[_Clean, str]] = {
    "action": (Action, "one of the actions"),
    "actor": (_text(_WORD), "an opaque id of at most 96 characters"),
    "outcome": (Outcome, "one of the outcomes"),
    "reason_code": (_optional(_text(_NAME)), "a code"),
    "roles": (_list(_text(_WORD)), "a list of role names"),
    "department": (_optional(_text(_WORD)), "a department's name"),
    "purpose": (_optional(_text(_WORD)), "a purpose"),
    "policy_sha256": (_optional(_text(r"[0-9a-f]{64}")), "a SHA-256 in hexadecimal"),
    "query_sha256": (_optional(_text(r"[0-9a-f]{64}")), "a SHA-256 in hexadecimal"),
    "source": (_optional(_text(_WORD)), "a source's name"),
    "stream": (_optional(_text(_WORD)), "a stream's name"),
    "run_id": (_optional(_text(_WORD)), "the id of a run"),
    "entity_types": (_list(_text(_NAME)), "a list of entity types"),
    "data_categories": (_list(_text(_NAME)), "a list of data categories"),
    "customers": (_list(_text(_CUSTOMER)), "a list of public ids"),
    "counts": (_numbers(COUNTS), "a mapping of the names in COUNTS to whole numbers"),
    "id": (_text(_UUID), "a UUID in lower case"),
    "at": (_utc, "an instant with its offset from UTC"),
    "part_of": (_optional(_text(_UUID)), "a UUID in lower case"),
    "payloads": (_list(_text(r"[0-9a-f]{64}"), MAX_PAYLOADS), f"a list of at most {MAX_PAYLOADS} SHA-256"),
    "keys": (
        _list(_text(r"[0-9a-f]{32}"), MAX_PAYLOADS),
        f"a list of at most {MAX_PAYLOADS} ids of data keys",
    ),
    "as_of": (_list(_text(_INSTANT), MAX_PAST_TIMES), f"a list of at most {MAX_PAST_TIMES} instants in UTC"),
    "about": (_optional(_text(_UUID)), "a UUID in lower case"),
    "credential": (_optional(_text(_FINGERPRINT)), "a fingerprint of 32 hexadecimal digits"),
    "registered": (_optional(_text(r"[0-9a-f]{64}")), "a SHA-256 in hexadecimal"),
    "omitted": (_numbers(frozenset(_BOUNDED_LISTS)), "a mapping of lists to whole numbers"),
    "break_glass": (_optional(_text(_UUID)), "a UUID in lower case"),
}

_FIELDS = tuple(each.name for each in fields(AuditEvent) if each.name != "sealed")
_FIELD_NAMES = frozenset(_FIELDS)
_REQUIRED = frozenset({"id", "at", "action", "actor", "outcome"})
