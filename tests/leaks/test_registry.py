"""Every path by which personal data may leave the hub is registered, and asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
from graphql import FieldNode, OperationDefinitionNode, get_named_type, parse
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from hub.api import create_app
from hub.ontology import load_ontology
from hub.schema import make_catalogue
from tests.doc_blocks import ROOT
from tests.leaks import registry
from tests.leaks.adversary import Adversary
from tests.leaks.policies import role_name
from tests.leaks.probes import Prober
from tests.leaks.registry import COMMANDS, FIELDS, ROUTES, Asked, Entrance, Path, Shown, Silent
from tests.leaks.ways import WAYS
from tests.leaks.worlds import Pair

ROLES, SAMPLE = 44, 20
ADVERSARY = ("forged cursor", "guessed id", "one row", "count")
on_sqlite = pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")


def missing(found: Iterable[tuple[str, Path | None]]) -> list[str]:
    return [name for name, path in found if path is None]


# all are registered


@on_sqlite
def test_every_root_field_is_registered(pair: Pair) -> None:
    found = dict(registry.fields(pair.catalogue))
    assert missing(found.items()) == []
    assert FIELDS.keys() <= found.keys()


@on_sqlite
def test_every_argument_of_a_question_is_registered(pair: Pair) -> None:
    assert registry.arguments(pair.catalogue) == registry.ARGUMENTS.keys()
    pair.become(role_name(0))
    asked = {
        probe.query for number in range(3) for probe in Prober(pair, role_name(number), SAMPLE).probes("past")
    }
    assert any("asOf" in query for query in asked)


@on_sqlite
def test_every_route_is_registered(pair: Pair) -> None:
    found = dict(registry.routes(create_app(pair.services)))
    assert missing(found.items()) == []
    assert ROUTES.keys() <= found.keys()


def test_every_command_is_registered() -> None:
    found = dict(registry.commands())
    assert missing(found.items()) == []
    assert COMMANDS.keys() == found.keys()


def test_a_root_field_a_route_or_a_command_of_tomorrow_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def export(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("Ann")

    fields = registry.fields(make_catalogue(load_ontology()))
    monkeypatch.delitem(registry.FIELDS, "Query.search")  # type: ignore[arg-type]  # a dict, for all that it promises
    assert missing(fields) == ["Query.search"]
    app = Starlette(
        routes=[
            Route("/export.csv", export),
            Route("/consoles", export),
            WebSocketRoute("/pop", export),
            Mount("/files", routes=[]),
            Route("/console/page.js", export),
        ]
    )
    assert missing(registry.routes(app)) == [
        "HTTP /export.csv",
        "HTTP /consoles",
        "WEBSOCKET /pop",
        "HTTP /files",
    ]
    monkeypatch.delitem(registry.COMMANDS, "preview")  # type: ignore[arg-type]  # as above
    assert missing(registry.commands()) == ["preview"]


# all are asked


def _asked(pair: Pair, number: int, kind: str) -> Iterator[str]:
    """The root fields that a role's questions of this kind ask."""
    role = role_name(number)
    if kind == "command":
        probes = Prober(pair, role, SAMPLE).commands()
    else:
        asks = Adversary if kind in ADVERSARY else Prober
        probes = asks(pair, role, SAMPLE).probes(kind)
    for probe in probes:
        yield from _roots(probe.query)


def _roots(query: str) -> Iterator[str]:
    for definition in parse(query).definitions:
        if isinstance(definition, OperationDefinitionNode):
            for node in definition.selection_set.selections:
                if isinstance(node, FieldNode):
                    yield f"{definition.operation.value.title()}.{node.name.value}"


@on_sqlite
def test_every_path_is_asked_as_it_is_registered(pair: Pair) -> None:
    pair.become(role_name(0))
    unasked: dict[str, set[str]] = {}
    for field, path in registry.fields(pair.catalogue):
        for kind in path.kinds if isinstance(path, Asked) else ():
            unasked.setdefault(kind, set()).add(field)
    for kind, fields in unasked.items():
        for number in range(ROLES):
            fields.difference_update(_asked(pair, number, kind) if fields else ())
    assert not any(unasked.values()), unasked


def test_every_way_is_an_entrance() -> None:
    ways = [way for path in ROUTES.values() if isinstance(path, Entrance) for way in path.ways]
    assert sorted(ways) == sorted(WAYS)


def test_every_test_that_the_registry_names_is_there() -> None:
    for path in COMMANDS.values():
        if isinstance(path, Shown):
            file, _, name = path.test.partition("::")
            assert f"def {name}(" in (ROOT / file).read_text()


# the silent are


@on_sqlite
def test_what_a_silent_field_answers_has_no_property_of_anybody(pair: Pair) -> None:
    schema = pair.catalogue.graphql
    types = {"Customer", *pair.services.ontology.types}
    for field, path in registry.fields(pair.catalogue):
        if isinstance(path, Silent):
            root, _, name = field.partition(".")
            assert not types & reachable(schema, get_named_type(schema.type_map[root].fields[name].type))


def reachable(schema: Any, type_: Any, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """The types that an answer of this type may hold."""
    if type_.name in seen:
        return seen
    found = seen | {type_.name}
    for field in getattr(type_, "fields", {}).values():
        found = reachable(schema, get_named_type(field.type), found)
    return found


@on_sqlite
def test_a_silent_route_tells_the_same_in_both_worlds(pair: Pair) -> None:
    pair.become(role_name(0))
    for path in (name for name, found in registry.routes(pair.one.app) if isinstance(found, Silent)):  # type: ignore[arg-type]  # an application of Starlette's
        assert pair.one.runner.run(_got(pair.one.app, path)) == pair.one.runner.run(
            _got(pair.other.app, path)
        )


async def _got(app: Any, route: str) -> tuple[int, list[tuple[str, str]], bytes]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
        reply = await client.get(route.removeprefix("HTTP "))
    return reply.status_code, sorted(reply.headers.items()), reply.content
