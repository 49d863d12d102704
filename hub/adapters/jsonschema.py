"""The JSON Schema of a source's YAML, by which editors complete and check it.

Made from the models and the ontology: types, the properties and links of each type, connectors and what each reads,
converters and their settings. Draft 2020-12.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from hub.adapters.connectors import connectors
from hub.adapters.converters import CONVERTERS
from hub.adapters.converters.base import Converter
from hub.adapters.records import ConfigModel
from hub.adapters.specs import SourceConfig
from hub.ontology import EntityType, Ontology, Property, PropertyType

Schema = dict[str, Any]


def source_schema(ontology: Ontology) -> Schema:
    """The schema of `adapters_config/<source>.yaml`, ready for JSON."""
    kinds = connectors()
    models: list[type[ConfigModel]] = [SourceConfig, *CONVERTERS.values()]
    for kind in dict.fromkeys(kinds.values()):
        models += [kind, kind.read_model]
    chosen, made = models_json_schema([(model, "validation") for model in models])
    defs: Schema = made["$defs"]
    refs = {model: chosen[(model, "validation")] for model in models}
    source = defs.pop(SourceConfig.__name__)

    defs["ConnectorConfig"] = {"oneOf": [refs[kind] for kind in dict.fromkeys(kinds.values())]}
    defs["ConfigModel"] = {"type": "object", "description": "What the connector reads."}
    defs["Converter"] = _converter(refs, defs)
    for name, shorthand in (("ValueSpec", "path"), ("LinkSpec", "key")):
        defs[name] = _with_shorthand(defs[name], shorthand)
    defs["EntitySpec"] = _entity(defs["EntitySpec"], ontology)
    defs |= {f"{type_.name}.properties": _properties(type_) for type_ in ontology.types.values()}
    defs |= {f"{type_.name}.links": _links(type_) for type_ in ontology.types.values()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Source system of the customer knowledge hub",
        **{key: value for key, value in source.items() if key != "title"},
        "allOf": [_reads(name, refs[kind.read_model]) for name, kind in kinds.items()],
        "$defs": dict(sorted(defs.items())),
    }


def _reads(connector: str, read: Schema) -> Schema:
    """When the connector is of this type, then every stream's `read` has the model that belongs to it."""
    chosen = {"properties": {"type": {"const": connector}}, "required": ["type"]}
    stream = {"properties": {"read": read}}
    return {
        "if": {"properties": {"connector": chosen}, "required": ["connector"]},
        "then": {"properties": {"streams": {"additionalProperties": stream}}},
    }


def _converter(refs: dict[type[ConfigModel], Schema], defs: Schema) -> Schema:
    bare = [name for name, kind in CONVERTERS.items() if not _needs_settings(kind)]
    settings = {name: _settings(kind, refs[kind], defs) for name, kind in CONVERTERS.items()}
    one = {"type": "object", "properties": settings, "additionalProperties": False}
    return {
        "description": "A converter's name, or the name with its settings.",
        "anyOf": [{"enum": sorted(bare)}, {**one, "minProperties": 1, "maxProperties": 1}],
    }


def _needs_settings(kind: type[Converter]) -> bool:
    return any(field.is_required() for field in kind.model_fields.values()) or kind.name == "lookup"


def _settings(kind: type[Converter], ref: Schema, defs: Schema) -> Schema:
    options = [ref]
    if kind.shorthand is not None:
        options.append(defs[kind.__name__]["properties"][kind.shorthand])
    if not _needs_settings(kind):
        options.append({"type": "null"})
    return {"description": kind.__doc__, "anyOf": options}


def _with_shorthand(spec: Schema, shorthand: str) -> Schema:
    properties = dict(spec["properties"])
    one = {"$ref": "#/$defs/Converter"}
    properties["convert"] = {
        "description": properties["convert"]["description"],
        "anyOf": [{"type": "array", "items": one}, one],
    }
    plain = {"type": ["string", "array"], "description": properties[shorthand]["description"]}
    return {"anyOf": [plain, {**spec, "properties": properties}]}


def _entity(spec: Schema, ontology: Ontology) -> Schema:
    properties = dict(spec["properties"])
    properties["type"] = {**properties["type"], "enum": list(ontology.types)}
    return {**spec, "properties": properties, "allOf": [_of_type(type_) for type_ in ontology.types.values()]}


def _of_type(type_: EntityType) -> Schema:
    parts = {part: {"$ref": f"#/$defs/{type_.name}.{part}"} for part in ("properties", "links")}
    return {
        "if": {"properties": {"type": {"const": type_.name}}, "required": ["type"]},
        "then": {"properties": parts},
    }


def _properties(type_: EntityType) -> Schema:
    return _named(
        "ValueSpec", (prop for prop in type_.properties.values() if prop.type is not PropertyType.REFERENCE)
    )


def _links(type_: EntityType) -> Schema:
    return _named("LinkSpec", type_.references)


def _named(spec: str, props: Iterable[Property]) -> Schema:
    described = {prop.name: {"$ref": f"#/$defs/{spec}", "description": _words_of(prop)} for prop in props}
    return {"type": "object", "properties": described, "additionalProperties": False}


def _words_of(prop: Property) -> str:
    values = f" One of {', '.join(prop.values)}." if prop.values else ""
    unit = f" In {prop.unit}." if prop.unit else ""
    return f"{prop.label} ({prop.range or prop.type}). {prop.description}{values}{unit}".strip()
