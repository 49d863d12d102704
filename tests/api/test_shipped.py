"""Documents that the hub ships: asked for by name or hash, registered by no client, trusted alone if so set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.audit import Action
from hub.cli import app
from hub.errors import ConfigurationError
from hub.schema import GraphQLService
from tests.api.api_world import World, asking, fill, make_services
from tests.databases import sqlite_store
from tests.doc_blocks import ROOT

ME = "{ me { subject } }"
NAME = "support/open_tickets"
TEXT = (ROOT / "queries" / f"{NAME}.graphql").read_text(encoding="utf-8")
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()


def by_hash(hash_: str = SHA256, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_}}, **more}


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hub that answers shipped documents only."""
    folder = tmp_path_factory.mktemp("trusting")
    url = sqlite_store(folder / "hub.sqlite")
    with make_services(folder, url, trusted_documents_only=True) as services:
        fill(services)
        with asking(services) as world:
            yield world


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": NAME},
        {"documentId": f"sha256:{SHA256}"},
        {"documentId": f"sha256:{SHA256.upper()}"},
        by_hash(),
        {"documentId": NAME, "operationName": "OpenTickets", "variables": {"first": 1}},
    ],
)
def test_a_shipped_document_is_asked_for_by_its_id(
    world: World, trusting: World, body: dict[str, Any]
) -> None:
    for each in (world, trusting):
        reply = each.post(body, each.token())
        assert reply.data["tickets"]["totalCount"] == 1


def test_it_may_be_asked_for_by_get(world: World) -> None:
    headers = {"authorization": f"Bearer {world.token()}", "x-purpose": "customer_service"}
    reply = world.ask_app("GET", "/graphql", params={"documentId": NAME}, headers=headers)
    assert reply.json()["data"]["tickets"]["totalCount"] == 1


@pytest.mark.parametrize(
    "body",
    [{"documentId": "support/none"}, {"documentId": "sha256:00"}, by_hash("0" * 64), {"documentId": "x:y"}],
)
def test_an_unknown_id_is_told_as_apollos_clients_expect_it(world: World, body: dict[str, Any]) -> None:
    before = world.seq()
    reply = world.post(body, world.token())
    assert (reply.status, reply.code) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert reply.message.startswith("PersistedQueryNotFound")
    (event,) = world.events_after(before)
    assert (event.action, event.reason_code) == (Action.READ_REFUSED, "PERSISTED_QUERY_NOT_FOUND")


def test_a_client_registers_nothing(world: World) -> None:
    hash_ = hashlib.sha256(ME.encode()).hexdigest()
    assert world.post(by_hash(hash_, query=ME), world.token()).data["me"]["subject"] == "u-support"
    assert world.post(by_hash(hash_), world.token()).code == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "body",
    [
        {"query": ME, "documentId": NAME},
        {"documentId": 7},
        {},
        by_hash("0" * 64, query=ME),
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": SHA256}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 7}}},
        {"extensions": {"persistedQuery": "x"}},
    ],
)
def test_what_names_no_one_document_is_no_request(world: World, body: dict[str, Any]) -> None:
    assert world.post(body, world.token()).status == 400


@pytest.mark.parametrize("query", [ME, TEXT + " ", "{ __typename }", "{"])
def test_where_only_shipped_documents_are_trusted_no_other_is_answered(trusting: World, query: str) -> None:
    before = trusting.seq()
    with trusting.counted() as statements:
        reply = trusting.ask(query)
    assert (reply.status, reply.code) == (403, "FORBIDDEN")
    assert statements == []
    (event,) = trusting.events_after(before)
    assert (event.action, event.actor, event.reason_code) == (Action.READ_REFUSED, "u-support", "FORBIDDEN")


def test_the_whole_text_of_a_shipped_document_is_trusted_as_its_id_is(trusting: World) -> None:
    assert trusting.ask(TEXT).data["tickets"]["totalCount"] == 1


def test_the_event_of_a_shipped_document_has_the_hash_of_its_text(world: World) -> None:
    before = world.seq()
    world.post({"documentId": NAME}, world.token())
    world.ask(TEXT)
    by_id, by_text = world.events_after(before)
    assert by_id.query_sha256 == by_text.query_sha256 is not None


# what is shipped


def test_all_faults_of_all_files_are_listed_with_their_places(tmp_path: Path) -> None:
    queries = tmp_path / "queries"
    files = {
        "sales/broken.graphql": b"query A {\n  me { subjekt }\n  nope\n}\n",
        "sales/unread.graphql": b"{ me {",
        "sales/latin.graphql": b"{ me { subject } } # \xff",
        "sales/large.graphql": b"{ " + b"me { subject } " * 60 + b"}",
        "salse/known.graphql": b"{ me { subject } }",
        "alone.graphql": b"{ me { subject } }",
        "sales/deep/er.graphql": b"{ me { subject } }",
        "README.md": b"not looked at",
    }
    for name, content in files.items():
        (queries / name).parent.mkdir(parents=True, exist_ok=True)
        (queries / name).write_bytes(content)
    url = sqlite_store(tmp_path / "hub.sqlite")
    with (
        make_services(tmp_path, url, queries_dir=queries) as services,
        pytest.raises(ConfigurationError) as refused,
    ):
        GraphQLService(services)
    report = str(refused.value)
    assert "8 faults" in report
    for part in (
        "broken.graphql:2:8: Cannot query field 'subjekt'",
        "broken.graphql:3:3: Cannot query field 'nope'",
        "unread.graphql:1:7: Syntax Error",
        "latin.graphql:1:1: is not UTF-8",
        "large.graphql:1:1: the document has 60 fields with one response key; the limit max_repeats",
        "department or role 'salse'",
        "did you mean 'sales'?",
        "alone.graphql:1:1: is in no department's folder",
        "er.graphql:1:1: is in no department's folder",
    ):
        assert part in report


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    url = sqlite_store(tmp_path / "hub.sqlite")
    with (
        make_services(tmp_path, url, queries_dir=tmp_path / "none") as services,
        pytest.raises(ConfigurationError, match="none:1:1: is not a folder"),
    ):
        GraphQLService(services)


def test_every_department_has_documents_that_say_what_they_answer(world: World) -> None:
    shipped = GraphQLService(replace(world.services)).planner.shipped
    assert len(shipped) > 30
    assert {each.folder for each in shipped} == {
        "sales", "marketing", "support", "call_centre", "finance", "supply_chain", "management", "compliance", "it",
    }  # fmt: skip
    assert all(each.about for each in shipped)


def test_the_command_lists_names_and_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    listed = CliRunner().invoke(app, ["queries", "support"])
    assert listed.exit_code == 0, listed.output
    assert NAME in listed.output
    assert f"sha256:{SHA256}" in listed.output
    assert "sales/" not in listed.output
    unknown = CliRunner().invoke(app, ["queries", "nobody"])
    assert (unknown.exit_code, "call_centre" in unknown.output) == (1, True)


def test_the_check_reports_faults_of_shipped_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (tmp_path / "sales").mkdir()
    (tmp_path / "sales" / "a.graphql").write_text("{ nope }")
    monkeypatch.setenv("HUB_QUERIES_DIR", str(tmp_path))
    checked = CliRunner().invoke(app, ["check"])
    assert (checked.exit_code, "a.graphql:1:3" in checked.output) == (2, True)
