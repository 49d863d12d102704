"""What sources sent and serves nothing any more: earlier versions of records, and records that wait in quarantine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from hub.access import load_policy
from hub.access.retention import load_retention
from hub.audit import Action
from hub.commands import PlaceHold, RecordRestriction, place_hold, record_restriction
from hub.errors import ConfigurationError
from hub.ontology import load_ontology
from hub.privacy.retention import retention_report
from tests.api.api_world import POLICY
from tests.commands.command_world import fresh_key
from tests.commands.erasing_world import told
from tests.privacy.keeping.retention_world import Keeper, person

SOON, LATER = datetime.now(UTC) + timedelta(days=370), datetime.now(UTC) + timedelta(days=1100)
"""What waits is kept for a year, what a record said before for three."""


def landed(keeper: Keeper, word: str) -> list[str]:
    """The tables of what sources sent in which the word stands."""
    return [
        table
        for table in ("record", "quarantine")
        for row in keeper.rows(f"SELECT payload FROM {table}")
        if word in str(row["payload"])
    ]


def bad(no: str, **more: str) -> dict[str, object]:
    """A record that waits: its time is none."""
    return {"no": no, "who": "P1", "at": "the day before", "subject": f"Said {no}", **more}


def hold(keeper: Keeper, customer: str) -> None:
    order = PlaceHold(
        "K-7", "a claim is before the court", "finance", date(2099, 1, 1), fresh_key(), (customer,)
    )
    place_hold(keeper.services, keeper.author("compliance"), order)


def test_what_a_record_said_before_is_emptied_in_time_and_what_it_says_stays(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1", name="Ann Before")])
    keeper.keep(people=[person("P1", name="Ann Between")])
    keeper.keep(people=[person("P1", name="Ann Now")])
    rules = ("earlier_versions",)
    assert keeper.retain(now=SOON, rules=rules).rows == {}
    report = retention_report(keeper.services, keeper.author("compliance"), at=LATER)
    (line,) = next(each for each in report.rules if each.name == "earlier_versions").lines
    assert (line.type, line.source, line.due, line.held) == ("record", "ledger", 2, 0)
    first = keeper.rows("SELECT min(landed_at) AS at FROM record")
    done = keeper.retain(now=LATER, rules=rules)
    assert (done.rows, done.overdue - report.overdue) == ({"record": 2}, -2)
    assert [landed(keeper, each) for each in ("Before", "Between", "Now")] == [[], [], ["record"]]
    assert keeper.rows("SELECT min(landed_at) AS at FROM record") == first
    assert [row["name"] for row in keeper.rows("SELECT name FROM customer")] == ["Ann Now"]
    codes = [each.event.reason_code for each in told(keeper, Action.RETENTION_RUN)]
    assert codes[-3:] == ["started", "empty_versions.earlier_versions", "finished"]
    keeper.keep(people=[person("P1", name="Ann Before")])
    assert [row["name"] for row in keeper.rows("SELECT name FROM customer")] == ["Ann Before"]


def test_what_a_source_has_no_more_is_emptied_and_may_come_back(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1", name="Ann Gone"), person("P2")])
    keeper.keep(people=[person("P2")])
    assert landed(keeper, "Gone") == ["record"]
    assert keeper.retain(now=LATER, rules=("earlier_versions",)).rows == {"record": 1}
    assert landed(keeper, "Gone") == []
    keeper.keep(people=[person("P1", name="Ann Gone"), person("P2")])
    assert {row["name"] for row in keeper.rows("SELECT name FROM customer")} == {"Ann Gone", "Person P2"}


def test_what_waits_is_taken_out_in_time_and_does_not_wait_again(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[bad("T1"), bad("")])
    assert landed(keeper, "Said") == ["quarantine", "quarantine"]
    rules = ("waiting",)
    assert keeper.retain(rules=rules, now=datetime.now(UTC) + timedelta(days=360)).rows == {}
    done = keeper.retain(now=SOON, rules=rules)
    assert done.rows == {"quarantine": 2}
    assert landed(keeper, "Said") == []
    keeper.keep(**keeper.books)
    assert landed(keeper, "Said") == []
    keeper.keep(people=[person("P1")], tickets=[bad("T1", subject="Said anew"), bad("")])
    assert landed(keeper, "Said") == ["quarantine"]


@pytest.mark.parametrize("how", ["hold", "restriction"])
def test_under_a_hold_or_a_restriction_nothing_of_the_person_is_emptied_or_taken_out(
    keeper: Keeper, how: str
) -> None:
    keeper.keep(people=[person("P1", name="Ann Before", card="7001"), person("P2", name="Ben Before")])
    tickets = [bad("", subject="Said person.p1@example.com"), bad("", subject="Said nothing of anybody")]
    keeper.keep(
        people=[person("P1", name="Ann Now", card="7001"), person("P2", name="Ben Now")], tickets=tickets
    )
    ann = keeper.customer("ledger", "P1")
    if how == "hold":
        hold(keeper, ann)
    else:
        said = {"kind": "restriction", "state": "in_force"}
        record_restriction(
            keeper.services, keeper.author("compliance"), RecordRestriction(ann, said, fresh_key())
        )
    report = retention_report(keeper.services, keeper.author("compliance"), at=LATER)
    held = {rule.name: rule.held for rule in report.rules}
    assert (held["earlier_versions"], held["waiting"]) == (1, 1)
    keeper.retain(now=LATER, rules=("earlier_versions", "waiting"))
    assert (landed(keeper, "Ann Before"), landed(keeper, "Ben Before")) == (["record"], [])
    assert landed(keeper, "Said person.p1@example.com") == ["quarantine"]
    assert landed(keeper, "Said nothing") == []


def test_rules_of_what_sources_sent_count_from_when_it_came_and_are_one_of_a_kind(tmp_path: Path) -> None:
    ontology = load_ontology()
    policy = load_policy(POLICY, ontology.taxonomy)
    text = (POLICY.parent / "retention.yaml").read_text()
    path = tmp_path / "retention.yaml"
    path.write_text(text.replace("then: discard_waiting", "then: empty_versions"))
    with pytest.raises(ConfigurationError, match="'earlier_versions' says already"):
        load_retention(path, ontology, policy)
    path.write_text(
        text.replace(
            "counted_from: created\n    then: discard", "counted_from: last_contact\n    then: discard"
        )
    )
    with pytest.raises(ConfigurationError, match="unknown beginning 'last_contact'"):
        load_retention(path, ontology, policy)
    path.write_text(
        text.replace("    then: discard_waiting", "    types: [Ticket]\n    then: discard_waiting")
    )
    with pytest.raises(ConfigurationError, match="`types` belongs to"):
        load_retention(path, ontology, policy)
