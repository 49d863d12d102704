"""Retention and legal holds in GraphQL: what is overdue, the run that erases it, and who may not be erased."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub import commands
from hub.errors import QueryError
from hub.privacy import retention
from hub.schema.breaking import author_of, refuse_under_glass
from hub.schema.context import RequestContext
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.scalars import Date, DateTime, Long


@strawberry.type(description="What is overdue of one type and source; customers are of no one source.")
class RetentionCount:
    """A line of the report."""

    type: str = strawberry.field(
        description="The entity type, `Type.property` for values that are emptied, or `Customer`."
    )
    source: str | None = strawberry.field(description="The source that states the rows; null for customers.")
    due: Long = strawberry.field(description="What the next run erases.")
    held: Long = strawberry.field(
        description="What a legal hold keeps, or a restriction that the customer asked for (GDPR Art. 18)."
    )
    bound: Long = strawberry.field(
        description="What hangs together with something that is to be kept still: a receipt with a young order on it, a"
        " customer with an invoice."
    )

    @classmethod
    def of(cls, line: retention.Line) -> Self:
        """The line as GraphQL tells it."""
        return cls(
            type=line.type,
            source=line.source,
            due=Long(line.due),
            held=Long(line.held),
            bound=Long(line.bound),
        )


@strawberry.type(description="A rule of retention, with what is overdue by it.")
class RetentionRule:
    """A rule in GraphQL."""

    name: str = strawberry.field(description="Its name.")
    label: str = strawberry.field(description="What a person calls it.")
    purpose: str = strawberry.field(description="The purpose that the data was kept for.")
    types: list[str] = strawberry.field(description="The entity types that it is about, or `Customer`.")
    categories: list[str] = strawberry.field(description="The data categories of what it erases.")
    counted_from: str = strawberry.field(name="countedFrom", description="From what on the time counts.")
    keep_days: Long = strawberry.field(name="keepDays", description="For how many days data is kept then.")
    then: str = strawberry.field(
        description="`erase_row`, `erase_customer`, `empty_property`, `empty_versions` or `discard_waiting`."
    )
    basis: str = strawberry.field(description="The law or decision behind the time.")
    owner: str = strawberry.field(description="The department that answers for it.")
    review: Date = strawberry.field(description="The day by which it is looked at again.")
    cutoff: DateTime = strawberry.field(description="What happened before this is overdue.")
    due: Long = strawberry.field(description="What the next run erases.")
    undated: Long = strawberry.field(description="Rows without a time to count from; they are kept.")
    counts: list[RetentionCount] = strawberry.field(description="What is overdue, by type and source.")

    @classmethod
    def of(cls, rule: retention.RuleReport) -> Self:
        """The rule as GraphQL tells it."""
        return cls(
            name=rule.name,
            label=rule.label,
            purpose=rule.purpose,
            types=list(rule.types),
            categories=list(rule.categories),
            counted_from=rule.counted_from,
            keep_days=Long(rule.keep_days),
            then=rule.then,
            basis=rule.basis,
            owner=rule.owner,
            review=Date(rule.review),
            cutoff=DateTime(rule.cutoff.isoformat().replace("+00:00", "Z")),
            due=Long(rule.due),
            undated=Long(rule.undated),
            counts=[RetentionCount.of(line) for line in rule.lines],
        )


@strawberry.type(description="What is kept for longer than the rules let it.")
class RetentionReport:
    """The report in GraphQL."""

    at: DateTime = strawberry.field(description="The instant that it is about.")
    overdue: Long = strawberry.field(description="Rows and customers that are due; 0 after a run.")
    rules: list[RetentionRule] = strawberry.field(description="The rules.")


@strawberry.input(description="What a run of retention may do.")
class RunRetentionInput:
    """Input of a run."""

    rules: list[str] | None = strawberry.field(
        default=None, description="Only by these rules; by all unless given."
    )
    most: Long = strawberry.field(
        default=Long(10_000),
        description="After so many rows and customers no further batch begins; up to 100000.",
    )
    scrub: bool = strawberry.field(
        default=False,
        description="Whether files are scrubbed at the end, which takes minutes with a big index.",
    )
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.type(description="How many rows of a type, or values of a property, went.")
class RetiredCount:
    """A count of rows."""

    type: str = strawberry.field(description="The entity type, or `Type.property`.")
    count: Long = strawberry.field(description="How many.")


@strawberry.type(description="What a run of retention has done.")
class RetentionRun:
    """Payload of a run of retention."""

    id: strawberry.ID = strawberry.field(description="Id of the audit event that it began with.")
    customers: Long = strawberry.field(description="Customers who were erased whole.")
    records: Long = strawberry.field(description="Source records that were erased of customers who stay.")
    rows: list[RetiredCount] = strawberry.field(description="Rows that went with these records.")
    erasures: list[strawberry.ID] = strawberry.field(description="The erasures that it consists of.")
    overdue: Long = strawberry.field(
        description="What is due still: 0 unless `most` or `rules` bounded the run."
    )
    held: Long = strawberry.field(description="What a hold or a restriction keeps.")
    bound: Long = strawberry.field(description="What hangs together with something that is to be kept.")
    verified: bool = strawberry.field(description="Whether nothing is left of what went.")


@strawberry.type(description="A legal hold: its customers may not be erased.")
class LegalHold:
    """A hold in GraphQL."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    matter: str = strawberry.field(description="The case that it is for.")
    reason: str = strawberry.field(description="Why it is.")
    owner: str = strawberry.field(description="The department that answers for it.")
    until: Date = strawberry.field(description="The day of its review; it holds on until it is released.")
    is_overdue: bool = strawberry.field(name="isOverdue", description="Whether the review is late.")
    placed_at: DateTime = strawberry.field(name="placedAt", description="When it was placed.")
    placed_by: str = strawberry.field(name="placedBy", description="Who placed it.")
    released_at: DateTime | None = strawberry.field(name="releasedAt", description="When it was released.")
    released_by: str | None = strawberry.field(name="releasedBy", description="Who released it.")
    customer_ids: list[strawberry.ID] = strawberry.field(
        name="customerIds", description="On whom it is, by the ids of now."
    )

    @classmethod
    def of(cls, hold: commands.LegalHold) -> Self:
        """The hold as GraphQL tells it."""
        return cls(
            id=strawberry.ID(hold.id),
            matter=hold.matter,
            reason=hold.reason,
            owner=hold.owner,
            until=Date(hold.until),
            is_overdue=hold.is_overdue,
            placed_at=DateTime(hold.placed_at),
            placed_by=hold.placed_by,
            released_at=None if hold.released_at is None else DateTime(hold.released_at),
            released_by=hold.released_by,
            customer_ids=[strawberry.ID(each) for each in hold.customers],
        )


@strawberry.input(
    description="Who is to be held, and why: customers by id, or those of whom a row says something."
)
class PlaceLegalHoldInput:
    """Input of a hold."""

    matter: str = strawberry.field(description="The case that it is for; 1 to 100 characters, naming nobody.")
    reason: str = strawberry.field(
        description="Why, in 20 to 1000 characters; refused where it names a customer."
    )
    owner: str = strawberry.field(description="The department that answers for it.")
    until: Date = strawberry.field(description="The day by which it is looked at again.")
    customer_ids: list[strawberry.ID] | None = strawberry.field(
        name="customerIds", default=None, description="Public ids of customers."
    )
    type: str | None = strawberry.field(
        default=None, description="Instead: an entity type; with `property` and `value`."
    )
    property: str | None = strawberry.field(
        default=None, description="A text, code or reference of it that you may see."
    )
    value: str | None = strawberry.field(default=None, description="What it is, exactly.")
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.type(description="A hold that was placed.")
class PlacedHold:
    """Payload of a hold."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    customers: Long = strawberry.field(description="How many customers it is on.")


@strawberry.input(description="Which hold ends, and why.")
class ReleaseLegalHoldInput:
    """Input of a release of a hold."""

    id: strawberry.ID = strawberry.field(description="Id of the hold.")
    reason: str = strawberry.field(description="Why, in 20 to 1000 characters; sealed.")
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


def page_of(info: Info[RequestContext, None], first: int) -> commands.Author:
    """Who asks for so many rows.

    Raises:
        AccessDeniedError: they look through a broken glass.
        QueryError: these are too many.
    """
    refuse_under_glass(info.context)
    most = info.context.services.settings.max_page
    if not 0 <= first <= most:
        raise QueryError(f"first is {first}; it may be 0 to {most}")
    return author_of(info)


def _retention(
    info: Info[RequestContext, None],
    due: Annotated[
        bool, strawberry.argument(description="Only rules by which something is overdue, held or bound.")
    ] = False,
    at: Annotated[
        DateTime | None,
        strawberry.argument(
            description="What would be overdue then, if nothing came in between; now unless given."
        ),
    ] = None,
) -> RetentionReport | None:
    refuse_under_glass(info.context)
    moment = None if at is None else datetime.fromisoformat(at)
    found = retention.retention_report(info.context.services, author_of(info), at=moment)
    return RetentionReport(
        at=DateTime(found.at.isoformat().replace("+00:00", "Z")),
        overdue=Long(found.overdue),
        rules=[RetentionRule.of(rule) for rule in found.rules if rule.lines or not due],
    )


def _run(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - the argument's name in GraphQL, as everywhere
        RunRetentionInput, strawberry.argument(description="What it may do.")
    ],
) -> RetentionRun | None:
    order = retention.RunRetention(
        input.idempotency_key, tuple(input.rules or ()), int(input.most), input.scrub
    )
    done = retention.run_retention(info.context.services, author_of(info), order)
    return RetentionRun(
        id=strawberry.ID(done.event),
        customers=Long(done.customers),
        records=Long(done.records),
        rows=[RetiredCount(type=type_, count=Long(count)) for type_, count in sorted(done.rows.items())],
        erasures=[strawberry.ID(each) for each in done.erasures],
        overdue=Long(done.overdue),
        held=Long(done.held),
        bound=Long(done.bound),
        verified=not done.remaining,
    )


def _holds(
    info: Info[RequestContext, None],
    released: Annotated[
        bool, strawberry.argument(description="Those that were released, instead of those in force.")
    ] = False,
    first: Annotated[int, strawberry.argument(description="How many at most.")] = 50,
    after: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only those after the one with this id.")
    ] = None,
) -> list[LegalHold] | None:
    author = page_of(info, first)
    found = commands.legal_holds(
        info.context.services, author, released=released, first=first, after=after or ""
    )
    return [LegalHold.of(hold) for hold in found]


def _place(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - as above
        PlaceLegalHoldInput, strawberry.argument(description="Who is to be held.")
    ],
) -> PlacedHold | None:
    order = commands.PlaceHold(
        input.matter,
        input.reason,
        input.owner,
        date.fromisoformat(input.until),
        input.idempotency_key,
        customers=tuple(input.customer_ids or ()),
        type=input.type,
        property=input.property,
        value=input.value,
    )
    placed = commands.place_hold(info.context.services, author_of(info), order)
    return PlacedHold(id=strawberry.ID(placed.id), customers=Long(placed.customers))


def _release(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - as above
        ReleaseLegalHoldInput, strawberry.argument(description="Which hold ends.")
    ],
) -> strawberry.ID | None:
    order = commands.ReleaseHold(input.id, input.reason, input.idempotency_key)
    return strawberry.ID(commands.release_hold(info.context.services, author_of(info), order))


@strawberry.type
class RetentionQuery:
    """What is overdue, and what is held."""

    retention: RetentionReport | None = strawberry.field(
        resolver=_retention,
        description="What is kept for longer than the rules let it: a dry run, for those to whom the policy gives"
        " `run_retention`.",
    )
    legal_holds: list[LegalHold] | None = strawberry.field(
        name="legalHolds",
        resolver=_holds,
        description="Legal holds, the oldest first; for those to whom the policy gives `place_hold`.",
    )


@strawberry.type
class RetentionMutation:
    """Runs of retention, and legal holds."""

    run_retention: RetentionRun | None = strawberry.field(
        name="runRetention",
        resolver=_run,
        description="Erase what is overdue, for good, and say what is left; for those to whom the policy gives"
        " `run_retention`.",
    )
    place_legal_hold: PlacedHold | None = strawberry.field(
        name="placeLegalHold",
        resolver=_place,
        description="Keep customers from being erased, by request and by retention; for those to whom the policy gives"
        " `place_hold`.",
    )
    release_legal_hold: strawberry.ID | None = strawberry.field(
        name="releaseLegalHold", resolver=_release, description="End a legal hold; for the same. Its id."
    )
