"""An index is compared with its store, and what differs is told and put right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest

from hub.search import Checked, Document
from hub.search.checking import differing
from tests.search.search_world import Access, World, fill, key_of, says, thing

Harm: TypeAlias = Callable[[World], None]


def _lost(world: World) -> None:
    world.engine.apply([], [":".join(key_of(world, "liz"))], world.engine.cursor() or 0)


def _surplus(world: World) -> None:
    document = _documents(world, "Ticket")[0]
    other = replace(document, id="nobodys")
    world.engine.apply([other], [], world.engine.cursor() or 0)


def _changed(world: World) -> None:
    document = _documents(world, "Ticket")[0]
    other = replace(document, bars=("objected",))
    world.engine.apply([other], [], world.engine.cursor() or 0)


def _documents(world: World, type_: str) -> list[Document]:
    loader = world.indexer._loader
    with world.store.read() as connection:
        return list(loader.load(connection, type_, loader.ids(connection, type_, "", 10)).values())


def test_an_index_in_step_has_no_drift(light: World) -> None:
    fill(light)
    checked = light.indexer.check()
    assert checked is not None
    assert (checked.documents > 20, checked.drift) == (True, 0)
    assert light.indexer.check() == checked
    assert light.indexer.drift == 0


@pytest.mark.parametrize("harm", [_lost, _surplus, _changed])
def test_drift_is_counted_and_put_right(light: World, harm: Harm) -> None:
    fill(light)
    light.indexer.follow()
    asked = ("whitfield", "broken", "refund")
    before = [light.find(each) for each in asked]
    stamps = set(light.engine.stamps())
    harm(light)
    light.engine.release()
    assert set(light.engine.stamps()) != stamps
    checked = light.indexer.check()
    assert checked == Checked(len(stamps), 1)
    assert light.indexer.drift == 1
    assert set(light.engine.stamps()) == stamps
    assert [light.find(each) for each in asked] == before
    assert light.indexer.lag() == 0


def test_what_changes_while_it_is_checked_is_no_drift(light: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(light)
    light.indexer.follow()
    stamps, said = light.engine.stamps, []

    def meanwhile() -> object:
        if not said:
            said.append(1)
            light.apply(says("erp", thing("Ticket", "n1", ticketNumber="N-1", subject="meanwhile")))
            light.apply(says("erp", thing("Ticket", "t2", ticketNumber="T-556", subject="meanwhile")))
        return stamps()

    monkeypatch.setattr(light.engine, "stamps", meanwhile)
    checked = light.indexer.check()
    assert checked is not None
    assert checked.drift == 0
    assert light.service.search("meanwhile", access=Access()).total == 2


def test_a_check_builds_an_index_that_is_not_there_and_leaves_one_that_another_is_at(light: World) -> None:
    fill(light)
    with light.store.lock("search-index"):
        assert light.indexer.check() is None
    checked = light.indexer.check()
    assert checked is not None
    assert checked.drift == 0
    assert light.find("whitfield") == [key_of(light, "liz")]


def test_buckets_tell_every_difference_and_no_other() -> None:
    held = {f"Ticket:{at}": at * 7919 for at in range(2_000)}
    other = {**held, "Ticket:5": 1, "Ticket:new": 2}
    del other["Ticket:77"]
    told = differing(lambda: held.items(), lambda: other.items())
    assert told == {"Ticket:5", "Ticket:new", "Ticket:77"}
    assert differing(lambda: held.items(), lambda: reversed(held.items())) == set()


def test_two_documents_that_changed_their_states_are_told() -> None:
    """Stamps alone would cancel each other out."""
    keys = [f"Ticket:{at}" for at in range(600)]
    held = dict.fromkeys(keys, 0) | {keys[0]: 1}
    for each in keys[1:]:
        other = dict.fromkeys(keys, 0) | {each: 1}
        assert differing(lambda: held.items(), other.items) == {keys[0], each}


def test_who_waits_for_an_entry_of_the_change_feed_finds_it(world: World) -> None:
    fill(world)
    world.indexer.follow()
    world.apply(says("erp", thing("Ticket", "n1", ticketNumber="N-1", subject="just written")))
    assert world.indexer.waits(world.store.last_change(), 5.0)
    assert len(world.find("just written")) == 1
    with world.store.lock("search-index"):
        assert not world.indexer.waits(world.store.last_change() + 1, 0.1)
