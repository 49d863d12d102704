"""GraphQL over HTTP: methods, media types, statuses, tokens, purposes and what never leaks."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import orjson
import pytest

from hub.api.http import MAX_BODY, headers_of, status_of
from hub.errors import QueryError
from hub.schema import ReadsOnlyError
from hub.schema.answers import refused
from tests.api.api_world import World

ME = "{ me { subject purpose } }"
PURPOSE = {"x-purpose": "customer_service"}
GRAPHQL_JSON = "application/graphql-response+json"


def sent(world: World, method: str = "POST", path: str = "/graphql", **more: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {world.token()}", **more.pop("headers", {})}
    reply: httpx.Response = world.ask_app(method, path, headers=headers, **more)
    return reply


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON),
        (f"application/json;q=0.5, {GRAPHQL_JSON};q=0.8", GRAPHQL_JSON),
        ("text/html, application/*;q=0.1", "application/json"),
    ],
)
def test_the_answer_is_of_the_media_type_that_the_client_prefers(
    world: World, accept: str, expected: str
) -> None:
    reply = sent(world, json={"query": ME}, headers={"accept": accept})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == f"{expected}; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "more", "status"),
    [
        ("POST", {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415),
        ("POST", {"content": b"{}"}, 415),
        ("POST", {"content": b"{}", "headers": {"content-type": "application/json; charset=utf-16"}}, 415),
        ("POST", {"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ("POST", {"json": [{"query": ME}]}, 400),
        ("POST", {"json": {}}, 400),
        ("POST", {"json": {"query": 7}}, 400),
        ("POST", {"json": {"query": ME, "operationName": 7}}, 400),
        ("POST", {"json": {"query": ME, "variables": "x"}}, 400),
        ("POST", {"json": {"query": ME, "extensions": []}}, 400),
        ("POST", {"json": {"query": " " * MAX_BODY}}, 413),
        ("GET", {"headers": PURPOSE}, 400),
        ("GET", {"params": {"query": ME, "variables": "{"}, "headers": PURPOSE}, 400),
        ("GET", {"params": {"query": ME, "variables": "[]"}, "headers": PURPOSE}, 400),
        ("PUT", {"json": {"query": ME}}, 405),
        ("DELETE", {}, 405),
        ("POST", {"json": {"query": ME}, "headers": {"accept": "text/html"}}, 406),
        ("POST", {"json": {"query": ME, "variables": None, "operationName": None, "extensions": None}}, 200),
        ("GET", {"params": {"query": ME}, "headers": PURPOSE}, 200),
        (
            "GET",
            {"params": {"query": f"query A {ME} query B {ME}", "operationName": "B"}, "headers": PURPOSE},
            200,
        ),
    ],
)
def test_a_request_that_is_none_gets_the_status_that_says_why(
    world: World, method: str, more: dict[str, Any], status: int
) -> None:
    reply = sent(world, method, **more)
    assert reply.status_code == status
    assert "errors" in reply.json() or status == 200


def test_a_get_takes_variables(world: World) -> None:
    document = "query($id: ID!) { customer(id: $id) { name } }"
    variables = orjson.dumps({"id": world.customer("erp", "C1")}).decode()
    reply = sent(world, "GET", params={"query": document, "variables": variables}, headers=PURPOSE)
    assert reply.json() == {"data": {"customer": {"name": "Ann Archer"}}}


def test_a_get_that_a_link_on_another_page_could_make_is_not_answered(world: World) -> None:
    reply = sent(world, "GET", params={"query": ME})
    assert reply.status_code == 400
    assert "X-Purpose" in reply.json()["errors"][0]["message"]
    assert sent(world, json={"query": ME}).status_code == 200


@pytest.mark.parametrize(
    ("document", "status"),
    [("{ nothing }", 400), ("{", 400), ("{ orders(first: 9999) { totalCount } }", 400), (ME, 200)],
)
def test_a_refused_document_is_200_in_json_and_4xx_in_the_graphql_media_type(
    world: World, document: str, status: int
) -> None:
    assert sent(world, json={"query": document}, headers={"accept": "application/json"}).status_code == 200
    assert sent(world, json={"query": document}, headers={"accept": GRAPHQL_JSON}).status_code == status


# tokens and purposes


def test_without_a_token_nobody_is_answered(world: World) -> None:
    reply = world.post({"query": ME})
    assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert "data" not in reply.body


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dTpw", "Bearer a.b.c", "Bearer " + "x" * 9000, "x"]
)
def test_what_is_no_token_is_refused(world: World, header: str) -> None:
    reply = world.ask_app("POST", "/graphql", json={"query": ME}, headers={"authorization": header})
    assert reply.status_code == 401


def test_an_expired_token_is_refused(world: World) -> None:
    reply = world.post({"query": ME}, world.token(ttl_s=-3600))
    assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")
    assert "expired" in reply.message


def test_a_role_that_the_policy_does_not_know_is_refused(world: World) -> None:
    from hub.access import DemoIssuer

    issuer = DemoIssuer(world.services.settings.data_dir)
    reply = world.post({"query": ME}, issuer.issue("u-1", "support", ["wizard"], ["customer_service"]))
    assert (reply.status, reply.code) == (403, "FORBIDDEN")


@pytest.mark.parametrize(("stated", "status"), [(None, 403), ("advertising", 403), ("safety_recall", 200)])
def test_a_request_states_one_purpose_that_its_caller_may_use(
    world: World, stated: str | None, status: int
) -> None:
    token = world.token("support", ["customer_service", "safety_recall"])
    headers = {} if stated is None else {"x_purpose": stated}
    reply = world.post({"query": ME}, token, **headers)
    assert reply.status == status
    if status == 200:
        assert reply.data["me"]["purpose"] == stated
    else:
        assert reply.code == "PURPOSE_REQUIRED"
        assert "customer_service, safety_recall" in reply.message


# limits


@pytest.mark.parametrize(
    ("document", "limit"),
    [
        ("{ orders(first: 201) { totalCount } }", "max_page"),
        ("{ customers(first: 200) { nodes { orders(first: 200) { nodes { id } } } } }", "max_cost"),
        (
            f"{{ organizations {{ {'nodes { subOrganizations { ' * 6} totalCount {'} } ' * 6} }} }}",
            "max_depth",
        ),
    ],
)
def test_a_question_that_is_too_large_is_refused_with_the_limit_named(
    world: World, document: str, limit: str
) -> None:
    with world.counted() as statements:
        reply = world.ask(document)
    assert reply.code == "LIMIT_EXCEEDED"
    assert limit in reply.message
    assert statements == []


def test_a_page_size_in_a_variable_has_the_same_limit(world: World) -> None:
    reply = world.ask("query($n: Int!) { orders(first: $n) { totalCount } }", n=201)
    assert (reply.code, "max_page" in reply.message) == ("LIMIT_EXCEEDED", True)
    assert world.ask("query($n: Int!) { orders(first: $n) { totalCount } }", n=-1).code == "BAD_QUERY"


# beside the endpoint


def test_health_holds_no_data(world: World) -> None:
    reply = world.ask_app("GET", "/healthz")
    assert (reply.status_code, reply.text) == (200, "ok")


def test_no_other_origin_is_let_in_and_browsers_are_told_to_keep_out(world: World) -> None:
    preflight = world.ask_app(
        "OPTIONS",
        "/graphql",
        headers={"origin": "https://elsewhere.example", "access-control-request-method": "POST"},
    )
    assert "access-control-allow-origin" not in preflight.headers
    reply = sent(world, json={"query": ME}, headers={"origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in reply.headers
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc", "/"])
def test_there_is_nothing_else(world: World, path: str) -> None:
    assert world.ask_app("GET", path).status_code == 404


def test_logs_hold_paths_and_no_query_strings(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        sent(world, "GET", params={"query": '{ customer(id: "secret-id") { id } }'}, headers=PURPOSE)
    lines = [record.getMessage() for record in caplog.records if record.name == "hub.api.access"]
    assert lines
    assert lines[0].startswith("GET /graphql 200 ")
    assert not any("secret-id" in line for line in lines)


def test_a_mutation_that_comes_by_get_is_told_to_come_by_post() -> None:
    answer = refused(ReadsOnlyError("GET only reads; send a mutation by POST"))
    for answered_in in ("application/json", GRAPHQL_JSON):
        assert status_of(answer, answered_in) == 405
    assert headers_of(answer) == {"allow": "POST"}
    assert headers_of(refused(QueryError("x"))) == {}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_told_which_there_are(world: World, method: str) -> None:
    assert sent(world, method).headers["allow"] == "GET, POST"


def test_a_mutation_by_get_changes_nothing(world: World) -> None:
    document = """mutation { withdrawCorrection(
        input: {customerId: "x", property: email, reason: "r", idempotencyKey: "k"}) { customerId } }"""
    reply = sent(world, "GET", params={"query": document}, headers=PURPOSE)
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert "send a mutation by POST" in reply.text
