"""Every preset reads what its vendor's API gives: several pages, then changes only, through limits and refusals."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import create_engine, text

from hub.adapters import Sources, Syncer, load_sources
from hub.adapters.kit.exchanges import load_exchanges
from hub.adapters.kit.replaying import Replayer
from hub.adapters.presets import presets
from hub.adapters.records import Clock
from hub.ontology import load_ontology
from hub.store import Store
from tests.adapters.connectors.conftest import no_waiting
from tests.databases import sqlite_store

__all__ = ["no_waiting"]


@dataclass(frozen=True)
class Facts:
    """What a preset's exchanges are about, as its API would say it."""

    environ: dict[str, str]
    read: dict[str, int]
    """Records of the first sync by stream."""
    changed: dict[str, int]
    """Records of the second one that are not as before."""
    people: dict[str, int]
    """E-mail addresses after the first sync, with the number of orders or tickets of each."""
    then: dict[str, int]
    """The same after the second."""
    events: str = "e_ticket"
    """Table of what is counted."""


FACTS = {
    "zendesk": Facts(
        {
            "ZENDESK_URL": "https://example.zendesk.com",
            "ZENDESK_USER": "hub@example.com/token",
            "ZENDESK_TOKEN": "t0psecret-token",
        },
        {"users": 3, "tickets": 2},
        {"users": 1, "tickets": 1},
        {"ada@example.com": 1, "berta@example.com": 1},
        {"ada@example.com": 1, "berta.sample@example.com": 0},
    ),
    "tryton": Facts(
        {
            "TRYTON_URL": "https://tryton.example.com/demo",
            "TRYTON_USER": "hub",
            "TRYTON_PASSWORD": "t0psecret-password",
        },
        {"parties": 3, "sales": 2, "shipments": 2},
        {"parties": 2, "sales": 1, "shipments": 0},
        {"person00@example.com": 1, "person01@example.com": 0, "person02@example.com": 1},
        {"person00@example.com": 1, "person01.new@example.com": 0},
        events="e_order",
    ),
    "rt": Facts(
        {"RT_URL": "https://rt.example.com", "RT_TOKEN": "1-14-t0psecret"},
        {"tickets": 3},
        {"tickets": 3},
        {"ada@example.com": 1, "berta@example.com": 1, "carl@example.com": 1},
        {"ada@example.com": 1, "berta@example.com": 0, "carl@example.com": 1},
    ),
    "salesforce": Facts(
        {
            "SALESFORCE_URL": "https://example.my.salesforce.com",
            "SALESFORCE_TOKEN_URL": "https://example.my.salesforce.com/services/oauth2/token",
            "SALESFORCE_CLIENT_ID": "hub-client-id",
            "SALESFORCE_CLIENT_SECRET": "t0psecret-secret",
        },
        {"accounts": 1, "contacts": 3, "cases": 1},
        {"accounts": 0, "contacts": 2, "cases": 0},
        {"ada@example.com": 1, "berta@example.com": 0},
        {"ada.new@example.com": 1},
    ),
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """The pace that vendors ask for takes no time."""
    monkeypatch.setattr(Clock, "sleep", lambda *_: None)


class World:
    """A source made of a preset, whose API answers what is in its exchanges."""

    def __init__(self, name, url, store, ontology, folder) -> None:
        self.name, self.url, self.store, self.ontology, self.folder = name, url, store, ontology, folder
        self.preset, self.facts = presets()[name], FACTS[name]
        (folder / f"{name}.yaml").write_text(self.preset.named(name))
        self.configs = load_sources(folder, ontology)

    def sync(self, file):
        """A sync by these exchanges: its report, and what was not asked for."""
        exchanges = load_exchanges(self.preset.exchanges / f"{file}.yaml")
        wires = []

        def wire():
            wires.append(Replayer(self.name, exchanges, [*self.facts.environ.values()]))
            return wires[-1]

        sources = Sources(self.configs, self.ontology, self.facts.environ, self.folder, wire=wire)
        report = Syncer(self.store, sources).sync(self.name)
        return report, [each for one in wires for each in one.left]

    def people(self):
        """E-mail addresses, each with the number of events of that person."""
        return dict(
            self.rows(
                "SELECT p.email, count(e.id) FROM e_person p "
                f"LEFT JOIN {self.facts.events} e ON e.party_id = p.id GROUP BY p.email"
            )
        )

    def rows(self, sql):
        engine = create_engine(self.url)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(text(sql))]
        engine.dispose()
        return found


CASES = [(name, "sqlite") for name in sorted(presets())] + [("zendesk", "postgresql")]


@pytest.fixture(params=CASES, ids="-".join)
def world(request, tmp_path):
    name, dialect = request.param
    if dialect == "sqlite":
        url = sqlite_store(tmp_path / "hub.sqlite")
    else:
        url = request.getfixturevalue("postgres_store_url")
    ontology = load_ontology()
    folder = tmp_path / "config"
    folder.mkdir()
    store = Store.open(url, ontology)
    yield World(name, url, store, ontology, folder)
    store.close()


def test_every_page_is_read_and_mapped(world):
    report, left = world.sync("first")
    assert report.state == "ok", report
    assert left == []
    assert all(counts.reconciles for counts in report.streams.values())
    assert {name: counts.read for name, counts in report.streams.items()} == world.facts.read
    assert world.people() == world.facts.people
    assert world.rows("SELECT stream, field, code FROM quarantine") == []


def test_the_second_sync_asks_for_changes_only(world):
    world.sync("first")
    report, left = world.sync("second")
    assert report.state == "ok", report
    assert left == []
    assert all(counts.reconciles for counts in report.streams.values())
    assert {name: counts.accepted for name, counts in report.streams.items()} == world.facts.changed
    assert world.people() == world.facts.then
    assert world.rows("SELECT stream, field, code FROM quarantine") == []


@pytest.mark.parametrize("file", ["refused", "error"])
def test_a_refusal_ends_the_run_and_shows_no_secret(world, file):
    report, _ = world.sync(file)
    assert report.state == "failed"
    assert world.people() == {}
    for value in world.facts.environ.values():
        assert value not in repr(report)


def test_each_preset_has_exchanges_and_known_variables(world):
    files = {path.name for path in world.preset.exchanges.glob("*.yaml")}
    assert files == {"first.yaml", "second.yaml", "refused.yaml", "error.yaml"}
    assert set(world.facts.environ) == set(world.preset.environ)
    assert all(name.startswith(f"{world.name.upper()}_") for name in world.preset.environ)


def test_a_preset_under_another_name_has_variables_of_its_own(world, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "second_one.yaml").write_text(world.preset.named("second_one"))
    assert list(load_sources(folder, world.ontology)) == ["second_one"]
    assert f"{world.name.upper()}_" not in (folder / "second_one.yaml").read_text()
    assert all(name.startswith("SECOND_ONE_") for name in world.preset.settings("second_one"))
