"""How well the shipped models find the demo company's customers, whose truth is known.

    python bench/demo_quality.py [--people 2000] [--organisations 150] [--step 0 --step 1 ...]

Profiles, blocking, scoring and grouping run in memory with the hub's own code, on what the five sources state.
"""

from __future__ import annotations

import argparse
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from hub.adapters.config import load_sources
from hub.adapters.mapping import compile_stream
from hub.adapters.records import BadRecord, ConnectorContext, StreamRead
from hub.adapters.specs import SourceConfig
from hub.demo import HelpDesk, Truth, erp_address, generate
from hub.errors import RecordError
from hub.graph import Entity
from hub.graph.resolution import PartyKind, shipped_models
from hub.graph.resolution.evaluation import Quality, in_memory, pairwise
from hub.graph.resolution.profiles import Profile, profile_of
from hub.ontology import Ontology, load_ontology
from hub.values import entity_id

CONFIG = Path(__file__).resolve().parents[1] / "adapters_config"
TYPES: Mapping[PartyKind, str] = {"person": "Person", "organization": "Organization"}


@dataclass
class Parties:
    """What the sources state of one kind of party, by party id."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    strong: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    whose: dict[str, str] = field(default_factory=dict)
    """The true id."""


def entities(folder: Path, source: str, config: SourceConfig, ontology: Ontology) -> Iterator[Entity]:
    """What the records of a source become; those that are broken on purpose become nothing."""
    with HelpDesk(folder / "support", "token", throttle_every=0) as desk:
        environ = {
            "HUB_DEMO_DIR": str(folder),
            "HUB_DEMO_ERP_URL": erp_address(folder),
            "HUB_DEMO_SUPPORT_URL": desk.url,
            "HUB_DEMO_SUPPORT_TOKEN": "token",
        }
        connector = config.connector.connect(ConnectorContext(source, environ, CONFIG))
        for name, stream in config.streams.items():
            mapping = compile_stream(config, stream, ontology, name)
            read = StreamRead(name, stream.read, stream.key, stream.cursor)
            for batch in connector.batches(read, None, 500):
                for record in batch.records:
                    if isinstance(record, BadRecord):
                        continue
                    try:
                        yield from mapping.map(record.payload).entities
                    except RecordError:
                        continue
        connector.close()


def stated(folder: Path) -> dict[PartyKind, Parties]:
    """The parties of a company whose files lie in the folder."""
    ontology, found = load_ontology(), {kind: Parties() for kind in get_args(PartyKind)}
    truth = {
        entity_id(source, "Party", key): true
        for (source, _, key), true in Truth.load(folder).parties().items()
    }
    for source, config in load_sources(CONFIG, ontology).items():
        for entity in entities(folder, source, config, ontology):
            for kind, type_name in TYPES.items():
                if entity.type == type_name:
                    _add(found[kind], kind, entity, ontology, truth)
    return found


def _add(
    parties: Parties, kind: PartyKind, entity: Entity, ontology: Ontology, truth: Mapping[str, str]
) -> None:
    values: dict[str, list[str]] = defaultdict(list)
    for prop in ontology.types[entity.type].properties.values():
        value = entity.values.get(prop.name)
        if value is None:
            continue
        if prop.match:
            values[prop.match].append(str(value))
        if prop.strong:
            parties.strong[entity.id].add(f"{prop.identifier}:{value}")
    parties.profiles[entity.id] = profile_of(kind, values)
    parties.whose[entity.id] = truth[entity.id]


def quality(kind: PartyKind, parties: Parties, merge_weight: float | None = None) -> tuple[Quality, int]:
    """Pairwise quality of the customers that the shipped model makes, and how many pairs of true ones it mixes."""
    resolved = in_memory(parties.profiles, shipped_models()[kind], parties.strong, merge_weight)
    mixed = {
        pair
        for customer in resolved.customers
        for pair in combinations(sorted({parties.whose[party] for party in customer}), 2)
    }
    return pairwise(resolved.customers, parties.whose), len(mixed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--organisations", type=int, default=150)
    parser.add_argument(
        "--step", type=float, action="append", help="a merge weight in bits, instead of the shipped one"
    )
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    with TemporaryDirectory() as folder:
        company = Path(folder) / "company"
        generate(company, people=given.people, organisations=given.organisations)
        for kind, parties in stated(company).items():
            for step in given.step or [None]:
                found, mixed = quality(kind, parties, step)
                print(
                    f"{kind} at {'its merge weight' if step is None else f'{step:g} bits'}: precision"
                    f" {found.precision:.3f}, recall {found.recall:.3f}, F1 {found.f1:.3f};"
                    f" pairs of true ones that are mixed: {mixed}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
