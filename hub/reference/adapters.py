"""The page `adapters.md`: every key of a source's YAML, from the models that read it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import get_args

from pydantic import BaseModel

from hub.adapters import paths
from hub.adapters.connectors import FilesRead, KafkaRead, SoapRead, WebhookRead, connectors, rest_models
from hub.adapters.connectors.filesystems import S3Login, SftpLogin
from hub.adapters.connectors.kafka import KafkaSasl
from hub.adapters.connectors.soap_models import SoapHeader, UsernameTokenAuth
from hub.adapters.connectors.webhook import Condition
from hub.adapters.converters import CONVERTERS, Converter, natural
from hub.adapters.formats import CobolSegments, FixedField, FixedSelect, Records, formats
from hub.adapters.schedules import Breaker, Schedule
from hub.adapters.secrets import SecretRef, TextRef, UrlRef
from hub.adapters.signatures import Signature
from hub.adapters.specs import EntitySpec, LinkSpec, SourceConfig, StreamConfig, ValueSpec
from hub.reference.conversions import CONVERSIONS
from hub.reference.examples import EXAMPLES
from hub.reference.markdown import anchor, code, docstring, fenced, header, keys_table, table

Model = type[BaseModel]

_AUTH: tuple[Model, ...] = get_args(get_args(rest_models.Auth)[0])
_SOAP: Mapping[Model, str] = {UsernameTokenAuth: "Login username_token", SoapHeader: "SOAP header"}
_PAGING: tuple[Model, ...] = get_args(get_args(rest_models.Paging)[0])

_RECORDS: tuple[Model, ...] = get_args(get_args(Records)[0])

_SPECS: Mapping[Model, str] = {
    SourceConfig: "Source",
    Schedule: "Schedule",
    Breaker: "Breaker",
    StreamConfig: "Stream",
    EntitySpec: "Entity",
    ValueSpec: "Value",
    LinkSpec: "Link",
}
_SECRETS: Mapping[Model, str] = {
    SecretRef: "Secret",
    TextRef: "Text or secret",
    UrlRef: "Address or secret",
}
_LOGINS: Mapping[Model, str] = {SftpLogin: "Login to an SFTP server", S3Login: "Login to an S3 server"}
_KAFKA: Mapping[Model, str] = {KafkaSasl: "Login to Kafka"}
_WEBHOOK: Mapping[Model, str] = {Signature: "Signature", Condition: "Condition"}
_PARTS: Mapping[Model, str] = {
    CobolSegments: "Kinds of COBOL records",
    FixedField: "Field of a fixed-width record",
    FixedSelect: "Selection of fixed-width records",
}

_INTRODUCTION = """
A source system is one YAML file in the folder of sources (`HUB_CONFIG_DIR`, `adapters_config` unless given). The file's
name is the source's name. `hub check` reports every fault of every file at once, each with file, line and column;
`docs/source.schema.json` lets an editor complete and check the file while you write. A tutorial stands in
[adding-a-source.md](adding-a-source.md).

The parts of a file: a [source](#source) has a [connector](#connectors) and [streams](#stream); a stream says what the
connector reads, and which [entities](#entity) each record states; an entity has [values](#value) and [links](#link);
both may pass through [converters](#converters).
"""


def adapters_page() -> str:
    """The reference of a source's YAML."""
    return "\n".join(
        [
            header("Source YAML", "the models in `hub/adapters`"),
            _INTRODUCTION,
            *_sections(_SPECS, 2),
            "## Paths\n",
            _after_first_line(docstring(paths)),
            "\n## Types of values\n",
            "After its converters a value is fitted to its property's type, which the [ontology](ontology.md) gives.\n",
            _after_first_line(docstring(inspect.getmodule(natural))),
            "\n## Secrets and addresses\n",
            *_sections(_SECRETS, 3),
            "## Connectors\n",
            *_connectors(),
            "## Formats\n",
            _FORMATS,
            *_formats(),
            "## Converters\n",
            _CONVERTERS,
            *(_converter(kind) for _, kind in sorted(CONVERTERS.items())),
        ]
    )


_CONNECTORS = """
How a source is reached: `connector:` in its file. A third party adds connectors by the entry point group
`hub.connectors`.
"""

_FORMATS = """
How the files of a `files` stream are parsed: `format:` in its `read`. A third party adds formats by the entry point
group `hub.formats`.
"""

_CONVERTERS = """
Named steps between a path and its property: `convert: [trim, {map: {A: active}}]`. What one gives, the next takes. A
chain stops as soon as a value is absent. A list goes through value by value, except where a converter takes lists
whole. A value that does not fit sends its record to quarantine.
"""


def _after_first_line(text: str) -> str:
    return text.partition("\n")[2].strip() + "\n"


def _titles() -> dict[str, str]:
    """The heading of every model's section, by the model's name."""
    titled = {**_SPECS, **_SECRETS, **_PARTS}
    for name, kind in connectors().items():
        titled |= {kind: name, kind.read_model: _read_title(name)}
    titled |= {kind: _kind_title(kind, "Login") for kind in _AUTH}
    titled |= {kind: _kind_title(kind, "Paging") for kind in _PAGING}
    titled |= {kind: _kind_title(kind, "Records") for kind in _RECORDS}
    titled |= {
        rest_models.Retries: "Retries",
        rest_models.Incremental: "Incremental reading",
        rest_models.Delta: "Delta",
    }
    titled |= {**_LOGINS, **_KAFKA, **_SOAP, **_WEBHOOK}
    return {model.__name__: title for model, title in titled.items()}


def _links() -> dict[str, str]:
    """Where a table's type leads, by the name that the JSON Schema of a model uses."""
    links = {name: f"[{title.lower()}]({anchor(title)})" for name, title in _titles().items()}
    formats_link = "[format](#formats)"
    links |= {kind.__name__: formats_link for kind in formats().values()}
    return links | {
        "ConnectorConfig": "[connector](#connectors)",
        "ConfigModel": "what its connector reads: " + " or ".join(_read_link(name) for name in connectors()),
        "Converter": "[converters](#converters)",
    }


def _read_title(connector: str) -> str:
    return f"What a {connector} stream reads"


def _read_link(connector: str) -> str:
    return f"[{connector}]({anchor(_read_title(connector))})"


def _kind_title(model: Model, what: str) -> str:
    return f"{what} {_kind(model)}"


def _kind(model: Model) -> str:
    return str(get_args(model.model_fields["type"].annotation)[0])


def _sections(titles: Mapping[Model, str], level: int) -> Iterator[str]:
    return (_section(model, title, level) for model, title in titles.items())


def _section(model: Model, title: str, level: int) -> str:
    parts = [f"{'#' * level} {title}\n", docstring(model) + "\n", keys_table(model, _links())]
    if example := EXAMPLES.get(model.__name__):
        parts.append(fenced("yaml", example.text))
    return "\n".join(parts)


def _connectors() -> Iterator[str]:
    yield _CONNECTORS
    for name, kind in connectors().items():
        yield _section(kind, name, 3)
        yield _section(kind.read_model, _read_title(name), 4)
        if kind.read_model is rest_models.RestRead:
            yield from _rest()
        if kind.read_model is FilesRead:
            yield from _sections(_LOGINS, 4)
        if kind.read_model is KafkaRead:
            yield from _sections(_KAFKA, 4)
        if kind.read_model is WebhookRead:
            yield from _sections(_WEBHOOK, 4)
        if kind.read_model is SoapRead:
            yield from _sections(_SOAP, 4)


def _rest() -> Iterator[str]:
    yield _section(rest_models.Incremental, "Incremental reading", 4)
    yield _section(rest_models.Delta, "Delta", 4)
    yield _section(rest_models.Retries, "Retries", 4)
    for what, kinds in (("Login", _AUTH), ("Paging", _PAGING)):
        yield from (_section(kind, _kind_title(kind, what), 4) for kind in kinds)


def _formats() -> Iterator[str]:
    named: dict[Model, list[str]] = {}
    for name, kind in formats().items():
        named.setdefault(kind, []).append(name)
    yield from (_section(kind, ", ".join(names), 3) for kind, names in named.items())
    yield from (_section(kind, _kind_title(kind, "Records"), 4) for kind in _RECORDS)
    yield from _sections(_PARTS, 4)


def _converter(kind: type[Converter]) -> str:
    parts = [f"### {kind.name}\n", docstring(kind) + "\n"]
    if kind.shorthand:
        parts.append(f"A plain value stands for {code(kind.shorthand)}.\n")
    if kind.takes_list:
        parts.append("Takes a list whole.\n")
    parts.append(keys_table(kind, _links()))
    if example := CONVERSIONS.get(kind.name):
        parts.append(
            table(("in YAML", "takes", "gives"), [_example_row(example.yaml, example.before, example.after)])
        )
    return "\n".join(parts)


def _example_row(yaml: str, before: str, after: str) -> tuple[str, str, str]:
    return code(yaml), code(before), after if after == "nothing" else code(after)
