"""What was erased does not come back, by whatever way its sources state it; and nobody else is kept out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.adapters.gate import Candidate, Gate
from hub.adapters.stream_run import StreamRun
from hub.adapters.suppression import Suppression, release
from hub.ontology import Ontology, load_ontology
from hub.store import Store
from hub.values import entity_id
from tests.adapters.erasing_world import (
    SECRET,
    SHOP,
    Row,
    World,
    differences,
    everything,
    opened,
    order,
    person,
    words,
)
from tests.databases import sqlite_store
from tests.statements import noting

PEOPLE = [1, 2, 3, 4]


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def world(store_url: str, tmp_path: Path, ontology: Ontology) -> Iterator[World]:
    with opened(tmp_path / "company", store_url, ontology) as made:
        made.write(everything(PEOPLE))
        made.sync()
        yield made


def ask(world: World, sql: str, **values: Any) -> list[Any]:
    with world.store.read() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def heads(world: World) -> int:
    [(number,)] = ask(world, "SELECT count(*) FROM record_head")
    return int(number)


def are_back(world: World, n: int) -> list[str]:
    held = world.values()
    return [word for word in words(n) if word in held]


def read_files_again(world: World) -> None:
    """Forget the cursors, so that every file is read from its beginning."""
    with world.store.write() as connection:
        connection.execute(text("UPDATE stream_state SET cursor = NULL"))


# the same records again


def test_reading_everything_again_brings_nothing_back_and_says_how_much_it_kept_out(world: World) -> None:
    world.erase(3)
    before = world.graph()
    read_files_again(world)
    reports = world.sync()
    suppressed = {
        name: counts.suppressed for report in reports.values() for name, counts in report.streams.items()
    }
    assert suppressed == {
        "people": 2,
        "firms": 0,
        "orders": 2,
        "lines": 1,
        "restrictions": 1,
        "calls": 1,
        "parcels": 1,
        "contacts": 1,
        "visits": 1,
    }
    assert sum(report.total.deleted for report in reports.values()) == 0
    assert differences(world.graph(), before) == {}
    assert are_back(world, 3) == []


def test_a_changed_version_of_an_erased_record_is_kept_out(world: World) -> None:
    world.erase(3)
    changed = [person(n, email=f"new.{n}@example.com", card=None) for n in PEOPLE]
    world.write({"people": changed})
    report = world.sync()["shop"]
    assert report.streams["people"].suppressed == 1
    assert report.streams["people"].accepted == 3
    assert "new.3@" not in world.values()


def test_an_erased_record_is_kept_out_even_when_it_states_nothing(world: World) -> None:
    world.erase(3)
    candidates = [Candidate(key, "changed", (), is_new=True) for key in ("P-00003", "P-00004", None)]
    with world.store.write() as connection:
        verdict = Gate(world.store).judge(connection, ("shop", "people"), candidates)
    assert verdict.suppressed == {0}


def test_what_is_kept_out_counts_neither_as_bad_nor_as_missing(world: World) -> None:
    strict = SHOP.replace("max_bad_share: 1", "max_bad_share: 0").replace(
        "max_delete_share: 1", "max_delete_share: 0"
    )
    files = everything([3, 4]) | {"broken": []}
    world.write(files | {"people": [person(3), person(4)]})
    world.sync()
    world.erase(3)
    world.configure(shop=strict)
    world.write(files | {"people": [person(3, born="some day"), person(4)]})
    report = world.sync()["shop"]
    assert (report.state, report.total.suppressed) == ("ok", 5)


def test_nothing_comes_back_through_replay_remap_or_forgetting(world: World) -> None:
    world.erase(3)
    before = world.graph()
    syncer = world.syncer()
    syncer.replay("shop")
    world.configure(shop=SHOP.replace("notes: note", "notes: {path: note, convert: [upper]}"))
    world.sync()
    assert "REMEMBERED004" in world.values()
    world.configure(shop=SHOP[: SHOP.index("  restrictions:")])
    world.syncer().forget("shop")
    world.configure()
    world.sync()
    assert are_back(world, 3) == []
    assert differences(world.graph(), before) == {}


@pytest.mark.parametrize("key", ["card", "email"])
def test_records_that_get_other_keys_stay_out(world: World, key: str) -> None:
    world.erase(3)
    world.configure(key=key)
    read_files_again(world)
    world.sync()
    assert are_back(world, 3) == []
    assert len(ask(world, "SELECT id FROM e_person WHERE stream = 'people'")) == 3


def test_under_another_key_the_same_content_stays_out_though_nothing_else_would_tell(world: World) -> None:
    plain: Row = {"of": 9, "no": "P-00009", "given": "Given009", "ref": "X"}
    world.write({"people": [person(4), plain]})
    world.sync()
    world.erase(9)
    anew = SHOP.replace("key: KEY", "key: ref").replace("        key: no\n", "        key: ref\n")
    named = anew.replace("          customerNumber: no\n", "")
    world.configure(shop=named)
    world.write({"people": [plain]})
    report = world.sync()["shop"]
    assert (report.streams["people"].suppressed, "Given009" in world.values()) == (1, False)


# what is new of the erased


def test_new_orders_and_what_belongs_to_them_are_kept_out(world: World) -> None:
    world.erase(3)
    files = everything(PEOPLE)
    files["orders"].append(order(99, 3))
    files["lines"].append({"of": 3, "no": "ORD-00099", "line": 1, "sku": "SKU1", "text": "engraved anew"})
    files["parcels"].append(
        {"of": 3, "no": "S-99", "order": "ORD-00099", "to": "New Porch", "street": "9 Fjord"}
    )
    files["calls"].append({"of": 3, "no": "T-99", "card": "2610000003", "subject": "asked anew"})
    before = world.graph()
    world.write(files)
    world.sync()
    assert differences(world.graph(), before) == {}
    assert "ORD-00099" not in world.values()


def test_what_came_before_the_order_that_it_belongs_to_goes_when_the_order_comes(world: World) -> None:
    world.erase(3)
    before = world.graph()
    files = everything(PEOPLE)
    files["parcels"].append(
        {"of": 3, "no": "S-99", "order": "ORD-00099", "to": "New Porch", "street": "9 Fjord"}
    )
    world.write(files)
    world.sync()
    assert "New Porch" in world.values()
    files["orders"].append(order(99, 3))
    world.write(files)
    report = world.sync()["shop"].streams["orders"]
    assert (report.suppressed, report.deleted) == (3, 1)
    assert "New Porch" not in world.values()
    assert differences(world.graph(), before) == {}
    assert world.sync()["crm"].streams["parcels"].suppressed == 2


def test_what_belongs_to_an_order_that_was_gone_before_the_erasure_is_kept_out(world: World) -> None:
    files = everything(PEOPLE)
    world.write({"orders": [row for row in files["orders"] if row["no"] != "ORD-00030"]})
    world.sync()
    world.erase(3)
    files["parcels"].append(
        {"of": 3, "no": "S-99", "order": "ORD-00030", "to": "New Porch", "street": "9 Fjord"}
    )
    world.write({"parcels": files["parcels"]})
    assert world.sync()["crm"].streams["parcels"].suppressed == 2
    assert "New Porch" not in world.values()


def test_an_order_that_passes_to_an_erased_customer_goes(world: World) -> None:
    world.erase(3)
    orders = [order(40, 3) if row["no"] == "ORD-00040" else row for row in everything(PEOPLE)["orders"]]
    world.write({"orders": orders})
    report = world.sync()["shop"].streams["orders"]
    assert (report.suppressed, report.deleted) == (3, 3)  # its line and its parcel too
    assert "Porch004" not in world.values()
    assert "ORD-00041" in world.values()


@pytest.mark.parametrize("source", ["shop", "crm"])
def test_another_record_with_the_same_strong_identifier_is_kept_out(world: World, source: str) -> None:
    world.erase(3)
    before = world.graph()
    files = everything(PEOPLE)
    if source == "shop":
        files["people"].append(person(77, card="2610000003", of=3))
        files["orders"].append(order(770, 77))
    else:
        new = {"of": 3, "id": "C-77", "name": "Contact077", "email": "w@example.com", "card": "2610000003"}
        files["contacts"].append(new | {"at": "2026-05-01T00:00:00Z"})
    world.write(files)
    world.sync()
    assert differences(world.graph(), before) == {}
    assert [word for word in words(77) if word in world.values()] == []


def test_a_mapping_that_comes_to_state_the_erased_takes_their_records_out(world: World) -> None:
    calls = [row | {"asks": None} for row in everything(PEOPLE)["calls"]]
    calls.append({"of": 3, "no": "T-7", "card": None, "asks": "P-00003", "subject": "asked003 twice"})
    world.write({"calls": calls})
    world.sync()
    world.erase(3)
    assert "asked003" in world.values()
    crm = (world.folder / "config" / "crm.yaml").read_text()
    linked = crm.replace("{identifier: loyalty_card, value: card}", "{source: shop, key: asks}")
    (world.folder / "config" / "crm.yaml").write_text(linked)
    syncer = world.syncer()
    syncer.sync("crm")
    [remap] = [row for row in ask(world, "SELECT id, kind FROM run") if row[1] == "remap"]
    counts = ask(
        world,
        "SELECT read, accepted, suppressed, deleted FROM run_stream WHERE run_id = :r AND stream = 'calls'",
        r=remap[0],
    )
    assert counts == [(4, 3, 1, 1)]
    assert "asked003" not in world.values()


# refused records


def test_a_refused_record_is_kept_out_where_it_can_be_told_whose_it_is(world: World) -> None:
    world.erase(3)
    before = world.graph()
    refused = [
        person(3, born="some day"),
        person(77, card="2610000003", born="some day", of=3),
        {"of": 3, "card": "2610000003", "given": "No number"},
    ]
    world.write({"people": everything(PEOPLE)["people"], "broken": [*everything(PEOPLE)["broken"], *refused]})
    orders = [*everything(PEOPLE)["orders"], order(99, 3, total="much")]
    world.write({"orders": orders})
    world.sync()
    assert differences(world.graph(), before) == {}


def test_a_refused_record_of_which_nothing_can_be_told_waits(world: World) -> None:
    world.erase(3)
    world.raw("people", ["Given003 writes {"])
    assert world.sync()["shop"].streams["people"].quarantined == 4
    assert are_back(world, 3) == ["Given003"]


# the others


def test_a_telephone_of_the_family_keeps_none_of_them_out(world: World) -> None:
    crm = (world.folder / "config" / "crm.yaml").read_text()
    by_phone = crm.replace("{identifier: loyalty_card, value: card}", "{identifier: phone, value: phone}")
    (world.folder / "config" / "crm.yaml").write_text(by_phone)
    world.erase(3)
    calls = [
        {"of": 2, "no": "T-80", "phone": "01632 960001", "subject": "of the family"},
        {"of": 2, "no": "T-81", "phone": "01632 960002", "subject": "of somebody else"},
    ]
    world.write({"calls": calls})
    world.syncer().sync("crm")
    assert sorted(ask(world, "SELECT ticket_number, party_id FROM e_ticket")) == [
        ("T-80", entity_id("shop", "Party", "P-00002", SECRET)),
        ("T-81", entity_id("shop", "Party", "P-00004", SECRET)),
    ]
    world.erase(2)
    calls.append({"of": 2, "no": "T-82", "phone": "01632 960001", "subject": "of nobody any more"})
    world.write({"calls": calls})
    assert world.syncer().sync("crm").streams["calls"].suppressed == 2


def test_an_identifier_that_very_many_share_keeps_none_of_them_out(world: World) -> None:
    everybody = [person(n, card="26100000000") for n in range(3, 60)]
    world.write({"people": everybody})
    world.sync()
    world.erase(3)
    world.write({"people": [*everybody, person(60, card="26100000000")]})
    report = world.sync()["shop"]
    assert (report.streams["people"].suppressed, report.streams["people"].accepted) == (1, 1)


def test_who_works_for_an_erased_company_is_not_kept_out(world: World) -> None:
    firm = entity_id("shop", "Party", "F-00001", SECRET)
    [(id_,)] = ask(world, "SELECT customer_id FROM membership WHERE party_id = :p", p=firm)
    world.erase_customer(id_)
    world.write({"people": [person(4, note="promoted"), person(5)]})
    report = world.sync()["shop"]
    assert (report.streams["people"].suppressed, report.streams["firms"].suppressed) == (0, 1)
    assert "promoted" in world.values()


def test_a_known_record_that_comes_to_hold_an_erased_identifier_is_taken(world: World) -> None:
    world.erase(3)
    world.write({"people": [person(4, card="2610000003"), *(person(n) for n in (1, 2))]})
    report = world.sync()["shop"]
    assert (report.streams["people"].suppressed, report.streams["people"].accepted) == (0, 1)


# an erasure while a sync goes on


def during(monkeypatch: pytest.MonkeyPatch, method: str, act: Callable[[], object], stream: str) -> None:
    """Do something once after a step of a sync of the stream, right before its next transaction."""
    original, write, left = getattr(StreamRun, method), Store.write, [act]
    armed: list[Callable[[], object]] = []

    def then(self: StreamRun, *args: Any, **more: Any) -> Any:
        if left and self.name == stream:
            armed.append(left.pop())
        return original(self, *args, **more)

    def writing(self: Store) -> Any:
        while armed:
            armed.pop()()
        return write(self)

    monkeypatch.setattr(StreamRun, method, then)
    monkeypatch.setattr(Store, "write", writing)


@pytest.mark.parametrize("stream", ["people", "orders", "lines"])
def test_a_batch_that_was_read_before_the_erasure_brings_nothing_back(
    world: World, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    files = everything(PEOPLE)
    for row in files[stream]:
        row |= {"note": "changed", "text": "changed", "to": "changed"}
    files["orders"].append(order(98, 3))
    world.write(files)
    during(monkeypatch, "_without_landed", lambda: world.erase(3), stream)
    world.sync()
    [erasure] = world.erasures
    assert world.remains(erasure) == {}
    assert are_back(world, 3) == []


def test_what_a_full_scan_finds_deleted_may_have_been_erased_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write({"orders": [row for row in everything(PEOPLE)["orders"] if row["of"] != 3]})
    during(monkeypatch, "_delete", lambda: world.erase(3), "orders")
    assert world.sync()["shop"].streams["orders"].deleted == 0
    assert ask(world, "SELECT 1 FROM record WHERE head_id NOT IN (SELECT id FROM record_head)") == []


def test_erasing_in_one_thread_and_syncing_in_another(world: World) -> None:
    done = threading.Event()
    failures: list[BaseException] = []

    def sync() -> None:
        number = 0
        while not done.is_set():
            number += 1
            files = everything(PEOPLE)
            for n in PEOPLE:
                files["orders"].append(order(n * 10 + 2 + number % 7, n))
            files["people"] = [person(n, note=f"remembered{n:03} {number}") for n in PEOPLE]
            world.write(files)
            try:
                world.sync(batch_size=2)
            except BaseException as error:  # noqa: BLE001  (told by the test's own thread)
                failures.append(error)
                return

    other = threading.Thread(target=sync)
    other.start()
    try:
        for n in (3, 1, 4):
            world.erase(n)
    finally:
        done.set()
        other.join()
    assert failures == []
    for erasure in world.erasures:
        assert world.remains(erasure) == {}
    assert [n for n in (1, 3, 4) if are_back(world, n)] == []
    assert are_back(world, 2) != []


# letting in again


def test_a_whole_erasure_can_be_released(world: World) -> None:
    id_ = world.customer(3)
    erasure = world.erase(3)
    with world.store.write() as connection:
        assert release(world.store, connection, erasure_id=erasure.id) == set(erasure.hashes)
    read_files_again(world)
    assert sum(report.total.suppressed for report in world.sync().values()) == 0
    assert world.customer(3) != id_
    assert are_back(world, 3) == words(3)
    assert ask(world, "SELECT customer_id FROM tombstone") == [(id_,)]


def test_an_identifier_can_be_released_for_a_new_record(world: World) -> None:
    world.erase(3)
    with world.store.write() as connection:
        assert len(release(world.store, connection, identifiers=[("loyalty_card", "2610000003")])) == 1
    world.write({"people": [*everything(PEOPLE)["people"], person(77, card="2610000003")]})
    report = world.sync()["shop"]
    assert (report.streams["people"].suppressed, report.streams["people"].accepted) == (1, 1)
    assert world.customer(77)


def test_a_record_can_be_released_as_it_is(world: World) -> None:
    world.erase(3)
    with world.store.write() as connection:
        named = [("loyalty_card", "2610000003"), ("customer_number", "P-00003")]
        assert (
            len(release(world.store, connection, identifiers=named, records=[("shop", "people", "P-00003")]))
            > 3
        )
    world.sync()
    assert world.customer(3)
    assert "Given003" in world.values()
    assert "ORD-00030" not in world.values()


def test_releasing_what_is_not_kept_out_does_nothing(world: World) -> None:
    world.erase(3)
    with world.store.write() as connection:
        named = [("shop", "people", "P-00004")]
        assert not release(world.store, connection, erasure_id="", records=named, identifiers=[("a", "b")])


# hashes and cost


def test_hashes_are_the_store_s_own_and_of_different_things_never_alike(
    tmp_path: Path, ontology: Ontology
) -> None:
    with opened(tmp_path / "one", sqlite_store(tmp_path / "one.sqlite"), ontology) as world:
        made = Suppression(world.store)
        said = {
            made.of_record("a", "b", "c"),
            made.of_record("ab", "", "c"),
            made.of_record("a", "bc", ""),
            made.of_party("a"),
            made.of_identifier("a", "b"),
            made.of_content("a", "b"),
            made.of_identifier("ab", ""),
        }
        assert len(said) == 7
        assert Suppression(world.store).of_party("a") == made.of_party("a")
        world.store.secret = b"another"
        assert Suppression(world.store).of_party("a") != made.of_party("a")


def test_a_batch_costs_one_statement_where_nothing_is_kept_out_and_two_where_something_is(
    world: World,
) -> None:
    said: list[str] = []

    world.write({"people": [person(n, note="changed") for n in PEOPLE]})
    with noting(world.store, said.append):
        world.syncer().sync("shop")
    asked = [statement for statement in said if "suppression" in statement]
    assert len(asked) == 1
    world.erase(3)
    said.clear()
    world.write({"people": [person(n, note="changed again") for n in (1, 2, 4)]})
    with noting(world.store, said.append):
        world.syncer().sync("shop")
    own = [statement for statement in said if "FROM suppression WHERE hash" in statement]
    assert len(own) == 4  # one a stream with something new: people, orders, lines, restrictions


def test_a_sync_without_erasures_says_of_none(world: World) -> None:
    assert sum(report.total.suppressed for report in world.sync().values()) == 0
    assert heads(world) > 0
