"""What of the store is a customer's: found by their parties, and after a restored backup by hashes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.adapters.gate import stating
from hub.adapters.landing import DELETED_HASH
from hub.adapters.mentions import pattern_of
from hub.adapters.suppression import Suppression
from hub.graph.identifiers import by_scheme
from hub.graph.rows import Identifier
from hub.store import Store
from hub.values import entity_id

_PAGE = 2000
RecordKey = tuple[str, str, str]
"""A source, a stream, and the key of a record in it."""

WRITTEN = ("reason", "ticket", "note")
"""What people wrote about a broken glass."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Ids and numbers of rows."""

    customers: tuple[str, ...]
    parties: frozenset[str]
    entities: frozenset[str]
    """The parties, and what belongs to them."""
    heads: frozenset[int]
    """Records that state one of the entities, or did and state nothing now."""
    trimmed: frozenset[int]
    """Records that stated one in an earlier version, and are another customer's now."""
    waiting: frozenset[int]
    """Rows of the quarantine."""


class Search:
    """Looks for footprints in one state of the store."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self._store = store
        self._connection = connection
        self._hashes = Suppression(store)

    def footprint(
        self,
        customers: Sequence[str],
        parties: Iterable[str],
        heads: Iterable[int] = (),
        waiting: Iterable[int] = (),
    ) -> Footprint:
        """All that is of the parties, with the records of these heads and the rows of the quarantine."""
        mine = frozenset(parties)
        served = self._entities(mine)
        ids = mine | served.keys()
        given = {*heads}
        now = {*served.values(), *stating(self._store, self._connection, ids), *given}
        earlier = self._column("SELECT head_id FROM former WHERE {in:party_id}", mine) - now
        others, astray = self._serving(earlier | given)
        trimmed = others & earlier
        ids |= astray
        rows, lone = self.mentioning(mine)
        whole = self._column("SELECT id FROM record_head WHERE {in:id}", now | (earlier - trimmed) | lone)
        rows |= self._column(_WAITING_OF, whole) | {*waiting}
        return Footprint(
            tuple(customers),
            mine,
            frozenset(ids),
            frozenset(whole),
            frozenset(trimmed),
            frozenset(self._column("SELECT id FROM quarantine WHERE {in:id}", rows)),
        )

    def by_hash(self, hashes: Collection[str]) -> tuple[set[int], set[int]]:
        """The heads of records, and the rows of the quarantine, whose key or content has one of these hashes.

        A head has the key alone: its newest content may be one that waited and went, of a record that stays.
        """
        return self.by_hashes({"": hashes})[""]

    def by_hashes(self, wanted: Mapping[str, Collection[str]]) -> Mapping[str, tuple[set[int], set[int]]]:
        """`by_hash` for several, by their names: each row is looked at once, however many they are."""
        heads = self._hashed("SELECT id, source, stream, key, NULL FROM record_head", wanted)
        waiting = self._hashed(_ALL_WAITING, wanted)
        return {name: (heads[name], waiting[name]) for name in wanted}

    def by_key(self, keys: Collection[RecordKey], hashes: Collection[str]) -> tuple[set[int], set[int]]:
        """As `by_hash`, where the records' keys are known still: of the heads none but these is looked at."""
        given, heads = self._store.dialect.param, set[int]()
        sql = f"SELECT id FROM record_head WHERE source = {given('source')} AND stream = {given('stream')}"
        by_stream: dict[tuple[str, str], set[str]] = defaultdict(set)
        for source, stream, key in keys:
            by_stream[source, stream].add(key)
        for (source, stream), some in by_stream.items():
            rows = self._rows(f"{sql} AND {{in:key}}", some, source=source, stream=stream)
            heads |= {row[0] for row in rows}
        return heads, self._hashed(_ALL_WAITING, {"": hashes})[""]

    def _hashed(self, select: str, wanted: Mapping[str, Collection[str]]) -> dict[str, set[int]]:
        """The numbers of the rows that have one of the hashes, by whose it is."""
        whose: dict[str, list[str]] = defaultdict(list)
        for name, hashes in wanted.items():
            for each in hashes:
                whose[each].append(name)
        found: dict[str, set[int]] = {name: set() for name in wanted}
        for number, *row in self._pages(select):
            for name in {name for each in self._of_row(*row) for name in whose.get(each, ())}:
                found[name].add(number)
        return found

    def keys(self, heads: Collection[int]) -> tuple[RecordKey, ...]:
        """What records are called at their sources."""
        return tuple((row[0], row[1], row[2]) for row in self._rows(_KEYS, heads))

    def parties(self, customers: Collection[str]) -> set[str]:
        """The parties of these customers, and those that were theirs when they were gone at their source."""
        now = self._column("SELECT party_id FROM membership WHERE {in:customer_id}", customers)
        gone = self._column("SELECT party_id FROM former_party WHERE {in:customer_id}", customers)
        return now | (gone - self._column("SELECT party_id FROM membership WHERE {in:party_id}", gone))

    def hashes(self, found: Footprint) -> set[str]:
        """What is to be suppressed when all that goes."""
        made = self._hashes
        hashes = {made.of_party(id_) for id_ in found.entities}
        hashes |= {made.of_identifier(*each) for each in self._exclusive(found.entities)}
        hashes |= {made.of_party(id_) for id_ in self._guessed(found.heads)}
        for sql, ids in ((_KEYS, found.heads), (_VERSIONS, found.heads), (_WAITING, found.waiting)):
            for row in self._rows(sql, ids):
                hashes.update(self._of_row(*row))
        return hashes

    def _guessed(self, heads: Collection[int]) -> Iterator[str]:
        """Ids of what records stated that state nothing now, where it has the record's key: others may refer to it."""
        types = [type_ for type_ in self._store.ontology.types.values() if type_.has_customer]
        spaces = sorted({type_.space for type_ in types})
        for source, _, key, _ in self._rows(f"{_KEYS} AND state = 'deleted'", heads):
            for space in spaces:
                yield entity_id(source, space, key, self._store.secret)

    def _of_row(self, source: str, stream: str, key: str | None, content: str | None) -> Iterator[str]:
        if key is not None:
            yield self._hashes.of_record(source, stream, key)
        if content not in (None, DELETED_HASH):
            yield self._hashes.of_content(source, str(content))

    def living(self, customers: Collection[str], parties: Collection[str]) -> set[str]:
        """Those of the customers who have other parties than these."""
        sql = "SELECT customer_id, party_id FROM membership WHERE {in:customer_id}"
        return {customer for customer, party in self._rows(sql, customers) if party not in parties}

    def counts(self, found: Footprint) -> Mapping[str, int]:
        """Rows by table that refer to it; tables with none are left out."""
        rows: Counter[str] = Counter()
        for type_ in self._store.ontology.types.values():
            ids = self._column(f'SELECT id FROM "{type_.table}" WHERE {{in:head_id}}', found.heads)
            if type_.has_customer:
                sql = f'SELECT id FROM "{type_.table}" WHERE {{in:{_owner(type_.is_party)}}}'
                ids |= self._column(sql, found.parties)
            rows[type_.table] = len(ids)
        dead = set(found.customers) - self.living(found.customers, found.parties)
        trimmed = self._rows(OLD_VERSIONS, found.trimmed)
        rows["record"] = len(trimmed)
        rows["quarantine"] = len(found.waiting)
        conditions: list[tuple[str, str, Collection[Any]]] = [
            ("record", "{in:head_id}", found.heads),
            ("record_head", "{in:id}", found.heads),
            ("contribution", "{in:head_id}", found.heads),
            ("former", "{in:party_id}", found.parties),
            ("former_party", "{in:party_id}", found.parties),
            ("identifier", "{in:entity_id}", found.entities),
            ("identifier_ref", "{in:entity_id}", found.entities),
            ("anchor", "{in:party_id}", found.parties),
            ("profile", "{in:party_id}", found.parties),
            ("decision", "{in:left_id}", found.parties),
            ("decision", "{in:right_id}", found.parties),
            ("membership", "{in:party_id}", found.parties),
            ("standing", "{in:party_id}", found.parties),
            ("past_activity", "{in:party_id}", found.parties),
            ("call", "{in:customer_id}", dead),
            ("call_pick", "{in:customer_id}", dead),
            ("customer", "{in:id}", dead),
            ("customer_redirect", "{in:old_id}", dead),
            ("customer_redirect", "{in:new_id}", dead),
            ("break_glass", f"({_SAID}) AND {{in:customer_id}}", dead),
        ]
        for table, condition, values in conditions:
            rows[table] += len(self._rows(f"SELECT 1 FROM {table} WHERE {condition}", values))
        return {table: count for table, count in sorted(rows.items()) if count}

    def _entities(self, parties: Collection[str]) -> dict[str, int]:
        """The heads that serve the parties and what belongs to them, by the entities' ids."""
        found: dict[str, int] = {}
        for type_ in self._store.ontology.types.values():
            if type_.has_customer:
                sql = f'SELECT id, head_id FROM "{type_.table}" WHERE {{in:{_owner(type_.is_party)}}}'
                found.update((row[0], row[1]) for row in self._rows(sql, parties))
        return found

    def _serving(self, heads: Collection[int]) -> tuple[set[int], set[str]]:
        """Those of the heads that state what is another's now, or nobody's; and what the others state.

        What belongs to customers and to none of them at present (a line whose order is gone) is nobody else's.
        """
        belonging: dict[str, int] = {}
        others: set[int] = set()
        for type_ in self._store.ontology.types.values():
            party = "t.party_id" if type_.customer else "NULL"
            whose = f'SELECT t.id, t.head_id, {party} FROM "{type_.table}" t WHERE {{in:t.head_id}}'
            stated = (
                f'SELECT t.id, c.head_id, {party} FROM contribution c JOIN "{type_.table}" t ON t.id = c.entity_id'
                " WHERE {in:c.head_id}"
            )
            for id_, head_id, owner in (*self._rows(whose, heads), *self._rows(stated, heads)):
                if type_.customer and owner is None:
                    belonging[id_] = head_id
                else:
                    others.add(head_id)
        return others, {id_ for id_, head_id in belonging.items() if head_id not in others}

    def _exclusive(self, ids: Collection[str]) -> set[Identifier]:
        """The identifiers that these entities hold and nobody else."""
        held = {(row[0], row[1]) for row in self._rows(_HELD, ids)}
        given = self._store.dialect.param("scheme")
        sql = f"SELECT value, entity_id FROM identifier WHERE scheme = {given} AND {{in:value}}"
        for scheme, values in by_scheme(held).items():
            for value, holder in self._rows(sql, values, scheme=scheme):
                if holder not in ids:
                    held.discard((scheme, value))
        return held

    def mentioning(self, parties: Collection[str]) -> tuple[set[int], set[int]]:
        """Rows of the quarantine that name one of the parties, and the heads of those never accepted."""
        exclusive = self._exclusive(parties)
        kinds = {
            (row[0], row[1]): self._store.ontology.type(row[2]).properties[row[3]].type
            for row in self._rows(_HELD, parties)
        }
        pattern = pattern_of((kinds[each], each[1]) for each in sorted(exclusive))
        if pattern is None:
            return set(), set()
        pages = self._pages("SELECT id, payload FROM quarantine")
        rows = {row[0] for row in pages if pattern.search(row[1])}
        lone = self._column(_NEVER_ACCEPTED, rows)
        return rows, lone

    def _pages(self, select: str) -> Iterator[Sequence[Any]]:
        """The rows of a SELECT whose first column is the row's number, some at a time."""
        given = self._store.dialect.param
        sql = f"{select} WHERE id > {given('after')} ORDER BY id LIMIT {_PAGE}"
        after = 0
        while rows := self._connection.exec_driver_sql(sql, {"after": after}).fetchall():
            yield from rows
            after = rows[-1][0]

    def _rows(self, sql: str, values: Collection[Any], **more: Any) -> list[Sequence[Any]]:
        return self._store.rows_in(self._connection, sql, sorted(values), **more)

    def _column(self, sql: str, values: Collection[Any]) -> set[Any]:
        return {row[0] for row in self._rows(sql, values)}


def _owner(is_party: bool) -> str:
    return "id" if is_party else "party_id"


_HELD = "SELECT scheme, value, type, property FROM identifier WHERE {in:entity_id}"
_KEYS = "SELECT source, stream, key, NULL FROM record_head WHERE {in:id}"
_VERSIONS = (
    "SELECT h.source, h.stream, h.key, r.hash FROM record_head h JOIN record r ON r.head_id = h.id"
    " WHERE {in:h.id}"
)
_ALL_WAITING = "SELECT id, source, stream, key, hash FROM quarantine"
_WAITING = "SELECT source, stream, NULL, hash FROM quarantine WHERE {in:id}"
_SAME = "h.source = q.source AND h.stream = q.stream AND h.key = q.key"
_WAITING_OF = f"SELECT q.id FROM quarantine q JOIN record_head h ON {_SAME} WHERE {{in:h.id}}"
_NEVER_ACCEPTED = (
    f"SELECT h.id FROM quarantine q JOIN record_head h ON {_SAME} WHERE h.record_id IS NULL AND {{in:q.id}}"
)
OLD_VERSIONS = (
    "SELECT r.id FROM record r JOIN record_head h ON h.id = r.head_id"
    " WHERE r.id IS DISTINCT FROM h.record_id AND {in:h.id}"
)
"""The versions of records that are not the newest accepted one."""
_SAID = " OR ".join(f"coalesce({name}, '') <> ''" for name in WRITTEN)
