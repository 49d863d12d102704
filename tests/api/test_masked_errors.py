"""Whatever goes wrong, wherever: neither the caller nor the log learns what a foreign error says."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.api_world import World, asking, fill, make_services
from tests.databases import sqlite_store

SECRET = "ann-archer-1984"
NEW = '{{ a{number}: customer(id: "cus_x") {{ id }} }}'
TWO = "{{ a{number}: orders(first: 1) {{ totalCount }} b: orders(first: 1) {{ totalCount }} }}"
LIST = "{{ a{number}: orders(first: 1) {{ totalCount }} }}"
RESOLVED = "{{ a{number}: sources {{ name }} }}"
STAGES = [
    ("hub.schema.planner.Planner.find", NEW, 500),
    ("hub.schema.documents.parse", NEW, 500),
    ("hub.schema.documents.validate", NEW, 500),
    ("hub.schema.planner.coerced_variables", NEW, 500),
    ("hub.schema.plans.translate", NEW, 500),
    ("hub.schema.plans.compile_plan", NEW, 500),
    ("hub.schema.service.answer", NEW, 500),
    ("hub.schema.service.answer", LIST, 500),
    ("hub.schema.service.run_plan", TWO, 500),
    ("hub.schema.answers.Frame.around", NEW, 500),
    ("hub.schema.service.execute", RESOLVED, 500),
    ("hub.schema.queries.source_statuses", RESOLVED, 200),
    ("hub.audit.Recorder.recorded", NEW, 500),
    ("hub.api.endpoint.media_type", NEW, 500),
    ("hub.api.endpoint.status_of", NEW, 500),
    ("hub.access.TokenVerifier.caller", NEW, 500),
]  # fmt: skip
_numbers = iter(range(1_000))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("masked")
    with make_services(folder, sqlite_store(folder / "hub.sqlite")) as services:
        fill(services)
        with asking(services) as world:
            yield world


@pytest.mark.parametrize(("stage", "document", "status"), STAGES)
def test_a_foreign_error_is_masked_at_every_stage(
    hub: World,
    stage: str,
    document: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_arguments: Any, **_more: Any) -> Any:
        raise ValueError(SECRET)

    monkeypatch.setattr(stage, fail)
    with caplog.at_level(logging.DEBUG):
        reply = hub.ask(document.format(number=next(_numbers)), "it")
    assert (reply.status, reply.code) == (status, "INTERNAL_ERROR")
    reference = reply.body["errors"][0]["extensions"]["reference"]
    assert SECRET not in str(reply.body)
    assert f"reference {reference}: ValueError" in caplog.text
    assert SECRET not in caplog.text


def test_a_response_that_broke_off_tells_nothing_either(
    hub: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def half(_self: Any, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError(SECRET)

    monkeypatch.setattr("hub.api.http.Reply.__call__", half)
    with caplog.at_level(logging.DEBUG):
        hub.ask_app("POST", "/graphql", json={"query": "{ me { subject } }"})
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text
