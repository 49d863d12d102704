"""Questions to the log, each compared with reading all of its events."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.audit import (
    ACCESSES,
    CHANGES,
    TOLD,
    Action,
    AuditEvent,
    AuditLog,
    RecordedEvent,
    Wanted,
    draw,
    find,
    find_all,
    questions,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
CUSTOMERS = [f"customer-of-test-{number:04}" for number in range(9)]
ACTORS = [f"u-{number}" for number in range(5)]
CATEGORIES = ["user", "user.contact", "user.contact.email", "user.contacts", "user.name", "system.operations"]
PURPOSES = ["customer_service", "accounting", "sales"]
GLASSES = [None, None, "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"]
ACTIONS = (*TOLD, *CHANGES, Action.AUDIT_READ, Action.SYNC_STARTED, Action.BREAK_GLASS)


def drawn_event(draw: random.Random) -> AuditEvent:
    """An event as any may be, its time not that of its neighbours."""
    return AuditEvent(
        draw.choice(ACTIONS),
        draw.choice(ACTORS),
        purpose=draw.choice([None, *PURPOSES]),
        reason_code=draw.choice([None, "revealed", "accesses_of"]),
        customers=tuple(draw.sample(CUSTOMERS, draw.choice((0, 1, 1, 2, 5)))),
        data_categories=tuple(draw.sample(CATEGORIES, draw.choice((0, 1, 2)))),
        omitted={"data_categories": 1} if draw.random() < 0.05 else {},
        break_glass=draw.choice(GLASSES),
        at=START + timedelta(hours=12 * draw.randrange(40)),
    )


def drawn_wanted(draw: random.Random) -> Wanted:
    begin, end = sorted(START + timedelta(hours=12 * draw.randrange(40)) for _ in range(2))
    given: dict[str, Any] = {
        "actions": draw.choice([(), TOLD, ACCESSES, CHANGES]),
        "customers": draw.sample(CUSTOMERS, draw.choice((0, 1, 3))),
        "actor": draw.choice([None, *ACTORS]),
        "categories": draw.choice([(), ("user.contact",), ("user.name", "system")]),
        "purposes": draw.choice([(), ("accounting",), ("sales", "accounting")]),
        "since": draw.choice([None, begin]),
        "until": draw.choice([None, end]),
        "without_customer": draw.random() < 0.2,
    }
    return Wanted(**given)


def below(name: str, category: str) -> bool:
    return name.split(".")[: len(category.split("."))] == category.split(".")


def has(event: AuditEvent, categories: Any) -> bool:
    cut = "data_categories" in event.omitted
    return cut or any(below(name, category) for name in event.data_categories for category in categories)


def is_wanted(event: AuditEvent, wanted: Wanted) -> bool:
    """What the question asks, said once more."""
    if wanted.break_glass is not None:
        near = event.actor == wanted.actor or bool({*event.customers} & {*wanted.customers})
        return event.break_glass == wanted.break_glass and near and is_in_time(event, wanted)
    return (
        (not wanted.actions or event.action in wanted.actions)
        and (event.action != Action.AUDIT_READ or event.reason_code == "revealed")
        and (not wanted.customers or bool({*event.customers} & {*wanted.customers}))
        and wanted.actor in (None, event.actor)
        and (not wanted.categories or has(event, wanted.categories))
        and (not wanted.purposes or event.purpose in wanted.purposes)
        and is_in_time(event, wanted)
        and (not wanted.without_customer or (not event.customers and has(event, ["user"])))
    )


def is_in_time(event: AuditEvent, wanted: Wanted) -> bool:
    return (wanted.since or event.at) <= event.at and (wanted.until is None or event.at < wanted.until)


def by_hand(log: AuditLog, wanted: Wanted) -> list[RecordedEvent]:
    return [each for each in log.events(limit=10_000) if is_wanted(each.event, wanted)]


def by_pages(log: AuditLog, wanted: Wanted, first: int) -> Iterator[RecordedEvent]:
    after: int | None = -1
    while after is not None:
        page = find(log, wanted, first=first, after=after)
        assert len(page.events) <= first
        yield from page.events
        after = page.next


@pytest.fixture
def full(log: AuditLog) -> AuditLog:
    """A log of drawn events."""
    draw = random.Random(7)
    log.append([drawn_event(draw) for _ in range(400)])
    return log


def test_every_question_finds_what_reading_all_events_finds(full: AuditLog) -> None:
    draw = random.Random(11)
    answered = 0
    for _ in range(150):
        wanted = drawn_wanted(draw)
        expected = by_hand(full, wanted)
        assert list(by_pages(full, wanted, draw.choice((1, 7, 100)))) == expected, wanted
        assert list(find_all(full, wanted)) == expected
        answered += len(expected)
    assert answered > 500


def test_what_happened_under_a_glass_is_found_by_its_customer_and_by_who_broke_it(full: AuditLog) -> None:
    for glass in GLASSES[2:]:
        for actor in ACTORS:
            wanted = Wanted(customers=CUSTOMERS[:2], actor=actor, since=START, break_glass=glass)
            assert list(by_pages(full, wanted, 3)) == by_hand(full, wanted)
            assert by_hand(full, wanted)


def test_a_page_reads_a_bounded_number_of_events_and_says_where_to_go_on(
    full: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "_CHUNK", 10)
    monkeypatch.setattr(questions, "MAX_EXAMINED", 30)
    rare = Wanted(categories=("user.contacts",), actor=ACTORS[0])
    page = find(full, rare, first=100)
    own = [each for each in full.events(limit=1_000) if each.event.actor == ACTORS[0]]
    assert page.next == own[29].seq
    assert list(by_pages(full, rare, 100)) == by_hand(full, rare)


def test_nothing_is_asked_of_an_empty_log(log: AuditLog) -> None:
    assert find(log, Wanted(customers=CUSTOMERS), first=10) == questions.Page((), None)
    assert draw(log, Wanted(since=START), 5, "seed") == questions.Sample((), 0)


INDEXES = {"audit_leaf_action", "audit_leaf_actor", "audit_leaf_at"}
DAY = {"since": START, "until": START + timedelta(days=1)}


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(customers=CUSTOMERS[:2], actions=TOLD, **DAY), None),
        (Wanted(customers=CUSTOMERS[:2], actions=CHANGES, purposes=PURPOSES), None),
        (Wanted(customers=CUSTOMERS[:1], actor=ACTORS[0], actions=TOLD), None),
        (Wanted(actor=ACTORS[0], actions=TOLD, **DAY), "audit_leaf_actor"),
        (
            Wanted(customers=CUSTOMERS[:1], actor=ACTORS[0], since=START, break_glass=GLASSES[2]),
            "audit_leaf_actor",
        ),
        (Wanted(actions=TOLD, without_customer=True, **DAY), "audit_leaf_at"),
        (Wanted(actions=(Action.EXPORT,), **DAY), "audit_leaf_at"),
    ],
    ids=["customers", "changes", "both", "actor", "glass", "without", "exports"],
)
def test_a_question_reads_the_log_by_the_one_index_that_tells_most(
    full: AuditLog, wanted: Wanted, index: str | None
) -> None:
    with full.database.reading() as connection:
        query = questions._wanted(wanted, 5).limit(10)
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        if connection.dialect.name == "sqlite":
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {text}".replace("%", "%%"))]
    assert not [line for line in plan if "SCAN audit" in line or "Seq Scan on audit" in line], plan
    used = {name for name in INDEXES if any(re.search(rf"\b{name}\b", line) for line in plan)}
    assert used == ({index} if index else set()), plan


# samples


def test_a_sample_is_the_one_that_the_seed_tells(full: AuditLog) -> None:
    end = START + timedelta(days=10)
    wanted = Wanted(actions=TOLD, since=START, until=end)
    accesses = by_hand(full, wanted)
    drawn = draw(full, wanted, 20, "review 3")
    places: list[int] = []
    number = 0
    while len(places) < 20:
        digest = hashlib.sha256(f"review 3:{number}".encode()).hexdigest()
        place = int(digest, 16) % len(accesses)
        places += [place] if place not in places else []
        number += 1
    assert drawn.population == len(accesses)
    assert list(drawn.events) == [accesses[place] for place in sorted(places)]
    full.append([AuditEvent(Action.READ, "u-late", at=end)])
    assert draw(full, wanted, 20, "review 3") == drawn
    assert draw(full, wanted, 20, "review 4").events != drawn.events
    assert list(draw(full, wanted, 1_000, "review 3").events) == accesses


def test_every_access_is_drawn_about_as_often_as_any_other(full: AuditLog) -> None:
    wanted = Wanted(actions=TOLD, since=START, until=START + timedelta(days=20))
    often = dict.fromkeys((each.seq for each in by_hand(full, wanted)), 0)
    for seed in range(100):
        for each in draw(full, wanted, len(often) // 4, str(seed)).events:
            often[each.seq] += 1
    assert min(often.values()) >= 5
    assert max(often.values()) <= 50
