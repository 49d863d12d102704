"""What stewards are told before they decide: of whom they reach only, without values, on record before it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.audit import Action
from hub.commands import (
    Author,
    DecideMatches,
    MatchPreview,
    MergeCustomers,
    UndoDecisions,
    UnmergeCustomer,
    cursor_of,
    decide_matches,
    explain_customer,
    explain_match,
    match_agreement,
    match_decisions,
    match_preview,
    match_review,
    merge_customers,
    undo_decisions,
    unmerge_customer,
    why_not,
)
from hub.errors import AccessDeniedError, NotFoundError, QueryError, RequestError
from hub.graph.resolution.evaluation import Quality
from hub.graph.resolution.explaining import Why
from hub.graph.resolution.preview import Models, WouldMerge, with_merge_weight
from hub.graph.resolution.review import DoubtKind
from hub.yamlfile import load_yaml
from tests.commands.command_world import ANN, BEN, POLICY
from tests.commands.erasing_world import erase, told
from tests.commands.stewards_world import NAMESAKE, NEIGHBOUR, REASON, StewardShop

Question = Callable[[StewardShop, Author], Any]


def scoped(folder: Path) -> Path:
    """The shipped policy, in which a steward sees the customers of their region only."""
    policy = json.loads(json.dumps(load_yaml(POLICY).data, default=str))
    for grant in policy["grants"]:
        if grant["roles"] == "steward":
            grant["scope"] = "region"
    path = folder / "policy.yaml"
    path.write_text(json.dumps(policy))
    return path


@pytest.fixture
def shop(tmp_path: Path, store_url: str) -> Iterator[StewardShop]:
    shop = StewardShop(tmp_path, store_url)
    yield shop
    shop.services.close()


@pytest.fixture
def regions(tmp_path: Path, store_url: str) -> Iterator[StewardShop]:
    """Ann is of Britain; her namesake and Ben are of nowhere."""
    shop = StewardShop(tmp_path, store_url, policy_file=scoped(tmp_path))
    order = shop.customer("club", "1")
    shop.correct_as_operator(order, "addressCountry", "GB")
    yield shop
    shop.services.close()


def test_a_pair_two_customers_and_one_are_explained(shop: StewardShop) -> None:
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    pair = explain_match(shop.services, shop.steward(), shop.party("till", "9"), shop.party("club", "1"))
    nearest = why_not(shop.services, shop.steward(), other, ann)
    assert (pair, pair.why, pair.together) == (nearest, Why.TOO_LITTLE, False)
    assert pair.waterfall is not None
    assert pair.waterfall.weight == pytest.approx(pair.weight)
    with pytest.raises(QueryError, match="name two parties"):
        explain_match(shop.services, shop.steward(), pair.left, pair.left)
    act = shop.merge(ann, other).act
    with pytest.raises(QueryError, match="one customer"):
        why_not(shop.services, shop.steward(), ann, other)
    story = explain_customer(shop.services, shop.steward(), other)  # a retired id leads to it
    assert (story.customer, len(story.parties)) == (ann, 2)
    assert [(hold.why, {hold.left, hold.right}) for hold in story.holds] == [
        (Why.DECIDED_SAME, {pair.left, pair.right})
    ]
    (decided,) = match_decisions(shop.services, shop.steward(), first=9, act=act)
    assert decided.in_force


def test_the_queue_is_told_in_pages_and_by_kind(shop: StewardShop) -> None:
    shop.write(
        "till", [NAMESAKE, {**NEIGHBOUR, "card": "7002"}, {**NAMESAKE, "key": "10", "name": "Ben Boyd"}]
    )
    shop.sync()
    steward = shop.steward()
    queue = match_review(shop.services, steward, first=9)
    assert len(queue) >= 2
    assert match_review(shop.services, steward, first=1) == queue[:1]
    assert match_review(shop.services, steward, first=9, after=cursor_of(queue[0])) == queue[1:]
    assert match_review(shop.services, steward, first=0) == []
    doubts = match_review(shop.services, steward, first=9, kinds=[DoubtKind.DOUBT])
    assert doubts == [each for each in queue if each.kind is DoubtKind.DOUBT]
    with pytest.raises(QueryError, match="no cursor"):
        match_review(shop.services, steward, first=9, after="nowhere")


def test_the_history_tells_what_was_undone_and_what_was_replaced(shop: StewardShop) -> None:
    pair = (shop.party("club", "1"), shop.party("till", "9"))
    first = shop.decide("not_same", pair)
    second = shop.decide("same", pair)
    history = match_decisions(shop.services, shop.steward(), first=9)
    assert [(each.decision.act, each.in_force) for each in history] == [
        (second.act, True),
        (first.act, False),
    ]
    shop.undo(second.act)
    after = history[0].decision.id
    (older,) = match_decisions(shop.services, shop.steward(), first=9, after=after, party=pair[0])
    assert (older.decision.act, older.in_force, older.decision.undone_at) == (first.act, True, None)
    (newer,) = match_decisions(shop.services, shop.steward(), first=1)
    assert (newer.decision.undone_by, newer.in_force) == ("u-steward", False)
    assert match_decisions(shop.services, shop.steward(), first=9, party="nobody\0") == []


def test_who_was_told_what_is_on_record_before_it_is_told(shop: StewardShop) -> None:
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    known = len(shop.events())
    explain_match(shop.services, shop.steward(), shop.party("club", "1"), shop.party("till", "9"))
    why_not(shop.services, shop.steward(), ann, other)
    explain_customer(shop.services, shop.steward(), ann)
    match_review(shop.services, shop.steward(), first=9)
    match_decisions(shop.services, shop.steward(), first=9)
    read = shop.events()[known:]
    assert {event.action for event in read} == {Action.READ}
    assert [(event.reason_code, set(event.customers)) for event in read] == [
        ("explain_match", {ann, other}),
        ("why_not", {ann, other}),
        ("explain_customer", {ann}),
        ("match_review", {ann, other}),
        ("match_decisions", set()),
    ]
    assert all("user.name" in str(event.data_categories) for event in read)


def test_the_model_is_measured_against_what_was_decided(shop: StewardShop) -> None:
    one, two = shop.party("club", "1"), shop.party("till", "9")
    assert match_agreement(shop.services, shop.steward()) == []
    act = shop.decide("same", (one, two)).act
    (missed,) = match_agreement(shop.services, shop.steward())
    assert (missed.decisions, missed.same, missed.quality, missed.blocking_recall) == (1, 1, Quality(1, 0), 1)
    assert missed.month == shop.rows("SELECT at FROM decision")[0]["at"][:7]
    shop.undo(act)
    assert match_agreement(shop.services, shop.steward()) == []
    shop.decide("not_same", (one, two), (one, shop.party("club", "2")))
    (agreed,) = match_agreement(shop.services, shop.steward())
    assert (agreed.decisions, agreed.same, agreed.quality) == (2, 0, Quality(1, 1))


def from_bits(shop: StewardShop, bits: float) -> Models:
    return with_merge_weight(shop.services.stewardship.previews.models, bits, ["person"])


def test_a_preview_names_who_would_merge_and_which_words_would_hold(shop: StewardShop) -> None:
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    one, two = sorted((shop.party("club", "1"), shop.party("till", "9")))
    steward, before = shop.steward(), shop.state()
    (doubt,) = match_review(shop.services, steward, first=9)
    lax, strict = from_bits(shop, doubt.weight), from_bits(shop, doubt.weight + 1)
    told = match_preview(shop.services, steward, lax, first=9, at_once=True)
    assert told == MatchPreview([WouldMerge((ann, other))], 1, [], 0, [], 0, 0)
    assert shop.state() == before
    shop.decide("same", (one, two))
    assert match_preview(shop.services, steward, strict, first=9).kept_count == 1
    far = from_bits(shop, doubt.weight - 20)
    assert match_preview(shop.services, steward, far, first=0).merges == []
    with pytest.raises(QueryError, match="weighs all anew"):
        match_preview(shop.services, steward, far, first=9, at_once=True)
    (event, *_) = (
        each.event
        for each in shop.services.audit.events(limit=1_000)
        if each.event.reason_code == "match_preview"
    )
    assert set(event.customers) == {ann, other}


@pytest.mark.parametrize("role", ["support", "compliance", "it", "marketing"])
def test_who_is_no_steward_is_told_nothing(shop: StewardShop, role: str) -> None:
    for ask in QUESTIONS:
        with pytest.raises(AccessDeniedError, match="decide_match"):
            ask(shop, shop.author(role))


QUESTIONS: tuple[Question, ...] = (
    lambda shop, author: explain_match(
        shop.services, author, shop.party("club", "1"), shop.party("till", "9")
    ),
    lambda shop, author: why_not(
        shop.services, author, shop.customer("club", "1"), shop.customer("till", "9")
    ),
    lambda shop, author: explain_customer(shop.services, author, shop.customer("till", "9")),
    lambda shop, author: match_review(shop.services, author, first=9),
    lambda shop, author: match_decisions(shop.services, author, first=9),
    lambda shop, author: match_agreement(shop.services, author),
    lambda shop, author: match_preview(shop.services, author, from_bits(shop, 2.0), first=9),
)


# whom a steward reaches


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(NotFoundError) as error:
        ask()
    return str(error.value)


def test_a_steward_of_a_region_sees_and_decides_nothing_outside_it(regions: StewardShop) -> None:
    shop, near, far = regions, regions.steward(region=["GB"]), regions.steward(region=["FR"])
    services = shop.services
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    one, two = shop.party("club", "1"), shop.party("till", "9")
    assert explain_customer(services, near, ann).customer == ann
    messages = {
        refused(lambda: explain_match(services, near, one, two)),
        refused(lambda: explain_match(services, near, one, "nobody")),
        refused(lambda: decide_matches(services, near, DecideMatches([(one, two)], "same", REASON, "k"))),
        refused(lambda: decide_matches(services, far, DecideMatches([(one, two)], "same", REASON, "k"))),
    }
    assert messages == {"there is no party with this id"}
    messages = {
        refused(lambda: why_not(services, near, ann, other)),
        refused(lambda: explain_customer(services, far, ann)),
        refused(lambda: explain_customer(services, far, "cus_nobody")),
        refused(lambda: merge_customers(services, near, MergeCustomers([ann, other], REASON, "k"))),
        refused(lambda: unmerge_customer(services, far, UnmergeCustomer(ann, [one], REASON, "k"))),
    }
    assert messages == {"there is no customer with this id"}
    operator = Author.operator("os:tests", services.access)
    assert match_review(services, near, first=9) == match_review(services, far, first=9) == []
    assert len(match_review(services, operator, first=9)) == 1
    apart = decide_matches(services, operator, DecideMatches([(one, two)], "not_same", REASON, "k"))
    assert match_decisions(services, near, first=9) == []
    assert match_agreement(services, near) == []
    assert match_agreement(services, operator)[0].decisions == 1
    lax = from_bits(shop, 2.0)
    assert match_preview(services, near, lax, first=9) == MatchPreview([], 0, [], 0, [], 0, 0)
    assert match_preview(services, operator, lax, first=9).kept_count == 1
    assert len(match_decisions(services, operator, first=9)) == 1
    undo = UndoDecisions(apart.act, REASON, "k2")
    nobodys = UndoDecisions("nothing", REASON, "k2")
    assert refused(lambda: undo_decisions(services, near, undo)) == refused(
        lambda: undo_decisions(services, near, nobodys)
    )
    assert undo_decisions(services, operator, undo).pairs == 1


# erasure


def test_with_an_erased_customer_goes_all_that_was_decided_of_it(shop: StewardShop) -> None:
    ann, ben, other = (shop.party(*each) for each in (("club", "1"), ("club", "2"), ("till", "9")))
    shop.decide("not_same", (ann, ben), (ben, other))
    undone = shop.decide("not_same", (ann, other))
    shop.undo(undone.act)
    erase(shop, shop.customer("club", "1"))
    rows = shop.rows("SELECT left_id, right_id, reason FROM decision")
    assert [{row["left_id"], row["right_id"]} for row in rows] == [{ben, other}]
    (decided,) = match_decisions(shop.services, shop.steward(), first=9)
    assert decided.in_force
    with pytest.raises(RequestError):
        explain_match(shop.services, shop.steward(), ann, ben)
    (last,) = told(shop, Action.ERASED)
    assert last.event.counts["parties"] == 1
    assert {ANN["name"], BEN["name"]}.isdisjoint(row["reason"] for row in rows)
