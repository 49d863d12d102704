"""What stewards decide about who is one customer: it holds, it is told of, and it is taken back without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.audit import Action
from hub.commands import (
    DecideMatches,
    MergeCustomers,
    UndoDecisions,
    decide_matches,
    merge_customers,
    reveal_payloads,
    undo_decisions,
)
from hub.errors import AccessDeniedError, LimitError, NotFoundError, QueryError, RequestError
from tests.commands.command_world import ANN, BEN
from tests.commands.erasing_world import told
from tests.commands.stewards_world import NAMESAKE, NEIGHBOUR, REASON, StewardShop


@pytest.fixture
def shop(tmp_path: Path, store_url: str) -> Iterator[StewardShop]:
    shop = StewardShop(tmp_path, store_url)
    yield shop
    shop.services.close()


# T1, T2, T3 of what users ask for


def test_t1_a_merge_keeps_every_value_ticket_and_note_once(shop: StewardShop) -> None:
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    assert ann != other
    shop.consent(ann)
    shop.interaction(other)
    shop.correct(other, "name", "Ann B. Archer")
    done = shop.merge(other, ann)
    assert done.customers == (ann,)
    assert shop.customer("till", "9") == ann
    assert len(shop.of_customer("e_ticket", ann)) == 2
    assert len(shop.of_customer("e_consent", ann)) == len(shop.of_customer("e_interaction", ann)) == 1
    golden = shop.golden(ann)
    assert (golden["name"], golden["email"]) == ("Ann B. Archer", "ann@example.com")
    assert len(shop.rows("SELECT id FROM customer")) == 2
    assert len(shop.rows("SELECT id FROM e_ticket")) == 2


def test_t2_an_unmerge_gives_everything_back_as_if_never_merged(shop: StewardShop) -> None:
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    shop.consent(ann)
    shop.interaction(other)
    before = shop.state()
    shop.merge(ann, other)
    shop.unmerge(ann, shop.party("till", "9"))
    assert shop.state() == before
    shop.sync()
    assert shop.state() == before


def test_t3_ids_handed_out_lead_to_their_people_through_merge_and_split(shop: StewardShop) -> None:
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    act = shop.merge(ann, other).act
    [redirect] = shop.rows("SELECT old_id, new_id FROM customer_redirect")
    assert redirect == {"old_id": other, "new_id": ann}
    shop.unmerge(other, shop.party("till", "9"))  # by the retired id
    assert (shop.customer("club", "1"), shop.customer("till", "9")) == (ann, other)
    assert shop.rows("SELECT old_id FROM customer_redirect") == []
    shop.undo(act)
    assert (shop.customer("club", "1"), shop.customer("till", "9")) == (ann, other)


# decisions


def test_a_pair_decided_the_same_is_one_customer_until_that_is_undone(shop: StewardShop) -> None:
    before = shop.state()
    done = shop.decide("same", (shop.party("till", "9"), shop.party("club", "1")))
    assert shop.customer("till", "9") == shop.customer("club", "1")
    undone = shop.undo(done.act)
    assert shop.state() == before
    assert (undone.pairs, len(undone.customers)) == (1, 2)
    with pytest.raises(NotFoundError, match="could be undone"):
        shop.undo(done.act)


def test_what_was_parted_is_merged_by_no_later_record_unless_it_says_much_more(shop: StewardShop) -> None:
    shop.write("till", [NEIGHBOUR])
    shop.sync()
    ann = shop.customer("club", "1")
    assert shop.customer("till", "8") == ann
    shop.unmerge(ann, shop.party("till", "8"))
    shop.write("till", [{**NEIGHBOUR, "email": "ann@example.com", "changed": "2026-03-01"}])
    shop.sync()
    assert shop.customer("till", "8") != ann  # nine bits more, where ten are needed
    shop.write("till", [{**NEIGHBOUR, "email": "ann@example.com", "card": "7001", "changed": "2026-04-01"}])
    shop.sync()
    assert shop.customer("till", "8") == ann


def test_nobody_leaves_a_customer_because_somebody_is_joined_to_it(shop: StewardShop) -> None:
    """Ann and her neighbour are one by hardly enough; with Ben beside them they would not be."""
    shop.write("till", [NAMESAKE, NEIGHBOUR])
    shop.sync()
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    assert shop.customer("till", "8") == ann
    before = shop.state()
    done = shop.decide("same", (shop.party("club", "1"), shop.party("club", "2")))
    assert {shop.customer("club", "1"), shop.customer("club", "2"), shop.customer("till", "8")} == {
        min(ann, ben)
    }
    assert done.pairs == 2
    shop.undo(done.act)
    assert shop.state() == before
    assert shop.customer("club", "2") == ben


def test_a_merge_overrules_what_was_decided_between_its_customers_and_gives_way_when_undone(
    shop: StewardShop,
) -> None:
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    shop.decide("not_same", (shop.party("club", "1"), shop.party("till", "9")))
    merged = shop.merge(ann, other)
    assert shop.customer("till", "9") == ann
    shop.undo(merged.act)
    rows = shop.rows("SELECT verdict FROM decision WHERE undone_at IS NULL")
    assert (shop.customer("till", "9"), rows) == (other, [{"verdict": "not_same"}])


def test_a_merge_overrules_decisions_of_other_parties_of_its_customers(shop: StewardShop) -> None:
    shop.write("till", [NAMESAKE, NEIGHBOUR, {**NAMESAKE, "key": "10"}])
    shop.sync()
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    shop.decide("same", (shop.party("till", "9"), shop.party("till", "10")))
    shop.decide("not_same", (shop.party("till", "8"), shop.party("till", "10")))
    merged = shop.merge(ann, other)
    assert (merged.pairs, merged.customers) == (2, (ann,))
    shop.undo(merged.act)
    assert {shop.customer("till", "9"), shop.customer("till", "10")} == {other}
    assert shop.customer("till", "8") == ann


def test_what_contradicts_a_decision_in_force_is_refused_with_its_act(shop: StewardShop) -> None:
    ann, ben, other = shop.party("club", "1"), shop.party("club", "2"), shop.party("till", "9")
    apart = shop.decide("not_same", (ann, other))
    with pytest.raises(QueryError, match=apart.act):
        shop.decide("same", (ann, ben), (ben, other))
    shop.undo(apart.act)
    shop.decide("same", (ann, ben), (ben, other))
    with pytest.raises(QueryError, match="by way of other parties"):
        shop.decide("not_same", (ann, other))


def test_several_hundred_pairs_are_decided_at_once_or_none(shop: StewardShop) -> None:
    ann, ben = shop.party("club", "1"), shop.party("club", "2")
    state = shop.state()
    for pairs, message in (
        ([], "1 to 200 pairs"),
        ([(ann, ben)] * 201, "1 to 200 pairs"),
        ([(ann, ann)], "one party twice"),
    ):
        with pytest.raises(QueryError, match=message):
            shop.decide("same", *pairs)
    with pytest.raises(NotFoundError, match="no party with this id"):
        shop.decide("same", (ann, ben), (ann, "nobody\0"))
    shop.correct(shop.customer("club", "2"), "name", "Benjamin Boyd")
    [word] = shop.rows("SELECT party_id FROM anchor")
    with pytest.raises(QueryError, match="what staff recorded"):
        shop.decide("same", (ann, ben), (ann, word["party_id"]))
    assert shop.rows("SELECT id FROM decision") == []
    assert shop.state()["members"].items() >= state["members"].items()
    assert shop.decide("not_same", (ann, ben), (ben, ann)).pairs == 1


def test_a_customer_is_not_parted_from_all_or_none_or_others_of_its_parties(shop: StewardShop) -> None:
    ann = shop.customer("club", "1")
    shop.merge(ann, shop.customer("till", "9"))
    one, other = shop.party("club", "1"), shop.party("till", "9")
    for parties, message in (
        ((), "not all of them"),
        ((one, other), "not all of them"),
        ((shop.party("club", "2"),), "no party of this customer"),
    ):
        with pytest.raises(QueryError, match=message):
            shop.unmerge(ann, *parties)
    with pytest.raises(QueryError, match="2 to 20"):
        shop.merge(ann)
    with pytest.raises(QueryError, match="of one customer already"):
        shop.merge(ann, ann)


def test_a_customer_of_too_many_parties_is_not_parted_in_one_act(
    shop: StewardShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = shop.customer("club", "1")
    shop.merge(ann, shop.customer("till", "9"))
    monkeypatch.setattr("hub.commands.matching.MAX_DECIDED", 0)
    with pytest.raises(LimitError, match="0 at most"):
        shop.unmerge(ann, shop.party("till", "9"))
    monkeypatch.setattr("hub.graph.resolution.stewardship.MAX_DECIDED", 0)
    with pytest.raises(LimitError, match="0 at most"):
        shop.merge(ann, shop.customer("club", "2"))


# what is told


def test_a_decision_is_told_with_who_why_and_what_followed(shop: StewardShop) -> None:
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    known = len(shop.events())
    done = shop.merge(ann, other, key="k-1")
    decided, merged, *changed = shop.events()[known:]
    assert (decided.action, decided.id, decided.reason_code) == (Action.REVIEW_DECIDED, done.act, "merged")
    assert (decided.actor, decided.roles, set(decided.customers)) == ("u-steward", ("steward",), {ann, other})
    assert (merged.action, merged.customers, merged.reason_code) == (
        Action.CUSTOMER_MERGED,
        (ann, other),
        "steward",
    )
    assert {event.action for event in changed} <= {Action.CUSTOMER_CHANGED}
    assert REASON not in str([event.encode() for event in shop.events()])
    number = shop.services.audit.number_of(done.act)
    (why,) = reveal_payloads(shop.services, shop.author("compliance"), number).payloads
    assert why.content == {"reason": REASON}
    known = len(shop.events())
    assert shop.merge(ann, other, key="k-1") == done
    assert len(shop.events()) == known
    shop.undo(done.act)
    undone = shop.events()[known]
    assert (undone.reason_code, undone.about) == ("undone", done.act)


def test_subscribers_and_the_search_index_are_told_of_a_merge(shop: StewardShop) -> None:
    shop.services.publish()
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    last = shop.services.store.last_change()
    shop.merge(ann, other)
    kinds = {(each.type, each.entity_id): each.kind for each in shop.services.store.changes(last, 100)}
    assert kinds["Customer", ann] == "upsert"
    assert kinds["Customer", other] == "delete"
    assert shop.services.publish_changes() > 0


def test_a_reason_that_names_a_customer_or_none_is_refused_and_that_is_on_record(shop: StewardShop) -> None:
    pair = (shop.party("club", "1"), shop.party("till", "9"))
    for reason in ("Ann Archer was here", "wrote from ann@example.com", " ", "x" * 1001):
        with pytest.raises(QueryError, match="reason"):
            shop.decide("same", pair, reason=reason)
    assert shop.rows("SELECT id FROM decision") == []
    refused = told(shop, Action.COMMAND_REFUSED)
    assert [each.event.reason_code for each in refused] == ["decide_match.BAD_QUERY"] * 4


# who may


@pytest.mark.parametrize("role", ["support", "compliance", "it", "sales"])
def test_who_is_no_steward_decides_nothing(shop: StewardShop, role: str) -> None:
    author = shop.author(role)
    pair = (shop.party("club", "1"), shop.party("till", "9"))
    with pytest.raises(AccessDeniedError, match="decide_match"):
        decide_matches(shop.services, author, DecideMatches([pair], "same", REASON, "k"))
    with pytest.raises(AccessDeniedError, match="decide_match"):
        merge_customers(shop.services, author, MergeCustomers(["a", "b"], REASON, "k"))
    with pytest.raises(AccessDeniedError, match="decide_match"):
        undo_decisions(shop.services, author, UndoDecisions("act", REASON, "k"))


# whatever was decided, undone


HEALTH = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
"""Each example leaves what it finds, which is what it shows; so they share a shop."""
PEOPLE = [("club", "1"), ("club", "2"), ("till", "8"), ("till", "9"), ("till", "10")]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["merge", "unmerge", "same", "not_same", "undo"]),
        st.sampled_from(PEOPLE),
        st.sampled_from(PEOPLE),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[StewardShop]:
    shop = StewardShop(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite'}")
    shop.write("till", [NAMESAKE, NEIGHBOUR, {**BEN, "key": "10", "card": ""}])
    shop.sync()
    shop.consent(shop.customer("club", "1"))
    shop.interaction(shop.customer("till", "9"))
    yield shop
    shop.services.close()


def test_the_people_of_these_tests_are_as_their_names_say(crowd: StewardShop) -> None:
    ids = [crowd.customer(*each) for each in PEOPLE]
    assert len(set(ids)) == 3
    assert (ids[0], ids[1]) == (ids[2], ids[4])
    assert {ANN["postcode"]} == {NEIGHBOUR["postcode"]}


@settings(max_examples=12, suppress_health_check=HEALTH, deadline=None)
@given(acts=ACTS)
def test_after_any_merges_and_unmerges_undoing_all_leaves_the_state_of_before(
    crowd: StewardShop, acts: list[Any]
) -> None:
    before = crowd.state()
    for act in reversed(_all_acted(crowd, acts)):
        crowd.undo(act)
    assert crowd.state() == before
    assert crowd.rows("SELECT id FROM decision WHERE undone_at IS NULL") == []


@settings(max_examples=12, suppress_health_check=HEALTH, deadline=None)
@given(acts=ACTS, order=st.permutations(range(6)))
def test_undone_in_any_order_they_leave_the_same_customers_whom_their_ids_lead_to(
    crowd: StewardShop, acts: list[Any], order: list[int]
) -> None:
    """Where ids were born and retired in between, another one of a customer's may be the living one."""
    before = crowd.customers()
    made = _all_acted(crowd, acts)
    for place in order:
        if place < len(made):
            crowd.undo(made[place])
    assert crowd.customers(before) == before


def _all_acted(shop: StewardShop, acts: list[Any]) -> list[str]:
    """The acts that were made and are not undone."""
    made: list[str] = []
    for verb, one, other in acts:
        # What is refused is refused whole, so that nothing is to be undone.
        with suppress(RequestError):
            act = _acted(shop, verb, one, other, made)
            made += [act] if act else []
    return made


def _acted(
    shop: StewardShop, verb: str, one: tuple[str, str], other: tuple[str, str], made: list[str]
) -> str | None:
    """The act that was made."""
    if verb == "undo":
        if made:
            shop.undo(made.pop())
        return None
    if verb == "merge":
        return shop.merge(shop.customer(*one), shop.customer(*other)).act
    if verb == "unmerge":
        return shop.unmerge(shop.customer(*one), shop.party(*one)).act
    return shop.decide(verb, (shop.party(*one), shop.party(*other))).act
