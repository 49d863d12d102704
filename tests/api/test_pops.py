"""Screen pop over GraphQL: asked for, told as it happens, and what agents say of calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.audit import Action, Outcome
from hub.calls import Call, CallState, Facts
from hub.commands import HandleCall, ReportCall, card_of, find_call, handle_call, report_call
from hub.schema import GraphQLRequest, GraphQLService
from tests.api.stream_world import Listener, requester, soon
from tests.calls.call_world import ALONE, LINE, Morning, morning

POP = (
    "subscription($e: String!) { screenPop(extension: $e)"
    " { status deadlineHit matches { name level } call { key state } } }"
)


class Floor:
    """A service on the company, in one loop."""

    def __init__(self, phones: Morning) -> None:
        self.phones, self.service = phones, GraphQLService(phones.services)

    def tell(self, event: CallState, key: str = "c-1", extension: str = "21", **facts: Any) -> Call:
        report = ReportCall(key, event, extension=extension, facts=Facts(**facts))
        return report_call(self.phones.services, self.phones.author("pbx"), "pbx-one", report)

    async def ask(self, document: str, role: str = "support", **variables: Any) -> Any:
        asks = requester(self.phones.services, role)
        return orjson.loads((await self.service.answer(GraphQLRequest(document, None, variables), asks)).body)

    def listen(self, role: str = "support", extension: str = "21") -> Listener:
        return Listener(self.service, requester(self.phones.services, role), POP, e=extension)

    def events(self) -> list[Any]:
        self.phones.services.publish_events()
        return [each.event for each in self.phones.services.audit.events()]


@pytest.fixture
def floor(store_url: str, tmp_path: Path) -> Iterator[Floor]:
    with morning(tmp_path, store_url, phone_region="GB", pop_deadline_ms=5000) as phones:
        floor = Floor(phones)
        yield floor
        floor.service.end_streams()
        floor.service.close()


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_a_question_is_answered_by_the_same_card_and_is_on_record(floor: Floor) -> None:
    async def scenario() -> None:
        document = (
            "query($n: String) { screenPop(number: $n)"
            " { status number region matches { id name confidence why } } }"
        )
        body = await floor.ask(document, n="0117 496 0020")
        customer = floor.phones.customer("C3")
        assert body["data"]["screenPop"] == {
            "status": "one",
            "number": ALONE,
            "region": "GB",
            "matches": [{"id": customer, "name": "Cleo Marsh", "confidence": 0.9, "why": ["number"]}],
        }
        event = floor.events()[-1]
        assert (event.action, event.customers) == (Action.READ, (customer,))

    run(scenario)


def test_what_the_policy_keeps_back_of_a_card_is_counted_on_record(floor: Floor) -> None:
    async def scenario() -> None:
        floor.tell(CallState.RINGING, number=ALONE)
        call = find_call(floor.phones.services, "c-1")
        order = HandleCall(call.id, "confirm", floor.phones.customer("C3"), "security_question", "k-1")
        handle_call(floor.phones.services, floor.phones.author(), order)
        await floor.ask('{ screenPop(callId: "c-1") { matches { id } } }', "call_centre")
        event = [each for each in floor.events() if each.action is Action.READ][-1]
        kept_back = (event.counts["masked"], event.counts["denied"])
        assert sum(kept_back) > 0
        assert event.outcome is Outcome.PARTIAL
        asked = card_of(
            floor.phones.services, floor.phones.access("call_centre"), Facts(),
            find_call(floor.phones.services, "c-1"), patient=True,
        )  # fmt: skip
        assert kept_back == (asked.seen.masked, asked.seen.denied)

    run(scenario)


def test_a_call_is_told_to_who_listens_at_its_extension(floor: Floor) -> None:
    async def scenario() -> None:
        floor.tell(CallState.RINGING, number=ALONE)
        listener, other = floor.listen(), floor.listen(extension="99")
        first = await listener.data()
        assert first == {
            "status": "one",
            "deadlineHit": False,
            "matches": [{"name": "Cleo Marsh", "level": 0}],
            "call": {"key": "c-1", "state": "ringing"},
        }
        floor.tell(CallState.ANSWERED)
        assert (await listener.data())["call"]["state"] == "answered"
        floor.tell(CallState.RINGING, "c-2", number=LINE)
        assert {match["name"] for match in (await listener.data())["matches"]} == {"Ann Archer", "Ben Archer"}
        floor.tell(CallState.RINGING, "c-3", extension="99", number="anonymous")
        assert (await other.data())["call"]["key"] == "c-3"
        await listener.close()
        await other.close()

    run(scenario)


def test_what_a_listener_is_told_is_on_record_before(floor: Floor) -> None:
    async def scenario() -> None:
        floor.tell(CallState.RINGING, number=ALONE)
        listener = floor.listen()
        await listener.data()
        (event,) = (each for each in floor.events() if each.action is Action.READ and each.customers)
        assert event.customers == (floor.phones.customer("C3"),)
        assert "user.name" in event.data_categories
        assert "Ticket" in event.entity_types
        await listener.close()

    run(scenario)


def test_who_may_not_handle_calls_hears_of_none(floor: Floor) -> None:
    async def scenario() -> None:
        assert await floor.listen("finance").code() == "FORBIDDEN"
        floor.tell(CallState.RINGING, number=ALONE)
        body = await floor.ask('{ screenPop(callId: "c-1") { status } }', "finance")
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    run(scenario)


def test_what_the_deadline_cut_off_follows(floor: Floor) -> None:
    async def scenario() -> None:
        # So short that nothing can be read within it; the patient card has the whole time of a request.
        object.__setattr__(floor.phones.services.settings, "pop_deadline_ms", 0)
        floor.tell(CallState.RINGING, number=ALONE)
        listener = floor.listen()
        first, then = await listener.data(), await listener.data()
        assert (first["status"], first["deadlineHit"]) == ("none", True)
        assert (then["status"], then["deadlineHit"]) == ("one", False)
        await listener.close()

    run(scenario)


def test_an_agent_picks_confirms_rejects_undoes_and_wraps_up(floor: Floor) -> None:
    async def scenario() -> None:
        call, phones = floor.tell(CallState.RINGING, number=LINE), floor.phones
        keys = iter(range(100))

        async def say(mutation: str, **more: Any) -> Any:
            given = {"callId": call.id, "idempotencyKey": f"k{next(keys)}", **more}
            kind = {"confirmCaller": "ConfirmCallerInput", "wrapUpCall": "WrapUpInput"}.get(
                mutation, "CallerInput"
            )
            body = await floor.ask(f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ callId }} }}", i=given)
            assert body == {"data": {mutation: {"callId": call.id}}}

        async def card() -> Any:
            document = (
                "query($c: String) { screenPop(callId: $c)"
                " { matches { name level phones } call { customerId } } }"
            )
            return (await floor.ask(document, c=call.id))["data"]["screenPop"]

        await say("pickCaller", customerId=phones.customer("C1"))
        assert (await card())["matches"] == [{"name": "Ann Archer", "level": 0, "phones": []}]
        await say("confirmCaller", customerId=phones.customer("C1"), method="CALL_BACK")
        assert (await card())["matches"] == [{"name": "Ann Archer", "level": 2, "phones": [LINE]}]
        await say("wrapUpCall", subject="Pump", outcome="resolved", promisedFor="2026-05-01T10:00:00Z")
        await say("rejectCaller", customerId=phones.customer("C1"))
        assert [match["name"] for match in (await card())["matches"]] == ["Ben Archer"]
        document = 'mutation($c: ID!) { undoCaller(callId: $c, idempotencyKey: "u") { callId } }'
        assert (await floor.ask(document, c=call.id))["data"]["undoCaller"] == {"callId": call.id}
        assert (await card())["call"]["customerId"] is None

    run(scenario)


def test_a_listener_is_let_go_when_the_hub_stops(floor: Floor) -> None:
    async def scenario() -> None:
        floor.tell(CallState.RINGING, number=ALONE)
        listener = floor.listen()
        await listener.data()
        floor.service.end_streams()
        assert await soon(listener.ended())

    run(scenario)
