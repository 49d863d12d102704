"""Whatever the level, a card shows nobody more than GraphQL shows them of the customer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import orjson
import pytest

from hub.calls import Level
from hub.schema import GraphQLRequest, GraphQLService
from tests.api.stream_world import requester
from tests.calls.call_world import ALONE, LINE, Morning

ROLES = ("support", "call_centre", "sales", "finance", "steward", "marketing", "management", "it")
SHOWN = "{ customer(id: $id) { name tier preferredLanguage email telephone doNotCall vulnerable } }"


@pytest.fixture(scope="session")
def service(phones: Morning) -> Iterator[GraphQLService]:
    made = GraphQLService(phones.services)
    yield made
    made.close()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("number", "key"), [(ALONE, "C3"), (LINE, "C1")])
def test_no_role_is_shown_more_than_graphql_shows_it(
    phones: Morning, service: GraphQLService, role: str, number: str, key: str
) -> None:
    asked = phones.ring(number, role, phones.sure(key))
    request = GraphQLRequest(f"query($id: ID!) {SHOWN}", None, {"id": phones.customer(key)})
    body = orjson.loads(asyncio.run(service.answer(request, requester(phones.services, role))).body)
    known = (body.get("data") or {}).get("customer") or {}
    for match in asked.card.matches:
        told = (match.name, match.tier, match.language, match.email, *match.phones)
        assert {each for each in told if each} <= {known.get(name) for name in known}
        assert ("do not call" in match.warnings) <= bool(known.get("doNotCall"))
        assert any("vulnerable" in each for each in match.warnings) <= bool(known.get("vulnerable"))
    assert set(asked.seen.customers) <= (
        {phones.customer("C1"), phones.customer("C2"), phones.customer("C3")}
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_level_shows_what_is_below_it_and_more(phones: Morning, role: str) -> None:
    seen = [phones.ring(ALONE, role, phones.sure("C3", level)).seen.properties for level in Level]
    assert seen[0] <= seen[1] <= seen[2]
