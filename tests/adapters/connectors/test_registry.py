"""The registry: one list, one door for built-in and third-party components, a description for every field."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, TypeAdapter

from hub.adapters import plugins
from hub.adapters.connectors import CONNECTORS, ConnectorChoice, build_connector, connectors
from hub.adapters.records import Batch, ConnectorConfig, RawRecord, StreamRead
from hub.errors import ConfigurationError


class EchoConfig(ConnectorConfig):
    """A connector of a third party."""

    read_model = ConnectorConfig
    type: Literal["echo"]

    def connect(self, context):
        return Echo(context)


class Echo:
    def __init__(self, context):
        self.warnings = []
        self.source = context.source

    def batches(self, stream, cursor, batch_size):
        yield Batch([RawRecord({"source": self.source}, "row 1")], None)

    def close(self):
        pass


class TakenConfig(EchoConfig):
    type: Literal["files"]


def offered(monkeypatch, *names):
    entries = [EntryPoint(name, f"{__name__}:{name}", "hub.connectors") for name in names]
    monkeypatch.setattr(plugins, "installed", lambda group: entries if group == "hub.connectors" else [])


def test_the_built_in_connectors_have_names():
    assert list(connectors()) == [
        "airbyte",
        "amqp",
        "files",
        "imap",
        "kafka",
        "ldap",
        "nats",
        "rest",
        "singer",
        "soap",
        "sql",
        "webhook",
    ]
    config = TypeAdapter(ConnectorChoice).validate_python({"type": "files"})
    assert build_connector(config, "shop", {}, Path("/")).warnings == []


def test_a_third_party_comes_in_by_entry_point(monkeypatch):
    offered(monkeypatch, "EchoConfig")
    kind = connectors()["echo"]
    connector = build_connector(kind(type="echo"), "shop", {})
    [batch] = connector.batches(StreamRead("s", kind(type="echo")), None, 1)
    assert batch.records[0].payload == {"source": "shop"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Echo", "is no ConnectorConfig"),
        ("Gone", "cannot be loaded"),
        ("TakenConfig", "takes the name 'files'"),
    ],
)
def test_a_third_party_that_does_not_fit_is_named(monkeypatch, name, message):
    offered(monkeypatch, name)
    with pytest.raises(ConfigurationError, match=message):
        connectors()


def models(kind, seen):
    """`kind` and every model that its fields hold."""
    if kind not in seen:
        seen.add(kind)
        for field in kind.model_fields.values():
            for inner in found_in(field.annotation):
                models(inner, seen)
    return seen


def found_in(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in getattr(annotation, "__args__", ()) for model in found_in(inner)]


@pytest.mark.parametrize("kind", [*CONNECTORS, *(kind.read_model for kind in CONNECTORS)])
def test_every_field_of_every_model_is_described(kind):
    for model in models(kind, set()):
        assert model.__doc__, model
        for name, field in model.model_fields.items():
            assert field.description, (model, name)
        assert model.model_config["frozen"]
        assert model.model_config["extra"] == "forbid"
    assert kind.model_json_schema()
