"""Sealed payloads: what an event is about in words and values, readable only as long as its data key lives.

The leaf of an event holds no value of a person, for it can never be taken back. What the values were before and after,
why a person did it, what was searched for: that is sealed by AES-256-GCM under the data key of a subject and a
retention class, and bound to its place. The leaf names the hash of nonce and ciphertext, and the key's id:

    event = sealer.sealed(event, [Payload("mfrggzdfmztwq2lk...", Retention.CUSTOMER, {"reason": "told by letter"})])

Where no master key is given, events are written without payloads: never in clear.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from hub.audit.datakeys import DataKey, DataKeys, Destroyed, Holder, Retention
from hub.audit.events import Action, AuditEvent, payload_hash
from hub.audit.log import AuditLog, EventFilter
from hub.audit.masterkeys import NONCE_BYTES, opened
from hub.errors import AuditIntegrityError, MasterKeyError

_ACCOUNTING = ("user.financial", "user.payment")
_MARKETING = ("user.behavior", "user.demographic.profile", "user.social", "user.telemetry", "user.location")
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Payload:
    """What is to be sealed of one subject and class, as JSON has it; what it has no form for, as text."""

    subject: str
    """The public id of a customer, or a day, `2026-01-31`, for what concerns nobody who is known."""
    retention: Retention
    content: Mapping[str, Any] = field(repr=False)

    @property
    def holder(self) -> Holder:
        """Whose key seals it."""
        return self.subject, self.retention


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A payload that was opened, or what became of it."""

    subject: str | None
    """Whom it is about; None where the key is gone, as is the class."""
    retention: Retention | None
    content: Mapping[str, Any] | None = field(repr=False)
    destroyed_at: datetime | None = None


def retention_of(category: str) -> Retention:
    """The class of a value of this data category."""
    if category.startswith(_ACCOUNTING):
        return Retention.ACCOUNTING
    return Retention.MARKETING if category.startswith(_MARKETING) else Retention.CUSTOMER


class Sealer:
    """Seals, opens and destroys payloads; without `keys` it keeps none."""

    def __init__(self, keys: DataKeys | None = None) -> None:
        self._keys = keys

    @property
    def keys(self) -> DataKeys:
        """The data keys.

        Raises:
            MasterKeyError: no master key is given; set HUB_MASTER_KEY or HUB_MASTER_KEY_FILE.
        """
        if self._keys is None:
            raise MasterKeyError(
                "no master key is given, so no payload is kept: set HUB_MASTER_KEY or HUB_MASTER_KEY_FILE to what "
                "`hub audit data-keys make` prints"
            )
        return self._keys

    @property
    def keeps(self) -> bool:
        """Whether payloads are kept."""
        return self._keys is not None

    def sealed(self, event: AuditEvent, payloads: Sequence[Payload]) -> AuditEvent:
        """The event with its payloads, sealed for it alone: nothing of it may be changed any more.

        Raises:
            AuditError: the key cannot be had; what the event tells of must not go on.
        """
        [sealed] = self.sealed_all([(event, payloads)])
        return sealed

    def sealed_all(self, given: Sequence[tuple[AuditEvent, Sequence[Payload]]]) -> list[AuditEvent]:
        """As `sealed` for each; a key that several need is asked for once."""
        if self._keys is None:
            return [event for event, _ in given]
        wanted = {payload.holder for _, payloads in given for payload in payloads}
        keys = self._keys.for_sealing(wanted) if wanted else {}
        return [_sealed(event, payloads, keys) for event, payloads in given]

    def unsealed(self, log: AuditLog, seq: int) -> list[Unsealed]:
        """The payloads of an event, in their order; whoever asks has to be allowed, and on record.

        Raises:
            MasterKeyError: the master key is not given.
            AuditIntegrityError: a payload or its key was altered.
        """
        event, kept = log.event(seq), log.payloads(seq)
        if event.action is Action.KEY_DESTROYED:
            return []
        return [
            self._unsealed(seq, event, position, key_id, kept.get(position))
            for position, key_id in enumerate(event.keys)
        ]

    def _unsealed(
        self, seq: int, event: AuditEvent, position: int, key_id: str, cell: bytes | None
    ) -> Unsealed:
        key = self.keys.for_opening(key_id)
        if isinstance(key, Destroyed):
            return Unsealed(None, None, None, key.at)
        if cell is None:
            raise AuditIntegrityError(seq, f"payload {position} is missing, and its key was not destroyed")
        data = None
        if payload_hash(cell) == event.payloads[position]:
            data = opened(key.cipher, cell, _bound_to(event.id, position, key))
        if data is None:
            raise AuditIntegrityError(seq, f"payload {position} is not the one that was sealed")
        return Unsealed(key.subject, key.retention, orjson.loads(data))

    def destroy(
        self, log: AuditLog, event: AuditEvent, subjects: Sequence[str], retentions: Sequence[Retention]
    ) -> list[AuditEvent]:
        """The events that tell of it, one a class and subject that has a key; `event` says who did it.

        The event and the end of the ciphertexts are one transaction, and come before the end of the key: whoever is
        killed between the two has it ended by the next start. What waits in an outbox has to be drained before.
        """
        told: list[AuditEvent] = []
        for subject in subjects:
            for retention, key_id in self.keys.held_by(subject).items():
                if retention in retentions:
                    more = {"reason_code": retention.value, "keys": (key_id,)}
                    told.append(event.again(action=Action.KEY_DESTROYED, **more))
        if told:
            log.append_destruction(told)
            self.keys.destroy([each.keys[0] for each in told], told[0].at)
        return told

    def held_of(self, subjects: Sequence[str]) -> int:
        """How many keys of these subjects there are."""
        return 0 if self._keys is None else sum(len(self._keys.held_by(subject)) for subject in subjects)

    def scrub(self, *, thorough: bool = False) -> None:
        """Leave nothing in the files of keys that were destroyed."""
        if self._keys is not None:
            self._keys.scrub(thorough=thorough)

    def require_keys(self, log: AuditLog) -> None:
        """Check that every payload has its key, unless an event tells of that one's destruction.

        Nothing is checked without a master key.

        Raises:
            AuditIntegrityError: a key is gone or was altered; the first event that it sealed is named.
        """
        if self._keys is not None and (fault := self._keys.first_fault(log.sealing_keys())) is not None:
            raise fault

    def resume(self, log: AuditLog) -> int:
        """How many keys still had to be destroyed that the log says were: after a kill, or out of an older backup.

        What another process sealed by them meanwhile, nobody could read any more; it goes as well.
        """
        if self._keys is None:
            return 0
        ended, after = 0, -1
        where = EventFilter(actions=(Action.KEY_DESTROYED,))
        while found := log.events(where, after=after, limit=_PAGE):
            after = found[-1].seq
            destroyed = {key_id: each.event.at for each in found for key_id in each.event.keys}
            log.forget_payloads(list(destroyed))
            for key_id in self._keys.alive(list(destroyed)):
                self._keys.destroy([key_id], destroyed[key_id])
                ended += 1
        return ended


def _sealed(event: AuditEvent, payloads: Sequence[Payload], keys: Mapping[Holder, DataKey]) -> AuditEvent:
    if not payloads:
        return event
    used = [keys[payload.holder] for payload in payloads]
    cells = tuple(
        _cell(event.id, position, key, payload)
        for position, (key, payload) in enumerate(zip(used, payloads, strict=True))
    )
    names = tuple(payload_hash(cell) for cell in cells)
    return replace(event, payloads=names, keys=tuple(key.id for key in used), sealed=cells)


def _cell(event_id: str, position: int, key: DataKey, payload: Payload) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    data = orjson.dumps(payload.content, default=str)
    return nonce + key.cipher.encrypt(nonce, data, _bound_to(event_id, position, key))


def _bound_to(event_id: str, position: int, key: DataKey) -> bytes:
    """The place of a payload: moved to another one it does not open."""
    place = ["hub audit payload", event_id, str(position), key.id, key.pid, key.retention.value]
    return "\n".join(place).encode()
