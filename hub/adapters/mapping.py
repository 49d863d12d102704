r"""A stream's mapping, compiled once: from one source record to the entities that it states.

A *key* is a text: numbers as their digits, texts without blanks at their ends. The parts of a key of several are
joined by `|`, after `\` and `|` in each part were written `\\` and `\|`, so that different keys never read alike:
order 10248, product 11 is `10248|11`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from hub.adapters.converters import Context, compile_chain, natural
from hub.adapters.converters.base import is_absent, sane, text_of
from hub.adapters.converters.times import iso_instant
from hub.adapters.lint import context_of, identified, link_space
from hub.adapters.paths import Access, CompiledPath, Scope, compile_path, truthy
from hub.adapters.records import Payload
from hub.adapters.specs import EntitySpec, LinkSpec, SourceConfig, StreamConfig, ValueSpec
from hub.errors import RecordError
from hub.graph.entities import Entity, Reference, SharedIdentifier
from hub.ontology import Ontology, Property
from hub.ontology.identifiers import normal_identifier
from hub.store.codec import iso_utc
from hub.values import entity_id

MAX_KEY = 500
"""Characters of a key: keys are indexed, and PostgreSQL refuses index entries beyond about 2,700 bytes."""

Keyed = Callable[[Scope], str | None]


class Maker(Protocol):
    """Makes entities of one kind."""

    def make(self, payload: Payload) -> Iterator[Entity]:
        """The entities of its kind that the record states.

        Raises:
            RecordError: a value does not fit its property.
        """
        ...

    def glimpse(self, payload: Payload) -> Iterator[Entity]:
        """What can be told of those entities where not all of it fits; the id is empty where the key does not."""
        ...


@dataclass(frozen=True, slots=True)
class MappedRecord:
    """What one record states. `observed_at` is ISO UTC text, None when the source does not say."""

    key: str
    observed_at: str | None
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """The compiled mapping of one stream."""

    version: str
    """Changes when the mapping, the source's defaults or the ontology change: records must then be mapped anew."""
    content: str = field(repr=False)
    """What `version` digests, as JSON."""
    fields: frozenset[str]
    """Top-level fields of the record that the mapping reads; others are not covered."""
    _key: Keyed = field(repr=False)
    _observed: Access | None = field(repr=False)
    _entities: tuple[Maker, ...] = field(repr=False)

    def key_of(self, payload: Payload) -> str:
        """The record's key, which is all that is needed to find what is held of it.

        Raises:
            RecordError: the key is missing; quarantine the record.
        """
        return _present(self._key(Scope(payload, payload)), "key")

    def map(self, payload: Payload) -> MappedRecord:
        """What the record states.

        Raises:
            RecordError: a value does not fit its property; names property and reason. Quarantine the record.
        """
        scope = Scope(payload, payload)
        key = _present(self._key(scope), "key")
        observed_at = self._observed(scope) if self._observed else None
        made: dict[str, Entity] = {}
        for maker in self._entities:
            for entity in maker.make(payload):
                known = made.setdefault(entity.id, entity)
                if known is not entity:
                    if not entity.shared or known.type != entity.type:
                        raise RecordError(
                            f"{entity.type}.key",
                            "duplicate_entity",
                            "the record states two entities of one key",
                        )
                    if entity.filled:
                        entity = replace(entity, values={**known.values, **entity.values})
                    made[entity.id] = entity
        return MappedRecord(key, observed_at, tuple(made.values()))

    def glimpse(self, payload: Payload) -> tuple[Entity, ...]:
        """What can be told of a record that `map` refuses: enough to know whom it is about, nothing to serve."""
        return tuple(entity for maker in self._entities for entity in maker.glimpse(payload))


@dataclass(frozen=True, slots=True)
class _EntityMaker:
    type: str
    source: str
    secret: bytes = field(repr=False)
    space: str
    shared: bool
    filled: bool
    when: Access | None
    each: Access | None
    key: Keyed
    values: tuple[tuple[str, Access], ...]

    def make(self, payload: Payload) -> Iterator[Entity]:
        for scope in self._scopes(payload):
            if self.when is None or truthy(_followed(self.when, scope, f"{self.type}.when")):
                yield self._entity(scope)

    def glimpse(self, payload: Payload) -> Iterator[Entity]:
        for scope in _tried(self._scopes, payload) or ():
            if self.when is None or truthy(_tried(self.when, scope)):
                key = _tried(self.key, scope)
                told = {name: _tried(value_in, scope) for name, value_in in self.values}
                values = {name: value for name, value in told.items() if value is not None}
                id_ = entity_id(self.source, self.space, key, self.secret) if key else ""
                yield Entity(id_, self.type, key or "", values, self.shared, filled=self.filled)

    def _scopes(self, payload: Payload) -> list[Scope]:
        if self.each is None:
            return [Scope(payload, payload)]
        items = _followed(self.each, Scope(payload, payload), f"{self.type}.each")
        listed = [] if items is None else items if type(items) is list else [items]
        return [Scope(item, payload, index) for index, item in enumerate(listed)]

    def _entity(self, scope: Scope) -> Entity:
        key = _present(self.key(scope), f"{self.type}.key")
        values: dict[str, Any] = {}
        for name, value_in in self.values:
            value = value_in(scope)
            if value is not None:
                values[name] = value
        id_ = entity_id(self.source, self.space, key, self.secret)
        return Entity(id_, self.type, key, values, self.shared, filled=self.filled)


def compile_stream(
    source: SourceConfig, stream: StreamConfig, ontology: Ontology, name: str, secret: bytes = b""
) -> StreamMapping:
    """The mapping of `source`'s stream called `name`, for configurations that `load_sources` has accepted.

    `secret` is that of the store whose ids the entities get.
    """
    content = _content(source, stream, ontology, name)
    return StreamMapping(
        version=hashlib.sha256(content.encode()).hexdigest(),
        content=content,
        fields=frozenset(_fields(stream)),
        _key=_key("key", stream.key),
        _observed=_observed(source, stream.observed_at) if stream.observed_at else None,
        _entities=tuple(_maker(source, stream, spec, ontology, secret) for spec in stream.entities),
    )


def _content(source: SourceConfig, stream: StreamConfig, ontology: Ontology, name: str) -> str:
    content = [
        ontology.sha256,
        source.model_dump(mode="json", include={"source", "region", "zone", "currency"}),
        name,
        stream.model_dump(mode="json", include={"key", "observed_at", "entities"}),
    ]
    return json.dumps(content, sort_keys=True)


def _maker(
    source: SourceConfig, stream: StreamConfig, spec: EntitySpec, ontology: Ontology, secret: bytes
) -> _EntityMaker:
    type_ = ontology.type(spec.type)
    values = [
        (name, _value(context_of(source, f"{spec.type}.{name}"), type_.properties[name], value))
        for name, value in spec.properties.items()
    ]
    links = [
        (
            name,
            _link(
                context_of(source, f"{spec.type}.{name}"),
                type_.properties[name],
                link,
                ontology,
                _Ids(link.source or source.source, secret),
            ),
        )
        for name, link in spec.links.items()
    ]
    return _EntityMaker(
        type=spec.type,
        source=source.source,
        secret=secret,
        space=spec.space or type_.space,
        shared=bool(spec.shared),
        filled=spec.shared == "filled",
        when=compile_path(spec.when).follow if spec.when else None,
        each=compile_path(spec.each).follow if spec.each else None,
        key=_key(f"{spec.type}.key", spec.key or stream.key),
        values=tuple(values + links),
    )


def _value(context: Context, prop: Property, spec: ValueSpec) -> Access:
    fit = natural(prop, context)
    if spec.path is None:
        constant = fit(spec.value)
        return lambda _scope: constant
    access = _access(spec.path, context.field)
    found: Access = lambda scope: fit(access(scope))  # noqa: E731  (the short form is the hot path)
    if spec.convert:
        chain = compile_chain(spec.convert, context)
        found = lambda scope: fit(_converted(chain, access, scope, context.field))  # noqa: E731
    return _completed(found, fit(spec.default), spec.required, context.field)


def _completed(found: Access, default: Any, required: bool, name: str) -> Access:
    if default is None and not required:
        return found

    def complete(scope: Scope) -> Any:
        value = found(scope)
        if value is None:
            value = default
        if value is None:
            raise RecordError(name, "missing_required", "is required and absent")
        return value

    return complete


def _converted(chain: Callable[[Any, Scope], Any], access: Access, scope: Scope, name: str) -> Any:
    try:
        return chain(access(scope), scope)
    except RecordError as error:
        raise error if error.field else RecordError(name, error.code, error.reason) from None


def _access(paths: tuple[str, ...], name: str) -> Access:
    """The value at the only path, or the list of the values at several."""
    compiled = [compile_path(path) for path in paths]
    followed = [path.follow if path.is_plain else _named(path.follow, name) for path in compiled]
    if len(followed) == 1:
        return followed[0]
    return lambda scope: [follow(scope) for follow in followed]


def _named(follow: Access, name: str) -> Access:
    return lambda scope: _followed(follow, scope, name)


def _followed(follow: Access, scope: Scope, name: str) -> Any:
    try:
        return follow(scope)
    except RecordError as error:
        raise RecordError(name, error.code, error.reason) from None


_Given = TypeVar("_Given")
_Told = TypeVar("_Told")


def _tried(told: Callable[[_Given], _Told], given: _Given) -> _Told | None:
    try:
        return told(given)
    except RecordError:
        return None


@dataclass(frozen=True, slots=True)
class _Ids:
    """Ids of the entities of one source."""

    source: str
    secret: bytes = field(repr=False)


def _link(context: Context, prop: Property, link: LinkSpec, ontology: Ontology, ids: _Ids) -> Access:
    found = _identifier(context, prop, link, ontology) if link.identifier else None
    return _completed(
        found or _reference(context, prop, link, ontology, ids), None, link.required, context.field
    )


def _reference(context: Context, prop: Property, link: LinkSpec, ontology: Ontology, ids: _Ids) -> Access:
    key = _key(context.field, link.key or (), compile_chain(link.convert, context) if link.convert else None)
    home, secret, space = ids.source, ids.secret, link_space(link, prop, ontology) or ""

    def refer(scope: Scope) -> Reference | None:
        target = key(scope)
        return None if target is None else Reference(entity_id(home, space, target, secret))

    return refer


def _identifier(context: Context, prop: Property, link: LinkSpec, ontology: Ontology) -> Access:
    scheme = link.identifier or ""
    holder = identified(scheme, prop, ontology)
    if holder is None:
        raise KeyError(scheme)
    fit = natural(holder.model_copy(update={"many": False}), context)
    access = _access((link.value or "",), context.field)
    chain = compile_chain(link.convert, context)

    def identify(scope: Scope) -> SharedIdentifier | None:
        value = fit(_converted(chain, access, scope, context.field))
        return None if value is None else SharedIdentifier(scheme, normal_identifier(holder.type, str(value)))

    return identify


def _key(name: str, paths: tuple[str, ...], chain: Callable[[Any, Scope], Any] | None = None) -> Keyed:
    context = Context(name)
    accesses = [_access((path,), name) for path in paths]
    if chain is not None:
        accesses = [_chained(chain, access, name) for access in accesses]
    if len(accesses) == 1:
        only = accesses[0]
        return lambda scope: _part(only(scope), context)

    def joined(scope: Scope) -> str | None:
        parts = [_part(access(scope), context) for access in accesses]
        present = [part for part in parts if part is not None]
        if len(present) < len(parts):
            return None
        if sum(map(len, present)) > MAX_KEY:
            raise context.refusal("bad_key", f"is longer than {MAX_KEY} characters")
        return "|".join(present)

    return joined


def _chained(chain: Callable[[Any, Scope], Any], access: Access, name: str) -> Access:
    return lambda scope: _converted(chain, access, scope, name)


_SPECIAL = re.compile(r"[\x00|\\]").search


def _part(value: Any, context: Context) -> str | None:
    if type(value) is str and value.isascii() and len(value) <= MAX_KEY and not _SPECIAL(value):
        return value.strip() or None
    if type(value) is int:
        return text_of(value, context)
    if is_absent(value):
        return None
    if isinstance(value, bool):
        raise context.refusal("bad_key", "a boolean is no key")
    if isinstance(value, Decimal) and sane(value, context) == value.to_integral_value():
        value = int(value)
    text = text_of(value, context)
    if len(text) > MAX_KEY or "\x00" in text or not (text.isascii() or _is_unicode(text)):
        raise context.refusal("bad_key", f"is longer than {MAX_KEY} characters or not valid text")
    if "|" in text or "\\" in text:
        return text.replace("\\", "\\\\").replace("|", "\\|")
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _present(key: str | None, name: str) -> str:
    if key is None:
        raise RecordError(name, "missing_key", "the key, or a part of it, is absent")
    return key


def _observed(source: SourceConfig, spec: ValueSpec) -> Access:
    context = context_of(source, "observed_at")
    parse = iso_instant(context, source.zone)
    chain = compile_chain(spec.convert, context)
    access = _access(spec.path or (), context.field)

    def observe(scope: Scope) -> str | None:
        value = _converted(chain, access, scope, context.field)
        return None if is_absent(value) else iso_utc(parse(value).at)

    return observe


def _fields(stream: StreamConfig) -> Iterator[str]:
    for path in stream.key:
        yield from _names(compile_path(path), item_is_record=True)
    if stream.observed_at:
        yield from _value_fields(stream.observed_at, item_is_record=True)
    if stream.cursor:
        yield stream.cursor
    for entity in stream.entities:
        if entity.each:
            yield from _names(compile_path(entity.each), item_is_record=True)
        on_record = entity.each is None
        for text in filter(None, (entity.when, *(entity.key or ()))):
            yield from _names(compile_path(text), on_record)
        specs: list[ValueSpec | LinkSpec] = [*entity.properties.values(), *entity.links.values()]
        for spec in specs:
            yield from _value_fields(spec, on_record)


def _value_fields(spec: ValueSpec | LinkSpec, item_is_record: bool) -> Iterator[str]:
    texts = (spec.key or (spec.value,)) if isinstance(spec, LinkSpec) else (spec.path or ())
    for text in filter(None, texts):
        yield from _names(compile_path(text), item_is_record)
    for step in spec.convert:
        for path in step.paths():
            yield from _names(path, item_is_record)


def _names(path: CompiledPath, item_is_record: bool) -> frozenset[str]:
    return path.record_fields | path.item_fields if item_is_record else path.record_fields
