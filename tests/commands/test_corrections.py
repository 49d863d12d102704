"""Corrections: they win over every source, follow their customer, and leave nothing behind when withdrawn."""

from __future__ import annotations

import json

import pytest

from hub.audit import Action
from hub.commands import CorrectProperty, correct_property
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from tests.commands.command_world import A_A, ANN, BEN, Shop, fresh_key


def rule_of(shop: Shop, customer: str, name: str) -> str:
    found: str = json.loads(shop.golden(customer)["provenance"])[name]["rule"]
    return found


def test_a_steward_s_value_wins_over_all_sources_and_later_syncs(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    made = shop.correct(ann, "email", "Ann.New@Example.com")
    assert (made.customer, made.properties) == (ann, ("email",))
    assert shop.golden(ann)["email"] == "ann.new@example.com"
    assert rule_of(shop, ann, "email") == "steward"
    shop.write("club", [{**ANN, "email": "latest@example.com", "changed": "2099-01-01"}, BEN])
    shop.sync()
    assert shop.golden(ann)["email"] == "ann.new@example.com"
    assert shop.golden(ann)["name"] == "Ann Archer"
    shop.withdraw(ann, "email")
    assert shop.golden(ann)["email"] == "latest@example.com"


def test_a_withdrawn_correction_leaves_the_customer_as_if_it_had_never_been(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    before = shop.golden(ann)
    shop.correct(ann, "name", "Anna Archer")
    shop.correct(ann, "name", "Anne Archer")
    assert shop.golden(ann)["name"] == "Anne Archer"
    shop.withdraw(ann, "name")
    assert shop.golden(ann) == before
    with pytest.raises(NotFoundError, match="is not corrected"):
        shop.withdraw(ann, "name")


def test_parts_of_an_address_are_corrected_together(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    made = shop.correct(ann, "postalCode", "BS1 4XX")
    assert {"streetAddress", "postalCode", "addressLocality"} <= set(made.properties)
    shop.write("club", [{**ANN, "street": "9 New Road", "town": "Bath", "changed": "2026-06-01"}, BEN])
    shop.sync()
    served = shop.golden(ann)
    assert (served["street_address"], served["postal_code"], served["address_locality"]) == (
        "12 Quay Street",
        "BS1 4XX",
        "Bristol",
    )
    shop.correct(ann, "streetAddress", "14 Quay Street")
    assert shop.golden(ann)["postal_code"] == "BS1 4XX"
    shop.withdraw(ann, "addressLocality")
    assert shop.golden(ann)["street_address"] == "9 New Road"


def test_a_correction_says_who_when_and_why_in_the_landed_record(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "name", "Anna Archer")
    shop.withdraw(ann, "name")
    sql = "SELECT payload FROM record r JOIN record_head h ON h.id = r.head_id WHERE h.source = 'steward' ORDER BY r.id"
    first, second = (json.loads(row["payload"]) for row in shop.rows(sql))
    assert first["values"] == {"name": "Anna Archer"}
    assert (first["actor"], first["reason"]) == ("u-steward", "told by letter")
    assert (second["values"], second["reason"]) == (None, "a mistake")


def test_a_correction_stays_with_its_customer_through_merge_and_split(shop: Shop) -> None:
    shop.write("till", [{**A_A, "card": "8000"}])
    shop.sync()
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    shop.correct(ann, "name", "Anna Archer")
    shop.correct(other, "email", "right@example.com")
    shop.write("till", [A_A])
    shop.sync()
    assert shop.customer("till", "9") == ann
    merged = shop.golden(ann)
    assert (merged["name"], merged["email"]) == ("Anna Archer", "right@example.com")
    shop.correct(ann, "email", "both@example.com")
    shop.write("till", [{**A_A, "card": "8000"}])
    shop.sync()
    assert (shop.customer("club", "1"), shop.customer("till", "9")) == (ann, other)
    assert (shop.golden(ann)["name"], shop.golden(ann)["email"]) == ("Anna Archer", "ann@example.com")
    assert (shop.golden(other)["name"], shop.golden(other)["email"]) == ("A. Archer", "both@example.com")


def test_of_two_corrections_that_a_merge_brings_together_the_latest_is_served(shop: Shop) -> None:
    shop.write("till", [{**A_A, "card": "8000"}])
    shop.sync()
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    shop.correct(ann, "name", "First")
    shop.correct(other, "name", "Second")
    shop.correct(other, "email", "second@example.com")
    shop.correct(ann, "name", "Third")
    shop.write("till", [A_A])
    shop.sync()
    assert shop.golden(ann)["name"] == "Third"
    shop.withdraw(ann, "name")
    assert shop.golden(ann)["name"] == "Ann Archer"
    assert shop.golden(ann)["email"] == "second@example.com"


def test_a_correction_holds_on_to_what_is_left_of_its_customer(shop: Shop) -> None:
    shop.write("till", [A_A])
    shop.sync()
    ann = shop.customer("club", "1")
    shop.correct(ann, "name", "Anna Archer")
    shop.consent(ann)
    shop.write("club", [BEN])
    shop.sync()
    assert shop.customer("till", "9") == ann
    assert shop.golden(ann)["name"] == "Anna Archer"
    shop.write("till", [])
    shop.sync()
    assert shop.golden(ann)["name"] == "Anna Archer"
    assert len(shop.of_customer("e_consent", ann)) == 1
    shop.write("club", [ANN, BEN])
    shop.sync()
    assert shop.customer("club", "1") == ann
    assert shop.golden(ann)["name"] == "Anna Archer"


def test_a_correction_does_not_hold_together_what_the_sources_part(shop: Shop) -> None:
    shop.write("till", [A_A])
    shop.sync()
    ann = shop.customer("club", "1")
    shop.correct(ann, "name", "Anna Archer")
    shop.interaction(ann)
    shop.write("till", [{**A_A, "card": "8000"}])
    shop.sync()
    assert shop.customer("club", "1") == ann
    assert shop.customer("till", "9") != ann
    assert shop.golden(shop.customer("till", "9"))["name"] == "A. Archer"


def test_what_staff_record_does_not_turn_a_company_into_a_person(shop: Shop) -> None:
    shop.write("club", [{**ANN, "kind": "person"}, BEN])
    shop.write("till", [{**A_A, "kind": "company"}])
    shop.sync()
    ann = shop.customer("club", "1")
    assert shop.golden(ann)["kind"] == "ORGANIZATION"
    shop.correct(ann, "name", "A")
    shop.correct(ann, "birthDate", "1984")
    shop.consent(ann)
    assert shop.golden(ann)["kind"] == "ORGANIZATION"
    assert shop.golden(ann)["birth_date"] == "1984"


def test_a_retired_id_leads_to_the_customer_of_now(shop: Shop) -> None:
    shop.write("till", [{**A_A, "card": "8000"}])
    shop.sync()
    ann, retired = shop.customer("club", "1"), shop.customer("till", "9")
    shop.write("till", [A_A])
    shop.sync()
    assert shop.correct(retired, "name", "Anna").customer == ann


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("nmae", "Ann", "did you mean 'name'"),
        ("loyaltyCard", "7002", "tells customers apart"),
        ("email", "secret words", "Person.email: is not an e-mail address"),
        ("email", " ", "needs a value"),
        ("gender", "secret", "is none of female, male, other"),
        ("birthDate", "1st of secret", "no ISO 8601 date"),
        ("postalCode", "secret\x00", "NUL"),
    ],
)
def test_what_cannot_be_corrected_is_told_without_values(
    shop: Shop, name: str, value: str, message: str
) -> None:
    ann = shop.customer("club", "1")
    before = shop.golden(ann)
    with pytest.raises(QueryError) as refused:
        shop.correct(ann, name, value)
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)
    assert shop.golden(ann) == before
    assert shop.rows("SELECT * FROM command") == []


def test_money_is_corrected_with_its_currency(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    operator = type(shop.author()).operator("os:tests", shop.services.access)
    for value, message in (("12.50", "ISO 4217"), ("12.50 XYZ", "ISO 4217"), ("much EUR", "no amount")):
        with pytest.raises(QueryError, match=message):
            correct_property(
                shop.services, operator, CorrectProperty(ann, "creditLimit", value, "agreed", fresh_key())
            )
    correct_property(
        shop.services, operator, CorrectProperty(ann, "creditLimit", "12.50 EUR", "agreed", fresh_key())
    )
    assert shop.golden(ann)["credit_limit_currency"] == "EUR"


def test_only_what_the_author_sees_whole_may_be_corrected(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    with pytest.raises(AccessDeniedError, match=r"creditLimit \(user.financial"):
        shop.correct(ann, "creditLimit", "12.50 EUR")
    refused = [event.reason_code for event in shop.events() if event.action is Action.COMMAND_REFUSED]
    assert refused == ["correct_property.FORBIDDEN"]


def test_a_correction_is_one_event(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    known = len(shop.events())
    shop.correct(ann, "email", "new@example.com")
    shop.withdraw(ann, "email")
    made, withdrawn = shop.events()[known:]
    assert (made.action, made.reason_code, made.actor, made.roles, made.purpose) == (
        Action.CORRECTION,
        "corrected",
        "u-steward",
        ("steward",),
        "data_quality",
    )
    assert (made.customers, made.data_categories, made.source) == (
        (ann,),
        ("user.contact.email",),
        "steward",
    )
    assert made.policy_sha256 == shop.services.access.sha256
    assert (withdrawn.action, withdrawn.reason_code) == (Action.CORRECTION, "withdrawn")


def test_a_changed_ontology_maps_corrections_and_notes_anew(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    shop.interaction(ann, summary="asked")
    more = shop.folder / "types"
    more.mkdir()
    (more / "nickname.yaml").write_text(
        "extends: Person\nproperties:\n"
        "  nickname: {type: text, label: Nickname, category: user.name, identifier: nickname,"
        " survivorship: longest}\n"
    )
    shop.reopen(ontology_dirs=(more,))
    shop.sync("club")
    kinds = [
        row["kind"]
        for row in shop.rows("SELECT kind FROM run WHERE source IN ('desk', 'steward') ORDER BY id")
    ]
    assert kinds == ["command", "command", "remap", "remap"]
    assert shop.golden(ann)["email"] == "new@example.com"
    assert len(shop.of_customer("e_interaction", ann)) == 1
    shop.sync("club")
    assert len(shop.rows("SELECT id FROM run WHERE kind = 'remap' AND source = 'steward'")) == 1
