"""Each limit of the documentation's table is met by a request, and refuses it by name before anything is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from starlette.requests import Request

from hub.api.http import MAX_BODY, TransportError, graphql_request
from hub.reference.limits import LIMITS
from tests.api.api_world import World

ORDERS = "query($w: OrderWhere) { orders(where: $w) { totalCount } }"


def nots(levels: int) -> dict[str, Any]:
    where: dict[str, Any] = {"orderNumber": {"eq": "O1"}}
    for _ in range(levels):
        where = {"NOT": where}
    return where


def document(fields: str, **variables: Any) -> dict[str, Any]:
    return {"query": fields, "variables": variables}


BEYOND: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "max_body": document("{ me { subject } }", x="x" * 300_000),
        "max_tokens": document("{ me { " + "subject " * 5_000 + "} }"),
        "max_depth": document(
            f"{{ organizations {{ {'nodes { subOrganizations { ' * 6} totalCount {'} } ' * 6} }} }}"
        ),
        "max_operations": document(" ".join(f"query Q{n} {{ me {{ subject }} }}" for n in range(11))),
        "max_fragments": document(
            "{ me { subject } } " + " ".join(f"fragment F{n} on Me {{ subject }}" for n in range(201))
        ),
        "max_fields": document(
            "{ me { ...F3 } } fragment F0 on Me { " + " ".join(f"a{n}: subject" for n in range(40)) + " } "
            + " ".join(f"fragment F{n} on Me {{ {f'...F{n - 1} ' * 10} }}" for n in (1, 2, 3))
        ),
        "max_aliases": document("{ " + " ".join(f"a{n}: me {{ subject }}" for n in range(101)) + " }"),
        "max_repeats": document("{ me { " + "...{ subject } " * 51 + "} }"),
        "max_overlaps": document(
            '{ customer(id: "x") { ' + "...{ id name email telephone tier status segment url kind mobile notes "
            "legalName birthDate gender vatID taxID iban duns } " * 49 + "} }"
        ),
        "max_directives": document("{ me" + " @include(if: true)" * 9 + " { subject } }"),
        "max_values": document(ORDERS, w={"orderNumber": {"in": ["x"] * 10_001}}),
        "max_conditions": document(ORDERS, w={"OR": [{"orderNumber": {"eq": "x"}}] * 300}),
        "max_filter_depth": document(ORDERS, w=nots(8)),
        "max_list": document(ORDERS, w={"orderNumber": {"in": ["x"] * 1_001}}),
        "max_page": document("{ orders(first: 201) { totalCount } }"),
        "max_past_times": document(
            "{ " + " ".join(f'c{n}: customer(id: "x", asOf: "2026-01-01T00:00:00Z") {{ id }}' for n in range(11)) + " }"
        ),
        "max_cost": document("{ customers(first: 200) { nodes { orders(first: 200) { nodes { id } } } } }"),
    }
)  # fmt: skip
ELSEWHERE = {
    "max_requests": "test_rates.py",
    "max_preparing": "test_flood.py",
    "timeout": "test_timeouts.py",
    "max_response_bytes": "below",
    "max_past_records": "tests/adapters/past/test_past.py",
}
"""Limits that are no matter of one request's shape."""


def test_no_limit_is_forgotten_here() -> None:
    assert {limit.name for limit in LIMITS} == {*BEYOND, *ELSEWHERE}


@pytest.mark.parametrize("limit", BEYOND)
def test_a_request_beyond_a_limit_is_refused_by_its_name_before_anything_is_read(
    world: World, limit: str
) -> None:
    with world.counted() as statements:
        reply = world.post(BEYOND[limit], world.token())
    assert f"the limit {limit} is " in reply.message
    assert reply.code == ("BAD_REQUEST" if limit == "max_body" else "LIMIT_EXCEEDED")
    assert statements == []


def test_conditions_of_all_filters_count_together(world: World) -> None:
    """Each filter is compiled anew for each field: a hundred of five hundred conditions would take seconds."""
    fields = " ".join(f"a{n}: orders(where: $w) {{ totalCount }}" for n in range(3))
    reply = world.ask(f"query($w: OrderWhere) {{ {fields} }}", w={"OR": [{"orderNumber": {"eq": "x"}}] * 60})
    assert reply.data
    reply = world.ask(f"query($w: OrderWhere) {{ {fields} }}", w={"OR": [{"orderNumber": {"eq": "x"}}] * 90})
    assert "max_conditions" in reply.message


def test_a_query_string_is_bounded_too() -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "query_string": b"query={__typename}&variables=" + b"x" * MAX_BODY,
        "headers": [(b"x-purpose", b"customer_service")],
    }
    with pytest.raises(TransportError, match="max_body") as refused:
        asyncio.run(graphql_request(Request(scope)))
    assert refused.value.status == 414
