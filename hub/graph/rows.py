"""Entities as rows of their type's table, with a hash of what they state.

The hash is over canonical values, the same on both databases: it does not depend on the order of properties, nor on
which version of a record states them. Changes of a type's identifier schemes change it too, so that mapping the
records again also writes their identifiers again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hub.graph.entities import Entity, Reference, SharedIdentifier, Statement
from hub.ontology import EntityType, Property, PropertyType
from hub.ontology.identifiers import normal_identifier
from hub.store import SYSTEM_COLUMNS, DialectName, encoder

Identifier = tuple[str, str]
"""Scheme and value in normal form."""

Held = tuple[str, str, str, bool]
"""An identifier as an entity holds it: scheme, value in normal form, property, whether it is strong."""


@dataclass(frozen=True, slots=True, repr=False)
class Draft:
    """One entity of one statement, ready to be written."""

    id: str
    type: str
    shared: bool
    statement: Statement
    content_hash: str
    columns: tuple[Any, ...]
    """Values of the type's property columns; references by identifier are still null."""
    identifiers: frozenset[Held]
    untied: tuple[tuple[str, SharedIdentifier], ...]
    """Properties whose reference is stated by an identifier."""
    anchors: tuple[str, ...] = ()
    """The parties that the entity, a party itself, is tied to; see Entity."""
    filled: bool = False
    """Whether it takes what this statement leaves out from the next one that says it; see Entity."""

    @property
    def rank(self) -> str:
        """Orders the records that state one entity: time observed, then content, then the record's name."""
        said = self.statement
        return rank(said.observed_at, self.content_hash, said.source, said.stream, said.record_key)

    @property
    def system_columns(self) -> tuple[Any, ...]:
        """Values of SYSTEM_COLUMNS but for the run."""
        said = self.statement
        record = (said.source, said.stream, said.record_key, said.head_id, said.record_id)
        return (self.id, *record, said.observed_at, self.content_hash)


def rank(observed_at: str, content_hash: str, source: str, stream: str, record_key: str) -> str:
    """A text that orders all records alike, whatever the order in which they arrived."""
    return f"{observed_at} {content_hash} {source}.{stream} {record_key}"


class RowCodec:
    """Makes drafts of one entity type; prepared once."""

    def __init__(self, type_: EntityType, dialect: DialectName) -> None:
        self.type = type_
        self.columns = (*SYSTEM_COLUMNS, *(c for prop in type_.properties.values() for c in prop.columns))
        # SQLite's forms are canonical (scaled integers, fixed-width instants), so they are what is hashed.
        self._slots = [
            (prop.name, (None,) * len(prop.columns), _encode(prop, "sqlite"), _own_encode(prop, dialect))
            for prop in type_.properties.values()
        ]
        self._seed = [type_.name, *([p.name, p.identifier, p.strong] for p in type_.identifiers)]

    def draft(self, entity: Entity, statement: Statement) -> Draft:
        """The entity as a row."""
        columns: list[Any] = []
        content: list[Any] = [self._seed]
        untied: list[tuple[str, SharedIdentifier]] = []
        values = entity.values
        for name, empty, canonical, own in self._slots:
            value = values.get(name)
            if value is None:
                columns += empty
            elif isinstance(value, SharedIdentifier):
                untied.append((name, value))
                content.append((name, value.scheme, value.value))
                columns += empty
            else:
                encoded = canonical(value)
                content.append((name, *encoded))
                columns += encoded if own is None else own(value)
        if entity.anchors:
            content.append(("anchors", *entity.anchors))
        digest = hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()
        identifiers = identifiers_of(self.type, values)
        return Draft(
            entity.id,
            entity.type,
            entity.shared,
            statement,
            digest,
            tuple(columns),
            identifiers,
            tuple(untied),
            entity.anchors,
            entity.filled,
        )


_NONE: frozenset[Held] = frozenset()


def identifiers_of(type_: EntityType, values: Mapping[str, Any]) -> frozenset[Held]:
    """The identifiers that an entity of the type holds with these values."""
    if not type_.identifiers:
        return _NONE
    return frozenset(
        (prop.identifier or "", normal, prop.name, prop.strong)
        for prop in type_.identifiers
        if (value := values.get(prop.name)) is not None
        for one in (value if prop.many else (value,))
        if (normal := _normal(prop, str(one)))
    )


def _normal(prop: Property, value: str) -> str:
    # Values of these types are in normal form already; parsing them again would cost 60 microseconds each.
    if prop.type in (PropertyType.EMAIL, PropertyType.PHONE):
        return value
    return normal_identifier(prop.type, value)


def _encode(prop: Property, dialect: DialectName) -> Any:
    if prop.type is PropertyType.REFERENCE:
        return _target
    return encoder(prop, dialect)


def _own_encode(prop: Property, dialect: DialectName) -> Any:
    """An encoder for the database's own form where that differs from the canonical one, else None."""
    differs = (PropertyType.MONEY, PropertyType.DECIMAL, PropertyType.INSTANT, PropertyType.BOOLEAN)
    return encoder(prop, dialect) if dialect != "sqlite" and prop.type in differs and not prop.many else None


def _target(reference: Reference) -> tuple[str]:
    return (reference.target_id,)
