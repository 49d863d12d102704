"""The configured source systems: every YAML of a folder read, checked as a whole, and every fault reported at once."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError

from hub.adapters.connectors import connectors
from hub.adapters.converters import CONVERTERS
from hub.adapters.converters.base import Converter
from hub.adapters.lint import lint
from hub.adapters.records import ConfigModel, ConnectorConfig, SettingError
from hub.adapters.specs import EntitySpec, LinkSpec, SourceConfig, StreamConfig, ValueSpec
from hub.errors import ConfigurationError
from hub.graph.entities import STAFF
from hub.ontology import Ontology
from hub.yamlfile import Fault, PathKey, YamlDocument, load_yaml, nearest, parse_model

__all__ = ["EntitySpec", "LinkSpec", "SourceConfig", "StreamConfig", "ValueSpec", "load_sources"]

Place = tuple[PathKey, ...]
M = TypeVar("M", bound=ConfigModel)

_MAX_PRUNINGS = 20
"""Rounds of cutting faulty parts out of a file: each round may bring faults of the remaining whole to light."""


def load_sources(folder: Path, ontology: Ontology) -> Mapping[str, SourceConfig]:
    """Every source that a YAML file in `folder` describes, by name.

    Raises:
        ConfigurationError: with every fault of every file; nothing is loaded by halves.
    """
    faults: list[Fault] = []
    if not folder.is_dir():
        raise ConfigurationError(
            [Fault(str(folder), 1, 1, "", "is not a folder", "a folder of source files")]
        )
    loaded: dict[str, tuple[YamlDocument, SourceConfig]] = {}
    broken: set[str] = set()
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml")):
        known = len(faults)
        doc, config = _load(path, faults)
        if doc is None or config is None:
            broken.add(path.stem)
            continue
        faults += _name_faults(doc, config, path, loaded)
        if len(faults) > known:
            broken |= {path.stem, config.source}
        loaded.setdefault(config.source, (doc, config))
    faults += lint(loaded, broken, ontology)
    if faults:
        faults.sort(key=_place)
        raise ConfigurationError(faults)
    return MappingProxyType({name: config for name, (_, config) in loaded.items()})


def _name_faults(
    doc: YamlDocument, config: SourceConfig, path: Path, loaded: Container[str]
) -> Iterator[Fault]:
    if config.source in loaded:
        yield doc.fault(["source"], f"source {config.source!r} is described in two files")
    elif config.source in STAFF:
        yield doc.fault(
            ["source"], f"{config.source!r} is a source of the hub's own", expected="another name"
        )
    elif config.source != path.stem:
        yield doc.fault(["source"], f"{config.source!r} is not the file's name", expected=repr(path.stem))


def _place(fault: Fault) -> tuple[str, int, int]:
    return fault.file, fault.line, fault.column


def _load(path: Path, faults: list[Fault]) -> tuple[YamlDocument | None, SourceConfig | None]:
    try:
        doc = load_yaml(path)
    except ConfigurationError as error:
        faults += [fault for fault in error.faults if isinstance(fault, Fault)]
        return None, None
    if not isinstance(doc.data, dict):
        faults.append(doc.fault([], "is no mapping of keys", expected="source, connector, streams"))
        return None, None
    typed = _Typed(doc, path.parent, faults).data()
    config, found = parse_model(replace(doc, data=typed), SourceConfig)
    faults += found
    return doc, config or _sound_part(typed, path.stem)


def _sound_part(data: dict[str, Any], name: str) -> SourceConfig | None:
    """What remains of the source without its faulty parts, so that their neighbours are still checked."""
    fillers = {"source": name, "connector": ConnectorConfig(), "read": ConfigModel(), "key": "key"}
    for _ in range(_MAX_PRUNINGS):
        try:
            return SourceConfig.model_validate(data)
        except ValidationError as error:
            for item in reversed(error.errors(include_input=False)):
                *place, last = item["loc"]
                if item["type"] == "missing" and last in fillers:
                    _inside(data, place)[-1][1][last] = fillers[str(last)]
                elif not _cut(data, item["loc"]):
                    return None
    return None


def _cut(data: dict[str, Any], place: Sequence[PathKey]) -> bool:
    """Whether the deepest part of `place` that exists could be cut out of `data`.

    From a list goes also what follows, or positions would point at the wrong item.
    """
    levels = _inside(data, place)
    if len(levels) == 1:
        return False
    key, parent = levels[-1][0], levels[-2][1]
    if isinstance(parent, list):
        del parent[key:]
    else:
        del parent[key]
    return True


def _inside(data: Any, place: Sequence[PathKey]) -> list[tuple[Any, Any]]:
    """Key and value of each level of `data` along `place`, as far as it exists; the first is `data` itself."""
    levels: list[tuple[Any, Any]] = [(None, data)]
    for key in place:
        here = levels[-1][1]
        exists = key in here if isinstance(here, dict) else isinstance(here, list) and isinstance(key, int)
        if not exists or (isinstance(here, list) and isinstance(key, int) and key >= len(here)):
            break
        levels.append((key, here[key]))
    return levels


class _Typed:
    """Puts the models that YAML chooses by name in place of their raw data: connector, `read`, converters.

    What has a fault is replaced by something harmless, so that the rest of the file is still checked.
    """

    def __init__(self, doc: YamlDocument, folder: Path, faults: list[Fault]) -> None:
        self.doc, self.folder, self.faults = doc, folder, faults

    def data(self) -> dict[str, Any]:
        data = dict(self.doc.data)
        connector: ConnectorConfig | None = None
        if "connector" in data:
            connector = self._connector(data["connector"])
            data["connector"] = connector or ConnectorConfig()
        streams = data.get("streams")
        if isinstance(streams, dict):
            data["streams"] = {
                name: self._stream(("streams", name), stream, connector) for name, stream in streams.items()
            }
        return data

    def _connector(self, raw: Any) -> ConnectorConfig | None:
        known = connectors()
        options = ", ".join(known)
        if not isinstance(raw, dict) or "type" not in raw:
            self._add(("connector",), "names no `type`", expected=f"one of {options}")
            return None
        kind = str(raw["type"])
        if kind not in known:
            message = f"{kind!r} is not known"
            self._add(
                ("connector", "type"), message, expected=f"one of {options}", nearest=nearest(kind, known)
            )
            return None
        return self._parsed(known[kind], ("connector",))

    def _stream(self, at: Place, raw: Any, connector: ConnectorConfig | None) -> Any:
        if not isinstance(raw, dict):
            return raw
        stream = dict(raw)
        if "read" in stream:
            stream["read"] = self._read((*at, "read"), connector) or ConfigModel()
        if "observed_at" in stream:
            stream["observed_at"] = self._value((*at, "observed_at"), stream["observed_at"])
        if isinstance(stream.get("entities"), list):
            stream["entities"] = [
                self._entity((*at, "entities", index), entity)
                for index, entity in enumerate(stream["entities"])
            ]
        return stream

    def _read(self, at: Place, connector: ConnectorConfig | None) -> ConfigModel | None:
        read = self._parsed(connector.read_model, at) if connector else None
        try:
            return read and read.prepared(self.folder)
        except ConfigurationError as error:
            self.faults += [fault for fault in error.faults if isinstance(fault, Fault)]
        except SettingError as error:
            self._add((*at, *error.place), error.message, nearest=error.nearest)
        return None

    def _entity(self, at: Place, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        entity = dict(raw)
        for part in ("properties", "links"):
            if isinstance(entity.get(part), dict):
                entity[part] = {
                    name: self._value((*at, part, name), value) for name, value in entity[part].items()
                }
        return entity

    def _value(self, at: Place, raw: Any) -> Any:
        if not isinstance(raw, dict) or "convert" not in raw:
            return raw
        place = (*at, "convert")
        chain = raw["convert"]
        if not isinstance(chain, list):
            steps = [self._converter(place, chain)]
        else:
            steps = [self._converter((*place, index), step) for index, step in enumerate(chain)]
        return {**raw, "convert": tuple(step for step in steps if step is not None)}

    def _converter(self, at: Place, raw: Any) -> Converter | None:
        if isinstance(raw, str):
            name, place = raw, at
        elif isinstance(raw, dict) and len(raw) == 1:
            name = str(next(iter(raw)))
            place = (*at, name)
        else:
            self._add(at, "is no converter", expected="a name, or one name with its settings")
            return None
        kind = CONVERTERS.get(name)
        if kind is None:
            self._add(place, f"unknown converter {name!r}", nearest=nearest(name, CONVERTERS))
            return None
        converter = self._bare(kind, place) if isinstance(raw, str) else self._parsed(kind, place)
        try:
            return converter and converter.prepared(self.folder)
        except ValueError as error:
            self._add(place, str(error))
            return None

    def _bare(self, kind: type[Converter], at: Place) -> Converter | None:
        try:
            return kind()
        except ValidationError:
            settings = ", ".join(kind.model_fields)
            self._add(
                at,
                f"converter {kind.name!r} needs settings",
                expected=f"{{{kind.name}: ...}} with {settings}",
            )
            return None

    def _parsed(self, model: type[M], at: Place) -> M | None:
        parsed, found = parse_model(self.doc, model, at)
        self.faults += found
        return parsed

    def _add(
        self, at: Place, message: str, *, expected: str | None = None, nearest: str | None = None
    ) -> None:
        self.faults.append(self.doc.fault(at, message, expected=expected, nearest=nearest))
