"""What a customer was made of: identifiers, parties, and how fresh each source's word is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hub.access import MASKS, NOBODY, Mask, Within
from hub.errors import QueryError
from hub.graph.plans.build import (
    Build,
    Cost,
    Piece,
    Place,
    by_type,
    collected,
    first_of,
    subquery,
    unique,
)
from hub.graph.plans.guard import SOURCES_CATEGORY, Partly, Shown, Way
from hub.graph.plans.reach import inside, table
from hub.graph.plans.selection import Freshness, Identifiers, Parties
from hub.graph.plans.shapes import Scope, Shape
from hub.graph.plans.spelling import literal
from hub.graph.plans.sql import Member, Sql
from hub.graph.plans.ways import of_customer
from hub.ontology import EntityType, Property, PropertyType

_PROPERTY = 'i."property"'
_TEXT_COLUMNS = ("scheme", "source", "type", "property")


def identifiers_piece(build: Build, scope: Scope, identifiers: Identifiers, place: Place) -> Piece:
    """The identifiers of the customer's parties: by scheme, value (where it is shown whole), source and party."""
    _customer_only(scope, "identifiers")
    unique(identifiers.parts)
    build.costs.append(Cost(len(identifiers.parts), (*place.pages, identifiers.first)))
    limit = build.first(identifiers.first, ".".join(place.path))
    cases = _identifier_cases(build, scope, identifiers, place)
    if not cases:
        return Piece(build.sql.array(()))
    sql = build.sql
    order = ", ".join(sql.binary(term) for term in _identifier_order(cases))
    tables, own = of_customer(build, scope, '"identifier" i', 'i."entity_id"')
    tests = " OR ".join(case.test for case in cases)
    rows = f"SELECT i.* FROM {tables} WHERE {own} AND ({tests}) ORDER BY {order} LIMIT {limit}"
    return collected(build, Scope(scope.shape, "i"), Piece(_chosen(cases)), rows)


@dataclass(frozen=True, slots=True)
class _Case:
    """One way to show identifiers: which it is for, and the object."""

    test: str
    member: Member
    whole: bool


def _chosen(cases: list[_Case]) -> Member:
    """The object of whichever case an identifier is of; it is of one of them."""
    if len(cases) == 1:
        return cases[0].member
    return Member(f"CASE {' '.join(f'WHEN {case.test} THEN {case.member.sql}' for case in cases)} END")


def _identifier_order(cases: list[_Case]) -> tuple[str, ...]:
    """The sort keys; a masked value is none."""
    whole = [case.test for case in cases if case.whole]
    value: tuple[str, ...] = ('i."value"',) if whole else ()
    if whole and len(whole) < len(cases):
        value = (f"CASE WHEN {' OR '.join(whole)} THEN i.\"value\" ELSE '' END",)
    return ('i."scheme"', *value, 'i."source"', 'i."entity_id"', 'i."property"')


def _identifier_cases(build: Build, customer: Scope, identifiers: Identifiers, place: Place) -> list[_Case]:
    ways: dict[tuple[Way, PropertyType | None], list[tuple[EntityType, Property]]] = {}
    for type_ in build.ontology.parties:
        party = build.scope(build.shape(type_.name), customer)
        for prop in type_.identifiers:
            shown = build.guard.shown(party, prop, place.path)
            for way in _ways(shown, party.proven):
                # What is shown whole is shown alike, whatever its type: one case is quicker than several.
                kind = None if way[1] is True else prop.type
                ways.setdefault((way, kind), []).append((type_, prop))
    cases = []
    for ((where, how), kind), stated in sorted(ways.items(), key=lambda item: _strictness(item[0][0])):
        test = stated_by(build.sql, stated)
        if not customer.proven.implies(where):
            test = f"({test} AND {inside(build, customer, where)})"
        cases.append(_Case(test, _identifier(build, identifiers, how, kind), how is True))
    return cases


_STRICTEST_FIRST = list(MASKS)


def _ways(shown: Shown, known: Within) -> tuple[Way, ...]:
    """Where identifiers are shown, and how; `known` is where the party that states them may be known of."""
    if isinstance(shown, Partly):
        return tuple((where & known, how) for where, how in shown.ways)
    return () if shown is False else ((known, shown),)


def _strictness(way: Way) -> int:
    """The place among the ways of one property, of which the first that holds counts."""
    how = way[1]
    return -1 if how is True else _STRICTEST_FIRST.index(how.name)


def stated_by(sql: Sql, stated: Iterable[tuple[EntityType, Property]]) -> str:
    """The condition that the identifier `i` is stated by one of these properties of these types."""
    by_type_: dict[str, list[str]] = {}
    for type_, prop in stated:
        by_type_.setdefault(type_.name, []).append(prop.name)
    tests = [
        f'(i."type" = {literal(name)} AND {sql.among(_PROPERTY, names)})' for name, names in by_type_.items()
    ]
    return f"({' OR '.join(tests)})"


def _identifier(
    build: Build, identifiers: Identifiers, how: Mask | bool, kind: PropertyType | None
) -> Member:
    sql = build.sql
    known: dict[str, Callable[[], Member]] = {
        **{column: _column(build, column) for column in _TEXT_COLUMNS},
        "value": lambda: sql.text(_shown_identifier(build, how, kind)),
        "entityId": lambda: sql.text('i."entity_id"'),
        "strong": lambda: sql.boolean('i."strong"'),
    }
    return build.parts(identifiers.parts, known, "an identifier")


def _column(build: Build, column: str) -> Callable[[], Member]:
    return lambda: build.sql.text(f'i."{column}"')


def _shown_identifier(build: Build, how: Mask | bool, kind: PropertyType | None) -> str:
    value = 'i."value"'
    return (
        value
        if isinstance(how, bool) or kind is None
        else f"({how.sql(value, build.sql.dialect, type_=kind)})"
    )


def parties_piece(build: Build, scope: Scope, parties: Parties, place: Place) -> Piece:
    """The customer's parties, by source and id."""
    _customer_only(scope, "parties")
    selections = by_type(build, parties.selections, build.ontology.parties)
    limit = build.first(parties.first, ".".join(place.path))
    inside = Place(place.path, place.pages, True).within(parties.first)
    row = build.scope(Shape("Party", "", {}, None))
    arms: list[str] = []
    found: list[Piece] = []
    for type_name, selection in selections.items():
        if build.guard.may_see(type_name, place.path):
            build.guard.read_type(type_name)
            arms.append(_party_rows(build, scope, type_name))
            party = build.scope(build.shape(type_name), scope)
            piece = build.nest(build, party, selection, inside)
            where = f"{party.column('id')} = {row.column('id')}"
            found.append(subquery(build, party, piece, table(build, party), where))
    if not arms:
        return Piece(build.sql.null)
    order = f"{build.sql.binary('source')}, {build.sql.binary('id')}"
    rows = f"SELECT * FROM ({' UNION ALL '.join(arms)}) u ORDER BY {order} LIMIT {limit}"
    return collected(build, row, first_of(build, row, found), rows)


def _party_rows(build: Build, customer: Scope, type_name: str) -> str:
    party = build.scope(build.shape(type_name), customer)
    tables, own = of_customer(build, customer, table(build, party), party.column("id"))
    return f"SELECT {party.column('id')} AS id, {party.column('source')} AS source FROM {tables} WHERE {own}"


def freshness_piece(build: Build, scope: Scope, freshness: Freshness, place: Place) -> Piece:
    """The sources that tell of the customer, by name; how their runs went obeys SOURCES_CATEGORY."""
    _customer_only(scope, "freshness")
    build.refuse_of_past("how fresh the sources are")
    unique(freshness.parts)
    sql = build.sql
    arms = [_contribution(build, scope, type_) for type_ in _contributing(build)]
    if not arms:
        return Piece(sql.array(()))
    newest = (
        f"SELECT source, max(observed_at) AS newest, count(*) AS total FROM ({' UNION ALL '.join(arms)}) u"
    )
    rows = f"SELECT * FROM ({newest} GROUP BY source) g ORDER BY {sql.binary('source')}"
    last_run = 'SELECT r."state" FROM "run" r WHERE r."source" = f.source ORDER BY r."id" DESC LIMIT 1'
    last_success = 'SELECT max(s."last_success_at") AS at FROM "stream_state" s WHERE s."source" = f.source'
    known: dict[str, Callable[[], Member]] = {
        "source": lambda: sql.text("f.source"),
        "lastSuccessAt": _of_runs(build, place, f"SELECT {sql.text_instant('l.at')} FROM ({last_success}) l"),
        "state": _of_runs(build, place, last_run),
        "newestObservedAt": lambda: sql.text(sql.text_instant("f.newest")),
        "rows": lambda: sql.integer("f.total"),
    }
    built = build.parts(freshness.parts, known, "freshness")
    return collected(build, Scope(scope.shape, "f"), Piece(built), f"{rows} LIMIT {MAX_SOURCES}")


def _of_runs(build: Build, place: Place, query: str) -> Callable[[], Member]:
    def member() -> Member:
        allowed = build.guard.allows(SOURCES_CATEGORY, place.path)
        return build.sql.text(f"({query})") if allowed else build.sql.null

    return member


MAX_SOURCES = 1000
"""More sources than one hub has; the bound makes SQLite keep the order of the rows."""


def _contributing(build: Build) -> list[EntityType]:
    types = [type_ for type_ in build.ontology.types.values() if type_.has_customer]
    return [t for t in types if build.guard.sees(t.name) and build.guard.belongs(t) != NOBODY]


def _contribution(build: Build, customer: Scope, type_: EntityType) -> str:
    build.guard.read_type(type_.name)
    row = build.scope(build.shape(type_.name), customer, build.guard.belongs(type_))
    link = row.column("id" if type_.is_party else "party_id")
    tables, own = of_customer(build, customer, table(build, row), link)
    columns = f"{row.column('source')} AS source, {row.column('observed_at')} AS observed_at"
    return f"SELECT {columns} FROM {tables} WHERE {own}"


def _customer_only(scope: Scope, what: str) -> None:
    if scope.shape.entity is not None:
        raise QueryError(f"only a customer has {what}")
