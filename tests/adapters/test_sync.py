"""What a sync promises: nothing lost, nothing doubled, everything counted, whatever the source does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from hub.adapters import RunReport, Syncer, source_statuses
from hub.adapters.quarantine import show, waiting
from hub.errors import NotFoundError, SourceUnavailableError
from hub.ontology import Ontology, load_ontology
from hub.store import Store
from hub.values import entity_id
from tests.adapters.shop import Shop, graph, numbers
from tests.databases import sqlite_store
from tests.statements import noting

YAML = (Path(__file__).parent / "killed" / "shop.yaml").read_text()

PEOPLE = [
    {
        "person_no": f"P{n}",
        "given": f"Given{n}",
        "family": "Ash",
        "email": f"p{n}@example.com",
        "card": f"C{n // 2}",
    }
    | {"changed_at": f"2026-01-{n + 1:02}T10:00:00Z"}
    for n in range(12)
]
ORDERS = [
    {"order_no": f"O{n}", "card": f"C{n % 6}", "total": f"{n}.50", "ordered_at": "2026-02-01T12:00:00Z"}
    | {"changed_at": "2026-02-01T12:00:00Z"}
    for n in range(20)
]
LINES = [
    {"order_no": f"O{n // 2}", "line_no": n % 2 + 1, "quantity": n % 5 + 1, "price": f"{n}.25"}
    for n in range(40)
]


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def store(store_url: str, ontology: Ontology) -> Iterator[Store]:
    opened = Store.open(store_url, ontology)
    yield opened
    opened.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "shop", YAML)
    fill(made)
    return made


def fill(shop: Shop, people: list[dict[str, Any]] = PEOPLE) -> None:
    shop.csv("people.csv", people)
    shop.jsonl("orders.jsonl", ORDERS)
    shop.csv("lines.csv", LINES)


@pytest.fixture
def syncer(shop: Shop, store: Store, ontology: Ontology) -> Syncer:
    return shop.syncer(store, ontology)


def changed(people: list[dict[str, Any]], number: int, **values: object) -> list[dict[str, Any]]:
    return [person | values if n == number else person for n, person in enumerate(people)]


def test_every_record_is_accounted_for(syncer: Syncer) -> None:
    report = syncer.sync("shop")
    assert report.state == "ok"
    assert {name: c.read for name, c in report.streams.items()} == {"people": 12, "orders": 20, "lines": 40}
    assert report.total.accepted == report.total.entities_written == 72


def test_the_same_input_again_changes_nothing(syncer: Syncer, store: Store, shop: Shop) -> None:
    syncer.sync("shop")
    before, feed = graph(store.engine.url.render_as_string(hide_password=False)), store.last_change()
    fill(shop)
    report = syncer.sync("shop")
    assert (report.total.accepted, report.total.unchanged) == (0, 72)
    assert graph(store.engine.url.render_as_string(hide_password=False)) == before
    assert store.last_change() == feed


@settings(max_examples=12)
@given(
    batch_size=st.integers(1, 30),
    order=st.permutations(["people", "orders", "lines"]),
    split=st.integers(0, 40),
)
def test_any_batch_size_and_any_order_of_streams_give_the_same_graph(
    tmp_path_factory: pytest.TempPathFactory, batch_size: int, order: list[str], split: int
) -> None:
    ontology = load_ontology()
    graphs = []
    for size, streams, cut in ((1000, ["people", "orders", "lines"], 0), (batch_size, order, split)):
        folder = tmp_path_factory.mktemp("shop")
        shop = Shop(folder, YAML)
        url = sqlite_store(folder / "hub.sqlite")
        store = Store.open(url, ontology, b"the same")
        syncer = shop.syncer(store, ontology, size)
        fill(shop)
        shop.csv("lines.csv", LINES[cut:])
        syncer.sync("shop", only=streams)
        if cut:
            shop.csv("lines2.csv", LINES[:cut])
            syncer.sync("shop", only=list(reversed(streams)))
        store.close()
        graphs.append(graph(url))
        shutil.rmtree(folder)
    assert graphs[0] == graphs[1]


def test_an_id_tells_nothing_of_the_key_that_it_is_made_from(
    syncer: Syncer, shop: Shop, store: Store, ontology: Ontology, tmp_path: Path
) -> None:
    syncer.sync("shop")
    other = Store.open(sqlite_store(tmp_path / "other.sqlite"), ontology)
    shop.syncer(other, ontology).sync("shop")
    ids = {row[0] for row in graph(store.engine.url.render_as_string(hide_password=False))["people"]}
    elsewhere = {row[0] for row in graph(other.engine.url.render_as_string(hide_password=False))["people"]}
    other.close()
    guessed = {entity_id("shop", "Party", person["person_no"]) for person in PEOPLE}
    assert len(ids) == len(elsewhere) == len(guessed)
    assert not ids & guessed
    assert not ids & elsewhere


def test_an_update_an_insert_and_a_delete_are_exactly_what_the_next_run_shows(
    syncer: Syncer, shop: Shop
) -> None:
    syncer.sync("shop")
    new = PEOPLE[0] | {"person_no": "P99", "card": "C99", "email": "p99@example.com"}
    shop.csv("people.csv", [*changed(PEOPLE, 3, family="Birch")[:-1], new])
    report = syncer.sync("shop")
    assert numbers(report, "people") == {
        "read": 12,
        "unchanged": 10,
        "accepted": 2,
        "deleted": 1,
        "entities_written": 2,
        "entities_removed": 1,
    }


def test_a_source_that_suddenly_misses_most_records_deletes_nothing_and_is_suspect(
    syncer: Syncer, shop: Shop, store: Store
) -> None:
    syncer.sync("shop")
    shop.csv("people.csv", PEOPLE[:2])
    report = syncer.sync("shop")
    assert report.state == "suspect"
    assert "10 of 12 known records were not met" in report.doubts[0]
    assert len(graph(store.engine.url.render_as_string(hide_password=False))["people"]) == 12


def test_a_repeated_key_in_a_full_scan_makes_the_run_suspect(syncer: Syncer, shop: Shop) -> None:
    shop.csv("people.csv", [*PEOPLE, PEOPLE[0] | {"family": "Twin"}])
    report = syncer.sync("shop")
    assert report.state == "suspect"
    assert "repeat a key" in report.doubts[0]


def test_a_version_that_the_source_dates_earlier_is_kept_as_history_and_changes_nothing(
    syncer: Syncer, shop: Shop, store: Store
) -> None:
    syncer.sync("shop")
    old = ORDERS[0] | {"total": "999.00", "changed_at": "2025-01-01T00:00:00Z"}
    shop.jsonl("orders-late.jsonl", [old])
    assert syncer.sync("shop").streams["orders"].accepted == 1
    shop.jsonl("orders-late.jsonl", [old, old])
    assert syncer.sync("shop").streams["orders"].as_dict()["unchanged"] == 2
    assert_total(store, "O0", "0.50")


def assert_total(store: Store, order: str, total: str) -> None:
    with store.read() as connection:
        row = connection.execute(
            text("SELECT total FROM e_order WHERE order_number = :o"), {"o": order}
        ).scalar_one()
    assert (f"{row / 10_000:.2f}" if isinstance(row, int) else f"{row:.2f}") == total


BAD_ORDERS = [
    (ORDERS[0] | {"total": "many"}, "Order.total", "bad_value"),
    (ORDERS[0] | {"total": "1.23456"}, "Order.total", "too_precise"),
    (ORDERS[0] | {"total": "9" * 25}, "Order.total", "too_large"),
    (ORDERS[0] | {"ordered_at": "yesterday"}, "Order.orderDate", "bad_value"),
    (ORDERS[0] | {"order_no": None}, "key", "missing_key"),
    (ORDERS[0] | {"order_no": ["a"]}, "key", "bad_value"),
    (ORDERS[0] | {"order_no": "O\x000"}, "key", "bad_key"),
    (ORDERS[0] | {"card": "C\x000"}, "Order.customer", "bad_value"),
    (ORDERS[0] | {"card": "C\ud800"}, "payload", "not_json"),
    (ORDERS[0] | {"changed_at": "soon"}, "observed_at", "bad_value"),
]


@pytest.mark.parametrize(("record", "field", "code"), BAD_ORDERS)
def test_a_broken_record_is_quarantined_with_field_and_reason_and_the_run_goes_on(
    syncer: Syncer, shop: Shop, store: Store, record: dict[str, Any], field: str, code: str
) -> None:
    shop.jsonl("orders.jsonl", [*ORDERS[1:], record])
    report = syncer.sync("shop")
    assert (report.state, report.streams["orders"].quarantined, report.streams["orders"].accepted) == (
        "ok",
        1,
        19,
    )
    with store.read() as connection:
        [found] = waiting(connection, "shop")
        assert (found.field, found.code) == (field, code)
        raw = show(connection, found.id).payload or ""
    assert str(record["total"]) in raw
    assert "many" not in found.reason
    assert "C0" not in repr(found)


def test_what_cannot_be_parsed_is_quarantined_as_it_came(syncer: Syncer, shop: Shop, store: Store) -> None:
    path = shop.folder / "orders.jsonl"
    path.write_text(path.read_text() + '{"order_no": "O99", \n')
    assert syncer.sync("shop").streams["orders"].quarantined == 1
    with store.read() as connection:
        [found] = waiting(connection)
        assert (found.code, found.position) == ("unreadable", "orders.jsonl:21")
        assert (show(connection, found.id).payload or "").startswith('{"order_no": "O99",')


def test_text_that_a_database_cannot_hold_waits_in_quarantine_too(
    syncer: Syncer, shop: Shop, store: Store
) -> None:
    path = shop.folder / "orders.jsonl"
    path.write_bytes(path.read_bytes() + b'{"order_no": "O\x0099"\n\xff\xfe\n')
    assert syncer.sync("shop").streams["orders"].quarantined == 2
    with store.read() as connection:
        assert "\\x00" in (show(connection, waiting(connection)[0].id).payload or "")


def test_the_last_good_version_is_served_while_a_bad_one_waits(
    syncer: Syncer, shop: Shop, store: Store
) -> None:
    syncer.sync("shop")
    shop.csv("people.csv", changed(PEOPLE, 0, email="nonsense", changed_at="2026-05-01T00:00:00Z"))
    assert syncer.sync("shop").streams["people"].quarantined == 1
    assert syncer.sync("shop").streams["people"].quarantined == 1
    emails = {row[3] for row in graph(store.engine.url.render_as_string(hide_password=False))["people"]}
    assert "p0@example.com" in emails
    shop.csv("people.csv", changed(PEOPLE, 0, email="new@example.com", changed_at="2026-06-01T00:00:00Z"))
    assert numbers(syncer.sync("shop"), "people")["accepted"] == 1
    with store.read() as connection:
        assert waiting(connection) == []


def test_replay_brings_waiting_records_in_after_the_mapping_is_fixed(
    syncer: Syncer, shop: Shop, store: Store, ontology: Ontology
) -> None:
    shop.jsonl("orders.jsonl", [*ORDERS[1:], ORDERS[0] | {"total": "GBP 1,234.50"}])
    syncer.sync("shop")
    assert syncer.replay("shop").total.quarantined == 1
    fix = "total: {path: total, convert: [{replace: {pattern: '[A-Z ,]', with: ''}}]}"
    shop.configure(YAML.replace("total: total", fix))
    report = shop.syncer(store, ontology).replay("shop")
    assert numbers(report, "orders") == {"read": 1, "accepted": 1, "entities_written": 1}
    assert_total(store, "O0", "1234.50")
    with store.read() as connection:
        assert waiting(connection) == []


def test_a_changed_mapping_maps_anew_what_is_held(
    shop: Shop, store: Store, ontology: Ontology, syncer: Syncer
) -> None:
    syncer.sync("shop")
    shop.configure(YAML.replace("givenName: given", "givenName: {path: given, convert: [upper]}"))
    report = shop.syncer(store, ontology).sync("shop")
    assert report.total.accepted == 0
    assert {row[1] for row in graph(store.engine.url.render_as_string(hide_password=False))["people"]} == {
        f"GIVEN{n}" for n in range(12)
    }


def test_a_mapping_that_refuses_what_is_held_quarantines_it_and_serves_what_was(
    shop: Shop, store: Store, ontology: Ontology, syncer: Syncer
) -> None:
    syncer.sync("shop")
    shop.configure(YAML.replace("email: email", "email: family"))
    shop.syncer(store, ontology).sync("shop")
    with store.read() as connection:
        assert len(waiting(connection)) == 12
    assert len(graph(store.engine.url.render_as_string(hide_password=False))["people"]) == 12


def test_too_many_bad_records_stop_the_run_with_its_cursor_where_it_was(
    syncer: Syncer, shop: Shop, store: Store
) -> None:
    syncer.sync("shop")
    bad = [order | {"order_no": f"X{n}", "total": "?"} for n, order in enumerate(ORDERS)]
    shop.jsonl("orders-bad.jsonl", bad)
    report = syncer.sync("shop")
    assert report.state == "failed"
    assert "20 of 20 records are bad, more than the share of 0.2 allowed" in report.doubts[0]
    assert syncer.sync("shop").streams["orders"].read == 20


def test_a_source_that_is_down_fails_its_run_and_harms_nothing(syncer: Syncer, shop: Shop) -> None:
    syncer.sync("shop")
    (shop.folder / "lines.csv").unlink()
    moved = shop.folder.parent / "elsewhere"
    shop.folder.rename(moved)
    report = syncer.sync("shop")
    assert report.state == "failed"
    assert "there is no such folder" in report.doubts[0]
    moved.rename(shop.folder)
    assert syncer.sync("shop").state in ("ok", "suspect")


def test_new_missing_and_retyped_fields_are_reported_as_drift(
    syncer: Syncer, shop: Shop, store: Store
) -> None:
    syncer.sync("shop")
    strange = [
        {**{k: v for k, v in o.items() if k != "card"}, "total": n, "gift": True}
        for n, o in enumerate(ORDERS)
    ]
    shop.jsonl("orders.jsonl", strange)
    syncer.sync("shop")
    [status] = source_statuses(store, syncer.sources.configs)
    assert {(stream, d.field, d.kind) for stream, d, _ in status.drift} == {
        ("orders", "card", "missing"),
        ("orders", "gift", "new"),
        ("orders", "total", "retyped"),
    }
    shop.jsonl("orders.jsonl", ORDERS)
    syncer.sync("shop")
    [status] = source_statuses(store, syncer.sources.configs)
    assert {d.field for _, d, _ in status.drift} == {"gift", "total"}


def test_late_references_are_tied_when_their_target_arrives(syncer: Syncer, store: Store) -> None:
    syncer.sync("shop", only=["lines"])
    assert {row[3] for row in graph(store.engine.url.render_as_string(hide_password=False))["lines"]} == {
        None
    }
    syncer.sync("shop", only=["orders"])
    syncer.sync("shop", only=["people"])
    found = graph(store.engine.url.render_as_string(hide_password=False))
    assert None not in {row[3] for row in found["lines"]} | {row[3] for row in found["orders"]}


def test_one_process_at_a_time_syncs_a_source(syncer: Syncer, store: Store) -> None:
    with store.lock("source-shop"), pytest.raises(SourceUnavailableError, match="another process"):
        syncer.sync("shop")


def test_an_unknown_source_is_refused_with_the_nearest_name(syncer: Syncer) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'shop'"):
        syncer.sync("shpo")


def test_an_unchanged_batch_writes_nothing_but_the_run_itself(
    syncer: Syncer, store: Store, shop: Shop
) -> None:
    syncer.sync("shop")
    fill(shop)
    written: set[str] = set()

    def note(statement: str) -> None:
        if found := re.match(r"(?:INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)", statement):
            written.add(found.group(1))

    with noting(store, note):
        syncer.sync("shop")
    # Of the quarantine, what a complete reading no longer met is forgotten: here nothing.
    assert written <= {"run", "run_stream", "stream_state", "audit_outbox", "quarantine"}


def test_status_tells_state_age_counts_and_what_waits(syncer: Syncer, shop: Shop, store: Store) -> None:
    [status] = source_statuses(store, syncer.sources.configs)
    assert (status.state, status.lag_s, status.records) == ("never", None, 0)
    shop.jsonl("orders.jsonl", [*ORDERS, ORDERS[0] | {"order_no": "O77", "total": "?"}])
    report: RunReport = syncer.sync("shop")
    [status] = source_statuses(store, syncer.sources.configs)
    assert (status.state, status.records, status.waiting) == ("ok", 73, 1)
    assert status.lag_s is not None
    assert status.last_counts.as_dict() == report.total.as_dict()
