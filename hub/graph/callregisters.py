"""Do-not-call registers of countries: their numbers as keyed hashes, and how long a version may be relied on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import phonenumbers
from sqlalchemy import Connection, select

from hub.graph.keyed import KeyedBars
from hub.store import Store, fixed

MAX_AGE_DAYS: Final = 31
"""A version of the register from no more than 31 days before the call (16 CFR 310.4(b)(3)(iv))."""
MAX_AGE_DAYS_OF: Final = {"GB": 28}
"""A subscriber counts from the 28th day after they were listed (PECR reg. 21(3)), so a list of 28 days is complete."""
_PHONE: Final = "phone"


@dataclass(frozen=True, slots=True)
class CallRegister:
    """A register as it was last imported."""

    name: str
    region: str
    """The country whose numbers it has, ISO 3166-1 alpha-2."""
    version: int
    made_at: str
    imported_at: str
    imported_by: str
    origin: str
    numbers: int

    @property
    def good_until(self) -> datetime:
        """Until when it may be relied on."""
        days = MAX_AGE_DAYS_OF.get(self.region, MAX_AGE_DAYS)
        return datetime.fromisoformat(self.made_at) + timedelta(days=days)

    def is_outdated(self, now: datetime) -> bool:
        """Whether a newer version has to be imported before anybody is called on its word."""
        return self.good_until < now

    def is_about(self, number: str) -> bool:
        """Whether the number might be in it: by its country code, which countries may share."""
        return number.startswith(f"+{phonenumbers.country_code_for_region(self.region)}")


@dataclass(frozen=True, slots=True)
class Registered:
    """That a register has a number."""

    register: str
    added_at: str
    made_at: str
    """Of the version that says so."""


class Registers:
    """Finds numbers in the registers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bars = KeyedBars(store)

    def hash(self, number: str) -> str:
        """The hash of a number in E.164."""
        return self._bars.hash(_PHONE, number)

    def all(self, connection: Connection) -> tuple[CallRegister, ...]:
        """All registers, by name."""
        table = fixed.call_register
        return tuple(CallRegister(*row) for row in connection.execute(select(table).order_by(table.c.name)))

    def of(
        self, connection: Connection, known: Sequence[CallRegister], numbers: Collection[str]
    ) -> dict[str, list[Registered]]:
        """Which of the known registers have these numbers, by number."""
        versions = {each.name: each for each in known}
        by_hash: dict[str, list[str]] = defaultdict(list)
        for number in numbers:
            by_hash[self.hash(number)].append(number)
        sql = "SELECT hash, register, version, added_at FROM registered_number WHERE {in:hash} ORDER BY register"
        found: dict[str, list[Registered]] = defaultdict(list)
        for hash_, name, version, added_at in self._store.rows_in(connection, sql, list(by_hash)):
            register = versions.get(name)
            if register is not None and register.version == version:
                for number in by_hash[hash_]:
                    found[number].append(Registered(name, added_at, register.made_at))
        return dict(found)
