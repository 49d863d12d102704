"""The five source files against the generated data: everything maps but what was broken on purpose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.adapters.config import load_sources
from hub.adapters.mapping import compile_stream
from hub.adapters.records import BadRecord, ConnectorContext, StreamRead
from hub.adapters.specs import SourceConfig
from hub.demo import HelpDesk, Truth, erp_address, evolve
from hub.errors import RecordError
from hub.graph import Entity
from hub.ontology import Ontology, load_ontology
from hub.values import entity_id

CONFIG = Path(__file__).resolve().parents[2] / "adapters_config"
SOURCES = ("erp", "legacy", "pos", "supply", "support")


@dataclass
class Taken:
    """What a stream gave: records read, entities made, and what was refused as (field, code)."""

    read: int = 0
    entities: list[Entity] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="module")
def sources(ontology: Ontology) -> Mapping[str, SourceConfig]:
    return load_sources(CONFIG, ontology)


def _environment(folder: Path, desk: HelpDesk) -> dict[str, str]:
    return {
        "HUB_DEMO_DIR": str(folder),
        "HUB_DEMO_ERP_URL": erp_address(folder),
        "HUB_DEMO_SUPPORT_URL": desk.url,
        "HUB_DEMO_SUPPORT_TOKEN": "token",
    }


def _take(folder: Path, sources: Mapping[str, SourceConfig], ontology: Ontology) -> dict[str, Taken]:
    """What every stream gives when all is read and mapped."""
    taken: dict[str, Taken] = {}
    with HelpDesk(folder / "support", "token", retry_after_s=0) as desk:
        for source, config in sources.items():
            context = ConnectorContext(source, _environment(folder, desk), CONFIG)
            connector = config.connector.connect(context)
            for name, stream in config.streams.items():
                mapping = compile_stream(config, stream, ontology, name)
                found = taken.setdefault(f"{source}.{name}", Taken())
                read = StreamRead(name, stream.read, stream.key, stream.cursor)
                for batch in connector.batches(read, None, 500):
                    for record in batch.records:
                        found.read += 1
                        if isinstance(record, BadRecord):
                            found.refused.append((record.reason.partition(":")[0], "unreadable"))
                            continue
                        try:
                            found.entities += mapping.map(record.payload).entities
                        except RecordError as error:
                            found.refused.append((error.field, error.code))
            connector.close()
            assert connector.warnings == []
    return taken


@pytest.fixture(scope="module")
def taken(made: Path, sources: Mapping[str, SourceConfig], ontology: Ontology) -> dict[str, Taken]:
    return _take(made, sources, ontology)


def test_every_record_is_read(taken: dict[str, Taken], truth: Truth) -> None:
    assert {stream: found.read for stream, found in taken.items()} == dict(truth.records)


@pytest.mark.parametrize("source", SOURCES)
def test_exactly_the_broken_records_are_refused(source: str, taken: dict[str, Taken], truth: Truth) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for broken in truth.broken_in(source):
        unreadable = broken.reason == "truncated" or (source == "legacy" and broken.reason != "missing_key")
        missing = broken.reason == "missing_key"
        code = "missing_key" if missing else "unreadable" if unreadable else "bad_value"
        expected[f"{broken.source}.{broken.stream}", code] += 1
    found = Counter(
        (stream, code)
        for stream, t in taken.items()
        if stream.startswith(f"{source}.")
        for _, code in t.refused
    )
    assert found == expected
    assert expected


def test_the_parties_are_those_of_the_truth(
    taken: dict[str, Taken], truth: Truth, ontology: Ontology
) -> None:
    made = {e.id for t in taken.values() for e in t.entities if ontology.types[e.type].is_party}
    told = {entity_id(source, "Party", key) for source, _, key in truth.parties()}
    assert made == told


def test_strong_identifiers_never_join_two_true_people(
    taken: dict[str, Taken], truth: Truth, ontology: Ontology
) -> None:
    whose = {
        entity_id(source, "Party", key): true_id for (source, _, key), true_id in truth.parties().items()
    }
    holders: dict[tuple[str, str], set[str]] = {}
    for entity in _parties(taken, ontology):
        for prop in ontology.types[entity.type].identifiers:
            if prop.strong and entity.values.get(prop.name):
                value = (str(prop.identifier), str(entity.values[prop.name]))
                holders.setdefault(value, set()).add(whose[entity.id])
    assert [scheme for (scheme, _), people in holders.items() if len(people) > 1] == []


def test_strong_identifiers_tie_the_best_customer_in_all_five_systems(
    taken: dict[str, Taken], truth: Truth, ontology: Ontology
) -> None:
    best = truth.best_customer
    known = {best.customer_number, best.loyalty_card, best.legacy_account}
    for source in SOURCES:
        own = {s: t for s, t in taken.items() if s.startswith(f"{source}.")}
        values = {str(v) for e in _parties(own, ontology) for v in e.values.values()}
        assert values & known, source


def test_the_best_customer_has_something_of_every_kind(
    taken: dict[str, Taken], truth: Truth, ontology: Ontology
) -> None:
    hers = {
        entity_id(source, "Party", key)
        for (source, _, key), true_id in truth.parties().items()
        if true_id == truth.best_customer.true_id
    }
    kinds = {
        (stream.partition(".")[0], entity.type)
        for stream, found in taken.items()
        for entity in found.entities
        if getattr(entity.values.get("customer"), "target_id", None) in hers
    }
    assert {
        ("erp", "Order"), ("erp", "Invoice"), ("erp", "Consent"), ("pos", "Order"), ("pos", "Interaction"),
        ("support", "Ticket"), ("support", "Interaction"), ("supply", "Shipment"), ("legacy", "Order"),
    } <= kinds  # fmt: skip


def test_a_second_day_changes_exactly_what_it_says(
    company: Path, taken: dict[str, Taken], sources: Mapping[str, SourceConfig], ontology: Ontology
) -> None:
    changes = evolve(company)
    after = _take(company, sources, ontology)
    for stream, before in taken.items():
        grown = len(changes.inserted.get(stream, ())) - len(changes.deleted.get(stream, ()))
        assert after[stream].read - before.read == grown, stream
        assert after[stream].refused == before.refused, stream
    assert dict(Truth.load(company).records) == {stream: found.read for stream, found in after.items()}


def _parties(taken: Mapping[str, Taken], ontology: Ontology) -> Iterator[Entity]:
    return (e for t in taken.values() for e in t.entities if ontology.types[e.type].is_party)
