"""Erasing a customer by a command: what it does, who may, what is told, and that it is done once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from hub.adapters import erasing, firstload, reresolve
from hub.audit import Action, Outcome, State
from hub.commands import (
    Author,
    ErasureDone,
    Ground,
    erase_customer,
    find_erasure,
    list_erasures,
    plan_of_erasure,
    reveal_payloads,
    scrub_erasures,
)
from hub.errors import AccessDeniedError, NotFoundError, QueryError, StoreUnavailableError
from hub.store import Store, fixed
from tests.commands.command_world import A_A, ANN, BEN, Shop
from tests.commands.erasing_world import REASON, erase, held, indexed, order, told
from tests.databases import sqlite_store
from tests.statements import noting

WORDS = ("ann@example.com", "new@example.com", "Archer")


def test_a_customer_is_gone_and_the_log_tells_who_why_and_that_nothing_is_left(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    before = shop.golden(ben)
    done = erase(shop, ann)
    assert done.remaining == {}
    assert done.counts["e_person"] == done.counts["record"] == done.counts["customer"] == 1
    (erased,) = told(shop, Action.ERASED)
    event = erased.event
    assert (erased.seq, event.id, event.customers) == (done.event, done.id, (ann,))
    assert (event.actor, event.roles, event.reason_code) == (
        "u-compliance",
        ("compliance",),
        "consent_withdrawn",
    )
    verdict = told(shop, Action.ERASE_VERIFIED)[-1].event
    assert (verdict.about, verdict.customers, verdict.outcome) == (done.id, (ann,), Outcome.OK)
    assert (verdict.counts["remaining"], verdict.reason_code) == (0, done.state)
    assert shop.rows("SELECT id FROM customer") == [{"id": ben}]
    assert shop.golden(ben) == before
    assert shop.services.audit.verify().ok


PAGES = "FROM record_head WHERE id >"
"""Every record of the store is looked at."""


def test_an_erasure_and_its_verification_look_at_no_record_but_those_of_the_customer(shop: Shop) -> None:
    statements: list[str] = []
    with noting(shop.services.store, statements.append):
        done = erase(shop, shop.customer("club", "1"), scrub=False)
    assert done.remaining == {}
    assert any("FROM record_head WHERE source" in each for each in statements)
    assert not [each for each in statements if PAGES in each]


def test_a_record_that_is_there_again_in_spite_of_all_is_found_by_its_key(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = shop.customer("club", "1")
    [head] = shop.rows("SELECT * FROM record_head WHERE source = 'club' AND key = '1'")
    told_of = erasing.remains

    def with_the_record(store: Store, connection: Connection, *more: Any) -> Mapping[str, int]:
        connection.execute(insert(fixed.record_head), {**head, "id": 10_000})
        return told_of(store, connection, *more)

    with monkeypatch.context() as patched:
        patched.setattr(erasing, "remains", with_the_record)
        assert erase(shop, ann, scrub=False).remaining == {"record_head": 1}


def test_nobody_is_erased_while_parties_of_a_first_load_are_nobodys(shop: Shop) -> None:
    customer = shop.customer("club", "1")
    with shop.services.store.write() as connection:
        reresolve.keep_digest(connection, shop.services.store, firstload.POSTPONED)
    with pytest.raises(StoreUnavailableError, match="first load"):
        erase(shop, customer)
    assert shop.customer("club", "1") == customer


def test_payloads_of_the_customer_tell_when_they_ended_and_the_reason_stays_readable(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    correction = told(shop, Action.CORRECTION)[-1].seq
    done = erase(shop, ann)
    officer = shop.author("compliance")
    (gone,) = reveal_payloads(shop.services, officer, correction).payloads
    (destroyed,) = told(shop, Action.KEY_DESTROYED)
    assert (gone.content, gone.destroyed_at) == (None, destroyed.event.at)
    assert (destroyed.event.about, destroyed.event.actor) == (done.id, "u-compliance")
    (why,) = reveal_payloads(shop.services, officer, done.event).payloads
    assert why.content == {"reason": REASON, "ticket": "DSR-7"}
    leaf = shop.services.audit.entry(done.event)
    assert not [word for word in (REASON, "DSR-7", *WORDS) if word.encode() in leaf]


def test_nothing_of_them_is_left_in_files_nor_in_the_index(tmp_path: Path) -> None:
    shop = Shop(tmp_path, sqlite_store(tmp_path / "var" / "hub.sqlite"))
    shop.write("club", [ANN, BEN])
    shop.sync()
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    shop.services.publish()
    assert indexed(shop, "archer") > 0
    shop.services.indexer.rebuild()
    folder = tmp_path / "var"
    assert {line.split()[0] for line in held(folder, *WORDS)} == set(WORDS)
    done = erase(shop, ann, scrub=False)
    assert done.state == "verified"
    assert held(folder, *WORDS), "what SQLite writes ahead is not scrubbed yet"
    assert indexed(shop, "archer") > 0, "the index only marks what it forgets, and keeps a former one"
    assert scrub_erasures(shop.services, shop.author("compliance")) == 1
    assert held(folder, *WORDS) == []
    assert indexed(shop, "archer") == 0
    assert indexed(shop, "boyd") > 0
    assert list(shop.services.eraser.register.states().values()) == [State.SCRUBBED]
    assert shop.services.audit.verify().ok
    shop.services.close()


def test_one_that_scrubs_clears_the_files_of_all_who_wait(shop: Shop) -> None:
    erase(shop, shop.customer("club", "1"), scrub=False)
    erase(shop, shop.customer("club", "2"))
    is_file = shop.services.store.dialect.name == "sqlite"
    expected = State.SCRUBBED if is_file else State.VERIFIED
    assert set(shop.services.eraser.register.states().values()) == {expected}
    assert scrub_erasures(shop.services, shop.author("compliance"), thorough=True) == (0 if is_file else 2)
    assert set(shop.services.eraser.register.states().values()) == {State.SCRUBBED}
    assert shop.services.audit.verify().ok


def test_the_next_full_import_does_not_bring_them_back(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.write("till", [{**A_A, "card": "7999"}])
    shop.sync()
    erase(shop, ann)
    shop.write("club", [{**ANN, "town": "Bath", "changed": "2026-05-05"}, BEN])
    # under a key that nobody knows, but with the address that the club knew them by
    shop.write("till", [{**ANN, "key": "77", "changed": "2026-05-05"}])
    shop.sync()
    names = {row["name"] for row in shop.rows("SELECT name FROM customer")}
    assert "Ann Archer" not in names


def test_who_may_not_erases_nobody_and_that_is_on_record(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    for role in ("support", "steward", "it", "management", "marketing"):
        with pytest.raises(AccessDeniedError, match="erase_customer"):
            erase_customer(shop.services, shop.author(role), order(ann))
        with pytest.raises(AccessDeniedError, match="erase_customer"):
            find_erasure(shop.services, shop.author(role), ann)
        with pytest.raises(AccessDeniedError, match="erase_customer"):
            list_erasures(shop.services, shop.author(role))
        with pytest.raises(AccessDeniedError, match="erase_customer"):
            plan_of_erasure(shop.services, shop.author(role), ann)
        with pytest.raises(AccessDeniedError, match="erase_customer"):
            scrub_erasures(shop.services, shop.author(role))
    refused = told(shop, Action.COMMAND_REFUSED)
    assert {each.event.reason_code for each in refused} == {"erase_customer.FORBIDDEN"}
    assert len(refused) == 25
    assert shop.golden(ann)["name"] == "Ann Archer"


def test_one_who_is_not_there_is_not_found_and_nothing_is_registered(shop: Shop) -> None:
    with pytest.raises(NotFoundError):
        erase(shop, "cus_nobody")
    assert shop.services.eraser.register.states() == {}
    assert told(shop, Action.ERASED) == []


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"reason": "too short"}, "a reason has 20 to 1000 characters"),
        ({"ticket": "  "}, "a ticket has 1 to 100 characters"),
        ({"reason": "Mrs ann  ARCHER wrote on 3 May, see there"}, "may not name the customer"),
        ({"reason": "the owner of ANN @ example.com has written"}, "may not name the customer"),
        ({"ticket": "ann-archer-7"}, "may not name the customer"),
    ],
)
def test_reason_and_ticket_are_there_and_name_nobody(shop: Shop, said: dict[str, str], message: str) -> None:
    ann = shop.customer("club", "1")
    with pytest.raises(QueryError, match=message):
        erase(shop, ann, **said)
    assert shop.services.eraser.register.states() == {}
    assert shop.golden(ann)["name"] == "Ann Archer"


def test_a_reason_may_have_a_word_that_begins_like_a_name(shop: Shop) -> None:
    assert (
        erase(shop, shop.customer("club", "1"), reason="an announcement of an archery club").remaining == {}
    )


@pytest.mark.parametrize("ground", Ground)
def test_the_ground_stands_in_the_log(shop: Shop, ground: Ground) -> None:
    erase(shop, shop.customer("club", "1"), ground=ground, scrub=False)
    assert told(shop, Action.ERASED)[-1].event.reason_code == ground.value


def test_erased_twice_is_a_clear_answer_and_sent_twice_the_same(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    said = order(ann, scrub=False)
    officer = shop.author("compliance")
    done = erase_customer(shop.services, officer, said)
    assert erase_customer(shop.services, officer, said) == done
    with pytest.raises(QueryError, match=f"was erased before, by erasure {done.id}"):
        erase(shop, ann)
    with pytest.raises(QueryError, match=f"was erased before, by erasure {done.id}"):
        plan_of_erasure(shop.services, officer, ann)
    with pytest.raises(QueryError, match="another command"):
        erase_customer(shop.services, officer, replace(said, ticket="DSR-8"))
    assert len(told(shop, Action.ERASED)) == 1


def test_a_refused_order_has_not_used_up_its_key(shop: Shop) -> None:
    with pytest.raises(NotFoundError):
        erase(shop, "cus_nobody", key="once")
    with pytest.raises(QueryError, match="may not name"):
        erase(shop, shop.customer("club", "1"), key="once", reason="Ann Archer wrote on the third of May")
    assert erase(shop, shop.customer("club", "1"), key="once", scrub=False).remaining == {}


def test_with_a_customer_go_the_ids_that_led_to_them(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.write("till", [{**A_A, "card": "8888", "email": "other@example.com"}])
    shop.sync("till")
    other = shop.customer("till", "9")
    shop.write("till", [{**A_A, "card": ANN["card"], "email": ANN["email"], "name": ANN["name"]}])
    shop.sync("till")
    [row] = shop.rows("SELECT old_id, new_id FROM customer_redirect")
    assert {row["old_id"], row["new_id"]} == {ann, other}
    done = erase(shop, row["old_id"], scrub=False)
    record = find_erasure(shop.services, shop.author("compliance"), row["old_id"])
    assert record is not None
    assert record.customers == (row["new_id"], row["old_id"])
    assert find_erasure(shop.services, shop.author("compliance"), row["new_id"]) == record
    assert (record.id, record.ground, record.event) == (done.id, "consent_withdrawn", done.event)
    assert shop.rows("SELECT * FROM customer_redirect") == []


def test_what_was_erased_is_listed_in_pages_and_who_asked_is_on_record(shop: Shop) -> None:
    done = [erase(shop, shop.customer("club", key), scrub=False).id for key in ("1", "2")]
    officer = shop.author("compliance")
    assert [record.id for record in list_erasures(shop.services, officer)] == done
    assert [record.id for record in list_erasures(shop.services, officer, first=1)] == done[:1]
    assert [record.id for record in list_erasures(shop.services, officer, first=1, after=done[0])] == done[1:]
    assert find_erasure(shop.services, officer, "cus_nobody") is None
    reads = [each.event for each in told(shop, Action.AUDIT_READ)]
    assert [(read.reason_code, read.counts["results"]) for read in reads] == [
        ("erasures", 2),
        ("erasures", 1),
        ("erasures", 1),
        ("erasure", 0),
    ]


def test_a_plan_counts_what_goes_and_changes_nothing(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    before = shop.golden(ann)
    plan = plan_of_erasure(shop.services, shop.author("compliance"), ann)
    assert shop.golden(ann) == before
    assert shop.services.eraser.register.states() == {}
    assert told(shop, Action.READ)[-1].event.customers == (ann,)
    assert dict(plan) == erase(shop, ann, scrub=False).counts


def test_what_others_say_of_them_is_counted(shop: Shop) -> None:
    shop.tickets("club", [{"number": "T-1", "subject": "please tell ann@example.com too", "member": "2"}])
    shop.sync("club")
    shop.services.publish()
    done = erase(shop, shop.customer("club", "1"), scrub=False)
    assert done.mentions >= 1
    assert told(shop, Action.ERASE_VERIFIED)[-1].event.counts["mentions"] == done.mentions
    assert erase(shop, shop.customer("club", "2"), scrub=False).mentions == 0


def test_two_at_once_are_both_erased_and_one_twice_at_once_is_erased_once(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")

    def attempt(customer: str) -> ErasureDone | str:
        try:
            return erase(shop, customer, scrub=False)
        except QueryError as error:
            return str(error)

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(attempt, (ann, ben, ann)))
    done = [each for each in found if isinstance(each, ErasureDone)]
    assert len(done) == 2
    assert [each for each in found if isinstance(each, str)] == [
        f"this customer was erased before, by erasure {told(shop, Action.ERASED)[i].event.id}"
        for i in range(2)
        if told(shop, Action.ERASED)[i].event.customers == (ann,)
    ]
    assert len(told(shop, Action.ERASED)) == 2
    assert shop.rows("SELECT id FROM customer") == []


def test_what_remains_is_told_and_the_next_start_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = shop.customer("club", "1")
    with monkeypatch.context() as patched:
        patched.setattr(erasing, "remains", lambda *_: {"record": 2})
        done = erase(shop, ann, scrub=False)
    assert (done.remaining, done.state) == ({"record": 2}, "open")
    verdict = told(shop, Action.ERASE_VERIFIED)[-1].event
    assert (verdict.outcome, verdict.reason_code, verdict.counts["remaining"]) == (
        Outcome.FAILED,
        "incomplete",
        2,
    )
    assert shop.services.audit.verify().ok
    shop.reopen()
    assert State.OPEN not in shop.services.eraser.register.states().values()
    assert told(shop, Action.ERASE_VERIFIED)[-1].event.outcome is Outcome.OK


def test_a_key_that_lives_or_a_document_that_is_found_remains(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    shop.services.publish()
    with monkeypatch.context() as patched:
        patched.setattr(type(shop.services.sealer), "destroy", lambda *_: [])
        patched.setattr(type(shop.services.indexer), "follows", lambda *_: True)
        done = erase(shop, ann, scrub=False)
    assert done.remaining["audit_data_key"] == 1
    assert done.remaining["search_index"] >= 1


def test_without_a_master_key_customers_are_erased_all_the_same(tmp_path: Path, store_url: str) -> None:
    shop = Shop(tmp_path, store_url)
    shop.reopen(master_key=None, data_dir=tmp_path / "unsealed")
    shop.write("club", [ANN])
    shop.sync()
    done = erase(shop, shop.customer("club", "1"))
    assert done.remaining == {}
    assert (
        reveal_payloads(shop.services, Author.operator("os:t", shop.services.access), done.event).payloads
        == ()
    )
    shop.services.close()
