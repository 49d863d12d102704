"""Single links: where a reference leads, the customer a row belongs to."""

from __future__ import annotations

from hub.access import NOBODY
from hub.errors import QueryError
from hub.graph.plans.build import (
    Build,
    Piece,
    Place,
    by_type,
    first_of,
    inner_party,
    subquery,
)
from hub.graph.plans.reach import inside, table
from hub.graph.plans.selection import One, Owner
from hub.graph.plans.shapes import Scope
from hub.graph.plans.ways import MEMBERSHIP, keeps_customer_along, reference_of
from hub.ontology import CUSTOMER


def one_piece(build: Build, scope: Scope, one: One, place: Place) -> Piece:
    """The object that the reference leads to, or null."""
    reference = reference_of(scope.shape, one.property)
    selections = by_type(build, one.selections, build.ontology.range_types(reference.range or ""))
    link = build.guard.may_follow(scope, reference, place.path, scope.proven)
    if link == NOBODY:
        return Piece(build.sql.null)
    build.guard.record(scope.shape, reference)
    found: list[Piece] = []
    for type_name, selection in selections.items():
        if build.guard.may_see(type_name, place.path):
            covered = keeps_customer_along(scope.shape, reference, build.entity(type_name))
            target = build.scope(build.shape(type_name), scope if covered else None)
            here = Place(place.path, place.pages, covered, inner_party(scope, place))
            piece = build.nest(build, target, selection, here)
            where = f"{target.column('id')} = {scope.column(reference.column)}"
            if not scope.proven.implies(link):
                where += f" AND {inside(build, scope, link)}"
            found.append(subquery(build, target, piece, table(build, target), where))
    return first_of(build, scope, found)


def owner_piece(build: Build, scope: Scope, owner: Owner, place: Place) -> Piece:
    """The customer that the row belongs to, or null."""
    entity = scope.shape.entity
    if entity is None or not entity.has_customer or owner.selection.type != CUSTOMER:
        raise QueryError(f"{scope.shape.name} has no customer to select {owner.selection.type} from")
    belongs = build.guard.may_belong(entity, place.path, scope.proven)
    if not belongs or not build.guard.may_see(CUSTOMER, place.path):
        return Piece(build.sql.null)
    target = build.scope(build.shape(CUSTOMER), scope, build.guard.belongs(entity))
    piece = build.nest(build, target, owner.selection, Place(place.path, place.pages, place.covered))
    party = scope.column("id" if entity.is_party else "party_id")
    tables = f'{MEMBERSHIP} JOIN {table(build, target)} ON {target.column("id")} = m."customer_id"'
    return subquery(build, target, piece, tables, f'm."party_id" = {party}')
