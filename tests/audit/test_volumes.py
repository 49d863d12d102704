"""Unusual volumes, compared with counting all events by hand."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median

import pytest

from hub.audit import RULE, TOLD, Action, AuditEvent, AuditLog, Usual, unusual_volumes

DAY = timedelta(days=1)
TODAY = datetime(2026, 6, 1, tzinfo=UTC)


def read(actor: str, at: datetime, customers: Sequence[int], role: str = "support") -> AuditEvent:
    names = tuple(f"customer-of-test-{number:04}" for number in customers)
    return AuditEvent(Action.READ, actor, roles=(role,), customers=names, at=at)


def days_of(
    actor: str, volumes: Sequence[int], role: str = "support", until: datetime = TODAY
) -> list[AuditEvent]:
    """One read a day, the last on the day before `until`."""
    count = len(volumes)
    return [
        read(actor, until - (count - place) * DAY, range(volume), role)
        for place, volume in enumerate(volumes)
    ]


def unusual(log: AuditLog, days: int = 1) -> list[tuple[str, date, int, tuple[str, ...]]]:
    found = unusual_volumes(log, TODAY, TODAY + days * DAY)
    return [(each.actor, each.day, each.customers, each.reasons) for each in found]


@pytest.mark.parametrize(
    ("volumes", "expected"),
    [
        ([10] * 4, None),
        ([10] * 5, Usual(5, 10.0, 1.0, 20.0)),
        ([100] * 6, Usual(6, 100.0, 10.0, 150.0)),
        ([30, 40, 50, 60, 5_000], Usual(5, 50.0, 14.826, 124.13)),
    ],
)
def test_what_is_usual_is_not_moved_by_a_wild_day(volumes: list[int], expected: Usual | None) -> None:
    found = Usual.of(volumes)
    assert (found is None) is (expected is None)
    if found is not None and expected is not None:
        assert found.days == expected.days
        figures = (found.median, found.deviation, found.bound)
        assert figures == pytest.approx((expected.median, expected.deviation, expected.bound))


def test_a_day_far_above_ones_own_past_is_unusual(log: AuditLog) -> None:
    log.append([*days_of("u-1", [30, 32, 28, 31, 30]), read("u-1", TODAY, range(200))])
    assert unusual(log) == [("u-1", TODAY.date(), 200, ("own_past",))]
    (found,) = unusual_volumes(log, TODAY, TODAY + DAY)
    assert (found.own, found.role, found.roles, found.events) == (
        Usual(5, 30.0, 3.0, 45.0),
        None,
        ("support",),
        1,
    )


def test_who_is_new_is_compared_with_others_of_the_role(log: AuditLog) -> None:
    log.append(
        [*days_of("u-1", [10] * 6), *days_of("u-2", [400] * 6, "marketing"), read("u-3", TODAY, range(25))]
    )
    assert unusual(log) == [("u-3", TODAY.date(), 25, ("role",))]


def test_where_there_is_nothing_to_compare_with_more_than_a_few_are_unusual(log: AuditLog) -> None:
    log.append([read("u-1", TODAY, range(21)), read("u-2", TODAY, range(20), "sales")])
    assert unusual(log) == [("u-1", TODAY.date(), 21, ("nothing_to_compare",))]


def test_the_same_customer_again_is_no_greater_volume(log: AuditLog) -> None:
    log.append(
        [
            *days_of("u-1", [10] * 6),
            *(read("u-1", TODAY + timedelta(minutes=n), range(15)) for n in range(50)),
        ]
    )
    assert unusual(log) == []


def test_a_day_that_began_before_is_past_and_one_that_ends_later_counts(log: AuditLog) -> None:
    log.append([read("u-1", TODAY + timedelta(hours=5), range(30)), read("u-1", TODAY + DAY, range(40))])
    found = unusual_volumes(log, TODAY + timedelta(hours=1), TODAY + DAY + timedelta(hours=1))
    assert [each.customers for each in found] == [40]


def test_drawn_volumes_are_judged_as_by_hand(log: AuditLog) -> None:
    draw = random.Random(5)
    events = []
    for number in range(8):
        role, usual = draw.choice(("support", "sales")), draw.choice((5, 30, 60))
        for day in range(-100, 3):
            if draw.random() < (0.9 if number else 0.05):
                count = usual * draw.choice((1, 1, 1, 1, 2, 9))
                at = TODAY + day * DAY + timedelta(hours=draw.randrange(24))
                events.append(read(f"u-{number}", at, draw.sample(range(600), count), role))
    draw.shuffle(events)
    log.append(
        [*events, AuditEvent(Action.CUSTOMER_CREATED, "system", customers=events[0].customers, at=TODAY)]
    )
    expected = by_hand(events, 3)
    assert sorted(unusual(log, 3)) == sorted(expected)
    assert {reason for *_, reasons in expected for reason in reasons} >= {"own_past", "role"}


def by_hand(events: Sequence[AuditEvent], days: int) -> list[tuple[str, date, int, tuple[str, ...]]]:
    seen: dict[tuple[str, date], set[str]] = defaultdict(set)
    for event in events:
        assert event.action in TOLD
        seen[event.actor, event.at.date()] |= set(event.customers)
    role = {event.actor: event.roles for event in events}
    first = TODAY.date() - 90 * DAY
    past = {key: len(who) for key, who in seen.items() if first <= key[1] < TODAY.date()}
    found = []
    for (actor, day), who in seen.items():
        if not TODAY.date() <= day < TODAY.date() + days * DAY or len(who) <= 20:
            continue
        own = [count for (name, _), count in past.items() if name == actor]
        like = [count for (name, _), count in past.items() if name != actor and role[name] == role[actor]]
        reasons = tuple(
            name for name, known in (("own_past", own), ("role", like)) if is_far(len(who), known)
        )
        if not reasons and len(own) < 5 and len(like) < 5:
            reasons = ("nothing_to_compare",)
        if reasons:
            found.append((actor, day, len(who), reasons))
    return found


def is_far(volume: int, known: Sequence[int]) -> bool:
    if len(known) < 5:
        return False
    middle = median(known)
    spread = 1.4826 * median([abs(each - middle) for each in known])
    return volume > max(20, middle + 5 * max(spread, 0.1 * middle, 1))


def test_the_rule_in_words_has_the_figures_of_the_rule() -> None:
    for figure in (
        "above 20",
        "5 x deviation",
        "90 days",
        "1.4826 times",
        "tenth of the median",
        "fewer than 5",
    ):
        assert figure in RULE
