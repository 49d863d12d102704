"""The audit log: an append-only Merkle tree of events in its own database.

Every append is one transaction that holds the lock of the head, so that any number of processes may write, and
it is on disk when the call returns. Events are numbered from 0 without gaps, by `seq`, their index in the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, Select, func, insert, inspect, select

from hub.audit.appending import Appender, Leaf
from hub.audit.attestation import Attestation
from hub.audit.database import (
    FORMAT,
    AuditDatabase,
    Statements,
    checkpoint_table,
    erasure_table,
    head_table,
    leaf_customer_table,
    leaf_table,
    metadata,
    payload_table,
    read_head,
    read_tile,
)
from hub.audit.events import MAX_LEAF_BYTES, Action, AuditEvent, Outcome, microseconds
from hub.audit.kept_payloads import destroyed_keys
from hub.audit.merkle import (
    EMPTY_ROOT,
    TreeHead,
    consistency_path,
    inclusion_path,
    tree_root,
)
from hub.audit.tiles import TileReader
from hub.audit.verification import VerificationReport, verify_log
from hub.errors import AuditError, AuditIntegrityError

_CHUNK = 256
"""Events read at a time: at most 16 MiB."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event with its place in the log."""

    seq: int
    event: AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events to find: all that is given must hold; `since` is inclusive, `until` is not."""

    actions: Collection[Action] = ()
    """Any of these; all when empty."""
    outcomes: Collection[Outcome] = ()
    actor: str | None = None
    purpose: str | None = None
    customer: str | None = None
    source: str | None = None
    run_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLog:
    """The log at one URL. Safe to use from several threads, and by several processes at once.

    Raises:
        AuditError: from every method, when the database cannot be written or read; what depends on the event
            must not go on.
        AuditIntegrityError: when what is read does not fit together; stop and `verify`.
    """

    def __init__(self, database: AuditDatabase) -> None:
        self.database = database
        self._appender = Appender()

    @classmethod
    def open(cls, url: str) -> Self:
        """The log at `sqlite:///PATH` or `postgresql://...`, its tables made if they are missing."""
        database = AuditDatabase.open(url)
        try:
            with database.making() as connection:
                _make_tables(connection)
                read_head(connection)
        except AuditError:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Gives up the connections; nothing needs saving."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def append(self, events: Iterable[AuditEvent]) -> range:
        """The numbers of the events, on disk; several for an event that needs more than one leaf.

        Raises:
            AuditError: nothing was appended: the database cannot be written, or the log has an event already.
        """
        leaves = _leaves(events)
        with self.database.writing() as statements:
            return self._appender.extend(statements, leaves)

    def append_at_once(self, events: Iterable[AuditEvent]) -> range | None:
        """As `append`; None, with nothing appended, where it would have to wait for others.

        It takes the time of a commit to a local disk, some tenths of a millisecond: no more than handing the events
        to another thread.

        Raises:
            AuditError: as for `append`.
        """
        leaves = _leaves(events)
        with self.database.writing_at_once() as statements:
            return None if statements is None else self._appender.extend(statements, leaves)

    def append_destruction(self, events: Sequence[AuditEvent]) -> range:
        """As `append`, for events that data keys are destroyed: what they sealed goes in the same transaction.

        Raises:
            AuditError: as for `append`.
        """

        def forget(statements: Statements) -> None:
            statements.overwrite()
            statements.many(_FORGET_PAYLOADS, [(key_id,) for event in events for key_id in event.keys])

        added = self.append_with(events, forget)
        self.database.shorten()
        return added

    def append_with(self, events: Sequence[AuditEvent], also: Callable[[Statements], None]) -> range:
        """As `append`; what `also` writes is on disk with the events, or not at all.

        Raises:
            AuditError: as for `append`.
        """
        leaves = _leaves(events)
        with self.database.writing() as statements:
            added = self._appender.extend(statements, leaves)
            also(statements)
        return added

    def forget_payloads(self, key_ids: Sequence[str]) -> None:
        """Delete what is still sealed by keys that were destroyed before."""
        with self.database.writing() as statements:
            statements.overwrite()
            statements.many(_FORGET_PAYLOADS, [(key_id,) for key_id in key_ids])

    def payloads(self, seq: int) -> dict[int, bytes]:
        """The sealed payloads of an event that are there, by their position in it."""
        table = payload_table.c
        query = select(table.position, table.sealed).where(table.seq == seq)
        with self.database.reading() as connection:
            return {row.position: bytes(row.sealed) for row in connection.execute(query)}

    def sealing_keys(self) -> dict[str, int]:
        """The ids of the data keys that payloads are sealed by, with the first event of each, in their order.

        Without those whose destruction an event tells.
        """
        table = payload_table.c
        first = func.min(table.seq)
        query = select(table.key_id, first).group_by(table.key_id).order_by(first)
        with self.database.reading() as connection:
            destroyed = destroyed_keys(connection, read_head(connection).size)
            return {key_id: seq for key_id, seq in connection.execute(query) if key_id not in destroyed}

    def sealed_in_vain(self, customers: Sequence[str]) -> int:
        """The payloads of these customers' events that are there though their keys were destroyed."""
        table = payload_table.c
        of_them = select(leaf_customer_table.c.seq).where(leaf_customer_table.c.customer.in_(customers))
        query = select(table.key_id, func.count()).where(table.seq.in_(of_them)).group_by(table.key_id)
        with self.database.reading() as connection:
            destroyed = destroyed_keys(connection, read_head(connection).size)
            return sum(count for key_id, count in connection.execute(query) if key_id in destroyed)

    def scrub(self, *, thorough: bool = False) -> None:
        """Leave nothing in the database's files of payloads that were deleted; see `AuditDatabase.scrub`."""
        self.database.scrub([payload_table], thorough=thorough)

    def tidy(self) -> None:
        """Do what `append_at_once` leaves for later, in any thread: every few hundred of its appends."""
        self.database.tidy()

    def append_outbox(self, rows: Sequence[tuple[int, str]]) -> range:
        """The numbers of those events of an outbox that were not in the log yet, in the order of the outbox ids.

        Rows are (outbox id, event as `pack` wrote it). An event is known again by its own id, never by its
        outbox id: a store may use one of these again after the row is gone, or be made anew.

        Raises:
            AuditError: a row holds no event, or one whose id the log has for another; nothing was appended.
        """
        events = {event.id: event for event in map(_outbox_event, sorted(rows))}
        with self.database.writing() as statements:
            known = _known(statements, events)
            new = [event for event_id, event in events.items() if event_id not in known]
            for event_id, data in known.items():
                if events[event_id].parts()[0].encode() != data:
                    raise AuditError(f"event {event_id} of the outbox differs from the one in the log")
            return self._appender.extend(statements, _leaves(new))

    def head(self) -> TreeHead:
        """Size and root, as of now."""
        with self.database.reading() as connection:
            return read_head(connection)

    def size(self) -> int:
        """The number of events."""
        return self.head().size

    def root(self, size: int | None = None) -> bytes:
        """The root of the tree, now or when the log had `size` events."""
        with self._tree(size) as (reader, at_size):
            return tree_root(reader, at_size)

    def inclusion_proof(self, seq: int, size: int | None = None) -> tuple[bytes, ...]:
        """The RFC 6962 proof that event `seq` is in the log, as it is now or was at `size`."""
        with self._tree(size) as (reader, at_size), _existing():
            return inclusion_path(reader, seq, at_size)

    def consistency_proof(self, old_size: int, new_size: int | None = None) -> tuple[bytes, ...]:
        """The RFC 6962 proof that the log of `old_size` events is a beginning of the later one."""
        with self._tree(new_size) as (reader, at_size), _existing():
            return consistency_path(reader, old_size, at_size)

    def entry(self, seq: int) -> bytes:
        """The canonical bytes of an event: what its leaf hashes.

        Raises:
            AuditError: the log has no such event.
        """
        query = select(leaf_table.c.bytes).where(leaf_table.c.seq == seq)
        with self.database.reading() as connection:
            data = connection.execute(query).scalar_one_or_none()
        if data is None:
            raise AuditError(f"the log has no event {seq}")
        return bytes(data)

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Number and canonical bytes of the events from `start` to before `end`, read a few hundred at a time.

        Raises:
            AuditIntegrityError: one is missing.
        """
        columns = leaf_table.c
        for first in range(start, end, _CHUNK):
            last = min(first + _CHUNK, end)
            query = select(columns.seq, columns.bytes).where(columns.seq >= first, columns.seq < last)
            with self.database.reading() as connection:
                rows = connection.execute(query.order_by(columns.seq)).all()
            for expected in range(first, last):
                if expected - first >= len(rows) or rows[expected - first].seq != expected:
                    raise AuditIntegrityError(expected, "the event is missing")
                yield expected, bytes(rows[expected - first].bytes)

    def number_of(self, event_id: str) -> int:
        """The number of the event with an id.

        Raises:
            AuditError: the log has no such event.
        """
        query = select(leaf_table.c.seq).where(leaf_table.c.event_id == event_id)
        with self.database.reading() as connection:
            seq = connection.execute(query).scalar_one_or_none()
        if seq is None:
            raise AuditError("the log has no event of this id")
        return int(seq)

    def event(self, seq: int) -> AuditEvent:
        """The event at a number.

        Raises:
            AuditError: the log has no such event.
        """
        return recorded(seq, self.entry(seq)).event

    def events(
        self, where: EventFilter | None = None, *, after: int = -1, limit: int = 100
    ) -> list[RecordedEvent]:
        """Up to `limit` events with a number above `after`, in order; the last one's is the next `after`."""
        query = _query(where or EventFilter()).where(leaf_table.c.seq > after)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(leaf_table.c.seq).limit(limit)).all()
        return [recorded(row.seq, row.bytes) for row in rows]

    def verify(
        self, from_checkpoint: TreeHead | None = None, attestation: Attestation | None = None
    ) -> VerificationReport:
        """What checking the whole log found, or the part since a checkpoint and the agreement with it.

        The checkpoints in the database have to fit it; with an attestation, their signatures and those outside too.
        """
        with self.database.reading() as connection:
            return verify_log(connection, from_checkpoint, attestation)

    @contextmanager
    def _tree(self, size: int | None) -> Iterator[tuple[TileReader, int]]:
        with self.database.reading() as connection:
            head = read_head(connection)
            at_size = head.size if size is None else size
            if not 0 <= at_size <= head.size:
                raise AuditError(f"the log has {head.size} events, no tree of {at_size}")
            yield TileReader(lambda tile_id: read_tile(connection, tile_id)), at_size


def _make_tables(connection: Connection) -> None:
    """Tables and head, unless the tables are there: a head that was removed is not made up again."""
    if inspect(connection).has_table(head_table.name):
        payload_table.create(connection, checkfirst=True)  # logs of before payloads have none
        checkpoint_table.create(connection, checkfirst=True)  # an earlier release had none
        erasure_table.create(connection, checkfirst=True)  # the like
        return
    metadata.create_all(connection)
    head = {"id": 1, "format": FORMAT, "size": 0, "root": EMPTY_ROOT}
    connection.execute(insert(head_table), head)


def _leaves(events: Iterable[AuditEvent]) -> list[Leaf]:
    leaves = [Leaf(part, part.encode()) for event in events for part in event.parts()]
    for leaf in leaves:
        leaf.event.require_payloads()
        if len(leaf.data) > MAX_LEAF_BYTES:
            raise AuditError(f"event {leaf.event.id} has {len(leaf.data)} bytes, a leaf {MAX_LEAF_BYTES}")
    return leaves


def _outbox_event(row: tuple[int, str]) -> AuditEvent:
    outbox_id, text = row
    try:
        return AuditEvent.unpack(text)
    except AuditError as error:
        raise AuditError(f"outbox row {outbox_id}: {error}") from None


_FORGET_PAYLOADS = f"DELETE FROM {payload_table.name} WHERE key_id = ?"


def _known(statements: Statements, event_ids: Collection[str]) -> dict[str, bytes]:
    """The events of these ids that the log has, as their bytes."""
    if not event_ids:
        return {}
    marks = ", ".join("?" * len(event_ids))
    sql = f"SELECT event_id, bytes FROM {leaf_table.name} WHERE event_id IN ({marks})"
    return {event_id: bytes(data) for event_id, data in statements.rows(sql, *event_ids)}


@contextmanager
def _existing() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise AuditError(f"the audit log has no such proof: {error}") from None


def recorded(seq: int, data: bytes) -> RecordedEvent:
    """The event that these bytes of the log's are.

    Raises:
        AuditIntegrityError: they are none.
    """
    try:
        return RecordedEvent(seq, AuditEvent.decode(bytes(data)))
    except AuditError as error:
        raise AuditIntegrityError(seq, str(error)) from None


def _query(where: EventFilter) -> Select[tuple[int, bytes]]:
    column = leaf_table.c
    query: Select[tuple[int, bytes]] = select(column.seq, column.bytes)
    if where.customer is not None:
        same_leaf = leaf_customer_table.c.seq == column.seq
        query = query.join(leaf_customer_table, same_leaf)
        query = query.where(leaf_customer_table.c.customer == where.customer)
    for name in ("actor", "purpose", "source", "run_id"):
        if (value := getattr(where, name)) is not None:
            query = query.where(column[name] == value)
    if where.actions:
        query = query.where(column.action.in_(where.actions))
    if where.outcomes:
        query = query.where(column.outcome.in_(where.outcomes))
    if where.since is not None:
        query = query.where(column.at_us >= microseconds(where.since))
    if where.until is not None:
        query = query.where(column.at_us < microseconds(where.until))
    return query
