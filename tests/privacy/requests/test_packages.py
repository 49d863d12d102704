"""What is in a package and what is not: records that wait, and categories of what is concluded of people."""

from __future__ import annotations

import json
from pathlib import Path

from hub.privacy.requests import Kind, Law, access_package, preview_package
from hub.privacy.requests.portability import INFERRED
from tests.commands.command_world import ANN, BEN, POLICY
from tests.privacy.requests.request_world import Rights

CRM = """source: crm
region: GB
connector: {type: files, root: exports}
streams:
  people:
    read: {glob: crm.csv, format: {type: csv}}
    key: no
    entities:
      - type: Person
        properties: {name: name, email: email, loyaltyCard: card, segment: segment}
"""
BY_CONTRACT = "data_use: sales\n    legal_basis: contract"
"""The purpose for which sales are shown segments, as if it rested on a contract."""


def test_article_15_what_waits_in_quarantine_and_names_the_person_is_in_the_package(rights: Rights) -> None:
    ann = rights.begin()
    waiting = {**ANN, "key": "", "town": "Quarantown"}
    others = {**BEN, "key": "", "town": "Elsewhere"}
    rights.write("club", [ANN, BEN, waiting, others])
    rights.sync_all()
    assert rights.holding("Quarantown") == {("quarantine", "Quarantown")}
    request = rights.run(Kind.ACCESS, ann)
    content = preview_package(rights.services, rights.officer, request.id).content
    (found,) = [each for each in content["records"] if each["place"] == "quarantine"]
    assert (found["source"], found["stream"]) == ("Club", "members")
    assert found["content"]["town"] == "Quarantown"
    assert "Elsewhere" not in json.dumps(content)


def test_article_20_a_category_that_is_concluded_of_people_does_not_go_though_a_contract_shows_it(
    tmp_path: Path, rights: Rights
) -> None:
    policy = tmp_path / "policy.yaml"
    text = POLICY.read_text()
    assert "data_use: sales\n    legal_basis: legitimate_interests" in text
    policy.write_text(text.replace("data_use: sales\n    legal_basis: legitimate_interests", BY_CONTRACT))
    (rights.folder / "sources" / "crm.yaml").write_text(CRM)
    (rights.exports / "crm.csv").write_text(
        "no,name,email,card,segment\n1,Ann Archer,ann@example.com,7001,likely to leave\n"
    )
    rights.reopen(policy_file=policy)
    rights.begin()
    rights.sync("crm")
    ann = rights.customer("club", "1")
    category = rights.services.ontology.type("Person").properties["segment"].category
    assert category in INFERRED
    shown = rights.services.access.row(frozenset({"sales"}), "account_management")
    assert not shown[category].is_denial
    request = rights.run(Kind.PORTABILITY, ann, Law.GDPR)
    rights.finish(request.id)
    handed = access_package(rights.services, rights.officer, request.id)
    crm = [item["values"] for item in handed.content["items"] if item["source"] == "crm"]
    assert crm == [{"name": "Ann Archer", "email": "ann@example.com", "loyaltyCard": "7001"}]
    assert "likely to leave" not in handed.json.decode() + (handed.csv or "")
    told = rights.run(Kind.ACCESS, ann)
    assert "likely to leave" in json.dumps(preview_package(rights.services, rights.officer, told.id).content)
