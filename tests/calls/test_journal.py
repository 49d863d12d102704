"""The journal of calls: reports in any order, touchpoints, what agents say and take back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text

from hub.audit import Action, AuditEvent
from hub.calls import Call, CallState, Card, Facts, Level, Status
from hub.commands import (
    CorrectCaller,
    CreateCaller,
    HandleCall,
    ReportCall,
    WrapUp,
    card_of,
    correct_caller,
    create_caller,
    find_call,
    handle_call,
    report_call,
    wrap_up,
)
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.store import fixed
from tests.api.api_world import party
from tests.api.stream_world import write
from tests.calls.call_world import ALONE, LINE, Morning

RINGING, ANSWERED, ENDED = CallState.RINGING, CallState.ANSWERED, CallState.ENDED


class Desk:
    """One PBX and one agent."""

    def __init__(self, phones: Morning, pbx: str = "pbx-one") -> None:
        self.phones, self.services, self.pbx = phones, phones.services, pbx
        self._keys = 0

    def tell(self, event: CallState, key: str = "c-1", **more: Any) -> Call:
        facts = {name: more.pop(name) for name in Facts.__slots__ if name in more}
        report = ReportCall(key, event, facts=Facts(**facts), **more)
        return report_call(self.services, self.phones.author("pbx"), self.pbx, report)

    def say(self, act: str, call: Call, customer: str | None = None, method: str | None = None) -> Call:
        self._keys += 1
        given = None if customer is None else self.phones.customer(customer)
        order = HandleCall(call.id, act, given, method, f"k-{self._keys}")
        return find_call(self.services, handle_call(self.services, self.phones.author(), order))

    def wrap(self, call: Call, **values: Any) -> None:
        self._keys += 1
        wrap_up(self.services, self.phones.author(), WrapUp(call.id, values, f"k-{self._keys}"))

    def card(self, call: Call, role: str = "support") -> Card:
        return card_of(self.services, self.phones.access(role), Facts(), call, patient=True).card

    def rows(self) -> list[dict[str, Any]]:
        sql = (
            "SELECT t.outcome, t.subject, t.contact_phone, t.duration, m.customer_id FROM e_interaction t"
            " JOIN membership m ON m.party_id = t.party_id ORDER BY t.start_time"
        )
        with self.services.store.read() as connection:
            return [dict(row) for row in connection.execute(text(sql)).mappings()]

    def events(self, action: Action) -> list[AuditEvent]:
        self.services.publish_events()
        return [each.event for each in self.services.audit.events() if each.event.action is action]

    def calls(self) -> int:
        with self.services.store.read() as connection:
            return len(connection.execute(select(fixed.call.c.id)).all())


@pytest.fixture
def desk(own_phones: Morning) -> Desk:
    return Desk(own_phones)


def test_a_call_is_one_row_however_often_it_is_told_of(desk: Desk) -> None:
    first = desk.tell(RINGING, number=ALONE, extension="21")
    assert desk.tell(RINGING, number=ALONE, extension="21") == first
    desk.tell(ANSWERED, extension="21")
    ended = desk.tell(ENDED, cause="normal")
    assert desk.tell(ENDED, cause="normal").ended_at == ended.ended_at
    assert (desk.calls(), ended.state, ended.was_missed) == (1, ENDED, False)
    assert len(desk.rows()) == 1
    assert [event.reason_code for event in desk.events(Action.CALL_REPORTED)] == [
        "ringing",
        "answered",
        "ended",
    ]


def test_what_comes_late_takes_nothing_back(desk: Desk) -> None:
    desk.tell(ENDED, number=ALONE)
    late = desk.tell(RINGING, number=ALONE)
    assert (late.state, desk.calls()) == (ENDED, 1)
    answered = desk.tell(ANSWERED, extension="21")
    assert (answered.state, answered.was_missed) == (ENDED, False)
    assert [row["outcome"] for row in desk.rows()] == ["answered"]


def test_two_pbxs_may_call_their_calls_alike(desk: Desk) -> None:
    one, two = desk.tell(RINGING, number=ALONE), Desk(desk.phones, "pbx-two").tell(RINGING, number=LINE)
    assert one.id != two.id
    with pytest.raises(NotFoundError):
        find_call(desk.services, "c-1")


def test_a_missed_call_is_a_touchpoint_of_whom_it_was_from(desk: Desk) -> None:
    desk.tell(RINGING, number=ALONE)
    desk.tell(ENDED, cause="no_answer")
    (row,) = desk.rows()
    assert (row["outcome"], row["contact_phone"], row["duration"]) == ("missed", ALONE, None)
    assert row["customer_id"] == desk.phones.customer("C3")


def test_a_call_that_several_may_have_made_is_nobodys_until_one_is_picked(desk: Desk) -> None:
    call = desk.tell(RINGING, number=LINE)
    desk.tell(ENDED)
    assert desk.rows() == []
    desk.say("pick", call, "C2")
    assert [row["customer_id"] for row in desk.rows()] == [desk.phones.customer("C2")]
    desk.say("pick", call, "C1")
    assert [row["customer_id"] for row in desk.rows()] == [desk.phones.customer("C1")]
    desk.say("undo", call)
    assert desk.rows() == []


def test_a_pick_is_remembered_for_the_number_and_undone(desk: Desk) -> None:
    call = desk.tell(RINGING, number=LINE)
    picked = desk.say("pick", call, "C1")
    (match,) = desk.card(picked).matches
    assert (match.name, match.level) == ("Ann Archer", Level.NUMBER)
    other = desk.tell(RINGING, "c-2", number=LINE)
    assert {match.name: match.calls for match in desk.card(other).matches} == {
        "Ben Archer": 0,
        "Ann Archer": 1,
    }
    desk.say("undo", call)
    assert {match.calls for match in desk.card(other).matches} == {0}


def test_who_is_ruled_out_is_not_told_again(desk: Desk) -> None:
    call = desk.tell(RINGING, number=LINE)
    rejected = desk.say("reject", call, "C2")
    card = desk.card(rejected)
    assert (card.status, [match.name for match in card.matches]) == (Status.ONE, ["Ann Archer"])
    back = desk.say("pick", rejected, "C2")
    assert [match.name for match in desk.card(back).matches] == ["Ben Archer"]


def test_a_confirmation_opens_the_card_and_is_on_record_with_its_method(desk: Desk) -> None:
    call = desk.tell(RINGING, number=LINE)
    sure = desk.say("confirm", call, "C1", "security_question")
    (match,) = desk.card(sure).matches
    assert (match.level, match.email) == (Level.CONFIRMED, "ann@example.com")
    (event,) = desk.events(Action.CALL_VERIFIED)
    assert (event.actor, event.about, event.reason_code) == (
        "u-support",
        call.id,
        "level_2.security_question",
    )
    assert event.customers == (desk.phones.customer("C1"),)
    changed = desk.say("pick", sure, "C2")
    assert desk.card(changed).matches[0].level is Level.NUMBER


def test_what_the_pbx_vouches_for_is_a_step_up_on_record(desk: Desk) -> None:
    call = desk.tell(RINGING, number="anonymous", ivr_id="K-1003", pin_was_right=True)
    (match,) = desk.card(call).matches
    assert (match.level, match.open != ()) == (Level.LIKELY, True)
    (event,) = desk.events(Action.CALL_VERIFIED)
    assert (event.source, event.reason_code, event.about) == ("pbx-one", "level_1.ivr_pin", call.id)
    attested = desk.tell(RINGING, "c-2", number=ALONE, attestation="A")
    assert attested.method == "attestation_a"


def test_who_asks_without_a_call_proves_nothing(desk: Desk) -> None:
    facts = Facts(number=ALONE, ivr_id="K-1003", pin_was_right=True, attestation="A")
    asked = card_of(desk.services, desk.phones.access(), facts, patient=True)
    assert asked.card.matches[0].level is Level.NUMBER


@pytest.mark.parametrize("method", [None, "guess", "ivr_pin", "attestation_a"])
def test_an_agent_cannot_say_what_the_pbx_says(desk: Desk, method: str | None) -> None:
    call = desk.tell(RINGING, number=ALONE)
    with pytest.raises(QueryError, match="a method to confirm by"):
        desk.say("confirm", call, "C3", method)


def test_a_wrap_up_adds_to_the_touchpoint_whenever_it_comes(desk: Desk) -> None:
    call = desk.tell(RINGING, number=ALONE)
    desk.tell(ANSWERED)
    desk.say("pick", call, "C3")
    desk.wrap(
        call, subject="Pump", summary="Sends a photo", outcome="follow_up", promisedText="A part by May"
    )
    desk.tell(ENDED)
    (row,) = desk.rows()
    assert (row["outcome"], row["subject"]) == ("follow_up", "Pump")
    assert row["duration"] is not None
    desk.wrap(call, summary="Sent it")
    assert [row["subject"] for row in desk.rows()] == ["Pump"]
    (match,) = desk.card(desk.say("confirm", call, "C3", "known_voice")).matches
    assert {promise.text for promise in match.promises} == {"A call by Friday", "A part by May"}


def test_a_wrap_up_of_nobody_or_of_more_than_there_is_is_refused(desk: Desk) -> None:
    call = desk.tell(RINGING, number="anonymous")
    with pytest.raises(NotFoundError, match="pick who is calling first"):
        desk.wrap(call, subject="Pump")
    with pytest.raises(QueryError, match="a wrap-up has no value 'body'"):
        desk.wrap(call, body="x")


def test_only_a_pbx_reports_and_only_agents_handle(desk: Desk) -> None:
    call = desk.tell(RINGING, number=ALONE)
    with pytest.raises(AccessDeniedError):
        report_call(desk.services, desk.phones.author(), "pbx-one", ReportCall("c-9", RINGING))
    order = HandleCall(call.id, "pick", desk.phones.customer("C3"), None, "k")
    with pytest.raises(AccessDeniedError):
        handle_call(desk.services, desk.phones.author("pbx"), order)
    assert [event.reason_code for event in desk.events(Action.COMMAND_REFUSED)] == [
        "report_call.FORBIDDEN",
        "handle_call.FORBIDDEN",
    ]


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "é"])
def test_a_call_has_a_plain_id(desk: Desk, key: str) -> None:
    with pytest.raises(QueryError):
        desk.tell(RINGING, key)


def test_calls_and_picks_go_with_who_is_erased(desk: Desk) -> None:
    services, call = desk.services, desk.tell(RINGING, number=LINE)
    desk.tell(RINGING, "c-2", number=LINE)
    desk.say("pick", call, "C1")
    ann = desk.phones.customer("C1")
    teller = AuditEvent(Action.ERASED, "u-officer", customers=(ann,))
    done = services.eraser.erase(lambda _c: [ann], lambda _c, _p: teller, lambda event: event, scrub=False)
    assert (done.remaining.keys() & {"call", "call_pick"}, desk.calls()) == (set(), 0)
    with services.store.read() as connection:
        assert connection.execute(select(fixed.call_pick.c.id)).all() == []


def test_calls_of_long_ago_are_forgotten(desk: Desk) -> None:
    call = desk.tell(RINGING, number=ALONE)
    with desk.services.store.write() as connection:
        connection.execute(fixed.call.update().values(began_at="2020-01-01T00:00:00.000000Z"))
    desk.tell(RINGING, "c-2", number=ALONE)
    with pytest.raises(NotFoundError):
        find_call(desk.services, call.id)


def create(desk: Desk, call: Call, key: str = "n-1", role: str = "support", **more: str) -> Call:
    said = {"name": "Zoe Newman", "email": "zoe@example.com", "reason": "asks for an offer", **more}
    order = CreateCaller(call.id, key=key, **said)
    return find_call(desk.services, create_caller(desk.services, desk.phones.author(role), order))


def test_a_caller_whom_no_source_knows_is_written_down_by_an_agent(desk: Desk) -> None:
    call = desk.tell(RINGING, number="+441174960055")
    created = create(desk, call)
    assert create(desk, call) == created
    (match,) = desk.card(created).matches
    assert (match.id, match.name, match.level) == (created.customer_id, "Zoe Newman", Level.NUMBER)
    again = desk.tell(RINGING, "c-2", number="+441174960055")
    assert [each.id for each in desk.card(again).matches] == [created.customer_id]
    desk.tell(ENDED)
    assert [row["customer_id"] for row in desk.rows()] == [created.customer_id]
    event = next(each for each in desk.events(Action.CALL_HANDLED) if each.reason_code == "created")
    assert (event.actor, event.source, event.customers, event.about) == (
        "u-support",
        "agent",
        (created.customer_id,),
        call.id,
    )
    assert event.data_categories == ("user.contact.email", "user.contact.phone_number", "user.name")


def test_nobody_is_written_down_by_mistake(desk: Desk) -> None:
    call = desk.tell(RINGING, number=ALONE)
    for wrong in ({"name": " "}, {"email": "no address"}, {"reason": ""}):
        with pytest.raises(QueryError):
            create(desk, call, **wrong)
    with pytest.raises(AccessDeniedError):
        create(desk, call, role="marketing")
    desk.say("pick", call, "C3")
    with pytest.raises(QueryError, match="somebody is said to be calling"):
        create(desk, call, "n-2")
    with desk.services.store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM e_person WHERE source = 'agent'")).scalar() == 0


def test_who_comes_to_be_known_by_a_source_is_the_one_who_called(desk: Desk) -> None:
    created = create(desk, desk.tell(RINGING, number="+441174960055"))
    write(desk.services, party("erp", "C9", name="Zoe Newman", email="zoe@example.com", telephone="+441174960055",
                               birthDate="1991-02-03"))  # fmt: skip
    assert desk.phones.customer("C9") == created.customer_id


def test_an_agent_corrects_what_a_confirmed_caller_said_as_a_source_of_its_own(desk: Desk) -> None:
    call = desk.tell(RINGING, number=ALONE)

    def correct(key: str, value: str) -> str:
        order = CorrectCaller(call.id, "email", value, "said in the call", key)
        return correct_caller(desk.services, desk.phones.author(), order)

    desk.say("pick", call, "C3")
    with pytest.raises(AccessDeniedError, match="confirm who is calling first"):
        correct("a", "new@example.com")
    desk.say("confirm", call, "C3", "security_question")
    assert correct("b", "new@example.com") == call.id
    (match,) = desk.card(find_call(desk.services, call.id)).matches
    assert match.email == "new@example.com"
    assert "agent" in [age.source for age in match.freshness]
    (event,) = desk.events(Action.CORRECTION)
    assert (event.actor, event.source, event.customers) == (
        "u-support",
        "agent",
        (desk.phones.customer("C3"),),
    )
    with pytest.raises(QueryError):
        correct("c", "no address")
