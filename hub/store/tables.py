"""The tables made from the ontology: one for each entity type, one for the customers' golden records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeEngine

from hub.cache import BoundedCache
from hub.ontology import CUSTOMER, EntityType, Ontology, Property, PropertyType
from hub.store.codec import scale_of
from hub.store.fixed import NAMING

SYSTEM_COLUMNS = (
    "id",
    "source",
    "stream",
    "record_key",
    "head_id",
    "record_id",
    "observed_at",
    "content_hash",
    "run_id",
)
"""What every entity row begins with: its id, the source record that states it, and when."""

CUSTOMER_COLUMNS = ("id", "kind", "household_id", "created_at", "updated_at", "provenance")
"""What every customer row begins with; `provenance` names for each property the party that won, and the rule."""


@dataclass(frozen=True)
class EntityTables:
    """The SQLAlchemy tables of one ontology."""

    metadata: MetaData
    by_type: Mapping[str, Table]
    customer: Table


_BUILT: BoundedCache[EntityTables] = BoundedCache(8)
"""By digest of the ontology: making them takes some 40 ms, and a store and its past need the same ones."""


def build_tables(ontology: Ontology) -> EntityTables:
    """Tables for every type of the ontology and for the customers; the same ones for the same ontology."""
    built = _BUILT.get(ontology.sha256)
    if built is None:
        built = _build(ontology)
        _BUILT.put(ontology.sha256, built, 1)
    return built


def _build(ontology: Ontology) -> EntityTables:
    metadata = MetaData(naming_convention=NAMING)
    by_type = {name: _entity_table(type_, metadata) for name, type_ in ontology.types.items()}
    return EntityTables(metadata, MappingProxyType(by_type), _customer_table(ontology, metadata))


def _entity_table(type_: EntityType, metadata: MetaData) -> Table:
    own = [column for prop in type_.properties.values() for column in property_columns(prop)]
    belonging = [Column("party_id", Text)] if type_.customer else []
    table = Table(type_.table, metadata, *_system_columns(), *belonging, *own)
    Index(None, table.c.head_id)
    for prop in type_.references:
        Index(None, table.c[prop.column])
    time = type_.properties.get(type_.time or "")
    if type_.customer and time is not None:
        Index(None, table.c.party_id, table.c[time.column])
    elif type_.customer:
        Index(None, table.c.party_id)
    return table


def _system_columns() -> list[Column[Any]]:
    return [
        Column("id", Text, primary_key=True),
        Column("source", Text, nullable=False),
        Column("stream", Text, nullable=False),
        Column("record_key", Text, nullable=False),
        Column("head_id", BigInteger, nullable=False),
        Column("record_id", BigInteger, nullable=False),
        Column("observed_at", Text, nullable=False),
        Column("content_hash", Text, nullable=False),
        Column("run_id", BigInteger, nullable=False),
    ]


def _customer_table(ontology: Ontology, metadata: MetaData) -> Table:
    own = [column for prop in ontology.customer_properties.values() for column in property_columns(prop)]
    table = Table(
        CUSTOMER.lower(),
        metadata,
        Column("id", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("household_id", Text),
        Column("created_at", Text, nullable=False),
        Column("updated_at", Text, nullable=False),
        Column("provenance", Text, nullable=False),
        *own,
    )
    Index(None, table.c.household_id)
    return table


def property_columns(prop: Property) -> list[Column[Any]]:
    """The columns that hold the property's value, the main one first; all may be null."""
    main: Column[Any] = Column(prop.column, _column_type(prop))
    return [main, *(Column(name, Text) for name in prop.columns[1:])]


def _column_type(prop: Property) -> TypeEngine[Any]:
    kind: TypeEngine[Any] = Text()
    if prop.many:
        kind = Text().with_variant(JSONB(), "postgresql")
    elif prop.type in (PropertyType.DECIMAL, PropertyType.MONEY):
        kind = BigInteger().with_variant(Numeric(38, scale_of(prop)), "postgresql")
    elif prop.type is PropertyType.INSTANT:
        kind = Text().with_variant(TIMESTAMP(timezone=True), "postgresql")
    elif prop.type is PropertyType.BOOLEAN:
        kind = Integer().with_variant(Boolean(), "postgresql")
    elif prop.type is PropertyType.INTEGER:
        kind = BigInteger()
    return kind
