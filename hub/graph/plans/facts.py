"""A customer's facts: what each party states for each property, with its origin, and whether it won.

The customer's `provenance` is JSON: for each golden property the winning party and the rule,
`{"email": {"party": "...", "rule": "most_recent"}}`.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.errors import QueryError
from hub.graph.plans.build import Build, Cost, Piece, Place, collected, key_of, unique
from hub.graph.plans.guard import Partly, Shown
from hub.graph.plans.lineage import cost_of, lineage_member
from hub.graph.plans.reach import inside, table
from hub.graph.plans.selection import Constant, Facts, Lineage, Part
from hub.graph.plans.shapes import Scope
from hub.graph.plans.spelling import literal
from hub.graph.plans.sql import Member
from hub.graph.plans.values import member, text_of
from hub.graph.plans.ways import of_customer
from hub.ontology import EntityType, Property, PropertyType

_Facts = dict[str, Shown]

_ORIGIN = {
    "entityId": "id",
    "source": "source",
    "stream": "stream",
    "recordKey": "record_key",
    "recordId": "record_id",
    "observedAt": "observed_at",
}
_ROW = "f"


def facts_piece(build: Build, scope: Scope, facts: Facts, place: Place) -> Piece:
    """The list of facts: by property in the ontology's order, winners first, then by source and party."""
    if scope.shape.entity is not None:
        raise QueryError("only a customer has facts")
    unique(facts.parts)
    build.costs.append(Cost(sum(map(_cost, facts.parts)), (*place.pages, facts.first)))
    shown = _shown(build, scope, facts, place)
    limit = build.first(facts.first, ".".join(place.path))
    wanted = {part.name if isinstance(part, Part) else "lineage" for part in facts.parts}
    arms = [arm for type_ in build.ontology.parties if (arm := _arm(build, scope, type_, shown, wanted))]
    if not arms:
        return Piece(build.sql.array(()))
    fact = _object(build, scope, facts, place)
    winners = " WHERE u.won = 1" if facts.winners_only else ""
    order = f"u.ord, u.won DESC, {build.sql.binary('u.source')}, {build.sql.binary('u.id')}"
    rows = f"SELECT * FROM ({' UNION ALL '.join(arms)}) u{winners} ORDER BY {order} LIMIT {limit}"
    return collected(build, Scope(scope.shape, _ROW), Piece(fact), rows)


def _cost(part: Part | Constant | Lineage) -> int:
    return 1 + cost_of(part) if isinstance(part, Lineage) else 1


def _object(build: Build, scope: Scope, facts: Facts, place: Place) -> Member:
    known = _parts(build, scope, place)
    members = [
        lineage_member(build, scope, part, lambda column: f"{_ROW}.{column}", place.at(part.alias))
        if isinstance(part, Lineage)
        else build.part(part, known, "a fact")
        for part in facts.parts
    ]
    return build.sql.obj([*zip(map(key_of, facts.parts), members, strict=True)])


def _shown(build: Build, scope: Scope, facts: Facts, place: Place) -> _Facts:
    names = facts.properties if facts.properties is not None else tuple(scope.shape.properties)
    properties = [scope.shape.property(name) for name in names]
    shown = {prop.name: build.guard.shown(scope, prop, place.path) for prop in properties}
    return {name: how for name, how in shown.items() if how is not False}


def _parts(build: Build, scope: Scope, place: Place) -> dict[str, Callable[[], Member]]:
    sql = build.sql
    known: dict[str, Callable[[], Member]] = {
        name: _text(build, name)
        for name in ("property", "value", "type", "entityId", "source", "stream", "rule")
    }
    known["json"] = lambda: Member(f"{_ROW}.json", carried=True, nullable=True)
    known["wins"] = lambda: sql.truth(f"{_ROW}.won = 1")
    known["recordId"] = lambda: sql.text(f"CAST({_ROW}.record_id AS TEXT)")
    known["observedAt"] = lambda: sql.text(sql.text_instant(f"{_ROW}.observed_at"))
    known["recordKey"] = lambda: (
        _text(build, "recordKey")() if build.guard.allows_key(scope, place.path) else sql.null
    )
    return known


def _text(build: Build, name: str) -> Callable[[], Member]:
    return lambda: build.sql.text(f"{_ROW}.{_ORIGIN.get(name, name)}")


def _arm(build: Build, customer: Scope, type_: EntityType, shown: _Facts, wanted: set[str]) -> str | None:
    """A row for each party of the type and each property that it states."""
    stated = [
        (number, type_.properties[name]) for number, name in enumerate(shown) if name in type_.properties
    ]
    stated = [(number, prop) for number, prop in stated if prop.type is not PropertyType.REFERENCE]
    if not stated:
        return None
    party = build.scope(build.shape(type_.name), customer)
    build.guard.read_type(type_.name)
    numbers = " UNION ALL ".join(
        f"SELECT {number} AS ord, {literal(prop.name)} AS property" for number, prop in stated
    )
    values = {
        "value": lambda prop: text_of(build, party, prop, shown[prop.name]),
        "json": lambda prop: build.sql.json_text(member(build, party, prop, shown[prop.name])),
    }
    columns = (*_ORIGIN.values(), *(("run_id",) if "lineage" in wanted else ()))
    origin = "".join(f", {party.column(column)} AS {column}" for column in columns)
    chosen = "".join(
        f", {_chosen(stated, value)} AS {name}" for name, value in values.items() if name in wanted
    )
    winner, rule = (
        build.sql.member_of(customer.column("provenance"), "p.property", it) for it in ("party", "rule")
    )
    won = f"{winner} = {party.column('id')}"
    is_stated = _chosen(stated, _is_stated(build, customer, party, shown))
    tables, own = of_customer(build, customer, table(build, party), party.column("id"))
    return (
        f"SELECT p.ord, p.property, {literal(type_.name)} AS type, CASE WHEN {won} THEN 1 ELSE 0 END AS won, "
        f"CASE WHEN {won} THEN {rule} END AS rule{origin}{chosen} "
        f"FROM {tables} CROSS JOIN ({numbers}) p WHERE {own} AND {is_stated}"
    )


def _chosen(stated: list[tuple[int, Property]], value: Callable[[Property], str]) -> str:
    return f"CASE p.ord {' '.join(f'WHEN {number} THEN {value(prop)}' for number, prop in stated)} END"


def _is_stated(build: Build, customer: Scope, party: Scope, shown: _Facts) -> Callable[[Property], str]:
    """Whether the party states the property; where nothing of it is shown, nobody states anything."""

    def is_stated(prop: Property) -> str:
        stated, how = f"{party.column(prop.column)} IS NOT NULL", shown[prop.name]
        return f"{stated} AND {inside(build, customer, how.where)}" if isinstance(how, Partly) else stated

    return is_stated
