"""`hub adapter test` and `coverage`: an adapter is judged live or on its recording, and no value is shown."""

from __future__ import annotations

import json
import shutil

import pytest
from typer.testing import CliRunner

from hub.adapters.kit import load_exchanges
from hub.audit import Action, AuditLog
from hub.cli import app
from tests.adapters.connectors.conftest import answer, no_waiting, server, shared_server
from tests.adapters.kit.origins_world import PEOPLE
from tests.doc_blocks import ROOT

__all__ = ["answer", "no_waiting", "server", "shared_server"]

YAML = """
source: crm
region: GB
connector: {type: rest, url: URL/v1, auth: {type: bearer, token: {env: CRM_TOKEN}}}
streams:
  people:
    read:
      path: people
      records: people
      paging: {type: next_url, path: next}
      total_path: total
      incremental: {param: since}
    key: customer_id
    cursor: updated_at
    entities:
      - type: Person
        properties: {givenName: first_name, familyName: last_name, email: e_mail, telephone: phone_number}
  firms:
    read: {path: firms}
    key: id
    deletes: full_scan
    entities: [{type: Organization, properties: {name: name}}]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch, server, answer):
    """A hub with one source, the loopback server, which knows six people and a firm."""
    shutil.copy(ROOT / "policy.yaml", tmp_path)
    (tmp_path / "adapters_config").mkdir()
    (tmp_path / "adapters_config" / "crm.yaml").write_text(YAML.replace("URL", server.url))
    monkeypatch.chdir(tmp_path)
    for name in ("HUB_DATA_DIR", "HUB_STORE_URL", "HUB_AUDIT_URL", "HUB_CONFIG_DIR", "HUB_POLICY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRM_TOKEN", "hunter2hunter2")

    def give(request):
        if request.headers.get("authorization") != "Bearer hunter2hunter2":
            return answer(status=401)
        if request.path == "/v1/firms":
            return answer([{"id": 1, "name": "Acme Ltd", "rating": 3}])
        since, at = request.query.get("since", ""), int(request.query.get("from", 0))
        people = [person for person in PEOPLE if person["updated_at"] >= since]
        more = at + 4 < len(people)
        following = f"/v1/people?from={at + 4}&since={since}" if more else None
        return answer({"people": people[at : at + 4], "total": len(people), "next": following})

    server.answer = give
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["adapter", *words])


def test_an_api_is_recorded_once_and_tested_without_it_from_then_on(folder, server, monkeypatch):
    first = run("test", "crm", "--record")
    assert first.exit_code == 0, first.output
    written = (folder / "adapters_config" / "exchanges" / "crm" / "people.yaml").read_text()
    for value in ("Haddad", "Omar", "020 7946", "Zanzibar", "London", "hunter2", server.url):
        assert value not in written
        assert value not in first.output
    server.requests.clear()
    monkeypatch.delenv("CRM_TOKEN")
    again = run("test", "crm")
    assert again.exit_code == 0, again.output
    assert server.requests == []
    assert "0 broken" in again.output
    assert load_exchanges(folder / "adapters_config" / "exchanges" / "crm")


def test_a_source_that_changed_is_found_by_the_check_of_its_promise(folder, server, answer):
    run("test", "crm", "--record")
    give = server.answer
    server.answer = lambda request: (
        answer([{"id": 1, "title": "Acme Ltd"}, {"id": 1, "title": "Other Ltd"}])
        if request.path == "/v1/firms"
        else give(request)
    )
    assert run("test", "crm").exit_code == 0
    found = run("test", "crm", "--live", "--json")
    assert found.exit_code == 1
    verdicts = json.loads(found.stdout)
    failed = {
        (each["stream"], each["check"]): each["detail"] for each in verdicts if each["state"] == "failed"
    }
    assert failed == {
        (
            "firms",
            "unique",
        ): "page 1 item 2 has the key of page 1 item 1 and other content: the key is not unique",
        ("firms", "fields"): "name is mapped and in no record",
    }
    assert "Acme" not in found.output


def test_values_are_recorded_as_they_are_by_request_only_which_leaves_an_audit_event(folder):
    assert run("test", "crm", "--record", "--keep-values").exit_code == 0
    written = (folder / "adapters_config" / "exchanges" / "crm" / "people.yaml").read_text()
    assert "Haddad" in written
    assert "hunter2" not in written
    with AuditLog.open(f"sqlite:///{folder / 'var' / 'audit.sqlite'}") as log:
        [event] = [log.event(seq) for seq in range(log.size())]
    assert (event.action, event.source) == (Action.READ, "crm")


def test_keeping_values_without_a_recording_is_refused(folder):
    refused = run("test", "crm", "--keep-values")
    assert refused.exit_code == 1
    assert "--keep-values belongs to --record" in refused.output


def test_coverage_tells_what_of_a_source_is_mapped_to_what(folder):
    mapping = folder / "adapters_config" / "crm.yaml"
    mapping.write_text(mapping.read_text().replace("phone_number}", "phone_number, jobTitle: employer}"))
    assert CliRunner().invoke(app, ["sync", "crm"]).exit_code == 0
    shown = run("coverage", "crm")
    assert shown.exit_code == 0
    assert "Zanzibar" not in shown.output
    assert "Haddad" not in shown.output
    people, firms = json.loads(run("coverage", "crm", "--json").stdout)
    fields = {each["name"]: each for each in people["fields"]}
    assert (people["records"], firms["records"]) == (6, 1)
    assert fields["e_mail"]["mapped_to"] == ["Person.email"]
    assert fields["e_mail"]["category"] == "user.contact.email"
    assert fields["customer_id"]["mapped_to"] == ["key"]
    assert fields["updated_at"]["mapped_to"] == ["steering"]
    assert fields["lucky_word"] == {
        "name": "lucky_word",
        "records": 6,
        "share": 1.0,
        "mapped_to": [],
        "detected": "",
        "category": "",
    }
    assert fields["date_of_birth"]["detected"] == "birth_date (0.95)"
    assert fields["employer"] == fields["lucky_word"] | {
        "name": "employer",
        "records": 0,
        "share": 0.0,
        "mapped_to": ["Person.jobTitle"],
        "category": "user.job_title",
    }
    assert people["share"] == 6 / 9
    assert firms["share"] == 2 / 3


def test_an_unknown_stream_is_told_with_those_that_are_known(folder):
    for name in ("test", "coverage"):
        refused = run(name, "crm", "--stream", "peple")
        assert refused.exit_code == 1
        assert "only people, firms" in refused.output
