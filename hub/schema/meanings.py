"""What each field of the generated GraphQL types stands for in a read plan.

The schema and the translation of documents are made from the same drafts: a field without a meaning cannot be in the
schema, and a meaning cannot be translated in two ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class IdField:
    """A field that gives the row's id."""


@dataclass(frozen=True, slots=True)
class RowFact:
    """One fact about the row itself, by its name in `selection.Origin`."""

    name: str


@dataclass(frozen=True, slots=True)
class PropertyField:
    """A property's value; `composite` when it is an object of parts."""

    property: str
    composite: bool = False


@dataclass(frozen=True, slots=True)
class ReferenceField:
    """Where a reference leads: one of `types`."""

    property: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnerField:
    """A field that leads to the customer a row belongs to."""


@dataclass(frozen=True, slots=True)
class RowsField:
    """A connection to the rows of `type` found back along `by`, or belonging to the customer."""

    type: str
    by: str | None


@dataclass(frozen=True, slots=True)
class PartField:
    """A named part of a composite value; in input types the text that accompanies a value."""

    name: str


@dataclass(frozen=True, slots=True)
class SpecialField:
    """A field of the customer that has a plan field of its own."""

    name: Literal["facts", "identifiers", "parties", "household", "hierarchy", "freshness", "timeline"]


@dataclass(frozen=True, slots=True)
class LineageField:
    """Where a row, or a fact, comes from."""


@dataclass(frozen=True, slots=True)
class LineageRunField:
    """A run in a lineage, by its name in `selection.LineageRun`."""

    name: str


@dataclass(frozen=True, slots=True)
class MembersField:
    """The customers of a household."""


@dataclass(frozen=True, slots=True)
class RelativesField:
    """Who stands above or below an organisation."""

    which: Literal["parent", "ultimateParent", "subsidiaries"]


@dataclass(frozen=True, slots=True)
class TiesField:
    """Why somebody lives with the others of a household."""


@dataclass(frozen=True, slots=True)
class EntryEntityField:
    """The event behind a timeline entry."""


@dataclass(frozen=True, slots=True)
class ConnectionPart:
    """A field of a connection or of its edges. `node` is the type of the rows, None for timeline entries."""

    name: Literal["edges", "nodes", "pageInfo", "totalCount", "aggregate", "groups", "cursor", "node"]
    node: str | None


@dataclass(frozen=True, slots=True)
class RowCountField:
    """How many rows an aggregate or a group has."""


@dataclass(frozen=True, slots=True)
class FiguresField:
    """Figures of several properties, in an object of `type`."""

    function: Literal["sum", "min", "max"]
    type: str


@dataclass(frozen=True, slots=True)
class GroupKeyField:
    """What the rows of a group have in common."""


@dataclass(frozen=True, slots=True)
class ByIdRoot:
    """A root field: one row by id."""

    type: str


@dataclass(frozen=True, slots=True)
class ByIdsRoot:
    """A root field: rows of several types by type and id."""


@dataclass(frozen=True, slots=True)
class ByIdentifierRoot:
    """A root field: the customers with an identifier."""


@dataclass(frozen=True, slots=True)
class ListRoot:
    """A root field: a connection to all rows of a type."""

    type: str


@dataclass(frozen=True, slots=True)
class ChangesRoot:
    """A root field of Subscription: changes of customers."""


@dataclass(frozen=True, slots=True)
class FoundRoot:
    """A root field: rows of several types that a search finds."""


RootMeaning = FoundRoot | ByIdRoot | ByIdsRoot | ByIdentifierRoot | ListRoot


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field of a where-input: comparisons of a property, or of a part of it."""

    property: str


@dataclass(frozen=True, slots=True)
class Along:
    """A field of a where-input: a filter on the row of `type` that a reference leads to."""

    property: str
    type: str


@dataclass(frozen=True, slots=True)
class AlongParty:
    """A field of a where-input: a filter on a party, by its type."""

    property: str


@dataclass(frozen=True, slots=True)
class Back:
    """A field of a where-input: whether some row of `type` fits."""

    type: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Combine:
    """A field of a where-input that combines filters."""

    word: Literal["AND", "OR", "NOT"]


InputMeaning = Comparison | Along | AlongParty | Back | Combine

Meaning = (
    IdField
    | RowFact
    | PropertyField
    | ReferenceField
    | OwnerField
    | RowsField
    | PartField
    | SpecialField
    | LineageField
    | LineageRunField
    | MembersField
    | RelativesField
    | TiesField
    | EntryEntityField
    | ConnectionPart
    | RowCountField
    | FiguresField
    | GroupKeyField
    | RootMeaning
    | ChangesRoot
    | InputMeaning
)
