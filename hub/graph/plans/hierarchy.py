"""Who stands above and below an organisation, of those whom the requester may see.

Whoever may not see an organisation does not learn that it is there: the way up ends below it, and it is no subsidiary.
What only registry numbers say is shown to those alone who may see such numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hub.access import EVERYONE
from hub.errors import QueryError
from hub.graph.plans.build import Build, Piece, Place, assembled, collected, subquery, unique
from hub.graph.plans.guard import HIERARCHY_CATEGORY, REGISTRY_CATEGORY
from hub.graph.plans.reach import table
from hub.graph.plans.selection import Constant, Hierarchy, Part, Relatives
from hub.graph.plans.shapes import Scope
from hub.graph.plans.sql import Member
from hub.ontology import CUSTOMER


def hierarchy_piece(build: Build, scope: Scope, hierarchy: Hierarchy, place: Place) -> Piece:
    """The organisation's place in its group; null for a person."""
    if scope.shape.entity is not None:
        raise QueryError("only a customer has a hierarchy")
    build.refuse_of_past("a hierarchy, which other customers belong to,")
    unique(hierarchy.fields)
    if not build.guard.allows(HIERARCHY_CATEGORY, place.path, scope.proven):
        return Piece(build.sql.null)
    pieces = [_field(build, scope, item, place.at(item.alias)) for item in hierarchy.fields]
    built = assembled(build, scope, hierarchy.fields, pieces)
    shown = f"CASE WHEN {scope.column('kind')} = 'ORGANIZATION' THEN {built.member.sql} END"
    return replace(built, member=Member(shown, built.member.carried, nullable=True), lifted=True)


def _field(build: Build, scope: Scope, item: Part | Constant | Relatives, place: Place) -> Piece:
    if isinstance(item, Relatives):
        return _RELATIVES[item.which](build, scope, item, place)
    known: dict[str, Callable[[], Member]] = {
        "isDeclared": lambda: build.sql.boolean(_of_edge(build, scope, "declared")),
        "isRegistered": lambda: (
            build.sql.boolean(_of_edge(build, scope, "registered"))
            if _tells_registry(build)
            else build.sql.null
        ),
        "since": lambda: build.sql.text(build.sql.text_instant(_of_edge(build, scope, "stated_at"))),
    }
    return Piece(build.part(item, known, "a hierarchy"))


def _relative(build: Build) -> Scope:
    """A row of a customer whose place in a group may be known."""
    return build.scope(build.shape(CUSTOMER), None, build.guard.whole_where(HIERARCHY_CATEGORY))


def _tells_registry(build: Build) -> bool:
    return build.guard.whole_where(REGISTRY_CATEGORY) == EVERYONE


def _told(build: Build, row: str) -> str:
    """The condition that it may be known why the row's two belong together."""
    return "1 = 1" if _tells_registry(build) else f"NOT {row}.declared = {build.sql.false}"


def _of_edge(build: Build, scope: Scope, column: str) -> str:
    """A column of what is known of the parent, null where it is not shown."""
    above = _relative(build)
    return (
        f'(SELECT e."{column}" FROM "parent" e JOIN "ancestor" n ON n."customer_id" = e."customer_id"'
        f' AND n."level" = 1 JOIN {table(build, above)} ON {above.column("id")} = e."parent_id"'
        f' WHERE e."customer_id" = {scope.column("id")} AND {_told(build, "n")})'
    )


def _parent(build: Build, scope: Scope, item: Relatives, place: Place) -> Piece:
    return _above(build, scope, item, place, '"level" = 1')


def _top(build: Build, scope: Scope, item: Relatives, place: Place) -> Piece:
    """The last whom a way leads to of which every step is shown."""
    seen, own = _relative(build), scope.column("id")
    step = f'FROM "ancestor" g WHERE g."customer_id" = {own}'
    shown = f'EXISTS (SELECT 1 FROM {table(build, seen)} WHERE {seen.column("id")} = g."ancestor_id")'
    hidden = f'(SELECT min(g."level") - 1 {step} AND NOT ({shown} AND {_told(build, "g")}))'
    return _above(build, scope, item, place, f'"level" = coalesce({hidden}, (SELECT max(g."level") {step}))')


def _above(build: Build, scope: Scope, item: Relatives, place: Place, which: str) -> Piece:
    above = _selected(build, item)
    piece = build.nest(build, above, item.selection, Place(place.path, place.pages, False))
    tables = f'"ancestor" n JOIN {table(build, above)} ON {above.column("id")} = n."ancestor_id"'
    where = f'n."customer_id" = {scope.column("id")} AND n.{which} AND {_told(build, "n")}'
    return subquery(build, above, piece, tables, where)


def _subsidiaries(build: Build, scope: Scope, item: Relatives, place: Place) -> Piece:
    below = _selected(build, item)
    piece = build.nest(build, below, item.selection, Place(place.path, place.pages, False).within(item.first))
    order, limit = build.sql.binary(below.column("id")), build.first(item.first, ".".join(place.path))
    rows = (
        f'SELECT {below.alias}.* FROM "ancestor" n JOIN {table(build, below)}'
        f' ON {below.column("id")} = n."customer_id" WHERE n."ancestor_id" = {scope.column("id")}'
        f' AND n."level" = 1 AND {_told(build, "n")} ORDER BY {order} LIMIT {limit}'
    )
    return collected(build, below, piece, rows)


def _selected(build: Build, item: Relatives) -> Scope:
    if item.selection.type != CUSTOMER:
        raise QueryError("who stands above or below a customer is of type Customer")
    return _relative(build)


_RELATIVES = {"parent": _parent, "ultimateParent": _top, "subsidiaries": _subsidiaries}
