"""What was said by an identifier: a number not to be called, a browser's signal, a reply to a message.

Nobody need hold the identifier: it is kept as a keyed hash, from which it cannot be read, and becomes a bar of every
customer who holds it, now or later. So it survives the erasure of its holder, who stays uncalled when a source brings
them back. Whoever has both the store and a guess at a value can tell whether it is there, as with `suppression`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, select

from hub.graph.rows import Identifier
from hub.store import Store, fixed
from hub.store.fixed.customers import EXTENDED

Via = Literal["do_not_call", "gpc", "reply"]

_PHONE: Final = "phone"
_COLUMNS = ("hash", "bar", "at", "via")


@dataclass(frozen=True, slots=True)
class KeyedBar:
    """What was said by one identifier."""

    bar: str
    at: str
    via: str


class KeyedBars:
    """Makes the hashes of one store, keeps what is said by them, and finds it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = hashlib.blake2b(b"identifier_bar", digest_size=32, key=store.secret).digest()

    def hash(self, scheme: str, value: str) -> str:
        """The hash of an identifier in normal form; that of a phone number leaves its extension out."""
        plain = value.partition(";")[0] if scheme == _PHONE else value
        said = f"{len(scheme)}:{scheme}{plain}"
        return hashlib.blake2b(said.encode(), digest_size=16, key=self._key).hexdigest()

    def is_empty(self, connection: Connection) -> bool:
        """Whether nothing was said by any identifier."""
        return connection.execute(select(fixed.identifier_bar.c.hash).limit(1)).first() is None

    def add(
        self, connection: Connection, scheme: str, value: str, bars: Iterable[str], at: str, via: Via
    ) -> None:
        """Keep what is said; what was said before stays as it is."""
        hash_ = self.hash(scheme, value)
        rows = [(hash_, bar, at, via) for bar in bars]
        self._store.dialect.upsert(connection, fixed.identifier_bar, _COLUMNS, rows, keep=("at", "via"))

    def release(self, connection: Connection, scheme: str, value: str, bars: Collection[str]) -> int:
        """Forget what was said; how much of it there was."""
        table = fixed.identifier_bar
        here = (table.c.hash == self.hash(scheme, value), table.c.bar.in_(sorted(bars)))
        return int(connection.execute(table.delete().where(*here)).rowcount)

    def of(
        self, connection: Connection, identifiers: Collection[Identifier]
    ) -> dict[Identifier, list[KeyedBar]]:
        """What was said by these identifiers, each (scheme, value)."""
        hashes = defaultdict(list)
        for scheme, value in identifiers:
            hashes[self.hash(scheme, value)].append((scheme, value))
        sql = "SELECT hash, bar, at, via FROM identifier_bar WHERE {in:hash} ORDER BY bar"
        found: dict[Identifier, list[KeyedBar]] = defaultdict(list)
        for hash_, bar, at, via in self._store.rows_in(connection, sql, list(hashes)):
            for each in hashes[hash_]:
                found[each].append(KeyedBar(bar, at, via))
        return dict(found)

    def of_customers(self, connection: Connection, customers: Sequence[str]) -> dict[str, list[KeyedBar]]:
        """What was said by any identifier that one of their parties holds."""
        if self.is_empty(connection):
            return {}
        sql = (
            "SELECT m.customer_id, i.scheme, i.value FROM membership m"
            " JOIN identifier i ON i.entity_id = m.party_id WHERE {in:m.customer_id}"
        )
        held = [(row[0], (row[1], row[2])) for row in self._store.rows_in(connection, sql, customers)]
        said = self.of(connection, {identifier for _, identifier in held})
        found: dict[str, list[KeyedBar]] = defaultdict(list)
        for customer, identifier in held:
            found[customer] += said.get(identifier, ())
        return {customer: list(dict.fromkeys(bars)) for customer, bars in found.items() if bars}

    def holders(self, connection: Connection, scheme: str, value: str) -> list[str]:
        """The customers who hold the identifier, a phone number with any extension, sorted."""
        plain, given = value, self._store.dialect.param
        held = (
            f"SELECT entity_id FROM identifier WHERE scheme = {given('scheme')} AND value = {given('value')}"
        )
        values = {"scheme": scheme}
        if scheme == _PHONE:
            plain = value.partition(";")[0]
            # SQLite would read all telephone numbers by the key's first column.
            hint = " INDEXED BY ix_identifier_extended" if self._store.dialect.name == "sqlite" else ""
            held += f" UNION SELECT entity_id FROM identifier{hint} WHERE {EXTENDED} AND value LIKE {given('prefix')}"
            values["prefix"] = f"{plain};%"
        sql = (
            f"SELECT DISTINCT m.customer_id FROM membership m JOIN ({held}) i ON i.entity_id = m.party_id"
            " ORDER BY m.customer_id"
        )
        found = self._store.dialect.run(connection, sql, {**values, "value": plain})
        return [row[0] for row in found.fetchall()]
