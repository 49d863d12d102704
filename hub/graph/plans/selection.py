"""What a read plan is asked for: types, properties, links, filters, order and pages, as hashable values.

A *selection* names the fields of one object in the order in which they are answered; each field has an *alias*, its
key in the JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from hub.graph.plans.where import Filter, Operand

# pages


@dataclass(frozen=True, slots=True)
class OrderBy:
    """A sort key; missing values come last either way. Money sorts by its amount, text by code point."""

    property: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows, in which order (then by id), how many, and after which cursor."""

    where: Filter | None = None
    order_by: tuple[OrderBy, ...] = ()
    first: Operand = 20
    after: Operand = None


# fields


@dataclass(frozen=True, slots=True)
class Constant:
    """A fixed text, like `__typename`."""

    alias: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of a composite value."""

    alias: str
    name: str


Parts = tuple[Part | Constant, ...]


@dataclass(frozen=True, slots=True)
class Id:
    """The row's opaque id."""

    alias: str


@dataclass(frozen=True, slots=True)
class Value:
    """A property. `parts`: money `amount`, `currency`; instant `at`, `zone`; by default both of money, `at` alone."""

    alias: str
    property: str
    parts: Parts | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """A fact about the row itself.

    Entities: `source`, `stream`, `recordKey`, `recordId`, `observedAt`. Customers: `kind`, `createdAt`, `updatedAt`.
    """

    alias: str
    name: str


@dataclass(frozen=True, slots=True)
class LineageRun:
    """A run in a row's lineage, null where it is not known: `landedBy`, `mappedBy`; parts `id`, `kind`, `startedAt`."""

    alias: str
    name: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a row comes from: its record's version, and the runs and the mapping that made the row of it; an object.

    Parts: `source`, `stream`, `recordKey`, `recordVersion`, `position`, `observedAt`, `landedAt`, `mappingVersion`.
    """

    alias: str
    parts: tuple[Part | Constant | LineageRun, ...]


@dataclass(frozen=True, slots=True)
class One:
    """Where a reference leads, null while its target has not arrived; a selection for each type it may be."""

    alias: str
    property: str
    selections: tuple[Selection, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """The customer that the row belongs to."""

    alias: str
    selection: Selection


@dataclass(frozen=True, slots=True)
class Many:
    """A connection to the rows of `type`, found as `Rows` says."""

    alias: str
    type: str
    by: str | None
    page: Page
    fields: tuple[ConnectionField, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What each source says about the customer, also what lost; a list of objects.

    Parts: `property`, `value` (text), `json`, `type`, `entityId`, `source`, `stream`, `recordKey`, `recordId`,
    `observedAt`, `rule` (null for what lost), `wins`; and each fact's lineage. `properties` None means all.
    """

    alias: str
    parts: tuple[Part | Constant | Lineage, ...]
    properties: tuple[str, ...] | None = None
    winners_only: bool = False
    first: Operand = 200


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The identifiers of the customer's parties; a list of objects.

    Parts: `scheme`, `value`, `strong`, `source`, `type`, `property`, `entityId`.
    """

    alias: str
    parts: Parts
    first: Operand = 100


@dataclass(frozen=True, slots=True)
class Parties:
    """The parties that were resolved to the customer, a selection for each type, by source; a list of objects."""

    alias: str
    selections: tuple[Selection, ...]
    first: Operand = 100


@dataclass(frozen=True, slots=True)
class Members:
    """The customers of a household, by id, the one asked about included; a list of objects."""

    alias: str
    selection: Selection
    first: Operand = 50


@dataclass(frozen=True, slots=True)
class Ties:
    """Why the customer lives with each other member of the household, by their ids; a list of objects.

    Parts: `memberId`, `since`, `sameAddress`, `sameFamilyName`, `sharedContact`, `sharedAccount`.
    """

    alias: str
    parts: Parts
    first: Operand = 50


@dataclass(frozen=True, slots=True)
class Household:
    """The customer's household, null where no housemate is seen; the parts `id` and `size`, members and ties."""

    alias: str
    fields: tuple[Part | Constant | Members | Ties, ...]


@dataclass(frozen=True, slots=True)
class Relatives:
    """Who stands above or below the customer: one object or null for those above, a list by id for `subsidiaries`."""

    alias: str
    which: Literal["parent", "ultimateParent", "subsidiaries"]
    selection: Selection
    first: Operand = 50


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """An organisation's place in its group, null for a person.

    Parts, of the edge to its parent: `isDeclared`, `isRegistered`, `since`.
    """

    alias: str
    fields: tuple[Part | Constant | Relatives, ...]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh each source is that tells of the customer; a list of objects.

    Parts: `source`, `lastSuccessAt`, `state` (of its last run), `newestObservedAt`, `rows` (that tell of the customer).
    """

    alias: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class EntryEntity:
    """The entity behind a timeline entry, a selection for each type."""

    alias: str
    selections: tuple[Selection, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a timeline; parts: `id`, `type`, `at`, `phase`, `title`, `source`."""

    fields: tuple[Part | Constant | EntryEntity, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A connection to the customer's events, newest first.

    `phases` (pre_purchase, purchase, post_purchase) and `types` narrow it; None narrows nothing.
    """

    alias: str
    fields: tuple[ConnectionField, ...]
    phases: Operand = None
    types: tuple[str, ...] | None = None
    first: Operand = 20
    after: Operand = None


Field = (
    Constant
    | Id
    | Value
    | Origin
    | Lineage
    | One
    | Owner
    | Many
    | Facts
    | Identifiers
    | Parties
    | Household
    | Hierarchy
    | Freshness
    | Timeline
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Fields of one object; `type` is a type of the ontology, or `Customer`."""

    type: str
    fields: tuple[Field, ...]


# connections


@dataclass(frozen=True, slots=True)
class Cursor:
    """The edge's cursor."""

    alias: str


@dataclass(frozen=True, slots=True)
class Node:
    """The edge's row."""

    alias: str
    selection: Selection | Entry


@dataclass(frozen=True, slots=True)
class Edges:
    """The page's rows with their cursors."""

    alias: str
    fields: tuple[Constant | Cursor | Node, ...]


@dataclass(frozen=True, slots=True)
class Nodes:
    """The page's rows alone."""

    alias: str
    selection: Selection | Entry


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Parts: `hasNextPage`, `hasPreviousPage`, `startCursor`, `endCursor`."""

    alias: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class TotalCount:
    """How many rows there are on all pages."""

    alias: str


# aggregates, over all rows of a connection


class Unit(StrEnum):
    """A stretch of the calendar, in UTC for instants."""

    YEAR = "YEAR"
    QUARTER = "QUARTER"
    MONTH = "MONTH"
    DAY = "DAY"


class GroupOrder(StrEnum):
    """How groups are sorted; equal counts by key, missing keys last."""

    COUNT_DESC = "COUNT_DESC"
    COUNT_ASC = "COUNT_ASC"
    KEY_ASC = "KEY_ASC"
    KEY_DESC = "KEY_DESC"


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows there are."""

    alias: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of one property, null where no row has a value; of money a list, one figure for each currency."""

    alias: str
    property: str
    parts: Parts | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums of whole numbers, decimals and money; least and greatest of these, dates and instants."""

    alias: str
    function: Literal["sum", "min", "max"]
    fields: tuple[Figure | Constant, ...]


@dataclass(frozen=True, slots=True)
class KeyValue:
    """A value that rows are grouped by: `id`, `source` (entities), `kind` (customers) or a property.

    A date or instant takes a `unit`, and money `parts`: `currency` alone.
    """

    alias: str
    name: str
    unit: Unit | None = None
    parts: Parts | None = None


@dataclass(frozen=True, slots=True)
class KeyAlong:
    """Values of the row that a reference leads to, or of the customer that the row belongs to (`property` None)."""

    alias: str
    property: str | None
    fields: tuple[KeyField, ...]


KeyField = Constant | KeyValue | KeyAlong


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What the rows of a group have in common, an object."""

    alias: str
    fields: tuple[KeyField, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Figures over all rows, an object."""

    alias: str
    fields: tuple[Constant | RowCount | Figures, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """Figures over the rows of each group, a list of objects; the groups are made by all that their keys ask for."""

    alias: str
    fields: tuple[Constant | RowCount | Figures | GroupKey, ...]
    order: GroupOrder = GroupOrder.COUNT_DESC
    first: Operand = 20
    skip: Operand = 0


ConnectionField = Constant | Edges | Nodes | PageInfo | TotalCount | Aggregate | Groups


# roots


@dataclass(frozen=True, slots=True)
class ById:
    """One row by its id, null when there is none; a customer also by an id that was retired.

    `as_of` is the instant of which a customer is asked; None for now. Such a plan is for a database of its own, in
    memory, which holds the customer as of then (`hub.adapters.past`).
    """

    selection: Selection
    id: Operand = field(repr=False)
    as_of: Operand = None


@dataclass(frozen=True, slots=True)
class ByIdentifier:
    """The customers that something with this identifier belongs to, by id; a list. `value` is in normal form."""

    selection: Selection
    scheme: str
    value: Operand = field(repr=False)
    first: Operand = 20


@dataclass(frozen=True, slots=True)
class ByIds:
    """Rows by type and id, in the order in which they are named, a selection for each type; a list.

    It has null for what there is none of, and names a row as often as `rows` does. `rows` takes `RowId`s.
    """

    selections: tuple[Selection, ...]
    rows: Operand = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A connection to all rows of a type."""

    type: str
    page: Page
    fields: tuple[ConnectionField, ...]


Root = ById | ByIdentifier | ByIds | ListOf
