"""What the mappings declare: which field of which stream becomes which property, of which data category."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hub.adapters.paths import compile_path
from hub.adapters.specs import EntitySpec, LinkSpec, SourceConfig, StreamConfig, ValueSpec
from hub.ontology import EntityType, Ontology, PropertyType

KEY_CATEGORY: Final = "user.unique_id"
"""Of the key of a record that is about a customer."""
OPERATIONAL: Final = "system.operations"


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """A field that a mapping reads."""

    path: str
    """As the YAML has it, after the list that it is within: `lines[].sku`."""
    roots: frozenset[str]
    """The top-level fields of the record that it reads."""
    type: str
    property: str
    """The property of the type that it becomes; `key` for a record's key, empty where it only steers the mapping."""
    category: str
    is_text: bool
    """Whether it is free text."""
    about_customer: bool
    """Whether the type's rows belong to a customer."""


def declared_fields(config: SourceConfig, stream: str, ontology: Ontology) -> tuple[DeclaredField, ...]:
    """The fields that the stream's mapping reads, each once for each property that it becomes."""
    spec = config.streams[stream]
    return tuple(dict.fromkeys([*_keys(spec, ontology), *_steering(spec), *_entities(spec, ontology)]))


def _keys(stream: StreamConfig, ontology: Ontology) -> Iterator[DeclaredField]:
    types = [ontology.type(entity.type) for entity in stream.entities]
    about = any(type_.has_customer for type_ in types)
    for path in stream.key:
        category = KEY_CATEGORY if about else OPERATIONAL
        yield DeclaredField(
            path, _roots(path), types[0].name, "key", category, is_text=False, about_customer=about
        )


def _steering(stream: StreamConfig) -> Iterator[DeclaredField]:
    texts = [*(stream.observed_at.path or () if stream.observed_at else ()), *filter(None, [stream.cursor])]
    texts += [entity.when for entity in stream.entities if entity.when]
    for path in texts:
        yield DeclaredField(path, _roots(path), "", "", OPERATIONAL, is_text=False, about_customer=False)


def _entities(stream: StreamConfig, ontology: Ontology) -> Iterator[DeclaredField]:
    for entity in stream.entities:
        type_ = ontology.type(entity.type)
        for name, value in entity.properties.items():
            yield from _of(entity, type_, name, value.path or (), value)
        for name, link in entity.links.items():
            yield from _of(entity, type_, name, link.key or (link.value or "",), link)


def _of(
    entity: EntitySpec, type_: EntityType, name: str, paths: tuple[str, ...], spec: ValueSpec | LinkSpec
) -> Iterator[DeclaredField]:
    prop = type_.properties[name]
    converters = frozenset(
        root
        for step in spec.convert
        for path in step.paths()
        for root in (path.record_fields | (path.item_fields if entity.each is None else frozenset()))
    )
    for path in paths:
        shown = path if entity.each is None or path.startswith("^") else f"{entity.each}[].{path}"
        roots = _roots(path) if entity.each is None else _roots(entity.each) | _on_record(path)
        is_text = prop.type is PropertyType.TEXT
        yield DeclaredField(
            shown, roots | converters, type_.name, name, prop.category, is_text, type_.has_customer
        )


@lru_cache(maxsize=4096)
def _roots(path: str) -> frozenset[str]:
    compiled = compile_path(path)
    return compiled.item_fields | compiled.record_fields


def _on_record(path: str) -> frozenset[str]:
    return compile_path(path).record_fields
