"""When a source is read next follows from its schedule and its past runs, and from nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.adapters import load_sources
from hub.adapters.schedules import CUT_OFF_WAIT, Past, Schedule, Turn, in_order, turn_of
from hub.errors import ConfigurationError
from hub.ontology import load_ontology

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)


def schedule(**said: Any) -> Schedule:
    return Schedule.model_validate(said)


def turn(said: Schedule | None, past: Past, now: datetime = NOON, began: datetime = NOON) -> Turn:
    return turn_of("erp", said, "UTC", past, began, now)


def ran(before: timedelta, state: str = "ok", failures: int = 0) -> Past:
    return Past(NOON - before, state, failures)


NEVER = Past(None, None, 0)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("90s", 90), ("15m", 900), ("4h", 14_400), ("1d", 86_400)]
)
def test_a_duration_is_a_number_with_its_unit(text: str, seconds: int) -> None:
    assert schedule(every=text).every == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "0m", "1.5h", "m", "15 m", "-1h", "15min", 900])
def test_anything_else_is_none(text: object) -> None:
    with pytest.raises(ValidationError, match="is no duration"):
        schedule(every=text)


@pytest.mark.parametrize(
    "said", [{}, {"every": "1h", "cron": "0 2 * * *"}, {"cron": "61 * * * *"}, {"cron": "daily"}]
)
def test_a_schedule_is_an_interval_or_a_cron_expression(said: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        schedule(**said)


def test_a_faulty_schedule_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "till.yaml").write_text(
        "source: till\nschedule: {every: 15 minutes}\nconnector: {type: files, root: x}\n"
        "streams: {a: {read: {glob: a.csv, format: {type: csv}}, key: k, entities: []}}\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        load_sources(tmp_path, load_ontology())
    assert any(
        "till.yaml:2:" in str(fault) and "is no duration" in str(fault) for fault in caught.value.faults
    )


def test_without_a_schedule_a_source_is_read_when_asked_to() -> None:
    assert turn(None, NEVER).state == "unscheduled"


@pytest.mark.parametrize(
    ("past", "state", "at"),
    [
        (NEVER, "due", NOON),
        (ran(14 * MINUTE), "waiting", NOON + MINUTE),
        (ran(15 * MINUTE), "due", NOON),
        (ran(timedelta(days=3)), "due", NOON - timedelta(days=3) + 15 * MINUTE),
        (ran(14 * MINUTE, "failed", 1), "waiting", NOON + MINUTE),
        (ran(20 * MINUTE, "failed", 4), "due", NOON - 5 * MINUTE),
        (ran(20 * MINUTE, "failed", 5), "resting", NOON + 40 * MINUTE),
        (ran(60 * MINUTE, "failed", 9), "due", NOON),
        (ran(CUT_OFF_WAIT / 2, "interrupted", 1), "waiting", NOON + CUT_OFF_WAIT / 2),
        (ran(CUT_OFF_WAIT, "interrupted", 1), "due", NOON),
        (ran(20 * MINUTE, "interrupted", 5), "resting", NOON + 40 * MINUTE),
    ],
)
def test_a_turn_by_interval(past: Past, state: str, at: datetime) -> None:
    found = turn(schedule(every="15m"), past)
    assert (found.state, found.at) == (state, at)


def test_a_run_under_way_is_not_overlapped() -> None:
    assert turn(schedule(every="1s"), ran(timedelta(days=1), "running")).state == "running"


def test_a_cron_expression_waits_for_its_time_even_before_the_first_run() -> None:
    nightly = schedule(cron="30 2 * * mon-fri")
    assert turn(nightly, NEVER) == Turn("erp", "waiting", datetime(2026, 5, 5, 2, 30, tzinfo=UTC), 50)


def test_a_time_that_was_missed_is_made_up_for_once() -> None:
    nightly = schedule(cron="30 2 * * *")
    missed = turn(nightly, ran(timedelta(days=4)))
    assert missed.state == "due"
    assert turn(nightly, ran(MINUTE)) == Turn("erp", "waiting", datetime(2026, 5, 5, 2, 30, tzinfo=UTC), 50)


@pytest.mark.parametrize(
    ("zone", "hour"), [(None, 2), ("Europe/Budapest", 0)], ids=["the source's", "its own"]
)
def test_a_cron_expression_is_in_a_zone(zone: str | None, hour: int) -> None:
    said = schedule(cron="0 2 * * *") if zone is None else schedule(cron="0 2 * * *", zone=zone)
    assert said.next_after(NOON, "UTC") == datetime(2026, 5, 5, hour, tzinfo=UTC)


def test_a_time_that_the_clock_skips_or_has_twice_comes_once() -> None:
    nightly, zone = schedule(cron="30 2 * * *"), "Europe/Budapest"
    moment, days = datetime(2026, 3, 27, 12, tzinfo=UTC), []
    for _ in range(250):
        moment = nightly.next_after(moment, zone)
        days.append(moment.astimezone(ZoneInfo(zone)).date())
    assert days == [days[0] + timedelta(days=n) for n in range(250)]


@given(seconds=st.integers(1, 10**6), jitter=st.integers(1, 10**5))
def test_jitter_delays_by_less_than_itself_and_for_every_worker_alike(seconds: int, jitter: int) -> None:
    late = schedule(every="1h", jitter=f"{jitter}s")
    past = Past(NOON - timedelta(seconds=seconds), "ok", 0)
    found, again = turn(late, past), turn(late, past, began=NOON + MINUTE)
    assert found == again
    assert found.at is not None
    delay = found.at - turn(schedule(every="1h"), past).at  # type: ignore[operator]
    assert timedelta(0) <= delay < timedelta(seconds=jitter)


def test_sources_are_spread_by_jitter() -> None:
    late = schedule(every="1h", jitter="10m")
    times = {turn_of(f"s{n}", late, "UTC", ran(MINUTE), NOON, NOON).at for n in range(50)}
    assert len(times) == 50


def test_the_most_urgent_goes_first() -> None:
    turns = {
        each.source: each
        for each in (
            Turn("old", "due", NOON - 9 * MINUTE, 50),
            Turn("new", "due", NOON - MINUTE, 50),
            Turn("high", "due", NOON, 80),
            Turn("later", "waiting", NOON + MINUTE, 100),
        )
    }
    assert [each.source for each in in_order(turns)] == ["high", "old", "new"]
