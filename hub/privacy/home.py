"""What a compliance officer has to look at today: one matter after the other, each by a provider.

A provider is a function of the services that gives one `Matter`; a room that has something to look at adds its own to
`PROVIDERS`. None gives a value of anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final, Literal

from hub.access import missing_assessments, policy_rules
from hub.adapters import source_statuses
from hub.adapters.findings import FindingState, findings_at
from hub.audit import Action, EventFilter, uses
from hub.commands import Author, asked, unreviewed_glasses
from hub.commands.glasses import REVIEW_WITHIN
from hub.commands.incidents import list_incidents
from hub.commands.request_register import find_requests
from hub.organisation import Place, System
from hub.privacy.access import Seen, rules_seen, span
from hub.privacy.consent import call_registers, system_lists
from hub.privacy.requests.handling import deadline_of
from hub.privacy.requests.places import officers_department
from hub.privacy.requests.states import OPEN
from hub.privacy.retention.report import measure
from hub.services import Services

State = Literal["ok", "attention", "late"]

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to look at."""

    what: str
    owner: str | None = None
    """The department that answers for it."""
    due: datetime | None = None
    """By when; what is late was due before now."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What there is to look at of one kind."""

    key: str
    label: str
    state: State
    items: tuple[Item, ...]
    how: str
    """The command that tells more of it."""

    @classmethod
    def of(cls, key: str, label: str, items: Sequence[Item], how: str) -> Matter:
        """A matter that is late when one of its items is, and in order when it has none."""
        now = datetime.now(UTC)
        late = any(each.due is not None and each.due < now for each in items)
        return cls(key, label, "late" if late else "attention" if items else "ok", tuple(items), how)


Provider = Callable[[Services], Matter]


def compliance_overview(services: Services, author: Author) -> tuple[Matter, ...]:
    """All matters, in the order of `PROVIDERS`.

    Raises:
        AccessDeniedError: the author may not read the log.
    """

    def ask() -> tuple[tuple[Matter, ...], Collection[str], int]:
        matters = tuple(provider(services) for provider in PROVIDERS)
        return matters, (), sum(len(each.items) for each in matters)

    return asked(services, author, "compliance_overview", ask)


def unclassified_fields(services: Services) -> Matter:
    """Fields that a source has and no mapping reads: they are landed, never served."""
    items = [
        Item(f"{status.name}.{stream}.{drift.field}", _owner(services, status.name))
        for status in source_statuses(services.store, services.sources.configs)
        for stream, drift, _ in status.drift
        if drift.kind == "new"
    ]
    return Matter.of(
        "unclassified_fields", "Fields of sources that nobody has classified", items, "hub sources"
    )


def grants_past_review(services: Services) -> Matter:
    """Rules of the policy whose owner was to look at them again."""
    today = datetime.now(UTC).date()
    items = [
        Item(f"{rule.id} {', '.join(rule.roles)}", rule.owner, _end(rule.review))
        for rule in policy_rules(services.access.policy)
        if rule.review < today
    ]
    return Matter.of("grants_past_review", "Rules past their review", items, "hub access check")


def grants_unattested(services: Services) -> Matter:
    """Rules that nobody attested within the quarter."""
    items = [
        Item(f"{seen.rule.id} {', '.join(seen.rule.roles)}", seen.rule.owner, seen.attest_by)
        for seen in _rules(services)
        if seen.is_past_attestation
    ]
    how = "hub privacy access --due"
    return Matter.of("grants_unattested", "Rules that nobody attested in the quarter", items, how)


def grants_unused(services: Services) -> Matter:
    """Permits by which nobody read anything for 90 days."""
    items = [
        Item(f"{seen.rule.id} {', '.join(seen.rule.roles)}: {', '.join(seen.rule.names)}", seen.rule.owner)
        for seen in _rules(services)
        if seen.is_unused
    ]
    return Matter.of("grants_unused", "Grants unused for 90 days", items, "hub privacy access --unused")


def assessments_missing(services: Services) -> Matter:
    """Purposes without the assessment that they need."""
    items = [Item(each.message) for each in missing_assessments(services.access)]
    return Matter.of("assessments_missing", "Purposes that lack an assessment", items, "hub access check")


def glasses_unreviewed(services: Services) -> Matter:
    """Broken glasses that wait for a review."""
    with services.store.read() as connection:
        waiting = unreviewed_glasses(connection)
    items = [
        Item(each.id, each.department, datetime.fromisoformat(each.started_at) + REVIEW_WITHIN)
        for each in waiting
    ]
    label = "Uses of break-glass that nobody has reviewed"
    return Matter.of("glasses_unreviewed", label, items, "hub access glass list")


def log_verified(services: Services) -> Matter:
    """The newest checkpoint of the audit log with its witnesses, and when the log was last verified as a whole."""
    checkpoint = services.checkpoints.newest() if services.checkpoints is not None else None
    verified = _last_verified(services)
    if checkpoint is None:
        signed = Item("no checkpoint was published: nobody outside can tell whether the log was rewritten")
    else:
        names = ", ".join(checkpoint.cosigned) or "no witness"
        signed = Item(f"checkpoint of {checkpoint.head.size} events, cosigned by {names}")
    read = Item(
        "the log was never verified" if verified is None else f"verified on {verified:%Y-%m-%d %H:%M} UTC"
    )
    is_sound = checkpoint is not None and bool(checkpoint.cosigned) and verified is not None
    state: State = "ok" if is_sound else "attention"
    return Matter(
        "log_verified", "Audit log: checkpoint and witness", state, (signed, read), "hub audit verify"
    )


def findings_open(services: Services) -> Matter:
    """What the syncs found and nobody has decided about, such as personal data that no mapping declares."""
    with services.store.read() as connection:
        found = findings_at(connection)
    items = [
        Item(
            f"{each.kind}: {each.place} {each.field}".strip(), _owner(services, each.place.partition(".")[0])
        )
        for each in found
        if each.state is FindingState.OPEN
    ]
    return Matter.of("findings_open", "Findings that nobody has decided about", items, "hub privacy findings")


def requests_open(services: Services) -> Matter:
    """Privacy requests that are not answered, with the day by which the law wants them to be."""
    with services.store.read() as connection:
        found = find_requests(connection, states=[state.value for state in OPEN])
    items = [
        Item(
            f"{each.id}: {each.kind}, {each.law}",
            officers_department(services),
            _end(deadline_of(services, each)),
        )
        for each in found
    ]
    items.sort(key=lambda item: item.due or datetime.max.replace(tzinfo=UTC))
    return Matter.of("requests_open", "Privacy requests that are not answered", items, "hub request list")


def retention_overdue(services: Services) -> Matter:
    """What should have been erased, by the rules of retention."""
    now = datetime.now(UTC)
    rules = (each for each in measure(services, now).rules if each.due)
    items = [Item(f"{each.label}: {each.due}", each.owner, now) for each in rules]
    return Matter.of(
        "retention_overdue", "Data kept for longer than the rules let it", items, "hub retention report"
    )


def breaches_open(services: Services) -> Matter:
    """Incidents of which something is to be done, with the 72 hours of the authority."""
    with services.store.read() as connection:
        found = list_incidents(connection, first=_PAGE, after="")
    items = [
        Item(each.id, each.owner, each.due_at if "authority" in each.lacks else None)
        for each in found
        if not each.is_closed
    ]
    return Matter.of("breaches_open", "Breaches that are not closed", items, "hub breach list")


def partners_without_contract(services: Services) -> Matter:
    """Processors without a contract, or whose contract has ended."""
    today = datetime.now(UTC).date()
    items = [
        Item(f"{name}: {each.label}", None, _end(each.agreement_until) if each.agreement_until else None)
        for name, each in sorted(services.organisation.partners.items())
        if each.role == "processor"
        if not each.has_contract(today)
    ]
    label = "Processors without a contract in force"
    return Matter.of("partners_without_contract", label, items, "organisation.yaml")


def withdrawals_unacknowledged(services: Services) -> Matter:
    """Suppression lists that a system has not taken since somebody said no, and registers too old to call by."""
    items = [
        Item(
            f"{each.system}: {each.withdrawals} for {each.data_use} by {each.channel}",
            officers_department(services),
            _end(each.due) if each.due else None,
        )
        for each in system_lists(services)
        if each.withdrawals
    ]
    items += [
        Item(f"register {each.name} of {each.made_at[:10]}", officers_department(services), each.good_until)
        for each in call_registers(services)
        if each.is_outdated(datetime.now(UTC))
    ]
    label = "Withdrawals that a system does not know of, and do-not-call registers out of date"
    return Matter.of("withdrawals_unacknowledged", label, items, "hub consent status")


def places_by_hand(services: Services) -> Matter:
    """Systems and places where a privacy request is a task for somebody, or cannot be met."""
    said = services.organisation
    places: list[tuple[str, System | Place]] = [*said.systems.items(), *said.places.items()]
    items = [
        Item(f"{name}: {', '.join(f'{what} {how}' for what, how in lacking)}", each.owner)
        for name, each in sorted(places, key=lambda named: named[0])
        if (lacking := [(what, how) for what, how in each.can.model_dump().items() if how != "auto"])
    ]
    return Matter.of(
        "places_by_hand", "Places where a request is met by hand or not at all", items, "hub privacy map"
    )


PROVIDERS: Final[tuple[Provider, ...]] = (
    requests_open,
    unclassified_fields,
    findings_open,
    places_by_hand,
    partners_without_contract,
    grants_past_review,
    grants_unattested,
    grants_unused,
    assessments_missing,
    glasses_unreviewed,
    retention_overdue,
    breaches_open,
    withdrawals_unacknowledged,
    log_verified,
)
"""Who tells what there is to look at; rooms add theirs here."""


def _rules(services: Services) -> list[Seen]:
    return rules_seen(services, services.access, uses(services.audit, *span(None, None)))


def _owner(services: Services, source: str) -> str | None:
    config = services.sources.configs.get(source)
    return None if config is None else config.department


def _end(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)


def _last_verified(services: Services) -> datetime | None:
    where, last = EventFilter(actions=(Action.AUDIT_VERIFIED,)), None
    after = -1
    while page := services.audit.events(where, after=after, limit=_PAGE):
        after, last = page[-1].seq, page[-1].event.at
    return last
