"""Checks of the sources against the ontology and against each other: what one file's shape alone cannot show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from hub.adapters.converters import Context, natural
from hub.adapters.converters.numbers import MoneyAmount
from hub.adapters.specs import EntitySpec, LinkSpec, SourceConfig, StreamConfig, ValueSpec
from hub.errors import RecordError
from hub.ontology import PARTY, EntityType, Ontology, Property, PropertyType
from hub.yamlfile import Fault, PathKey, YamlDocument, nearest

Loaded = Mapping[str, tuple[YamlDocument, SourceConfig]]
Place = tuple[PathKey, ...]
Made = tuple[str, str, int]
"""What a source makes somewhere: space, type, and the number of the key's parts."""


def lint(loaded: Loaded, broken: Collection[str], ontology: Ontology) -> list[Fault]:
    """Every fault between files: unknown types and properties, links to nothing, constants that do not fit.

    Of the sources named in `broken` only parts could be read: nothing is said of what they lack.
    """
    made = {name: set(_made(config, ontology)) for name, (_, config) in loaded.items()}
    faults: list[Fault] = []
    for doc, config in loaded.values():
        for name, stream in config.streams.items():
            if stream.deletes == "full_scan" and stream.read.takes_away:
                message = "what is read is taken away at the source, and would seem deleted at the next run"
                faults.append(doc.fault(["streams", name, "deletes"], message, expected="none"))
            for index, entity in enumerate(stream.entities):
                place: Place = ("streams", name, "entities", index)
                faults += _Check(doc, config, ontology, made, broken).entity(place, stream, entity)
    return faults


def _made(config: SourceConfig, ontology: Ontology) -> Iterator[Made]:
    for stream in config.streams.values():
        for entity in stream.entities:
            type_ = ontology.types.get(entity.type)
            if type_ is not None:
                yield entity.space or type_.space, entity.type, len(entity.key or stream.key)


def link_space(link: LinkSpec, prop: Property, ontology: Ontology) -> str | None:
    """The space of the link's key; None when it is not given and the range has several."""
    if link.space:
        return link.space
    spaces = {type_.space for type_ in ontology.range_types(prop.range or PARTY)}
    return spaces.pop() if len(spaces) == 1 else None


def identified(scheme: str, prop: Property, ontology: Ontology) -> Property | None:
    """The property by which things in the reference's range hold identifiers of this scheme."""
    found = (
        candidate
        for type_ in ontology.range_types(prop.range or PARTY)
        for candidate in type_.identifiers
        if candidate.identifier == scheme
    )
    return next(found, None)


class _Check:
    """The faults of one entity of one source."""

    def __init__(
        self,
        doc: YamlDocument,
        config: SourceConfig,
        ontology: Ontology,
        made: Mapping[str, set[Made]],
        broken: Collection[str],
    ) -> None:
        self.doc, self.config, self.ontology, self.made, self.broken = doc, config, ontology, made, broken

    def entity(self, at: Place, stream: StreamConfig, entity: EntitySpec) -> Iterator[Fault]:
        type_ = self.ontology.types.get(entity.type)
        if type_ is None:
            yield self._unknown((*at, "type"), "type", entity.type, self.ontology.types)
            return
        key = entity.key or stream.key
        own = entity.key is not None or self.config.source in self.broken
        if entity.each and (not own or all(part.startswith("^") for part in key)):
            yield self.doc.fault(at, "`each` makes several entities and needs a `key` on the item")
        if not entity.each and "#index" in key:
            yield self.doc.fault((*at, "key"), "`#index` is the position in a list and needs `each`")
        for name, spec in entity.properties.items():
            yield from self._property((*at, "properties", name), type_, name, spec)
        for name, link in entity.links.items():
            yield from self._link((*at, "links", name), type_, name, link)

    def _property(self, at: Place, type_: EntityType, name: str, spec: ValueSpec) -> Iterator[Fault]:
        prop = type_.properties.get(name)
        if prop is None:
            options = [p.name for p in type_.properties.values() if p.type is not PropertyType.REFERENCE]
            yield self._unknown(at, f"property of {type_.name}", name, options)
        elif prop.type is PropertyType.REFERENCE:
            yield self.doc.fault(at, f"{type_.name}.{name} is a reference", expected="an entry under `links`")
        else:
            yield from self._value(at, prop, spec)

    def _value(self, at: Place, prop: Property, spec: ValueSpec) -> Iterator[Fault]:
        if prop.type is PropertyType.MONEY and not self._has_currency(spec):
            expected = "`currency` of the source, or the converter `money`"
            yield self.doc.fault(at, "the amount has no currency", expected=expected)
            return
        constants: list[tuple[Place, Any]] = [((*at, "value"), spec.value), ((*at, "default"), spec.default)]
        last = spec.convert[-1] if spec.convert else None
        constants += [((*at, "convert"), result) for result in (last and last.results()) or ()]
        fit = natural(prop, context_of(self.config, prop.name))
        for place, constant in constants:
            if constant is None:
                continue
            try:
                fit(constant)
            except RecordError as error:
                near = nearest(constant, prop.values) if prop.values else None
                message = f"{constant!r} does not fit {prop.name}: {error.reason}"
                yield self.doc.fault(place, message, nearest=near)

    def _has_currency(self, spec: ValueSpec) -> bool:
        converted = any(isinstance(step, MoneyAmount) for step in spec.convert)
        return converted or self.config.currency is not None or self.config.source in self.broken

    def _link(self, at: Place, type_: EntityType, name: str, link: LinkSpec) -> Iterator[Fault]:
        prop = type_.properties.get(name)
        if prop is None:
            yield self._unknown(at, f"reference of {type_.name}", name, [p.name for p in type_.references])
        elif prop.type is not PropertyType.REFERENCE:
            yield self.doc.fault(
                at, f"{type_.name}.{name} is no reference", expected="an entry under `properties`"
            )
        elif link.identifier:
            yield from self._identifier(at, link.identifier, prop)
        else:
            yield from self._key(at, link, prop)

    def _identifier(self, at: Place, scheme: str, prop: Property) -> Iterator[Fault]:
        if identified(scheme, prop, self.ontology) is None:
            types = self.ontology.range_types(prop.range or PARTY)
            schemes = sorted({p.identifier for t in types for p in t.identifiers if p.identifier})
            yield self._unknown((*at, "identifier"), f"identifier of {prop.range}", scheme, schemes)

    def _key(self, at: Place, link: LinkSpec, prop: Property) -> Iterator[Fault]:
        source = link.source or self.config.source
        if source in self.broken:
            return
        if source not in self.made:
            yield self._unknown((*at, "source"), "source", source, self.made)
            return
        space = link_space(link, prop, self.ontology)
        if space is None:
            yield self.doc.fault(at, f"{prop.range} has several spaces", expected="`space` beside the key")
            return
        yield from self._target((*at, "space") if link.space else at, source, space, link, prop)

    def _target(self, at: Place, source: str, space: str, link: LinkSpec, prop: Property) -> Iterator[Fault]:
        types = {type_.name for type_ in self.ontology.range_types(prop.range or PARTY)}
        made = [one for one in self.made[source] if one[1] in types]
        parts = sorted({one[2] for one in made if one[0] == space})
        if not parts:
            spaces = sorted({one[0] for one in made})
            message = f"leads to nothing: source {source!r} makes no {prop.range} in the space {space!r}"
            expected = f"space {' or '.join(spaces)}" if spaces else None
            yield self.doc.fault(at, message, expected=expected, nearest=nearest(space, spaces))
        elif len(link.key or ()) not in parts:
            message = f"the target's key has {' or '.join(map(str, parts))} parts, not {len(link.key or ())}"
            yield self.doc.fault(at, message)

    def _unknown(self, at: Place, what: str, name: str, options: Sequence[str] | Mapping[str, Any]) -> Fault:
        return self.doc.fault(at, f"unknown {what}: {name!r}", nearest=nearest(name, options))


def context_of(config: SourceConfig, field: str) -> Context:
    """Where a value of this source stands: its field, and the source's defaults."""
    return Context(field, config.region, config.zone, config.currency)
