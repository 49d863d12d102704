"""Every preset reads what its vendor's system gives: all of it, then changes only, through limits and refusals."""

from __future__ import annotations

import pytest

from hub.adapters import load_sources
from hub.adapters.kit.coverage import coverage
from hub.adapters.presets import presets
from hub.adapters.records import Clock
from hub.ontology import load_ontology
from hub.store import Store
from tests.adapters.connectors.conftest import no_waiting
from tests.adapters.presets.world import Exchanged, Recorded
from tests.databases import sqlite_store

__all__ = ["no_waiting"]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """The pace that vendors ask for takes no time."""
    monkeypatch.setattr(Clock, "sleep", lambda *_: None)


DATABASES = sorted(name for name, preset in presets().items() if preset.connector == "sql")
CASES = [(name, "sqlite") for name in sorted(presets())]
CASES += [(name, "postgresql") for name in ("zendesk", *DATABASES)]


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
    if name not in DATABASES:
        yield Exchanged(name, url, store, ontology, folder)
    elif dialect == "sqlite":
        database = tmp_path / "source.sqlite"
        database.touch()
        yield Recorded(f"sqlite:///{database}", name, url, store, ontology, folder)
    else:
        yield Recorded(request.getfixturevalue("postgres_database"), name, url, store, ontology, folder)
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


@pytest.mark.parametrize(
    "world", [case for case in CASES if case[0] not in DATABASES], ids="-".join, indirect=True
)
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
    files = {path.name for path in world.preset.exchanges.iterdir()}
    assert files == world.FILES
    assert set(world.facts.environ) == set(world.preset.environ)
    assert all(name.startswith(f"{world.name.upper()}_") for name in world.preset.environ)


def test_a_preset_under_another_name_has_variables_of_its_own(world, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "second_one.yaml").write_text(world.preset.named("second_one"))
    assert list(load_sources(folder, world.ontology)) == ["second_one"]
    assert f"{world.name.upper()}_" not in (folder / "second_one.yaml").read_text()
    assert all(name.startswith("SECOND_ONE_") for name in world.preset.settings("second_one"))


TOLD = {
    "oracle_erp": {
        "SELECT name, customer_number, telephone, street_address FROM e_person ORDER BY name": [
            ("Ada Example", "AC-1002", "+447700900101", None),
        ],
        "SELECT street_address, postal_code, tax_id FROM e_organization": [
            ("3 New Street", "EC1A 1AA", "GB999999973"),
        ],
        "SELECT order_number, status, subtotal_currency FROM e_order ORDER BY order_number": [
            ("70001", "confirmed", "GBP"),
            ("70002", "confirmed", "GBP"),
        ],
        "SELECT sku, status FROM e_order_line ORDER BY line_number, sku, status": [
            ("KT-1", "open"),
            ("KT-1", "shipped"),
            ("KT-2", "open"),
        ],
        "SELECT invoice_number, kind, status FROM e_invoice": [("INV-8001", "invoice", "partly_paid")],
    },
    "sagecrm": {
        "SELECT given_name, email, mobile, street_address FROM e_person ORDER BY given_name": [
            ("Ada", "ada.new@example.com", "+447700900101", "1 Test Street"),
            ("Berta", None, None, None),
        ],
        "SELECT name, email, telephone FROM e_organization": [
            ("Example Works Ltd", "works@example.com", "+442079460000"),
        ],
        "SELECT ticket_number, status, priority FROM e_ticket ORDER BY ticket_number": [
            ("0-81", "open", "high"),
            ("0-83", "open", "normal"),
        ],
        "SELECT name, status FROM e_opportunity": [("Kettles for the canteen", "won")],
    },
}


@pytest.mark.parametrize("world", [case for case in CASES if case[0] in TOLD], ids="-".join, indirect=True)
def test_a_record_of_several_tables_changes_with_any_of_them(world):
    world.sync("first")
    world.sync("second")
    for sql, rows in TOLD[world.name].items():
        assert world.rows(sql) == rows
