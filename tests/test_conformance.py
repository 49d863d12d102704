"""The page of what others' tools say of the API agrees with the checks that write it; they fail where they must."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conformance import __main__ as conformance
from conformance import cop, fuzz, http, oidc
from conformance.page import TITLES, Section, sections, table, write
from conformance.provider_client import PROVIDER
from conformance.tools import FUZZER, GATEWAY, NODE, SCRIPTS, ToolError, _run
from tests.doc_blocks import ROOT

PAGE = sections()


def rows(name: str) -> list[list[str]]:
    """The cells of the section's table, without its head."""
    lines = [line for line in PAGE[name].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


@pytest.mark.parametrize("name", conformance.CHECKS)
def test_every_check_has_a_section_and_a_make_target(name: str) -> None:
    assert name in TITLES
    assert f"`make conformance-{name}`" in PAGE[name]
    assert re.search(rf"^conformance-{name}: .*\n\t.* {name}$", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_ci_runs_the_checks_that_say_the_same_each_time() -> None:
    made = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("make ")]
    assert tuple(re.findall(r"conformance-(\w+)", " ".join(made))) == conformance.EXACT


def test_every_audit_of_graphql_over_http_is_ok() -> None:
    found = rows("http")
    assert len({audit for audit, *_ in found}) == http.AUDITS
    assert {result for *_, result in found} == {"ok"}


def test_the_page_lists_every_check_of_the_websocket() -> None:
    script = (SCRIPTS / "subscriptions.mjs").read_text()
    checks = re.findall(r"^  '(.+)': (?:async )?\(\) =>", script, re.MULTILINE)
    assert [check for check, _seen in rows("ws")] == checks
    assert {"4400", "4401", "4403", "4406", "4408", "4409", "4429"} <= {name.split(":")[0] for name in checks}
    assert f"{len(checks)} of {len(checks)} checks are ok" in PAGE["ws"]


def test_a_supergraph_with_the_hub_is_composed_and_asked() -> None:
    script = (GATEWAY / "supergraph.mjs").read_text()
    checks = list(dict.fromkeys(re.findall(r"^\s*(?:await asks|check)\(\s*'(.+?)',", script, re.MULTILINE)))
    assert [name for name, _seen in rows("federation")] == checks
    assert f"{len(checks)} of {len(checks)} checks are ok" in PAGE["federation"]


def test_a_real_identity_providers_tokens_are_taken_and_all_others_are_not() -> None:
    found = dict(rows("oidc"))
    assert f"{len(found)} of {len(found)} checks are ok" in PAGE["oidc"]
    refused = {name for name, seen in found.items() if seen in (oidc.REFUSED, oidc.EXPIRED)}
    claims = {seen for seen in found.values() if "claim" in seen}
    assert claims == {oidc.WRONG.format(name) for name in ("aud", "iss", "nbf")}
    for word in ("altered", "none`", "HMAC", "expired", "gone", "another key", "ids of keys that are none"):
        assert any(word in name for name in refused), word
    assert sum(seen.startswith("200 ") for seen in found.values()) == len(oidc.MACHINES) + 5


def test_the_fuzzer_made_enough_cases_and_none_failed() -> None:
    cases = sum(int(count) for *_, count in rows("fuzz"))
    assert cases >= fuzz.CASES
    assert f"seed {fuzz.SEED}" in PAGE["fuzz"]
    assert f"{cases:,} cases, no failures" in PAGE["fuzz"]
    assert {label for label, *_ in rows("fuzz")} == {run.label for run in fuzz.RUNS}


def test_the_page_lists_every_check_of_graphql_cop_and_nothing_is_found() -> None:
    found = rows("cop")
    assert [row[:3] for row in found] == [[each.title, each.severity, each.asks] for each in cop.CHECKS]
    for role, results in zip(cop.ROLES, zip(*(row[3:] for row in found), strict=True), strict=True):
        by_title = dict(zip((each.title for each in cop.CHECKS), results, strict=True))
        assert {title for title, result in by_title.items() if result != "none"} == cop.ROLES[role]


def test_the_versions_of_the_tools_on_the_page_are_those_that_are_installed() -> None:
    locked = json.loads((SCRIPTS / "package-lock.json").read_text())["packages"]
    for package, section in (("graphql-http", "http"), ("graphql-ws", "ws"), ("ws", "ws")):
        assert f"{package} {locked[f'node_modules/{package}']['version']}" in PAGE[section]
    apollo = json.loads((GATEWAY / "package-lock.json").read_text())["packages"]
    provider = json.loads((PROVIDER / "package-lock.json").read_text())["packages"]
    assert f"oidc-provider {provider['node_modules/oidc-provider']['version']}" in PAGE["oidc"]
    for package in ("subgraph", "composition", "gateway"):
        assert f"{package} {apollo[f'node_modules/@apollo/{package}']['version']}" in PAGE["federation"]
    (fuzzer,) = re.findall(r"^schemathesis==(.+)$", (FUZZER / "requirements.txt").read_text(), re.MULTILINE)
    assert f"schemathesis {fuzzer}" in PAGE["fuzz"]


@pytest.mark.parametrize("scripts", [SCRIPTS, GATEWAY, PROVIDER], ids=["node", "gateway", "provider"])
def test_the_packages_of_npm_are_pinned_and_name_no_registry(scripts: Path) -> None:
    lock = json.loads((scripts / "package-lock.json").read_text())
    assert all("resolved" not in package for package in lock["packages"].values())
    assert all("integrity" in package for path, package in lock["packages"].items() if path)


def test_the_packages_of_pypi_are_pinned() -> None:
    pins = [*NODE, *(FUZZER / "requirements.txt").read_text().splitlines()]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []


# the harness


def test_writing_one_section_leaves_the_others(tmp_path: Path) -> None:
    page = tmp_path / "conformance.md"
    write([Section("http", ["former"]), Section("cop", ["other"])], page)
    write([Section("http", ["newer", "", *table(("a", "b"), [("1|2", "<x>")])])], page)
    found = sections(page)
    assert list(found) == ["http", "cop"]
    assert "newer" in found["http"]
    assert "| 1\\|2 | &lt;x> |" in found["http"]
    assert "former" not in page.read_text()
    assert found["cop"] == Section("cop", ["other"]).text


@pytest.mark.parametrize(
    ("section", "exit_code"),
    [
        (Section("http", ["as on the page"]), 0),
        (Section("http", ["something else"]), 1),
        (Section("http", ["as on the page"], ["an audit failed"]), 1),
        (Section("cop", ["another day"]), 0),
        (Section("cop", ["another day"], ["a finding"]), 1),
    ],
)
def test_a_fault_or_another_result_than_on_the_page_fails_the_build(
    monkeypatch: pytest.MonkeyPatch, section: Section, exit_code: int
) -> None:
    monkeypatch.setattr(conformance, "_section", lambda _name: section)
    monkeypatch.setattr(conformance, "sections", lambda: {"http": Section("http", ["as on the page"]).text})
    assert conformance.main([section.name]) == exit_code


def test_a_tool_that_cannot_be_installed_fails_the_build_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_registry(_name: str) -> Section:
        _run(["python3", "-c", "raise SystemExit('no route to host')"], tmp_path, "npm's packages")
        raise AssertionError("a failed installation went on")

    monkeypatch.setattr(conformance, "_section", without_registry)
    assert conformance.main(["http"]) == 1
    told = capsys.readouterr().err
    assert "conformance-http did not run" in told
    assert "npm's packages could not be installed; is the registry out of reach?" in told
    assert "no route to host" in told
    with pytest.raises(ToolError):
        _run(["python3", "-c", "raise SystemExit(1)"], tmp_path, "it")
