"""Consents and interactions that staff note: where they end up, what is refused, and that nothing leaks."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from hub.access import Requester, plan_access
from hub.audit import Action, Outcome
from hub.commands import RecordConsent, SyncSource, record_consent, sync_source
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.values import entity_id
from tests.commands.command_world import A_A, BEN, Shop, fresh_key

SECRET = "Zanzibar-4711"


def test_a_consent_belongs_to_its_customer_with_all_that_was_said(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    made = shop.consent(
        ann, state="withdrawn", at="2026-02-03T04:05:06+01:00", wordingVersion="7", proof="call 12"
    )
    [row] = shop.of_customer("e_consent", ann)
    assert (made.customer, made.id) == (ann, row["id"])
    assert (row["source"], row["state"], row["wording_version"], row["proof"]) == (
        "desk",
        "withdrawn",
        "7",
        "call 12",
    )
    [at] = shop.rows("SELECT CAST(at AS TEXT) AS at FROM e_consent")
    assert at["at"][:10] == "2026-02-03"
    [held] = shop.rows(
        "SELECT payload FROM record r JOIN record_head h ON h.id = r.head_id WHERE h.stream = 'consents'"
    )
    said = json.loads(held["payload"])
    assert (said["actor"], said["purpose"]) == ("u-support", "customer_service")


def test_each_change_of_mind_is_a_row_of_its_own(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    for state in ("given", "withdrawn", "given"):
        shop.consent(ann, state=state)
    assert [row["state"] for row in shop.of_customer("e_consent", ann)] == ["given", "withdrawn", "given"]
    parties = shop.rows("SELECT id FROM e_person WHERE source = 'desk'")
    assert len(parties) == 1


def test_notes_stay_with_their_customer_through_merge_split_and_deletion(shop: Shop) -> None:
    shop.write("till", [{**A_A, "card": "8000"}])
    shop.sync()
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    shop.interaction(other, summary="of the other")
    shop.consent(ann, channel="phone")
    shop.write("till", [A_A])
    shop.sync()
    shop.interaction(ann, summary="of both")
    assert len(shop.of_customer("e_interaction", ann)) == 2
    shop.write("till", [{**A_A, "card": "8000"}])
    shop.sync()
    assert [row["summary"] for row in shop.of_customer("e_interaction", other)] == [
        "of the other",
        "of both",
    ]
    assert [row["channel"] for row in shop.of_customer("e_consent", ann)] == ["phone"]
    shop.write("club", [BEN])
    shop.sync()
    assert [row["channel"] for row in shop.of_customer("e_consent", ann)] == ["phone"]


def test_an_interaction_may_be_about_a_ticket_of_the_customer_only(shop: Shop) -> None:
    shop.tickets(
        "club",
        [{"number": "T1", "subject": "a", "member": "1"}, {"number": "T2", "subject": "b", "member": "2"}],
    )
    shop.sync()
    ann = shop.customer("club", "1")
    mine, theirs = (entity_id("club", "Ticket", key, shop.services.store.secret) for key in ("T1", "T2"))
    shop.interaction(ann, ticket=mine, summary="about the ticket")
    [row] = shop.of_customer("e_interaction", ann)
    assert row["ticket_id"] == mine
    messages = set()
    for strange in (theirs, "nothing", "\x00", "é" * 300):
        with pytest.raises(NotFoundError) as refused:
            shop.interaction(ann, ticket=strange)
        messages.add(str(refused.value))
    assert len(messages) == 1


@pytest.mark.parametrize("customer", ["cus_nobody", "", "\x00", "é", "x" * 10_000])
def test_who_does_not_exist_is_not_found(shop: Shop, customer: str) -> None:
    with pytest.raises(NotFoundError, match="there is no customer with this id"):
        shop.consent(customer)
    [event] = [event for event in shop.events() if event.action is Action.COMMAND_REFUSED]
    assert (event.outcome, event.reason_code) == (Outcome.REFUSED, "record_consent.NOT_FOUND")
    assert shop.rows("SELECT * FROM command") == []


BAD: list[tuple[dict[str, Any], str]] = [
    ({"channel": SECRET}, "Consent.channel: is none of any, email"),
    ({"purpose": SECRET}, "Consent.purpose is no data use"),
    ({"purpose": None}, "Consent.purpose is missing"),
    ({"state": ""}, "Consent.state is missing"),
    ({"at": SECRET}, "Consent.at: "),
    ({"at": "2999-01-01T00:00:00Z"}, "Consent.at lies in the future"),
    ({"expiresOn": SECRET}, "Consent.expiresOn: is no ISO 8601 date"),
    ({"chanel": SECRET}, "did you mean 'channel'"),
    ({"customer": SECRET}, "no value of this name"),
    ({SECRET: "x"}, "no value of this name"),
    ({"proof": f"{SECRET}\ud800"}, "Unicode"),
]


@pytest.mark.parametrize(("values", "message"), BAD)
def test_what_does_not_fit_is_told_without_values(
    shop: Shop, values: dict[str, Any], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    ann = shop.customer("club", "1")
    with caplog.at_level(logging.DEBUG), pytest.raises(QueryError) as refused:
        shop.consent(ann, **values)
    assert message in str(refused.value)
    assert SECRET not in str(refused.value) + caplog.text
    assert shop.of_customer("e_consent", ann) == []


def test_a_note_is_one_event_without_what_was_said(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    known = len(shop.events())
    shop.interaction(ann, summary=SECRET, handledBy=SECRET)
    shop.consent(ann, wording=SECRET)
    interaction, consent = shop.events()[known:]
    assert (interaction.action, interaction.entity_types, interaction.customers) == (
        Action.INTERACTION_LOGGED,
        ("Interaction",),
        (ann,),
    )
    assert interaction.data_categories == ("user.behavior", "user.content.private", "user.name")
    assert (consent.action, consent.actor, consent.department) == (
        Action.CONSENT_CHANGED,
        "u-support",
        "support",
    )
    assert SECRET.encode() not in interaction.encode() + consent.encode()


def test_nobody_may_do_what_no_rule_grants(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    order = RecordConsent(ann, {"purpose": "marketing", "channel": "any", "state": "given"}, fresh_key())
    for role, purpose in (
        ("marketing", None),
        ("it", None),
        ("support", "safety_recall"),
        ("support", "nothing"),
    ):
        with pytest.raises(AccessDeniedError, match="no rule of the policy"):
            record_consent(shop.services, shop.author(role, purpose), order)
    with pytest.raises(AccessDeniedError):
        sync_source(shop.services, shop.author("steward"), SyncSource("club", fresh_key()))
    assert shop.of_customer("e_consent", ann) == []
    refused = [event for event in shop.events() if event.action is Action.COMMAND_REFUSED]
    assert [event.actor for event in refused] == [
        "u-marketing",
        "u-it",
        "u-support",
        "u-support",
        "u-steward",
    ]
    assert record_consent(shop.services, shop.author("compliance"), order).customer == ann


def test_the_search_finds_what_was_noted(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.interaction(ann, summary="the parcel smelled of kippers")
    shop.correct(ann, "name", "Annabel Archer")
    shop.services.publish()
    asks = Requester(
        "u-1", frozenset({"support"}), "support", "customer_service", "tests", ("customer_service",)
    )
    access = plan_access(shop.services.access, asks)
    assert [hit.type for hit in shop.services.search.search("kippers", access=access).hits] == ["Interaction"]
    assert ann in {hit.id for hit in shop.services.search.search("annabel", access=access).hits}
