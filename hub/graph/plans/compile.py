"""A root selection compiled to one SQL statement, a pure function of ontology, selection, access and database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hub.errors import AccessDeniedError, QueryError
from hub.graph.plans.build import (
    Build,
    Cost,
    Piece,
    Place,
    collected,
    first_of,
    lifted,
    listed,
    raised,
    subquery,
)
from hub.graph.plans.databases import SPELLINGS
from hub.graph.plans.guard import AccessNote, CategoryAccess, Guard, Reads
from hub.graph.plans.objects import object_piece
from hub.graph.plans.pages import page_piece
from hub.graph.plans.params import Binding, count_of, packed_rows, text_value
from hub.graph.plans.people import stated_by
from hub.graph.plans.reach import table
from hub.graph.plans.selection import ById, ByIdentifier, ByIds, ListOf, Root, Selection
from hub.graph.plans.shapes import Scope, Shape
from hub.graph.plans.spelling import literal
from hub.graph.plans.ways import MEMBERSHIP, all_rows
from hub.ontology import CUSTOMER, EntityType, Ontology
from hub.store import DialectName

DEFAULT_MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """A compiled selection. Immutable, safe to share between threads and between callers of equal access."""

    sql: str
    """Returns one row at most: the JSON text, and ids of customers with commas between (holes and doubles occur)."""
    bindings: tuple[Binding, ...]
    access_notes: tuple[AccessNote, ...]
    reads: Reads
    dialect: DialectName
    costs: tuple[Cost, ...] = field(default=(), repr=False)
    max_page: int = DEFAULT_MAX_PAGE

    def bind(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The statement's parameters.

        Raises:
            QueryError: a value does not fit its place, or a cursor is none.
            LimitError: a page is larger than allowed.
        """
        values: dict[str, Any] = {}
        for binding in self.bindings:
            values.update(zip(binding.names, binding.values(variables), strict=True))
        return values

    def cost(self, variables: Mapping[str, Any] | None = None) -> int:
        """A bound on the fields that the answer may hold; a page whose size is not given counts as `max_page`."""
        return sum(self._cost(cost, variables or {}) for cost in self.costs)

    def _cost(self, cost: Cost, variables: Mapping[str, Any]) -> int:
        rows = 1
        for page in cost.pages:
            rows *= count_of(page, variables, self.max_page)
        return max(cost.fields, 1) * rows


def compile_plan(
    ontology: Ontology,
    root: Root,
    access: CategoryAccess,
    dialect: DialectName,
    max_page: int = DEFAULT_MAX_PAGE,
) -> ReadPlan:
    """The plan of a root selection; one of a past time is for SQLite, whatever the hub's database is.

    Raises:
        QueryError: it does not fit the ontology.
        AccessDeniedError: it filters, sorts, groups, aggregates or looks up by what the caller may not see whole.
        LimitError: a literal page size is larger than `max_page`.
    """
    past = isinstance(root, ById) and root.as_of is not None
    if past:
        dialect = "sqlite"
    guard = Guard(ontology, access)
    build = Build(ontology, SPELLINGS[dialect], guard, max_page, object_piece, past=past)
    if isinstance(root, ById):
        sql = _by_id(build, root)
    elif isinstance(root, ByIdentifier):
        sql = _by_identifier(build, root)
    elif isinstance(root, ByIds):
        sql = _by_ids(build, root)
    else:
        sql = _list(build, root)
    return ReadPlan(
        sql,
        tuple(build.params.bindings),
        build.guard.notes,
        build.guard.reads,
        dialect,
        tuple(build.costs),
        max_page,
    )


_NOTHING = "SELECT 'null', ''"


def _by_id(build: Build, root: ById) -> str:
    shape = build.shape(root.selection.type)
    scope = build.scope(shape)
    parameter = build.params.add(root.id, lambda value: text_value(value, "id"))
    given = build.sql.param(parameter, "text")
    if not build.guard.may_see(shape.name, ()):
        return _NOTHING
    build.guard.read_type(shape.name)
    piece = object_piece(build, scope, root.selection, Place())
    source = lifted(build, scope, table(build, scope), f"{scope.column('id')} = {_current(shape, given)}")
    return f"SELECT {piece.member.sql}, {listed(piece.customers)} {source}"


def _current(shape: Shape, given: str) -> str:
    """The id that a row has now; a customer's may be given as one that was retired."""
    if shape.name != CUSTOMER:
        return given
    return f'coalesce((SELECT d."new_id" FROM "customer_redirect" d WHERE d."old_id" = {given}), {given})'


def _by_ids(build: Build, root: ByIds) -> str:
    given = build.params.add(root.rows, lambda value: packed_rows(value, build.max_page))
    row = build.scope(Shape("RowId", "", {}, None))
    found = []
    for selection in root.selections:
        if build.guard.may_see(selection.type, ()):
            piece = _row_by_id(build, row, selection, Place((), (root.rows,)))
            # Lifted even where there is but one: so a row may lead on as far as one that is asked for alone.
            found.append(replace(piece, member=raised(build, row, piece), lifted=True))
    piece = collected(build, row, first_of(build, row, found), build.sql.named(given))
    return f"SELECT {piece.member.sql}, {listed(piece.customers)}"


def _row_by_id(build: Build, row: Scope, selection: Selection, place: Place) -> Piece:
    target = build.scope(build.shape(selection.type))
    build.guard.read_type(selection.type)
    piece = object_piece(build, target, selection, place)
    wanted = _current(target.shape, row.column("id"))
    where = f"{row.column('type')} = {literal(selection.type)} AND {target.column('id')} = {wanted}"
    return subquery(build, target, piece, table(build, target), where)


def _list(build: Build, root: ListOf) -> str:
    shape = build.shape(root.type)
    if not build.guard.may_see(shape.name, ()):
        return _NOTHING
    piece = page_piece(build, all_rows(build, shape), root.page, root.fields, Place(), "list")
    return f"{build.sharing()}SELECT {piece.member.sql}, {listed(piece.customers)}"


def _by_identifier(build: Build, root: ByIdentifier) -> str:
    if root.selection.type != CUSTOMER:
        raise QueryError("an identifier leads to customers")
    limit = build.first(root.first, "by identifier")
    given = build.sql.param(build.params.add(root.value, lambda value: text_value(value, "value")), "text")
    holders = _holders(build, root.scheme, given)
    if not build.guard.may_see(CUSTOMER, ()):
        return _NOTHING
    shape = build.shape(CUSTOMER)
    scope = build.scope(shape)
    piece = object_piece(build, scope, root.selection, Place((), (root.first,)))
    held = build.sql.in_few(scope.column("id"), " UNION ".join(holders))
    order = build.sql.binary(scope.column("id"))
    rows = f"SELECT * FROM {table(build, scope)} WHERE {held} ORDER BY {order} LIMIT {limit}"
    found = collected(build, scope, piece, rows)
    return f"SELECT {found.member.sql}, {listed(found.customers)}"


def _holders(build: Build, scheme: str, given: str) -> list[str]:
    """Queries for the customers that hold the identifier, by properties that the caller may see whole.

    Raises:
        QueryError: there is no such scheme.
        AccessDeniedError: the caller may see none of the properties whole.
    """
    types = [type_ for type_ in build.ontology.types.values() if type_.has_customer]
    stated = [(type_, prop) for type_ in types for prop in type_.identifiers if prop.identifier == scheme]
    if not stated:
        known = sorted({prop.identifier for type_ in types for prop in type_.identifiers if prop.identifier})
        raise QueryError(f"there is no identifier scheme {scheme!r}; expected one of {', '.join(known)}")
    # Who holds it has to be known of every customer that may be found, or it would be told of those who were not.
    customers = build.guard.seen(CUSTOMER)
    allowed = [
        (type_, prop)
        for type_, prop in stated
        if build.guard.whole(prop, customers) and build.guard.belongs_in(type_, customers)
    ]
    if not allowed:
        categories = ", ".join(sorted({prop.category for _, prop in stated}))
        raise AccessDeniedError(
            f"identifier {scheme} ({categories}) is not shown whole and cannot be looked up by"
        )
    for type_, prop in allowed:
        build.guard.record(build.shape(type_.name), prop)
    parties = [(type_, prop) for type_, prop in allowed if type_.is_party]
    others = [
        _customers_of_rows(type_, stated_by(build.sql, [(type_, prop)]), scheme, given)
        for type_, prop in allowed
        if not type_.is_party
    ]
    return [
        *([_customers_of_parties(stated_by(build.sql, parties), scheme, given)] if parties else []),
        *others,
    ]


def _customers_of_parties(stated: str, scheme: str, given: str) -> str:
    return (
        f'SELECT m."customer_id" FROM "identifier" i JOIN {MEMBERSHIP} ON m."party_id" = i."entity_id" '
        f'WHERE i."scheme" = {literal(scheme)} AND i."value" = {given} AND {stated}'
    )


def _customers_of_rows(type_: EntityType, stated: str, scheme: str, given: str) -> str:
    return (
        f'SELECT m."customer_id" FROM "identifier" i JOIN "{type_.table}" r ON r."id" = i."entity_id" '
        f'JOIN {MEMBERSHIP} ON m."party_id" = r."party_id" '
        f'WHERE i."scheme" = {literal(scheme)} AND i."value" = {given} AND {stated}'
    )
