"""`hub access`: what it prints and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import cedarpy
import pytest
from typer.testing import CliRunner, Result

from hub.cli import app

POLICY = Path(__file__).parent.parent.parent / "policy.yaml"


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources").mkdir()
    monkeypatch.setenv("HUB_CONFIG_DIR", str(tmp_path / "sources"))
    monkeypatch.setenv("HUB_POLICY_FILE", str(POLICY))


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["access", *map(str, words)], catch_exceptions=False)


def test_explain_names_the_grants_with_owner_and_review() -> None:
    asked = ("--role", "support", "--purpose", "customer_service")
    result = run("explain", *asked, "--property", "user.financial.bank_account")
    assert result.exit_code == 0
    first, _heads, decides, stopped = result.output.splitlines()
    assert first.startswith("mask:last4 (user.financial.bank_account, special")
    assert decides.split()[0] == "decides"
    assert "finance" in decides
    assert "2026-12-31" in decides
    assert stopped.split()[0] == "stopped"
    result = run("explain", *asked, "--role", "compliance", "--property", "Customer.email")
    assert result.output.startswith("deny (user.contact.email)")
    result = run("explain", *asked, "--property", "user.criminal_history")
    assert "No grant reaches it" in result.output


def test_explain_refuses_a_name_that_is_not_known() -> None:
    result = run("explain", "--role", "suport", "--purpose", "accounting", "--property", "user.name")
    assert result.exit_code == 1
    assert "did you mean 'support'?" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("# support and call centre", "# the desk", 0, ["Nobody gains or loses anything."]),
        ("effect: mask:age_band", "effect: allow", 3, ["marketing", "gains", "mask:age_band"]),
        (
            "effect: mask:age_band",
            "effect: deny",
            0,
            ["marketing", "loses", "user.demographic.date_of_birth"],
        ),
        ("label: Data steward,", "label: Data steward, claims: [all],", 3, ["steward", "changes", "claims"]),
    ],
)
def test_diff_tells_who_gains_and_fails_a_review_then(
    tmp_path: Path, old: str, new: str, code: int, words: list[str]
) -> None:
    text = POLICY.read_text()
    assert old in text
    (tmp_path / "new.yaml").write_text(text.replace(old, new))
    result = run("diff", POLICY, tmp_path / "new.yaml")
    assert result.exit_code == code
    for word in words:
        assert word in result.output


def test_diff_of_a_faulty_policy_names_the_place(tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text(
        POLICY.read_text().replace("effect: mask:age_band", "effect: mask:age")
    )
    result = run("diff", POLICY, tmp_path / "new.yaml")
    assert result.exit_code == 2
    assert "grants." in result.stderr
    assert "did you mean 'mask:age_band'?" in result.stderr


def test_check_names_the_line_of_what_is_past_its_review(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = POLICY.read_text().replace("legal_basis: legitimate_interests", "legal_basis: contract")
    path = tmp_path / "p.yaml"
    path.write_text(text.replace("review: 2026-", "review: 2999-").replace("review: 2027-", "review: 2999-"))
    monkeypatch.setenv("HUB_POLICY_FILE", str(path))
    result = run("check")
    assert (result.exit_code, result.output[:16]) == (0, "Nothing to look ")
    roles, grants, rest = path.read_text().partition("\ngrants:")
    path.write_text(roles + grants + rest.replace("review: 2999-", "review: 2020-", 1))
    result = run("check")
    assert result.exit_code == 3
    line = int(result.output.split(":")[1])
    assert path.read_text().splitlines()[line - 1].startswith("  - roles: [sales, marketing")
    assert "(owner: it)" in result.output


def test_cedar_writes_what_cedar_takes(tmp_path: Path) -> None:
    assert run("cedar", tmp_path / "out").exit_code == 0
    policies, schema, entities = (
        (tmp_path / "out" / name).read_text()
        for name in ("policy.cedar", "schema.cedarschema", "entities.json")
    )
    assert cedarpy.validate_policies(policies, schema)
    cedarpy.Entities.from_json_str(entities, schema)  # refuses what does not fit
    assert len(cedarpy.Entities.from_json_str(entities)) == len(json.loads(entities))
