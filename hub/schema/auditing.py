"""Questions to the audit log in GraphQL: who saw whom, what changed and why, what is unusual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub import commands
from hub.audit import RULE, Page, RecordedEvent, Usual, Volume
from hub.commands import Author
from hub.errors import QueryError
from hub.schema.breaking import GlassId, author_of, refuse_under_glass
from hub.schema.context import RequestContext
from hub.schema.scalars import Date, DateTime, Long


@strawberry.type(description="A number that an event holds.")
class AuditCount:
    """A number by its name."""

    name: str = strawberry.field(description="What was counted.")
    value: Long = strawberry.field(description="How many.")


@strawberry.type(
    description="An event of the audit log. It holds ids, words and numbers, and no value of anybody."
)
class AuditEvent:
    """An event in GraphQL."""

    seq: Long = strawberry.field(description="Its number in the log.")
    id: strawberry.ID = strawberry.field(description="Its id.")
    at: DateTime = strawberry.field(description="When it happened.")
    action: str = strawberry.field(description="What happened, by the log's word for it.")
    outcome: str = strawberry.field(description="`ok`, `partial`, `refused` or `failed`.")
    reason: str | None = strawberry.field(
        description="The word for why it was refused, failed or is partial."
    )
    subject: str = strawberry.field(
        description="Who did it, as the identity provider names them, or `system`."
    )
    roles: list[str] = strawberry.field(description="Their roles.")
    department: str | None = strawberry.field(description="Their department.")
    purpose: str | None = strawberry.field(description="For which purpose.")
    customers: list[strawberry.ID] = strawberry.field(
        description="Whom it was about; where a question is about one customer, of many only them."
    )
    categories: list[str] = strawberry.field(description="Which data categories it was about.")
    entity_types: list[str] = strawberry.field(
        name="entityTypes", description="Which types of the ontology it was about."
    )
    counts: list[AuditCount] = strawberry.field(description="Its numbers.")
    query_sha256: str | None = strawberry.field(
        name="querySha256", description="Hash of the query's document."
    )
    policy_sha256: str | None = strawberry.field(
        name="policySha256", description="Hash of the policy in force."
    )
    source: str | None = strawberry.field(description="The source that it came from.")
    stream: str | None = strawberry.field(description="The kind of record there.")
    run_id: str | None = strawberry.field(name="runId", description="The run in which it happened.")
    break_glass: strawberry.ID | None = strawberry.field(
        name="breakGlass", description="Id of the break-glass under which it happened."
    )
    part_of: strawberry.ID | None = strawberry.field(
        name="partOf", description="Id of the event whose further customers this one lists."
    )

    @classmethod
    def of(cls, recorded: RecordedEvent) -> Self:
        """The event as GraphQL tells it."""
        event = recorded.event
        return cls(
            seq=Long(recorded.seq),
            id=strawberry.ID(event.id),
            at=DateTime(event.at.isoformat().replace("+00:00", "Z")),
            action=event.action.value,
            outcome=event.outcome.value,
            reason=event.reason_code,
            subject=event.actor,
            roles=list(event.roles),
            department=event.department,
            purpose=event.purpose,
            customers=[strawberry.ID(each) for each in event.customers],
            categories=list(event.data_categories),
            entity_types=list(event.entity_types),
            counts=[AuditCount(name=name, value=Long(value)) for name, value in sorted(event.counts.items())],
            query_sha256=event.query_sha256,
            policy_sha256=event.policy_sha256,
            source=event.source,
            stream=event.stream,
            run_id=event.run_id,
            break_glass=_id(event.break_glass),
            part_of=_id(event.part_of),
        )


@strawberry.type(description="Events in the order of their numbers.")
class AuditPage:
    """A page of events."""

    events: list[AuditEvent] = strawberry.field(description="The events.")
    next: Long | None = strawberry.field(
        description="What `after` is to be for those that follow; null where there are none. A page may be short, even"
        " empty, and have a next one: what is read for one page is bounded."
    )

    @classmethod
    def of(cls, page: Page) -> Self:
        """The page as GraphQL tells it."""
        return cls(events=_events(page.events), next=_next(page.next))


@strawberry.type(description="Events about a customer, in the order of their numbers.")
class CustomerAccesses:
    """A page of events about a customer."""

    customers: list[strawberry.ID] = strawberry.field(
        description="The ids that were asked for: that of now, and those that were merged into it."
    )
    events: list[AuditEvent] = strawberry.field(description="The events.")
    next: Long | None = strawberry.field(
        description="What `after` is to be for those that follow; null at the end."
    )


@strawberry.type(description="A version of a source's record.")
class SourceRecord:
    """A source record in GraphQL."""

    record_id: strawberry.ID = strawberry.field(
        name="recordId", description="Its id, as `recordId` of facts and entities names it."
    )
    source: str = strawberry.field(description="The source.")
    stream: str = strawberry.field(description="The kind of record.")
    run_id: strawberry.ID = strawberry.field(name="runId", description="The run that brought it.")
    landed_at: DateTime = strawberry.field(name="landedAt", description="When it came.")

    @classmethod
    def of(cls, record: commands.SourceRecord) -> Self:
        """The record as GraphQL tells it."""
        return cls(
            record_id=strawberry.ID(str(record.id)),
            source=record.source,
            stream=record.stream,
            run_id=strawberry.ID(str(record.run_id)),
            landed_at=DateTime(record.landed_at),
        )


@strawberry.type(description="A change of a customer.")
class CustomerAuditChange:
    """A change with what brought it."""

    event: AuditEvent = strawberry.field(description="The event that tells of it.")
    records: list[SourceRecord] = strawberry.field(
        description="The records of the customer that came in the same run; none where it came of what was held before."
    )


@strawberry.type(description="Changes of a customer, in the order in which they happened.")
class CustomerChanges:
    """A page of changes."""

    customers: list[strawberry.ID] = strawberry.field(
        description="The ids that were asked for: that of now, and those that were merged into it."
    )
    changes: list[CustomerAuditChange] = strawberry.field(description="The changes.")
    next: Long | None = strawberry.field(
        description="What `after` is to be for those that follow; null at the end."
    )


@strawberry.type(description="What volumes are usual, by those of some days.")
class UsualVolume:
    """What a volume is compared with."""

    days: Long = strawberry.field(description="How many days are compared with.")
    median: float = strawberry.field(description="The median of their volumes.")
    deviation: float = strawberry.field(description="How far they deviate from it, as the rule says.")
    bound: float = strawberry.field(description="Above it a volume is unusual.")

    @classmethod
    def of(cls, usual: Usual | None) -> Self | None:
        """What is usual, as GraphQL tells it."""
        if usual is None:
            return None
        return cls(days=Long(usual.days), median=usual.median, deviation=usual.deviation, bound=usual.bound)


@strawberry.type(description="A day on which somebody was told of unusually many customers.")
class UnusualVolume:
    """An unusual volume in GraphQL."""

    subject: str = strawberry.field(description="Who was told.")
    roles: list[str] = strawberry.field(description="Their roles, as their newest event tells them.")
    day: Date = strawberry.field(description="The day, of UTC.")
    customers: Long = strawberry.field(description="Of how many different customers they were told.")
    events: Long = strawberry.field(description="By how many events.")
    reasons: list[str] = strawberry.field(
        description="`own_past`, `role` or both, or `nothing_to_compare`, as the rule says."
    )
    own: UsualVolume | None = strawberry.field(
        description="What is usual for them; null where they have too short a past."
    )
    role: UsualVolume | None = strawberry.field(
        description="What is usual for others with one of their roles; null where there are too few."
    )

    @classmethod
    def of(cls, volume: Volume) -> Self:
        """The volume as GraphQL tells it."""
        return cls(
            subject=volume.actor,
            roles=list(volume.roles),
            day=Date(volume.day.isoformat()),
            customers=Long(volume.customers),
            events=Long(volume.events),
            reasons=list(volume.reasons),
            own=UsualVolume.of(volume.own),
            role=UsualVolume.of(volume.role),
        )


@strawberry.type(description="Exports, and unusual volumes.")
class UnusualAccess:
    """What is unusual in a time."""

    rule: str = strawberry.field(description="What makes a volume unusual, in words.")
    volumes: list[UnusualVolume] = strawberry.field(description="Unusual volumes, the highest first.")
    exports: AuditPage = strawberry.field(description="The exports of this time.")


@strawberry.type(description="Accesses drawn at random, in the order of their numbers.")
class AuditSample:
    """A sample in GraphQL."""

    population: Long = strawberry.field(description="How many accesses they were drawn from.")
    events: list[AuditEvent] = strawberry.field(description="Those that were drawn.")


def _events(events: Sequence[RecordedEvent]) -> list[AuditEvent]:
    return [AuditEvent.of(each) for each in events]


def _ids(customers: Sequence[str]) -> list[strawberry.ID]:
    return [strawberry.ID(each) for each in customers]


def _id(text: str | None) -> strawberry.ID | None:
    return None if text is None else strawberry.ID(text)


def _next(seq: int | None) -> Long | None:
    return None if seq is None else Long(seq)


CustomerId = Annotated[
    strawberry.ID,
    strawberry.argument(
        description="Public id of the customer, a retired one too; those merged into it are included."
    ),
]
Categories = Annotated[
    list[str] | None,
    strawberry.argument(description="Only accesses to one of these data categories, or to one below."),
]
Purposes = Annotated[
    list[str] | None, strawberry.argument(description="Only accesses for one of these purposes.")
]
Since = Annotated[DateTime | None, strawberry.argument(description="Only what happened then or later.")]
Until = Annotated[DateTime | None, strawberry.argument(description="Only what happened before.")]
Begin = Annotated[DateTime, strawberry.argument(description="When the time begins.")]
End = Annotated[DateTime, strawberry.argument(description="When it ends.")]
First = Annotated[int, strawberry.argument(description="How many at most.")]
After = Annotated[Long, strawberry.argument(description="Only events with a higher number.")]
FROM_THE_FIRST = Long(-1)


def _asks(info: Info[RequestContext, None], first: int) -> Author:
    context = info.context
    refuse_under_glass(context)
    most = context.services.settings.max_page
    if not 0 <= first <= most:
        raise QueryError(f"first is {first}; it may be 0 to {most}")
    return author_of(info)


def _narrowed(
    categories: list[str] | None, purposes: list[str] | None, since: DateTime | None, until: DateTime | None
) -> commands.Narrowed:
    return commands.Narrowed(
        categories=categories or (),
        purposes=purposes or (),
        since=None if since is None else datetime.fromisoformat(since),
        until=None if until is None else datetime.fromisoformat(until),
    )


def _accesses_of(
    info: Info[RequestContext, None],
    customer: CustomerId,
    categories: Categories = None,
    purposes: Purposes = None,
    since: Since = None,
    until: Until = None,
    first: First = 50,
    after: After = FROM_THE_FIRST,
) -> CustomerAccesses | None:
    narrowed = _narrowed(categories, purposes, since, until)
    found = commands.accesses_of(
        info.context.services, _asks(info, first), customer, narrowed, first=first, after=after
    )
    return CustomerAccesses(
        customers=_ids(found.customers), events=_events(found.page.events), next=_next(found.page.next)
    )


def _accesses_by(
    info: Info[RequestContext, None],
    subject: Annotated[
        str, strawberry.argument(description="A user or a key, as `subject` of events names it.")
    ],
    categories: Categories = None,
    purposes: Purposes = None,
    since: Since = None,
    until: Until = None,
    first: First = 50,
    after: After = FROM_THE_FIRST,
) -> AuditPage | None:
    narrowed = _narrowed(categories, purposes, since, until)
    return AuditPage.of(
        commands.accesses_by(
            info.context.services, _asks(info, first), subject, narrowed, first=first, after=after
        )
    )


def _changes_of(
    info: Info[RequestContext, None],
    customer: CustomerId,
    categories: Categories = None,
    since: Since = None,
    until: Until = None,
    first: First = 50,
    after: After = FROM_THE_FIRST,
) -> CustomerChanges | None:
    narrowed = _narrowed(categories, None, since, until)
    found = commands.changes_of(
        info.context.services, _asks(info, first), customer, narrowed, first=first, after=after
    )
    changes = [
        CustomerAuditChange(
            event=AuditEvent.of(each.recorded), records=[SourceRecord.of(record) for record in each.records]
        )
        for each in found.changes
    ]
    return CustomerChanges(customers=_ids(found.customers), changes=changes, next=_next(found.next))


def _without_result(
    info: Info[RequestContext, None],
    since: Begin,
    until: Until = None,
    categories: Categories = None,
    purposes: Purposes = None,
    first: First = 50,
    after: After = FROM_THE_FIRST,
) -> AuditPage | None:
    narrowed = _narrowed(categories, purposes, since, until)
    return AuditPage.of(
        commands.reads_without_result(
            info.context.services, _asks(info, first), narrowed, first=first, after=after
        )
    )


def _unusual(
    info: Info[RequestContext, None], since: Begin, until: End, first: First = 50
) -> UnusualAccess | None:
    found = commands.unusual_access(
        info.context.services,
        _asks(info, first),
        datetime.fromisoformat(since),
        datetime.fromisoformat(until),
        first=first,
    )
    volumes = [UnusualVolume.of(each) for each in found.volumes]
    return UnusualAccess(rule=RULE, volumes=volumes, exports=AuditPage.of(found.exports))


def _sample(
    info: Info[RequestContext, None],
    size: Annotated[int, strawberry.argument(description="How many.")],
    seed: Annotated[
        str, strawberry.argument(description="What the draw follows from; the same draws the same.")
    ],
    since: Begin,
    until: End,
) -> AuditSample | None:
    drawn = commands.audit_sample(
        info.context.services,
        _asks(info, size),
        datetime.fromisoformat(since),
        datetime.fromisoformat(until),
        size=size,
        seed=seed,
    )
    return AuditSample(population=Long(drawn.population), events=_events(drawn.events))


def _of_glass(
    info: Info[RequestContext, None],
    id: GlassId,  # noqa: A002 - the argument's name in GraphQL
    first: First = 50,
    after: After = FROM_THE_FIRST,
) -> AuditPage | None:
    page = commands.uses_of_glass(info.context.services, _asks(info, first), id, first=first, after=after)
    return AuditPage.of(page)


_FOR_WHOM = " For those to whom the policy gives `read_audit`."


@strawberry.type
class AuditQuery:
    """Questions to the audit log."""

    accesses_of: CustomerAccesses | None = strawberry.field(
        name="accessesOf", resolver=_accesses_of, description="Who was told of a customer." + _FOR_WHOM
    )
    accesses_by: AuditPage | None = strawberry.field(
        name="accessesBy",
        resolver=_accesses_by,
        description="What somebody was told, and of whom." + _FOR_WHOM,
    )
    changes_of: CustomerChanges | None = strawberry.field(
        name="changesOf",
        resolver=_changes_of,
        description="What changed in a customer, and which source records brought it." + _FOR_WHOM,
    )
    reads_without_result: AuditPage | None = strawberry.field(
        name="readsWithoutResult",
        resolver=_without_result,
        description="Reads and searches that asked for personal data and told of nobody." + _FOR_WHOM,
    )
    unusual_access: UnusualAccess | None = strawberry.field(
        name="unusualAccess",
        resolver=_unusual,
        description="Exports, and days on which somebody was told of unusually many customers; 31 days at most."
        + _FOR_WHOM,
    )
    audit_sample: AuditSample | None = strawberry.field(
        name="auditSample",
        resolver=_sample,
        description="Reads, searches and exports drawn at random for a review; the same seed draws the same."
        + _FOR_WHOM,
    )
    break_glass_events: AuditPage | None = strawberry.field(
        name="breakGlassEvents",
        resolver=_of_glass,
        description="All that happened under a break-glass, and to it." + _FOR_WHOM,
    )
