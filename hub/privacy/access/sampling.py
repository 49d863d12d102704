"""A reproducible sample of accesses for a review, each with flags by stated rules.

An event is judged by the policy that its hash names, as it was kept, not by that of today.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.access import AccessMap
from hub.access.special import is_sensitive
from hub.adapters import access_of, kept_configurations
from hub.audit import TOLD, Action, AuditEvent, RecordedEvent, Volume, Wanted, draw, unusual_volumes
from hub.audit.questions import PERSONAL
from hub.audit.volumes import MAX_WINDOW
from hub.commands import OPERATOR, Author, asked
from hub.errors import QueryError
from hub.privacy.access.map import span
from hub.services import Services

MAX_SAMPLE: Final = 1_000

FLAGS: Final[Mapping[str, str]] = {
    "break_glass": "It happened through a broken glass.",
    "export": "Data left the hub as a file.",
    "no_purpose": "It states no purpose.",
    "not_permitted": "It told of customers, and the policy that its hash names shows its roles nothing of any category"
    " that it read, for its purpose, without a broken glass.",
    "operator": "Somebody read it on the machine itself, where no policy is asked.",
    "policy_unknown": "The policy that its hash names was never kept, so it cannot be judged by it.",
    "special": "It read data of GDPR Art. 9 or 10.",
    "unusual_volume": "On that day its reader was told of unusually many customers, by the rule of unusual volumes; the"
    " last 31 days of the span are looked at.",
    "without_result": "It asked for personal data and told of nobody.",
}
"""What each flag means."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An event of the sample."""

    recorded: RecordedEvent
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewSample:
    """What a reviewer looks at."""

    population: int
    events: tuple[Reviewed, ...]


def access_review(
    services: Services,
    author: Author,
    *,
    size: int,
    seed: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> ReviewSample:
    """So many reads, searches and exports of the span, the same for the same seed and log, with their flags.

    Raises:
        AccessDeniedError: the author may not read the log.
        QueryError: the sample or the span is out of bounds.
    """

    def ask() -> tuple[ReviewSample, Collection[str], int]:
        if not 0 < size <= MAX_SAMPLE:
            raise QueryError(f"a sample has 1 to {MAX_SAMPLE} events")
        begin, end = span(since, until)
        drawn = draw(services.audit, Wanted(actions=TOLD, since=begin, until=end), size, seed)
        flags_of = _Judge(services, begin, end).flags
        events = tuple(Reviewed(each, flags_of(each.event)) for each in drawn.events)
        customers = dict.fromkeys(name for each in drawn.events for name in each.event.customers)
        return ReviewSample(drawn.population, events), customers, len(events)

    return asked(services, author, "access_review", ask)


class _Judge:
    """What is needed to judge events."""

    def __init__(self, services: Services, since: datetime, until: datetime) -> None:
        with services.store.read() as connection:
            self._kept = {each.sha256: each for each in kept_configurations(connection, "policy")}
        self._compiled: dict[str, AccessMap] = {}
        volumes = unusual_volumes(services.audit, max(since, until - MAX_WINDOW), until)
        self._unusual = {_day(each) for each in volumes}

    def flags(self, event: AuditEvent) -> tuple[str, ...]:
        """The flags that the event has, sorted."""
        personal = any(each.partition(".")[0] == PERSONAL for each in event.data_categories)
        has: Mapping[str, Callable[[], bool]] = {
            "break_glass": lambda: event.break_glass is not None,
            "export": lambda: event.action is Action.EXPORT,
            "no_purpose": lambda: event.purpose is None,
            "not_permitted": lambda: self._is_not_permitted(event),
            "operator": lambda: OPERATOR in event.roles,
            "policy_unknown": lambda: event.policy_sha256 not in self._kept,
            "special": lambda: any(map(is_sensitive, event.data_categories)),
            "unusual_volume": lambda: (event.actor, event.at.date()) in self._unusual,
            "without_result": lambda: personal and not event.customers,
        }
        return tuple(name for name in FLAGS if has[name]())

    def _is_not_permitted(self, event: AuditEvent) -> bool:
        if event.break_glass or OPERATOR in event.roles or not event.customers or not event.data_categories:
            return False
        access = self._access(event.policy_sha256)
        if access is None:
            return False
        roles, purpose = frozenset(event.roles), event.purpose or ""
        return all(access.decide(roles, purpose, each).is_denial for each in event.data_categories)

    def _access(self, sha256: str | None) -> AccessMap | None:
        if sha256 is None or sha256 not in self._kept:
            return None
        if sha256 not in self._compiled:
            self._compiled[sha256], _ = access_of(self._kept[sha256])
        return self._compiled[sha256]


def _day(volume: Volume) -> tuple[str, object]:
    return volume.actor, volume.day
