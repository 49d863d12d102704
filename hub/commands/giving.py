"""How every command is given: allowed, told apart from its own repetition, done, recorded.

A command carries an *idempotency key*, chosen by whoever sends it. The same key with the same content by the same
person gives the first result again and has no second effect; with other content it is refused. What was given is kept
for `KEPT_DAYS` as keyed hashes and ids, in the transaction of its effect. That transaction also posts the one audit
event of the command, so neither exists without the other.

A refusal is one audit event as well, in the log before the caller hears of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from hub.access import Command
from hub.adapters import runs
from hub.adapters.batch_events import BatchEvents
from hub.audit import Action, AuditEvent, Outcome
from hub.commands.author import Author
from hub.errors import AccessDeniedError, QueryError, RecordError, RequestError
from hub.graph import Applied
from hub.services import Services
from hub.store import Store, fixed, iso_utc

KEPT_DAYS = 7
"""Days for which a repetition is known as one: longer than any client goes on trying."""

_KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}")

Result = Mapping[str, Any]
"""What a command tells of its effect: ids and words of the hub's own only, for it is kept."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command as it was sent: `content` is what it says, as JSON has it."""

    command: Command | None
    """None for one that is not among those of the policy's rules."""
    name: str
    """Tells kinds of one command apart."""
    key: str
    content: Mapping[str, Any] = field(repr=False)


Act = Callable[[Connection], tuple[Result, Sequence[AuditEvent]]]


@contextmanager
def refusals_recorded(services: Services, author: Author, command: Command) -> Iterator[None]:
    """Let nothing that is refused inside go unrecorded; and refuse what the author may not do.

    Raises:
        AccessDeniedError: the author may not give the command.
        QueryError: a value does not fit its property.
    """
    with recording_refusals(services, author, command.value):
        if not author.may(command):
            raise AccessDeniedError(f"no rule of the policy lets you {command.value} for the stated purpose")
        yield


@contextmanager
def recording_refusals(services: Services, author: Author, command: str) -> Iterator[None]:
    """Let nothing that is refused inside go unrecorded.

    Raises:
        QueryError: a value does not fit its property.
    """
    try:
        try:
            yield
        except RecordError as error:
            raise QueryError(str(error)) from None
    except RequestError as error:
        code = f"{command}.{error.code}"
        refused = author.event(Action.COMMAND_REFUSED, outcome=Outcome.REFUSED, reason_code=code)
        services.recorder.record_sync(refused)
        raise


def once(services: Services, author: Author, order: Order, act: Act) -> Result:
    """The result of `act`, or that of the first time where the order repeats an earlier one.

    Raises:
        QueryError: the key is malformed, or was used for something else.
    """
    with services.store.write() as connection:
        known = _Known(services.store, connection, author, order)
        if known.result is not None:
            return known.result
        result, events = act(connection)
        known.keep(result)
        runs.post(connection, events)
    return result


def consequences(services: Services, author: Author, applied: Applied) -> list[AuditEvent]:
    """The events of what a command did to customers beside what was asked for."""
    golden = BatchEvents(services.sealer, services.ontology)
    changed = golden.of(applied.golden, partial(author.event, Action.CUSTOMER_CHANGED))
    return [*(author.event(**fact) for fact in applied.audit), *changed]


def announce(
    services: Services, author: Author, order: Order, event: AuditEvent, check: Callable[[Connection], None]
) -> Result | None:
    """Keep and record an order whose effect goes on by itself afterwards, if `check` has no objection.

    Gives the result of the first time, where there was one.

    Raises:
        QueryError: the key is malformed, or was used for something else.
    """
    with services.store.write() as connection:
        known = _Known(services.store, connection, author, order)
        if not known.is_repeated:
            check(connection)
            known.keep(None)
            runs.post(connection, [event])
    return known.result


def note(services: Services, connection: Connection, author: Author, order: Order) -> Result | None:
    """Keep an order in the transaction of its effect, whose result is known only later.

    Gives the result of the first time, where there was one.

    Raises:
        QueryError: the key is malformed, or was used for something else.
    """
    known = _Known(services.store, connection, author, order)
    if not known.is_repeated:
        known.keep(None)
    return known.result


def conclude(services: Services, author: Author, order: Order, result: Result) -> None:
    """Keep what became of an announced order, for its repetitions."""
    table = fixed.command
    with services.store.write() as connection:
        here = table.c.id == _id(services.store, author, order)
        connection.execute(update(table).where(here).values(result=json.dumps(result)))


class _Known:
    """What is known of an order."""

    def __init__(self, store: Store, connection: Connection, author: Author, order: Order) -> None:
        self._connection = connection
        self._id = _id(store, author, order)
        self._content = _hash(store, [order.name, order.content])
        table = fixed.command
        self._now = datetime.now(UTC)
        oldest = iso_utc(self._now - timedelta(days=KEPT_DAYS))
        connection.execute(delete(table).where(table.c.at < oldest))
        query = select(table.c.content, table.c.result).where(table.c.id == self._id)
        row = connection.execute(query).first()
        if row is not None and row.content != self._content:
            raise QueryError("the idempotency key was used for another command; take a new one")
        self.is_repeated = row is not None
        self.result: Result | None = json.loads(row.result) if row is not None and row.result else None

    def keep(self, result: Result | None) -> None:
        """Note the order with its result."""
        row = {"id": self._id, "content": self._content, "at": iso_utc(self._now)}
        text = None if result is None else json.dumps(result)
        self._connection.execute(insert(fixed.command).values(result=text, **row))


def _id(store: Store, author: Author, order: Order) -> str:
    if not _KEY.fullmatch(order.key):
        raise QueryError("an idempotency key is 1 to 64 letters, digits and signs of . _ : -")
    return _hash(store, [author.is_operator, author.subject, order.key])


def _hash(store: Store, said: Any) -> str:
    """A hash that only the store can make: what was said cannot be guessed and compared."""
    text = json.dumps(said, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16, key=store.secret).hexdigest()
