"""Ways from a row to others: along a reference, back along one, and from a customer to what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.errors import QueryError
from hub.graph.plans.build import Build
from hub.graph.plans.reach import table
from hub.graph.plans.shapes import Scope, Shape
from hub.graph.plans.where import Rows
from hub.ontology import EntityType, Ontology, Property, PropertyType

MEMBERSHIP = '"membership" m'


@dataclass(frozen=True, slots=True)
class Source:
    """Rows to select from: what stands after FROM, and conditions."""

    tables: str
    conditions: tuple[str, ...]
    scope: Scope
    free: bool = False
    """Whether the rows do not depend on another one."""

    def sql(self, columns: str, more: tuple[str, ...] = ()) -> str:
        """A SELECT of these columns, with more conditions."""
        conditions = (*self.conditions, *more)
        where = " WHERE " + " AND ".join(f"({condition})" for condition in conditions) if conditions else ""
        return f"SELECT {columns} FROM {self.tables}{where}"


def all_rows(build: Build, shape: Shape) -> Source:
    """Every row of a type."""
    scope = build.scope(shape)
    return Source(table(build, scope), (), scope, free=True)


def of_customer(build: Build, customer: Scope, tables: str, party: str) -> tuple[str, str]:
    """Tables and a condition for rows whose `party` is one of the customer's.

    The customer's row is one that `lifted` selects.
    """
    if build.sql.lifts:
        return _joined(customer, tables, party)
    # PostgreSQL sets each node of a plan up anew: parties that are looked up once for all lists save two of each.
    members = f'SELECT m."party_id" FROM {MEMBERSHIP} WHERE m."customer_id" = {customer.column("id")}'
    return tables, f"{party} = ANY({customer.lift(f'ARRAY({members})')})"


def _joined(customer: Scope, tables: str, party: str) -> tuple[str, str]:
    return (
        f'{MEMBERSHIP} JOIN {tables} ON {party} = m."party_id"',
        f'm."customer_id" = {customer.column("id")}',
    )


def rows(build: Build, parent: Scope, way: Rows, lifting: bool = False) -> Source:
    """The rows that the way leads to from the parent; with `lifting`, its row is one that `lifted` selects.

    Raises:
        QueryError: there is no such way.
    """
    shape = build.shape(way.type)
    entity = build.entity(way.type)
    same = parent if keeps_customer_back(parent.shape, entity, way.by) else None
    if not parent.shape.has_customer:
        build.refuse_of_past(f"{way.type} of {parent.shape.name}, which are those of all customers,")
    if parent.shape.entity is not None:
        reference = back_reference(build.ontology, parent.shape, way)
        scope = build.scope(shape, same, build.guard.follows(shape, reference))
        here = f"{scope.column(reference.column)} = {parent.column('id')}"
        return Source(table(build, scope), (here,), scope)
    by = _link_column(build, entity, way)
    link = (
        build.guard.belongs(entity) if way.by is None else build.guard.follows(shape, shape.property(way.by))
    )
    scope = build.scope(shape, same, link)
    found, party = table(build, scope), scope.column(by)
    tables, condition = of_customer(build, parent, found, party) if lifting else _joined(parent, found, party)
    return Source(tables, (condition,), scope)


def _link_column(build: Build, entity: EntityType, way: Rows) -> str:
    if way.by is not None:
        reference = build.shape(entity.name).property(way.by)
        targets = build.ontology.range_types(reference.range) if reference.range else ()
        if not any(target.is_party for target in targets):
            raise QueryError(f"{entity.name}.{way.by} leads to no party")
        return reference.column
    if not entity.has_customer:
        raise QueryError(f"{entity.name} does not belong to customers")
    return "id" if entity.is_party else "party_id"


def back_reference(ontology: Ontology, parent: Shape, way: Rows) -> Property:
    """The reference of `way.type` that leads to the parent.

    Raises:
        QueryError: there is no such reference.
    """
    entity = ontology.types[way.type]
    reference = entity.properties.get(way.by or "")
    if reference is None or reference.range is None:
        raise QueryError(f"{way.type} has no reference {way.by!r}")
    if parent.name not in [target.name for target in ontology.range_types(reference.range)]:
        raise QueryError(f"{way.type}.{way.by} does not lead to {parent.name}")
    return reference


def reference_of(shape: Shape, property_name: str) -> Property:
    """The reference of that name.

    Raises:
        QueryError: there is none.
    """
    prop = shape.property(property_name)
    if prop.type is not PropertyType.REFERENCE:
        raise QueryError(f"{shape.name}.{property_name} is no reference")
    return prop


def keeps_customer_back(parent: Shape, entity: EntityType, by: str | None) -> bool:
    """Whether rows found back along `by` belong, all of them, to the parent's own customer."""
    if by is None:
        return True
    if parent.entity is None or parent.entity.is_party:
        return not entity.is_party and set(entity.customer) == {by}
    return _leads_on(entity, by, parent.entity)


def keeps_customer_along(parent: Shape, reference: Property, target: EntityType) -> bool:
    """Whether the row that the reference leads to belongs to the parent's own customer."""
    if parent.entity is None or parent.entity.is_party:
        return False
    if target.is_party:
        return set(parent.entity.customer) == {reference.name}
    return _leads_on(parent.entity, reference.name, target)


def _leads_on(entity: EntityType, reference: str, target: EntityType) -> bool:
    through = tuple(f"{reference}.{path}" for path in target.customer)
    return bool(through) and entity.customer == through
