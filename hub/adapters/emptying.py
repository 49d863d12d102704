"""Empties properties of rows that stay: in the records that state them, all versions, and what is made of them.

What a property was read from is taken out of the landed records, and what they state then goes through the graph as
after any import: golden records, identifiers, profiles and the search index follow. So nothing that maps a record
again (an unmerge, a replay, a changed mapping) finds the value. A field goes only where nothing else is lost with it:
the record is mapped without it, and has to state what it stated but for the properties that go.

| verdict | of a property of a row                                                                                   |
|---------|----------------------------------------------------------------------------------------------------------|
| held    | the customer is under a legal hold, or restricted the use of their data (Art. 18(1)(c))                   |
| bound   | the record cannot do without: the field is its key, required, a default's, or says something that stays;  |
|         | a version of the record waits in quarantine; its source is configured no more                            |
| due     | else                                                                                                     |

A row that several records state is emptied in all of them or in none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.adapters.aging import empty_versions
from hub.adapters.emptied import Emptied, Place, places, without
from hub.adapters.landing import DELETED_HASH
from hub.adapters.mapping import MappedRecord, StreamMapping
from hub.adapters.paths import compile_path
from hub.adapters.payload import digest, dump, load
from hub.adapters.retiring import Verdict
from hub.adapters.specs import SourceConfig
from hub.adapters.staff import STAFF_SOURCES
from hub.adapters.sync import Syncer
from hub.errors import RecordError
from hub.graph import Applied, Statement
from hub.graph.ages import AgedRow, Ages, customers_of, restricted
from hub.graph.holds import held
from hub.store import Store, fixed

Wanted = tuple[str, str]
"""Id of a row, and a property of it."""


@dataclass(frozen=True, slots=True)
class Value:
    """A property that a row has and should have no more."""

    type: str
    property: str
    source: str
    id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Head:
    """A record that states some of the rows."""

    id: int
    source: str
    stream: str
    key: str = field(repr=False)
    record_id: int
    hash: str
    version_hash: str
    observed_at: str
    payload: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Emptyings:
    """What becomes of the values of some rows, and what of the store changes for those that are due."""

    verdicts: Mapping[Value, Verdict] = field(repr=False)
    due: tuple[Value, ...] = ()
    """Those that go: of the rows that were asked for, and of what the same records state."""
    heads: tuple[_Head, ...] = field(default=(), repr=False)
    """The records that say less from now on."""
    customers: tuple[str, ...] = field(default=(), repr=False)

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """Values by type and property."""
        return Counter((value.type, value.property) for value in self.due)


class Emptying:
    """Tells for one rule what of rows can be emptied, and empties it."""

    def __init__(
        self, store: Store, syncer: Syncer, ages: Ages, rule: str, props: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._store, self._syncer, self._ages, self._rule, self._props = store, syncer, ages, rule, props

    def rows(
        self, connection: Connection, type_name: str, *, after: str, limit: int
    ) -> list[tuple[AgedRow, tuple[str, ...]]]:
        """The next overdue rows of a type that have any of the rule's properties, each with those that it has."""
        props = self._props[type_name]
        return self._ages.valued_rows(connection, self._rule, type_name, props, after=after, limit=limit)

    def plan(self, connection: Connection, rows: Sequence[tuple[AgedRow, tuple[str, ...]]]) -> Emptyings:
        """What becomes of the properties that these overdue rows have."""
        found = _Found()
        open_ = [row for row, _ in rows]
        while open_:
            self._take(connection, found, open_)
            open_ = self._beside(connection, found)
        stopped = self._stopped(connection, found)
        going = self._settled(found, stopped)
        asked = {
            Value(row.type, prop, row.source, row.id): self._verdict((row.id, prop), row, stopped, going)
            for row, props in rows
            for prop in props
        }
        due = [
            Value(row.type, prop, row.source, row.id)
            for row in found.rows.values()
            for prop in self._props[row.type]
            if (row.id, prop) in going
        ]
        heads = [found.heads[id_] for id_ in sorted(found.heads) if found.said[id_] & going]
        parties = sorted({found.rows[id_].party_id or "" for id_, _ in going} - {""})
        customers = sorted(set(customers_of(self._store, connection, parties).values()))
        return Emptyings(asked, tuple(due), tuple(heads), tuple(customers))

    def empty(
        self,
        connection: Connection,
        run_id: int,
        planned: Emptyings,
        cause: str,
        told: Callable[[Applied], None],
    ) -> None:
        """Take what is due out of the records, and bring what they state then into the graph.

        In the caller's one write transaction, in which it was planned. `cause` is the id of the run's event.
        """
        self._store.dialect.overwrite_deleted(connection)
        wanted = frozenset((value.id, value.property) for value in planned.due)
        gone: list[tuple[int, Place, Any]] = []
        statements = []
        for head in planned.heads:
            mapping = self._mapping(head)
            payload, places_ = self._stripped(head, head.payload, wanted)
            gone += ((head.id, place, value) for place, value in places_)
            content = dump(payload)
            hash_ = digest(content).hex()
            self._rewrite(connection, {head.record_id: (content.decode(), hash_)})
            gone += self._empty_earlier(connection, head, wanted)
            if head.hash == head.version_hash:
                sql = (
                    f"UPDATE record_head SET hash = {self._store.dialect.param('hash')}"
                    f" WHERE id = {self._store.dialect.param('id')}"
                )
                self._store.dialect.run(connection, sql, {"hash": hash_, "id": head.id})
            mapped = mapping.map(payload)
            statements.append(
                Statement(
                    head.source,
                    head.stream,
                    head.key,
                    head.id,
                    head.record_id,
                    head.observed_at,
                    mapped.entities,
                )
            )
        Emptied(self._store).add(connection, gone, cause)
        told(self._syncer.graph.apply(connection, run_id, statements))

    # what is found

    def _take(self, connection: Connection, found: _Found, rows: Sequence[AgedRow]) -> None:
        """Add the rows, and the records that state them."""
        found.rows.update((row.id, row) for row in rows)
        stating = "SELECT entity_id, head_id FROM contribution WHERE {in:entity_id}"
        pairs = {(row.id, row.head_id) for row in rows}
        pairs |= {
            (row[0], row[1]) for row in self._store.rows_in(connection, stating, [row.id for row in rows])
        }
        for id_, head_id in pairs:
            found.stating[id_].add(head_id)
        fresh = sorted({head_id for _, head_id in pairs} - found.looked_at)
        found.looked_at.update(fresh)
        waiting = (
            "SELECT h.id FROM record_head h WHERE {in:h.id} AND EXISTS (SELECT 1 FROM quarantine q"
            " WHERE q.source = h.source AND q.stream = h.stream AND q.key = h.key)"
        )
        found.stuck.update(row[0] for row in self._store.rows_in(connection, waiting, fresh))
        for head in self._heads(connection, fresh):
            found.heads[head.id] = head
            mapped = self._mapped(head, head.payload)
            if mapped is not None:
                found.states[head.id] = mapped
                found.said[head.id] = frozenset(
                    (entity.id, prop)
                    for entity in mapped.entities
                    for prop in self._props.get(entity.type, ())
                    if entity.values.get(prop) is not None
                )
        found.stuck.update(id_ for id_ in fresh if id_ not in found.states)

    def _heads(self, connection: Connection, ids: Sequence[int]) -> Iterator[_Head]:
        sql = (
            "SELECT h.id, h.source, h.stream, h.key, h.record_id, h.hash, r.hash, h.observed_at, r.payload"
            " FROM record_head h"
            " JOIN record r ON r.id = h.record_id WHERE h.state <> 'deleted' AND {in:h.id}"
        )
        for row in self._store.rows_in(connection, sql, ids):
            id_, source, stream, key, record_id, hash_, version_hash, observed_at, payload = row
            yield _Head(id_, source, stream, key, record_id, hash_, version_hash, observed_at, load(payload))

    def _beside(self, connection: Connection, found: _Found) -> list[AgedRow]:
        """What the records state beside, that is overdue by the same rule and was not met before."""
        by_type: dict[str, set[str]] = defaultdict(set)
        for mapped in found.states.values():
            for entity in mapped.entities:
                if entity.type in self._props and entity.id not in found.seen:
                    by_type[entity.type].add(entity.id)
                    found.seen.add(entity.id)
        return [
            row
            for type_name, ids in by_type.items()
            for row in self._ages.overdue_by(connection, self._rule, type_name, ids)
            if row.id not in found.rows
        ]

    def _stopped(self, connection: Connection, found: _Found) -> set[str]:
        """The parties under a hold or a restriction."""
        parties = sorted({row.party_id for row in found.rows.values() if row.party_id is not None})
        return held(self._store, connection, parties) | restricted(self._store, connection, parties)

    def _settled(self, found: _Found, stopped: Collection[str]) -> frozenset[Wanted]:
        """What goes: what every record that states it can do without, together with all else that goes."""
        free = {row.id for row in found.rows.values() if row.party_id not in stopped}
        going = frozenset(each for said in found.said.values() for each in said if each[0] in free)
        while True:
            stays = set[Wanted]()
            for id_ in found.looked_at:
                mine = found.said.get(id_, frozenset()) & going
                if id_ in found.stuck:
                    stays.update(each for each in going if id_ in found.stating[each[0]])
                elif mine:
                    head = found.heads[id_]
                    payload, _ = self._stripped(head, head.payload, mine)
                    left = self._mapped(head, payload)
                    stays |= _valued(left) & mine
            if not stays:
                return going
            going -= stays

    def _verdict(
        self, wanted: Wanted, row: AgedRow, stopped: Collection[str], going: Collection[Wanted]
    ) -> Verdict:
        if row.party_id in stopped:
            return "held"
        return "due" if wanted in going else "bound"

    # one record

    def _mapping(self, head: _Head) -> StreamMapping:
        found = self._syncer.mapping_of_now(head.source, head.stream)
        if found is None:
            raise KeyError(head.stream)
        return found

    def _mapped(self, head: _Head, payload: Any) -> MappedRecord | None:
        mapping = self._syncer.mapping_of_now(head.source, head.stream)
        if mapping is None:
            return None
        try:
            return mapping.map(payload)
        except RecordError:
            return None

    def _stripped(
        self, head: _Head, payload: dict[str, Any], wanted: Collection[Wanted]
    ) -> tuple[dict[str, Any], list[tuple[Place, Any]]]:
        """The payload without the fields that say what is wanted and nothing else, and what stood there."""
        before, gone = self._mapped(head, payload), []
        if before is None:
            return payload, []
        for place, value in self._fields(head, payload, before, wanted):
            tried = without(payload, [place])
            after = self._mapped(head, tried)
            if after is not None and _lost(before, after) <= {*wanted}:
                payload, before = tried, after
                gone.append((place, value))
        return payload, gone

    def _fields(
        self, head: _Head, payload: Any, stated: MappedRecord, wanted: Collection[Wanted]
    ) -> list[tuple[Place, Any]]:
        """Where the wanted properties may have been read from, each place once."""
        types = {entity.id: entity.type for entity in stated.entities}
        props = {(types[id_], prop) for id_, prop in wanted if id_ in types}
        found: dict[Place, Any] = {}
        if head.source in STAFF_SOURCES:
            names: list[tuple[str, ...]] = [("values", prop) for _, prop in props]
        else:
            names = list(_names(self._syncer.sources.configs[head.source], head.stream, props))
        for each in names:
            found |= dict(places(payload, each))
        return list(found.items())

    def _empty_earlier(
        self, connection: Connection, head: _Head, wanted: Collection[Wanted]
    ) -> list[tuple[int, Place, Any]]:
        """Take it out of the versions before; one of which it cannot be taken out alone is emptied as a whole."""
        sql = "SELECT id, payload, hash FROM record WHERE {in:head_id}"
        whole, rewritten, gone = [], {}, list[tuple[int, Place, Any]]()
        for id_, text, hash_ in self._store.rows_in(connection, sql, [head.id]):
            if id_ == head.record_id or hash_ == DELETED_HASH:
                continue
            payload = load(text)
            stated = self._mapped(head, payload)
            stripped, places_ = self._stripped(head, payload, wanted)
            if stated is None or _valued(self._mapped(head, stripped)) & {*wanted}:
                whole.append(id_)
            elif places_:
                gone += ((head.id, place, value) for place, value in places_)
                content = dump(stripped)
                rewritten[id_] = (content.decode(), digest(content).hex())
        self._rewrite(connection, rewritten)
        if whole:
            empty_versions(self._store, connection, whole)
        return gone

    def _rewrite(self, connection: Connection, contents: Mapping[int, tuple[str, str]]) -> None:
        """Put versions in the place of those that say more; the database lets none be changed, but go."""
        columns = ("id", "head_id", "position", "observed_at", "run_id", "landed_at")
        sql = f"SELECT {', '.join(columns)} FROM record WHERE {{in:id}}"
        rows = list(self._store.rows_in(connection, sql, sorted(contents)))
        self._store.delete_in(connection, "record", "id", sorted(contents))
        made = [(*row, *contents[row[0]]) for row in rows]
        self._store.dialect.insert(connection, fixed.record, (*columns, "payload", "hash"), made)


@dataclass(slots=True)
class _Found:
    """What hangs together with overdue rows."""

    rows: dict[str, AgedRow] = field(default_factory=dict)
    heads: dict[int, _Head] = field(default_factory=dict)
    states: dict[int, MappedRecord] = field(default_factory=dict)
    said: dict[int, frozenset[Wanted]] = field(default_factory=lambda: defaultdict(frozenset))
    """By record what it says that the rule is about."""
    stating: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """By row the records that state it."""
    looked_at: set[int] = field(default_factory=set)
    stuck: set[int] = field(default_factory=set)
    """Records that cannot be changed."""
    seen: set[str] = field(default_factory=set)


def _names(
    config: SourceConfig, stream: str, props: Collection[tuple[str, str]]
) -> Iterator[tuple[str, ...]]:
    """The names that lead to what the properties are read from, where names alone do."""
    for entity in config.streams[stream].entities:
        items = compile_path(entity.each).names if entity.each else ()
        for prop, spec in entity.properties.items():
            if (entity.type, prop) not in props:
                continue
            for text in spec.path or ():
                path = compile_path(text)
                if path.names is not None and (items is not None or path.record_fields):
                    yield path.names if path.record_fields else (*(items or ()), *path.names)


def _lost(before: MappedRecord, after: MappedRecord) -> set[Wanted]:
    """The properties that differ; one of nobody's where more than properties does."""
    if before.key != after.key or before.observed_at != after.observed_at:
        return {("", "")}
    now = {entity.id: entity for entity in after.entities}
    if [entity.id for entity in before.entities] != list(now):
        return {("", "")}
    return {
        (entity.id, prop)
        for entity in before.entities
        for prop in {*entity.values, *now[entity.id].values}
        if entity.values.get(prop) != now[entity.id].values.get(prop)
    }


def _valued(mapped: MappedRecord | None) -> set[Wanted]:
    if mapped is None:
        return set()
    return {(entity.id, prop) for entity in mapped.entities for prop in entity.values}
