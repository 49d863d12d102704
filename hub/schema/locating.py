"""The privacy map in GraphQL: where personal data lies, of whom, who outside gets it, and what looks wrong with it."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub.adapters.findings import Finding as FoundFinding
from hub.adapters.findings import FindingState as StoredState
from hub.commands import Author
from hub.errors import AccessDeniedError, QueryError
from hub.organisation import Abilities
from hub.privacy import places
from hub.schema.context import RequestContext
from hub.schema.scalars import DateTime, Long

_MAP = "For those to whom the policy gives `read_privacy_map`."


@strawberry.enum(name="LocationState", description="What is declared against what is there.")
class LocationState(Enum):
    """States of a location or a field, as the map has them."""

    PRESENT = strawberry.enum_value("present", description="Declared, and there.")
    ABSENT = strawberry.enum_value("absent", description="Declared, and nothing is there.")
    UNDECLARED = strawberry.enum_value("undeclared", description="There, and declared nowhere.")


@strawberry.enum(name="FindingState", description="What was said to a finding.")
class FindingState(Enum):
    """States of a finding, as they are stored."""

    OPEN = strawberry.enum_value("open", description="Nothing yet.")
    ACCEPTED = strawberry.enum_value("accepted", description="It is so, and may be.")
    DISMISSED = strawberry.enum_value("dismissed", description="It is not so.")


@strawberry.type(description="What a place can do for a privacy request: `auto`, `manual` or `none` each.")
class PlaceAbilities:
    """Abilities of a place."""

    access: str = strawberry.field(description="Give out what it holds of a person.")
    erase: str = strawberry.field(description="Erase a person.")
    rectify: str = strawberry.field(description="Correct a value.")
    restrict: str = strawberry.field(description="Keep without using.")
    export: str = strawberry.field(description="Give out in a form that machines read.")

    @classmethod
    def of(cls, can: Abilities) -> Self:
        """The abilities as GraphQL tells them."""
        return cls(**can.model_dump())


@strawberry.type(description="A field of a place.")
class PlaceField:
    """A field as the map has it."""

    path: str = strawberry.field(description="Where it stands: a path in the record, or a column.")
    property: str | None = strawberry.field(
        description="What it becomes, `Type.property`; null where undeclared."
    )
    category: str | None = strawberry.field(description="Its data category; null where nobody has said.")
    special: bool = strawberry.field(description="Whether the category is a special one.")
    state: LocationState = strawberry.field(description="Whether it is declared, and there.")


@strawberry.type(name="DataLocation", description="A place that holds personal data. Never the data itself.")
class DataLocation:
    """A location of the map."""

    id: strawberry.ID = strawberry.field(
        description="Its name: `source.stream`, `hub.table`, `partner.name`."
    )
    label: str = strawberry.field(description="What people call it.")
    kind: str = strawberry.field(
        description="`table`, `file`, `saas`, `paper`, `index`, `log`, `cache`, `backup`, `export` or `partner`."
    )
    system: str = strawberry.field(description="The source, `hub`, or the partner.")
    state: LocationState = strawberry.field(description="Whether it is declared, and anything is there.")
    categories: list[str] = strawberry.field(description="The categories of personal data in it.")
    purposes: list[str] = strawberry.field(description="The purposes for which somebody may see these.")
    purpose_declared: bool = strawberry.field(name="purposeDeclared", description="Whether there is any.")
    subjects: list[str] = strawberry.field(description="Whose data it is.")
    owner: str | None = strawberry.field(description="The department that answers for it.")
    country: str | None = strawberry.field(description="Where it lies.")
    partner: str | None = strawberry.field(description="Who keeps it for us.")
    rows: Long | None = strawberry.field(description="How many; null where nobody can count.")
    last_seen_at: DateTime | None = strawberry.field(
        name="lastSeenAt", description="When it was last read well."
    )
    retention_days: int | None = strawberry.field(
        name="retentionDays", description="How long its data may be kept for the longest of its purposes."
    )
    can: PlaceAbilities = strawberry.field(description="What it can do for a privacy request.")
    fields: list[PlaceField] = strawberry.field(description="Its fields.")

    @classmethod
    def of(cls, found: places.Location) -> Self:
        """The place as GraphQL tells it."""
        return cls(
            id=strawberry.ID(found.id),
            label=found.label,
            kind=found.kind,
            system=found.system,
            state=LocationState[found.state.name],
            categories=list(found.categories),
            purposes=list(found.purposes),
            purpose_declared=bool(found.purposes),
            subjects=list(found.subjects),
            owner=found.owner,
            country=found.country,
            partner=found.partner,
            rows=None if found.rows is None else Long(found.rows),
            last_seen_at=DateTime(found.last_seen_at) if found.last_seen_at else None,
            retention_days=found.retention_days,
            can=PlaceAbilities.of(found.can),
            fields=[
                PlaceField(
                    path=each.path,
                    property=f"{each.type}.{each.property}" if each.property else None,
                    category=each.category or None,
                    special=each.special,
                    state=LocationState[each.state.name],
                )
                for each in found.fields
            ],
        )


@strawberry.type(name="DataFlow", description="From one place to another.")
class DataFlow:
    """One flow."""

    source: strawberry.ID = strawberry.field(description="Where from.")
    target: strawberry.ID = strawberry.field(description="Where to.")
    derived: bool = strawberry.field(
        description="Whether the target is made of the source, not a copy of it."
    )
    purposes: list[str] = strawberry.field(description="What for.")
    leaves: bool = strawberry.field(description="Whether it leaves the EEA and the UK.")
    transfer_mechanism: str | None = strawberry.field(
        name="transferMechanism", description="What allows that it leaves them, as far as anybody has said."
    )


@strawberry.type(name="PrivacyMap", description="Where personal data lies, and what flows between.")
class PrivacyMap:
    """The map."""

    locations: list[DataLocation] = strawberry.field(description="The places.")
    flows: list[DataFlow] = strawberry.field(description="The flows between them.")


@strawberry.type(name="DataMapField", description="A field of one person's record, without its value.")
class DataMapField:
    """A field that a person's record has."""

    name: str = strawberry.field(description="Where it stands in the record.")
    property: str | None = strawberry.field(description="What it becomes; null where no mapping declares it.")
    category: str | None = strawberry.field(description="Its data category; null where nobody has said.")
    state: LocationState = strawberry.field(description="Whether it is declared.")
    purposes: list[str] = strawberry.field(description="What it may be seen for.")
    basis: list[str] = strawberry.field(description="On which bases in law.")
    retention_until: DateTime | None = strawberry.field(
        name="retentionUntil", description="Until when the longest of these purposes has it kept."
    )
    recipients: list[str] = strawberry.field(description="Partners that get data of its category.")
    last_read_at: DateTime | None = strawberry.field(
        name="lastReadAt", description="When somebody was last told of the category, of this person."
    )
    last_read_by: str | None = strawberry.field(name="lastReadBy", description="Who that was.")


@strawberry.type(name="DataMapRecord", description="A source record of one person.")
class DataMapRecord:
    """A record of a person."""

    reference: str = strawberry.field(description="The hub's own number for it.")
    source: str = strawberry.field(description="The source system.")
    stream: str = strawberry.field(description="The kind of record.")
    key: str | None = strawberry.field(description="Its key there; null where the caller may not see keys.")
    state: str = strawberry.field(description="`accepted`, `quarantined` or `deleted`.")
    observed_at: DateTime | None = strawberry.field(
        name="observedAt", description="When the source changed it."
    )
    landed_at: DateTime | None = strawberry.field(name="landedAt", description="When it last came in.")
    versions: int = strawberry.field(description="How many versions of it are held.")
    fields: list[DataMapField] = strawberry.field(description="Its fields that have a value.")

    @classmethod
    def of(cls, found: places.PersonRecord) -> Self:
        """The record as GraphQL tells it."""
        return cls(
            reference=found.reference,
            source=found.source,
            stream=found.stream,
            key=found.key,
            state=found.state,
            observed_at=DateTime(found.observed_at) if found.observed_at else None,
            landed_at=DateTime(found.landed_at) if found.landed_at else None,
            versions=found.versions,
            fields=[_person_field(each) for each in found.fields],
        )


@strawberry.type(name="DataMapPlace", description="Another place that holds something of the person.")
class DataMapPlace:
    """A place that has rows of a person."""

    id: strawberry.ID = strawberry.field(description="As the privacy map names it.")
    label: str = strawberry.field(description="What people call it.")
    rows: Long | None = strawberry.field(description="How many rows are theirs; null where none can tell.")
    categories: list[str] = strawberry.field(description="What these may hold.")


@strawberry.type(
    name="DataMap", description="Where one person's data is, record by record. Never the data itself."
)
class DataMap:
    """The map of a person."""

    customer_id: strawberry.ID = strawberry.field(name="customerId", description="The customer's id now.")
    records: list[DataMapRecord] = strawberry.field(
        description="Their records at the sources, as they landed."
    )
    places: list[DataMapPlace] = strawberry.field(description="What the hub has made of them, and the rest.")
    copies: list[strawberry.ID] = strawberry.field(description="Places outside of the hub that copy these.")
    last_read_at: DateTime | None = strawberry.field(
        name="lastReadAt", description="When they were last read."
    )
    last_read_by: str | None = strawberry.field(name="lastReadBy", description="By whom.")


@strawberry.type(name="Agreement", description="The contract with a partner.")
class Agreement:
    """A contract."""

    ref: str | None = strawberry.field(description="Its number; null where there is none on file.")
    until: str | None = strawberry.field(description="The day it ends.")


@strawberry.type(name="Recipient", description="Somebody outside who holds or gets personal data.")
class Recipient:
    """One recipient."""

    name: str = strawberry.field(description="Its name in the organisation's file.")
    label: str = strawberry.field(description="What it is called.")
    role: str = strawberry.field(description="`processor`, `recipient` or `joint`.")
    categories: list[str] = strawberry.field(description="Categories that it gets.")
    fields: list[str] = strawberry.field(description="Properties of these that sources bring.")
    purposes: list[str] = strawberry.field(description="What for.")
    countries: list[str] = strawberry.field(description="Where it works on them.")
    transfer_mechanism: str | None = strawberry.field(
        name="transferMechanism", description="What allows the transfer out of the EEA and the UK."
    )
    sub_processors: list[str] = strawberry.field(
        name="subProcessors", description="Whom it engages in its turn."
    )
    agreement: Agreement = strawberry.field(description="The contract with it.")
    people: Long = strawberry.field(description="Of how many customers at most.")


@strawberry.type(name="Finding", description="What looks wrong with where personal data lies. Never a value.")
class Finding:
    """A finding as GraphQL has it."""

    id: strawberry.ID = strawberry.field(description="The same for the same thing at the same place.")
    kind: str = strawberry.field(
        description="What it is: `undeclared_personal_data`, `unmapped_field` and others."
    )
    place: str = strawberry.field(description="`source.stream`, or what of the organisation it is about.")
    field: str | None = strawberry.field(description="The field, or the country of a transfer.")
    detected: str | None = strawberry.field(description="The kind of data that was detected.")
    category: str | None = strawberry.field(description="Its data category.")
    hits: Long = strawberry.field(description="How many values had it.")
    sampled: Long = strawberry.field(description="Of how many that were looked at.")
    confidence: float = strawberry.field(description="How sure that is, 0 to 1.")
    first_seen_at: DateTime | None = strawberry.field(
        name="firstSeenAt", description="When it was first met."
    )
    last_seen_at: DateTime | None = strawberry.field(name="lastSeenAt", description="When it was last met.")
    state: FindingState = strawberry.field(description="What was said to it.")
    decided_by: str | None = strawberry.field(name="decidedBy", description="By whom.")
    decided_at: DateTime | None = strawberry.field(name="decidedAt", description="When.")
    reason: str | None = strawberry.field(description="Why.")

    @classmethod
    def of(cls, found: FoundFinding) -> Self:
        """The finding as GraphQL tells it."""
        return cls(
            id=strawberry.ID(found.id),
            kind=found.kind.value,
            place=found.place,
            field=found.field or None,
            detected=found.detected or None,
            category=found.category or None,
            hits=Long(found.hits),
            sampled=Long(found.sampled),
            confidence=found.confidence,
            first_seen_at=DateTime(found.first_seen_at) if found.first_seen_at else None,
            last_seen_at=DateTime(found.last_seen_at) if found.last_seen_at else None,
            state=FindingState[found.state.name],
            decided_by=found.decided_by,
            decided_at=DateTime(found.decided_at) if found.decided_at else None,
            reason=found.reason,
        )


@strawberry.input(description="What is said to a finding.")
class DecideFindingInput:
    """Input of a word on a finding."""

    finding_id: strawberry.ID = strawberry.field(name="findingId", description="Id of the finding.")
    state: FindingState = strawberry.field(description="`ACCEPTED` or `DISMISSED`.")
    reason: str = strawberry.field(description="Why, in 10 to 1000 characters, naming nobody.")


def _person_field(found: places.PersonField) -> DataMapField:
    return DataMapField(
        name=found.name,
        property=found.property or None,
        category=found.category or None,
        state=LocationState[found.state.name],
        purposes=list(found.purposes),
        basis=list(found.basis),
        retention_until=DateTime(found.retention_until) if found.retention_until else None,
        recipients=list(found.recipients),
        last_read_at=DateTime(found.last_read_at) if found.last_read_at else None,
        last_read_by=found.last_read_by,
    )


def _asker(info: Info[RequestContext, None]) -> Author:
    if info.context.access.glass is not None:
        raise AccessDeniedError("under break-glass nothing is told but of the one customer")
    return Author.of(info.context.requester, info.context.services.access)


def _privacy_map(
    info: Info[RequestContext, None],
    category: Annotated[
        str | None, strawberry.argument(description="Only places with this data category, or one below.")
    ] = None,
    system: Annotated[
        str | None, strawberry.argument(description="Only those of this source, of `hub`, or of a partner.")
    ] = None,
) -> PrivacyMap | None:
    found = places.privacy_map(info.context.services, _asker(info), category=category, system=system)
    return PrivacyMap(
        locations=[DataLocation.of(each) for each in found.locations],
        flows=[
            DataFlow(
                source=strawberry.ID(each.source),
                target=strawberry.ID(each.target),
                derived=each.derived,
                purposes=list(each.purposes),
                leaves=each.leaves,
                transfer_mechanism=each.transfer_mechanism,
            )
            for each in found.flows
        ],
    )


def _data_map(
    info: Info[RequestContext, None],
    customer_id: Annotated[
        strawberry.ID, strawberry.argument(name="customerId", description="Public id of a customer.")
    ],
) -> DataMap | None:
    found = places.data_map(info.context.services, _asker(info), customer_id)
    return DataMap(
        customer_id=strawberry.ID(found.customer),
        records=[DataMapRecord.of(each) for each in found.records],
        places=[
            DataMapPlace(
                id=strawberry.ID(each.id),
                label=each.label,
                rows=None if each.rows is None else Long(each.rows),
                categories=list(each.categories),
            )
            for each in found.places
        ],
        copies=[strawberry.ID(each) for each in found.copies],
        last_read_at=DateTime(found.last_read_at) if found.last_read_at else None,
        last_read_by=found.last_read_by,
    )


def _recipients(info: Info[RequestContext, None]) -> list[Recipient] | None:
    return [
        Recipient(
            name=each.name,
            label=each.label,
            role=each.role,
            categories=list(each.categories),
            fields=list(each.fields),
            purposes=list(each.purposes),
            countries=list(each.countries),
            transfer_mechanism=each.transfer_mechanism,
            sub_processors=list(each.sub_processors),
            agreement=Agreement(ref=each.contract_ref, until=each.agreement_until),
            people=Long(each.people),
        )
        for each in places.recipients(info.context.services, _asker(info))
    ]


def _findings(
    info: Info[RequestContext, None],
    state: Annotated[
        FindingState | None, strawberry.argument(description="Only those in this state.")
    ] = None,
    first: Annotated[int, strawberry.argument(description="How many at most.")] = 50,
    after: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only those after the one with this id.")
    ] = None,
) -> list[Finding] | None:
    most = info.context.services.settings.max_page
    if not 0 <= first <= most:
        raise QueryError(f"first is {first}; it may be 0 to {most}")
    stored = StoredState[state.name] if state is not None else None
    found = list(places.findings(info.context.services, _asker(info), stored))
    start = 1 + next((n for n, each in enumerate(found) if each.id == after), -1)
    return [Finding.of(each) for each in found[start : start + first]]


def _decide(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - the argument's name in GraphQL, as everywhere
        DecideFindingInput, strawberry.argument(description="What is said to it.")
    ],
) -> Finding | None:
    state = StoredState[input.state.name]
    asker = _asker(info)
    found = places.decide_finding(info.context.services, asker, input.finding_id, state, input.reason)
    return Finding.of(found)


@strawberry.type
class LocationQuery:
    """Where personal data lies."""

    privacy_map: PrivacyMap | None = strawberry.field(
        name="privacyMap",
        resolver=_privacy_map,
        description=f"All places that hold personal data, here and outside, and what flows between them. {_MAP}",
    )
    data_map: DataMap | None = strawberry.field(
        name="dataMap",
        resolver=_data_map,
        description=f"Where one customer's data is: records, fields, purposes, who gets it, who read it last. {_MAP}",
    )
    recipients: list[Recipient] | None = strawberry.field(
        resolver=_recipients,
        description=f"Partners outside: what they get, what for, under which agreement. {_MAP}",
    )
    findings: list[Finding] | None = strawberry.field(
        resolver=_findings,
        description="What looks wrong with where personal data lies."
        " For those to whom the policy gives `read_findings`.",
    )


@strawberry.type
class LocationMutation:
    """What is said to findings."""

    decide_finding: Finding | None = strawberry.field(
        name="decideFinding",
        resolver=_decide,
        description="Accept or dismiss a finding. For those to whom the policy gives `decide_finding`.",
    )
