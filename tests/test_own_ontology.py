"""An organisation's own YAML adds types and properties, and they arrive everywhere without code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.access import PlanAccess, Requester, plan_access
from hub.schema import GraphQLRequest, GraphQLService
from hub.services import Services, open_services
from hub.settings import Settings

ROOT = Path(__file__).parent.parent

BOAT = """type: Boat
label: Boat
plural: boats
kind: event
time: launched
phase: post_purchase
customer: [owner]
title: name
properties:
  name: {type: text, label: Name, category: user.content, search: code}
  launched: {type: date, label: Launched, category: user.behavior.purchase_history}
  length: {type: decimal, unit: m, scale: 2, label: Length, category: user.content}
  owner: {type: reference, range: Party, reverse: boats, label: Owner, category: user.content}
"""
PERSON = """extends: Person
properties:
  sailNumber:
    {type: text, label: Sail number, category: user.unique_id, survivorship: most_recent, search: code}
"""
CLUB = """source: club
region: GB
connector: {type: files, root: exports}
streams:
  boats:
    read: {glob: boats.csv, format: {type: csv}}
    key: boat
    entities:
      - type: Boat
        properties: {name: boat, launched: launched, length: length}
        links: {owner: sail}
      - type: Person
        key: sail
        shared: true
        properties: {name: owner, sailNumber: sail}
"""


@pytest.fixture
def services(store_url: str, tmp_path: Path) -> Iterator[Services]:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "Boat.yaml").write_text(BOAT)
    (tmp_path / "own" / "Person.yaml").write_text(PERSON)
    (tmp_path / "sources" / "exports").mkdir(parents=True)
    (tmp_path / "sources" / "club.yaml").write_text(CLUB)
    (tmp_path / "sources" / "exports" / "boats.csv").write_text(
        "boat,launched,length,sail,owner\nPuffin,2024-05,7.25,GBR12,Ann Lee\nTern,2025,6.5,GBR12,Ann Lee\n"
    )
    settings = Settings(
        data_dir=tmp_path / "var",
        store_url=store_url,
        config_dir=tmp_path / "sources",
        policy_file=ROOT / "policy.yaml",
        ontology_dirs=(tmp_path / "own",),
    )
    with open_services(settings, {}) as opened:
        opened.syncer.sync("club")
        opened.publish()
        yield opened


AGENT = Requester(
    subject="agent-1",
    roles=frozenset({"support"}),
    department="support",
    purpose="customer_service",
    client="test",
    purposes=("customer_service",),
)


@pytest.mark.anyio
async def test_own_types_and_properties_are_asked_for_like_any_other(services: Services) -> None:
    query = """{
      customers { nodes { name sailNumber
        boats(orderBy: [{length: DESC}]) { totalCount nodes { name launched length } }
        timeline { nodes { type at title } } } }
      boats(where: {length: {gt: "7"}}) { nodes { name owner { ... on Person { sailNumber } } } }
    }"""
    service = GraphQLService(services)
    answer: Any = await service.answer(GraphQLRequest(query), AGENT)
    service.close()
    assert b"errors" not in answer.body
    [customer] = orjson.loads(answer.body)["data"]["customers"]["nodes"]
    assert (customer["name"], customer["sailNumber"]) == ("Ann Lee", "GBR12")
    assert customer["boats"]["nodes"] == [
        {"name": "Puffin", "launched": "2024-05", "length": "7.25"},
        {"name": "Tern", "launched": "2025", "length": "6.5"},
    ]
    assert [entry["title"] for entry in customer["timeline"]["nodes"]] == ["Tern", "Puffin"]
    assert orjson.loads(answer.body)["data"]["boats"]["nodes"] == [
        {"name": "Puffin", "owner": {"sailNumber": "GBR12"}}
    ]


@pytest.mark.parametrize("text", ["GBR12", "Puffin"])
def test_own_search_fields_are_found(services: Services, text: str) -> None:
    access: PlanAccess = plan_access(services.access, AGENT)
    assert services.search.search(text, access=access).hits
