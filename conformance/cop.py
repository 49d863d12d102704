"""The security checks of graphql-cop, by its names and by what it looks for.

graphql-cop itself (github.com/dolevf/graphql-cop) could not be installed: the package of that name on PyPI (0.0.1) is a
placeholder without code. These are our own requests, written from the thirteen tests that it runs at commit d19d2698;
each asks what the tool asks and calls a finding what the tool calls one. As the tool is run with a token, the token
goes with every request; GET and urlencoded requests go without further headers, as a browser's would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from conformance.company import Hub
from conformance.page import Section, table

TIME_S = 60
_NAME = "cop"
_ORIGIN = """
The tool itself was not run: the package of its name on PyPI (0.0.1) is a placeholder without code. These are our own
requests, written from the thirteen tests of graphql-cop at commit d19d2698: its names, what it sends, what it calls a
finding.
""".strip()


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint, asked as one role."""

    client: httpx.Client = field(repr=False)

    def asked(self, document: str) -> dict[str, Any]:
        """The answer to one document."""
        return self._json(self.client.post("/graphql", json={"query": document, "operationName": _NAME}))

    def batch(self, document: str, size: int) -> Any:
        """The answer to the document in an array of so many."""
        return self.client.post("/graphql", json=[{"query": document}] * size).json()

    def by_url(self, method: str, document: str) -> dict[str, Any]:
        """The answer to a document in the query string, without a body."""
        return self._json(self.client.request(method, "/graphql", params={"query": document}))

    def by_form(self, document: str) -> dict[str, Any]:
        """The answer to a document that a form of another site could send."""
        return self._json(self.client.post("/graphql", data={"query": document}))

    def text(self, path: str) -> str:
        """What stands at a path."""
        return self.client.get(path, headers={"accept": "text/html,*/*"}).text

    def _json(self, response: httpx.Response) -> dict[str, Any]:
        answer: dict[str, Any] = response.json()
        return answer


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name and severity in graphql-cop, and whether it finds something."""

    title: str
    severity: str
    asks: str
    finds: Callable[[Target], bool]


def _data(answer: Mapping[str, Any], name: str = "__typename") -> bool:
    return bool((answer.get("data") or {}).get(name))


def _errors(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(answer.get("errors") or ())


def _aliases(target: Target) -> bool:
    many = " ".join(f"alias{n}: __typename" for n in range(101))
    return _data(target.asked(f"query {_NAME} {{ {many} }}"), "alias100")


def _batch(target: Target) -> bool:
    answer = target.batch(f"query {_NAME} {{ __typename }}", 10)
    return isinstance(answer, list) and len(answer) >= 10


def _circular(target: Target) -> bool:
    document = "name"
    for _ in range(4):
        document = f"fields {{ type {{ {document} }} }}"
    schema = (
        target.asked(f"query {_NAME} {{ __schema {{ types {{ {document} }} }} }}").get("data") or {}
    ).get("__schema")
    return len((schema or {}).get("types") or ()) > 25


def _directives(target: Target) -> bool:
    return len(_errors(target.asked(f"query {_NAME} {{ __typename {'@aa' * 10} }}"))) == 10


def _duplicates(target: Target) -> bool:
    return _data(target.asked(f"query {_NAME} {{ {'__typename ' * 500} }}"))


def _suggestions(target: Target) -> bool:
    answer = target.asked(f"query {_NAME} {{ __schema {{ directive }} }}")
    return any("Did you mean" in error["message"] for error in _errors(answer))


def _introspection(target: Target) -> bool:
    return _data(
        target.asked(f"query {_NAME} {{ __schema {{ types {{ name fields {{ name }} }} }} }}"), "__schema"
    )


def _console(target: Target) -> bool:
    words = ("graphiql.min.css", "GraphQL Playground", "GraphiQL", "graphql-playground")
    paths = ("/graphiql", "/playground", "/console", "/graphql")
    return any(word in target.text(path) for path in paths for word in words)


def _tracing(target: Target) -> bool:
    answer = target.asked(f"query {_NAME} {{ __typename }}")
    extensions = [
        answer.get("extensions") or {},
        *(error.get("extensions") or {} for error in _errors(answer)),
    ]
    told = any("tracing" in each or "exception" in each for each in extensions)
    return told or "stacktrace" in str(answer).lower()


def _unhandled(target: Target) -> bool:
    answer = target.asked("qwerty cop { abc }")
    told = any("exception" in (error.get("extensions") or {}) for error in _errors(answer))
    return told or "stacktrace" in str(answer).lower()


CHECKS = (
    Check("Alias Overloading", "HIGH", "101 aliases of one field are answered", _aliases),
    Check("Array-based Query Batching", "HIGH", "an array of 10 requests is answered", _batch),
    Check("Directive Overloading", "HIGH", "10 unknown directives on a field get 10 errors", _directives),
    Check("Field Duplication", "HIGH", "500 times the same field is answered", _duplicates),
    Check("Field Suggestions", "LOW", "a misspelt field is answered with the right one", _suggestions),
    Check("GET Method Query Support", "MEDIUM", "a query by GET is answered, so a link can make one",
          lambda target: _data(target.by_url("GET", "{__typename}"))),
    Check("GraphQL IDE", "LOW", "GraphiQL or Playground stands at a path where they use to", _console),
    Check("Introspection", "HIGH", "the schema is told", _introspection),
    Check("Introspection-based Circular Query", "HIGH", "introspection may go round in circles", _circular),
    Check("Mutation is allowed over GET (possible CSRF)", "MEDIUM", "a mutation by GET is answered",
          lambda target: _data(target.by_url("GET", "mutation {__typename}"))),
    Check("POST based url-encoded query (possible CSRF)", "MEDIUM", "a form of another site can ask",
          lambda target: _data(target.by_url("POST", "query {__typename}")) or _data(target.by_form("{__typename}"))),
    Check("Trace Mode", "INFO", "answers hold traces", _tracing),
    Check("Unhandled Errors Detection", "INFO", "an error holds its exception", _unhandled),
)  # fmt: skip

_SCHEMA = frozenset({"Introspection", "Field Suggestions"})
ROLES: Mapping[str, frozenset[str]] = {"support": frozenset(), "it": _SCHEMA}
"""Who asks, and what may be found: a role that introspects knows all names anyway, and is told which one is near."""


def check(hub: Hub) -> Section:
    """What each check finds for each role."""
    found = {role: _findings(hub, role) for role in ROLES}
    faults = [
        f"{each.title} ({each.severity}), asked as {role}: {each.asks}"
        for role, titles in found.items()
        for each in CHECKS
        if each.title in titles - ROLES[role]
    ]
    missed = [f"as {role}, {title} was to be found" for role in ROLES for title in ROLES[role] - found[role]]
    rows = [
        (
            each.title,
            each.severity,
            each.asks,
            *(_shown(each.title, found[role], ROLES[role]) for role in ROLES),
        )
        for each in CHECKS
    ]
    beside = len(faults) or "no"
    on = f"{len(CHECKS)} checks as {len(ROLES)} roles on {datetime.now(UTC).date()}"
    lines = [
        f"{on}: {beside} findings beside introspection and suggestions where they are allowed.",
        "",
        _ORIGIN,
        "",
        *table(("check", "severity", "a finding if", *(f"as {role}" for role in ROLES)), rows),
    ]
    return Section("cop", lines, [*faults, *missed])


def _findings(hub: Hub, role: str) -> set[str]:
    token = {"Authorization": hub.headers(role)["Authorization"]}
    with httpx.Client(base_url=hub.address, headers=token, timeout=TIME_S) as client:
        target = Target(client)
        if not _data(target.asked(f"query {_NAME} {{ __typename }}")):
            raise ValueError(f"the hub does not answer {role}, so nothing can be found")
        return {each.title for each in CHECKS if each.finds(target)}


def _shown(title: str, found: set[str], allowed: frozenset[str]) -> str:
    if title not in found:
        return "none"
    return "allowed" if title in allowed else "FOUND"
