"""The access map of officers in GraphQL: rules with their use, who sees a field, reviews, changes, what to look at."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub import commands
from hub.audit import RULE, Use
from hub.commands import Author
from hub.errors import QueryError
from hub.privacy import access as privacy_access
from hub.schema.auditing import AuditEvent, AuditPage, UnusualVolume
from hub.schema.breaking import author_of, refuse_under_glass
from hub.schema.context import RequestContext
from hub.schema.explaining import AccessReason
from hub.schema.scalars import Date, DateTime, Long


@strawberry.enum(name="AttestationVerdict", description="What somebody says of a rule that they looked at.")
class AttestationVerdict(Enum):
    """What may be said of a rule, as it is stored."""

    KEEP = strawberry.enum_value("keep", description="It stays as it is.")
    NARROW = strawberry.enum_value("narrow", description="It gives more than is needed.")
    REVOKE = strawberry.enum_value("revoke", description="Nobody needs it.")


@strawberry.type(description="What the audit log tells of the use of something; no value of anybody.")
class AccessUse:
    """A use in GraphQL."""

    reads: Long = strawberry.field(description="Queries, searches and exports.")
    last_at: DateTime | None = strawberry.field(name="lastAt", description="When the last was.")
    people: list[str] = strawberry.field(description="By whom: users and keys, as events name them.")
    customers: Long = strawberry.field(description="Of how many different customers they told.")

    @classmethod
    def of(cls, use: Use | None) -> Self | None:
        """The use as GraphQL tells it."""
        if use is None:
            return None
        return cls(
            reads=Long(use.reads),
            last_at=told(use.last_at),
            people=list(use.people),
            customers=Long(use.customers),
        )


@strawberry.type(description="What was last said of a rule.")
class RuleAttestation:
    """An attestation in GraphQL."""

    verdict: AttestationVerdict = strawberry.field(description="What was said.")
    subject: str = strawberry.field(description="Who said it.")
    at: DateTime = strawberry.field(description="When.")

    @classmethod
    def of(cls, attestation: commands.Attestation | None) -> Self | None:
        """The attestation as GraphQL tells it."""
        if attestation is None:
            return None
        verdict = AttestationVerdict[attestation.verdict.name]
        return cls(verdict=verdict, subject=attestation.subject, at=DateTime(attestation.at))


@strawberry.type(description="A rule of the policy in force, with who made use of it.")
class AccessRule:
    """A rule of the policy in GraphQL."""

    id: strawberry.ID = strawberry.field(description="Its id, which follows from what it gives to whom.")
    kind: str = strawberry.field(description="`grant`, `command` or `break_glass`.")
    roles: list[str] = strawberry.field(description="The roles that it is for.")
    purposes: list[str] = strawberry.field(description="For which purposes.")
    names: list[str] = strawberry.field(description="Data categories, or commands.")
    effect: str = strawberry.field(
        description="`allow`, `deny`, `mask:` and the mask's name; for break-glass the minutes."
    )
    scope: str = strawberry.field(description="Which customers it is about; `none` narrows nothing.")
    why: str = strawberry.field(description="The reason that the policy gives.")
    owner: str = strawberry.field(description="The department that answers for it.")
    since: DateTime | None = strawberry.field(
        description="Since when it has been in force, as far as policies were kept."
    )
    review: Date = strawberry.field(description="The day by which its owner looks at it again.")
    past_review: bool = strawberry.field(name="pastReview", description="Whether that day is past.")
    attestation: RuleAttestation | None = strawberry.field(description="What was last said of it.")
    attest_by: DateTime | None = strawberry.field(
        name="attestBy", description="When somebody has to look at it again, each quarter."
    )
    past_attestation: bool = strawberry.field(
        name="pastAttestation", description="Whether that time is past."
    )
    use: AccessUse | None = strawberry.field(
        description="Its use in the span; null for denials and commands, of which the log tells nothing so."
    )
    unused: bool = strawberry.field(
        description="Whether it permits something, was in force in all of the span, and nobody made use of it."
    )

    @classmethod
    def of(cls, seen: privacy_access.Seen) -> Self:
        """The rule as GraphQL tells it."""
        rule = seen.rule
        return cls(
            id=strawberry.ID(rule.id),
            kind=rule.kind,
            roles=list(rule.roles),
            purposes=list(rule.purposes),
            names=list(rule.names),
            effect=rule.effect,
            scope=rule.scope,
            why=rule.why,
            owner=rule.owner,
            since=told(seen.since),
            review=Date(rule.review.isoformat()),
            past_review=seen.is_past_review,
            attestation=RuleAttestation.of(seen.attested),
            attest_by=told(seen.attest_by),
            past_attestation=seen.is_past_attestation,
            use=AccessUse.of(seen.use),
            unused=seen.is_unused,
        )


@strawberry.type(description="Who may see what and why, and beside it who did.")
class OfficerAccessMap:
    """The map in GraphQL."""

    policy_sha256: str = strawberry.field(name="policySha256", description="Hash of the policy in force.")
    since: DateTime = strawberry.field(description="When the span of use begins.")
    until: DateTime = strawberry.field(description="When it ends.")
    rules: list[AccessRule] = strawberry.field(description="The rules in the policy's order.")
    reads: Long = strawberry.field(description="All reads, searches and exports of the span.")
    reads_without_result: Long = strawberry.field(
        name="readsWithoutResult",
        description="Of these, those that asked for personal data and told of nobody.",
    )
    refused_without_purpose: Long = strawberry.field(
        name="refusedWithoutPurpose",
        description="Requests that were refused for lack of a purpose that their caller may state.",
    )
    unusual: list[UnusualVolume] = strawberry.field(
        description="Unusual volumes of the last days of the span, 31 at most."
    )
    rule: str = strawberry.field(description="What makes a volume unusual, in words.")


@strawberry.type(description="Somebody, or some program, in a role.")
class RolePerson:
    """A person in GraphQL."""

    subject: str = strawberry.field(description="A user or a key, as events name it.")
    is_key: bool = strawberry.field(
        name="isKey", description="Whether it is an API key that carries the role."
    )


@strawberry.type(description="A role that sees something of a field for a purpose, with those who hold it.")
class FieldReader:
    """A reader in GraphQL."""

    role: str = strawberry.field(description="The role.")
    purpose: str = strawberry.field(description="The purpose.")
    effect: str = strawberry.field(
        description="`allow`, `mask:` and the mask; `deny` where a row scope or break-glass alone opens it."
    )
    within: list[str] = strawberry.field(description="What is shown more within row scopes.")
    via: list[AccessReason] = strawberry.field(description="The grants that reach it, what decides first.")
    break_glass_minutes: Long | None = strawberry.field(
        name="breakGlassMinutes", description="For how long the role may open it in an emergency."
    )
    people: list[RolePerson] = strawberry.field(
        description="Who is known in the role: by the reads of the span, and by API keys."
    )
    use: AccessUse | None = strawberry.field(
        description="Reads of its data category by the role for the purpose."
    )


@strawberry.type(description="Who can see a field, and who did.")
class FieldAccess:
    """A field in GraphQL."""

    path: str = strawberry.field(description="What was asked about.")
    category: str = strawberry.field(description="Its data category.")
    special: bool = strawberry.field(description="Whether only a grant that names the category opens it.")
    readable_by: list[FieldReader] = strawberry.field(
        name="readableBy", description="The roles that see something of it, by role and purpose."
    )
    reads: AuditPage = strawberry.field(
        description="Reads of its category and type; events do not name the property."
    )


@strawberry.type(description="An access of the sample, with its flags.")
class ReviewedAccess:
    """An event of a review in GraphQL."""

    event: AuditEvent = strawberry.field(description="The event.")
    flags: list[str] = strawberry.field(description="What is to be looked at; `rules` says what each means.")


@strawberry.type(description="What a flag of a review means.")
class ReviewRule:
    """A rule of a flag in GraphQL."""

    flag: str = strawberry.field(description="The flag.")
    meaning: str = strawberry.field(description="When an access has it.")


@strawberry.type(description="Accesses drawn at random for a review.")
class AccessReview:
    """A review in GraphQL."""

    population: Long = strawberry.field(description="How many accesses they were drawn from.")
    accesses: list[ReviewedAccess] = strawberry.field(description="Those that were drawn, in their order.")
    rules: list[ReviewRule] = strawberry.field(description="What each flag means.")


@strawberry.type(description="The configuration that made a change.")
class MapChangeCause:
    """A cause in GraphQL."""

    kind: str = strawberry.field(description="`policy`, `ontology` or `sources`.")
    sha256: str = strawberry.field(description="Its hash; a policy's is that of audit events.")
    since: DateTime = strawberry.field(description="When it came into force.")


@strawberry.type(description="A change of the map.")
class MapChange:
    """A change in GraphQL."""

    what: str = strawberry.field(
        description="A role's right for a purpose, a property, or a field of a source."
    )
    before: str | None = strawberry.field(description="What it was.")
    after: str | None = strawberry.field(description="What it is.")
    cause: MapChangeCause = strawberry.field(description="What brought it.")

    @classmethod
    def of(cls, change: privacy_access.MapChange) -> Self:
        """The change as GraphQL tells it."""
        cause = change.cause
        return cls(
            what=change.what,
            before=change.before,
            after=change.after,
            cause=MapChangeCause(kind=cause.kind, sha256=cause.sha256, since=DateTime(cause.since)),
        )


@strawberry.type(description="What is not in the map as it was.")
class PrivacyMapDiff:
    """A difference in GraphQL."""

    added: list[MapChange] = strawberry.field(description="What somebody is shown more of, or what is new.")
    removed: list[MapChange] = strawberry.field(
        description="What somebody is shown less of, or what is gone."
    )
    changed: list[MapChange] = strawberry.field(description="What is another, neither more nor less.")
    unknown: list[str] = strawberry.field(
        description="Kinds of configuration that were not kept yet at the first moment; the oldest kept stands in."
    )


Since = Annotated[
    DateTime | None, strawberry.argument(description="When the span begins; 90 days ago unless given.")
]
Until = Annotated[DateTime | None, strawberry.argument(description="When it ends; now unless given.")]


def asks(info: Info[RequestContext, None], first: int = 0) -> Author:
    """Who asks, for a page of so many.

    Raises:
        AccessDeniedError: they look through a broken glass, which shows one customer only.
        QueryError: the page is larger than the settings allow.
    """
    refuse_under_glass(info.context)
    most = info.context.services.settings.max_page
    if not 0 <= first <= most:
        raise QueryError(f"first is {first}; it may be 0 to {most}")
    return author_of(info)


def told(at: datetime | None) -> DateTime | None:
    """The moment as GraphQL tells it."""
    return None if at is None else DateTime(at.isoformat().replace("+00:00", "Z"))


def _when(text: DateTime | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _access_map(
    info: Info[RequestContext, None],
    role: Annotated[str | None, strawberry.argument(description="Only rules for this role.")] = None,
    purpose: Annotated[str | None, strawberry.argument(description="Only rules for this purpose.")] = None,
    category: Annotated[
        str | None, strawberry.argument(description="Only rules that reach this data category.")
    ] = None,
    since: Since = None,
    until: Until = None,
) -> OfficerAccessMap | None:
    narrowing = privacy_access.Narrowing(role=role, purpose=purpose, category=category)
    found = privacy_access.access_map(
        info.context.services, asks(info), narrowing, _when(since), _when(until)
    )
    return OfficerAccessMap(
        policy_sha256=found.policy_sha256,
        since=DateTime(found.since.isoformat()),
        until=DateTime(found.until.isoformat()),
        rules=[AccessRule.of(each) for each in found.rules],
        reads=Long(found.reads),
        reads_without_result=Long(found.without_result),
        refused_without_purpose=Long(found.refused_purpose),
        unusual=[UnusualVolume.of(each) for each in found.unusual],
        rule=RULE,
    )


def _field(
    info: Info[RequestContext, None],
    path: Annotated[
        str, strawberry.argument(description="A property such as `Customer.email`, or a data category.")
    ],
    since: Since = None,
    until: Until = None,
    first: Annotated[int, strawberry.argument(description="Reads at most.")] = 50,
    after: Annotated[Long, strawberry.argument(description="Only reads with a higher number.")] = Long(-1),  # noqa: B008 - an int of another name
) -> FieldAccess | None:
    found = privacy_access.field_access(
        info.context.services,
        asks(info, first),
        path,
        _when(since),
        _when(until),
        first=first,
        after=after,
    )
    return FieldAccess(
        path=found.path,
        category=found.category,
        special=found.special,
        readable_by=[_reader(each) for each in found.readers],
        reads=AuditPage.of(found.reads),
    )


def _reader(reader: privacy_access.Reader) -> FieldReader:
    minutes = reader.break_glass_minutes
    return FieldReader(
        role=reader.role,
        purpose=reader.purpose,
        effect=reader.effect,
        within=list(reader.within),
        via=[AccessReason.of(each) for each in reader.via],
        break_glass_minutes=None if minutes is None else Long(minutes),
        people=[RolePerson(subject=each.subject, is_key=each.is_key) for each in reader.people],
        use=AccessUse.of(reader.use),
    )


def _review(
    info: Info[RequestContext, None],
    sample: Annotated[int, strawberry.argument(description="How many.")],
    seed: Annotated[
        str, strawberry.argument(description="What the draw follows from; the same draws the same.")
    ],
    since: Since = None,
    until: Until = None,
) -> AccessReview | None:
    found = privacy_access.access_review(
        info.context.services,
        asks(info, sample),
        size=sample,
        seed=seed,
        since=_when(since),
        until=_when(until),
    )
    accesses = [
        ReviewedAccess(event=AuditEvent.of(each.recorded), flags=list(each.flags)) for each in found.events
    ]
    rules = [ReviewRule(flag=flag, meaning=meaning) for flag, meaning in privacy_access.FLAGS.items()]
    return AccessReview(population=Long(found.population), accesses=accesses, rules=rules)


def _diff(
    info: Info[RequestContext, None],
    since: Annotated[DateTime, strawberry.argument(description="The first moment.")],
    until: Until = None,
) -> PrivacyMapDiff | None:
    author = asks(info)
    end = _when(until) or datetime.now(UTC)
    found = privacy_access.map_diff(info.context.services, author, datetime.fromisoformat(since), end)
    by_how = {
        how: [MapChange.of(each) for each in found.changes if each.how == how]
        for how in ("added", "removed", "changed")
    }
    return PrivacyMapDiff(**by_how, unknown=list(found.unknown))


FOR_WHOM = " For those to whom the policy gives `read_audit`."


@strawberry.type
class OversightQuery:
    """Questions of those who supervise."""

    access_map: OfficerAccessMap | None = strawberry.field(
        name="accessMap",
        resolver=_access_map,
        description="The rules of the policy: who may see and do what, why, since when; and who did."
        + FOR_WHOM,
    )
    field: FieldAccess | None = strawberry.field(
        resolver=_field, description="Who can see a field, by role and person, and who did." + FOR_WHOM
    )
    access_review: AccessReview | None = strawberry.field(
        name="accessReview",
        resolver=_review,
        description="Accesses drawn at random, each with what is to be looked at; the same seed draws the same."
        + FOR_WHOM,
    )
    privacy_map_diff: PrivacyMapDiff | None = strawberry.field(
        name="privacyMapDiff",
        resolver=_diff,
        description="What changed between two moments: rights, properties, fields of sources, each with its cause."
        + FOR_WHOM,
    )
