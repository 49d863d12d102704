"""The register as officers see it: days left, what is overdue, who tried to come back, and the figures of a year.

What is told of a person here is their pseudonym. California has the figures published by those with many requests
(11 CCR 7102), and the register kept for 24 months (11 CCR 7101).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import mean, median
from typing import Final

from hub.access import Command, Effect
from hub.adapters import resurrection, runs
from hub.adapters.resurrection import Returned
from hub.audit import Action
from hub.commands import Author
from hub.commands import request_register as register
from hub.commands.giving import recording_refusals, refusals_recorded
from hub.commands.request_register import KeptItem, KeptRequest
from hub.errors import AccessDeniedError
from hub.privacy.requests.clock import add_months
from hub.privacy.requests.handling import deadline_of, find, is_paused
from hub.privacy.requests.states import OPEN, OPT_OUTS, Kind, State
from hub.services import Services

_SILENT_MONTHS: Final = 12
KEPT_MONTHS: Final = 24
"""Months for which a closed request stays in the register."""


@dataclass(frozen=True, slots=True)
class Retained:
    """What a law has kept of the person."""

    rule: str
    type: str
    count: int
    purpose: str
    basis: str
    until: str
    """The day on which the last of it goes."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request with all that follows from it."""

    request: KeptRequest
    deadline: date
    days_left: int
    """Below 0 where it is overdue."""
    is_overdue: bool
    is_paused: bool
    retained: tuple[Retained, ...]
    returned: tuple[Returned, ...]
    """What sources brought back, though it was erased or corrected."""
    unmended: tuple[tuple[str, int], ...]
    """By source, how many of its records still state what was corrected."""
    certificate: int | None
    """Number of the event of the erasure: `hub audit prove` gives its receipt."""
    ask_again_on: date | None = None
    """The first day on which somebody who opted out or limited may be asked to allow it again."""


@dataclass(frozen=True, slots=True)
class Metric:
    """The requests of one kind under one law that came within a year."""

    law: str
    kind: str
    received: int
    complied: int
    in_part: int
    refused: int
    open: int
    median_days: float | None
    mean_days: float | None


def list_requests(
    services: Services, author: Author, *, states: Collection[State] | None = None
) -> list[RequestView]:
    """The requests in these states, the open ones unless given, the most urgent first. Who asked is on record.

    Raises:
        AccessDeniedError: the author may not.
    """
    with refusals_recorded(services, author, Command.HANDLE_PRIVACY_REQUEST):
        wanted = [state.value for state in (OPEN if states is None else states)]
        with services.store.read() as connection:
            found = register.find_requests(connection, states=wanted)
        views = sorted(
            (_view(services, each) for each in found), key=lambda view: (view.deadline, view.request.id)
        )
        _record(services, author, [view.request for view in views], "privacy_requests")
        return views


def show_request(services: Services, author: Author, id_: str) -> RequestView:
    """One request. Who asked is on record.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is none.
    """
    with refusals_recorded(services, author, Command.HANDLE_PRIVACY_REQUEST):
        view = _view(services, find(services, id_))
        _record(services, author, [view.request], "privacy_request")
        return view


def retained_items(services: Services, author: Author, id_: str) -> list[KeptItem]:
    """What a law has kept, with its values, for the one purpose that it is kept for. Who asked is on record.

    Values of categories that the author does not see whole for the purpose are left out.

    Raises:
        AccessDeniedError: nothing is kept for the purpose that the author states.
        NotFoundError: there is no such request.
    """
    with recording_refusals(services, author, "retained_items"):
        with services.store.read() as connection:
            items = register.kept_items(connection, find(services, id_).id)
        mine = [item for item in items if item.purpose == author.purpose or author.is_operator]
        shown = [_shown(services, author, item) for item in mine]
        if not any(item.content["values"] for item in shown):
            raise AccessDeniedError("nothing of this request is kept for what you state as your purpose")
        types = tuple(sorted({item.type for item in shown}))
        event = author.event(Action.READ, about=id_, entity_types=types, counts={"results": len(shown)})
        services.recorder.record_sync(event)
        return shown


def _shown(services: Services, author: Author, item: KeptItem) -> KeptItem:
    props = services.ontology.type(item.type).properties
    values = {
        name: value
        for name, value in item.content["values"].items()
        if name in props and author.decide(props[name].category).effect is Effect.ALLOW
    }
    return KeptItem(item.rule, item.purpose, item.type, item.until, {**item.content, "values": values})


def request_metrics(services: Services, author: Author, year: int) -> list[Metric]:
    """Figures of the requests that came in a calendar year, by law and kind; a lifting is nobody's request.

    Raises:
        AccessDeniedError: the author may not.
    """
    with refusals_recorded(services, author, Command.HANDLE_PRIVACY_REQUEST):
        with services.store.read() as connection:
            found = register.find_requests(connection)
        groups: dict[tuple[str, str], list[KeptRequest]] = defaultdict(list)
        for request in found:
            if request.received_at.startswith(f"{year:04}-") and request.kind != Kind.LIFTING:
                groups[request.law, request.kind].append(request)
        return [_metric(*key, group) for key, group in sorted(groups.items())]


def tidy(services: Services, author: Author, today: date | None = None) -> tuple[int, int]:
    """How many requests left the register, closed for more than 24 months, and how much of what a law had kept.

    Raises:
        AccessDeniedError: the author may not.
    """
    with refusals_recorded(services, author, Command.HANDLE_PRIVACY_REQUEST):
        day = today or datetime.now(UTC).date()
        with services.store.write() as connection:
            services.store.dialect.overwrite_deleted(connection)
            items = register.drop_expired_items(connection, day.isoformat())
            ids = register.drop_requests(connection, add_months(day, -KEPT_MONTHS).isoformat())
            counts = {"deleted": len(ids) + items}
            event = author.event(Action.PRIVACY_REQUEST_STEP, reason_code="tidied", counts=counts)
            runs.post(connection, [event])
        return len(ids), items


def _view(services: Services, request: KeptRequest) -> RequestView:
    today = datetime.now(UTC).date()
    last, is_open = deadline_of(services, request, today), State(request.state) in OPEN
    with services.store.read() as connection:
        items = register.kept_items(connection, request.id)
        returned = resurrection.returned(connection, request.erasure_id or request.id)
        unmended = resurrection.unmended(connection, request.id)
    certificate = None
    if request.erasure_id is not None:
        services.publish_events()
        certificate = services.audit.number_of(request.erasure_id)
    return RequestView(
        request,
        last,
        (last - today).days,
        is_open and last < today,
        is_open and is_paused(request),
        tuple(_retained(services, items)),
        tuple(returned),
        tuple(sorted(unmended.items())),
        certificate,
        ask_again_on(request),
    )


def ask_again_on(request: KeptRequest) -> date | None:
    """Twelve months after California's opt-out or limit came (Cal. Civ. Code 1798.135(c)(4)); None of all else."""
    if Kind(request.kind) not in OPT_OUTS or State(request.state) is State.REFUSED:
        return None
    return add_months(datetime.fromisoformat(request.received_at).date(), _SILENT_MONTHS)


def _retained(services: Services, items: list[KeptItem]) -> list[Retained]:
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for item in items:
        groups[item.rule, item.type, item.purpose].append(item.until)
    rules = services.organisation.kept_by_law
    return [
        Retained(rule, type_, len(until), purpose, rules[rule].basis if rule in rules else "", max(until))
        for (rule, type_, purpose), until in sorted(groups.items())
    ]


def _record(services: Services, author: Author, found: list[KeptRequest], code: str) -> None:
    customers = tuple(dict.fromkeys(each.customer_id for each in found if each.customer_id))
    event = author.event(
        Action.AUDIT_READ, reason_code=code, customers=customers, counts={"results": len(found)}
    )
    services.recorder.record_sync(event)


def _metric(law: str, kind: str, group: list[KeptRequest]) -> Metric:
    outcomes = [each.outcome or "" for each in group]
    days = [
        (datetime.fromisoformat(each.closed_at) - datetime.fromisoformat(each.received_at)).days
        for each in group
        if each.closed_at is not None
    ]
    return Metric(
        law,
        kind,
        len(group),
        sum(outcome in ("done", "no_data") for outcome in outcomes),
        outcomes.count("in_part"),
        sum(outcome.startswith("refused") for outcome in outcomes),
        outcomes.count(""),
        float(median(days)) if days else None,
        round(mean(days), 1) if days else None,
    )
