"""The demo company's best customer asks for their data: nothing that any store holds of them is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hub.graph.entities import STAFF
from hub.privacy import places
from hub.privacy.requests import (
    Channel,
    Kind,
    Law,
    Method,
    OpenRequest,
    access_package,
    complete_task,
    open_request,
    plan_request,
    run_request,
    show_request,
    verify,
)
from tests.privacy.test_places_demo import Company, company  # noqa: F401 - a fixture


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, str) and len(value) > 3:
        yield value


def planned(company: Company, kind: Kind) -> str:  # noqa: F811 - the fixture
    order = OpenRequest(kind, Law.UK, Channel.FORM, f"demo-{kind}", customer=company.customer())
    made = open_request(company.services, company.officer, order)
    verify(company.services, company.officer, made.id, Method.LOGIN)
    return plan_request(company.services, company.officer, made.id).id


def test_article_15_the_best_customer_s_package_has_all_that_the_landing_holds(company: Company) -> None:  # noqa: F811
    id_ = planned(company, Kind.ACCESS)
    run_request(company.services, company.officer, id_)
    for step in show_request(company.services, company.officer, id_).request.steps:
        if step.state == "open" and step.action != "hand_out":
            complete_task(company.services, company.officer, id_, step.number, "T-1")
    content = access_package(company.services, company.officer, id_).content
    said = json.dumps(content, ensure_ascii=False)
    own = {each["value"] for each in content["identifiers"] if each["scheme"] in ("email", "loyalty_card")}
    with company.services.store.read() as connection:
        payloads = [row[0] for row in connection.exec_driver_sql("SELECT payload FROM record")]
    mine = [json.loads(text) for text in payloads if any(f'"{value}"' in text for value in own)]
    assert len(mine) >= 3
    missing = {
        leaf
        for payload in mine
        for leaf in leaves(payload)
        if json.dumps(leaf, ensure_ascii=False)[1:-1] not in said
    }
    assert missing == set()
    assert {each["system"] for each in content["statements"]} >= {"erp", "pos"}
    assert all(each["collected_at"] for each in content["statements"])
    assert content["disclosures"] == [] or all(each["times"] for each in content["disclosures"])


def test_article_12_the_plan_covers_every_place_of_the_location_map(company: Company) -> None:  # noqa: F811
    id_ = planned(company, Kind.RESTRICTION)
    steps = {step.place for step in show_request(company.services, company.officer, id_).request.steps}
    covered = set()
    for location in places.privacy_map(company.services, company.officer).locations:
        kind, _, name = location.id.partition(".")
        covered.add(name if kind in ("place", "partner") else kind)
    assert covered - set(STAFF) <= steps
    assert all(step.owner for step in show_request(company.services, company.officer, id_).request.steps)
