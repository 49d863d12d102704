"""What a sync promises when records, mappings and configurations change under its hands."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from hub.adapters import RunReport, Syncer
from hub.adapters.quarantine import discard, waiting
from hub.errors import NotFoundError, RequestError
from hub.ontology import Ontology, load_ontology
from hub.store import Store
from tests.adapters.shop import Shop, numbers
from tests.store.test_faults import terminate_others

TICKETS = """\
source: shop
zone: {zone}
connector: {{type: files, root: {{env: SHOP_DIR}}}}
max_bad_share: 1
streams:
  tickets:
    read: {{glob: "tickets*.jsonl", format: {{type: jsonl}}}}
    key: {key}
    observed_at: {observed}
    deletes: {deletes}
    entities:
      - type: Ticket
        key: {entity_key}
        properties:
          ticketNumber: no
          subject: {subject}
          openedAt: {created}
"""
PLAIN = {
    "zone": "UTC",
    "key": "no",
    "observed": "changed",
    "deletes": "none",
    "entity_key": "no",
    "subject": "subject",
    "created": "created",
}


def yaml(**changes: str) -> str:
    return TICKETS.format(**PLAIN | changes)


def ticket(no: str | None, subject: str, changed: str = "", **more: Any) -> dict[str, Any]:
    return {
        "no": no,
        "subject": subject,
        "created": "2026-01-01T00:00:00Z",
        "changed": changed or None,
    } | more


BAD = {"created": "some day"}


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def store(store_url: str, ontology: Ontology) -> Iterator[Store]:
    opened = Store.open(store_url, ontology)
    yield opened
    opened.close()


class Desk:
    """A help desk whose tickets are files, synced with whatever configuration stands there at the time."""

    def __init__(self, shop: Shop, store: Store, ontology: Ontology) -> None:
        self.shop, self.store, self.ontology = shop, store, ontology

    @property
    def syncer(self) -> Syncer:
        return self.shop.syncer(self.store, self.ontology)

    def sync(self, **changes: str) -> RunReport:
        self.shop.configure(yaml(**changes))
        return self.syncer.sync("shop")

    def replay(self, **changes: str) -> RunReport:
        self.shop.configure(yaml(**changes))
        return self.syncer.replay("shop")

    def write(self, *tickets: dict[str, Any], name: str = "tickets.jsonl") -> None:
        self.shop.jsonl(name, tickets)

    def subjects(self) -> dict[str, str]:
        return dict(self.rows("SELECT ticket_number, subject FROM e_ticket"))

    def rows(self, sql: str) -> list[Any]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def waiting(self) -> list[Any]:
        with self.store.read() as connection:
            return waiting(connection)


@pytest.fixture
def desk(tmp_path: Path, store: Store, ontology: Ontology) -> Desk:
    return Desk(Shop(tmp_path / "shop", yaml()), store, ontology)


# Quarantine


def test_a_bad_version_after_a_good_one_in_one_batch_waits_in_quarantine(desk: Desk) -> None:
    desk.write(ticket("1", "good"), ticket("1", "newer", **BAD))
    report = desk.sync()
    assert numbers(report, "tickets")["quarantined"] == len(desk.waiting()) == 1
    assert desk.subjects() == {"1": "good"}
    assert desk.replay(created="{value: 2026-01-01}").total.accepted == 1
    assert desk.subjects() == {"1": "newer"}


def test_a_good_version_after_a_bad_one_in_one_batch_settles_it(desk: Desk) -> None:
    desk.write(ticket("1", "bad", **BAD), ticket("1", "good"))
    desk.sync()
    assert desk.waiting() == []
    assert desk.subjects() == {"1": "good"}


def test_replay_of_two_waiting_versions_keeps_the_newer_one_that_is_still_bad(desk: Desk) -> None:
    desk.write(ticket("1", "first", **BAD))
    desk.sync()
    desk.write(ticket("1", "second", created="other day"), name="tickets2.jsonl")
    desk.sync()
    fix = "{path: created, convert: [{map: {some day: 2026-01-01}}]}"
    desk.replay(created=fix)
    assert desk.subjects() == {"1": "first"}
    assert [item.position for item in desk.waiting()] == ["tickets2.jsonl:1"]


def test_replay_serves_the_version_that_came_last_though_it_had_waited_before(desk: Desk) -> None:
    for subject in ("first", "second", "first"):
        desk.write(ticket("1", subject, **BAD))
        desk.sync()
    desk.replay(created="{value: 2026-01-01}")
    assert desk.subjects() == {"1": "first"}
    assert desk.waiting() == []


def test_a_replayed_record_leaves_quarantine_though_its_key_was_unreadable_before(desk: Desk) -> None:
    desk.write(ticket(None, "keyless", ref="7"))
    assert desk.sync().total.quarantined == 1
    report = desk.replay(key="ref", entity_key="ref")
    assert report.total.accepted == 1
    assert desk.waiting() == []


def test_an_old_version_replaces_nothing_while_a_newer_one_waits(desk: Desk) -> None:
    desk.write(ticket("1", "served", "2026-03-01"))
    desk.sync()
    desk.write(ticket("1", "newest", "2026-04-01", **BAD))
    desk.sync()
    desk.write(ticket("1", "outdated", "2026-02-01"), name="tickets-late.jsonl")
    desk.sync()
    assert desk.subjects() == {"1": "served"}
    assert len(desk.waiting()) == 1
    desk.replay(created="{value: 2026-01-01}")
    assert desk.subjects() == {"1": "newest"}


def test_a_discarded_record_counts_as_unchanged_and_as_bad_no_more(desk: Desk) -> None:
    desk.write(ticket("1", "good"), ticket("2", "bad", **BAD))
    desk.sync(deletes="full_scan")
    [item] = desk.waiting()
    with desk.store.write() as connection:
        discard(connection, item.id)
    report = desk.sync(deletes="full_scan")
    assert numbers(report, "tickets") == {"read": 2, "unchanged": 2}


def test_replay_of_a_number_that_nothing_waits_under_says_so(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="99"):
        desk.syncer.replay("shop", [99])


# Full scans


def test_a_line_that_cannot_be_read_deletes_nothing(desk: Desk) -> None:
    tickets = [ticket(str(number), "good") for number in range(9)]
    desk.write(*tickets)
    desk.sync(deletes="full_scan")
    lines = [json.dumps(item) for item in tickets]
    path = desk.shop.folder / "tickets.jsonl"
    path.write_text("\n".join([*lines[:-1], lines[-1][:-9]]) + "\n")
    report = desk.sync(deletes="full_scan")
    assert (report.state, report.total.deleted) == ("suspect", 0)
    assert "1 of 9 known records were not met" in report.doubts[0]
    assert len(desk.subjects()) == 9
    desk.write(*tickets[:-1])
    assert desk.sync(deletes="full_scan").total.deleted == 1


def test_a_record_that_reappears_after_its_deletion_is_served_again(desk: Desk) -> None:
    tickets = [ticket(str(number), "good", "2026-03-01") for number in range(4)]
    for some, served in ((tickets, 4), (tickets[1:], 3), (tickets, 4)):
        desk.write(*some)
        assert desk.sync(deletes="full_scan").state == "ok"
        assert len(desk.subjects()) == served


# Changed mappings


def test_a_changed_mapping_reaches_what_is_served_while_a_bad_version_waits(desk: Desk) -> None:
    desk.write(ticket("1", "served"))
    desk.sync()
    desk.write(ticket("1", "newer", **BAD))
    desk.sync()
    desk.sync(subject="{path: subject, convert: [upper]}")
    assert desk.subjects() == {"1": "SERVED"}
    assert len(desk.waiting()) == 1


def test_a_corrected_zone_moves_the_times_that_later_versions_are_compared_with(desk: Desk) -> None:
    desk.write(ticket("1", "before", "2026-03-01T10:00:00"))
    desk.sync(zone="UTC")
    desk.sync(zone="Asia/Tokyo")
    desk.write(ticket("1", "after", "2026-03-01T15:00:00"))
    desk.sync(zone="Asia/Tokyo")
    assert desk.subjects() == {"1": "after"}


def test_a_remap_that_broke_off_is_made_good_though_the_mapping_went_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(*(ticket(str(number), "low") for number in range(4)))
    desk.sync()
    desk.shop.configure(yaml(subject="{path: subject, convert: [upper]}"))
    syncer = desk.shop.syncer(desk.store, desk.ontology, 2)
    apply, calls = syncer.graph.apply, iter([0])

    def break_off(*arguments: Any, **more: Any) -> Any:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return apply(*arguments, **more)

    monkeypatch.setattr(syncer.graph, "apply", break_off)
    with pytest.raises(KeyboardInterrupt):
        syncer.sync("shop")
    assert sorted(desk.subjects().values()) == ["LOW", "LOW", "low", "low"]
    desk.sync()
    assert set(desk.subjects().values()) == {"low"}


def test_another_key_gives_the_held_records_their_new_keys(desk: Desk) -> None:
    desk.write(*(ticket(str(number), "good", ref=f"R{(number + 1) % 4}") for number in range(4)))
    desk.sync(deletes="full_scan")
    report = desk.sync(deletes="full_scan", key="ref")
    assert (report.state, numbers(report, "tickets")) == ("ok", {"read": 4, "unchanged": 4})
    # Keys that change places, and one that several records would share from now on.
    desk.write(*(ticket(str(number), "good", ref=f"R{number}") for number in range(4)))
    desk.sync(deletes="full_scan", key="ref")
    report = desk.sync(deletes="full_scan", key="no")
    assert (report.state, numbers(report, "tickets")) == ("ok", {"read": 4, "unchanged": 4})


# Changed reading


def test_files_that_are_to_be_read_in_another_way_are_read_again(desk: Desk) -> None:
    desk.write(ticket("1", "good"))
    desk.sync()
    desk.shop.configure(yaml(subject="file").replace("jsonl}}", "jsonl}, path_field: file}"))
    assert desk.syncer.sync("shop").total.accepted == 1
    assert desk.subjects() == {"1": "tickets.jsonl"}


def test_another_cursor_field_begins_anew(tmp_path: Path, store: Store, ontology: Ontology) -> None:
    database = create_engine(f"sqlite:///{tmp_path / 'desk.sqlite'}")
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE tickets (id INTEGER, no TEXT, changed TEXT)"))
        connection.execute(text("INSERT INTO tickets VALUES (1, 'A', '2026-01-01T00:00:00Z')"))
    stream = (
        "tickets: {{read: {{table: tickets}}, key: no, cursor: {}, "
        "entities: [{{type: Ticket, properties: {{ticketNumber: no}}}}]}}"
    )
    head = (
        f"source: shop\nconnector: {{type: sql, url: 'sqlite:///{tmp_path / 'desk.sqlite'}'}}\nstreams:\n  "
    )
    shop = Shop(tmp_path / "shop", head + stream.format("changed"))
    assert shop.syncer(store, ontology).sync("shop").total.accepted == 1
    with database.begin() as connection:
        connection.execute(text("INSERT INTO tickets VALUES (2, 'B', '2026-01-02T00:00:00Z')"))
    database.dispose()
    shop.configure(head + stream.format("id"))
    assert shop.syncer(store, ontology).sync("shop").total.accepted == 1


# Changed configuration

PRODUCTS = """\
source: shop
currency: GBP
connector: {type: files, root: {env: SHOP_DIR}}
max_delete_share: 1
streams:
"""
SELLING = """\
  NAME:
    read: {glob: "NAME.jsonl", format: {type: jsonl}}
    key: no
    deletes: full_scan
    observed_at: at
    entities:
      - {type: Product, key: sku, shared: true, properties: {name: title}}
"""


def test_a_stream_that_is_configured_no_more_stops_no_other(
    tmp_path: Path, store: Store, ontology: Ontology
) -> None:
    shop = Shop(
        tmp_path / "shop", PRODUCTS + SELLING.replace("NAME", "web") + SELLING.replace("NAME", "till")
    )
    shop.jsonl("till.jsonl", [{"no": "1", "sku": "S", "title": "Old", "at": "2026-01-01"}])
    shop.jsonl("web.jsonl", [{"no": "1", "sku": "S", "title": "New", "at": "2026-02-01"}])
    shop.syncer(store, ontology).sync("shop")
    shop.configure(PRODUCTS + SELLING.replace("NAME", "web"))
    shop.jsonl("web.jsonl", [])
    report = shop.syncer(store, ontology).sync("shop")
    assert report.total.deleted == 1
    assert report.state == "suspect"
    assert any("till" in doubt and "no longer configured" in doubt for doubt in report.doubts)
    with store.read() as connection:
        assert connection.execute(text("SELECT name FROM e_product")).scalars().all() == []


PARTIES = """\
source: NAME
trust: TRUST
connector: {type: files, root: {env: SHOP_DIR}}
streams:
  people:
    read: {glob: "NAME.jsonl", format: {type: jsonl}}
    key: no
    entities:
      - {type: Person, properties: {familyName: family, loyaltyCard: card}}
"""


def two_sources(shop: Shop, **trust: int) -> None:
    for name, value in trust.items():
        path = shop.folder / "config" / f"{name}.yaml"
        path.write_text(PARTIES.replace("NAME", name).replace("TRUST", str(value)))
        shop.jsonl(f"{name}.jsonl", [{"no": "1", "family": f"Ash-{name}", "card": "12345678"}])


def golden(store: Store, column: str = "family_name") -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(text(f"SELECT {column} FROM customer")).scalars())


def test_changed_trust_chooses_golden_records_anew(tmp_path: Path, store: Store, ontology: Ontology) -> None:
    shop = Shop(tmp_path / "shop", "")
    (shop.folder / "config" / "shop.yaml").unlink()
    two_sources(shop, erp=90, pos=10)
    for name in ("erp", "pos"):
        shop.syncer(store, ontology).sync(name)
    assert golden(store) == ["Ash-erp"]
    two_sources(shop, erp=10, pos=90)
    feed = store.last_change()
    shop.syncer(store, ontology).sync("erp")
    assert golden(store) == ["Ash-pos"]
    assert [change.type for change in store.changes(feed, 10)] == ["Customer"]
    feed = store.last_change()
    two_sources(shop, erp=10, pos=90, web=50)
    shop.syncer(store, ontology).sync("erp")
    assert store.last_change() == feed
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM run WHERE kind = 'reproject'")).scalar() == 1


def test_a_source_that_left_the_configuration_counts_as_trusted_least(
    tmp_path: Path, store: Store, ontology: Ontology
) -> None:
    shop = Shop(tmp_path / "shop", "")
    (shop.folder / "config" / "shop.yaml").unlink()
    two_sources(shop, erp=90, pos=10)
    for name in ("erp", "pos"):
        shop.syncer(store, ontology).sync(name)
    (shop.folder / "config" / "erp.yaml").unlink()
    shop.syncer(store, ontology).sync("pos")
    assert golden(store) == ["Ash-pos"]
    two_sources(shop, erp=90)
    shop.syncer(store, ontology).sync("pos")
    assert golden(store) == ["Ash-erp"]


def test_a_rule_of_the_organisation_chooses_golden_records_anew(tmp_path: Path, store_url: str) -> None:
    shop = Shop(tmp_path / "shop", "")
    (shop.folder / "config" / "shop.yaml").unlink()
    two_sources(shop, erp=90, pos=10)
    shop.jsonl("pos.jsonl", [{"no": "1", "family": "Ash-Underwood", "card": "12345678"}])
    own = tmp_path / "ontology"
    own.mkdir()
    for rule, name in ((None, "Ash-erp"), ("longest", "Ash-Underwood")):
        if rule:
            (own / "rules.yaml").write_text(f"survivorship: {{familyName: {rule}}}\n")
        ontology = load_ontology([own])
        store = Store.open(store_url, ontology)
        for source in ("erp", "pos"):
            shop.syncer(store, ontology).sync(source)
        assert golden(store) == [name]
        store.close()


# A store that fails in mid-run


def fail_at(syncer: Syncer, call: int, failure: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `failure` happen in the transaction of a later batch, after the batch has been applied."""
    apply, calls = syncer.graph.apply, count(1)

    def applied(*arguments: Any, **more: Any) -> Any:
        result = apply(*arguments, **more)
        if next(calls) == call:
            failure()
        return result

    monkeypatch.setattr(syncer.graph, "apply", applied)


def test_a_lost_connection_fails_the_run_and_the_next_one_goes_on(
    postgres_database: str, tmp_path: Path, ontology: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(postgres_database, ontology)
    desk = Desk(Shop(tmp_path / "shop", yaml()), store, ontology)
    desk.write(*(ticket(str(number), "good") for number in range(10)))
    syncer = desk.shop.syncer(store, ontology, 3)
    fail_at(syncer, 3, lambda: terminate_others(postgres_database), monkeypatch)
    report = syncer.sync("shop")
    assert report.state == "failed"
    assert "its server was stopped or ended the connection" in report.doubts[0]
    assert (report.total.accepted, len(desk.subjects())) == (6, 6)
    assert desk.syncer.sync("shop").total.accepted == 4
    assert len(desk.subjects()) == 10
    store.close()


def test_a_full_disk_fails_the_run_and_the_next_one_goes_on(
    tmp_path: Path, ontology: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'hub.sqlite'}", ontology)
    desk = Desk(Shop(tmp_path / "shop", yaml()), store, ontology)
    desk.write(*(ticket(str(number), "good" * 50_000) for number in range(10)))
    syncer = desk.shop.syncer(store, ontology, 3)

    def fill() -> None:
        raise OperationalError("", None, _full())

    fail_at(syncer, 3, fill, monkeypatch)
    report = syncer.sync("shop")
    assert (report.state, report.total.accepted, len(desk.subjects())) == ("failed", 6, 6)
    assert "its disk is full" in report.doubts[0]
    assert desk.syncer.sync("shop").total.accepted == 4
    store.close()


def _full() -> sqlite3.OperationalError:
    """What SQLite says of a full disk."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count = 1")
    try:
        connection.execute("CREATE TABLE t (a)")
    except sqlite3.OperationalError as error:
        return error
    raise AssertionError("the disk was not full")


def test_an_interrupted_run_says_so_and_the_next_one_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    desk.write(*(ticket(str(number), "good") for number in range(10)))
    syncer = desk.shop.syncer(desk.store, desk.ontology, 3)
    fail_at(syncer, 3, interrupt, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        syncer.sync("shop")
    assert desk.rows("SELECT kind, state, message FROM run ORDER BY id DESC")[0] == (
        "sync",
        "interrupted",
        "the run was broken off",
    )
    assert len(desk.subjects()) == 6
    assert desk.sync().total.accepted == 4


def test_a_stream_that_left_the_configuration_can_be_forgotten(
    tmp_path: Path, store: Store, ontology: Ontology
) -> None:
    both = PRODUCTS + SELLING.replace("NAME", "web") + SELLING.replace("NAME", "till")
    shop = Shop(tmp_path / "shop", both)
    for number, name in enumerate(("web", "till"), 1):
        shop.jsonl(f"{name}.jsonl", [{"no": "1", "sku": "S", "title": name, "at": f"2026-01-0{number}"}])
    syncer = shop.syncer(store, ontology)
    syncer.sync("shop")
    with pytest.raises(RequestError, match="still configured"):
        syncer.forget("shop", "till")
    shop.configure(PRODUCTS + SELLING.replace("NAME", "web"))
    syncer = shop.syncer(store, ontology)
    assert syncer.forget("shop").total.deleted == 1
    assert syncer.sync("shop").state == "ok"
    with store.read() as connection:
        assert connection.execute(text("SELECT name FROM e_product")).scalars().all() == ["web"]
    with pytest.raises(NotFoundError, match="nothing is held"):
        syncer.forget("shop")
    # Back in the configuration it comes in again.
    shop.configure(both)
    assert shop.syncer(store, ontology).sync("shop").streams["till"].accepted == 1
