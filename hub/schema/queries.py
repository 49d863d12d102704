"""Root fields about the hub itself: who asks, and how the sources are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub.access import Effect, PlanAccess
from hub.adapters import Counts, SourceStatus, kept_mappings, source_statuses
from hub.adapters.schedules import Turn
from hub.adapters.turns import turns
from hub.errors import AccessDeniedError
from hub.graph.plans.guard import SOURCES_CATEGORY
from hub.schema.context import RequestContext
from hub.schema.scalars import DateTime, Long
from hub.store import iso_utc


@strawberry.type(description="The caller, as this request's token and purpose say.")
class Me:
    """The caller."""

    subject: str = strawberry.field(description="The caller's id at the identity provider.")
    roles: list[str] = strawberry.field(description="The roles of this hub's policy that the token gives.")
    department: str = strawberry.field(description="The caller's department.")
    purpose: str = strawberry.field(description="The purpose of this request.")
    purposes: list[str] = strawberry.field(description="The purposes that the caller may state.")


@strawberry.type(description="A field of a source that is not as it was.")
class DriftedField:
    """One drifted field."""

    stream: str = strawberry.field(description="The kind of record.")
    field: str = strawberry.field(description="The field.")
    kind: str = strawberry.field(description="What changed: new, missing or retyped.")
    since: DateTime = strawberry.field(description="When it was first seen so.")


@strawberry.type(description="What became of the records of a run.")
class RunCounts:
    """Counts of a run."""

    read: Long = strawberry.field(description="Records read.")
    unchanged: Long = strawberry.field(description="Records that were held already.")
    accepted: Long = strawberry.field(description="Records that are new or changed.")
    quarantined: Long = strawberry.field(description="Records that could not be accepted.")
    suppressed: Long = strawberry.field(description="Records of erased customers, of which nothing was kept.")
    deleted: Long = strawberry.field(description="Records that are gone at the source.")

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """The counts as GraphQL tells them."""
        return cls(
            read=Long(counts.read),
            unchanged=Long(counts.unchanged),
            accepted=Long(counts.accepted),
            quarantined=Long(counts.quarantined),
            suppressed=Long(counts.suppressed),
            deleted=Long(counts.deleted),
        )


@strawberry.type(description="A source system and how it is.")
class Source:
    """One source."""

    name: str = strawberry.field(description="Its name in configuration.")
    label: str = strawberry.field(description="What people call it.")
    state: str = strawberry.field(
        description="State of its newest run: running, ok, suspect, failed, interrupted, or never."
    )
    message: str | None = strawberry.field(description="What was wrong with its newest run.")
    last_run_at: DateTime | None = strawberry.field(
        name="lastRunAt", description="When its newest run began."
    )
    last_success_at: DateTime | None = strawberry.field(
        name="lastSuccessAt", description="When its newest good run began: its data are as fresh as that."
    )
    lag_seconds: Long | None = strawberry.field(name="lagSeconds", description="Seconds since then.")
    records: Long = strawberry.field(description="Records held.")
    quarantined: Long = strawberry.field(description="Records that wait in quarantine.")
    last_counts: RunCounts = strawberry.field(
        name="lastCounts", description="What became of its newest run's records."
    )
    drift: list[DriftedField] = strawberry.field(description="Fields that are not as they were.")
    turn: str = strawberry.field(
        description="Whether `hub worker` reads it next: unscheduled, waiting, due, running, resting after"
        " failures, or frozen."
    )
    turn_at: DateTime | None = strawberry.field(
        name="turnAt", description="When it does, or when its freezing ends."
    )


def _me(info: Info[RequestContext, None]) -> Me:
    asks = info.context.requester
    return Me(
        subject=asks.subject,
        roles=sorted(asks.roles),
        department=asks.department,
        purpose=asks.purpose,
        purposes=list(asks.purposes),
    )


def require_sources(access: PlanAccess) -> None:
    """See to it that the caller may know the state of the sources.

    Raises:
        AccessDeniedError: the policy does not allow it.
    """
    if access.decide(SOURCES_CATEGORY).effect is not Effect.ALLOW:
        raise AccessDeniedError(f"the state of the sources ({SOURCES_CATEGORY}) is denied")


def _sources(info: Info[RequestContext, None]) -> list[Source] | None:
    context = info.context
    require_sources(context.access)
    context.touched.add(categories=[SOURCES_CATEGORY])
    store, configs, now = context.services.store, context.services.sources.configs, datetime.now(UTC)
    whose = turns(store, configs, now, now)
    return [_source(status, whose.get(status.name)) for status in source_statuses(store, configs, now)]


@strawberry.type(description="What a stream's YAML said while rows were made by it.")
class Mapping:
    """A mapping by its version."""

    source: str = strawberry.field(description="The source system.")
    stream: str = strawberry.field(description="The kind of record in it.")
    version: str = strawberry.field(description="Its version, as lineage names it.")
    content: str = strawberry.field(
        description="What it said, as JSON: that which the version is a digest of."
    )
    since: DateTime = strawberry.field(description="When a run first made use of it.")
    since_run: strawberry.ID = strawberry.field(name="sinceRun", description="That run's number.")


def _mappings(
    info: Info[RequestContext, None],
    source: Annotated[str, strawberry.argument(description="The source system.")],
    stream: Annotated[str | None, strawberry.argument(description="Only of this kind of record.")] = None,
    version: Annotated[str | None, strawberry.argument(description="Only of this version.")] = None,
) -> list[Mapping] | None:
    context = info.context
    require_sources(context.access)
    context.touched.add(categories=[SOURCES_CATEGORY])
    with context.read() as connection:
        found = kept_mappings(connection, source, stream, version)
    return [
        Mapping(
            source=each.source,
            stream=each.stream,
            version=each.version,
            content=json.dumps(each.content),
            since=DateTime(each.since),
            since_run=strawberry.ID(str(each.since_run_id)),
        )
        for each in found
    ]


@strawberry.type
class HubQuery:
    """Questions about the hub itself."""

    me: Me = strawberry.field(resolver=_me, description="Who asks, and for what.")
    sources: list[Source] | None = strawberry.field(
        resolver=_sources, description="The source systems: state, age, counts and drift."
    )
    mappings: list[Mapping] | None = strawberry.field(
        resolver=_mappings,
        description="The mappings that rows of a source were made by, the newest first, for lineage.",
    )


def _source(status: SourceStatus, turn: Turn | None) -> Source:
    return Source(
        name=status.name,
        label=status.label,
        state=status.state,
        message=status.message,
        last_run_at=_at(status.last_run_at),
        last_success_at=_at(status.last_success_at),
        lag_seconds=None if status.lag_s is None else Long(status.lag_s),
        records=Long(status.records),
        quarantined=Long(status.waiting),
        last_counts=RunCounts.of(status.last_counts),
        drift=[
            DriftedField(stream=stream, field=drift.field, kind=drift.kind, since=DateTime(since))
            for stream, drift, since in status.drift
        ],
        turn=turn.state if turn is not None else "unscheduled",
        turn_at=DateTime(iso_utc(turn.at)) if turn is not None and turn.at is not None else None,
    )


def _at(text: str | None) -> DateTime | None:
    return None if text is None else DateTime(text)
