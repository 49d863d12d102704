"""What subscriptions tell: changes of customers and the progress of runs, under the policy, each event recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.adapters import Counts, RunReport, runs
from hub.audit import Action, AuditEvent, Outcome
from hub.errors import AuditError
from hub.schema import GraphQLRequest, GraphQLService
from hub.services import Services
from hub.store import fixed
from tests.api.api_world import ADDRESS, BEN, World, fill, make_services, party
from tests.api.stream_world import Listener, requester, serving, soon, until, write
from tests.databases import sqlite_store

EVERY = "subscription($after: Long) { customerChanged(after: $after) { seq kind id mergedInto customer { name } } }"
THESE = (
    "subscription($ids: [ID!], $after: Long) { customerChanged(ids: $ids, after: $after)"
    " { kind id mergedInto customer { id name email } } }"
)
PROGRESS = (
    "subscription($source: String) { syncProgress(source: $source)"
    " { runId source kind state message finishedAt counts { read accepted } streams { stream counts { read } } } }"
)


@pytest.fixture
def filled(tmp_path: Path, store_url: str) -> Iterator[Services]:
    """The company on a store of its own, on both databases."""
    with make_services(tmp_path, store_url) as services:
        fill(services)
        yield services


@pytest.fixture
def company(services: Services) -> Services:
    """The company on SQLite, where the database makes no difference."""
    fill(services)
    return services


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Services, GraphQLService, asyncio.Runner]]:
    """The company on SQLite and one service for tests that only read, with the loop that it belongs to."""
    folder = tmp_path_factory.mktemp("shared")
    with make_services(folder, sqlite_store(folder / "hub.sqlite")) as services, asyncio.Runner() as runner:
        fill(services)
        service = GraphQLService(services)
        yield services, service, runner
        service.end_streams()
        service.close()


def customer(services: Services, source: str, key: str) -> str:
    return World(services, None).customer(source, key)


def events(services: Services) -> list[AuditEvent]:
    return [recorded.event for recorded in services.audit.events(after=-1)]


def test_a_change_that_another_writer_makes_is_told_with_the_customer_as_it_is_then(filled: Services) -> None:
    async def scenario() -> None:
        async with serving(filled) as service:
            listener = Listener(service, requester(filled), EVERY, after=filled.store.last_change())
            telling = asyncio.create_task(listener.data())
            await asyncio.sleep(0)
            write(
                filled, party("erp", "C2", name="Benjamin Archer", **BEN), party("erp", "C7", name="Eve New")
            )
            first, second = await soon(telling), await listener.data()
            ben = customer(filled, "erp", "C2")
            told = {each["id"]: (each["kind"], each["customer"]["name"]) for each in (first, second)}
            assert told == {
                ben: ("CHANGED", "Benjamin Archer"),
                customer(filled, "erp", "C7"): ("CREATED", "Eve New"),
            }
            assert first["seq"] < second["seq"] <= filled.store.last_change()
            await listener.close()

    asyncio.run(scenario())


def test_who_was_away_begins_where_they_left_and_misses_nothing(filled: Services) -> None:
    async def scenario() -> None:
        async with serving(filled) as service:
            asks = requester(filled)
            all_of_it = Listener(service, asks, EVERY, after=0)
            seen = [await all_of_it.data() for _ in range(3)]
            await all_of_it.close()
            write(filled, party("erp", "C2", name="While away", **BEN))
            again = Listener(service, asks, EVERY, after=seen[-1]["seq"])
            assert (await again.data())["customer"] == {"name": "While away"}
            middle = Listener(service, asks, EVERY, after=seen[0]["seq"])
            assert [(await middle.data())["seq"] for _ in range(2)] == [each["seq"] for each in seen[1:]]
            await again.close()
            await middle.close()

    asyncio.run(scenario())


def test_a_merge_is_told_and_who_watched_the_retired_id_watches_the_one_that_took_over(
    filled: Services,
) -> None:
    async def scenario() -> None:
        async with serving(filled) as service:
            write(filled, party("erp", "C8", name="Anna A.", email="anna@example.com"))
            ann, anna = customer(filled, "erp", "C1"), customer(filled, "erp", "C8")
            start = filled.store.last_change()
            listener = Listener(service, requester(filled), THESE, ids=[anna], after=start)
            telling = asyncio.create_task(listener.data())
            await until(lambda: len(events(filled)) == 1)
            write(filled, party("erp", "C8", name="Anna A.", loyaltyCard="777001"))
            merged = await soon(telling)
            assert (merged["kind"], merged["id"], merged["mergedInto"]) == ("MERGED", anna, ann)
            assert merged["customer"]["id"] == ann
            write(
                filled,
                party("erp", "C2", name="Not watched", **BEN),
                party("erp", "C8", name="Ann", loyaltyCard="777001"),
            )
            assert (await listener.data())["id"] == ann
            retired = Listener(service, requester(filled), THESE, ids=[anna], after=start)
            told = [await retired.data() for _ in range(2)]
            assert {each["id"] for each in told} == {ann, anna}
            await listener.close()
            await retired.close()

    asyncio.run(scenario())


def test_only_the_named_customers_and_kinds_are_told_and_read(company: Services) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            ben, start = customer(company, "erp", "C2"), company.store.last_change()
            document = (
                "subscription($ids: [ID!], $kinds: [CustomerChangeKind!], $after: Long) {"
                " customerChanged(ids: $ids, kinds: $kinds, after: $after) { id kind } }"
            )
            asks = requester(company)
            named = Listener(service, asks, document, ids=[ben, "nobody"], after=start)
            new = Listener(service, asks, document, kinds=["CREATED", "MERGED"], after=start)
            write(company, party("erp", "C3", "Organization", name="Other Ltd", legalName="Other"))
            write(company, party("erp", "C2", name="Ben", **BEN), party("erp", "C9", name="Ida"))
            assert await named.data() == {"id": ben, "kind": "CHANGED"}
            assert await new.data() == {"id": customer(company, "erp", "C9"), "kind": "CREATED"}
            await named.close()
            await new.close()
            told = [event.customers for event in events(company) if event.customers]
            assert sorted(told) == sorted([(ben,), (customer(company, "erp", "C9"),)])

    asyncio.run(scenario())


def test_a_customer_that_nobody_states_any_more_is_removed_and_null(company: Services) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            ben, start = customer(company, "erp", "C2"), company.store.last_change()
            with company.store.write() as connection:
                connection.exec_driver_sql(f"DELETE FROM customer WHERE id = '{ben}'")
                row = {
                    "type": "Customer",
                    "entity_id": ben,
                    "kind": "delete",
                    "run_id": 2,
                    "at": "2026-01-01T00:00:00Z",
                }
                connection.execute(fixed.change.insert().values(row))
            listener = Listener(service, requester(company), THESE, after=start)
            told = await listener.data()
            assert told == {"kind": "REMOVED", "id": ben, "mergedInto": None, "customer": None}
            await listener.close()

    asyncio.run(scenario())


DEEP = """
subscription($first: Int! = 2, $mail: Boolean! = true, $after: Long) {
  told: customerChanged(after: $after) {
    what: __typename at ...C
    again: customer { n: name email @include(if: $mail) creditLimit { amount currency } }
  }
}
fragment C on CustomerChange {
  customer { id orders(first: $first) { totalCount nodes { orderNumber } } timeline { totalCount } }
}
"""


@pytest.mark.parametrize("role", ["support", "marketing", "it"])
def test_what_is_selected_of_a_customer_is_what_a_query_answers_and_its_access_notes_too(
    filled: Services, role: str
) -> None:
    async def scenario() -> None:
        async with serving(filled) as service:
            asks, start = requester(filled, role), filled.store.last_change()
            listener = Listener(service, asks, DEEP, after=start)
            kept = {"familyName": "Archer", "telephone": "+441174960001", "loyaltyCard": "777001", **ADDRESS}
            write(filled, party("erp", "C1", name="Ann Archer", email="new@example.com", **kept))
            body = await listener.body()
            await listener.close()
            query = (
                f'{{ customer(id: "{ann}") {{ id orders(first: 2) {{ totalCount nodes {{ orderNumber }} }}'
                f' timeline {{ totalCount }} }} again: customer(id: "{ann}")'
                " { n: name email creditLimit { amount currency } } }"
            )
            answer = orjson.loads((await service.answer(GraphQLRequest(query), asks)).body)
            told = body["data"]["told"]
            assert told["what"] == "CustomerChange"
            assert {key: told[key] for key in ("customer", "again")} == answer["data"]
            notes = [
                {**note, "path": note["path"][1:]} for note in body.get("extensions", {}).get("access", [])
            ]
            assert notes == answer.get("extensions", {}).get("access", [])
            assert bool(notes) is (role != "support")

    ann = customer(filled, "erp", "C1")
    asyncio.run(scenario())


# access

COSTLY = """
subscription { customerChanged { customer { orders(first: 200) { nodes { lines(first: 200) { nodes { id } } } } } } }
"""


@pytest.mark.parametrize(
    ("role", "purpose", "document", "code"),
    [
        ("sales", "accounting", "subscription { customerChanged { id } }", "FORBIDDEN"),
        ("sales", "accounting", 'subscription { customerChanged(ids: ["a"]) { id } }', "FORBIDDEN"),
        ("partner", None, "subscription { syncProgress { state } }", "FORBIDDEN"),
        (
            "marketing",
            None,
            'subscription { customerChanged { customer { people(where: {email: {eq: "x"}}) { totalCount } } } }',
            "BAD_QUERY",
        ),
        (
            "marketing",
            None,
            'subscription { customerChanged { customer { tickets(where: {subject: {eq: "x"}}) { totalCount } } } }',
            "FORBIDDEN",
        ),
        ("support", None, "subscription { nothing }", "BAD_QUERY"),
        ("support", None, "subscription { __typename }", "BAD_QUERY"),
        ("support", None, "subscription { customerChanged { id } syncProgress { state } }", "BAD_QUERY"),
        ("support", None, "subscription { customerChanged @skip(if: true) { id } }", "BAD_QUERY"),
        (
            "support",
            None,
            "subscription($v: Boolean! = true) { customerChanged @include(if: $v) { id } }",
            "BAD_QUERY",
        ),
        ("support", None, "subscription { customerChanged(after: 4000000) { id } }", "BAD_QUERY"),
        ("support", None, "subscription { customerChanged(after: -1) { id } }", "BAD_QUERY"),
        (
            "support",
            None,
            COSTLY,
            "LIMIT_EXCEEDED",
        ),
        (
            "support",
            None,
            f"subscription {{ customerChanged(ids: {list(map(str, range(1001)))}) {{ id }} }}".replace(
                "'", '"'
            ),
            "LIMIT_EXCEEDED",
        ),
    ],
)
def test_what_may_not_be_listened_to_is_refused_at_once_and_recorded(
    shared: tuple[Services, GraphQLService, asyncio.Runner],
    role: str,
    purpose: str | None,
    document: str,
    code: str,
) -> None:
    services, service, runner = shared
    before = len(events(services))
    listener = Listener(service, requester(services, role, purpose), document)
    assert runner.run(listener.code()) == code
    (event,) = events(services)[before:]
    assert (event.action, event.outcome, event.reason_code) == (Action.READ_REFUSED, Outcome.REFUSED, code)


def test_denied_and_masked_values_of_a_changed_customer_are_in_no_event(filled: Services) -> None:
    document = (
        "subscription($after: Long) { customerChanged(after: $after)"
        " { customer { name email birthDate creditLimit { amount } facts { property value } } } }"
    )

    async def scenario() -> None:
        async with serving(filled) as service:
            listener = Listener(service, requester(filled, "marketing"), document, after=0)
            bodies = [(await listener.answer()).body.decode() for _ in range(3)]
            await listener.close()
            for value in ("Ann Archer", "ann@example.com", "1984-05", "500.00", "post@example.net"):
                assert value not in "".join(bodies)
            assert all('"extensions":{"access":[' in body for body in bodies)

    asyncio.run(scenario())


# audit


def test_the_beginning_and_each_event_about_a_customer_are_recorded(company: Services) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            listener = Listener(service, requester(company, "marketing"), EVERY, after=0)
            told = [await listener.data() for _ in range(3)]
            await listener.close()
            began, *each = events(company)
            assert (began.action, began.customers, began.counts["customers"]) == (Action.READ, (), 0)
            assert [event.customers for event in each] == [(change["id"],) for change in told]
            assert len({event.id for event in (began, *each)}) == 4
            for event in (began, *each):
                assert (event.outcome, event.actor, event.purpose) == (
                    Outcome.PARTIAL,
                    "u-marketing",
                    "campaign_analysis",
                )
                assert event.data_categories == ("user.name",)
                assert (event.counts["masked"], event.counts["denied"]) == (1, 0)
                assert event.query_sha256 == began.query_sha256 is not None

    asyncio.run(scenario())


class StoppingRecorder:
    """A recorder whose disk is full after some events."""

    def __init__(self, services: Services, takes: int) -> None:
        self._recorder, self._takes = services.recorder, takes

    async def recorded(self, event: AuditEvent) -> int:
        self._takes -= 1
        if self._takes < 0:
            raise AuditError("no space")
        return await self._recorder.recorded(event)


@pytest.mark.parametrize("takes", [0, 1, 2])
def test_no_event_leaves_unrecorded_and_without_the_log_the_subscription_ends(
    company: Services, takes: int
) -> None:
    async def scenario() -> None:
        broken: Any = StoppingRecorder(company, takes)
        async with serving(replace(company, recorder=broken)) as service:
            listener = Listener(service, requester(company), EVERY, after=0)
            for _ in range(max(takes - 1, 0)):
                assert await listener.data()
            last = await listener.answer()
            assert (last.failed, last.unavailable) == (True, True)
            assert b"Archer" not in last.body
            assert await listener.ended()
            assert len([event for event in events(company) if event.customers]) == max(takes - 1, 0)

    asyncio.run(scenario())


def test_a_read_that_fails_ends_the_subscription_masked_and_recorded(
    company: Services, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            listener = Listener(service, requester(company), EVERY, after=company.store.last_change())
            telling = asyncio.create_task(listener.answer())
            await until(lambda: len(events(company)) == 1)
            with company.store.write() as connection:
                connection.exec_driver_sql("ALTER TABLE customer RENAME TO elsewhere")
                row = {
                    "type": "Customer",
                    "entity_id": "cus_any",
                    "kind": "upsert",
                    "at": "2026-01-01T00:00:00Z",
                }
                connection.execute(fixed.change.insert().values(row))
            answer = await soon(telling)
            assert answer.failed
            assert b"reference" in answer.body
            assert b"customer" not in answer.body
            assert await listener.ended()
            assert events(company)[-1].outcome is Outcome.FAILED
            assert "SELECT" not in caplog.text

    asyncio.run(scenario())


def test_a_subject_that_is_no_opaque_id_is_not_let_in(company: Services) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            asks = replace(requester(company), subject="ann@example.com")
            assert await Listener(service, asks, EVERY).code() == "UNAUTHENTICATED"
            assert [event.action for event in events(company)] == [Action.LOGIN_REFUSED]

    asyncio.run(scenario())


# what is no subscription, and the other way round


def test_a_query_is_answered_once(company: Services) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            listener = Listener(service, requester(company), "{ lastChange me { subject } }")
            assert (await listener.body())["data"]["lastChange"] == company.store.last_change()
            assert await listener.ended()
            assert len(events(company)) == 1

    asyncio.run(scenario())


def test_a_subscription_is_no_request_of_http(company: Services) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            answer = await service.answer(GraphQLRequest(EVERY), requester(company))
            assert answer.refusal is not None
            assert "WebSocket" in str(answer.refusal)

    asyncio.run(scenario())


def test_the_newest_change_is_told_to_those_who_may_see_customers(company: Services) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            asks = requester(company, "sales", "accounting")
            body = orjson.loads((await service.answer(GraphQLRequest("{ lastChange }"), asks)).body)
            assert body["data"] == {"lastChange": None}
            assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    asyncio.run(scenario())


# limits


def test_subscriptions_are_bounded_for_a_process_and_for_a_caller(tmp_path: Path) -> None:
    async def scenario(services: Services) -> None:
        async with serving(services) as service:
            support = [Listener(service, requester(services), EVERY, after=0) for _ in range(3)]
            assert await support[0].data()
            assert await support[1].data()
            assert await support[2].code() == "LIMIT_EXCEEDED"
            await support[0].close()
            again = Listener(service, requester(services), EVERY, after=0)
            assert await again.data()
            others = [replace(requester(services), subject=f"u-{number}") for number in range(18)]
            theirs = [Listener(service, asks, EVERY, after=0) for asks in others]
            for listener in theirs:
                assert await listener.data()
            late = Listener(service, replace(requester(services), subject="u-late"), EVERY, after=0)
            assert await late.code() == "LIMIT_EXCEEDED"
            for listener in (*support, again, *theirs):
                await listener.close()

    url = sqlite_store(tmp_path / "hub.sqlite")
    with make_services(tmp_path, url, max_subscriptions=20) as services:
        fill(services)
        asyncio.run(scenario(services))


def test_all_subscriptions_end_when_the_hub_stops_and_none_begins(company: Services) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            asks = requester(company)
            listeners = [Listener(service, asks, EVERY, after=0), Listener(service, asks, PROGRESS)]
            for _ in range(3):
                await listeners[0].data()
            endings = [asyncio.create_task(each.ended()) for each in listeners]
            await until(lambda: len(events(company)) == 5)
            service.end_streams()
            assert await asyncio.gather(*endings) == [True, True]
            assert await Listener(service, asks, EVERY, after=0).ended()

    asyncio.run(scenario())


# runs


def test_a_run_is_told_from_its_beginning_to_its_end_as_its_counts_grow(filled: Services) -> None:
    async def scenario() -> None:
        async with serving(filled) as service:
            asks = requester(filled, "it")
            earlier = runs.open_run(filled.store, "till", "sync")
            listener = Listener(service, asks, PROGRESS)
            began = await listener.data()
            assert (began["runId"], began["state"], began["streams"]) == (str(earlier), "running", [])
            with filled.store.write() as connection:
                runs.add_counts(connection, earlier, "sales", Counts(read=5, accepted=4, quarantined=1))
            grown = await listener.data()
            assert grown["counts"] == {"read": 5, "accepted": 4}
            assert grown["streams"] == [{"stream": "sales", "counts": {"read": 5}}]
            runs.close_run(filled.store, RunReport(earlier, "till", "suspect", ("odd",)))
            ended = await listener.data()
            assert (ended["state"], ended["message"]) == ("suspect", "odd")
            assert ended["finishedAt"] is not None
            other = runs.open_run(filled.store, "other", "replay")
            assert (await listener.data())["runId"] == str(other)
            await listener.close()

    asyncio.run(scenario())


def test_runs_of_before_are_not_told_and_those_of_other_sources_neither(company: Services) -> None:
    async def scenario() -> None:
        async with serving(company) as service:
            runs.close_run(
                company.store, RunReport(runs.open_run(company.store, "till", "sync"), "till", "ok")
            )
            listener = Listener(service, requester(company, "it"), PROGRESS, source="till")
            telling = asyncio.create_task(listener.data())
            await until(lambda: any(event.data_categories for event in events(company)))
            await asyncio.sleep(0.5)  # a look has been taken: what came before it is not told
            runs.open_run(company.store, "other", "sync")
            quick = runs.open_run(company.store, "till", "sync")
            runs.close_run(company.store, RunReport(quick, "till", "ok"))
            told = await soon(telling)
            assert (told["runId"], told["source"]) == (str(quick), "till")
            await listener.close()
            (event,) = [event for event in events(company) if event.data_categories]
            assert event.data_categories == ("system.operations",)

    asyncio.run(scenario())
