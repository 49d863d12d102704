"""Who is one customer, over the API: a steward asks, decides and takes back; everybody else is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from hub.yamlfile import load_yaml
from tests.api.api_world import World, asking
from tests.api.glass_world import opened, through
from tests.commands.command_world import ANN, POLICY
from tests.commands.stewards_world import REASON, StewardShop

DECIDE = "mutation($input: DecideMatchesInput!) { decideMatches(input: $input) { act pairs customerIds } }"
MERGE = "mutation($input: MergeCustomersInput!) { mergeCustomers(input: $input) { act pairs customerIds } }"
UNMERGE = (
    "mutation($input: UnmergeCustomerInput!) { unmergeCustomer(input: $input) { act pairs customerIds } }"
)
UNDO = "mutation($input: UndoDecisionsInput!) { undoDecisions(input: $input) { act pairs customerIds } }"
REVIEW = """query($first: Int!, $after: String, $kind: MatchDoubtKind) {
  matchReview(first: $first, after: $after, kind: $kind) {
    kind left right customerIds weight mergeWeight parties worth cursor } }"""
PAIR = """{ left right together reason weight mergeWeight prior identifierBits schemes
  comparisons { comparison level bits frequencyBits } decision { act verdict inForce } }"""
EXPLAIN = f"query($left: ID!, $right: ID!) {{ explainMatch(left: $left, right: $right) {PAIR} }}"
WHY_NOT = f"query($one: ID!, $other: ID!) {{ whyNot(one: $one, other: $other) {PAIR} }}"
CUSTOMER = """query($id: ID!) { explainCustomer(id: $id) {
  customerId parties holds { left right weight reason } weakest { left right } parts } }"""
DECISIONS = """query($first: Int!, $act: ID) { matchDecisions(first: $first, act: $act) {
  id act verdict left right holdsTo by at undoneBy undoneAt inForce } }"""
OF = """query($id: ID!) { customer(id: $id) {
  id name email tickets { nodes { ticketNumber } } consents { totalCount } } }"""


@contextmanager
def served(folder: Path, url: str, **changed: Any) -> Iterator[tuple[World, StewardShop]]:
    """The stewards' shop behind the API."""
    shop = StewardShop(folder, url, demo=True, **changed)
    shop.consent(shop.customer("club", "1"))
    with asking(shop.services) as world:
        shop.services.publish()
        yield world, shop
    shop.services.close()


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[tuple[World, StewardShop]]:
    with served(tmp_path, store_url) as found:
        yield found


def given(**more: Any) -> dict[str, Any]:
    return {"reason": REASON, "idempotencyKey": uuid4().hex, **more}


def steward(world: World, query: str, **variables: Any) -> Any:
    (answer,) = world.ask(query, "steward", **variables).data.values()
    return answer


def seen(world: World, id_: str) -> dict[str, Any]:
    """What an agent sees of the customer to whom the id leads."""
    found: dict[str, Any] = world.ask(OF, "support", id=id_).data["customer"]
    return found


PREVIEW = """query($bits: Float!, $kind: MatchKind) { matchPreview(mergeWeight: $bits, kind: $kind) {
  mergeCount merges splitCount splits { customerId parts } keptCount overruledCount overruled { left right } } }"""


def test_another_threshold_is_previewed(hub: tuple[World, StewardShop]) -> None:
    world, shop = hub
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    told = steward(world, PREVIEW, bits=1.0, kind="PERSON")
    assert (told["mergeCount"], told["merges"], told["splitCount"]) == (1, [[ann, other]], 0)
    assert steward(world, PREVIEW, bits=1.0, kind="ORGANIZATION")["mergeCount"] == 0
    shop.decide("same", (shop.party("club", "1"), shop.party("till", "9")))
    assert steward(world, PREVIEW, bits=60.0)["keptCount"] == 1


def test_t1_t2_t3_a_merge_keeps_everything_and_one_call_gives_it_back(
    hub: tuple[World, StewardShop],
) -> None:
    world, shop = hub
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    before = seen(world, ann), seen(world, other)
    done = steward(world, MERGE, input=given(customerIds=[other, ann]))
    assert (done["pairs"], done["customerIds"]) == (1, [ann])
    merged = seen(world, ann)
    assert seen(world, other) == merged  # the retired id leads to it
    assert (merged["id"], merged["email"], merged["consents"]["totalCount"]) == (ann, ANN["email"], 1)
    assert {each["ticketNumber"] for each in merged["tickets"]["nodes"]} == {"T-1", "T-9"}
    story = steward(world, CUSTOMER, id=other)
    assert (story["customerId"], len(story["parties"]), len(story["parts"])) == (ann, 3, 2)  # one is staff's
    assert story["holds"][0]["reason"] == "DECIDED_SAME"
    parted = steward(world, UNMERGE, input=given(customerId=other, parties=[shop.party("till", "9")]))
    assert parted["customerIds"] == sorted([ann, other])
    assert (seen(world, ann), seen(world, other)) == before


def test_a_steward_works_through_the_queue(hub: tuple[World, StewardShop]) -> None:
    world, shop = hub
    (doubt,) = steward(world, REVIEW, first=9, kind="DOUBT")
    assert doubt["worth"] == pytest.approx(0.12, abs=0.01)
    assert doubt["parties"] == [1, 1]
    assert steward(world, REVIEW, first=9, after=doubt["cursor"]) == []
    pair = {"left": doubt["left"], "right": doubt["right"]}
    story = steward(world, EXPLAIN, **pair)
    bits = story["prior"] + sum(step["bits"] for step in story["comparisons"])
    assert bits == pytest.approx(story["weight"])
    assert (story["reason"], story["together"], story["decision"]) == ("TOO_LITTLE", False, None)
    one, other = doubt["customerIds"]
    assert steward(world, WHY_NOT, one=one, other=other) == story
    done = steward(world, DECIDE, input=given(pairs=[pair], verdict="NOT_SAME"))
    assert steward(world, REVIEW, first=9) == []
    (decided,) = steward(world, DECISIONS, first=9, act=done["act"])
    assert (decided["verdict"], decided["by"], decided["inForce"]) == ("NOT_SAME", "u-steward", True)
    assert decided["holdsTo"] == pytest.approx(doubt["weight"] + 10)
    story = steward(world, EXPLAIN, **pair)
    assert (story["reason"], story["decision"]["act"]) == ("DECIDED_NOT_SAME", done["act"])
    steward(world, UNDO, input=given(act=done["act"]))
    assert steward(world, REVIEW, first=9) == [doubt]
    (decided,) = steward(world, DECISIONS, first=9)
    assert (decided["undoneBy"], decided["inForce"]) == ("u-steward", False)
    assert shop.customer("till", "9") in doubt["customerIds"]


def test_answers_hold_ids_and_bits_and_no_value(hub: tuple[World, StewardShop]) -> None:
    world, shop = hub
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    pair = {"left": shop.party("club", "1"), "right": shop.party("till", "9")}
    told = [
        steward(world, EXPLAIN, **pair),
        steward(world, WHY_NOT, one=ann, other=other),
        steward(world, CUSTOMER, id=ann),
        steward(world, REVIEW, first=9),
        steward(world, DECIDE, input=given(pairs=[pair], verdict="SAME")),
        steward(world, DECISIONS, first=9),
    ]
    text = str(told).casefold()
    for name in ("name", "email", "card", "street", "postcode"):
        assert not [word for word in ANN[name].casefold().split() if len(word) > 3 and word in text]
    assert REASON not in str(told)
    for id_ in pair.values():
        assert world.ask("query($id: ID!) { person(id: $id) { name } }", "steward", id=id_).data["person"][
            "name"
        ]


def test_who_is_no_steward_learns_nothing(hub: tuple[World, StewardShop]) -> None:
    world, shop = hub
    ann = shop.customer("club", "1")
    asked: list[tuple[str, dict[str, Any]]] = [
        (EXPLAIN, {"left": shop.party("club", "1"), "right": shop.party("till", "9")}),
        (WHY_NOT, {"one": ann, "other": "cus_nobody"}),
        (CUSTOMER, {"id": ann}),
        (REVIEW, {"first": 1}),
        (DECISIONS, {"first": 1}),
        (DECIDE, {"input": given(pairs=[{"left": "a", "right": "b"}], verdict="SAME")}),
        (MERGE, {"input": given(customerIds=[ann, "cus_nobody"])}),
        (UNMERGE, {"input": given(customerId=ann, parties=["a"])}),
        (UNDO, {"input": given(act="a")}),
    ]
    for role in ("support", "compliance", "it", "partner"):
        for query, variables in asked:
            reply = world.ask(query, role, **variables)
            assert (reply.code, "decide_match" in reply.message) == ("FORBIDDEN", True)
            assert set(reply.body["data"].values()) == {None}
    assert "it may be 0 to" in world.ask(REVIEW, "steward", first=100_000).message


def test_under_a_broken_glass_nothing_is_told_nor_decided(tmp_path: Path) -> None:
    policy = json.loads(json.dumps(load_yaml(POLICY).data, default=str))
    policy["commands"].append(
        {
            "roles": "supply_chain",
            "purposes": "order_fulfilment",
            "commands": "decide_match",
            "why": "tests",
            "owner": "it",
            "review": "2099-01-01",
        }
    )
    (tmp_path / "policy.yaml").write_text(json.dumps(policy))
    url = f"sqlite:///{tmp_path / 'hub.sqlite'}"
    with served(tmp_path, url, policy_file=tmp_path / "policy.yaml") as (world, shop):
        ann = shop.customer("club", "1")
        assert world.ask(CUSTOMER, "supply_chain", id=ann).data["explainCustomer"]["customerId"] == ann
        id_ = opened(world, ann).data["breakGlass"]["id"]
        merge = {"input": given(customerIds=[ann, shop.customer("till", "9")])}
        for query, variables in ((CUSTOMER, {"id": ann}), (REVIEW, {"first": 1}), (MERGE, merge)):
            reply = through(world, id_, query, **variables)
            assert (reply.code, "under break-glass" in reply.message) == ("FORBIDDEN", True)
