"""Legal holds: what they stop, on whom they are, what is told of them, and that they end."""

from __future__ import annotations

from datetime import date

import pytest

from hub.audit import Action
from hub.commands import (
    Author,
    HoldPlaced,
    LegalHold,
    PlaceHold,
    ReleaseHold,
    legal_holds,
    place_hold,
    release_hold,
    reveal_payloads,
)
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from tests.commands.command_world import A_A, ANN, BEN, Shop, fresh_key
from tests.commands.erasing_world import erase, told
from tests.privacy.keeping.retention_world import Keeper, ago, person

REASON = "a claim for damages is pending at the county court"


def hold(shop: Shop, *customers: str, role: str = "compliance", **more: object) -> str:
    said = {
        "matter": "CC-2026-17",
        "reason": REASON,
        "owner": "compliance",
        "until": date(2099, 1, 1),
        **more,
    }
    return place_hold(
        shop.services, shop.author(role), PlaceHold(key=fresh_key(), customers=customers, **said)
    ).id


def release(shop: Shop, id_: str) -> str:
    order = ReleaseHold(id_, "the claim was settled out of court", fresh_key())
    return release_hold(shop.services, shop.author("compliance"), order)


def listed(shop: Shop, **more: bool) -> list[LegalHold]:
    return legal_holds(shop.services, shop.author("compliance"), **more)


@pytest.fixture
def ann(keeper: Keeper) -> str:
    keeper.write("club", [ANN, BEN])
    keeper.sync("club")
    return keeper.customer("club", "1")


def test_article_17_3_e_nobody_is_erased_under_a_hold_until_it_is_released(keeper: Keeper, ann: str) -> None:
    id_ = hold(keeper, ann)
    with pytest.raises(QueryError, match=f"legal hold .hold {id_}"):
        erase(keeper, ann)
    assert keeper.customer("club", "1") == ann
    assert release(keeper, id_) == id_
    assert erase(keeper, ann).remaining == {}
    [ended] = listed(keeper, released=True)
    assert (ended.id, ended.released_by) == (id_, "u-compliance")
    assert listed(keeper) == []


def test_retention_leaves_what_is_held_and_says_so(keeper: Keeper) -> None:
    tickets = [{"no": f"T{n}", "who": f"P{n}", "at": ago(1100), "subject": "late"} for n in (1, 2)]
    orders = [{"no": f"O{n}", "buyer": f"P{n}", "at": ago(10)} for n in (1, 2)]
    keeper.keep(people=[person("P1"), person("P2")], tickets=tickets, orders=orders)
    id_ = hold(keeper, keeper.customer("ledger", "P1"))
    done = keeper.retain()
    assert (done.rows, done.overdue, done.held) == ({"Ticket": 1}, 0, 1)
    assert {key for key in keeper.records() if key.startswith("tickets")} == {"tickets/T1"}
    release(keeper, id_)
    assert keeper.retain().rows == {"Ticket": 1}


def test_a_hold_follows_its_parties_through_a_merge_and_back(keeper: Keeper, ann: str) -> None:
    keeper.write("till", [{**A_A, "card": "7999"}])
    keeper.sync("till")
    id_ = hold(keeper, ann)
    keeper.write("till", [{**A_A, "card": "7001"}])
    keeper.sync("till")
    merged = keeper.customer("till", "9")
    assert merged == keeper.customer("club", "1")
    with pytest.raises(QueryError, match=id_):
        erase(keeper, merged)
    keeper.write("till", [{**A_A, "card": "7999"}])
    keeper.sync("till")
    with pytest.raises(QueryError, match=id_):
        erase(keeper, keeper.customer("club", "1"))
    assert erase(keeper, keeper.customer("till", "9")).remaining == {}


def test_what_a_source_says_is_held_is_held(keeper: Keeper, ann: str) -> None:
    keeper.correct(ann, "legalHold", "true")
    with pytest.raises(QueryError, match="a hold that a source states"):
        erase(keeper, ann)
    keeper.correct(ann, "legalHold", "false")
    assert erase(keeper, ann).remaining == {}


def test_all_are_held_of_whom_a_row_says_something(keeper: Keeper) -> None:
    keeper.keep(
        people=[person("P1"), person("P2")],
        orders=[{"no": "O1", "buyer": "P1", "at": ago(10)}],
    )
    order = {"type": "Order", "property": "orderNumber", "value": "O1"}
    order = {"matter": "CC-2026-17", "reason": REASON, "owner": "compliance", "until": date(2099, 1, 1)}

    def placed(author: Author, type_: str, prop: str, value: str) -> HoldPlaced:
        said = PlaceHold(key=fresh_key(), type=type_, property=prop, value=value, **order)
        return place_hold(keeper.services, author, said)

    with pytest.raises(QueryError, match="you do not see it"):
        placed(keeper.author("compliance"), "Order", "orderNumber", "O1")
    operator = Author.operator("os:tester", keeper.services.access)
    with pytest.raises(NotFoundError):
        placed(operator, "Order", "orderNumber", "O2")
    for prop in ("orderDate", "nothing"):
        with pytest.raises(QueryError, match="a text, a code or a reference"):
            placed(operator, "Order", prop, "O1")
    assert placed(operator, "Order", "orderNumber", "O1").customers == 1
    assert [each.customers for each in listed(keeper)] == [(keeper.customer("ledger", "P1"),)]


def test_texts_are_in_no_event_and_opened_by_request(keeper: Keeper, ann: str) -> None:
    hold(keeper, ann)
    [placed] = told(keeper, Action.LEGAL_HOLD)
    assert (placed.event.reason_code, placed.event.customers) == ("placed", (ann,))
    leaf = keeper.services.audit.entry(placed.seq)
    assert not [word for word in (REASON, "CC-2026-17") if word.encode() in leaf]
    [payload] = reveal_payloads(keeper.services, keeper.author("compliance"), placed.seq).payloads
    assert payload.content["reason"] == REASON


def test_texts_name_nobody(keeper: Keeper, ann: str) -> None:
    with pytest.raises(QueryError, match="may not name"):
        hold(keeper, ann, matter="Ann Archer v. the shop")
    assert listed(keeper) == []


def test_a_hold_whose_day_has_come_is_overdue_for_review_and_holds_on(keeper: Keeper, ann: str) -> None:
    hold(keeper, ann, until=date(2020, 1, 1))
    assert [each.is_overdue for each in listed(keeper)] == [True]
    with pytest.raises(QueryError, match="legal hold"):
        erase(keeper, ann)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"reason": "because"}, "a reason has"),
        ({"matter": " "}, "a matter has"),
        ({"owner": "nobody"}, "an owner is"),
        ({"type": "Order", "property": "orderNumber", "value": "O1"}, "name customers, or"),
    ],
)
def test_an_order_that_lacks_something_is_refused(
    keeper: Keeper, ann: str, more: dict[str, str], match: str
) -> None:
    with pytest.raises(QueryError, match=match):
        hold(keeper, ann, **more)


def test_who_may_not_places_and_sees_none(keeper: Keeper, ann: str) -> None:
    id_ = hold(keeper, ann)
    for role in ("support", "sales", "steward", "it"):
        with pytest.raises(AccessDeniedError, match="place_hold"):
            hold(keeper, ann, role=role)
        with pytest.raises(AccessDeniedError, match="place_hold"):
            legal_holds(keeper.services, keeper.author(role))
        with pytest.raises(AccessDeniedError, match="place_hold"):
            release_hold(keeper.services, keeper.author(role), ReleaseHold(id_, REASON, fresh_key()))
    assert [each.id for each in listed(keeper)] == [id_]
    with pytest.raises(NotFoundError):
        release(keeper, "none")
    release(keeper, id_)
    with pytest.raises(QueryError, match="released before"):
        release(keeper, id_)
