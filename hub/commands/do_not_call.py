"""Numbers that are not to be called: the company's own list, number by number, and the registers of countries."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, select

from hub.access import Command
from hub.access.standing import DO_NOT_CALL
from hub.adapters import runs
from hub.audit import Action, AuditEvent
from hub.commands.author import Author
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.errors import NotFoundError, QueryError
from hub.graph.callregisters import CallRegister, Registers
from hub.graph.entities import DESK
from hub.graph.keyed import KeyedBars
from hub.services import Services
from hub.store import fixed, iso_utc, utc_now
from hub.values import normalise_phone

BATCH: Final = 20_000
"""Numbers in one transaction: other writers wait a tenth of a second for it."""
MAX_FAULTY: Final = 0.01
"""Share of lines that may be no numbers; beyond it the file is another one than was meant."""
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_NATIONAL: Final = re.compile(r"[2-9][0-9]{9}")
_AHEAD: Final = timedelta(minutes=5)
_COLUMNS: Final = ("hash", "register", "version", "added_at")


@dataclass(frozen=True, slots=True)
class DoNotCall:
    """That a number is to be called no more, or that its holder lifted that."""

    number: str = field(repr=False)
    region: str | None
    """Country of a number without country code, ISO 3166-1 alpha-2."""
    key: str


@dataclass(frozen=True, slots=True)
class ImportRegister:
    """A version of a register, with its lines as they come."""

    name: str
    region: str
    made_at: datetime
    """When the register made this version."""
    origin: str
    """Where it came from: a file's name, a subscription's number."""
    lines: Iterable[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import."""

    register: CallRegister
    faulty: int
    """Lines that are no numbers."""


def record_do_not_call(services: Services, author: Author, order: DoNotCall) -> int:
    """Put a number on the company's own list; to how many customers it belongs now.

    Whoever holds it, now or later, is in no audience and no read for marketing by phone or SMS. The number is kept as a
    keyed hash, and survives its holder's erasure (47 CFR 64.1200(d)(6) wants it honoured for five years).

    Raises:
        AccessDeniedError: the author may not record restrictions.
        QueryError: it is no number, or the idempotency key was used for something else.
    """
    return _change(services, author, order, "do_not_call")


def release_do_not_call(services: Services, author: Author, order: DoNotCall) -> int:
    """Take a number off the company's own list, because its holder asked for it.

    Raises:
        AccessDeniedError: the author may not record restrictions.
        NotFoundError: the number is not on the list.
        QueryError: as for `record_do_not_call`.
    """
    return _change(services, author, order, "may_call")


def call_registers(services: Services) -> tuple[CallRegister, ...]:
    """The registers of countries as they were last imported, by name."""
    with services.store.read() as connection:
        return Registers(services.store).all(connection)


def registers_of(services: Services, author: Author) -> tuple[CallRegister, ...]:
    """The same, for whom the policy lets ask.

    Raises:
        AccessDeniedError: the author may not ask.
    """
    with refusals_recorded(services, author, Command.READ_CONSENT):
        return call_registers(services)


def import_register(services: Services, author: Author, order: ImportRegister) -> Imported:
    """Replace a register by the version in these lines, read as they come: millions of them need no memory.

    A line is a number, or a number and the day on which it was added, with a comma or semicolon between; or, as the
    registry of the USA has it, area code and number. What a line does not date keeps the day that it had, or gets that
    of the version. Until the last line is read the version before counts, also where the import is killed.

    Raises:
        AccessDeniedError: the author may not record restrictions.
        QueryError: name, region or time do not fit; it is no newer than what is there; too many lines are no numbers;
            or another import of it is under way.
    """
    with refusals_recorded(services, author, Command.RECORD_RESTRICTION):
        if not _NAME.fullmatch(order.name):
            raise QueryError("a register's name is small letters, digits and hyphens, such as us-dnc")
        if not re.fullmatch(r"[A-Z]{2}", order.region):
            raise QueryError("a register is of a country, in two capital letters, such as US")
        if order.made_at > datetime.now(UTC) + _AHEAD:
            raise QueryError("the time of the register's version lies in the future")
        with services.store.lock(f"register-{order.name}") as held:
            if not held:
                raise QueryError(f"another import of {order.name} is under way; wait for its end")
            return _Import(services, author, order).run()


class _Import:
    """One import, in transactions of a batch each; the last one puts the version into force."""

    def __init__(self, services: Services, author: Author, order: ImportRegister) -> None:
        self._services, self._author, self._order = services, author, order
        self._store = services.store
        self._registers = Registers(services.store)
        self._made_at = iso_utc(order.made_at)

    def run(self) -> Imported:
        before = self._before()
        self._purge(before.version if before else 0)
        version = before.version + 1 if before else 1
        read = faulty = 0
        for lines in _batched(csv.reader(_delimited(self._order.lines)), BATCH):
            rows = [row for row in (_number(line, self._order.region) for line in lines) if row is not None]
            read, faulty = read + len(lines), faulty + len(lines) - len(rows)
            with self._store.write() as connection:
                self._write(connection, rows, version, before.version if before else 0)
        # The first line may name the columns.
        if faulty - 1 > MAX_FAULTY * read or read == faulty:
            self._purge(before.version if before else 0)
            raise QueryError(
                f"{faulty} of {read} lines are no numbers of {self._order.region}: nothing was changed;"
                " a line is a number, or area code and number, with a day after it where that is known"
            )
        with self._store.write() as connection:
            register = self._put_into_force(connection, version)
        self._purge(version)
        return Imported(register, faulty)

    def _before(self) -> CallRegister | None:
        with self._store.read() as connection:
            found = {each.name: each for each in self._registers.all(connection)}.get(self._order.name)
        if found is not None and found.made_at >= self._made_at:
            raise QueryError(
                f"the version of {self._order.name} that is there is of {found.made_at}, no older"
            )
        return found

    def _write(
        self, connection: Connection, rows: Sequence[tuple[str, str | None]], version: int, before: int
    ) -> None:
        dated = {self._registers.hash(number): added for number, added in rows}
        given = self._store.dialect.param
        sql = (
            f"SELECT hash, added_at FROM registered_number WHERE register = {given('register')}"
            f" AND version = {given('version')} AND {{in:hash}}"
        )
        undated = [hash_ for hash_, added in dated.items() if added is None] if before else []
        kept = self._store.rows_in(connection, sql, undated, register=self._order.name, version=before)
        known = {row[0]: row[1] for row in kept}
        values = [
            (hash_, self._order.name, version, added or known.get(hash_, self._made_at))
            for hash_, added in sorted(dated.items())
        ]
        self._store.dialect.upsert(connection, fixed.registered_number, _COLUMNS, values)

    def _put_into_force(self, connection: Connection, version: int) -> CallRegister:
        order, table = self._order, fixed.registered_number
        here = (table.c.register == order.name, table.c.version == version)
        numbers = connection.execute(select(func.count()).where(*here)).scalar_one()
        register = CallRegister(
            order.name,
            order.region,
            version,
            self._made_at,
            utc_now(),
            self._author.subject,
            order.origin,
            numbers,
        )
        columns = [column.name for column in fixed.call_register.columns]
        row = tuple(getattr(register, name) for name in columns)
        self._store.dialect.upsert(connection, fixed.call_register, columns, [row])
        event = self._author.event(
            Action.RESTRICTION_CHANGED, reason_code="register_imported", counts={"created": numbers}
        )
        runs.post(connection, [event])
        return register

    def _purge(self, version: int) -> None:
        """Delete what belongs to no version in force, a batch at a time."""
        table = fixed.registered_number
        old = (table.c.register == self._order.name, table.c.version != version)
        while True:
            with self._store.write() as connection:
                some = connection.execute(select(table.c.hash).where(*old).limit(BATCH)).scalars().all()
                if not some:
                    return
                connection.execute(delete(table).where(*old, table.c.hash.in_(some[:BATCH])))


def _change(services: Services, author: Author, order: DoNotCall, name: str) -> int:
    with refusals_recorded(services, author, Command.RECORD_RESTRICTION):
        number = phone_number(order.number, order.region)
        content = {"number": number}

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            return _changed(services, author, connection, number, name)

        said = Order(Command.RECORD_RESTRICTION, name, order.key, content)
        return int(once(services, author, said, act)["customers"])


def _changed(
    services: Services, author: Author, connection: Connection, number: str, name: str
) -> tuple[Result, Sequence[AuditEvent]]:
    bars = KeyedBars(services.store)
    if name == "do_not_call":
        bars.add(connection, "phone", number, [DO_NOT_CALL], utc_now(), "do_not_call")
    elif not bars.release(connection, "phone", number, [DO_NOT_CALL]):
        raise NotFoundError("this number is not on the company's own list")
    holders = bars.holders(connection, "phone", number)
    services.syncer.graph.restand(connection, runs.note_command(connection, DESK), holders)
    event = author.event(
        Action.RESTRICTION_CHANGED,
        reason_code=name,
        data_categories=("user.contact.phone_number", "user.privacy_preferences"),
        customers=tuple(holders),
        counts={"customers": len(holders)},
    )
    return {"customers": len(holders)}, [event]


def phone_number(raw: str, region: str | None) -> str:
    """The number in E.164, without its extension.

    Raises:
        QueryError: it is none; the message does not repeat it.
    """
    try:
        return normalise_phone(raw, region).partition(";")[0]
    except ValueError as error:
        raise QueryError(f"the number {error}") from None


def _batched(rows: Iterator[list[str]], size: int) -> Iterator[list[list[str]]]:
    while batch := list(itertools.islice(rows, size)):
        yield [row for row in batch if any(cell.strip() for cell in row)]


def _delimited(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line.lstrip("\ufeff").replace(";", ",")


def _number(cells: Sequence[str], region: str) -> tuple[str, str | None] | None:
    """The number of a line in E.164 with the day on which it was added; None where it is no number."""
    first, *rest = (cell.strip() for cell in cells)
    if rest and re.fullmatch(r"[0-9]{3}", first) and re.fullmatch(r"[0-9]{7}", rest[0]):
        first, rest = first + rest[0], rest[1:]
    if not _E164.fullmatch(first):
        if region == "US" and _NATIONAL.fullmatch(first):
            first = f"+1{first}"
        else:
            try:
                first = normalise_phone(first, region).partition(";")[0]
            except ValueError:
                return None
    return first, next((day for each in rest if (day := _day(each))), None)


def _day(text: str) -> str | None:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return iso_utc(datetime(day.year, day.month, day.day, tzinfo=UTC))
