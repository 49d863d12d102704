"""The index follows the store, whatever happened between."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest

from hub.errors import StoreUnavailableError
from hub.ontology import Ontology
from hub.search import Indexer, SearchService
from tests.search.search_world import (
    LABELS,
    THINGS,
    WHO,
    Access,
    World,
    fill,
    gone,
    key_of,
    party,
    says,
    thing,
)


def beside(world: World, ontology: Ontology | None = None) -> World:
    """The same store and index, as another process has them."""
    url = world.store.engine.url.render_as_string(hide_password=False)
    return World(url, world.index, world.engine.name, ontology)


def test_the_first_following_builds_the_index_and_the_next_has_nothing_to_do(world: World) -> None:
    fill(world)
    assert world.indexer.lag() == world.store.last_change()
    assert world.indexer.follow() == world.store.last_change()
    assert world.indexer.follow() == 0
    assert world.indexer.lag() == 0
    assert world.find("kowalska") == [key_of(world, "anna")]


def test_small_batches_lead_to_the_same_index(world: World) -> None:
    world.indexer.follow()
    fill(world)
    assert Indexer(world.store, world.engine, batch=3).follow() == world.store.last_change()
    assert world.find("kowalska") == [key_of(world, "anna")]
    assert world.find("broken", types=["Ticket"]) == [key_of(world, "ticket2"), key_of(world, "ticket")]


def test_a_changed_row_is_found_by_its_new_values_only(world: World) -> None:
    fill(world)
    world.indexer.follow()
    world.apply(says("erp", thing("Order", "o1", WHO["anna"], orderNumber="SO-2026-00999")))
    world.indexer.follow()
    assert world.find("SO-2026-00123") == []
    assert world.find("SO-2026-00999") == [("Order", THINGS["order"].id)]


def test_a_losing_value_of_a_party_is_followed_too(world: World) -> None:
    """The golden record stays as it is, so that only the party itself is in the change feed."""
    fill(world)
    world.indexer.follow()
    changed = party("pos", "9", name="Anna Zielinska", customerNumber="CU-000101", mobile="+447700900456")
    world.apply(says("pos", changed))
    world.indexer.follow()
    assert world.find("zielinska") == [key_of(world, "anna")]
    assert world.find("schmidt") == []


def test_merged_customers_are_one_hit_and_split_ones_two_and_their_orders_follow(world: World) -> None:
    fill(world)
    world.indexer.follow()
    both = [key_of(world, label) for label in ("obrien", "mueller")]
    old = WHO["obrien"]
    merged = party("erp", "5", **{**old.values, "loyaltyCard": "2900000000017"})
    world.apply(says("erp", merged))
    world.indexer.follow()
    kept = ("Customer", world.customer_of(old))
    assert kept in both
    assert world.find("obrien") == world.find("muller") == [kept]
    (order,) = world.service.search("10248", access=Access()).hits
    assert order.customer_id == kept[1]
    world.apply(says("erp", old))
    world.indexer.follow()
    assert len({*world.find("obrien"), *world.find("muller")}) == 2
    (order,) = world.service.search("10248", access=Access()).hits
    assert order.customer_id == world.customer_of(WHO["mueller"])


def test_an_erased_customer_is_gone_from_a_reader_that_was_open_all_along(
    world: World, tmp_path: Path
) -> None:
    fill(world)
    world.indexer.follow()
    reader = beside(world)
    try:
        assert len(reader.find("lukasz nowak")) == 2
        world.apply(gone("erp", WHO["lukasz"]), gone("erp", THINGS["ticket"]))
        # Not indexed yet: the check of the hits hides what the store no longer has.
        answer = reader.service.search("lukasz nowak", access=Access())
        assert (answer.hits, reader.service.dropped) == ((), 2)
        world.indexer.follow()
        answer = reader.service.search("lukasz nowak", access=Access())
        assert (answer.hits, answer.total, reader.service.dropped) == ((), 0, 2)
    finally:
        reader.close()


def test_a_hit_that_no_longer_matches_is_dropped_and_counted(light: World) -> None:
    fill(light)
    light.indexer.follow()
    light.apply(
        says("erp", thing("Ticket", "t2", WHO["lukasz"], ticketNumber="T-556", subject="All is well"))
    )
    assert light.find("refund wanted") == []
    assert light.service.dropped == 1
    assert light.find("refund wanted", types=["Ticket"], sources=["pos"]) == []


def test_while_another_process_indexes_nothing_is_done(world: World) -> None:
    fill(world)
    with world.store.lock("search-index") as held:
        assert held
        assert world.indexer.follow() == 0
        assert not world.indexer.rebuild()
    assert world.indexer.follow() > 0


def test_two_engines_on_one_folder_take_turns(light: World) -> None:
    other = beside(light)
    try:
        for number, writer in enumerate([light, other, light, other]):
            light.apply(
                says("erp", thing("Ticket", f"n{number}", ticketNumber=f"N-{number}", subject="same words"))
            )
            assert writer.indexer.follow() > 0
            assert len(light.find("same words")) == len(other.find("same words")) == number + 1
    finally:
        other.close()


def test_a_rebuild_is_swapped_under_open_readers_and_leaves_one_generation_to_go_back_to(
    light: World,
) -> None:
    fill(light)
    light.indexer.follow()
    reader = beside(light)
    try:
        assert reader.find("kowalska") == [key_of(light, "anna")]
        for number in range(3):
            subject = thing("Ticket", f"r{number}", ticketNumber=f"R-{number}", subject="after rebuilding")
            light.apply(says("erp", subject))
            assert light.indexer.rebuild()
            assert len(reader.find("after rebuilding")) == number + 1
            assert reader.find("kowalska") == [key_of(light, "anna")]
        assert light.generations() == 2
    finally:
        reader.close()


def test_a_failed_rebuild_leaves_the_old_index(light: World) -> None:
    fill(light)
    light.indexer.follow()

    def broken() -> object:
        raise StoreUnavailableError("gone in the middle")
        yield

    with pytest.raises(StoreUnavailableError):
        light.engine.rebuild(broken(), 0)  # type: ignore[arg-type]
    assert light.find("kowalska") == [key_of(light, "anna")]
    assert light.generations() == 1


def test_another_search_role_is_another_index(light: World) -> None:
    fill(light)
    light.indexer.follow()
    changed = beside(light, _with_searched_tax_number(light.ontology))
    try:
        with pytest.raises(StoreUnavailableError, match="built"):
            changed.find("kowalska")
        assert changed.engine.cursor() is None
        assert changed.indexer.follow() > 0
        assert changed.find("kowalska") == [key_of(light, "anna")]
        assert light.engine.cursor() is None
    finally:
        changed.close()


def _with_searched_tax_number(ontology: Ontology) -> Ontology:
    types = dict(ontology.types)
    for type_ in ontology.parties:
        properties = dict(type_.properties)
        properties["taxID"] = properties["taxID"].model_copy(update={"search": "code"})
        types[type_.name] = type_.model_copy(update={"properties": MappingProxyType(properties)})
    return ontology.model_copy(update={"types": MappingProxyType(types), "sha256": "changed"})


def test_without_an_index_the_answer_is_to_try_again_later(light: World) -> None:
    fill(light)
    with pytest.raises(StoreUnavailableError, match="built"):
        light.find("anna")
    assert light.engine.cursor() is None


# Whoosh leaves a file open that it cannot understand.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_damaged_index_is_built_anew(light: World) -> None:
    fill(light)
    light.indexer.follow()
    light.damage()
    assert light.indexer.follow() > 0
    assert light.find("kowalska") == [key_of(light, "anna")]


def test_an_index_ahead_of_a_restored_store_is_built_anew(light: World) -> None:
    fill(light)
    light.indexer.follow()
    light.engine.apply([], [key_of_document(light, "anna")], light.store.last_change() + 10)
    light.engine.release()
    assert light.find("kowalska") == []
    light.indexer.follow()
    assert light.find("kowalska") == [key_of(light, "anna")]


def key_of_document(world: World, label: str) -> str:
    return ":".join(key_of(world, label))


def test_the_index_holds_no_readable_text(light: World) -> None:
    """Only folded words: what a hit shows is read from the store."""
    fill(light)
    light.indexer.follow()
    held = b"".join(path.read_bytes() for path in light.index.rglob("*") if path.is_file())
    for text in ("Anna Maria Kowalska", "+442079460123", "arrived with a broken shade"):
        assert text.encode() not in held


def test_a_service_may_be_older_than_the_index(light: World) -> None:
    service = SearchService(light.store, light.engine, light.ontology)
    fill(light)
    light.indexer.follow()
    assert [hit.id for hit in service.search("schmidt", access=Access()).hits] == [key_of(light, "anna")[1]]
    assert LABELS["anna"].id != key_of(light, "anna")[1]
