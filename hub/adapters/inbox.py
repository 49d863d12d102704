"""What senders of webhooks have delivered and no run has taken in yet, in a small database of its own.

A sender waits a few seconds at most, so a delivery is kept here first, whatever else is being written; the next run of
its source takes it in. Its body goes once that run has committed. What is left of it, hashes of its id and of what was
signed, tells a repetition for thirty days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import StoreError, StoreUnavailableError
from hub.store.side import side_engine

REMEMBERED: Final = timedelta(days=30)
"""How long a repetition is known: longer than senders try again, of which three days are the most that is documented
(https://docs.stripe.com/webhooks)."""
_NAME = "the inbox of webhooks"
_AT_ONCE = 500

metadata = MetaData()

delivery_table = Table(
    "webhook_delivery",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("source", String(96), nullable=False),
    Column("stream", String(96), nullable=False),
    Column("delivery", String(64)),
    Column("seal", String(64)),
    Column("gone", Boolean, nullable=False),
    Column("sent_at", String(32), nullable=False),
    Column("received_at", String(32), nullable=False),
    Column("body", LargeBinary),
    UniqueConstraint("source", "stream", "delivery"),
    UniqueConstraint("source", "stream", "seal"),
    sqlite_autoincrement=True,
)
_WAITS = text("body IS NOT NULL")
Index(
    "webhook_delivery_waiting",
    delivery_table.c.source,
    delivery_table.c.stream,
    delivery_table.c.id,
    sqlite_where=_WAITS,
    postgresql_where=_WAITS,
)
Index("webhook_delivery_received", delivery_table.c.received_at)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one stream is to take in of a delivery."""

    stream: str
    gone: bool
    """Whether it tells of what its records name that it is no more."""
    sent_at: datetime
    """When it came, where the sender does not say."""
    body: bytes = field(repr=False)
    id: str | None = field(default=None, repr=False)
    """By which the sender names it."""
    seal: bytes | None = field(default=None, repr=False)
    """What no other delivery has, where the sender signs one."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery in the inbox."""

    number: int
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many deliveries of a source wait, since when, and when the newest came."""

    waiting: int
    oldest: datetime | None
    newest: datetime | None


class InboxFullError(StoreUnavailableError):
    """As many deliveries wait as may; see why no run takes them in. Senders try again."""


class Inbox:
    """The deliveries of all sources. Several threads and processes may use it at once.

    Raises:
        StoreUnavailableError: from every method, when its database cannot be read or written; try again later.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Self:
        """The inbox at `sqlite:///PATH` or `postgresql://...`, its table made if it is missing.

        Raises:
            StoreError: the URL is of another kind; correct the configuration.
        """
        made = cls(side_engine(url, _NAME, StoreError))
        try:
            with made._transaction() as connection:
                metadata.create_all(connection)
        except Exception:
            made.close()
            raise
        return made

    def close(self) -> None:
        """Give up the connections."""
        self._engine.dispose()

    def put(self, source: str, deliveries: Sequence[Delivery], most: int, now: datetime) -> int:
        """How many of the deliveries are kept now; the others were there before.

        Raises:
            InboxFullError: more than `most` of the source wait.
        """
        rows = [_row(source, each, now) for each in deliveries]
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        table = delivery_table
        full = select(table.c.id).where(table.c.source == source, _WAITS).offset(most - 1).limit(1)
        with self._transaction() as connection:
            if connection.execute(full).first() is not None:
                raise InboxFullError(f"{most} deliveries of {source} wait; see `hub source hooks`")
            keep = dialect.insert(table).on_conflict_do_nothing().returning(table.c.id)
            return sum(connection.execute(keep.values(row)).first() is not None for row in rows)

    def waiting(self, source: str, stream: str, after: int = 0) -> Iterator[Waiting]:
        """The deliveries that wait, in the order in which they came."""
        table = delivery_table
        columns = (table.c.id, table.c.gone, table.c.sent_at, table.c.body)
        mine = (table.c.source == source, table.c.stream == stream, _WAITS)
        while True:
            query = select(*columns).where(*mine, table.c.id > after).order_by(table.c.id).limit(_AT_ONCE)
            with self._transaction() as connection:
                rows = connection.execute(query).all()
            for number, gone, sent_at, body in rows:
                yield Waiting(
                    number, Delivery(stream, bool(gone), datetime.fromisoformat(sent_at), bytes(body))
                )
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1][0]

    def taken(self, numbers: Sequence[int], now: datetime) -> None:
        """Let the bodies of these go, and what was remembered for long enough."""
        table = delivery_table
        with self._transaction() as connection:
            for at in range(0, len(numbers), _AT_ONCE):
                some = numbers[at : at + _AT_ONCE]
                connection.execute(update(table).where(table.c.id.in_(some)).values(body=None))
            old = (now - REMEMBERED).astimezone(UTC).isoformat()
            connection.execute(delete(table).where(table.c.received_at < old, table.c.body.is_(None)))

    def backlogs(self) -> Mapping[str, Backlog]:
        """How it stands with each source of which there is anything."""
        table = delivery_table
        oldest = func.min(table.c.received_at).filter(_WAITS)
        query = select(
            table.c.source, func.count(table.c.body), oldest, func.max(table.c.received_at)
        ).group_by(table.c.source)
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return {source: Backlog(count, _time(first), _time(last)) for source, count, first, last in rows}

    def sources_waiting(self) -> Set[str]:
        """The sources of which something waits."""
        with self._transaction() as connection:
            rows = connection.execute(select(delivery_table.c.source).where(_WAITS).distinct())
            return {row[0] for row in rows}

    def forget(self, source: str, stream: str) -> None:
        """Let all go that came for a stream, waiting or not."""
        table = delivery_table
        with self._transaction() as connection:
            connection.execute(delete(table).where(table.c.source == source, table.c.stream == stream))

    def scrub(self, *, thorough: bool = False) -> None:
        """Leave nothing in the database's files of bodies that went.

        On PostgreSQL that alone takes a thorough scrub, which writes the table anew while nobody reads it.
        """
        with self._translated():
            if self._engine.dialect.name == "postgresql":
                engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
                with engine.connect() as connection:
                    connection.exec_driver_sql(f"VACUUM {'(FULL) ' if thorough else ''}{delivery_table.name}")
                return
            with self._engine.connect() as connection:
                if thorough:
                    connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._translated(), self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = type(getattr(error, "orig", None) or error).__name__
            raise StoreUnavailableError(f"{_NAME} cannot be used: {cause}") from None


def _row(source: str, given: Delivery, now: datetime) -> dict[str, Any]:
    return {
        "source": source,
        "stream": given.stream,
        "delivery": hashlib.sha256(given.id.encode()).hexdigest() if given.id is not None else None,
        "seal": given.seal.hex() if given.seal is not None else None,
        "gone": given.gone,
        "sent_at": given.sent_at.astimezone(UTC).isoformat(),
        "received_at": now.astimezone(UTC).isoformat(),
        "body": given.body,
    }


def _time(given: str | None) -> datetime | None:
    return datetime.fromisoformat(given) if given is not None else None
