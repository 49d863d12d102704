"""Who sends one new document after the other is refused in time; what is kept stays small, others are served."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.access import Requester
from hub.schema import GraphQLRequest, GraphQLService
from tests.api.api_world import fill, make_services
from tests.databases import sqlite_store

DOCUMENTS = 3_000
BYTES = 300_000
KNOWN = "{ orders(first: 1) { totalCount } }"
NEW = "{ orders(first: 2) { totalCount } }"


def requester(name: str) -> Requester:
    return Requester(name, frozenset({"support"}), "support", "customer_service", "t", ("customer_service",))


FLOODER, OTHER = requester("u-flooder"), requester("u-other")


async def ask(service: GraphQLService, document: str, who: Requester, **variables: Any) -> dict[str, Any]:
    answer = await service.answer(GraphQLRequest(document, variables=variables), who)
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("hub.schema.documents.KEPT", BYTES)
    monkeypatch.setattr("hub.schema.plans.KEPT", BYTES)
    url = sqlite_store(tmp_path / "hub.sqlite")
    with make_services(tmp_path, url, max_preparing_s=0.5, timeout_s=120) as services:
        fill(services)
        service = GraphQLService(services)
        yield service
        service.close()


def kept(service: GraphQLService) -> tuple[bool, bool]:
    """Whether there are documents and plans, and no more than may be."""
    documents, plans = service.planner.documents.kept, service.planner.plans.kept
    return 0 < documents.weight <= BYTES, 0 < plans.weight <= BYTES


def test_a_flood_of_new_documents_is_refused_while_others_are_served(service: GraphQLService) -> None:
    async def flooded() -> tuple[list[dict[str, Any]], list[dict[str, Any]], bool]:
        await ask(service, KNOWN, OTHER)
        documents = [f'{{ a{n}: customer(id: "c") {{ id name }} }}' for n in range(DOCUMENTS)]
        flood = [asyncio.create_task(ask(service, text, FLOODER)) for text in documents]
        await asyncio.sleep(0)
        others = [await ask(service, document, OTHER) for document in (KNOWN, NEW, KNOWN)]
        meanwhile = not all(task.done() for task in flood)
        return await asyncio.gather(*flood), others, meanwhile

    answers, others, meanwhile = asyncio.run(flooded())
    assert [answer["data"]["orders"]["totalCount"] for answer in others] == [8, 8, 8]
    assert meanwhile
    refusals = {answer["errors"][0]["message"] for answer in answers if "errors" in answer}
    (message,) = refusals
    assert "The limit max_preparing is 0.5 seconds of work a minute" in message
    assert sum("data" in answer for answer in answers) < DOCUMENTS
    assert kept(service) == (True, True)


def test_one_document_with_ever_other_variables_is_new_work_too(service: GraphQLService) -> None:
    """A filter in a variable shapes the plan, which is made and kept for it."""
    document = "query($w: OrderWhere) { orders(where: $w, first: 1) { totalCount } }"

    async def flooded() -> list[dict[str, Any]]:
        wheres = (
            {"OR": [{"orderNumber": {"eq": f"O{n}"}}, {"orderNumber": {"eq": "O1"}}]}
            for n in range(DOCUMENTS)
        )
        return list(await asyncio.gather(*(ask(service, document, FLOODER, w=where) for where in wheres)))

    answers = asyncio.run(flooded())
    assert any("max_preparing" in str(answer.get("errors")) for answer in answers)
    assert any("data" in answer for answer in answers)
    assert kept(service) == (True, True)


def test_every_request_of_the_flood_is_on_record(service: GraphQLService) -> None:
    async def flooded() -> None:
        await asyncio.gather(*(ask(service, f"{{ a{n}: me {{ subject }} }}", FLOODER) for n in range(300)))

    audit = service._services.audit
    before = audit.size()
    asyncio.run(flooded())
    events = [audit.event(seq) for seq in range(before, audit.size())]
    assert len(events) == 300
    assert {event.actor for event in events} == {"u-flooder"}
