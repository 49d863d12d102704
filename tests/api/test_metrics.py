"""What Prometheus is given: the sources and the requests, to those who may know the sources, and never a value."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.api_world import World

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def figures(text: str) -> Figures:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(found: Figures, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def headers(world: World, role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {world.token(role)}"}


def asked(world: World, role: str) -> tuple[int, str]:
    reply = world.ask_app("GET", "/metrics", headers=headers(world, role))
    return reply.status_code, reply.text


def test_the_sources_are_told_as_the_store_has_them(world: World) -> None:
    status, text = asked(world, "it")
    assert status == 200
    found = figures(text)
    sources = world.ask("{ sources { name records quarantined state } }", "it").data["sources"]
    [source] = [each for each in sources if each["name"] == "till"]
    assert of(found, "hub_source_records", source="till") == source["records"]
    assert of(found, "hub_source_quarantined", source="till") == source["quarantined"]
    assert of(found, "hub_source_state", source="till", state=source["state"]) == 1
    assert of(found, "hub_source_failures", source="till") == 0


def test_requests_are_counted_by_path_and_status(world: World) -> None:
    labels = {"method": "POST", "path": "/graphql"}
    before = figures(asked(world, "it")[1])
    world.ask("{ me { subject } }", "it")
    after = figures(asked(world, "it")[1])
    known = before.get(("hub_requests_total", frozenset({**labels, "status": "200"}.items())), 0.0)
    assert of(after, "hub_requests_total", **labels, status="200") == known + 1
    assert of(after, "hub_request_seconds_count", **labels) >= 1


def test_what_a_caller_made_up_is_no_label(world: World) -> None:
    world.ask_app("GET", "/Zanzibar", headers=headers(world, "it"))
    assert "Zanzibar" not in asked(world, "it")[1]


@pytest.mark.parametrize("role", ["partner", "pbx"])
def test_who_may_not_know_the_sources_is_refused(world: World, role: str) -> None:
    status, text = asked(world, role)
    assert status == 403
    assert "hub_source" not in text


def test_nobody_is_told_nothing(world: World) -> None:
    reply = world.ask_app("GET", "/metrics")
    assert reply.status_code == 401
