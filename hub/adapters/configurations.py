"""What was configured when: policy, ontology and sources are kept as they come into force, names and structure only.

No address, secret or value is kept: of a source the fields that it is read by, and what each becomes. So the access
map of any past day can be told, an event be judged by the policy that its hash names, and two days be compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import Connection, insert, select

from hub.access import AccessMap, Policy, compile_policy
from hub.adapters.specs import EntitySpec, SourceConfig
from hub.ontology import CUSTOMER, Category, Ontology, Taxonomy
from hub.store import Store, fixed, utc_now

Kind = Literal["policy", "ontology", "sources"]
KINDS: Final[tuple[Kind, ...]] = ("policy", "ontology", "sources")

_TABLE = fixed.configuration


@dataclass(frozen=True, slots=True)
class KeptConfiguration:
    """One configuration, from when on it was in force."""

    kind: Kind
    sha256: str
    since: str
    """ISO UTC text."""
    content: Mapping[str, Any] = field(repr=False, compare=False)


def keep_configurations(
    store: Store, access: AccessMap, ontology: Ontology, sources: Mapping[str, SourceConfig]
) -> None:
    """Keep each of the three where it is not what was last kept of its kind."""
    found: dict[Kind, tuple[str, Mapping[str, Any]]] = {
        "policy": (access.sha256, policy_content(access, ontology.taxonomy)),
        "ontology": _hashed(ontology_content(ontology)),
        "sources": _hashed(sources_content(sources)),
    }
    with store.read() as connection:
        changed = [kind for kind, (sha256, _) in found.items() if _newest(connection, kind) != sha256]
    if not changed:
        return
    with store.write() as connection:
        for kind in changed:
            sha256, content = found[kind]
            # Another process may have been quicker.
            if _newest(connection, kind) != sha256:
                text = json.dumps(content, sort_keys=True)
                row = {"kind": kind, "sha256": sha256, "content": text, "since": utc_now()}
                connection.execute(insert(_TABLE).values(row))


def kept_configurations(connection: Connection, kind: Kind) -> list[KeptConfiguration]:
    """Those of the kind, the oldest first."""
    rows = connection.execute(select(_TABLE).where(_TABLE.c.kind == kind).order_by(_TABLE.c.id))
    return [KeptConfiguration(kind, row.sha256, row.since, json.loads(row.content)) for row in rows]


def _newest(connection: Connection, kind: Kind) -> str | None:
    newest = select(_TABLE.c.sha256).where(_TABLE.c.kind == kind).order_by(_TABLE.c.id.desc()).limit(1)
    return connection.execute(newest).scalar()


def _hashed(content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(), content


# what is kept of each


def policy_content(access: AccessMap, taxonomy: Taxonomy) -> Mapping[str, Any]:
    """The policy, and the categories that its decisions follow."""
    categories = [[each.key, each.label, each.special] for each in taxonomy.data_categories]
    return {"policy": access.policy.model_dump(mode="json"), "categories": categories}


def access_of(kept: KeptConfiguration) -> tuple[AccessMap, Taxonomy]:
    """The policy that was kept, compiled again, with the categories of then."""
    categories = tuple(
        Category(key=key, label=label, special=special) for key, label, special in kept.content["categories"]
    )
    taxonomy = Taxonomy(data_categories=categories, data_uses=(), data_subjects=())
    return compile_policy(policy_of(kept), taxonomy), taxonomy


def policy_of(kept: KeptConfiguration) -> Policy:
    """The policy that was kept, as its file said it."""
    return Policy.model_validate(kept.content["policy"])


def ontology_content(ontology: Ontology) -> Mapping[str, Any]:
    """Each property with its type and data category."""
    properties = {f"{CUSTOMER}.{name}": each for name, each in ontology.customer_properties.items()}
    for type_ in ontology.types.values():
        properties |= {f"{type_.name}.{name}": each for name, each in type_.properties.items()}
    return {name: {"type": each.type.value, "category": each.category} for name, each in properties.items()}


def sources_content(sources: Mapping[str, SourceConfig]) -> Mapping[str, Any]:
    """By source and stream, each path of a record with what it becomes."""
    return {
        name: {
            "label": source.title,
            "department": source.department,
            "streams": {stream: _fields(config.entities) for stream, config in source.streams.items()},
        }
        for name, source in sources.items()
    }


def _fields(entities: tuple[EntitySpec, ...]) -> Mapping[str, list[str]]:
    found: dict[str, set[str]] = {}
    for entity in entities:
        for path, target in _targets(entity):
            found.setdefault(path, set()).add(target)
    return {path: sorted(targets) for path, targets in found.items()}


def _targets(entity: EntitySpec) -> Iterator[tuple[str, str]]:
    """Each path that the entity is made of, and the property that it becomes."""
    within = f"{entity.each}." if entity.each else ""
    for name, value in entity.properties.items():
        for path in value.path or ():
            yield within + path, f"{entity.type}.{name}"
    for name, link in entity.links.items():
        for read in link.key or (link.value or "",):
            yield within + read, f"{entity.type}.{name}"
