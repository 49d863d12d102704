"""`hub retention` and `hub hold`: what they print, what is on record, and their exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.audit import Action
from tests.privacy.keeping.cli_world import events, ledger, run

WHY = ("--matter", "CC-17", "--reason", "a claim is pending at the county court", "--owner", "compliance")
PLACE = ("hold", "place", *WHY, "--until")


@pytest.fixture
def customers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    return ledger(tmp_path, monkeypatch)


def test_a_report_counts_and_a_run_leaves_nothing_overdue(customers: dict[str, str]) -> None:
    report = run("retention", "report")
    assert report.exit_code == 3, report.output
    assert "Ticket of ledger: due 2, held 0, bound 0" in report.output
    assert run("retention", "report", "--at", "2019-04-01").exit_code == 0
    done = run("retention", "run", "--rule", "conversations", "--key", "june")
    assert done.exit_code == 0, done.output
    assert "records 2" in done.output
    assert "left: due 0, held 0, bound 0, remaining 0" in done.output
    assert run("retention", "run", "--rule", "conversations", "--key", "june").output == done.output
    after = run("retention", "report")
    assert (after.exit_code, "Overdue: 0" in after.output) == (0, True)
    listed = run("erase", "list")
    assert (listed.exit_code, "single records, by the rule conversations" in listed.output) == (0, True)
    assert [event.roles for event in events(Action.ERASED)] == [("operator",)]


def test_a_run_that_is_bounded_says_that_more_is_due(customers: dict[str, str]) -> None:
    assert run("retention", "run", "--rule", "offers", "--no-scrub").exit_code == 3


def test_who_looks_at_holds_is_on_record(customers: dict[str, str]) -> None:
    assert "Nobody is held" in run("hold", "list").output
    placed = run(*PLACE, "2099-01-01", customers["P1"])
    assert placed.exit_code == 0, placed.output
    id_ = re.search(r"Hold (\S+) is on 1 customers", placed.output)[1]  # type: ignore[index]
    listed = run("hold", "list")
    assert (listed.exit_code, customers["P1"] in listed.output) == (0, True)
    reads = [event for event in events(Action.AUDIT_READ) if event.reason_code == "legal_holds"]
    assert [event.customers for event in reads] == [(), (customers["P1"],)]
    assert "due 1, held 1, bound 0" in run("retention", "report").output
    refused = run("erase", "customer", customers["P1"], "--ground", "objection", *WHY[2:4], "--ticket", "D-1")
    assert (refused.exit_code, "legal hold" in refused.stderr) == (1, True)
    assert run("hold", "release", id_, "--reason", "the claim was settled out of court").exit_code == 0
    assert "released" in run("hold", "list", "--released").output
    assert [event.reason_code for event in events(Action.LEGAL_HOLD)] == ["placed", "released"]


def test_customers_are_held_by_what_a_row_says_and_reviewed_in_time(customers: dict[str, str]) -> None:
    placed = run(*PLACE, "2020-01-01", "--match", "Order.orderNumber", "O2")
    assert placed.exit_code == 0, placed.output
    listed = run("hold", "list")
    assert (listed.exit_code, "review overdue" in listed.output) == (3, True)
    assert customers["P2"] in listed.output
    refused = run(*PLACE, "2020-01-01", "--match", "orderNumber", "O2")
    assert (refused.exit_code, "as Order.orderNumber" in refused.stderr) == (1, True)
