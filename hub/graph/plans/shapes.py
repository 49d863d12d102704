"""Objects that a selection may be on: the ontology's entity types, and the customer with its golden properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.access import EVERYONE, Within
from hub.errors import QueryError
from hub.ontology import CUSTOMER, EntityType, Ontology, Property


@dataclass(frozen=True, slots=True)
class Shape:
    """A type as the compiler sees it; `entity` is None for the customer."""

    name: str
    table: str
    properties: Mapping[str, Property]
    entity: EntityType | None

    @property
    def has_customer(self) -> bool:
        """Whether a row belongs to a customer, or is one."""
        return self.entity is None or self.entity.has_customer

    def property(self, name: str) -> Property:
        """The property called `name`.

        Raises:
            QueryError: there is none.
        """
        try:
            return self.properties[name]
        except KeyError:
            raise QueryError(f"{self.name} has no property {name!r}") from None


def shape_of(ontology: Ontology, type_name: str) -> Shape:
    """The shape of a type of the ontology, or of `Customer`.

    Raises:
        QueryError: there is no such type.
    """
    if type_name == CUSTOMER:
        return Shape(CUSTOMER, CUSTOMER.lower(), ontology.customer_properties, None)
    if type_name not in ontology.types:
        raise QueryError(f"there is no type {type_name!r}")
    entity = ontology.types[type_name]
    return Shape(entity.name, entity.table, entity.properties, entity)


@dataclass(slots=True)
class Scope:
    """A row in the SQL, by its alias."""

    shape: Shape
    alias: str
    proven: Within = EVERYONE
    """The row scopes that the row's customer is known to be in, whatever the row."""
    unproven: Within | None = None
    """What has to be tested of the row; None where nothing of its customer was tested before, so everything has to."""
    used: dict[str, None] = field(default_factory=dict)
    """The columns that are read of it."""
    lifted: dict[str, str] = field(default_factory=dict)
    """Subqueries that were lifted out of expressions on the row, by the columns they have become."""

    def lift(self, subquery: str) -> str:
        """The column that stands for the subquery."""
        column = next(
            (known for known, sql in self.lifted.items() if sql == subquery), f"{len(self.lifted)}#"
        )
        self.lifted[column] = subquery
        return f'{self.alias}."{column}"'

    def column(self, name: str) -> str:
        """The column as an SQL expression."""
        self.used.setdefault(name)
        return f'{self.alias}."{name}"'
