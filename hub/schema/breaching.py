"""Breaches in GraphQL: whom one is about, and the register of incidents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Self, cast

import strawberry
from strawberry import Info

from hub.commands.incidents import Incident as KeptIncident
from hub.commands.incidents import StepKind
from hub.privacy import breach
from hub.schema.breaking import author_of, refuse_under_glass
from hub.schema.context import RequestContext
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.retaining import page_of
from hub.schema.scalars import DateTime, Long
from hub.store import iso_utc


@strawberry.input(description="What is known of a breach; all that is given must hold.")
class BreachWhere:
    """Where, whose account and when."""

    source: str | None = strawberry.field(default=None, description="A source whose data is affected.")
    stream: str | None = strawberry.field(default=None, description="One stream of it.")
    whole_hub: bool = strawberry.field(
        name="wholeHub",
        default=False,
        description="A copy of the store, the index or a backup: all that lies there.",
    )
    account: str | None = strawberry.field(
        default=None, description="The subject of a token, or `key:` and the id of an API key."
    )
    credential: str | None = strawberry.field(
        default=None,
        description="The fingerprint of the one token or key: 128 bits of its SHA-256, in hexadecimal.",
    )
    since: DateTime | None = strawberry.field(default=None, description="What happened then or later.")
    until: DateTime | None = strawberry.field(
        default=None, description="What happened before; of a mere place, what had come by then."
    )

    def where(self) -> breach.Where:
        """The question as the privacy room takes it."""
        return breach.Where(
            source=self.source,
            stream=self.stream,
            whole_hub=self.whole_hub,
            account=self.account,
            credential=self.credential,
            since=_instant(self.since),
            until=_instant(self.until),
        )


@strawberry.type(description="A number of people, or of rows.")
class AffectedCount:
    """How many of what is affected."""

    name: str = strawberry.field(description="The data category, the entity type, or the fingerprint.")
    count: Long = strawberry.field(description="How many.")

    @classmethod
    def all(cls, counts: Mapping[str, int]) -> list[Self]:
        """One for each name."""
        return [cls(name=name, count=Long(count)) for name, count in sorted(counts.items())]


@strawberry.type(description="An account that was told of people.")
class BreachActor:
    """Who was told."""

    account: str = strawberry.field(description="The account.")
    roles: list[str] = strawberry.field(description="Its roles.")
    events: Long = strawberry.field(description="By how many accesses.")
    customers: Long = strawberry.field(description="Of how many customers.")


@strawberry.type(description="How far a breach goes.")
class BreachExtent:
    """Counts of a breach."""

    erased: Long = strawberry.field(
        description="Customers who were told of and have been erased since: the hub cannot reach them."
    )
    categories: list[AffectedCount] = strawberry.field(description="Customers by data category.")
    types: list[AffectedCount] = strawberry.field(description="Rows at the place, by type.")
    actors: list[BreachActor] = strawberry.field(description="The accounts that were told, the most first.")
    credentials: list[AffectedCount] = strawberry.field(
        description="Customers by the token or key that was told of them, by its fingerprint."
    )
    events: Long = strawberry.field(description="Accesses.")
    nameless: Long = strawberry.field(
        description="Accesses that name nobody: figures over many, or nothing found."
    )
    cut: Long = strawberry.field(
        description="Accesses about more categories than one event lists: there may be more of them."
    )
    unresolved: Long = strawberry.field(description="Rows at the place that are of no customer yet.")
    waiting: Long = strawberry.field(description="Records at the place that wait in quarantine.")

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """The counts as GraphQL tells them."""
        numbers = ("erased", "events", "nameless", "cut", "unresolved", "waiting")
        return cls(
            categories=AffectedCount.all(found["categories"]),
            types=AffectedCount.all(found["types"]),
            credentials=AffectedCount.all(found.get("credentials", {})),
            actors=[
                BreachActor(
                    account=each["account"],
                    roles=each["roles"],
                    events=Long(each["events"]),
                    customers=Long(each["customers"]),
                )
                for each in found["actors"]
            ],
            **{name: Long(found[name]) for name in numbers},
        )


@strawberry.type(description="Whom a breach is about.")
class BreachScope:
    """The answer of the breach tool."""

    people: Long = strawberry.field(description="How many customers are affected.")
    customer_ids: list[strawberry.ID] = strawberry.field(
        name="customerIds", description="Their ids, the first of them as many as a page may have."
    )
    extent: BreachExtent = strawberry.field(description="How far it goes.")


@strawberry.enum(name="IncidentStepKind", description="What was done about an incident.")
class IncidentStepKind(Enum):
    """The kinds, as they are stored."""

    AUTHORITY_NOTIFIED = strawberry.enum_value(
        "authority_notified",
        description="The authority was notified (GDPR Art. 33(1)); the note has its reference.",
    )
    AUTHORITY_NOT_NEEDED = strawberry.enum_value(
        "authority_not_needed", description="It need not be: the note says why there is no risk."
    )
    PEOPLE_TOLD = strawberry.enum_value(
        "people_told", description="Those affected were told (Art. 34(1)); the note says how."
    )
    PEOPLE_NOT_NEEDED = strawberry.enum_value(
        "people_not_needed", description="They need not be: the note says why (Art. 34(3))."
    )
    MEASURE = strawberry.enum_value("measure", description="A measure was taken.")
    CLOSED = strawberry.enum_value("closed", description="Nothing more is to be done.")


@strawberry.type(description="What was done about an incident.")
class IncidentStep:
    """A step in GraphQL."""

    kind: IncidentStepKind = strawberry.field(description="What it was.")
    at: DateTime = strawberry.field(description="When it was done.")
    noted_at: DateTime = strawberry.field(name="notedAt", description="When that was noted.")
    noted_by: str = strawberry.field(name="notedBy", description="Who noted it.")
    note: str = strawberry.field(description="What was said of it.")


@strawberry.type(description="A personal data breach in the register (GDPR Art. 33(5)).")
class Incident:
    """An entry in GraphQL."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    opened_at: DateTime = strawberry.field(name="openedAt", description="When it was recorded.")
    opened_by: str = strawberry.field(name="openedBy", description="Who recorded it.")
    aware_at: DateTime = strawberry.field(name="awareAt", description="When one became aware of it.")
    due_at: DateTime = strawberry.field(
        name="dueAt", description="By when the authority is to be notified: 72 hours later (Art. 33(1))."
    )
    is_overdue: bool = strawberry.field(
        name="isOverdue", description="Whether that has passed, and neither was done."
    )
    is_late: bool = strawberry.field(name="isLate", description="Whether it was notified after that.")
    is_closed: bool = strawberry.field(name="isClosed", description="Whether it is closed.")
    lacks: list[str] = strawberry.field(
        description="What has to be decided yet: about the `authority`, about the `people`."
    )
    nature: str = strawberry.field(description="What happened.")
    consequences: str = strawberry.field(description="What is likely to come of it.")
    measures: str = strawberry.field(description="What was done or is proposed, when it was recorded.")
    owner: str = strawberry.field(description="The department that answers for it.")
    people: Long = strawberry.field(description="How many customers it affects.")
    extent: BreachExtent = strawberry.field(description="How far it goes.")
    steps: list[IncidentStep] = strawberry.field(description="What was done, in the order of notes.")

    @classmethod
    def of(cls, incident: KeptIncident) -> Self:
        """The entry as GraphQL tells it."""
        steps = [
            IncidentStep(
                kind=IncidentStepKind[step.kind.upper()],
                at=DateTime(step.at),
                noted_at=DateTime(step.noted_at),
                noted_by=step.noted_by,
                note=step.note,
            )
            for step in incident.steps
        ]
        return cls(
            id=strawberry.ID(incident.id),
            opened_at=DateTime(incident.opened_at),
            opened_by=incident.opened_by,
            aware_at=DateTime(incident.aware_at),
            due_at=DateTime(iso_utc(incident.due_at)),
            is_overdue=incident.is_overdue,
            is_late=incident.is_late,
            is_closed=incident.is_closed,
            lacks=list(incident.lacks),
            nature=incident.nature,
            consequences=incident.consequences,
            measures=incident.measures,
            owner=incident.owner,
            people=Long(incident.people),
            extent=BreachExtent.of(incident.found),
            steps=steps,
        )


@strawberry.input(description="A breach to be recorded, with whom it affects by what is known now.")
class RecordIncidentInput:
    """Input of an incident."""

    where: BreachWhere = strawberry.field(description="Where, by whose account and when.")
    nature: str = strawberry.field(description="What happened, in 20 to 4000 characters, naming no customer.")
    consequences: str = strawberry.field(description="What is likely to come of it; the like.")
    measures: str = strawberry.field(description="What was done or is proposed; the like.")
    owner: str = strawberry.field(description="The department that answers for it.")
    aware_at: DateTime = strawberry.field(name="awareAt", description="When one became aware of it.")
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.input(description="What was done about an incident.")
class NoteIncidentInput:
    """Input of a step."""

    id: strawberry.ID = strawberry.field(description="Id of the incident.")
    kind: IncidentStepKind = strawberry.field(description="What was done.")
    note: str = strawberry.field(
        description="A reference, or the reasons: those of a delay beyond 72 hours in 20 characters at least."
    )
    at: DateTime | None = strawberry.field(default=None, description="When; now unless given.")
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


def _instant(at: DateTime | None) -> datetime | None:
    return None if at is None else datetime.fromisoformat(at)


def _scope(
    info: Info[RequestContext, None],
    where: Annotated[BreachWhere, strawberry.argument(description="What is known of it.")],
) -> BreachScope | None:
    refuse_under_glass(info.context)
    found = breach.breach_scope(info.context.services, author_of(info), where.where())
    shown = found.customers[: info.context.services.settings.max_page]
    return BreachScope(
        people=Long(len(found.customers)),
        customer_ids=[strawberry.ID(each) for each in shown],
        extent=BreachExtent.of(found.counts()),
    )


def _incidents(
    info: Info[RequestContext, None],
    first: Annotated[int, strawberry.argument(description="How many at most.")] = 50,
    after: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only those after the one with this id.")
    ] = None,
) -> list[Incident] | None:
    author = page_of(info, first)
    found = breach.incidents(info.context.services, author, first=first, after=after or "")
    return [Incident.of(each) for each in found]


def _affected(
    info: Info[RequestContext, None],
    incident_id: Annotated[
        strawberry.ID, strawberry.argument(name="incidentId", description="Id of the incident.")
    ],
    first: Annotated[int, strawberry.argument(description="How many at most.")] = 200,
    after: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only ids after this one.")
    ] = None,
) -> list[strawberry.ID] | None:
    author = page_of(info, first)
    _, customers = breach.find_incident_of(info.context.services, author, incident_id)
    return [strawberry.ID(each) for each in customers if each > (after or "")][:first]


def _record(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - the argument's name in GraphQL, as everywhere
        RecordIncidentInput, strawberry.argument(description="What happened.")
    ],
) -> strawberry.ID | None:
    order = breach.RecordIncident(
        input.where.where(),
        input.nature,
        input.consequences,
        input.measures,
        input.owner,
        datetime.fromisoformat(input.aware_at),
        input.idempotency_key,
    )
    return strawberry.ID(breach.record_incident(info.context.services, author_of(info), order))


def _note(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - as above
        NoteIncidentInput, strawberry.argument(description="What was done.")
    ],
) -> Incident | None:
    kind = cast(StepKind, input.kind.name.lower())
    order = breach.NotifyIncident(input.id, kind, input.note, input.idempotency_key, _instant(input.at))
    return Incident.of(breach.note_incident(info.context.services, author_of(info), order))


@strawberry.type
class BreachQuery:
    """Whom breaches are about."""

    breach_scope: BreachScope | None = strawberry.field(
        name="breachScope",
        resolver=_scope,
        description="Whom a breach is about: by what lies at a place, by what the audit log says that an account was"
        " told, or by both. For those to whom the policy gives `handle_breach`.",
    )
    incidents: list[Incident] | None = strawberry.field(
        resolver=_incidents, description="The register of incidents, the oldest first; for the same."
    )
    incident_customers: list[strawberry.ID] | None = strawberry.field(
        name="incidentCustomers",
        resolver=_affected,
        description="Ids of those whom an incident affects, in their order; for the same.",
    )


@strawberry.type
class BreachMutation:
    """Incidents, recorded and followed."""

    record_incident: strawberry.ID | None = strawberry.field(
        name="recordIncident",
        resolver=_record,
        description="Record a breach with whom it affects; for those to whom the policy gives `handle_breach`. Its id.",
    )
    note_incident: Incident | None = strawberry.field(
        name="noteIncident",
        resolver=_note,
        description="Note what was done about an incident: whom was told, why nobody was, a measure, its end; for the"
        " same.",
    )
