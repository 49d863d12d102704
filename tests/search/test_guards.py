"""Each guard of the search, broken: the comparison with what was stated tells of it. A guard nobody misses is none."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tantivy import Query as TantivyQuery

from hub.errors import QueryError
from hub.search import SearchRequest, postgres_query, service, tantivy_query, whoosh_engine
from hub.search.fold import words
from hub.search.query import parse
from tests.search.search_world import ALLOW, DENY, MASK, THINGS, WHO, Access, World, fill, says, thing
from tests.search.test_access import brute_force, stated

NAMES = ("user.name", "user.name.first", "user.name.last")
ACCESSES = {
    "no names": Access().but(DENY, *NAMES),
    "names masked": Access().but(MASK, *NAMES),
    "names alone": Access(DENY).but(ALLOW, *NAMES),
    "no contact": Access().but(DENY, "user.contact.phone_number", "user.contact.email"),
    "no text": Access().but(DENY, "user.content.private"),
}
TEXTS = (
    "kowalska",
    "anna",
    "broken lamp",
    "020 7946",
    "example",
    "harbour road",
    "nowak",
    "kowalzkka",
    "brokken",
)


def differences(world: World) -> Iterator[str]:
    """Where the search tells more, or other, than what was stated and may be read."""
    texts = stated(world)
    for label, access in ACCESSES.items():
        readable = {key: [v for v in held if access.decide(v[1]) is ALLOW] for key, held in texts.items()}
        known = {word for held in readable.values() for _, _, text in held for word in words(text)}
        for asked in TEXTS:
            answer = world.service.search(asked, first=100, access=access)
            wanted = set(brute_force(parse(asked), texts, access))
            if {(hit.type, hit.id) for hit in answer.hits} != wanted or answer.total != len(wanted):
                yield f"{label}, {asked}: hits"
            shown = [html.unescape(re.sub("</?mark>", "", hit.snippet)) for hit in answer.hits]
            told = [each.text for each in world.service.suggest(asked, first=100, access=access).suggestions]
            for what, text in [*(("snippet", t) for t in shown), *(("suggestion", t) for t in told)]:
                if not known.union(words(asked)).issuperset(words(text)):
                    yield f"{label}, {asked}: {what}"
            if answer.did_you_mean and not known.union(words(asked)).issuperset(words(answer.did_you_mean)):
                yield f"{label}, {asked}: did you mean"
    yield from _facets(world)
    yield from _tokens(world)


def _facets(world: World) -> Iterator[str]:
    category = world.catalogue.facets["Ticket.status"][1].category
    try:
        world.service.search("broken", facets=["Ticket.status"], access=Access().but(MASK, category))
        yield "a facet that may not be read is counted"
    except QueryError:
        pass


def _tokens(world: World) -> Iterator[str]:
    categories = frozenset(world.catalogue.categories)
    for asked in ("anna", "nowak", "oak"):
        found = world.engine.search(SearchRequest(asked, categories, frozenset({"type:Ticket"}), first=50))
        if {hit.type for hit in found.hits} - {"Ticket"} or set(found.facets) - {"Ticket"}:
            yield f"{asked}: what no token admits"


def test_nothing_differs_while_the_guards_stand(filled: World) -> None:
    assert list(differences(filled)) == []


def _everything(of: Callable[..., Any]) -> Callable[..., Any]:
    """The function as if the requester might read all that a document has."""

    class All:
        def __contains__(self, _category: str) -> bool:
            return True

    def called(*given: Any) -> Any:
        # snippets take what is shown after the categories, the others end with them
        at = 2 if of.__name__ == "snippet" else len(given) - 1
        return of(*given[:at], All(), *given[at + 1 :])

    return called


def _admit_all(world: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tantivy_query, "_admitted", lambda *_: TantivyQuery.all_query())
    patch.setattr(whoosh_engine, "_admits", lambda opened, _: frozenset(opened.reader.all_doc_ids()))
    patch.setattr(postgres_query, "_admitted", lambda *_: "TRUE")


def _search_all(world: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(service.SearchService, "_searches", lambda *_: True)


def _count_all(world: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(service.SearchService, "_counts", lambda *_: True)


def _show_all(world: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(service, "snippet", _everything(service.snippet))


def _suggest_all(world: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(service, "completions", _everything(service.completions))


@pytest.mark.parametrize("broken", [_admit_all, _search_all, _count_all, _show_all, _suggest_all])
def test_a_broken_guard_is_noticed(
    light: World, monkeypatch: pytest.MonkeyPatch, broken: Callable[[World, pytest.MonkeyPatch], None]
) -> None:
    fill(light)
    light.indexer.follow()
    broken(light, monkeypatch)
    assert next(differences(light), None)


def stale(world: World) -> Iterator[str]:
    """What a search tells of rows that the store has no more, or otherwise, before the index knows."""
    world.apply(says("erp", thing("Ticket", "t2", WHO["lukasz"], ticketNumber="T-556", subject="All well")))
    world.apply(says("erp", thing("Ticket", "t1", WHO["anna"], ticketNumber="T-555", status="closed",
                                  subject=str(THINGS["ticket"].values["subject"]))))  # fmt: skip
    if world.find("refund wanted"):
        yield "a hit that no longer matches"
    if world.find("lamp arrived", tags={"Ticket.status": ["open"]}):
        yield "a hit that is no longer what is asked for"


def test_what_changed_is_not_shown_before_the_index_knows(light: World) -> None:
    fill(light)
    light.indexer.follow()
    assert list(stale(light)) == []
    assert light.service.dropped == 2


@pytest.mark.parametrize(("where", "name"), [(service, "matches"), (SearchRequest, "wants")])
def test_hits_that_are_not_checked_again_are_noticed(
    light: World, monkeypatch: pytest.MonkeyPatch, where: object, name: str
) -> None:
    fill(light)
    light.indexer.follow()
    monkeypatch.setattr(where, name, lambda *_: True)
    assert len(list(stale(light))) == 1
