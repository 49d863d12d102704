"""Data keys: one random key for each (subject, retention class), wrapped by the master key, in a database of their own.

A subject is a customer, or a day for what concerns no customer that is known. Keys and payloads name it by a random
`pid`; only one table here says whose it is, and that row goes with the subject's last key. A key is never derived from
another one, so destroying it is all it takes to make unreadable what it sealed, wherever a copy lies.

Keys lie apart from payloads so that backups of the two can lie apart too: together they would undo a destruction.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock
from time import monotonic
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Index, LargeBinary, MetaData, String, Table, text

from hub.audit.database import AuditDatabase, Statements
from hub.audit.masterkeys import KEY_BYTES, MasterKeys
from hub.errors import AuditIntegrityError, MasterKeyError

TTL_S = 60.0
"""How long a process may go on sealing with a key that another one has destroyed; nothing opens by a kept key."""

CACHED = 10_000
"""Keys that are kept, some 4 MB; a sync meets each customer a few times within a minute."""

_CHUNK = 400
"""Names in one statement."""


class Retention(StrEnum):
    """How long what is sealed has to be kept, and may be: each class of a subject has a key of its own."""

    CUSTOMER = "customer"
    ACCOUNTING = "accounting"
    MARKETING = "marketing"
    SEARCH = "search"


Holder = tuple[str, Retention]
"""The name of a subject, and a class."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key, ready for use."""

    id: str
    pid: str
    subject: str
    retention: Retention
    cipher: AESGCM = field(repr=False)


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What is left of a key."""

    at: datetime


metadata = MetaData()

subject_table = Table(
    "audit_subject",
    metadata,
    Column("pid", String(32), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
)

key_table = Table(
    "audit_data_key",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("pid", String(32), nullable=False),
    Column("retention", String(16), nullable=False),
    Column("wrapped", LargeBinary),
    Column("master_id", String(64), index=True),
    Column("created_at", String(32), nullable=False),
    Column("destroyed_at", String(32)),
)
_LIVE = text("wrapped IS NOT NULL")
Index(
    "audit_data_key_live",
    key_table.c.pid,
    key_table.c.retention,
    unique=True,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)


class DataKeys:
    """The data keys in one database. Several threads and processes may use them at once.

    Raises:
        AuditError: from every method, when the database cannot be written or read.
        MasterKeyError: a key is wrapped by a master key that is not given; give it beside the current one.
        AuditIntegrityError: a row was altered; stop and `verify`.
    """

    def __init__(
        self, database: AuditDatabase, master: MasterKeys, clock: Callable[[], float] = monotonic
    ) -> None:
        self._database = database
        self._master = master
        self._cache = _Cache(clock)

    @classmethod
    def open(cls, url: str, master: MasterKeys, clock: Callable[[], float] = monotonic) -> Self:
        """The keys at `sqlite:///PATH` or `postgresql://...`, their tables made if they are missing."""
        database = AuditDatabase.open(url, "the database of the audit keys")
        try:
            with database.making() as connection:
                metadata.create_all(connection)
            keys = cls(database, master, clock)
            keys.require_master()
        except Exception:
            database.close()
            raise
        return keys

    def close(self) -> None:
        """Gives up the connections, and forgets the keys."""
        self._cache.clear()
        self._database.close()

    def require_master(self) -> None:
        """Check that the master key of every data key is given.

        Raises:
            MasterKeyError: one is not; the message names it and those that are.
        """
        last: str | None = ""
        with self._database.writing() as statements:
            while last is not None:
                [(last,)] = statements.rows(_NEXT_MASTER, last)
                if last is not None:
                    self._require(last)

    def for_sealing(self, wanted: Collection[Holder]) -> dict[Holder, DataKey]:
        """The key of each, made where there is none; new ones are on disk."""
        found = self._cache.found(wanted)
        missing = [each for each in dict.fromkeys(wanted) if each not in found]
        if missing:
            with self._database.writing() as statements:
                made = {each: key for some in _chunks(missing) for each, key in self._of(statements, some)}
            self._cache.keep(made)
            found |= made
        return found

    def for_opening(self, key_id: str) -> DataKey | Destroyed:
        """The key, or when it was destroyed."""
        with self._database.writing() as statements:
            rows = statements.rows(f"{_SELECT} WHERE k.id = ?", key_id)
        if not rows:
            raise AuditIntegrityError(
                None, f"data key {key_id} is missing from the database of the audit keys"
            )
        row = _Row(*rows[0])
        if row.destroyed_at is not None and row.wrapped is None:
            return Destroyed(datetime.fromisoformat(row.destroyed_at))
        return self._unwrapped(row)

    def held_by(self, name: str) -> dict[Retention, str]:
        """The ids of a subject's keys."""
        with self._database.writing() as statements:
            rows = statements.rows(f"{_SELECT} WHERE s.name = ? AND k.wrapped IS NOT NULL", name)
        return {Retention(row.retention): row.id for row in (_Row(*each) for each in rows)}

    def alive(self, key_ids: Sequence[str]) -> list[str]:
        """Those of the keys that were not destroyed."""
        found: list[str] = []
        with self._database.writing() as statements:
            for some in _chunks(key_ids):
                sql = f"SELECT id FROM audit_data_key WHERE wrapped IS NOT NULL AND id IN ({_marks(some)})"
                found += [key_id for (key_id,) in statements.rows(sql, *some)]
        return found

    def destroy(self, key_ids: Sequence[str], at: datetime) -> None:
        """Overwrite the keys, and forget whose they were where a subject has no other; what is gone is no error.

        Tell the log first: `Sealer.destroy` does.
        """
        with self._database.writing() as statements:
            statements.overwrite()
            statements.many(_DESTROY, [(at.astimezone(UTC).isoformat(), key_id) for key_id in key_ids])
            statements.many(_FORGET, [(key_id,) for key_id in key_ids])
        self._cache.clear()
        self._database.shorten()

    def scrub(self, *, thorough: bool = False) -> None:
        """Leave nothing in the database's files of keys that were destroyed; see `AuditDatabase.scrub`."""
        self._database.scrub([subject_table, key_table], thorough=thorough)

    def rewrap(self) -> int:
        """How many keys were wrapped by a former master key, and now are by the current one."""
        count = 0
        while rows := self._former():
            unwrapped = [(row, self._open(row)) for row in rows]
            with self._database.writing() as statements:
                statements.overwrite()
                given = [
                    (self._master.wrap(key, row.bound_to), self._master.current, row.id, row.master_id)
                    for row, key in unwrapped
                ]
                statements.many(_REWRAP, given)
            count += len(rows)
        self._database.shorten()
        return count

    def first_fault(self, first_events: Mapping[str, int]) -> AuditIntegrityError | None:
        """The first event that cannot be opened though no event tells of its key's destruction; None if all can."""
        for some in _chunks(list(first_events)):
            with self._database.writing() as statements:
                rows = statements.rows(f"{_SELECT} WHERE k.id IN ({_marks(some)})", *some)
            known = {row.id: row for row in (_Row(*each) for each in rows)}
            for key_id in some:
                if key_id not in known or known[key_id].wrapped is None:
                    told = "the data key of a payload is gone, and no event tells of its destruction"
                    return AuditIntegrityError(first_events[key_id], told)
                if self._unwrap(known[key_id]) is None:
                    return AuditIntegrityError(first_events[key_id], "the data key of a payload was altered")
        return None

    def _former(self) -> list[_Row]:
        sql = f"{_SELECT} WHERE k.wrapped IS NOT NULL AND k.master_id <> ? LIMIT {_CHUNK}"
        with self._database.writing() as statements:
            return [_Row(*each) for each in statements.rows(sql, self._master.current)]

    def _of(self, statements: Statements, wanted: Sequence[Holder]) -> Iterator[tuple[Holder, DataKey]]:
        """The keys of these, those that are missing made."""
        names = list(dict.fromkeys(name for name, _ in wanted))
        marks = _marks(names)
        pids = dict(statements.rows(f"SELECT name, pid FROM audit_subject WHERE name IN ({marks})", *names))
        sql = f"{_SELECT} WHERE k.wrapped IS NOT NULL AND s.name IN ({marks})"
        rows = {
            (row.name, row.retention): row for row in (_Row(*each) for each in statements.rows(sql, *names))
        }
        new_pids = {name: secrets.token_hex(16) for name in names if name not in pids}
        statements.many(_NEW_SUBJECT, [(pid, name) for name, pid in new_pids.items()])
        pids |= new_pids
        made: list[tuple[Any, ...]] = []
        for name, retention in wanted:
            row = rows.get((name, retention.value))
            if row is not None:
                yield (name, retention), self._unwrapped(row)
                continue
            secret, new = secrets.token_bytes(KEY_BYTES), _Row.of(pids[name], name, retention)
            wrapped = self._master.wrap(secret, new.bound_to)
            made.append((new.id, new.pid, new.retention, wrapped, self._master.current, _now()))
            yield (name, retention), DataKey(new.id, new.pid, name, retention, AESGCM(secret))
        statements.many(_NEW_KEY, made)

    def _unwrapped(self, row: _Row) -> DataKey:
        return DataKey(row.id, row.pid, row.name or "", Retention(row.retention), AESGCM(self._open(row)))

    def _open(self, row: _Row) -> bytes:
        key = self._unwrap(row)
        if key is None:
            raise AuditIntegrityError(None, f"data key {row.id} was altered: its master key does not open it")
        return key

    def _unwrap(self, row: _Row) -> bytes | None:
        if row.wrapped is None or row.master_id is None:
            return None
        self._require(row.master_id)
        return self._master.unwrap(bytes(row.wrapped), row.master_id, row.bound_to)

    def _require(self, master_id: str) -> None:
        if master_id not in self._master.known:
            given = ", ".join(sorted(self._master.known)) or "none"
            raise MasterKeyError(
                f"audit data keys are wrapped by master key {master_id}, and given is {given}: give that one as well, "
                "after the current one, in HUB_MASTER_KEY or HUB_MASTER_KEY_FILE"
            )


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a key, with its subject's name."""

    id: str
    pid: str
    name: str | None
    retention: str
    wrapped: bytes | None = field(repr=False)
    master_id: str | None
    destroyed_at: str | None

    @classmethod
    def of(cls, pid: str, name: str, retention: Retention) -> Self:
        return cls(secrets.token_hex(16), pid, name, retention.value, None, None, None)

    @property
    def bound_to(self) -> bytes:
        """What the wrapped key is good for: moved to another row it does not open."""
        return "\n".join(["hub data key", self.id, self.pid, self.name or "", self.retention]).encode()


_SELECT = (
    "SELECT k.id, k.pid, s.name, k.retention, k.wrapped, k.master_id, k.destroyed_at"
    " FROM audit_data_key k LEFT JOIN audit_subject s ON s.pid = k.pid"
)
_NEXT_MASTER = "SELECT min(master_id) FROM audit_data_key WHERE master_id > ?"
_NEW_SUBJECT = "INSERT INTO audit_subject (pid, name) VALUES (?, ?)"
_NEW_KEY = "INSERT INTO audit_data_key (id, pid, retention, wrapped, master_id, created_at) VALUES (?, ?, ?, ?, ?, ?)"
_REWRAP = "UPDATE audit_data_key SET wrapped = ?, master_id = ? WHERE id = ? AND master_id = ?"
_DESTROY = (
    "UPDATE audit_data_key SET wrapped = NULL, master_id = NULL, destroyed_at = ?"
    " WHERE id = ? AND wrapped IS NOT NULL"
)
_FORGET = (
    "DELETE FROM audit_subject WHERE pid = (SELECT pid FROM audit_data_key WHERE id = ?) AND NOT EXISTS"
    " (SELECT 1 FROM audit_data_key k WHERE k.pid = audit_subject.pid AND k.wrapped IS NOT NULL)"
)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for at in range(0, len(values), _CHUNK):
        yield values[at : at + _CHUNK]


def _now() -> str:
    return datetime.now(UTC).isoformat()


class _Cache:
    """Keys for sealing, each for a minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[Holder, tuple[float, DataKey]] = {}
        self._lock = Lock()

    def found(self, wanted: Collection[Holder]) -> dict[Holder, DataKey]:
        """Those that are kept and not too old."""
        with self._lock:
            self._drop_old(self._clock())
            return {each: self._kept[each][1] for each in wanted if each in self._kept}

    def keep(self, keys: Mapping[Holder, DataKey]) -> None:
        """Keep these from now on."""
        now = self._clock()
        with self._lock:
            for each, key in keys.items():
                self._kept.pop(each, None)  # so that the oldest stand first
                self._kept[each] = (now, key)
            while len(self._kept) > CACHED:
                del self._kept[next(iter(self._kept))]

    def clear(self) -> None:
        """Keep none."""
        with self._lock:
            self._kept.clear()

    def _drop_old(self, now: float) -> None:
        while self._kept:
            oldest = next(iter(self._kept))
            if now - self._kept[oldest][0] < TTL_S:
                return
            del self._kept[oldest]
