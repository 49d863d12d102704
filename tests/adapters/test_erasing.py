"""Erasing a customer leaves nothing of them in the store, and everything of everybody else as it was."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.adapters import Circumstances, Said, StaffRecords
from hub.adapters.erasing import plan_again, plan_erasure
from hub.errors import NotFoundError
from hub.ontology import Ontology, load_ontology
from hub.values import entity_id
from tests.adapters.erasing_world import (
    CRM,
    SECRET,
    World,
    differences,
    everything,
    opened,
    order,
    person,
    words,
)
from tests.databases import sqlite_store

PEOPLE = list(range(1, 7))


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


def tell(world: World, sql: str, **values: Any) -> None:
    with world.store.write() as connection:
        connection.execute(text(sql), values)


def head_of(world: World, stream: str, key: str) -> int:
    [(found,)] = ask(world, "SELECT id FROM record_head WHERE stream = :s AND key = :k", s=stream, k=key)
    return int(found)


def party(n: int) -> str:
    return entity_id("shop", "Party", f"P-{n:05}", SECRET)


def test_nothing_is_left_of_a_customer_in_any_table(world: World) -> None:
    before = world.values()
    for word in words(3):
        assert word in before, word
    world.erase(3)
    after = world.values()
    assert [word for word in words(3) if word in after] == []
    others = [word for n in (1, 2, 4) for word in words(n) if word in before]
    assert [word for word in others if word not in after] == []


@pytest.mark.parametrize("people", [(3,), (2, 3), (1, 2, 3, 4, 5, 6)])
def test_the_others_are_as_if_the_erased_had_never_been(
    store_url: str, tmp_path: Path, ontology: Ontology, people: tuple[int, ...]
) -> None:
    with opened(tmp_path / "company", store_url, ontology) as world:
        world.write(everything(PEOPLE))
        world.sync()
        for n in people:
            world.erase(n)
        found = portable(world)
    with opened(tmp_path / "twin", sqlite_store(tmp_path / "twin.sqlite"), ontology) as twin:
        twin.write(everything(PEOPLE), without=people)
        twin.sync()
        assert differences(found, portable(twin)) == {}


def portable(world: World) -> dict[str, list[str]]:
    """The graph by parts that both databases spell alike."""
    found = world.graph()
    names = ("customers", "heads", "records", "quarantine", "references", "contributions", "standing")
    spelt = {name: found[name] for name in names}
    counts = {name: [str(len(rows))] for name, rows in found.items() if name not in spelt}
    hashes = {
        f"{table.name} rows": sorted(
            f"{row}" for row in ask(world, f'SELECT id, record_key, content_hash FROM "{table.name}"')
        )
        for table in world.store.tables.by_type.values()
    }
    return spelt | counts | hashes


def test_the_order_of_erasures_does_not_matter(tmp_path: Path, ontology: Ontology) -> None:
    found = []
    for n, people in enumerate(itertools.permutations((2, 3, 5))):
        with opened(tmp_path / str(n), sqlite_store(tmp_path / f"{n}.sqlite"), ontology) as world:
            world.write(everything(PEOPLE))
            world.sync()
            for each in people:
                world.erase(each)
            kept_out = ask(world, "SELECT hash FROM suppression ORDER BY hash")
            found.append((world.graph(), kept_out))
    assert all(each == found[0] for each in found)


def test_erasing_again_finds_nothing_more(world: World) -> None:
    erasure = world.erase(3)
    before = {name: rows for name, rows in world.tables().items() if name != "run"}
    assert world.erase_again(erasure) == {}
    assert {name: rows for name, rows in world.tables().items() if name != "run"} == before


@pytest.mark.parametrize("id_", ["", "cus_nobody", "\x00"])
def test_who_is_not_there_cannot_be_erased(world: World, id_: str) -> None:
    if "\x00" in id_ and world.store.dialect.name == "postgresql":
        pytest.skip("no id with NUL reaches PostgreSQL")
    with world.store.read() as connection, pytest.raises(NotFoundError):
        plan_erasure(world.store, connection, id_)


def test_who_was_erased_is_not_there(world: World) -> None:
    id_ = world.customer(3)
    world.erase(3)
    with world.store.read() as connection, pytest.raises(NotFoundError):
        plan_erasure(world.store, connection, id_)


def test_a_retired_id_leads_to_the_customer_and_all_ids_are_buried(world: World) -> None:
    now = world.customer(3)
    said = json.dumps({"why": "x", "parties": []})
    tell(world, "INSERT INTO customer_redirect VALUES ('cus_old', :new, 'then', :said)", new=now, said=said)
    with world.store.read() as connection:
        plan = plan_erasure(world.store, connection, "cus_old")
    assert plan.customers == (now, "cus_old")
    erasure = world.erase(3)
    buried = ask(world, "SELECT customer_id, erasure_id FROM tombstone")
    assert set(buried) == {(now, erasure.id), ("cus_old", erasure.id)}
    assert ask(world, "SELECT * FROM customer_redirect") == []


def test_the_search_index_is_told_to_delete(world: World) -> None:
    id_, last = world.customer(3), world.store.last_change()
    world.erase(3)
    told = {(change.type, change.entity_id): change.kind for change in world.store.changes(last, 1000)}
    assert told["Customer", id_] == "delete"
    assert told["Person", party(3)] == "delete"
    assert told["Order", entity_id("shop", "Order", "ORD-00030", SECRET)] == "delete"


def test_what_staff_said_goes_too(world: World) -> None:
    syncer = world.syncer()
    staff = StaffRecords(world.store, syncer.graph, syncer.mapping)
    circumstances = Circumstances("agent", "purpose", "because of secret0", "2026-01-01T00:00:00.000000Z")
    for n in (3, 4):
        desk = Said("desk", "customers", f"d{n}", "Person", {}, (party(n),))
        with world.store.write() as connection:
            note = {"kind": "call", "summary": f"whispered{n}", "customer": staff.entity_id(desk)}
            said = [desk, Said("desk", "interactions", f"i{n}", "Interaction", note)]
            staff.write(connection, said, circumstances)
            right = {"notes": f"corrected{n}"}
            staff.write(
                connection,
                [Said("steward", "corrections", f"c{n}", "Person", right, (party(n), party(7 - n)))],
                circumstances,
            )
    world.erase(3)
    after = world.values()
    assert [word for word in ("whispered3", "corrected3") if word in after] == []
    assert "whispered4" in after
    assert "corrected4" in after
    assert ask(world, "SELECT anchor_id FROM anchor") == [(party(4),), (party(4),)]


GLASS = (
    "INSERT INTO break_glass (id, customer_id, subject, roles, purpose, categories, reason, ticket, started_at,"
    " expires_at, note) VALUES (:id, :customer, 'agent', '[]', 'p', '[]', 'secret1', 'secret2', 't', 't', 'secret3')"
)


def test_what_was_written_about_a_broken_glass_goes_and_who_broke_it_stays(world: World) -> None:
    for n in (3, 4):
        tell(world, GLASS, id=f"glass{n}", customer=world.customer(n))
    erasure = world.erase(3)
    sql = "SELECT id, subject, reason, ticket, note FROM break_glass ORDER BY id"
    assert ask(world, sql) == [
        ("glass3", "agent", "", "", ""),
        ("glass4", "agent", "secret1", "secret2", "secret3"),
    ]
    tell(world, "UPDATE break_glass SET note = 'and more' WHERE id = 'glass3'")
    assert world.remains(erasure) == {"break_glass": 1}


# records that stated somebody in an earlier version


def test_a_record_that_is_another_s_by_now_loses_its_earlier_versions_only(world: World) -> None:
    moved = [order(30, 4) if row["no"] == "ORD-00030" else row for row in everything(PEOPLE)["orders"]]
    head = head_of(world, "orders", "ORD-00030")
    world.write({"orders": moved})
    world.sync()
    assert len(ask(world, "SELECT 1 FROM record WHERE head_id = :h", h=head)) == 2
    with world.store.read() as connection:
        assert head in plan_erasure(world.store, connection, world.customer(3)).trimmed
    world.erase(3)
    [(payload,)] = ask(world, "SELECT payload FROM record WHERE head_id = :h", h=head)
    assert "Doorbell004" in payload
    assert world.sync()["shop"].streams["orders"].suppressed == 1  # ORD-00031
    assert ask(world, "SELECT party_id FROM e_order WHERE order_number = 'ORD-00030'") == [(party(4),)]


def test_a_record_that_its_source_deleted_goes_whole(world: World) -> None:
    head = head_of(world, "orders", "ORD-00030")
    world.write({"orders": [row for row in everything(PEOPLE)["orders"] if row["no"] != "ORD-00030"]})
    world.sync()
    assert "Doorbell003" in str(ask(world, "SELECT payload FROM record WHERE head_id = :h", h=head))
    world.erase(3)
    assert ask(world, "SELECT 1 FROM record WHERE head_id = :h", h=head) == []
    assert ask(world, "SELECT 1 FROM former WHERE party_id = :p OR head_id = :h", p=party(3), h=head) == []
    assert [word for word in ("ORD-00030", "engraved003", "Porch003") if word in world.values()] == []


def test_a_customer_of_whom_no_source_tells_any_more_can_be_erased(world: World) -> None:
    id_ = world.customer(3)
    world.write(everything(PEOPLE) | {"visits": []}, without=[3])
    (world.folder / "config" / "crm.yaml").write_text(CRM[: CRM.index("  visits:")])
    world.syncer().forget("crm")
    world.sync()
    assert ask(world, "SELECT 1 FROM customer WHERE id = :id", id=id_) == []
    assert "Given003" in world.values()
    world.erase_customer(id_)
    # What never was accepted, and is gone, left a key that nothing leads to.
    assert [word for word in words(3) if word in world.values()] == ["B-00003"]


# quarantine


def test_what_nobody_could_read_goes_where_it_names_the_customer(world: World) -> None:
    mine = [
        "someone.003@example.com; writes badly",
        "call her: 01632-960 001... card 26100-00003",
        "P-00003 again {",
        '{"given": "no number", "card": "2610000003", "born": 1}',
    ]
    others = [
        "someone.004@example.com; writes badly",
        "not-someone.003@example.com",
        "126100000035",
        "call them both: 01632 960001",  # a telephone that 2 has as well
    ]
    world.raw("people", [*mine, *others])
    world.sync()
    waiting = "SELECT payload FROM quarantine WHERE key IS NULL"
    assert len(ask(world, waiting)) == 8
    world.erase(3)
    assert sorted(payload for (payload,) in ask(world, waiting)) == sorted(others)
    world.sync()
    assert sorted(payload for (payload,) in ask(world, waiting)) == sorted(others)


def test_a_waiting_version_of_another_s_record_goes_and_the_version_before_is_served(world: World) -> None:
    told = person(4, born="some day", note="moved in with someone.003@example.com")
    people = [told if row["no"] == "P-00004" else row for row in everything(PEOPLE)["people"]]
    world.write({"people": people})
    world.sync()
    head = head_of(world, "people", "P-00004")
    assert ask(world, "SELECT state FROM record_head WHERE id = :h", h=head) == [("quarantined",)]
    world.erase(3)
    assert ask(world, "SELECT state FROM record_head WHERE id = :h", h=head) == [("accepted",)]
    assert "moved in with" not in world.values()
    assert ask(world, "SELECT notes FROM e_person WHERE id = :p", p=party(4)) == [
        ("remembered004 as a regular",)
    ]
    assert world.sync()["shop"].streams["people"].quarantined == 0


# after a backup was restored


def test_an_erasure_is_done_again_on_an_older_state(world: World) -> None:
    erasure = world.erase(3)
    erased = world.graph()
    for table in ("suppression", "tombstone"):
        tell(world, f"DELETE FROM {table}")
    world.sync()
    # All but the visit: that file was read to its end, and a cursor is kept.
    assert world.remains(erasure)["record_head"] == 9
    with world.store.read() as connection:
        assert plan_again(world.store, connection, erasure)
    world.erase_again(erasure)
    assert world.remains(erasure) == {}
    assert differences(world.graph(), erased) == {}
    world.sync()
    assert world.remains(erasure) == {}


def test_on_an_older_state_a_customer_with_other_parties_lives_on_without_the_erased(world: World) -> None:
    erasure = world.erase(3)
    [dead] = erasure.customers
    for table in ("suppression", "tombstone"):
        tell(world, f"DELETE FROM {table}")
    world.write({"people": [person(3), person(4, card="2610000003")]})
    world.sync()
    tell(world, "UPDATE membership SET customer_id = :dead WHERE party_id = :p", dead=dead, p=party(4))
    tell(world, "UPDATE customer SET id = :dead WHERE id = :now", dead=dead, now=world.customer(3))
    tell(world, "UPDATE membership SET customer_id = :dead WHERE party_id = :p", dead=dead, p=party(3))
    world.erase_again(erasure)
    assert world.remains(erasure) == {}
    assert world.customer(4) == dead
    assert ask(world, "SELECT * FROM tombstone") == []
