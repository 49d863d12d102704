"""Mutations over the API: who may, what the client reads afterwards, and that refusals tell nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from hub.audit import Action
from tests.api.api_world import Reply, World, asking, fill, make_services
from tests.commands.lifting import informed
from tests.databases import sqlite_store

CONSENT = "mutation($input: ConsentInput!) { recordConsent(input: $input) { customerId id } }"
INTERACTION = "mutation($input: InteractionInput!) { logInteraction(input: $input) { customerId id } }"
CORRECT = """mutation($input: CorrectPropertyInput!) {
  correctProperty(input: $input) { customerId properties entityId } }"""
WITHDRAW = """mutation($input: WithdrawCorrectionInput!) {
  withdrawCorrection(input: $input) { customerId properties entityId } }"""
SYNC = 'mutation($key: String!) { syncSource(source: "till", idempotencyKey: $key) { source state runId } }'
REPLAY = (
    """mutation { replayQuarantine(input: {source: "till", idempotencyKey: "r1"}) { source state runId } }"""
)
FACTS = """query($id: ID!) { customer(id: $id) { givenName
  facts(properties: [givenName]) { value wins source rule entityId recordKey } } }"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The company behind the API, once on each database; these tests write to it."""
    folder = tmp_path_factory.mktemp("mutations")
    url = (
        sqlite_store(folder / "hub.sqlite")
        if request.param == "sqlite"
        else request.getfixturevalue("module_database")
    )
    (folder / "exports").mkdir()
    (folder / "exports" / "sales.csv").write_text("number\n77\n")
    with make_services(folder, url, files=folder / "exports") as services:
        fill(services)
        with asking(services) as world:
            yield world


def given(customer: str, key: str, **more: object) -> dict[str, object]:
    return {"customerId": customer, "idempotencyKey": key, **more}


def consent(shop: World, customer: str, key: str, role: str = "support", **more: object) -> Reply:
    said = {"purpose": "marketing.communications.email", "channel": "email", "state": "withdrawn", **more}
    return shop.ask(CONSENT, role, input=given(customer, key, **said))


def test_a_consent_is_recorded_and_read_again(shop: World) -> None:
    ben = shop.customer("erp", "C2")
    made = consent(shop, ben, "c1", "call_centre", at="2026-05-06T07:08:09+02:00").data["recordConsent"]
    assert made["customerId"] == ben
    read = "query($id: ID!) { customer(id: $id) { consents { nodes { id state channel at source } } } }"
    [node] = shop.ask(read, id=ben).data["customer"]["consents"]["nodes"]
    assert node == {
        "id": made["id"],
        "state": "withdrawn",
        "channel": "email",
        "at": "2026-05-06T05:08:09Z",
        "source": "desk",
    }


def test_who_restricts_is_gone_for_the_next_question_and_back_when_it_is_lifted(shop: World) -> None:
    ben, name = shop.customer("erp", "C2"), "query($id: ID!) { customer(id: $id) { name } }"
    record = "mutation($input: RestrictionInput!) { recordRestriction(input: $input) { customerId id } }"
    said = {"kind": "restriction", "state": "in_force", "ground": "the address is wrong"}
    assert shop.ask(record, input=given(ben, "r1", **said)).data["recordRestriction"]["customerId"] == ben
    assert shop.ask(name, id=ben).data == {"customer": None}
    refused = consent(shop, ben, "r2")
    assert refused.code == "NOT_FOUND"
    lift = given(ben, "r3", kind="restriction", state="lifted")
    assert shop.ask(record, "compliance", input=lift).code == "BAD_QUERY"
    informed(shop.services, ben)
    assert shop.ask(record, "compliance", input=lift).data["recordRestriction"]["customerId"] == ben
    assert shop.ask(name, id=ben).data == {"customer": {"name": "Ben Archer"}}
    listed = shop.ask("{ restrictions(orderBy: [{at: ASC}]) { nodes { kind state source } } }")
    assert listed.data["restrictions"]["nodes"] == [
        {"kind": "restriction", "state": "in_force", "source": "desk"},
        {"kind": "restriction", "state": "lifted", "source": "desk"},
    ]


def test_an_interaction_is_logged_once_and_stands_on_the_timeline(shop: World) -> None:
    ben = shop.customer("erp", "C2")
    said = given(ben, "i1", kind="visit", outcome="resolved", summary="Looked at ropes", duration=90)
    first = shop.ask(INTERACTION, input=said).data
    assert shop.ask(INTERACTION, input=said).data == first
    read = "query($id: ID!) { customer(id: $id) { interactions { nodes { kind summary duration } } } }"
    assert shop.ask(read, id=ben).data["customer"]["interactions"]["nodes"] == [
        {"kind": "visit", "summary": "Looked at ropes", "duration": 90}
    ]
    other = shop.ask(INTERACTION, input={**said, "summary": "Something else"})
    assert (other.code, other.body["data"]) == ("BAD_QUERY", {"logInteraction": None})


def test_a_correction_shows_in_facts_and_can_be_withdrawn(shop: World) -> None:
    ann = shop.customer("erp", "C1")
    before = shop.ask(FACTS, id=ann).data
    said = given(ann, "p1", property="givenName", value="Anna", reason="told by phone")
    made = shop.ask(CORRECT, "steward", input=said).data["correctProperty"]
    assert (made["customerId"], made["properties"]) == (ann, ["givenName"])
    after = shop.ask(FACTS, id=ann).data["customer"]
    assert after["givenName"] == "Anna"
    [won] = [fact for fact in after["facts"] if fact["wins"]]
    assert (won["source"], won["rule"], won["entityId"]) == ("steward", "steward", made["entityId"])
    taken_back = given(ann, "p2", property="givenName", reason="a mistake")
    assert shop.ask(WITHDRAW, "steward", input=taken_back).data["withdrawCorrection"]["customerId"] == ann
    assert shop.ask(FACTS, id=ann).data == before
    assert shop.ask(WITHDRAW, "steward", input={**taken_back, "idempotencyKey": "p3"}).code == "NOT_FOUND"


def test_who_may_not_is_refused_without_a_word_about_the_customer(shop: World) -> None:
    ben = shop.customer("erp", "C2")
    seq = shop.seq()
    replies = [consent(shop, id_, "x1", "marketing") for id_ in (ben, "cus_nobody")]
    assert [reply.code for reply in replies] == ["FORBIDDEN", "FORBIDDEN"]
    assert replies[0].message == replies[1].message
    said = given(ben, "x2", property="email", value="x@example.com", reason="x")
    assert shop.ask(CORRECT, "support", input=said).code == "FORBIDDEN"
    assert shop.ask(SYNC, "support", key="x3").code == "FORBIDDEN"
    assert shop.ask(REPLAY, "support").code == "FORBIDDEN"
    refused = [event for event in shop.events_after(seq) if event.action is Action.COMMAND_REFUSED]
    assert [event.reason_code for event in refused] == [
        "record_consent.FORBIDDEN",
        "record_consent.FORBIDDEN",
        "correct_property.FORBIDDEN",
        "sync_source.FORBIDDEN",
        "replay_quarantine.FORBIDDEN",
    ]


def test_what_does_not_fit_is_told_without_values(shop: World) -> None:
    ben = shop.customer("erp", "C2")
    for more in (
        {"expiresOn": "2026"},
        {"purpose": "Zanzibar"},
        {"campaign": "Zanzibar"},
        {"proof": "Zan\x00zibar"},
    ):
        reply = consent(shop, "cus_nobody" if "expiresOn" in more else ben, "y1", **more)
        assert reply.code in ("BAD_QUERY", "NOT_FOUND")
        assert "Zan" not in str(reply.body)


def test_a_sync_is_begun_and_the_sources_tell_how_it_ended(shop: World) -> None:
    begun = shop.ask(SYNC, "it", key="s1").data["syncSource"]
    assert (begun["source"], begun["state"]) == ("till", "running")
    assert begun["runId"] is not None
    sources = "{ sources { name state records } }"
    for _ in range(600):
        [till] = [each for each in shop.ask(sources, "it").data["sources"] if each["name"] == "till"]
        if till["state"] != "running":
            break
        time.sleep(0.05)
    assert (till["state"], till["records"]) == ("ok", 1)
    assert shop.ask(SYNC, "it", key="s1").data["syncSource"] == begun
    assert shop.ask(REPLAY, "it").data["replayQuarantine"]["source"] == "till"


def test_a_frozen_source_is_not_read_until_it_is_thawed(shop: World) -> None:
    turn = "{ sources { name turn turnAt } }"
    freeze = """mutation { freezeSource(input: {source: "till", reason: "CHG-17", until: "2099-01-01T01:00:00+01:00",
      idempotencyKey: "f1"}) { source } }"""
    sync = 'mutation { syncSource(source: "till", idempotencyKey: "f2") { state } }'
    assert shop.ask(freeze, "support").code == "FORBIDDEN"
    assert shop.ask(freeze, "it").data["freezeSource"] == {"source": "till"}
    told = {each["name"]: each for each in shop.ask(turn, "it").data["sources"]}
    assert told["till"] == {"name": "till", "turn": "frozen", "turnAt": "2099-01-01T00:00:00.000000Z"}
    assert shop.ask(sync, "it").code == "BAD_QUERY"
    thaw = 'mutation { thawSource(source: "till", idempotencyKey: "f3") { source } }'
    assert shop.ask(thaw, "it").data["thawSource"] == {"source": "till"}
    assert shop.ask(turn, "it").data["sources"][0]["turn"] == "unscheduled"


def test_a_command_is_in_the_log_in_the_name_of_its_author(shop: World) -> None:
    ben = shop.customer("erp", "C2")
    shop.services.publish_events()
    seq = shop.seq()
    assert consent(shop, ben, "z1").status == 200
    shop.services.publish_events()
    [event] = [event for event in shop.events_after(seq) if event.action is Action.CONSENT_CHANGED]
    assert (event.actor, event.roles, event.purpose, event.customers) == (
        "u-support",
        ("support",),
        "customer_service",
        (ben,),
    )
