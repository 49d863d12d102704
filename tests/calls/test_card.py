"""The card: none, one, many; who, how sure, why; what each level shows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from hub.access import plan_access
from hub.calls import Facts, Level, Seen, Status, make_token, read_token
from hub.calls.finding import UUI_LIFE_S, Finding
from hub.calls.journal import number_key
from hub.calls.plans import SECTIONS
from hub.store import fixed, utc_now
from tests.calls.call_world import ALONE, LINE, PBX, SWITCHBOARD, Morning
from tests.statements import noting


def names(phones: Morning, number: str, **facts: Any) -> list[str | None]:
    return [match.name for match in phones.ring(number, **facts).card.matches]


def test_nobody_is_said_to_be_nobody(phones: Morning) -> None:
    card = phones.ring("+441174960055", dialled="0117 496 0100").card
    assert (card.status, card.matches, card.deadline_hit) == (Status.NONE, (), False)
    assert (card.number.region, card.brand) == ("GB", "Quayside Tools")


def test_a_number_that_stands_in_a_text_is_a_maybe(phones: Morning) -> None:
    card = phones.ring("0117 496 0099").card
    assert card.status is Status.NONE
    assert [(each.type, each.customer_id) for each in card.mentions] == [("Ticket", phones.customer("C3"))]


def test_one_is_shown_with_how_sure_and_why_and_is_not_verified(phones: Morning) -> None:
    card = phones.ring("0117 496 0020").card
    (match,) = card.matches
    assert (card.status, match.name, match.confidence, match.why) == (
        Status.ONE,
        "Cleo Marsh",
        0.9,
        ("number",),
    )
    assert (match.level, match.open_tickets) == (Level.NUMBER, 1)


def test_what_only_a_number_tells_is_a_name_and_whether_a_ticket_is_open(phones: Morning) -> None:
    (match,) = phones.ring(ALONE).card.matches
    shown = {name for name, value in asdict(match).items() if value not in (None, (), 0)}
    assert shown == {"id", "kind", "confidence", "why", "name", "open_tickets", "uui"}


def test_people_who_share_a_line_are_all_told_who_has_something_open_first(phones: Morning) -> None:
    card = phones.ring(LINE).card
    assert [match.name for match in card.matches] == ["Ben Archer", "Ann Archer"]
    assert {match.why for match in card.matches} == {("number that 2 share",)}
    assert {match.confidence for match in card.matches} == {0.45}


def test_what_is_typed_is_trusted_more_than_the_number(phones: Morning) -> None:
    card = phones.ring(LINE, ivr_id="k-1001").card
    (match,) = card.matches
    assert match.name == "Ann Archer"
    assert match.why == ("customer number typed at the IVR", "number that 2 share")
    assert [(other.name, other.relation) for other in match.others] == [("Ben Archer", "same line")]


def test_what_is_typed_and_the_number_may_name_different_people(phones: Morning) -> None:
    (match,) = phones.ring(ALONE, ivr_id="K-1001").card.matches
    assert match.name == "Ann Archer"
    assert [other.name for other in match.others] == ["Cleo Marsh"]


def test_what_nobody_has_is_said_and_the_number_counts(phones: Morning) -> None:
    card = phones.ring(ALONE, ivr_id="K-9999").card
    assert [match.name for match in card.matches] == ["Cleo Marsh"]
    assert card.notes == ("nobody has what was typed at the IVR",)


@pytest.mark.parametrize("reference", ["T1", "o1", " I1 ", "S1", "k-1003"])
def test_a_number_that_they_tell_leads_to_its_customer(phones: Morning, reference: str) -> None:
    assert names(phones, "anonymous", reference=reference) == ["Cleo Marsh"]


def test_a_token_that_comes_with_a_call_leads_to_its_customer(phones: Morning) -> None:
    store, customer = phones.services.store, phones.customer("C3")
    token = make_token(store, customer)
    assert names(phones, "anonymous", uui=token) == ["Cleo Marsh"]
    assert names(phones, "anonymous", uui=f"{token.encode().hex()};encoding=hex") == ["Cleo Marsh"]
    assert names(phones, "anonymous", uui=token[:-1] + ("0" if token[-1] != "0" else "1")) == []
    assert read_token(store, make_token(store, customer, now=0), now=UUI_LIFE_S) == customer
    assert read_token(store, make_token(store, customer, now=0), now=UUI_LIFE_S + 1) is None


def test_a_switchboard_is_the_account_with_its_people_below(phones: Morning) -> None:
    card = phones.ring(SWITCHBOARD).card
    (match,) = card.matches
    assert (card.status, match.name, match.kind) == (Status.ONE, "Quayside Traders", "ORGANIZATION")
    assert [(other.name, other.relation) for other in match.others] == [("Dora Finch", "same line")]
    (sure,) = phones.ring(SWITCHBOARD, verified=phones.sure("C4")).card.matches
    assert [(other.name, other.relation) for other in sure.others] == [("Dora Finch", "Buyer")]


def test_an_extension_behind_a_switchboard_does_not_hide_it(phones: Morning) -> None:
    assert names(phones, f"{SWITCHBOARD},,42") == ["Quayside Traders"]


def test_a_person_is_shown_with_their_company(phones: Morning) -> None:
    (match,) = phones.ring(None, verified=phones.sure("C5", Level.NUMBER)).card.matches
    assert (match.name, match.company) == ("Dora Finch", "Quayside Traders")


def test_old_data_are_found_by_the_end_of_the_number(phones: Morning) -> None:
    (match,) = phones.ring("+361174960040").card.matches
    assert (match.name, match.why, match.confidence) == ("Emil Frost", ("last 9 digits of the number",), 0.6)
    (match,) = phones.ring("4960040").card.matches
    assert match.why == ("last 7 digits of the number",)


def test_the_end_of_a_number_is_found_by_an_index(phones: Morning) -> None:
    statements: list[str] = []
    with noting(phones.services.store, statements.append):
        phones.ring("+361174960040")
    (sql,) = (each for each in statements if "substr(value" in each)
    on_sqlite = phones.services.store.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN " if on_sqlite else "EXPLAIN "
    with phones.services.store.read() as connection:
        if not on_sqlite:  # of a handful of rows the planner reads all
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = " ".join(str(row) for row in connection.exec_driver_sql(explain + sql, {"tail": "4960040"}))
    assert "ix_identifier_tail" in plan


@pytest.mark.parametrize(
    ("raw", "word"), [("anonymous", "withheld"), ("1042", "short"), ("9" * 20, "broken")]
)
def test_why_a_number_is_of_no_use_is_said(phones: Morning, raw: str, word: str) -> None:
    card = phones.ring(raw).card
    assert (card.status, card.number.shown) == (Status.NONE, word)


def test_a_number_that_may_be_forged_speaks_for_less(phones: Morning) -> None:
    (doubted,) = phones.ring(ALONE, attestation="C").card.matches
    (attested,) = phones.ring(ALONE, attestation="A").card.matches
    assert (doubted.confidence, attested.confidence) == (0.45, 0.95)
    assert doubted.why == ("number, which may be forged",)


# levels


def test_a_pin_or_an_attested_number_of_one_shows_headlines(phones: Morning) -> None:
    for call in (
        phones.ring(ALONE, attestation="A"),
        phones.ring("anonymous", ivr_id="K-1003", pin_was_right=True),
    ):
        (match,) = call.card.matches
        assert match.level is Level.LIKELY
        assert [(each.kind, each.ref, each.title) for each in match.open] == [
            ("ticket", "T1", "Pump error E42"),
            ("order", "O1", None),
            ("parcel", "S1", None),
        ]
        assert (match.touches, match.worth, match.phones) == ((), None, ())


def test_an_attested_number_that_two_share_shows_no_more(phones: Morning) -> None:
    assert {match.level for match in phones.ring(LINE, attestation="A").card.matches} == {Level.NUMBER}


def test_a_pin_is_nothing_without_what_was_typed(phones: Morning) -> None:
    (match,) = phones.ring(ALONE, pin_was_right=True).card.matches
    assert match.level is Level.NUMBER


def test_who_is_confirmed_is_shown_whole(phones: Morning) -> None:
    (match,) = phones.ring(ALONE, verified=phones.sure("C3")).card.matches
    assert [reason.kind for reason in match.reasons] == [
        "ticket_awaiting_customer",
        "delivery_late",
        "invoice_reminded",
    ]
    assert match.likely is not None
    assert (match.likely.ref, match.likely.type, match.likely.source) == ("T1", "Ticket", "support")
    assert {each.kind for each in match.open} == {"ticket", "order", "parcel", "invoice"}
    assert [promise.text for promise in match.promises] == ["A call by Friday"]
    assert match.worth is not None
    assert match.worth.total == ("80.00 GBP",)
    assert [age.source for age in match.freshness] == ["erp", "supply", "support"]
    assert {touch.type for touch in match.touches} == {"Ticket", "Order"}


def test_warnings_are_for_those_who_may_know_them(phones: Morning) -> None:
    def warnings(role: str) -> tuple[str, ...]:
        (match,) = phones.ring(LINE, role, phones.sure("C1")).card.matches
        return match.warnings

    assert warnings("support") == ("do not call", "vulnerable customer: take more time")
    assert warnings("call_centre") == ()


def test_what_the_policy_withholds_is_told_as_withheld(phones: Morning) -> None:
    (match,) = phones.ring(ALONE, "call_centre", phones.sure("C3")).card.matches
    assert match.withheld == ("invoices",)
    assert "invoice" not in {each.kind for each in match.open}
    assert match.email == "c***@e***.com"


def test_who_may_not_look_up_numbers_finds_nobody(phones: Morning) -> None:
    asked = phones.ring(ALONE, "marketing")
    assert (asked.card.status, asked.seen.customers) == (Status.NONE, {})


def test_each_part_is_asked_for_at_its_level_only(phones: Morning) -> None:
    low = phones.ring(ALONE).seen
    high = phones.ring(ALONE, verified=phones.sure("C3")).seen
    assert low.types == {"Customer", "Person", "Organization", "Ticket"}
    assert {"Order", "Invoice", "Shipment", "Return", "Consent"} <= high.types
    assert list(low.customers) == [phones.customer("C3")]
    assert {section.name for section in SECTIONS if section.level is Level.NUMBER} == {
        "person",
        "company",
        "ticket open",
    }


# picks


def test_whom_agents_picked_before_is_likelier(own_phones: Morning) -> None:
    store = own_phones.services.store
    with store.write() as connection:
        for key, times in (("C1", 4), ("C2", 1)):
            for _ in range(times):
                row = {
                    "number_key": number_key(store, LINE),
                    "customer_id": own_phones.customer(key),
                    "call_id": "c",
                }
                connection.execute(fixed.call_pick.insert().values(**row, picked_by="u", at=utc_now()))
    told = {match.name: match for match in own_phones.ring(LINE).card.matches}
    assert {name: match.calls for name, match in told.items()} == {"Ann Archer": 4, "Ben Archer": 1}
    assert told["Ann Archer"].confidence > told["Ben Archer"].confidence
    assert "picked for calls from it: 4" in told["Ann Archer"].why


# the deadline


def test_what_is_known_when_the_time_is_up_goes_out(phones: Morning) -> None:
    asked = phones.ring(ALONE, deadline_s=0.0)
    assert (asked.card.status, asked.card.deadline_hit, asked.seen.customers) == (Status.NONE, True, {})
    assert asked.card.number.e164 == ALONE


def test_who_was_found_is_told_though_there_was_no_time_for_more(
    phones: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = Finding.find

    def slow(self: Finding, *given: object) -> None:
        find(self, *given)  # type: ignore[arg-type]
        monkeypatch.setattr(type(self._cancellation), "is_over", property(lambda _self: True))

    phones.ring(ALONE)
    monkeypatch.setattr(Finding, "find", slow)
    card = phones.ring(ALONE).card
    assert card.deadline_hit


def test_no_value_is_in_what_is_logged_of_a_card(phones: Morning) -> None:
    access = plan_access(phones.services.access, phones.author())
    asked = phones.services.pop.card(Facts(number=ALONE, ivr_id="K-1003"), access, PBX, 20, phones.sure("C3"))
    text = repr(asked) + repr(Facts(number=ALONE, ivr_id="K-1003")) + repr(Seen())
    assert not [value for value in ("Cleo", "117496", "Pump", "K-1003", "cleo@") if value in text]
