"""Reads the ontology's files, checks them as a whole, and reports every fault with its position."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from hub.errors import ConfigurationError
from hub.ontology.lint import lint
from hub.ontology.model import EntityType, Ontology, Property, ScopeFact, Survivorship, Taxonomy, TypeSpec
from hub.yamlfile import Fault, YamlDocument, load_yaml, nearest, parse_model

_HERE = Path(__file__).parent


def load_ontology(extra: Sequence[Path] = ()) -> Ontology:
    """The hub's own ontology together with the files of an organisation's own folders `extra`.

    Raises:
        ConfigurationError: with every fault of every file; nothing is loaded by halves.
    """
    return _load(extra) if extra else _own()


@cache
def _own() -> Ontology:
    return _load(())


def _load(extra: Sequence[Path]) -> Ontology:
    faults: list[Fault] = []
    taxonomy = _load_taxonomy(_HERE / "taxonomy.yaml")
    specs = list(_read_specs([_HERE / "types", *extra], faults))
    types = _merge(specs, faults)
    faults += lint(types, taxonomy, {name: doc for doc, spec in specs if (name := spec.type)}, specs)
    if faults:
        raise ConfigurationError(faults)
    scopes: dict[str, ScopeFact] = {name: fact for _, spec in specs for name, fact in spec.scopes.items()}
    return Ontology(
        types=MappingProxyType(types),
        taxonomy=taxonomy,
        sha256=_digest(types, scopes),
        scopes=MappingProxyType(scopes),
    )


def _load_taxonomy(path: Path) -> Taxonomy:
    taxonomy, faults = parse_model(load_yaml(path), Taxonomy)
    if taxonomy is None:
        raise ConfigurationError(faults)
    return taxonomy


def _read_specs(folders: Sequence[Path], faults: list[Fault]) -> Iterator[tuple[YamlDocument, TypeSpec]]:
    for folder in folders:
        if not folder.is_dir():
            faults.append(Fault(str(folder), 1, 1, "", "is not a folder", "a folder of ontology files"))
            continue
        for path in sorted(folder.glob("*.yaml")):
            try:
                doc = load_yaml(path)
            except ConfigurationError as error:
                faults += [fault for fault in error.faults if isinstance(fault, Fault)]
                continue
            spec, found = parse_model(doc, TypeSpec)
            faults += found
            if spec is not None:
                yield doc, spec


def _merge(specs: Sequence[tuple[YamlDocument, TypeSpec]], faults: list[Fault]) -> dict[str, EntityType]:
    properties: dict[str, dict[str, Property]] = {}
    heads: dict[str, TypeSpec] = {}
    for doc, spec in specs:
        if spec.type and spec.type in heads:
            faults.append(
                doc.fault(["type"], f"type {spec.type!r} is defined twice", expected="a name of its own")
            )
        elif spec.type:
            heads[spec.type] = spec
            properties[spec.type] = _named(spec)
    for doc, spec in specs:
        if spec.extends:
            _extend(doc, spec, properties, faults)
    parties = [properties[name] for name, spec in heads.items() if spec.kind == "party"]
    chosen: dict[str, Survivorship] = {}
    for doc, spec in specs:
        _override(doc, spec, parties, chosen, faults)
    return {name: _entity_type(name, heads[name], properties[name]) for name in sorted(heads)}


def _override(
    doc: YamlDocument,
    spec: TypeSpec,
    parties: Sequence[dict[str, Property]],
    chosen: dict[str, Survivorship],
    faults: list[Fault],
) -> None:
    """Give the parties' properties, and what survives together with them, the rules of `spec`."""
    known = {name: prop for party in parties for name, prop in party.items() if prop.survivorship}
    for name, rule in spec.survivorship.items():
        at = ["survivorship", name]
        prop = known.get(name)
        if prop is None:
            near = nearest(name, known)
            faults.append(
                doc.fault(at, f"no party has a property {name!r} to choose by a rule", nearest=near)
            )
        elif chosen.setdefault(prop.group or name, rule) != rule:
            together = f"group {prop.group!r}" if prop.group else name
            faults.append(doc.fault(at, f"another rule is given for {together} already"))
        else:
            for party in parties:
                _choose_by(party, prop, rule)


def _choose_by(party: dict[str, Property], prop: Property, rule: Survivorship) -> None:
    for name, own in party.items():
        if name == prop.name or (own.group is not None and own.group == prop.group):
            party[name] = own.model_copy(update={"survivorship": rule})


def _extend(
    doc: YamlDocument, spec: TypeSpec, properties: dict[str, dict[str, Property]], faults: list[Fault]
) -> None:
    known = properties.get(spec.extends or "")
    if known is None:
        near = nearest(spec.extends, properties)
        faults.append(doc.fault(["extends"], f"there is no type {spec.extends!r}", nearest=near))
        return
    for name, prop in _named(spec).items():
        if name in known:
            faults.append(doc.fault(["properties", name], f"{spec.extends}.{name} exists already"))
        known.setdefault(name, prop)


def _named(spec: TypeSpec) -> dict[str, Property]:
    return {name: prop.model_copy(update={"name": name}) for name, prop in spec.properties.items()}


def _entity_type(name: str, spec: TypeSpec, properties: dict[str, Property]) -> EntityType:
    return EntityType(
        name=name,
        kind=spec.kind,
        label=spec.label or name,
        plural=spec.plural or name[0].lower() + name[1:] + "s",
        description=spec.description,
        space=spec.space or name,
        schema_org=spec.schema_org,
        time=spec.time,
        phase=spec.phase,
        customer=spec.customer,
        title=spec.title,
        properties=MappingProxyType(dict(properties)),
    )


def _digest(types: dict[str, EntityType], scopes: dict[str, ScopeFact]) -> str:
    content: dict[str, object] = {
        name: [
            type_.model_dump(exclude={"properties"}),
            {p.name: p.model_dump() for p in type_.properties.values()},
        ]
        for name, type_ in types.items()
    }
    content["scopes"] = {name: fact.model_dump() for name, fact in scopes.items()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
