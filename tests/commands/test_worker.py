"""The worker reads what is due, leaves frozen and failing sources alone, and makes up for what it missed."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic, sleep

import pytest
from sqlalchemy import update

from hub.adapters.turns import past_of, turns
from hub.audit import Action, AuditEvent
from hub.commands import (
    FreezeSource,
    SyncSource,
    ThawSource,
    Worker,
    freeze_source,
    sync_source,
    thaw_source,
)
from hub.errors import AccessDeniedError, NotFoundError, QueryError, SourceUnavailableError
from hub.store import fixed
from tests.commands.command_world import Shop, fresh_key

HOUR = timedelta(hours=1)


class Clock:
    """The time that a test says it is; begins after all runs of the world."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) + HOUR

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def scheduled(shop: Shop, **schedules: str) -> None:
    """Give sources of the shop a schedule."""
    for name, said in schedules.items():
        path = shop.settings.config_dir / f"{name}.yaml"
        path.write_text(f"{path.read_text()}\nschedule: {said}\n")
    shop.reopen()


def events(shop: Shop, action: Action) -> list[AuditEvent]:
    return [event for event in shop.events() if event.action is action]


def worker(shop: Shop, clock: Clock, at_once: int = 2) -> Worker:
    return Worker(shop.services, shop.author("it"), at_once, clock)


def until_done(working: Worker) -> None:
    end = monotonic() + 60
    while working.under_way:
        assert monotonic() < end
        sleep(0.01)
        working._reap()


def state_of(shop: Shop, clock: Clock, source: str) -> str:
    return turns(shop.services.store, shop.services.sources.configs, clock.now, clock.now)[source].state


def failed(shop: Shop, source: str, times: int) -> None:
    """So many runs at the end that failed, as the store has them on record."""
    for _ in range(times):
        shop.sync(source)
    newest = f"SELECT id FROM run WHERE source = '{source}' AND kind = 'sync' ORDER BY id DESC LIMIT {times}"
    numbers = [row["id"] for row in shop.rows(newest)]
    with shop.services.store.write() as connection:
        connection.execute(update(fixed.run).where(fixed.run.c.id.in_(numbers)).values(state="failed"))


def test_what_is_due_is_read_and_nothing_else(shop: Shop, clock: Clock) -> None:
    scheduled(shop, club="{every: 15m}")
    working = worker(shop, clock)
    assert working.look() == ["club"]
    until_done(working)
    clock.now = datetime.now(UTC) + timedelta(minutes=5)
    assert working.look() == []
    clock.now = datetime.now(UTC) + timedelta(minutes=16)
    assert working.look() == ["club"]
    until_done(working)


def test_no_more_are_read_at_once_than_there_is_room_for_and_the_higher_priority_goes_first(
    shop: Shop, clock: Clock
) -> None:
    scheduled(shop, club="{every: 1s}", till="{every: 30m, priority: 90}")
    working = worker(shop, clock, at_once=1)
    assert working.look() == ["till"]
    assert len(working.under_way) == 1
    until_done(working)
    clock.now = datetime.now(UTC) + timedelta(minutes=5)
    assert working.look() == ["club"]
    until_done(working)


def test_a_source_that_fails_again_and_again_rests_and_is_tried_once(shop: Shop, clock: Clock) -> None:
    scheduled(shop, club="{every: 1s, breaker: {failures: 2, rest: 4h}}")
    failed(shop, "club", 2)
    assert state_of(shop, clock, "club") == "resting"
    assert worker(shop, clock).look() == []
    clock.now += 4 * HOUR
    working = worker(shop, clock)
    assert working.look() == ["club"]
    until_done(working)
    with shop.services.store.read() as connection:
        assert past_of(connection, "club").failures == 0


def test_a_run_whose_process_died_is_made_up_for(shop: Shop, clock: Clock) -> None:
    scheduled(shop, club="{every: 4h}")
    with shop.services.store.write() as connection:
        connection.execute(update(fixed.run).where(fixed.run.c.source == "club").values(state="running"))
    assert state_of(shop, clock, "club") == "due"
    with shop.services.store.lock("source-club"):
        assert state_of(shop, clock, "club") == "running"


def test_a_worker_told_to_stop_begins_nothing_more(shop: Shop, clock: Clock) -> None:
    scheduled(shop, club="{every: 1s}")
    stop, working = Event(), worker(shop, clock)
    known = len(events(shop, Action.SYNC_REQUESTED))
    thread = Thread(target=working.run, args=(stop,))
    thread.start()
    end = monotonic() + 60
    while len(events(shop, Action.SYNC_REQUESTED)) == known and monotonic() < end:
        sleep(0.05)
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    until_done(working)
    assert len(events(shop, Action.SYNC_REQUESTED)) > known


def test_once_it_reads_what_is_due_and_ends(
    shop: Shop, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    scheduled(shop, club="{every: 15m}", till="{cron: '0 0 1 1 *'}")
    with caplog.at_level(logging.INFO, "hub"):
        assert worker(shop, clock).run_due(Event()) == ["club"]
    assert any(line.startswith("club: run") and "unchanged" in line for line in caplog.messages)


# frozen


def freeze(shop: Shop, source: str = "club", until: datetime | None = None, role: str = "it") -> str:
    order = FreezeSource(source, until, "change 17", fresh_key())
    return freeze_source(shop.services, shop.author(role), order)


def test_no_sync_of_a_frozen_source_begins_until_it_is_thawed(shop: Shop, clock: Clock) -> None:
    scheduled(shop, club="{every: 15m}")
    assert freeze(shop) == "club"
    assert state_of(shop, clock, "club") == "frozen"
    assert worker(shop, clock).look() == []
    with pytest.raises(QueryError, match="club is frozen until it is thawed; `hub source thaw club`"):
        sync_source(shop.services, shop.author("it"), SyncSource("club", fresh_key()))
    with pytest.raises(SourceUnavailableError, match="is frozen"):
        shop.services.syncer.sync("club")
    assert thaw_source(shop.services, shop.author("it"), ThawSource("club", fresh_key())) == "club"
    working = worker(shop, clock)
    assert working.look() == ["club"]
    until_done(working)
    told = [event.reason_code for event in events(shop, Action.SOURCE_FROZEN)]
    assert told == ["frozen", "thawed"]


def test_a_freezing_ends_at_its_time(shop: Shop, clock: Clock) -> None:
    scheduled(shop, club="{every: 15m}")
    freeze(shop, until=datetime.now(UTC) + HOUR)
    assert state_of(shop, clock, "club") == "frozen"
    with shop.services.store.write() as connection:
        past = fixed.frozen_source.update().values(until="2026-01-01T00:00:00.000000Z")
        connection.execute(past)
    assert state_of(shop, clock, "club") == "due"


def test_the_reason_is_in_no_event(shop: Shop) -> None:
    freeze(shop)
    assert "change 17" not in repr(shop.events())


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (FreezeSource("nothing", None, "x", "k1"), NotFoundError),
        (FreezeSource("club", None, " ", "k2"), QueryError),
        (FreezeSource("club", None, "x" * 201, "k3"), QueryError),
        (FreezeSource("club", datetime(2020, 1, 1, tzinfo=UTC), "x", "k4"), QueryError),
    ],
)
def test_a_freezing_that_cannot_be_is_refused(
    shop: Shop, order: FreezeSource, error: type[Exception]
) -> None:
    with pytest.raises(error):
        freeze_source(shop.services, shop.author("it"), order)


def test_what_is_not_frozen_cannot_be_thawed_and_only_it_may_do_either(shop: Shop) -> None:
    with pytest.raises(QueryError, match="club is not frozen"):
        thaw_source(shop.services, shop.author("it"), ThawSource("club", fresh_key()))
    with pytest.raises(AccessDeniedError):
        freeze(shop, role="support")
