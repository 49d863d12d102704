"""Unusual volumes: days on which somebody was told of far more customers than they or their like are on other days.

The rule is robust: a few wild days of the past, or of a colleague, move neither a median nor a median deviation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Literal

from sqlalchemy import BigInteger, Connection, func, literal_column, select

from hub.audit.database import leaf_customer_table, leaf_table
from hub.audit.events import microseconds
from hub.audit.log import AuditLog
from hub.audit.questions import TOLD, apart, events_at

PAST = timedelta(days=90)
"""How long before `since` volumes are compared with."""
MAX_WINDOW = timedelta(days=31)
LEAST_DAYS = 5
"""Days on which something was told, below which there is no past to compare with."""
LEAST = 20
"""Customers on a day up to which nothing is unusual."""
TIMES = 5
"""Deviations above the median from which on a volume is unusual."""
_NORMAL = 1.4826
"""What makes a median absolute deviation comparable with the standard deviation of a normal distribution."""

RULE = (
    "A volume is the number of different customers of whom reads, searches and exports told a requester on a day of"
    f" UTC. It is unusual when it is above {LEAST} and above median + {TIMES} x deviation of the requester's own days"
    f" in the {PAST.days} days before `since`, or of the days of others with one of the requester's roles. The"
    f" deviation is {_NORMAL} times the median absolute deviation, but no less than a tenth of the median, and than 1."
    f" Only days count on which something was told; fewer than {LEAST_DAYS} are not compared with. Where there is"
    f" neither a past nor a like, all above {LEAST} is unusual."
)

Reason = Literal["own_past", "role", "nothing_to_compare"]

_DAY_US = 86_400_000_000
_DAY_ONE = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Usual:
    """What volumes are usual, from those of some days."""

    days: int
    median: float
    deviation: float
    bound: float
    """Above it a volume is unusual."""

    @classmethod
    def of(cls, volumes: Sequence[int]) -> Usual | None:
        """What is usual by these volumes; None if they are too few."""
        if len(volumes) < LEAST_DAYS:
            return None
        middle = float(median(volumes))
        spread = _NORMAL * float(median(abs(each - middle) for each in volumes))
        deviation = max(spread, middle / 10, 1.0)
        return cls(len(volumes), middle, deviation, max(float(LEAST), middle + TIMES * deviation))


@dataclass(frozen=True, slots=True)
class Volume:
    """An unusual volume, with what it was compared with."""

    actor: str
    roles: tuple[str, ...]
    day: date
    events: int
    customers: int
    reasons: tuple[Reason, ...]
    own: Usual | None
    role: Usual | None


@dataclass(frozen=True, slots=True)
class _Day:
    actor: str
    number: int
    """Days since 1970."""
    events: int
    customers: int
    newest: int
    """The number of the day's last event."""


def unusual_volumes(log: AuditLog, since: datetime, until: datetime) -> list[Volume]:
    """The unusual volumes of the days that begin in this time, the highest first; see RULE."""
    first, end = _day_from(since), _day_from(until)
    with log.database.reading() as connection:
        days = _days(connection, first - PAST.days, end)
        roles = _roles(connection, days)
    past: dict[str, list[int]] = defaultdict(list)
    for each in days:
        if each.number < first:
            past[each.actor].append(each.customers)
    known: dict[str, Usual | None] = {}
    found = []
    for each in days:
        if each.number >= first and each.customers > LEAST:
            if each.actor not in known:
                known[each.actor] = _of_others(each.actor, roles, past)
            found.append(_judged(each, roles[each.actor], Usual.of(past[each.actor]), known[each.actor]))
    return sorted(
        (each for each in found if each.reasons), key=lambda each: (-each.customers, each.day, each.actor)
    )


def _judged(day: _Day, roles: tuple[str, ...], own: Usual | None, role: Usual | None) -> Volume:
    reasons: list[Reason] = []
    if own is not None and day.customers > own.bound:
        reasons.append("own_past")
    if role is not None and day.customers > role.bound:
        reasons.append("role")
    if own is None and role is None:
        reasons.append("nothing_to_compare")
    at = _DAY_ONE + timedelta(days=day.number)
    return Volume(day.actor, roles, at, day.events, day.customers, tuple(reasons), own, role)


def _of_others(
    actor: str, roles: Mapping[str, tuple[str, ...]], past: Mapping[str, Sequence[int]]
) -> Usual | None:
    own = set(roles[actor])
    others = (name for name in past if name != actor and own.intersection(roles[name]))
    return Usual.of([volume for name in others for volume in past[name]])


def _day_from(at: datetime) -> int:
    """The first day that begins no earlier."""
    return -(-microseconds(at.astimezone(UTC)) // _DAY_US)


def _days(connection: Connection, first: int, end: int) -> list[_Day]:
    leaf, link = leaf_table.c, leaf_customer_table.c
    day = (leaf.at_us // literal_column(str(_DAY_US), BigInteger)).label("day")
    query = (
        select(
            leaf.actor,
            day,
            func.count(leaf.seq.distinct()),
            func.count(link.customer.distinct()),
            func.max(leaf.seq),
        )
        .select_from(leaf_table.outerjoin(leaf_customer_table, link.seq == leaf.seq))
        .where(leaf.at_us >= first * _DAY_US, leaf.at_us < end * _DAY_US)
        .where(apart(leaf.action).in_([each.value for each in TOLD]))
        .group_by(leaf.actor, day)
        .order_by(leaf.actor, day)
    )
    return [_Day(*row) for row in connection.execute(query)]


def _roles(connection: Connection, days: Sequence[_Day]) -> dict[str, tuple[str, ...]]:
    """The roles of each actor, as their newest event tells them."""
    newest: dict[str, int] = {}
    for day in days:
        newest[day.actor] = max(day.newest, newest.get(day.actor, -1))
    events = events_at(connection, sorted(newest.values()))
    return {each.event.actor: each.event.roles for each in events}
