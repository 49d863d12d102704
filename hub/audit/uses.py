"""What was used of what is granted: reads by role, purpose and data category, over a span of the log.

One pass over the events of the span, by the index of times. What several events tell of the same people and customers
is counted once, so sets of ids are held, not numbers: some 100 bytes for each customer whom the span names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import select

from hub.audit.database import leaf_table
from hub.audit.events import Action, Outcome, microseconds
from hub.audit.log import AuditLog
from hub.audit.questions import PERSONAL, TOLD, apart

NO_PURPOSE: Final = "PURPOSE_REQUIRED"
"""Why a request is refused that states no purpose, or none that its caller may state."""

_ANSWERED = (Outcome.OK.value, Outcome.PARTIAL.value)
_REFUSALS = (Action.LOGIN_REFUSED.value, Action.READ_REFUSED.value)
_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What requests of one kind have in common: who asked as what, for what, of which categories."""

    actor: str
    roles: tuple[str, ...]
    purpose: str | None
    categories: tuple[str, ...]
    under_glass: bool


@dataclass(slots=True)
class _Seen:
    reads: int = 0
    last_us: int = 0
    customers: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Use:
    """What came of a kind of reads, of a grant's or a field's."""

    reads: int
    """Queries, searches and exports; those that told of nobody as well."""
    last_at: datetime | None
    people: tuple[str, ...]
    """Subjects and keys, sorted."""
    customers: int
    """Different ones."""


UNUSED: Final = Use(0, None, (), 0)


@dataclass(frozen=True, slots=True)
class Uses:
    """The reads of a span."""

    since: datetime
    until: datetime
    reads: int
    without_result: int
    """Those that asked for personal data and told of nobody."""
    refused_purpose: int
    """Requests that were refused for lack of a purpose that their caller may state."""
    _seen: dict[Asked, _Seen] = field(repr=False)

    def where(self, wanted: Callable[[Asked], bool]) -> Use:
        """The use by all requests of the wanted kinds; each person and customer counts once."""
        found = [(asked, seen) for asked, seen in self._seen.items() if wanted(asked)]
        if not found:
            return UNUSED
        return Use(
            reads=sum(seen.reads for _, seen in found),
            last_at=_EPOCH + timedelta(microseconds=max(seen.last_us for _, seen in found)),
            people=tuple(sorted({asked.actor for asked, _ in found})),
            customers=len(set().union(*(seen.customers for _, seen in found))),
        )

    def by_role(self, role: str, purpose: str, categories: Collection[str]) -> Use:
        """The use by requests of the role and purpose that read one of these categories, break-glass left out."""
        return self.where(
            lambda asked: (
                role in asked.roles
                and asked.purpose == purpose
                and not asked.under_glass
                and not set(asked.categories).isdisjoint(categories)
            )
        )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uses(log: AuditLog, since: datetime, until: datetime) -> Uses:
    """What was read from `since` on, before `until`."""
    seen: dict[Asked, _Seen] = {}
    numbers: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for at_us, event in _events(log, since, until):
        if event["action"] in _REFUSALS:
            counts["refused"] += event.get("counts", {}).get("attempts", 1)
            continue
        mine = seen.setdefault(_asked(event), _Seen())
        mine.last_us = max(mine.last_us, at_us)
        customers = event.get("customers", ())
        mine.customers.update(numbers.setdefault(each, len(numbers)) for each in customers)
        if "part_of" not in event:
            mine.reads += 1
            counts["reads"] += 1
            counts["empty"] += not customers and _is_personal(event)
    return Uses(since, until, counts["reads"], counts["empty"], counts["refused"], seen)


def _asked(event: dict[str, Any]) -> Asked:
    return Asked(
        event["actor"],
        tuple(event.get("roles", ())),
        event.get("purpose"),
        tuple(event.get("data_categories", ())),
        "break_glass" in event,
    )


def _is_personal(event: dict[str, Any]) -> bool:
    return any(
        each == PERSONAL or each.startswith(f"{PERSONAL}.") for each in event.get("data_categories", ())
    )


def _events(log: AuditLog, since: datetime, until: datetime) -> Iterator[tuple[int, dict[str, Any]]]:
    """Reads that were answered, and what was refused for lack of a purpose."""
    column = leaf_table.c
    told = [each.value for each in TOLD]
    query = (
        select(column.at_us, column.bytes)
        .where(column.at_us >= microseconds(since), column.at_us < microseconds(until))
        .where(apart(column.action).in_([*told, *_REFUSALS]))
    )
    with log.database.reading() as connection:
        for at_us, data in connection.execution_options(yield_per=_PAGE).execute(query):
            event = orjson.loads(data)
            refused = event["action"] in _REFUSALS
            if (refused and event.get("reason_code") == NO_PURPOSE) or (
                not refused and event["outcome"] in _ANSWERED
            ):
                yield at_us, event
