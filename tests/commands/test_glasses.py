"""Broken glasses: how they end, who reviews them, and who is told; on both databases."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from hub.access import Requester
from hub.audit import Action, AuditEvent
from hub.commands import (
    Author,
    BreakGlass,
    BrokenGlass,
    ReviewGlass,
    access_through,
    break_glass,
    broken_glasses,
    expire_glasses,
    notices,
    review_glass,
    stop_glass,
    tell_of_glasses,
    use_glass,
)
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.graph.plans import ById, Id, Selection, Value, Var, compile_plan, execute
from hub.services import Services, open_services
from hub.settings import Settings
from hub.store import fixed, iso_utc
from tests.commands.command_world import ANN, BEN, Shop
from tests.processes import CONTEXT

PURPOSE = "order_fulfilment"
REASON = "The carrier reports a leaking battery"


def planner(shop: Shop, subject: str = "planner-1", glass: str | None = None) -> Requester:
    return Requester(
        subject, frozenset({"supply_chain"}), "supply_chain", PURPOSE, "t", (PURPOSE,), (), glass
    )


def author(shop: Shop, subject: str = "planner-1") -> Author:
    return Author.of(planner(shop, subject), shop.services.access)


def officer(shop: Shop, subject: str = "officer-1") -> Author:
    purpose = "privacy_compliance"
    asks = Requester(subject, frozenset({"compliance"}), "compliance", purpose, "t", (purpose,))
    return Author.of(asks, shop.services.access)


def order(shop: Shop, key: str = "k1", **more: Any) -> BreakGlass:
    said = {"categories": ("user.contact",), "reason": REASON, "ticket": "INC-1", "minutes": None, "key": key}
    return BreakGlass(**{"customer": shop.customer("club", "1"), **said, **more})


def broken(shop: Shop, key: str = "k1") -> str:
    return break_glass(shop.services, author(shop), order(shop, key)).id


def row(shop: Shop, id_: str) -> BrokenGlass:
    return next(each for each in broken_glasses(shop.services, officer(shop)) if each.id == id_)


def run_out(services: Services, *ids: str) -> None:
    """Have the time of these glasses run out a moment ago."""
    table, past = fixed.break_glass, iso_utc(datetime.now(UTC) - timedelta(seconds=1))
    with services.store.write() as connection:
        connection.execute(update(table).where(table.c.id.in_(ids)).values(expires_at=past))


def told(shop: Shop, code: str) -> list[AuditEvent]:
    """The events of this kind so far."""
    shop.services.publish_events()
    found = (each.event for each in shop.services.audit.events())
    return [event for event in found if event.action is Action.BREAK_GLASS and event.reason_code == code]


# the end


def test_its_time_runs_out_once_whoever_notices(shop: Shop) -> None:
    ids = [broken(shop, f"k{number}") for number in range(3)]
    run_out(shop.services, *ids)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(expire_glasses(shop.services))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(found) == 3
    assert sorted(event.break_glass or "" for event in told(shop, "expired")) == sorted(ids)
    assert {event.actor for event in told(shop, "expired")} == {"system"}
    assert all(glass.stopped_at == glass.expires_at for glass in broken_glasses(shop.services, officer(shop)))


def _expire(settings: Settings) -> None:
    with open_services(settings, {}) as services:
        expire_glasses(services)
        services.publish_events()


def test_several_processes_end_each_of_them_once(shop: Shop) -> None:
    ids = [broken(shop, f"k{number}") for number in range(5)]
    run_out(shop.services, *ids)
    processes = [CONTEXT.Process(target=_expire, args=(shop.services.settings,)) for _ in range(3)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(60)
        assert each.exitcode == 0
    assert sorted(event.break_glass or "" for event in told(shop, "expired")) == sorted(ids)


def test_a_process_that_dies_on_the_way_leaves_the_end_to_another(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = broken(shop)
    run_out(shop.services, id_)

    class Killed(BaseException):
        pass

    def killed(*_anything: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("hub.commands.glasses.runs.post", killed)
        with pytest.raises(Killed):
            expire_glasses(shop.services)
    assert told(shop, "expired") == []
    assert row(shop, id_).stopped_at is None
    assert expire_glasses(shop.services) == 1
    assert len(told(shop, "expired")) == 1


def test_use_after_the_end_is_refused_and_not_counted(shop: Shop) -> None:
    id_ = broken(shop)
    asks, policy = planner(shop, glass=id_), shop.services.access
    access = access_through(shop.services, asks, policy)
    assert access.glass is not None
    use_glass(shop.services, asks, policy, access.glass)
    stop_glass(shop.services, author(shop), id_)
    with pytest.raises(AccessDeniedError, match="run out"):
        use_glass(shop.services, asks, policy, access.glass)
    assert row(shop, id_).uses == 1
    assert len(told(shop, "used")) == 1


def test_stopping_twice_is_stopping_once(shop: Shop) -> None:
    id_ = broken(shop)
    first, second = (stop_glass(shop.services, author(shop), id_) for _ in range(2))
    assert first == second
    assert len(told(shop, "stopped")) == 1


def test_a_reviewer_may_stop_it_and_nobody_else_knows_of_it(shop: Shop) -> None:
    id_ = broken(shop)
    for unknown in (id_, "no id", "01234567-89ab-7def-8123-456789abcdef"):
        with pytest.raises(NotFoundError, match="there is no break-glass with this id"):
            stop_glass(shop.services, author(shop, "planner-2"), unknown)
    assert stop_glass(shop.services, officer(shop), id_).stopped_by == "officer-1"


def test_who_loses_the_right_by_a_new_policy_sees_nothing_more(shop: Shop) -> None:
    id_ = broken(shop)
    asks = planner(shop, glass=id_)
    changed = shop.services.access.policy.model_copy(deep=True)
    role = changed.roles["supply_chain"].model_copy(update={"break_glass": None})
    from hub.access import compile_policy

    without = compile_policy(
        changed.model_copy(update={"roles": {**changed.roles, "supply_chain": role}}),
        shop.services.ontology.taxonomy,
    )
    assert access_through(shop.services, asks, shop.services.access).glass is not None
    with pytest.raises(AccessDeniedError, match="does not let you open"):
        access_through(shop.services, asks, without)


def test_it_follows_a_customer_who_is_merged(shop: Shop) -> None:
    id_ = break_glass(shop.services, author(shop), order(shop, customer=shop.customer("club", "2"))).id
    before = shop.customer("club", "2")
    shop.write("club", [ANN, {**BEN, "card": ANN["card"], "email": ANN["email"]}])
    shop.sync()
    after = shop.customer("club", "1")
    assert shop.customer("club", "2") == after
    asks = planner(shop, glass=id_)
    access = access_through(shop.services, asks, shop.services.access)
    root = ById(Selection("Customer", (Id("id"), Value("email", "email"))), Var("id"))
    plan = compile_plan(shop.services.ontology, root, access, shop.services.store.dialect.name)
    with shop.services.store.read() as connection:
        for given in (before, after):
            found = json.loads(execute(connection, plan, {**access.reach.variables, "id": given}).json_text)
            assert found == {"id": after, "email": ANN["email"]}
        # A plan that nobody told for whom it is shows nobody.
        assert execute(connection, plan, {"id": after}).json_text == "null"


# review


def review(shop: Shop, id_: str, who: Author, key: str = "r1", outcome: Any = "justified") -> str:
    return review_glass(shop.services, who, ReviewGlass(id_, outcome, "seen", key))


def test_it_is_reviewed_once_it_has_ended_and_not_by_who_broke_it(shop: Shop) -> None:
    id_ = broken(shop)
    with pytest.raises(QueryError, match="open still"):
        review(shop, id_, officer(shop))
    stop_glass(shop.services, author(shop), id_)
    with pytest.raises(AccessDeniedError):
        review(shop, id_, author(shop))
    with pytest.raises(AccessDeniedError, match="who broke the glass"):
        review(shop, id_, officer(shop, "planner-1"))
    with pytest.raises(NotFoundError):
        review(shop, "01234567-89ab-7def-8123-456789abcdef", officer(shop))
    assert review(shop, id_, officer(shop)) == id_
    assert review(shop, id_, officer(shop)) == id_
    with pytest.raises(QueryError, match="reviewed before"):
        review(shop, id_, officer(shop), "r2")
    assert broken_glasses(shop.services, officer(shop)) == []
    (kept,) = broken_glasses(shop.services, officer(shop), reviewed=True)
    assert (kept.outcome, kept.note, kept.reviewed_by, kept.state) == (
        "justified",
        "seen",
        "officer-1",
        "reviewed",
    )
    (event,) = told(shop, "reviewed.justified")
    assert (event.actor, event.break_glass) == ("officer-1", id_)


@pytest.mark.parametrize(("outcome", "note"), [("fine", ""), ("justified", "x" * 1001)])
def test_a_review_that_says_something_else_is_refused(shop: Shop, outcome: Any, note: str) -> None:
    id_ = broken(shop)
    stop_glass(shop.services, author(shop), id_)
    with pytest.raises(QueryError):
        review_glass(shop.services, officer(shop), ReviewGlass(id_, outcome, note, "r1"))


def test_the_queue_is_told_in_pages(shop: Shop) -> None:
    ids = sorted(broken(shop, f"k{number}") for number in range(3))
    first = broken_glasses(shop.services, officer(shop), first=2)
    rest = broken_glasses(shop.services, officer(shop), first=2, after=first[-1].id)
    assert [glass.id for glass in (*first, *rest)] == ids


# notice


@contextmanager
def listening(shop: Shop, *statuses: int) -> Iterator[list[Any]]:
    """What is posted to a server that answers with these statuses; the hub is set to tell it."""
    posted: list[Any] = []
    answers = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(answers.pop(0) if answers else 204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = SecretStr(f"http://127.0.0.1:{server.server_port}/notice?key=secret-of-the-address")
    settings = shop.services.settings
    object.__setattr__(shop.services, "settings", settings.model_copy(update={"break_glass_notice_url": url}))
    try:
        yield posted
    finally:
        object.__setattr__(shop.services, "settings", settings)
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_notice_tells_of_the_glass_and_of_nobody(shop: Shop) -> None:
    with listening(shop) as posted:
        id_ = broken(shop)
        assert tell_of_glasses(shop.services) == 1
        assert tell_of_glasses(shop.services) == 0
        kept = row(shop, id_)
    assert posted == [
        {
            "id": id_,
            "roles": ["supply_chain"],
            "purpose": PURPOSE,
            "categories": ["user.contact"],
            "expiresAt": kept.expires_at,
        }
    ]
    assert kept.notified_at is not None
    assert kept.notices == 1


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_notice_that_is_not_taken_is_sent_again_later(
    shop: Shop, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    table = fixed.break_glass
    with listening(shop, status) as posted, caplog.at_level(logging.DEBUG, "hub"):
        id_ = broken(shop)
        assert [tell_of_glasses(shop.services) for _ in range(2)] == [0, 0]
        assert len(posted) == 1
        assert row(shop, id_).notified_at is None
        with shop.services.store.write() as connection:
            assert connection.execute(select(table.c.notice_after)).scalar_one() > iso_utc(datetime.now(UTC))
            connection.execute(update(table).values(notice_after=None))
        assert tell_of_glasses(shop.services) == 1
    assert (len(posted), row(shop, id_).notices) == (2, 2)
    assert "secret-of-the-address" not in caplog.text


def test_two_processes_at_once_send_one_notice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    inner: list[int] = []
    told_by = notices._told

    def told_while_another_tries(services: Services, url: str, glass: BrokenGlass) -> bool:
        inner.append(tell_of_glasses(services))
        return told_by(services, url, glass)

    monkeypatch.setattr(notices, "_told", told_while_another_tries)
    with listening(shop) as posted:
        broken(shop)
        assert tell_of_glasses(shop.services) == 1
    assert inner == [0]
    assert len(posted) == 1


def test_without_an_address_the_log_says_so_and_nobody_is_told(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "hub"):
        id_ = broken(shop)
    (line,) = [
        record.getMessage()
        for record in caplog.records
        if "HUB_BREAK_GLASS_NOTICE_URL" in record.getMessage()
    ]
    assert id_ in line
    assert tell_of_glasses(shop.services) == 0
