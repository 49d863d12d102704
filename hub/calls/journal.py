"""What the store keeps of calls: one row a call, and whom agents picked for calls from a number.

What picks are remembered by is a keyed hash of the number, which nobody can read back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import Connection, delete, func, insert, select, update

from hub.calls.card import Facts
from hub.calls.levels import Level
from hub.store import Store, fixed, iso_utc, utc_now

REMEMBERED = 20
"""Picks of one number that count, the newest ones."""

_CALL, _PICK = fixed.call, fixed.call_pick


class CallState(StrEnum):
    """How far a call is; it only ever goes on."""

    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as the journal has it."""

    id: str
    """That of the audit event by which it was first reported."""
    pbx: str
    key: str
    """What its PBX calls it."""
    direction: str
    """`inbound` or `outbound`."""
    state: CallState
    number: str | None = field(repr=False)
    """The other side's, in E.164 where it is one."""
    extension: str | None
    """Ours, that rings or answered."""
    facts: Facts = field(repr=False)
    began_at: str
    answered_at: str | None = None
    ended_at: str | None = None
    cause: str | None = None
    customer_id: str | None = None
    level: Level = Level.NUMBER
    method: str | None = None
    verified_by: str | None = field(default=None, repr=False)
    party_id: str | None = None
    wrapped_at: str | None = None
    seq: int = 0
    ruled_out: tuple[str, ...] = ()
    """Customers who an agent said it is not."""

    @property
    def was_missed(self) -> bool:
        """Whether it has ended and nobody answered."""
        return self.ended_at is not None and self.answered_at is None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The call of a row."""
        said = json.loads(row["facts"])
        facts, ruled_out = Facts(**said["facts"]), tuple(said["ruled_out"])
        given = {**row, "facts": facts, "state": CallState(row["state"]), "level": Level(row["level"])}
        return cls(**given, ruled_out=ruled_out)

    def row(self) -> dict[str, Any]:
        """The row of the call."""
        row = {name: getattr(self, name) for name in self.__slots__ if name != "ruled_out"}
        said = {"facts": asdict(self.facts), "ruled_out": self.ruled_out}
        return {**row, "facts": json.dumps(said), "state": self.state.value, "level": int(self.level)}


def call_by_key(connection: Connection, pbx: str, key: str) -> Call | None:
    """The call that its PBX calls so."""
    row = connection.execute(select(_CALL).where(_CALL.c.pbx == pbx, _CALL.c.key == key)).mappings().first()
    return None if row is None else Call.of(dict(row))


def call_by_id(connection: Connection, id_: str) -> Call | None:
    """The call with the id."""
    row = connection.execute(select(_CALL).where(_CALL.c.id == id_)).mappings().first()
    return None if row is None else Call.of(dict(row))


def pbxs(connection: Connection, key: str) -> Sequence[str]:
    """The PBXs that call one of theirs so."""
    return list(connection.execute(select(_CALL.c.pbx).where(_CALL.c.key == key)).scalars())


def calls_after(store: Store, seq: int, limit: int = 200) -> Sequence[Call]:
    """The calls that changed after that, each as it is now, in the order of their last changes."""
    query = select(_CALL).where(_CALL.c.seq > seq).order_by(_CALL.c.seq).limit(limit)
    with store.read() as connection:
        return [Call.of(dict(row)) for row in connection.execute(query).mappings()]


def last_seq(store: Store) -> int:
    """The newest change of a call, 0 when there is none."""
    with store.read() as connection:
        return int(connection.execute(select(func.coalesce(func.max(_CALL.c.seq), 0))).scalar_one())


def ringing_at(store: Store, extension: str, since_s: float = 7200) -> Call | None:
    """The newest call at the extension that has not ended."""
    oldest = iso_utc(datetime.now(UTC) - timedelta(seconds=since_s))
    query = (
        select(_CALL)
        .where(_CALL.c.began_at >= oldest, _CALL.c.extension == extension, _CALL.c.ended_at.is_(None))
        .order_by(_CALL.c.began_at.desc())
        .limit(1)
    )
    with store.read() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else Call.of(dict(row))


def keep_call(connection: Connection, call: Call, before: Call | None) -> Call:
    """The call as it is kept, in the caller's write transaction."""
    newest = connection.execute(select(func.coalesce(func.max(_CALL.c.seq), 0))).scalar_one()
    kept = replace(call, seq=int(newest) + 1)
    if before is None:
        connection.execute(insert(_CALL).values(**kept.row()))
    else:
        connection.execute(update(_CALL).where(_CALL.c.id == call.id).values(**kept.row()))
    return kept


def forget_calls(connection: Connection, days: int) -> None:
    """Delete the calls that began longer ago."""
    oldest = iso_utc(datetime.now(UTC) - timedelta(days=days))
    connection.execute(delete(_CALL).where(_CALL.c.began_at < oldest))


# picks


def number_key(store: Store, e164: str) -> str:
    """What stands for a number where nobody shall read it."""
    return hashlib.blake2b(f"number {e164}".encode(), digest_size=16, key=store.secret).hexdigest()


def picks_of(store: Store, e164: str) -> Mapping[str, int]:
    """How often each customer was picked for calls from the number, of the newest picks that stand."""
    newest = (
        select(_PICK.c.customer_id)
        .where(_PICK.c.number_key == number_key(store, e164), _PICK.c.undone_at.is_(None))
        .order_by(_PICK.c.id.desc())
        .limit(REMEMBERED)
        .subquery()
    )
    query = select(newest.c.customer_id, func.count()).group_by(newest.c.customer_id)
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def remember_pick(store: Store, connection: Connection, call: Call, customer_id: str, subject: str) -> None:
    """Note that the call's number led to the customer; the last pick of a call is the one that counts."""
    undo_picks(connection, call.id)
    if call.number is None:
        return
    row = {"number_key": number_key(store, call.number), "customer_id": customer_id, "call_id": call.id}
    connection.execute(insert(_PICK).values(**row, picked_by=subject, at=utc_now()))


def undo_picks(connection: Connection, call_id: str) -> None:
    """Take back what was picked for the call."""
    of_call = (_PICK.c.call_id == call_id, _PICK.c.undone_at.is_(None))
    connection.execute(update(_PICK).where(*of_call).values(undone_at=utc_now()))
