"""When a source is read by itself: its schedule, and from its past runs when its next turn is.

    schedule:
      every: 15m              # or cron: "30 2 * * mon-fri"
      jitter: 1m
      priority: 80
      breaker: {failures: 5, rest: 1h}

Nothing of this is kept: a turn follows from the schedule and the runs on record, so that it outlives a restart, counts
runs that somebody asked for, and is the same for all workers. A turn that was missed is made up for once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, field_validator, model_validator

from hub.adapters.converters.times import Zone
from hub.adapters.records import ConfigModel

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([1-9]\d{0,5})([smhd])")

CUT_OFF_WAIT = timedelta(minutes=1)
"""Before a run that was cut off is begun anew: what ends one run at once may end the next."""

TurnState = Literal["unscheduled", "waiting", "due", "running", "resting", "frozen"]


def _duration(value: Any) -> Any:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        if isinstance(value, timedelta):
            return value
        raise ValueError("is no duration: a number with s, m, h or d, such as 15m")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def duration_text(span: timedelta) -> str:
    """The duration as YAML has it.

    >>> duration_text(timedelta(minutes=90)), duration_text(timedelta(hours=2))
    ('90m', '2h')
    """
    seconds = int(span.total_seconds())
    unit = next(unit for unit in reversed(_UNITS) if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(duration_text),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"}),
]


class Breaker(ConfigModel):
    """When a source that goes on failing is left alone."""

    failures: int = Field(default=5, ge=1, description="Failed runs in a row after which it is left alone.")
    rest: Duration = Field(
        default=timedelta(hours=1),
        description="For how long, until one run tries whether it is well again.",
    )


class Schedule(ConfigModel):
    """When a source is read by itself: at an interval, or at the times of a cron expression."""

    every: Duration | None = Field(
        default=None, description="Interval from the start of one run to that of the next, such as `15m`."
    )
    cron: str | None = Field(
        default=None, description="Times by a cron expression of five fields, such as `30 2 * * mon-fri`."
    )
    zone: Zone | None = Field(
        default=None, description="IANA zone of the cron expression; the source's unless given."
    )
    jitter: Duration | None = Field(
        default=None,
        description="Up to how much later a turn may come, so that sources do not all begin at once.",
    )
    priority: int = Field(
        default=50,
        ge=0,
        le=100,
        description="Who goes first where more sources are due than may be read at once: the higher.",
    )
    breaker: Breaker = Field(default_factory=Breaker, description="When a failing source is left alone.")

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                CronSim(text, datetime(2000, 1, 1, tzinfo=UTC))
            except CronSimError as error:
                raise ValueError(
                    f"{str(error).lower()}: minute, hour, day, month, weekday are needed"
                ) from None
        return text

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.every is None) == (self.cron is None):
            raise ValueError("has either `every` or `cron`")
        return self

    @property
    def words(self) -> str:
        """The schedule as a person says it."""
        return self.cron or f"every {duration_text(self.every or timedelta())}"

    def next_after(self, moment: datetime, zone: str) -> datetime:
        """The first time after the moment, without jitter, in UTC; `zone` is that of the source."""
        if self.every is not None:
            return moment + self.every
        local = moment.astimezone(ZoneInfo(self.zone or zone))
        return next(CronSim(str(self.cron), local)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Past:
    """What the store tells of a source's runs."""

    started_at: datetime | None
    """When its newest sync began; None before the first."""
    state: str | None
    failures: int
    """Syncs in a row, the newest first, that failed or were cut off."""


@dataclass(frozen=True, slots=True)
class Turn:
    """When a source is to be read next, or why it is not."""

    source: str
    state: TurnState
    at: datetime | None = None
    """Of `waiting`, `due` and `resting`; the end of `frozen`, where it has one."""
    priority: int = 0


def turn_of(
    source: str, schedule: Schedule | None, zone: str, past: Past, began: datetime, now: datetime
) -> Turn:
    """The source's turn at this moment, for a worker that began at `began`.

    A source that was never read is due at once where it has an interval, and at its next time where it has a cron
    expression: who wants something done at night does not want it done at noon.
    """
    if schedule is None:
        return Turn(source, "unscheduled")
    if past.state == "running":
        return Turn(source, "running", priority=schedule.priority)
    at, state = _planned(source, schedule, zone, past, began), "waiting"
    if past.failures >= schedule.breaker.failures and past.started_at is not None:
        at, state = max(at, past.started_at + schedule.breaker.rest), "resting"
    return Turn(source, "due" if at <= now else state, at, schedule.priority)  # type: ignore[arg-type]


def _planned(source: str, schedule: Schedule, zone: str, past: Past, began: datetime) -> datetime:
    if past.state == "interrupted" and past.started_at is not None:
        return past.started_at + CUT_OFF_WAIT
    if past.started_at is None:
        if schedule.every is not None:
            return began
        first = schedule.next_after(began, zone)
        return first + _delay(source, schedule, first)
    planned = schedule.next_after(past.started_at, zone)
    return planned + _delay(source, schedule, planned)


def _delay(source: str, schedule: Schedule, planned: datetime) -> timedelta:
    """A part of the jitter, the same for every worker that asks."""
    if schedule.jitter is None:
        return timedelta(0)
    drawn = hashlib.blake2b(f"{source} {planned.isoformat()}".encode(), digest_size=4).digest()
    return schedule.jitter * (int.from_bytes(drawn, "big") / 2**32)


def in_order(turns: Mapping[str, Turn]) -> list[Turn]:
    """Those that are due, the most urgent first: by priority, then by how long they have waited."""
    due = [turn for turn in turns.values() if turn.state == "due" and turn.at is not None]
    return sorted(due, key=lambda turn: (-turn.priority, turn.at, turn.source))
