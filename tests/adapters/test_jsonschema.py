"""The JSON Schema of the sources: complete against the ontology, the connectors and the converters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hub.adapters.connectors import connectors
from hub.adapters.converters import CONVERTERS
from hub.adapters.jsonschema import source_schema
from hub.ontology import Ontology, PropertyType, load_ontology


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="module")
def schema(ontology: Ontology) -> dict[str, Any]:
    made = source_schema(ontology)
    assert json.loads(json.dumps(made)) == made
    return made


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(inner)


def test_every_reference_leads_to_a_definition(schema: dict[str, Any]) -> None:
    refs = {node["$ref"] for node in nodes(schema) if isinstance(node.get("$ref"), str)}
    assert refs <= {f"#/$defs/{name}" for name in schema["$defs"]}


def test_every_type_offers_its_properties_and_links_with_their_descriptions(
    schema: dict[str, Any], ontology: Ontology
) -> None:
    assert schema["$defs"]["EntitySpec"]["properties"]["type"]["enum"] == list(ontology.types)
    for type_ in ontology.types.values():
        links = {prop.name for prop in type_.references}
        offered = {
            part: schema["$defs"][f"{type_.name}.{part}"]["properties"] for part in ("properties", "links")
        }
        assert set(offered["links"]) == links
        assert set(offered["properties"]) == set(type_.properties) - links
        for name, spec in (offered["properties"] | offered["links"]).items():
            assert type_.properties[name].label in spec["description"]
            if type_.properties[name].type is PropertyType.ENUM:
                assert type_.properties[name].values[0] in spec["description"]


def test_every_converter_and_connector_is_offered(schema: dict[str, Any]) -> None:
    by_name, settings = schema["$defs"]["Converter"]["anyOf"]
    assert set(settings["properties"]) == set(CONVERTERS)
    assert {"trim", "upper", "money", "phone"} <= set(by_name["enum"]) < set(CONVERTERS)
    assert not {"map", "lookup", "date", "split"} & set(by_name["enum"])
    offered = {
        rule["if"]["properties"]["connector"]["properties"]["type"]["const"] for rule in schema["allOf"]
    }
    assert offered == set(connectors())


def test_every_field_of_the_models_is_described(schema: dict[str, Any]) -> None:
    for name in ("StreamConfig", "EntitySpec"):
        for field, spec in schema["$defs"][name]["properties"].items():
            assert spec.get("description"), f"{name}.{field}"
    for field, spec in schema["properties"].items():
        assert spec.get("description"), field


def test_unknown_keys_are_refused_on_every_level(schema: dict[str, Any]) -> None:
    assert schema["additionalProperties"] is False
    for name in ("StreamConfig", "EntitySpec", "Order.properties", "Order.links"):
        assert schema["$defs"][name]["additionalProperties"] is False
