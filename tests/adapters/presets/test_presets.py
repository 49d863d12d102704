"""Every preset reads what its vendor's API gives: several pages, then changes only, through limits and refusals."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import create_engine, text

from hub.adapters import Sources, Syncer, load_sources
from hub.adapters.kit.coverage import coverage
from hub.adapters.kit.exchanges import load_exchanges
from hub.adapters.kit.replaying import Replayer
from hub.adapters.presets import presets
from hub.adapters.records import Clock
from hub.ontology import load_ontology
from hub.store import Store
from tests.adapters.connectors.conftest import no_waiting
from tests.adapters.presets.facts import FACTS
from tests.databases import sqlite_store

__all__ = ["no_waiting"]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """The pace that vendors ask for takes no time."""
    monkeypatch.setattr(Clock, "sleep", lambda *_: None)


class Expiring(Replayer):
    """Answers as recorded, but that a token ends: requests for data of these numbers, from 1, are refused."""

    def __init__(self, *given, refuses=()):
        super().__init__(*given)
        self.refuses, self.asked, self.tokens = refuses, 0, 0

    def handle_request(self, request):
        if b"grant_type=" in request.read():
            self.tokens += 1
            return super().handle_request(request)
        self.asked += 1
        if self.asked in self.refuses:
            return httpx.Response(401, request=request)
        return super().handle_request(request)


class World:
    """A source made of a preset, whose API answers what is in its exchanges."""

    def __init__(self, name, url, store, ontology, folder) -> None:
        self.name, self.url, self.store, self.ontology, self.folder = name, url, store, ontology, folder
        self.preset, self.facts = presets()[name], FACTS[name]
        (folder / f"{name}.yaml").write_text(self.preset.named(name))
        self.configs = load_sources(folder, ontology)

    def sync(self, file, refuses=()):
        """A sync by these exchanges: its report, and what was not asked for; those requests for data meet a 401."""
        exchanges = load_exchanges(self.preset.exchanges / f"{file}.yaml")
        wires = []

        def wire():
            wires.append(Expiring(self.name, exchanges, [*self.facts.environ.values()], refuses=refuses))
            return wires[-1]

        sources = Sources(self.configs, self.ontology, self.facts.environ, self.folder, wire=wire)
        report = Syncer(self.store, sources).sync(self.name)
        self.tokens = sum(wire.tokens for wire in wires)
        return report, [each for one in wires for each in one.left]

    def consents(self):
        """What people decided: e-mail address, channel, state."""
        return frozenset(
            self.rows(
                "SELECT p.email, c.channel, c.state FROM e_consent c JOIN e_person p ON c.customer_id = p.id"
            )
        )

    def people(self):
        """E-mail addresses, each with the number of events of that person; or what the facts count instead."""
        return dict(
            self.rows(
                self.facts.counted
                or "SELECT p.email, count(e.id) FROM e_person p "
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
    assert world.consents() == world.facts.consents
    assert world.rows("SELECT stream, field, code FROM quarantine") == []


@pytest.mark.parametrize("file", ["refused", "error"])
def test_a_refusal_ends_the_run_and_shows_no_secret(world, file):
    report, _ = world.sync(file)
    assert report.state == "failed"
    assert world.people() == {}
    for value in world.facts.environ.values():
        assert value not in repr(report)


@pytest.mark.parametrize("file", ["first", "second"])
def test_a_token_that_ends_in_a_run_is_renewed_and_loses_nothing(world, file):
    """Where a token is for good, the run ends instead, and the next one with another token has everything."""
    if file == "second":
        world.sync("first")
    renewed = world.configs[world.name].connector.auth.type == "oauth2"
    report, left = world.sync(file, refuses={2} if renewed else range(1, 100))
    if renewed:
        assert (report.state, left) == ("ok", [])
        assert world.tokens == 2
    else:
        assert report.state == "failed"
        assert "the login was refused (401)" in " ".join(report.doubts)
        assert world.sync(file)[0].state == "ok"
    assert world.people() == (world.facts.people if file == "first" else world.facts.then)


def test_what_is_personal_and_becomes_nothing_is_named(world):
    """Both ways: what is found in the exchanges is named, and what is named comes and is not mapped."""
    world.sync("first")
    found, unmapped = set(), set()
    for stream in world.configs[world.name].streams:
        covered = coverage(world.store, world.configs[world.name], stream, world.ontology, 1000)
        unmapped |= {f"{stream}.{field.name}" for field in covered.unmapped}
        found |= {f"{stream}.{field.name}" for field in covered.unmapped if field.detected}
    named = {
        f"{stream}.{field}" for stream, fields in world.preset.about.personal.items() for field in fields
    }
    assert found <= named, f"not named under `personal`: {sorted(found - named)}"
    assert named <= unmapped, f"mapped or never met: {sorted(named - unmapped)}"


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
