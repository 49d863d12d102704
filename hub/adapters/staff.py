"""What staff say by commands, as records of sources of the hub's own: landed, mapped and applied as any others.

There is no connector to read: `StaffRecords.write` lands records in the transaction of whoever gives the command. Each
record says who, for what purpose, why and when; the audit log has no place for the why, which may be personal.

| source    | stream         | a record states                                                          |
|-----------|----------------|--------------------------------------------------------------------------|
| `desk`    | `customers`    | a party without values, to which a customer's consents and interactions are tied |
| `desk`    | `consents`     | a consent                                                                |
| `desk`    | `restrictions` | a restriction or an objection                                            |
| `desk`    | `interactions` | an interaction                                                           |
| `steward` | `corrections`  | a party with the values of one rule of survivorship as they should be     |
| `agent`   | `corrections`  | the like, as the customer said in a call                                  |
| `agent`   | `callers`      | a party that no source knew, as somebody said in a call who they are      |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Connection

from hub.adapters import landing, runs
from hub.adapters.converters import Context, natural
from hub.adapters.converters.iso import CURRENCIES
from hub.adapters.landing import Accepted, Incoming
from hub.adapters.mapping import StreamMapping
from hub.adapters.mappings import keep_mapping
from hub.adapters.paths import compile_path
from hub.adapters.payload import digest, dump
from hub.adapters.records import (
    Batch,
    ConfigModel,
    Connector,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    Payload,
    StreamRead,
)
from hub.adapters.runs import Counts
from hub.adapters.specs import EntitySpec, SourceConfig, StreamConfig
from hub.errors import RecordError
from hub.graph import Applied, Entity, GraphWriter, Reference, Statement
from hub.graph.anchors import Anchors
from hub.graph.entities import AGENT, DESK, STEWARD
from hub.ontology import EntityType, Ontology, Property, PropertyType
from hub.store import Store, fixed
from hub.values import Instant, Money, entity_id

CUSTOMERS, CONSENTS, RESTRICTIONS = "customers", "consents", "restrictions"
INTERACTIONS, CORRECTIONS, CALLERS = "interactions", "corrections", "callers"

AGENTS_TRUST = 95
"""How far agents are trusted, who heard it from the customer: more than most sources."""

FORM = 1
"""Version of the payloads' form; raised with it, so that what is held is mapped anew."""


class _Nothing:
    """A source that waits to be told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def batches(self, stream: StreamRead[Any], cursor: Cursor | None, batch_size: int) -> Iterator[Batch]:
        """Nothing: commands write what there is."""
        del stream, cursor, batch_size
        return iter(())

    def close(self) -> None:
        """Nothing was opened."""


class StaffConnector(ConnectorConfig):
    """Reaches nothing; no YAML can choose it."""

    type: Literal["staff"] = "staff"

    def connect(self, context: ConnectorContext) -> Connector:
        """A connector that gives no records."""
        del context
        return _Nothing()


def _source(name: str, label: str, streams: Mapping[str, str], **more: int) -> SourceConfig:
    made = {
        stream: StreamConfig(read=ConfigModel(), key=("key",), entities=(EntitySpec(type=type_),))
        for stream, type_ in streams.items()
    }
    return SourceConfig(source=name, label=label, connector=StaffConnector(), streams=made, **more)


STAFF_SOURCES: Mapping[str, SourceConfig] = MappingProxyType(
    {
        DESK: _source(
            DESK,
            "Notes of staff",
            {
                CUSTOMERS: "Person",
                CONSENTS: "Consent",
                RESTRICTIONS: "Restriction",
                INTERACTIONS: "Interaction",
            },
        ),
        STEWARD: _source(STEWARD, "Corrections of stewards", {CORRECTIONS: "Person"}),
        AGENT: _source(
            AGENT,
            "What callers said to agents",
            {CORRECTIONS: "Person", CALLERS: "Person"},
            trust=AGENTS_TRUST,
        ),
    }
)
"""The sources of the hub's own. Which type a record states is said in the record."""


def exact(type_: EntityType, prop: Property, raw: Any) -> Any:
    """The exact value that `raw` spells: a text, or what JSON has for the property's type; money as `12.50 EUR`.

    A reference is spelled by the id of its target.

    Raises:
        RecordError: it does not fit the property; the message holds no value.
    """
    context = Context(f"{type_.name}.{prop.name}")
    if prop.type is PropertyType.REFERENCE:
        return Reference(raw)
    if prop.type is PropertyType.MONEY:
        amount, _, currency = str(raw).rpartition(" ")
        if currency not in CURRENCIES:
            raise context.refusal("bad_value", "is no amount with its ISO 4217 currency, like 12.50 EUR")
        return natural(prop, Context(context.field, currency=currency))(amount)
    return natural(prop, context)(raw)


def spelled(value: Any) -> Any:
    """An exact value as `exact` takes it and as JSON holds it."""
    if isinstance(value, Money):
        return f"{value.amount} {value.currency}"
    if isinstance(value, Instant):
        return value.at.isoformat()
    if isinstance(value, Reference):
        return value.target_id
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the entity that a record of staff's states, of whatever type it says."""

    source: str
    ontology: Ontology
    secret: bytes = field(repr=False)

    def make(self, payload: Payload) -> Iterator[Entity]:
        """The entity; none where the record takes back what it said."""
        if payload["values"] is None:
            return
        type_ = self.ontology.types.get(payload["type"])
        if type_ is None:
            raise RecordError("type", "not_in_ontology", "is no type of the ontology any more")
        values = {name: exact(type_, _property(type_, name), raw) for name, raw in payload["values"].items()}
        id_ = entity_id(self.source, type_.space, payload["key"], self.secret)
        yield Entity(id_, type_.name, payload["key"], values, anchors=tuple(payload["anchors"]))

    def glimpse(self, payload: Payload) -> Iterator[Entity]:
        """The entity, or nothing: what staff say fits as long as the ontology stays as it is."""
        with suppress(RecordError):
            yield from self.make(payload)


def _property(type_: EntityType, name: str) -> Property:
    prop = type_.properties.get(name)
    if prop is None:
        raise RecordError(
            f"{type_.name}.{name}", "not_in_ontology", "is no property of the ontology any more"
        )
    return prop


def staff_mapping(source: str, ontology: Ontology, secret: bytes) -> StreamMapping:
    """The mapping of all streams of a source of the hub's own."""
    said = json.dumps([FORM, source, ontology.sha256])
    return StreamMapping(
        version=hashlib.sha256(said.encode()).hexdigest(),
        content=said,
        fields=frozenset(("key", "type", "values", "anchors", "at")),
        _key=compile_path("key").follow,
        _observed=compile_path("at").follow,
        _entities=(_Maker(source, ontology, secret),),
    )


@dataclass(frozen=True, slots=True)
class Said:
    """One record: what somebody says of one thing. No `values` take back what the record said before."""

    source: str
    stream: str
    key: str
    type: str
    values: Mapping[str, Any] | None = field(repr=False)
    """By property, as `spelled` gives them."""
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who says it, why and when, as the record keeps it."""

    actor: str = field(repr=False)
    purpose: str
    reason: str | None = field(repr=False)
    at: str
    """ISO UTC text as the store writes it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of records of staff's."""

    run_id: int
    record_ids: tuple[int, ...]
    """The landed versions, in the order of the records."""
    applied: Applied


class StaffRecords:
    """Writes what staff say, in the transaction of the command that says it."""

    def __init__(
        self, store: Store, graph: GraphWriter, mapping: Callable[[str, str], StreamMapping]
    ) -> None:
        self._store = store
        self._graph = graph
        self._mapping = mapping

    def anchors(self, connection: Connection, party_id: str) -> tuple[str, ...]:
        """What the party is tied to now."""
        return tuple(Anchors(self._store).of(connection, [party_id]).get(party_id, ()))

    def entity_id(self, said: Said) -> str:
        """The id of the entity that the record states."""
        space = self._store.ontology.type(said.type).space
        return entity_id(said.source, space, said.key, self._store.secret)

    def write(self, connection: Connection, said: Sequence[Said], circumstances: Circumstances) -> Written:
        """Land records of one source as a run of their own, and bring what they state into the graph.

        Raises:
            RecordError: a value does not fit its property; the transaction has to be undone.
        """
        source = said[0].source
        run_id = runs.note_command(connection, source)
        record_ids: list[int] = []
        statements: list[Statement] = []
        for each in said:
            statement = self._land(connection, run_id, each, circumstances)
            statements.append(statement)
            record_ids.append(statement.record_id)
        applied = self._graph.apply(connection, run_id, statements)
        for stream in dict.fromkeys(each.stream for each in said):
            count = sum(each.stream == stream for each in said)
            version = self._mapping(source, stream).version
            runs.add_counts(connection, run_id, stream, Counts(read=count, accepted=count), version)
        return Written(run_id, tuple(record_ids), applied)

    def _land(
        self, connection: Connection, run_id: int, said: Said, circumstances: Circumstances
    ) -> Statement:
        mapping = self._mapping(said.source, said.stream)
        payload = _payload(said, circumstances)
        content = dump(payload)
        incoming = Incoming(said.key, digest(content).hex(), "command", content.decode(), payload)
        accepted = Accepted(incoming, mapping.map(payload), stale=False)
        heads = landing.known_heads(self._store, connection, said.source, said.stream, [said.key])
        [landed] = landing.land(self._store, connection, run_id, said.source, said.stream, [accepted], heads)
        state = (said.source, said.stream, mapping.version)
        columns = ("source", "stream", "mapping_version")
        self._store.dialect.upsert(
            connection, fixed.stream_state, columns, [state], keep=("mapping_version",)
        )
        keep_mapping(self._store, connection, run_id, said.source, said.stream, mapping)
        return Statement(
            said.source,
            said.stream,
            said.key,
            landed.head_id,
            landed.record_id,
            accepted.observed_at,
            accepted.mapped.entities,
        )


def _payload(said: Said, circumstances: Circumstances) -> Payload:
    return {
        "key": said.key,
        "type": said.type,
        "values": None if said.values is None else dict(said.values),
        "anchors": list(said.anchors),
        "actor": circumstances.actor,
        "purpose": circumstances.purpose,
        "reason": circumstances.reason,
        "at": circumstances.at,
    }
