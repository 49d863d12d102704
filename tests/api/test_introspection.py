"""The schema is shown to roles that the policy lets introspect; others learn no name that they did not know."""

from __future__ import annotations

import pytest

from hub.audit import Action
from tests.api.api_world import World

ASKING = [
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Customer") { name } }',
    "{ _service { sdl } }",
    '{ a: customer(id: "c") { id } s: _service { __typename } }',
    "{ ...F } fragment F on Query { s: __schema { queryType { name } } }",
    "query A { me { subject } } query B { __schema { queryType { name } } }",
]


@pytest.mark.parametrize("document", ASKING)
def test_introspection_is_refused_before_anything_is_executed(
    world: World, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "B" if "query B" in document else None
    allowed = world.post({"query": document, "operationName": name}, world.token("it"))
    assert allowed.data  # and the document is known from now on
    monkeypatch.setattr("hub.schema.service.execute", lambda *_, **__: pytest.fail("executed"))
    before = world.seq()
    for _ in range(2):
        refused = world.post({"query": document, "operationName": name}, world.token("support"))
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
    assert {event.action for event in world.events_after(before)} == {Action.READ_REFUSED}


def test_what_an_object_is_may_be_asked_by_all(world: World) -> None:
    assert world.ask("{ __typename me { __typename } }").data["__typename"] == "Query"


@pytest.mark.parametrize(
    "document",
    [
        "{ custmer { id } }",
        "{ orders(where: {status: {eq: opne}}) { totalCount } }",
        "{ me { ...on Pesron { name } } }",
    ],
)
def test_names_that_are_near_are_told_to_roles_that_may_introspect(world: World, document: str) -> None:
    told, untold = world.ask(document, "it"), world.ask(document, "support")
    assert told.code == untold.code == "BAD_QUERY"
    assert "Did you mean" in told.message
    assert "Did you mean" not in str(untold.body)
    assert untold.body["errors"][0]["locations"] == told.body["errors"][0]["locations"]


def test_the_schema_is_downloaded_with_a_token_of_such_a_role_only(world: World) -> None:
    def get(role: str | None) -> tuple[int, str]:
        headers = {} if role is None else {"authorization": f"Bearer {world.token(role)}"}
        reply = world.ask_app("GET", "/graphql/schema.graphql", headers=headers)
        return reply.status_code, reply.text

    status, sdl = get("it")
    assert (status, "type Customer" in sdl) == (200, True)
    before = world.seq()
    for role, expected in (("support", 403), (None, 401)):
        status, text = get(role)
        assert (status, "type Customer" in text) == (expected, False)
    assert [event.action for event in world.events_after(before)] == [
        Action.READ_REFUSED,
        Action.LOGIN_REFUSED,
    ]


def test_the_policy_says_which_roles_these_are(world: World) -> None:
    access = world.services.access
    assert {role for role in access.roles if access.may_introspect([role])} == {"compliance", "it", "steward"}
    assert access.may_introspect(["support", "it"])
    assert not access.may_introspect([])
