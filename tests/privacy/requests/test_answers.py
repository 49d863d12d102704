"""Requests from intake to their end, one test for each article: what is planned, done, kept, handed out and refused."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hub.adapters.inventory import held_of
from hub.adapters.records import Amending, StreamRead
from hub.audit import Action, AuditEvent
from hub.audit.questions import Wanted, find
from hub.commands import PlaceHold, ReleaseHold, place_hold, release_hold
from hub.errors import AccessDeniedError, NotFoundError, QueryError, SourceProtocolError
from hub.privacy.requests import (
    Kind,
    Law,
    Method,
    Pause,
    Refusal,
    access_package,
    complete_task,
    extend,
    list_requests,
    pause,
    plan_request,
    preview_package,
    record_keys,
    refuse,
    request_metrics,
    resume,
    retained_items,
    run_request,
    show_request,
    tidy,
    verify,
)
from hub.privacy.requests.clock import add_months
from hub.services import Services
from tests.commands.command_world import ANN, BEN, fresh_key
from tests.privacy.requests.request_world import LIVING, NOW, Rights

ERASE: dict[str, Any] = {"details": {"ground": "consent_withdrawn", "said": "forget me, I am Ann Archer"}}
REASON = "the fourth letter on the same matter within a month"


def events(services: Services, *actions: Action) -> list[AuditEvent]:
    services.publish_events()
    return [each.event for each in find(services.audit, Wanted(actions=actions), first=1_000).events]


def steps(rights: Rights, id_: str) -> dict[str, tuple[str, str]]:
    shown = show_request(rights.services, rights.officer, id_).request
    return {f"{step.place}/{step.action}": (step.way, step.state) for step in shown.steps}


def test_article_12_every_place_gets_a_step_with_an_owner_and_nothing_is_skipped(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.planned(Kind.ERASURE, ann, **ERASE)
    assert {step.place: (step.way, step.state, step.owner) for step in request.steps} == {
        "hub": ("auto", "open", "compliance"),
        "club": ("task", "open", "marketing"),
        "ledger": ("source", "open", "finance"),
        "till": ("auto", "nothing", "compliance"),
        "backups": ("task", "open", "it"),
        "mailer": ("notice", "open", "compliance"),
        "printer": ("auto", "nothing", "compliance"),
    }
    assert {step.proof for step in request.steps if step.state == "nothing"} == {
        "no_record",
        "received_nothing",
    }


def test_who_is_not_known_is_looked_for_at_every_place(rights: Rights) -> None:
    rights.begin()
    request = rights.planned(Kind.ACCESS, None)
    ways = {step.place: step.way for step in request.steps if step.place_kind in ("system", "copy")}
    assert ways == {"club": "task", "ledger": "task", "till": "task", "backups": "task"}
    run_request(rights.services, rights.officer, request.id)
    rights.finish(request.id)
    handed = access_package(rights.services, rights.officer, request.id)
    assert handed.content["holds_data"] is False
    assert "We hold no data of you" in (handed.page or "")
    assert show_request(rights.services, rights.officer, request.id).request.outcome == "no_data"


def test_article_12_nothing_is_handed_out_before_it_is_verified_who_asks(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.open(Kind.ACCESS, ann)
    for ask in (preview_package, access_package, plan_request, run_request):
        with pytest.raises(QueryError):
            ask(rights.services, rights.officer, request.id)
    verify(rights.services, rights.officer, request.id, Method.KNOWN_DATA, passed=False)
    assert show_request(rights.services, rights.officer, request.id).request.state == "received"
    assert [e.reason_code for e in events(rights.services, Action.PRIVACY_REQUEST_STEP)] == [
        "verify_failed.known_data"
    ]
    assert not events(rights.services, Action.EXPORT)


def test_an_agent_s_permission_is_seen_first(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.open(Kind.ACCESS, ann, Law.CCPA, is_agent=True)
    with pytest.raises(QueryError, match="signed permission"):
        verify(rights.services, rights.officer, request.id, Method.SIGNATURE)
    found = verify(rights.services, rights.officer, request.id, Method.SIGNATURE, agent_permitted=True)
    with pytest.raises(QueryError, match="while a request is verified"):
        verify(rights.services, rights.officer, request.id, Method.SIGNATURE, agent_permitted=True)
    assert (found.state, found.agent_checked) == ("verified", True)


def test_article_15_the_package_is_complete_against_a_scan_of_all_stores(rights: Rights) -> None:
    ann = rights.begin()
    rights.correct(ann, "email", "new@example.com")
    rights.consent(ann)
    rights.interaction(ann, summary="wants a blue door")
    planted = ["Ann Archer", "ann@example.com", "new@example.com", "7001", "12 Quay Street", "likes brass"]
    planted += ["INV-1001", "INV-1002", "a blue door", "Call Ben on"]
    request = rights.run(Kind.ACCESS, ann)
    complete_task(rights.services, rights.officer, request.id, _number(rights, request.id, "backups"), "T-1")
    complete_task(rights.services, rights.officer, request.id, _number(rights, request.id, "mailer"), "T-2")
    with pytest.raises(QueryError, match="are open"):
        access_package(rights.services, rights.officer, request.id)
    rights.finish(request.id)
    handed = access_package(rights.services, rights.officer, request.id)
    said = handed.json.decode().casefold()
    assert {each["type"] for each in handed.content["statements"]} >= {
        "Person",
        "Ticket",
        "Invoice",
        "Interaction",
    }
    held = {word for _, word in rights.holding(*planted)}
    assert held == set(planted)
    assert [word for word in planted if word.casefold() not in said] == []
    assert show_request(rights.services, rights.officer, request.id).request.state == "closed"
    (told,) = events(rights.services, Action.EXPORT)
    assert (told.customers, told.about, told.reason_code) == ((ann,), request.id, "privacy_request.access")
    assert not rights.holding("forget me")


def _number(rights: Rights, id_: str, place: str) -> int:
    shown = show_request(rights.services, rights.officer, id_).request
    return next(step.number for step in shown.steps if step.place == place)


def test_article_15_each_value_has_source_and_date_and_others_are_taken_out(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.run(Kind.ACCESS, ann)
    content = preview_package(rights.services, rights.officer, request.id).content
    assert {each["source"] for each in content["statements"]} == {"Club", "Ledger"}
    assert all(each["collected_at"] for each in content["statements"])
    assert {each["source"] for each in content["profile"]} <= {"Club", "Ledger"}
    text = json.dumps(content)
    assert "ben@example.com" not in text
    assert "496 0009" not in text
    assert content["redacted"] >= 4  # in the ticket and in its record, an address and a number each
    assert "ann@example.com" in text
    assert {each["name"] for each in content["recipients"]} == {"Mailer Ltd"}
    purposes = {each["purpose"]: each for each in content["purposes"]}
    assert purposes["customer_service"]["legal_basis"] == "contract"
    assert purposes["accounting"]["retention_days"] == 2555
    assert "user.contact.email" in {each["category"] for each in content["categories"]}
    assert content["profiling"]["matches"]


def test_article_15_disclosures_come_from_the_audit_log_without_names_of_employees(rights: Rights) -> None:
    ann = rights.begin()
    seen = rights.author("support").event(Action.READ, customers=(ann,), data_categories=("user.contact",))
    rights.services.recorder.record_sync(seen)
    request = rights.run(Kind.ACCESS, ann)
    content = preview_package(rights.services, rights.officer, request.id).content
    told = [each for each in content["disclosures"] if each["roles"] == "support"]
    assert [(each["department"], each["purpose"], each["times"]) for each in told] == [
        ("Customer support", "customer_service", 1)
    ]
    assert "u-support" not in json.dumps(content)


def test_the_page_escapes_what_people_wrote_and_loads_nothing(rights: Rights) -> None:
    rights.begin()
    rights.write("club", [{**ANN, "name": "<script>alert(1)</script>"}, BEN])
    rights.sync_all()
    request = rights.run(Kind.ACCESS, rights.customer("club", "1"))
    page = preview_package(rights.services, rights.officer, request.id).page or ""
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "http://" not in page
    assert "src=" not in page


def test_article_16_a_rectified_person_stays_rectified_and_the_source_is_put_right(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.run(Kind.RECTIFICATION, ann, details={"changes": {"name": "Ann Marsh"}})
    assert steps(rights, request.id)["ledger/rectification"] == ("source", "done")
    assert [row[1] for row in rights.at_source("people")] == ["Ann Marsh"]
    for number in range(10):
        rights.write("club", [{**ANN, "changed": f"2026-02-{number + 10}"}, BEN])
        rights.sync_all()
        assert rights.golden(ann)["name"] == "Ann Marsh"
    view = show_request(rights.services, rights.officer, request.id)
    assert dict(view.unmended) == {"club": 1}
    assert [(each.source, each.count) for each in view.returned] == [("club", 10)]
    rights.write("club", [{**ANN, "name": "Ann Marsh", "changed": "2026-03-01"}, BEN])
    rights.sync_all()
    assert show_request(rights.services, rights.officer, request.id).unmended == ()


def test_article_17_an_erased_person_stays_erased_through_ten_imports_which_the_request_tells(
    rights: Rights,
) -> None:
    ann = rights.begin()
    request = rights.run(Kind.ERASURE, ann, **ERASE)
    assert steps(rights, request.id)["hub/erasure"] == ("auto", "done")
    assert rights.at_source("people") == []
    assert [row[0] for row in rights.at_source("invoices")] == ["INV-1001"]  # the other is too old
    rights.put("people", LIVING)
    for _ in range(10):
        rights.sync_all()
        assert rights.rows("SELECT id FROM customer WHERE id = $id", id=ann) == []
    words = ("Ann Archer", "ann@example.com", "likes brass")
    assert {table for table, _ in rights.holding(*words)} == {
        "privacy_request"
    }  # what the letter said, till it ends
    rights.finish(request.id)
    assert rights.holding(*words) == set()
    view = show_request(rights.services, rights.officer, request.id)
    assert (view.request.state, view.request.outcome) == ("closed", "in_part")
    assert {each.source: each.count >= 10 for each in view.returned} == {"club": True, "ledger": True}
    assert view.certificate is not None
    assert rights.services.audit.event(view.certificate).action is Action.ERASED


def test_article_17_3_what_stays_is_what_the_rule_says_and_is_shown_for_its_purpose_alone(
    rights: Rights,
) -> None:
    ann = rights.begin()
    request = rights.run(Kind.ERASURE, ann, **ERASE)
    (kept,) = show_request(rights.services, rights.officer, request.id).retained
    assert (kept.rule, kept.type, kept.count, kept.purpose, kept.until) == (
        *("bookkeeping", "Invoice", 1, "accounting"),
        "2036-01-03",
    )
    rights.finish(request.id)
    assert {table for table, _ in rights.holding("12 Quay Street, Bristol", "INV-1001")} == {
        "privacy_retained"
    }
    assert not {word for _, word in rights.holding("INV-1002")}
    (item,) = retained_items(rights.services, rights.author("finance"), request.id)
    assert item.content["values"]["invoiceNumber"] == "INV-1001"
    for role in ("compliance", "support", "marketing", "sales"):
        with pytest.raises(AccessDeniedError):
            retained_items(rights.services, rights.author(role), request.id)
    assert rights.rows("SELECT id FROM e_invoice") == []


def test_article_17_3_e_under_a_legal_hold_nothing_goes_here_or_at_a_source_until_it_is_released(
    rights: Rights,
) -> None:
    ann = rights.begin()
    order = PlaceHold("K-7", "a claim is before the court", "finance", date(2099, 1, 1), fresh_key(), (ann,))
    placed = place_hold(rights.services, rights.officer, order)
    before = rights.at_source("people"), rights.at_source("invoices")
    request = rights.run(Kind.ERASURE, ann, **ERASE)
    with rights.services.store.read() as connection:
        held = held_of(rights.services.store, connection, [ann]).rows
    assert (held["privacy_request"], held["held_party"] > 0) == (1, True)
    failed = [step for step in request.steps if step.state == "failed"]
    assert failed
    assert all("legal hold" in (step.proof or "") for step in failed)
    assert steps(rights, request.id)["hub/erasure"][1] != "done"
    assert (rights.at_source("people"), rights.at_source("invoices")) == before
    assert rights.rows("SELECT id FROM customer WHERE id = $id", id=ann)
    assert rights.rows("SELECT * FROM privacy_retained") == []
    release_hold(
        rights.services, rights.officer, ReleaseHold(placed.id, "the claim was settled", fresh_key())
    )
    run_request(rights.services, rights.officer, request.id)
    assert steps(rights, request.id)["hub/erasure"] == ("auto", "done")
    assert rights.at_source("people") == []


def test_what_the_law_no_longer_keeps_goes_and_old_requests_leave_the_register(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.run(Kind.ERASURE, ann, **ERASE)
    rights.finish(request.id)
    today = NOW.date()
    assert tidy(rights.services, rights.officer, today) == (0, 0)
    assert tidy(rights.services, rights.officer, add_months(today, 24)) == (0, 0)
    assert tidy(rights.services, rights.officer, add_months(today, 12 * 11)) == (1, 1)
    with pytest.raises(NotFoundError):
        show_request(rights.services, rights.officer, request.id)
    assert rights.rows("SELECT * FROM privacy_step") == []


def test_a_source_that_refuses_leaves_a_step_to_do_by_hand_and_the_hub_waits_for_it(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.planned(Kind.ERASURE, ann, **ERASE)
    rights.ledger.rename(rights.ledger.with_suffix(".away"))
    run_request(rights.services, rights.officer, request.id)
    assert steps(rights, request.id)["ledger/erasure"] == ("source", "failed")
    assert steps(rights, request.id)["hub/erasure"] == ("auto", "open")
    shown = show_request(rights.services, rights.officer, request.id).request
    assert record_keys(shown)["ledger"] == {"invoices": ["INV-1001", "INV-1002"], "people": ["L1"]}
    rights.ledger.with_suffix(".away").rename(rights.ledger)
    run_request(rights.services, rights.officer, request.id)
    assert steps(rights, request.id)["hub/erasure"] == ("auto", "done")


def test_a_source_is_touched_only_where_its_yaml_says_so(tmp_path: Path, store_url: str) -> None:
    rights = Rights(tmp_path, store_url, amend="{}")
    try:
        ann = rights.begin()
        request = rights.run(Kind.ERASURE, ann, **ERASE)
        assert steps(rights, request.id)["ledger/erasure"] == ("task", "open")
        assert len(rights.at_source("people")) == 1
    finally:
        rights.services.close()


def test_a_connector_refuses_what_its_yaml_does_not_let_it(tmp_path: Path, store_url: str) -> None:
    rights = Rights(tmp_path, store_url, amend="{people: [rectify]}")
    try:
        rights.begin()
        config = rights.services.sources.config("ledger")
        stream = config.streams["people"]
        with closing(rights.services.sources.connect(config)) as connector:
            assert isinstance(connector, Amending)
            read = StreamRead("people", stream.read, stream.key)
            with pytest.raises(SourceProtocolError, match=r"connector\.amend"):
                connector.erase(read, [{"no": "L1"}])
        assert len(rights.at_source("people")) == 1
    finally:
        rights.services.close()


def test_article_18_a_restricted_person_is_out_of_every_use_and_known_to_recipients(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.run(Kind.RESTRICTION, ann)
    bars = rights.rows("SELECT DISTINCT bar FROM standing WHERE customer_id = $id", id=ann)
    assert bars == [{"bar": "restriction"}]
    assert steps(rights, request.id)["mailer/restriction"] == ("notice", "open")  # Art. 19
    rights.finish(request.id)
    assert show_request(rights.services, rights.officer, request.id).request.outcome == "done"


def test_article_20_goes_what_was_given_by_agreement_and_nothing_inferred(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.run(Kind.PORTABILITY, ann)
    rights.finish(request.id)
    handed = access_package(rights.services, rights.officer, request.id)
    assert handed.page is None
    items = handed.content["items"]
    assert {item["kind"] for item in items} == {"Person", "Ticket"} or "Invoice" in {i["kind"] for i in items}
    assert not any(word in handed.json.decode() for word in ("evidence_bits", "profiling", "ben@example.com"))
    lines = (handed.csv or "").splitlines()
    assert lines[0] == "kind,record,source,stated_at,property,value"
    assert len(lines) - 1 == sum(len(item["values"]) for item in items)
    assert any("ann@example.com" in line for line in lines)


@pytest.mark.parametrize(
    ("kind", "law", "details", "bars"),
    [
        (Kind.OBJECTION, Law.GDPR, {"purpose": "marketing"}, {"marketing"}),
        (Kind.OBJECTION, Law.UK, {}, {"*"}),
        (Kind.OPT_OUT_OF_SALE, Law.CCPA, {}, {"third_party_sharing", "marketing.advertising.third_party"}),
        (
            Kind.LIMIT,
            Law.CCPA,
            {},
            {"analytics", "marketing", "personalize", "third_party_sharing", "train_ai_system"},
        ),
    ],
)
def test_article_21_and_ccpa_120_121_objections_hold_at_once_and_through_imports(
    rights: Rights, kind: Kind, law: Law, details: dict[str, str], bars: set[str]
) -> None:
    ann = rights.begin()
    rights.run(kind, ann, law, details=details)
    rights.sync_all()
    found = {row["bar"] for row in rights.rows("SELECT bar FROM standing WHERE customer_id = $id", id=ann)}
    assert found == bars


def test_an_opt_out_asks_nobody_who_they_are_and_is_california_s_alone(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.open(Kind.OPT_OUT_OF_SALE, ann, Law.CCPA)
    assert (request.state, request.method) == ("verified", "not_needed")
    with pytest.raises(QueryError, match="ccpa alone"):
        rights.open(Kind.LIMIT, ann, Law.GDPR)


@pytest.mark.parametrize(("kind", "law"), [(Kind.OPT_OUT_OF_SALE, Law.CCPA), (Kind.LIMIT, Law.CCPA)])
def test_ccpa_135_who_opted_out_is_not_asked_again_for_twelve_months(
    rights: Rights, kind: Kind, law: Law
) -> None:
    ann = rights.begin()
    request = rights.run(kind, ann, law, received=NOW.replace(year=2024, month=2, day=29))
    rights.finish(request.id)
    view = show_request(rights.services, rights.officer, request.id)
    assert (view.request.state, view.ask_again_on) == ("closed", date(2025, 2, 28))
    refused = rights.open(kind, ann, law)
    refuse(rights.services, rights.officer, refused.id, Refusal.UNFOUNDED, REASON)
    assert show_request(rights.services, rights.officer, refused.id).ask_again_on is None
    assert (
        show_request(rights.services, rights.officer, rights.open(Kind.OBJECTION, ann).id).ask_again_on
        is None
    )


def test_article_12_a_pause_moves_the_deadline_and_only_as_the_law_lets_it(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.open(Kind.ACCESS, ann, Law.UK)
    pause(rights.services, rights.officer, request.id, Pause.FEE, "20GBP")
    with pytest.raises(QueryError, match="stands already"):
        pause(rights.services, rights.officer, request.id, Pause.IDENTITY)
    view = show_request(rights.services, rights.officer, request.id)
    assert (view.is_paused, view.request.fee) == (True, "20GBP")
    assert not view.is_overdue
    resume(rights.services, rights.officer, request.id)
    with pytest.raises(QueryError, match="not standing"):
        resume(rights.services, rights.officer, request.id)
    ccpa = rights.open(Kind.ACCESS, ann, Law.CCPA)
    with pytest.raises(QueryError, match="does not stop"):
        pause(rights.services, rights.officer, ccpa.id, Pause.IDENTITY)


def test_article_12_an_extension_is_told_in_time_once_and_its_reason_is_sealed(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.open(Kind.ACCESS, ann)
    first = show_request(rights.services, rights.officer, request.id).deadline
    with pytest.raises(QueryError, match="20 to"):
        extend(rights.services, rights.officer, request.id, "too much")
    with pytest.raises(QueryError, match="may not name"):
        extend(rights.services, rights.officer, request.id, "Ann Archer has too many records for a month")
    extend(rights.services, rights.officer, request.id, "eleven systems have to be searched by hand")
    assert show_request(rights.services, rights.officer, request.id).deadline > first
    with pytest.raises(QueryError, match="once"):
        extend(rights.services, rights.officer, request.id, "eleven systems have to be searched by hand")
    late = rights.open(Kind.ACCESS, ann, received=NOW.replace(year=2024))
    with pytest.raises(QueryError, match="too late"):
        extend(rights.services, rights.officer, late.id, "eleven systems have to be searched by hand")
    told = events(rights.services, Action.PRIVACY_REQUEST_STEP)
    assert [event.reason_code for event in told] == ["extended"]
    assert "eleven" not in told[0].encode().decode()
    assert len(told[0].payloads) == 1


def test_article_12_a_refusal_has_a_reason_and_ends_the_request(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.open(Kind.ACCESS, ann, contact="ann@example.com", details={"said": "give me all"})
    refuse(rights.services, rights.officer, request.id, Refusal.EXCESSIVE, REASON)
    found = show_request(rights.services, rights.officer, request.id).request
    assert (found.state, found.outcome, found.contact, dict(found.details)) == (
        "refused",
        "refused.excessive",
        None,
        {},
    )
    for act in (plan_request, run_request):
        with pytest.raises(QueryError, match="while a request is refused"):
            act(rights.services, rights.officer, request.id)
    (closed,) = events(rights.services, Action.PRIVACY_REQUEST_CLOSED)
    assert (closed.about, closed.customers, closed.reason_code) == (request.id, (ann,), "refused.excessive")


def test_who_the_policy_does_not_name_handles_nothing_and_that_is_on_record(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.run(Kind.ACCESS, ann)
    support = rights.author("support")
    for act in (plan_request, run_request, show_request, access_package, preview_package):
        with pytest.raises(AccessDeniedError):
            act(rights.services, support, request.id)
    for ask in (list_requests, tidy):
        with pytest.raises(AccessDeniedError):
            ask(rights.services, support)
    refused = events(rights.services, Action.COMMAND_REFUSED)
    assert {event.reason_code for event in refused} == {"handle_privacy_request.FORBIDDEN"}
    assert len(refused) == 7


def test_the_register_is_sorted_by_urgency_and_counts_days_and_figures(rights: Rights) -> None:
    ann = rights.begin()
    old = rights.open(Kind.ACCESS, ann, received=NOW.replace(year=2025))
    new = rights.open(Kind.ERASURE, ann, Law.CCPA, **ERASE)
    refused = rights.open(Kind.ACCESS, None)
    refuse(rights.services, rights.officer, refused.id, Refusal.NOT_IDENTIFIED, REASON)
    views = list_requests(rights.services, rights.officer)
    assert [(view.request.id, view.is_overdue) for view in views] == [(old.id, True), (new.id, False)]
    assert (views[0].days_left < 0, views[1].days_left) == (True, 45)
    (metric,) = request_metrics(rights.services, rights.officer, 2025)
    assert (metric.law, metric.kind, metric.received, metric.open, metric.median_days) == (
        "gdpr",
        "access",
        1,
        1,
        None,
    )


def test_events_and_errors_hold_no_personal_value(rights: Rights) -> None:
    ann = rights.begin()
    request = rights.run(Kind.ERASURE, ann, contact="ann@example.com", **ERASE)
    rights.finish(request.id)
    told = events(
        rights.services,
        Action.PRIVACY_REQUEST_OPENED,
        Action.PRIVACY_REQUEST_STEP,
        Action.PRIVACY_REQUEST_CLOSED,
    )
    text = b" ".join(event.encode() for event in told).decode()
    assert not [word for word in ("Ann", "ann@example.com", "7001", "forget me") if word in text]
    assert "Archer" not in repr(request)
    assert {event.about for event in told[1:]} == {request.id}
