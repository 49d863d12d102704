"""Rules that empty properties: the value goes everywhere and stays away, the row stays, and a hold stops it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.access import PlanAccess, Requester, load_access_map, plan_access
from hub.access.retention import emptied_by, load_retention
from hub.audit import Action
from hub.commands import PlaceHold, place_hold
from hub.errors import ConfigurationError
from hub.ontology import load_ontology
from hub.privacy.retention import retention_report
from hub.store import fixed
from tests.commands.command_world import POLICY, fresh_key
from tests.commands.erasing_world import erase, told
from tests.databases import sqlite_store
from tests.privacy.keeping.retention_world import NOW, Keeper, ago, person

RULE = """
  {name}:
    label: Ways to reach people who are silent
    purpose: account_management
    {what}
    counted_from: {since}
    keep_days: 730
    then: empty_property
    basis: Nobody is written to after two years (GDPR Art. 5(1)(e))
    owner: marketing
    review: 2099-01-01
"""
MOMENTS = "moments:\n  last_contact: [Ticket.openedAt]\nrules:"
EMAIL = "user.contact.email"
OLD, YOUNG = 800, 10


def rule(what: str = f"categories: {EMAIL}", name: str = "silent", since: str = "last_contact") -> str:
    return RULE.format(what=what, name=name, since=since)


def ruled(keeper: Keeper, *rules: str) -> None:
    path = keeper.folder / "retention.yaml"
    path.write_text(MOMENTS + "".join(rules or [rule()]))
    keeper.reopen(retention_file=path)


def ticket(no: str, who: str, days: float) -> dict[str, object]:
    return {"no": no, "who": who, "at": ago(days), "subject": f"Asked {no}"}


def emails(keeper: Keeper) -> dict[str, str | None]:
    return {row["record_key"]: row["email"] for row in keeper.rows("SELECT record_key, email FROM e_person")}


def found_by(keeper: Keeper) -> PlanAccess:
    asks = Requester("u", frozenset({"support"}), "support", "customer_service", "t", ("customer_service",))
    return plan_access(keeper.services.access, asks)


def places(keeper: Keeper, value: str) -> list[str]:
    """The tables in which the value stands."""
    tables = {*fixed.metadata.tables, *keeper.services.store.tables.metadata.tables}
    rows = {table: keeper.rows(f'SELECT * FROM "{table}"') for table in sorted(tables)}
    return [table for table, found in rows.items() if value in json.dumps(found, default=str)]


def test_a_value_goes_everywhere_and_the_row_stays(keeper: Keeper) -> None:
    keeper.keep(
        people=[person("P1"), person("P2")], tickets=[ticket("T1", "P1", OLD), ticket("T2", "P2", YOUNG)]
    )
    keeper.keep(people=[person("P1", name="Person Once"), person("P2")])
    ruled(keeper)
    keeper.services.publish()
    assert keeper.services.search.search("person.p1@example.com", access=found_by(keeper)).total
    customer = keeper.customer("ledger", "P1")
    assert set(places(keeper, "person.p1@example.com")) >= {"record", "e_person", "customer", "identifier"}
    report = retention_report(keeper.services, keeper.author("compliance"), at=NOW)
    assert [(line.type, line.due) for line in report.rules[0].lines] == [("Person.email", 1)]
    assert report.rules[0].categories == (EMAIL,)
    done = keeper.retain()
    assert (done.rows, done.overdue, done.remaining) == ({"Person.email": 1}, 0, 0)
    assert emails(keeper) == {"P1": None, "P2": "person.p2@example.com"}
    assert not places(keeper, "person.p1@example.com")
    assert keeper.customer("ledger", "P1") == customer
    kept = keeper.rows(
        "SELECT r.payload FROM record r JOIN record_head h ON h.id = r.head_id WHERE h.key = 'P1'"
    )
    assert sorted(json.loads(row["payload"])["name"] for row in kept) == ["Person Once", "Person P1"]
    keeper.services.publish()
    assert keeper.services.search.search("person.p1@example.com", access=found_by(keeper)).total == 0
    [event] = [e.event for e in told(keeper, Action.RETENTION_RUN) if e.event.data_categories]
    assert (event.reason_code, event.data_categories) == ("empty_property.silent", (EMAIL,))
    assert (event.counts["deleted"], event.customers, event.about) == (1, (customer,), done.event)
    assert keeper.services.audit.verify().ok


def test_no_import_no_changed_mapping_and_no_replay_brings_it_back(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD)])
    ruled(keeper)
    keeper.retain()
    keeper.keep(**keeper.books)
    report = keeper.services.syncer.sync("ledger")
    assert (report.total.unchanged, report.total.accepted, report.total.reconciles) == (2, 0, True)
    keeper.keep(people=[person("P1", name="Person Anew", email=" Person.P1@EXAMPLE.com")])
    assert emails(keeper) == {"P1": None}
    yaml = keeper.exports.parent / "ledger.yaml"
    yaml.write_text(yaml.read_text().replace("email: email,", "email: email, alternateName: name,"))
    keeper.reopen()
    keeper.keep(**keeper.books)
    assert emails(keeper) == {"P1": None}
    assert [row["alternate_name"] for row in keeper.rows("SELECT alternate_name FROM e_person")] != [None]
    assert not places(keeper, "person.p1@example.com")


def test_a_new_value_comes_in_and_the_next_run_judges_it(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD)])
    ruled(keeper)
    keeper.retain()
    keeper.keep(people=[person("P1", email="new@example.com")])
    assert emails(keeper) == {"P1": "new@example.com"}
    assert keeper.retain().rows == {"Person.email": 1}
    keeper.keep(tickets=[ticket("T1", "P1", OLD), ticket("T2", "P1", YOUNG)])
    keeper.keep(people=[person("P1", email="third@example.com")])
    assert keeper.retain().rows == {}
    assert emails(keeper) == {"P1": "third@example.com"}


def test_a_hold_stops_it_until_it_is_released(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD)])
    ruled(keeper)
    customers = (keeper.customer("ledger", "P1"),)
    reason = "a claim is pending at the county court"
    order = PlaceHold("CC-17", reason, "compliance", date(2099, 1, 1), fresh_key(), customers=customers)
    place_hold(keeper.services, keeper.author("compliance"), order)
    done = keeper.retain()
    assert (done.rows, done.held, done.overdue) == ({}, 1, 0)
    assert emails(keeper) == {"P1": "person.p1@example.com"}


def test_what_a_record_cannot_do_without_is_bound(keeper: Keeper) -> None:
    """The number is the record's key as well, so nothing may take it out."""
    keeper.keep(people=[person("P1", card="7001")], tickets=[ticket("T1", "P1", OLD)])
    ruled(keeper, rule("properties: [Person.customerNumber, Person.loyaltyCard]"))
    done = keeper.retain()
    assert (done.rows, done.bound, done.overdue) == ({"Person.loyaltyCard": 1}, 1, 0)
    [row] = keeper.rows("SELECT customer_number, loyalty_card FROM e_person")
    assert (row["customer_number"], row["loyalty_card"]) == ("P1", None)


def test_a_field_that_says_something_else_as_well_is_bound(keeper: Keeper) -> None:
    yaml = keeper.exports.parent / "ledger.yaml"
    yaml.write_text(yaml.read_text().replace("email: email,", "email: email, alternateName: email,"))
    ruled(keeper)
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD)])
    done = keeper.retain()
    assert (done.rows, done.bound) == ({}, 1)
    assert emails(keeper) == {"P1": "person.p1@example.com"}


def test_what_waits_in_quarantine_of_the_same_record_binds_it(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD)])
    keeper.keep(people=[person("P1", email="no address")])
    ruled(keeper)
    done = keeper.retain()
    assert (done.rows, done.bound) == ({}, 1)


def test_a_correction_by_a_steward_goes_too(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD)])
    ruled(keeper)
    customer = keeper.customer("ledger", "P1")
    keeper.correct(customer, "email", "right@example.com")
    done = keeper.retain()
    assert done.rows == {"Person.email": 2}
    assert not places(keeper, "right@example.com")
    assert keeper.rows("SELECT email FROM customer") == [{"email": None}]


def test_erasing_the_customer_takes_along_what_was_kept_of_it(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD)])
    ruled(keeper)
    keeper.retain()
    assert len(keeper.rows("SELECT * FROM emptied")) == 1
    erase(keeper, keeper.customer("ledger", "P1"))
    assert not keeper.rows("SELECT * FROM emptied")


# rules


def loaded(tmp_path: Path, *rules: str) -> dict[str, dict[str, tuple[str, ...]]]:
    (tmp_path / "retention.yaml").write_text(MOMENTS + "".join(rules))
    ontology = load_ontology()
    policy = load_access_map(POLICY, ontology.taxonomy).policy
    found = load_retention(tmp_path / "retention.yaml", ontology, policy)
    return {name: emptied_by(each, ontology) for name, each in found.rules.items()}


def test_a_category_stands_for_every_property_of_it_and_below(tmp_path: Path) -> None:
    ontology = load_ontology()
    [found] = loaded(tmp_path, rule("categories: user.contact")).values()
    for name, type_ in ontology.types.items():
        props = {
            prop.name
            for prop in type_.properties.values()
            if prop.category.split(".")[:2] == ["user", "contact"] and prop.type.value != "reference"
        }
        assert set(found.get(name, ())) == (props if type_.has_customer else set()), name
    [narrowed] = loaded(tmp_path, rule("categories: user.contact\n    types: Person")).values()
    assert narrowed == {"Person": found["Person"]}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([rule(), rule("categories: user.contact", "other")], "emptied by the rule 'silent' already"),
        ([rule(), rule("properties: Person.email", "other")], "Person.email is emptied by the rule 'silent'"),
        ([rule("categories: user.contact.emial")], "user.contact.email"),
        ([rule("properties: Person.emial")], "email"),
        ([rule("types: Person")], "say what `then: empty_property` empties"),
        ([rule("properties: Order.customer")], "unknown property 'customer'"),
        ([rule(since="row")], "unknown beginning 'row'"),
        ([rule("categories: user.biometric.retinal")], "no property that it would empty"),
        ([rule().replace("empty_property", "erase_customer")], "say what `then: empty_property` empties"),
    ],
)
def test_rules_that_conflict_or_empty_nothing_are_refused(
    rules: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, *rules)
    assert said in str(caught.value)


# report and run

people = st.lists(
    st.tuples(
        st.sampled_from((OLD, YOUNG, None)),
        st.booleans(),
        st.sampled_from(("", "shared@example.com", "own")),
        st.booleans(),
    ),
    max_size=5,
)
"""Of each: how old the ticket is, whether they are held, what e-mail address, whether a receipt states them too."""


@given(drawn=people)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_run_empties_exactly_what_the_report_counts(
    drawn: list[tuple[int | None, bool, str, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shop")
    keeper = Keeper(folder, sqlite_store(folder / "hub.sqlite"))
    try:
        books = [
            person(f"P{n}", email=email if email != "own" else f"p{n}@example.com", card=f"C{n}")
            for n, (_, _, email, _) in enumerate(drawn)
        ]
        keeper.keep(
            people=books,
            tickets=[ticket(f"T{n}", f"P{n}", old) for n, (old, *_) in enumerate(drawn) if old],
            receipts=[
                {"no": f"R{n}", "card": f"C{n}", "name": f"Holder {n}", "at": ago(1), "seen": ago(1)}
                for n, (*_, has) in enumerate(drawn)
                if has
            ],
        )
        ruled(keeper, rule("properties: [Person.loyaltyCard, Person.email, Person.name, Ticket.subject]"))
        author = keeper.author("compliance")
        for n, (_, is_held, *_) in enumerate(drawn):
            if is_held:
                reason, customers = (
                    "a claim is pending at the county court",
                    (keeper.customer("ledger", f"P{n}"),),
                )
                order = PlaceHold(
                    "CC-17", reason, "compliance", date(2099, 1, 1), fresh_key(), customers=customers
                )
                place_hold(keeper.services, author, order)
        before = retention_report(keeper.services, author, at=NOW)
        done = keeper.retain()
        lines = [line for each in before.rules for line in each.lines]
        due = {what: sum(line.due for line in lines if line.type == what) for what in {x.type for x in lines}}
        assert done.rows == {what: count for what, count in due.items() if count}
        assert done.overdue == 0
        keeper.keep(**keeper.books)
        after = retention_report(keeper.services, author, at=NOW)
        assert after.counts["overdue"] == 0
    finally:
        keeper.services.close()
