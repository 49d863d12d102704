"""Breaches: exactly those are found of whom an account was told, or of whom something lies at a place."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hub.access import fingerprint
from hub.audit import Action
from hub.commands import Author
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.privacy.breach import (
    BreachScope,
    NotifyIncident,
    RecordIncident,
    Where,
    as_csv,
    as_json,
    as_markdown,
    breach_scope,
    find_incident_of,
    incidents,
    note_incident,
    people_of,
    record_incident,
)
from tests.api.api_world import World, asking
from tests.commands.command_world import A_A, ANN, BEN, Shop, fresh_key
from tests.commands.erasing_world import erase, told
from tests.privacy.keeping.retention_world import Keeper, person

READ = "query($id: ID!) { customer(id: $id) { name email } }"
TEXTS = {
    "nature": "the password of an agent was phished by mail",
    "consequences": "attempts at fraud by telephone are likely",
    "measures": "the account was closed and its sessions ended",
}


def scope(shop: Shop, **where: object) -> BreachScope:
    return breach_scope(shop.services, shop.author("compliance"), Where(**where))


def recorded(shop: Shop, aware_at: datetime | None = None, **where: object) -> str:
    order = RecordIncident(
        Where(**{"source": "ledger", **where}), owner="compliance", key=fresh_key(),
        aware_at=aware_at or datetime.now(UTC), **TEXTS,
    )  # fmt: skip
    return record_incident(shop.services, shop.author("compliance"), order)


def noted(shop: Shop, id_: str, kind: str, note: str = "AP-2026-118", **more: object):  # type: ignore[no-untyped-def]
    order = NotifyIncident(id_, kind, note, fresh_key(), **more)
    return note_incident(shop.services, shop.author("compliance"), order)


@pytest.fixture
def company(keeper: Keeper) -> Iterator[tuple[World, Keeper, dict[str, str]]]:
    """Six customers behind the API."""
    keeper.keep(people=[person(f"P{n}", card=f"700{n}") for n in range(6)])
    keeper.reopen(demo=True)
    customers = {f"P{n}": keeper.customer("ledger", f"P{n}") for n in range(6)}
    with asking(keeper.services) as world:
        keeper.services.publish()
        yield world, keeper, customers


def test_articles_33_34_a_leaked_credential_gives_exactly_whom_it_read(
    company: tuple[World, Keeper, dict[str, str]],
) -> None:
    world, keeper, customers = company
    stolen = "u-support"
    before = datetime.now(UTC)
    world.ask(READ, "sales", id=customers["P0"])
    world.ask(READ, "support", id=customers["P1"])
    world.ask('{ search(text: "person.p2@example.com") { hits { title } } }', "support")
    world.ask(READ, "support", id="cus_nobody")
    seen = world.ask("query($id: ID!) { customer(id: $id) { id } }", "support", id=customers["P3"])
    assert seen.data["customer"]["id"] == customers["P3"]
    found = scope(keeper, account=stolen, since=before)
    read = [each.event for each in keeper.services.audit.events() if each.event.actor == stolen]
    expected = {id_ for event in read for id_ in event.customers}
    assert set(found.customers) == {customers[key] for key in ("P1", "P2", "P3")} == expected
    assert found.categories["user.contact.email"] >= 1
    assert [(each.actor, each.customers) for each in found.actors] == [(stolen, 3)]
    assert found.erased == 0
    assert found.nameless >= 1, "one asked for somebody who is not there"
    everybody = scope(keeper, since=before)
    assert set(everybody.customers) == {customers[key] for key in ("P0", "P1", "P2", "P3")}
    assert scope(keeper, account=stolen, until=before).customers == ()
    assert scope(keeper, account="u-nobody").customers == ()


def test_articles_33_34_of_an_account_s_tokens_one_gives_exactly_whom_it_read(
    company: tuple[World, Keeper, dict[str, str]],
) -> None:
    """Also by commands, and by the key of a machine; neither token nor key is in the log."""
    world, keeper, customers = company
    leaked, own = world.token("support", client="phone"), world.token("support", client="desk")
    key, text = keeper.services.keys.create("till-3", ("support",), ("customer_service",), 1)
    for token, number in ((leaked, "P0"), (own, "P1"), (leaked, "P2"), (text, "P3")):
        asked = world.post({"query": READ, "variables": {"id": customers[number]}}, token)
        assert asked.data["customer"]["name"]
    noted_of = {"customerId": customers["P4"], "kind": "visit", "idempotencyKey": fresh_key()}
    note = "mutation($input: InteractionInput!) { logInteraction(input: $input) { id } }"
    world.post({"query": note, "variables": {"input": noted_of}}, leaked)
    found = scope(keeper, account="u-support", credential=fingerprint(leaked))
    assert set(found.customers) == {customers["P0"], customers["P2"]}
    assert set(scope(keeper, credential=fingerprint(leaked)).customers) == set(found.customers)
    assert scope(keeper, account="u-sales", credential=fingerprint(leaked)).customers == ()
    assert scope(keeper, account=key.subject, credential=fingerprint(text)).customers == (customers["P3"],)
    whole = scope(keeper, account="u-support")
    assert whole.credentials == {fingerprint(leaked): 2, fingerprint(own): 1}
    (logged,) = [each.event for each in told(keeper, Action.INTERACTION_LOGGED)]
    assert logged.credential == fingerprint(leaked)
    log = b" ".join(each.event.encode() for each in keeper.services.audit.events())
    assert not [each for each in (leaked, own, text) if each.encode() in log]
    with pytest.raises(QueryError, match="hub breach fingerprint"):
        scope(keeper, credential=leaked)


def test_of_an_account_and_a_place_both_hold(company: tuple[World, Keeper, dict[str, str]]) -> None:
    world, keeper, customers = company
    keeper.write("till", [{**BEN, "card": "7001"}])
    keeper.sync("till")
    both = keeper.customer("ledger", "P1")
    assert both == keeper.customer("till", "2")
    for id_ in (both, customers["P2"]):
        world.ask(READ, "support", id=id_)
    assert scope(keeper, account="u-support", source="till").customers == (both,)
    assert scope(keeper, source="till").customers == (both,)
    assert len(scope(keeper, source="ledger").customers) == 6


def test_who_was_one_with_a_customer_when_that_one_was_read_was_read_too(keeper: Keeper) -> None:
    keeper.write("club", [ANN])
    keeper.write("till", [{**A_A, "card": "7001"}])
    keeper.sync()
    whole = keeper.customer("club", "1")
    keeper.reopen(demo=True)
    with asking(keeper.services) as world:
        world.ask(READ, "support", id=whole)
        keeper.write("till", [{**A_A, "card": "7999"}])
        keeper.sync("till")
        parts = {keeper.customer("club", "1"), keeper.customer("till", "9")}
        assert len(parts) == 2
        assert set(scope(keeper, account="u-support").customers) == parts
        after = datetime.now(UTC)
        world.ask(READ, "support", id=keeper.customer("club", "1"))
        assert len(scope(keeper, account="u-support", since=after).customers) == 1


def test_who_was_erased_since_is_counted(keeper: Keeper) -> None:
    keeper.write("club", [ANN, BEN])
    keeper.sync("club")
    ann, ben = keeper.customer("club", "1"), keeper.customer("club", "2")
    keeper.reopen(demo=True)
    with asking(keeper.services) as world:
        for id_ in (ann, ben):
            world.ask(READ, "support", id=id_)
        erase(keeper, ann, scrub=False)
        found = scope(keeper, account="u-support")
        assert (found.customers, found.erased) == ((ben,), 1)


def test_of_a_place_all_are_found_of_whom_something_lies_there(keeper: Keeper) -> None:
    keeper.keep(
        people=[person("P1"), person("P2")],
        orders=[{"no": "O1", "buyer": "P1", "at": "2039-01-01T00:00:00Z"}],
        tickets=[{"no": "T9", "who": "nobody", "at": "2039-01-01T00:00:00Z", "subject": "who?"}],
    )
    then = datetime.now(UTC)
    keeper.keep(people=[person("P1"), person("P2"), person("P3")])
    orders = scope(keeper, source="ledger", stream="orders")
    assert orders.customers == (keeper.customer("ledger", "P1"),)
    assert orders.types == {"Order": 1}
    assert set(orders.categories) == {"user.behavior.purchase_history"}
    whole = scope(keeper, source="ledger")
    assert (len(whole.customers), whole.unresolved) == (3, 1)
    assert whole.categories["user.contact.email"] == 3
    assert len(scope(keeper, source="ledger", until=then).customers) == 2
    keeper.write("club", [BEN])
    keeper.sync("club")
    assert len(scope(keeper, whole_hub=True).customers) == 4
    assert (whole.events, whole.actors) == (0, ())


@pytest.mark.parametrize(
    ("where", "match"),
    [
        ({}, "name a place"),
        ({"until": datetime(2039, 1, 1, tzinfo=UTC)}, "name a place"),
        ({"source": "ledgre"}, "nothing is configured nor held"),
        ({"source": "ledger", "stream": "nothing"}, "nothing is configured nor held"),
        ({"stream": "orders", "account": "u-support"}, "a stream is one of a source"),
        ({"source": "ledger", "whole_hub": True}, "name one of both"),
        ({"account": "ann@example.com"}, "an opaque id"),
        (
            {"since": datetime(2039, 1, 2, tzinfo=UTC), "until": datetime(2039, 1, 1, tzinfo=UTC)},
            "since lies before until",
        ),
    ],
)
def test_a_question_that_would_find_nobody_by_mistake_is_refused(
    keeper: Keeper, where: dict[str, object], match: str
) -> None:
    with pytest.raises(QueryError, match=match):
        scope(keeper, **where)


def test_an_incident_is_registered_followed_and_closed(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1"), person("P2")])
    id_ = recorded(keeper)
    [event] = [each.event for each in told(keeper, Action.INCIDENT)]
    assert (event.reason_code, len(event.customers), event.counts["customers"]) == ("recorded", 2, 2)
    assert "user.contact.email" in event.data_categories
    assert "phished" not in event.encode().decode()
    [entry] = incidents(keeper.services, keeper.author("compliance"))
    assert (entry.people, entry.lacks, entry.is_overdue) == (2, ("authority", "people"), False)
    assert entry.due_at - datetime.fromisoformat(entry.aware_at) == timedelta(hours=72)
    with pytest.raises(QueryError, match="decide about: authority, people"):
        noted(keeper, id_, "closed")
    noted(keeper, id_, "authority_notified")
    with pytest.raises(QueryError, match="20 to"):
        noted(keeper, id_, "people_not_needed", "encrypted")
    noted(keeper, id_, "people_not_needed", "the passwords were hashed and salted (Art. 34(3)(a))")
    closed = noted(keeper, id_, "closed", "reviewed with the head of support")
    assert (closed.is_closed, closed.lacks, closed.is_late) == (True, (), False)
    with pytest.raises(QueryError, match="closed"):
        noted(keeper, id_, "measure", "agents were trained to know such mails")
    codes = [each.event.reason_code for each in told(keeper, Action.INCIDENT)]
    assert codes == ["recorded", "authority_notified", "people_not_needed", "closed"]


def test_after_72_hours_the_reasons_for_the_delay_are_asked_for(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")])
    id_ = recorded(keeper, datetime.now(UTC) - timedelta(hours=73))
    [entry] = incidents(keeper.services, keeper.author("compliance"))
    assert entry.is_overdue
    with pytest.raises(QueryError, match="reasons for the delay"):
        noted(keeper, id_, "authority_notified")
    earlier = datetime.now(UTC) - timedelta(hours=2)
    assert not noted(keeper, id_, "authority_notified", at=earlier).is_late
    late = noted(keeper, id_, "authority_notified", "the log was out of reach for two days")
    assert (late.is_late, late.is_overdue) == (True, False)
    for wrong in (datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) - timedelta(hours=80)):
        with pytest.raises(QueryError, match="between becoming aware and now"):
            noted(keeper, id_, "people_told", "by letter", at=wrong)


def test_a_report_holds_ids_and_no_values(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1"), person("P2")])
    id_ = recorded(keeper)
    noted(keeper, id_, "authority_notified", "AP-2026-118 | by form")
    entry, customers = find_incident_of(keeper.services, keeper.author("compliance"), id_)
    assert set(customers) == {keeper.customer("ledger", key) for key in ("P1", "P2")}
    rows = list(csv.reader(io.StringIO(as_csv(customers))))
    assert rows == [["customer"], *([each] for each in customers)]
    loaded = json.loads(as_json(entry, customers))
    assert (loaded["customers"], loaded["people"]) == (list(customers), 2)
    assert loaded["found"]["categories"]["user.contact.email"] == 2
    page = as_markdown(entry)
    assert TEXTS["nature"] in page
    assert "AP-2026-118 \\| by form" in page
    assert not [word for word in (*customers, "example.com", "Person P1") if word in page]


def test_how_to_reach_them_is_an_access_of_its_own(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")])
    id_ = recorded(keeper)
    with pytest.raises(AccessDeniedError, match="none of the ways"):
        people_of(keeper.services, keeper.author("compliance"), id_)
    operator = Author.operator("os:tester", keeper.services.access)
    [found] = people_of(keeper.services, operator, id_)
    assert (found["name"], found["email"]) == ("Person P1", "person.p1@example.com")
    [read] = [each.event for each in told(keeper, Action.READ)]
    assert (read.actor, read.customers) == ("os:tester", (keeper.customer("ledger", "P1"),))
    assert "user.contact.email" in read.data_categories


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"nature": "lost"}, "nature has 20"),
        ({"owner": "nobody"}, "an owner is"),
        ({"aware_at": datetime(2100, 1, 1, tzinfo=UTC)}, "in the future"),
        ({"measures": "Person P1 was told by telephone"}, "may name somebody"),
    ],
)
def test_an_entry_that_lacks_something_is_refused(
    keeper: Keeper, more: dict[str, object], match: str
) -> None:
    keeper.keep(people=[person("P1")])
    said = {"owner": "compliance", "aware_at": datetime.now(UTC), **TEXTS, **more}
    order = RecordIncident(Where(source="ledger"), key=fresh_key(), **said)
    with pytest.raises(QueryError, match=match):
        record_incident(keeper.services, keeper.author("compliance"), order)
    assert incidents(keeper.services, keeper.author("compliance")) == []


def test_who_may_not_learns_nothing(keeper: Keeper) -> None:
    keeper.keep(people=[person("P1")])
    id_ = recorded(keeper)
    for role in ("support", "it", "management"):
        author = keeper.author(role)
        for ask in (
            lambda who: breach_scope(keeper.services, who, Where(source="ledger")),
            lambda who: incidents(keeper.services, who),
            lambda who: find_incident_of(keeper.services, who, id_),
            lambda who: people_of(keeper.services, who, id_),
            lambda who: note_incident(
                keeper.services, who, NotifyIncident(id_, "closed", "done", fresh_key())
            ),
        ):
            with pytest.raises(AccessDeniedError, match="handle_breach"):
                ask(author)
    with pytest.raises(NotFoundError):
        find_incident_of(keeper.services, keeper.author("compliance"), "none")
