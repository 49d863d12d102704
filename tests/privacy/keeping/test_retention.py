"""What a run of retention erases, what it leaves and why, and that nothing comes back."""

from __future__ import annotations

import pytest

from hub.audit import Action, Outcome
from hub.commands import RecordRestriction, record_restriction
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.privacy.retention import retention_report
from tests.commands.command_world import fresh_key
from tests.commands.erasing_world import told
from tests.privacy.keeping.retention_world import NOW, Keeper, ago, day, person

OLD, YOUNG = 1100, 10
"""Days: a conversation is kept for 1095."""
ANCIENT = 366 * 12
"""Books are kept for ten years from the end of the calendar year."""


def ticket(no: str, who: str, days: float, **more: object) -> dict[str, object]:
    return {"no": no, "who": who, "at": ago(days), "subject": f"Asked {no}", **more}


def test_article_5_1_e_rows_past_their_time_are_erased_and_logged(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD), ticket("T2", "P1", YOUNG)])
    report = retention_report(keeper.services, keeper.author("compliance"), at=NOW)
    assert report.overdue == 1
    done = keeper.retain()
    assert (done.rows, done.records, done.customers) == ({"Ticket": 1}, 1, 0)
    assert (done.overdue, done.held, done.bound, done.remaining) == (0, 0, 0, 0)
    assert keeper.records() == {"people/P1", "tickets/T2"}
    assert [row["ticket_number"] for row in keeper.rows("SELECT ticket_number FROM e_ticket")] == ["T2"]
    assert not [row for row in keeper.rows("SELECT payload FROM record") if "Asked T1" in str(row["payload"])]
    [erased] = [each.event for each in told(keeper, Action.ERASED)]
    assert erased.reason_code == "no_longer_necessary.conversations"
    assert erased.customers == (keeper.customer("ledger", "P1"),)
    assert (erased.entity_types, erased.counts["deleted"], erased.about) == (("Ticket",), 1, done.event)
    verified = told(keeper, Action.ERASE_VERIFIED)[-1].event
    assert (verified.about, verified.outcome, verified.counts["remaining"]) == (erased.id, Outcome.OK, 0)
    runs = [(each.event.reason_code, each.event.about) for each in told(keeper, Action.RETENTION_RUN)]
    assert runs == [("dry_run", None), ("started", None), ("finished", done.event)]
    assert keeper.services.audit.verify().ok


def test_the_next_import_brings_nothing_back_and_reconciles(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD), ticket("T2", "P1", YOUNG)])
    keeper.retain()
    for subject in ("Asked T1", "Asked otherwise"):
        keeper.books["tickets"][0]["subject"] = subject
        keeper.keep(**keeper.books)
        report = keeper.services.syncer.sync("ledger")
        assert (report.state, report.total.suppressed, report.total.reconciles) == ("ok", 1, True)
        assert keeper.records() == {"people/P1", "tickets/T2"}
    keeper.keep(tickets=[*keeper.books["tickets"], ticket("T3", "P1", YOUNG)])
    assert "tickets/T3" in keeper.records(), "what is new of the same customer comes"


def test_an_older_backup_is_erased_again_by_the_next_start(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD), ticket("T2", "P1", YOUNG)])
    done = keeper.retain()
    with keeper.services.store.write() as connection:
        # As a store of before the run knows nothing of it.
        for table in ("retirement", "suppression"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    keeper.keep(tickets=keeper.books["tickets"])
    assert "tickets/T1" in keeper.records()
    keeper.reopen()
    assert keeper.records() == {"people/P1", "tickets/T2"}
    again = [
        each.event for each in told(keeper, Action.ERASE_VERIFIED) if each.event.reason_code == "found_again"
    ]
    assert [each.about for each in again] == list(done.erasures)
    assert keeper.services.audit.verify().ok
    keeper.reopen()
    assert len(told(keeper, Action.ERASE_VERIFIED)) == len(again) + 2


def test_lines_go_with_their_order_and_an_invoice_keeps_both(keeper: Keeper) -> None:
    keeper.keep(
        people=[person("P1")],
        orders=[{"no": f"O{n}", "buyer": "P1", "at": ago(ANCIENT)} for n in (1, 2)],
        lines=[{"no": f"L{n}", "order": f"O{n}", "text": "nails"} for n in (1, 2)],
        invoices=[{"no": "I2", "order": "O2", "at": day(YOUNG)}],
    )
    done = keeper.retain()
    assert done.rows == {"Order": 1, "OrderLine": 1}
    assert (done.overdue, done.bound) == (0, 1)
    assert keeper.records() == {"people/P1", "orders/O2", "lines/L2", "invoices/I2"}


def test_what_was_read_together_goes_together(keeper: Keeper) -> None:
    receipt = {"card": "7001", "name": "Ann Archer"}
    keeper.keep(
        receipts=[
            {"no": "R1", "at": ago(ANCIENT), "seen": ago(ANCIENT), **receipt},
            {"no": "R2", "at": ago(OLD), "seen": ago(OLD), **receipt},
            {"no": "R3", "at": ago(YOUNG), "seen": ago(YOUNG), **receipt},
            {"no": "R4", "at": ago(ANCIENT), "seen": ago(ANCIENT), "card": "7002", "name": "Ben Boyd"},
        ]
    )
    done = keeper.retain(rules=("bookkeeping", "conversations"))
    assert keeper.records() == {"receipts/R2", "receipts/R3", "receipts/R4"}, (
        "an order keeps the visit of R2, and R4 alone tells of Ben"
    )
    assert (done.rows, done.bound) == ({"Order": 1, "Interaction": 1}, 3)
    assert keeper.retain().customers == 1
    assert keeper.records() == {"receipts/R2", "receipts/R3"}


def test_a_customer_goes_whole_when_nothing_is_kept_by_law(keeper: Keeper) -> None:
    keeper.keep(
        people=[person("P1"), person("P2"), person("P3")],
        tickets=[ticket("T1", "P1", OLD), ticket("T2", "P2", OLD)],
        orders=[
            {"no": "O2", "buyer": "P2", "at": ago(OLD)},
            {"no": "O3", "buyer": "P3", "at": ago(ANCIENT)},
        ],
    )
    gone = [keeper.customer("ledger", key) for key in ("P1", "P3")]
    stays = keeper.customer("ledger", "P2")
    done = keeper.retain()
    assert done.customers == 2, "P1 never bought, P3 not for twelve years"
    assert [row["id"] for row in keeper.rows("SELECT id FROM customer")] == [stays]
    erased = [each.event for each in told(keeper, Action.ERASED)]
    assert {(each.reason_code, each.customers) for each in erased if each.counts.get("customers")} == {
        ("no_longer_necessary.prospects", (gone[0],)),
        ("no_longer_necessary.inactive", (gone[1],)),
    }
    keeper.keep(**keeper.books)
    assert [row["id"] for row in keeper.rows("SELECT id FROM customer")] == [stays]


def test_a_contract_without_an_end_is_kept_and_said_to_be(keeper: Keeper) -> None:
    keeper.keep(
        people=[person("P1"), person("P2"), person("P3")],
        contracts=[
            {"no": "K1", "who": "P1", "from": day(ANCIENT), "to": day(ANCIENT - 30)},
            {"no": "K2", "who": "P2", "from": day(ANCIENT), "to": day(ANCIENT - 30)},
            {"no": "K3", "who": "P2", "from": day(ANCIENT), "to": None},
        ],
        tickets=[ticket(f"T{n}", f"P{n}", YOUNG) for n in (1, 2, 3)],
    )
    assert keeper.retain().rows == {"Contract": 1}
    assert {key for key in keeper.records() if key.startswith("contracts")} == {
        "contracts/K2",
        "contracts/K3",
    }


def test_what_has_no_date_is_kept_and_counted(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[{**ticket("T1", "P1", OLD), "at": None}])
    assert keeper.retain().rows == {}
    report = retention_report(keeper.services, keeper.author("compliance"), at=NOW)
    assert {rule.name: rule.undated for rule in report.rules if rule.undated} == {"conversations": 1}


@pytest.mark.parametrize(("written", "goes"), [("2030", False), ("2030-01", False), ("2029", True)])
def test_a_day_that_is_not_told_is_the_last_that_it_may_be(keeper: Keeper, written: str, goes: bool) -> None:
    keeper.keep(
        people=[person("P1")],
        orders=[{"no": "O1", "buyer": "P1", "at": ago(YOUNG)}],
        invoices=[{"no": "I1", "order": "O1", "at": written}],
    )
    found = retention_report(keeper.services, keeper.author("compliance"), at=NOW)
    assert found.overdue == goes, "the books of 2029 are kept until the end of 2039"


def test_who_restricted_the_use_of_their_data_keeps_them(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD)])
    said = {"kind": "restriction", "state": "in_force"}
    order = RecordRestriction(keeper.customer("ledger", "P1"), said, fresh_key())
    record_restriction(keeper.services, keeper.author("compliance"), order)
    done = keeper.retain()
    assert (done.rows, done.customers, done.overdue) == ({}, 0, 0)
    assert done.held == 2, "the ticket, and the customer who never bought"


def test_who_may_not_erases_nothing_and_is_on_record(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket("T1", "P1", OLD)])
    for role in ("support", "it", "management"):
        with pytest.raises(AccessDeniedError, match="run_retention"):
            keeper.retain(role=role)
        with pytest.raises(AccessDeniedError, match="run_retention"):
            retention_report(keeper.services, keeper.author(role))
    refused = [each.event.reason_code for each in told(keeper, Action.COMMAND_REFUSED)]
    assert refused == ["run_retention.FORBIDDEN"] * 6
    assert "tickets/T1" in keeper.records()


def test_a_run_is_bounded_and_the_next_goes_on(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")], tickets=[ticket(f"T{n}", "P1", OLD) for n in range(450)])
    first = keeper.retain(most=1, rules=("conversations",))
    assert (first.rows, first.overdue) == ({"Ticket": 200}, 251)
    assert told(keeper, Action.RETENTION_RUN)[-1].event.outcome is Outcome.PARTIAL
    assert keeper.retain(rules=("conversations",)).rows == {"Ticket": 250}


def test_an_order_that_cannot_be_meant_is_refused(keeper: Keeper) -> None:
    with pytest.raises(NotFoundError, match="bookkeeping"):
        keeper.retain(rules=("nothing",))
    with pytest.raises(QueryError, match="1 to"):
        keeper.retain(most=0)
