"""`hub privacy`: what it prints and writes, and that each question is on record."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action
from hub.cli import app
from hub.services import open_services
from hub.settings import load_settings
from tests.commands.command_world import ANN, BEN, MASTER_KEY, Shop
from tests.databases import sqlite_store

VALUES = ("ann@example.com", "Ann Archer", "Quay Street")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


@pytest.fixture
def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of Ann, in a hub that the commands open."""
    shop = Shop(tmp_path, sqlite_store(tmp_path / "var" / "hub.sqlite"))
    shop.write("club", [ANN, BEN])
    shop.sync()
    found = shop.customer("club", "1")
    shop.services.publish()
    shop.services.close()
    for name in ("data_dir", "config_dir", "policy_file"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(shop.settings, name)))
    monkeypatch.setenv("HUB_STORE_URL", shop.settings.store_address)
    monkeypatch.setenv("HUB_MASTER_KEY", MASTER_KEY)
    return found


def test_every_question_is_on_record(ann: str) -> None:
    for words in (("map",), ("person", ann), ("field", "Person.email"), ("recipients",)):
        result = run("privacy", *words)
        assert result.exit_code == 0, result.output
        assert not [value for value in VALUES if value in result.output]
    assert run("privacy", "findings").exit_code == 3
    with open_services(load_settings()) as services:
        told = [each.event for each in services.audit.events(limit=1_000)]
    asked = [(each.reason_code, each.customers) for each in told if each.action is Action.PRIVACY_MAP_READ]
    assert asked == [("map", ()), ("person", (ann,)), ("field", ()), ("recipients", ()), ("findings", ())]


def test_the_map_is_written_for_other_tools_and_as_a_picture(ann: str, tmp_path: Path) -> None:
    for form in ("json", "graphml", "svg"):
        result = run("privacy", "map", "--format", form, "--out", str(tmp_path / f"map.{form}"))
        assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "map.json").read_text())
    graph = nx.read_graphml(tmp_path / "map.graphml")
    assert set(graph) == {each["id"] for each in told["locations"]}
    assert set(graph.edges) == {(each["source"], each["target"]) for each in told["flows"]}
    assert graph.nodes["club.members"]["rows"] == 2
    assert ("club.members", "hub.record") in graph.edges
    picture = ElementTree.fromstring((tmp_path / "map.svg").read_text())
    words = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Sources", "Landing", "Graph", "club", "Golden record", "Search index"} <= set(words)
    boxes = [each for each in picture.iter("{http://www.w3.org/2000/svg}rect") if each.get("rx")]
    places = {(each.get("x"), each.get("y")) for each in boxes}
    assert len(places) == len(boxes)
    assert ann not in (tmp_path / "map.json").read_text()


def test_an_unknown_format_is_refused(ann: str) -> None:
    result = run("privacy", "map", "--format", "pdf")
    assert result.exit_code == 1
    assert "text, json, graphml, svg" in result.stderr


def test_a_person_is_told_as_json_and_keys_to_the_operator(ann: str) -> None:
    told = json.loads(run("privacy", "person", ann, "--json").stdout)
    assert told["customer"] == ann
    [record] = [each for each in told["records"] if each["stream"] == "members"]
    assert (record["source"], record["key"], record["state"]) == ("club", "1", "accepted")


def test_a_finding_is_accepted_and_listed_no_more(ann: str) -> None:
    first = run("privacy", "findings").stdout.split()[0]
    assert "is accepted" in run("privacy", "findings", "--accept", first, "--reason", "it may be so").stdout
    assert first not in run("privacy", "findings").stdout
    assert f"{first} accepted" in run("privacy", "findings", "--all").stdout


def test_a_field_is_told_in_plain_language(ann: str) -> None:
    page = run("privacy", "field", "Person.email").stdout
    assert page.startswith("# E-mail")
    assert "club: members, field `email`" in page
    assert "**Answering a customer**: Support agent" in page
    assert "because a contract with the person needs it; kept for 1095 days." in page
    assert "Clearline Contact Centres Kft. (processor, HU; contract DPA-2025-019)" in page
    assert run("privacy", "field", "Person.nothing").exit_code == 1
