"""Which records stated something of a party before: what the rows as they stand do not tell any more.

All records that ever stated anything of a party are those that its rows come from (`party_id` and `head_id`), those
that contribute to these rows, and those kept here. A pair is kept when a row goes, passes to another party or is served
from another record, and when a record withdraws its word; also for what a record says and no row ever showed: a version
that arrives after a newer one, and a claim that loses against another record's.

What belongs to no customer (a product, a shop) is kept by its own id, as a party is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from hub.graph.claims import Settled
from hub.graph.entities import Entity, Reference, SharedIdentifier, Statement
from hub.graph.identifiers import by_scheme
from hub.ontology import EntityType, Ontology, Property
from hub.store import Store, fixed

Pair = tuple[str, int]
"""A party and a record's head."""


@dataclass(frozen=True, slots=True)
class Left:
    """A row that passed from a party to another, or to none."""

    party: str
    entity: str
    head: int


class Former:
    """Keeps the tables `former` and `former_party`; they only grow."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._past = PastParties(store)

    def part(self, connection: Connection, removed: Collection[str]) -> None:
        """Keep whose the parties were that are gone; to be told before they leave their customers."""
        sql = "SELECT party_id, customer_id FROM membership WHERE {in:party_id}"
        rows = [tuple(row) for row in self._store.rows_in(connection, sql, sorted(removed))]
        self._store.dialect.upsert(connection, fixed.former_party, ("party_id", "customer_id"), rows)

    def keep(
        self, connection: Connection, settled: Settled, left: Sequence[Left], past: Sequence[Statement]
    ) -> None:
        """Keep what a batch ends, and what its `past` statements say: those that no row is written from."""
        pairs = set(_ended(settled, {row.entity for row in left}))
        if left:
            pairs |= self._left(connection, settled, left)
        past = [*past, *self._overruled(settled)]
        if past:
            pairs |= self._past.pairs(connection, past)
        columns = ("party_id", "head_id")
        self._store.dialect.upsert(connection, fixed.former, columns, sorted(pairs))

    def _overruled(self, settled: Settled) -> Iterator[Statement]:
        """Statements of the claims that lose, with nothing but these; those on what belongs to itself contribute."""
        for draft in settled.overruled:
            type_ = self._store.ontology.type(draft.type)
            if type_.customer and not type_.is_party:
                said = draft.statement
                entities = tuple(entity for entity in said.entities if entity.id == draft.id)
                yield replace(said, entities=entities)

    def _left(self, connection: Connection, settled: Settled, left: Iterable[Left]) -> set[Pair]:
        """The party that each row leaves, with the records that stated the row when it had that party."""
        parties = {row.entity: row.party for row in left}
        heads = {(row.entity, row.head) for row in left if row.entity not in settled.before}
        for id_ in parties.keys() & settled.before.keys():
            heads |= {(id_, head) for head in settled.contributors.get(id_, ())}
            heads.add((id_, settled.before[id_].head_id))
        sql = "SELECT entity_id, head_id FROM contribution WHERE {in:entity_id}"
        untouched = sorted(parties.keys() - settled.before.keys())
        heads |= {(id_, head) for id_, head in self._store.rows_in(connection, sql, untouched)}
        return {(parties[id_], head) for id_, head in heads}


def _ended(settled: Settled, moved: Collection[str]) -> Iterator[Pair]:
    """Rows that go or come from another record now, and claims that were withdrawn."""
    now = {draft.id: draft for draft in (*settled.written, *settled.refreshed)}
    for row in settled.removed:
        if row.party is not None:
            yield row.party, row.head_id
    for id_, draft in now.items():
        was = settled.before.get(id_)
        if was is not None and was.party is not None and was.head_id != draft.statement.head_id:
            contributes = (id_, was.head_id) in settled.contributing
            if id_ in moved or not contributes:
                yield was.party, was.head_id
    for id_, head in settled.withdrawn:
        was = settled.before.get(id_)
        if was is not None and was.party is not None:
            yield was.party, head


@dataclass(slots=True)
class _Known:
    """What leads from an entity to its party, loaded for a number of statements at once."""

    rows: dict[str, str | None]
    """Parties of rows, by entity id."""
    holders: dict[tuple[str, SharedIdentifier], str]
    """The one holder of an identifier within a range."""


class PastParties:
    """Tells which parties statements are about by themselves, as their rows would be if they were served."""

    def __init__(self, store: Store) -> None:
        self._store = store
        types = store.ontology.types.values()
        self._bound = {type_.name: type_ for type_ in types if type_.customer and not type_.is_party}

    def pairs(self, connection: Connection, statements: Sequence[Statement]) -> set[Pair]:
        """Each party that a statement is about, with the statement's record."""
        known = self._known(connection, statements)
        found: set[Pair] = set()
        for said in statements:
            own = {entity.id: entity for entity in said.entities}
            parties = (self._party(entity, own, known) for entity in said.entities)
            found |= {(party, said.head_id) for party in parties if party is not None}
        return found

    def _party(self, entity: Entity, own: dict[str, Entity], known: _Known) -> str | None:
        type_ = self._bound.get(entity.type)
        if type_ is None:
            return entity.id
        ways = (self._way(type_, path, entity, own, known) for path in type_.customer)
        return next((party for party in ways if party is not None), None)

    def _way(
        self, type_: EntityType, path: str, entity: Entity, own: dict[str, Entity], known: _Known
    ) -> str | None:
        """Where one customer path leads: the reference itself, or the party of the entity that it leads through."""
        step, _, on = path.partition(".")
        target = _target(type_.properties[step], entity.values.get(step), known)
        if target is None or not on:
            return target
        return self._party(own[target], own, known) if target in own else known.rows.get(target)

    def _known(self, connection: Connection, statements: Sequence[Statement]) -> _Known:
        known = _Known({}, {})
        named = list(self._references(statements))
        shared = {(prop.range or "", value) for prop, value in named if isinstance(value, SharedIdentifier)}
        for range_ in sorted({range_ for range_, _ in shared}):
            values = [value for of, value in shared if of == range_]
            known.holders |= {(range_, at): id_ for at, id_ in self._holders(connection, range_, values)}
        through: dict[str, set[str]] = defaultdict(set)
        for prop, value in named:
            target = _target(prop, value, known)
            if target is not None and prop.range in self._bound:
                through[prop.range].add(target)
        for name, ids in through.items():
            sql = f'SELECT id, party_id FROM "{self._bound[name].table}" WHERE {{in:id}}'
            known.rows |= {row[0]: row[1] for row in self._store.rows_in(connection, sql, sorted(ids))}
        return known

    def _references(
        self, statements: Iterable[Statement]
    ) -> Iterator[tuple[Property, Reference | SharedIdentifier]]:
        """The first steps of the customer paths of what is stated."""
        for entity in (entity for said in statements for entity in said.entities):
            type_ = self._bound.get(entity.type)
            for path in type_.customer if type_ else ():
                prop = type_.properties[path.partition(".")[0]] if type_ else None
                value = entity.values.get(prop.name) if prop else None
                if prop is not None and isinstance(value, Reference | SharedIdentifier):
                    yield prop, value

    def _holders(
        self, connection: Connection, range_: str, wanted: Sequence[SharedIdentifier]
    ) -> Iterator[tuple[SharedIdentifier, str]]:
        """The holder of each identifier that one customer has, or one entity where the range is no party."""
        types = _names(self._store.ontology, range_)
        given = self._store.dialect.param("scheme")
        sql = (
            "SELECT i.value, i.type, i.entity_id, coalesce(m.customer_id, i.entity_id) FROM identifier i"
            f" LEFT JOIN membership m ON m.party_id = i.entity_id WHERE i.scheme = {given} AND {{in:i.value}}"
        )
        for scheme, values in by_scheme((said.scheme, said.value) for said in wanted).items():
            held: dict[str, set[tuple[str, str]]] = defaultdict(set)
            for value, type_, id_, whose in self._store.rows_in(connection, sql, values, scheme=scheme):
                if type_ in types:
                    held[value].add((id_, whose))
            for value, holders in held.items():
                if len({whose for _, whose in holders}) == 1:
                    yield SharedIdentifier(scheme, value), min(id_ for id_, _ in holders)


def _names(ontology: Ontology, range_: str) -> Collection[str]:
    return {type_.name for type_ in ontology.range_types(range_)}


def _target(prop: Property, value: object, known: _Known) -> str | None:
    if isinstance(value, Reference):
        return value.target_id
    if isinstance(value, SharedIdentifier):
        return known.holders.get((prop.range or "", value))
    return None
