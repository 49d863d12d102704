"""Mutations: each translates its arguments into a command, and the command's result into a payload.

Those about customers take what the ontology knows, so their inputs are made from it; those about sources are the same
for every ontology.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

import strawberry
from graphql import GraphQLResolveInfo
from strawberry import Info

from hub import commands
from hub.commands import Author
from hub.commands.notes import CUSTOMER_LINK, REQUIRED
from hub.ontology import Ontology, Property, PropertyType
from hub.schema.context import RequestContext
from hub.schema.drafts import ArgumentDraft, Draft, FieldDraft, TypeDraft
from hub.schema.naming import PROPERTY_ENUM, enum_name
from hub.schema.scalars import DateTime, Long

MUTATIONS_BY_ONTOLOGY = "CustomerMutation"

KEY = "idempotencyKey"
KEY_WORDS = (
    "Chosen by the client, 1 to 64 letters, digits and signs of `. _ : -`. Sent again with the same content it gives"
    " the first result and does nothing more."
)
_ANNOTATIONS: Mapping[PropertyType, str] = {
    PropertyType.INTEGER: "Long",
    PropertyType.DECIMAL: "Decimal",
    PropertyType.BOOLEAN: "bool",
    PropertyType.DATE: "Date",
    PropertyType.INSTANT: "DateTime",
    PropertyType.REFERENCE: "strawberry.ID",
}


@strawberry.type(description="What was noted of a customer.")
class Noted:
    """Payload of a note."""

    customer_id: strawberry.ID = strawberry.field(
        name="customerId", description="The customer's id as it is now: that of the command may be retired."
    )
    id: strawberry.ID = strawberry.field(description="Id of the consent, restriction or interaction.")


@strawberry.type(description="What was corrected, or is no longer.")
class Corrected:
    """Payload of a correction."""

    customer_id: strawberry.ID = strawberry.field(
        name="customerId", description="The customer's id as it is now: that of the command may be retired."
    )
    properties: list[str] = strawberry.field(
        description="The property, and those that survive together with it, such as the parts of an address."
    )
    entity_id: strawberry.ID = strawberry.field(
        name="entityId",
        description="Id of the steward's party, which `facts` of the customer names as `entityId`.",
    )


@strawberry.type(description="A run that was asked for. It goes on by itself; `sources` tells how it ends.")
class RunBegun:
    """Payload of a run."""

    source: str = strawberry.field(description="The source.")
    state: str = strawberry.field(
        description="`running`, or `already_running` where another run of the source is at it."
    )
    run_id: Long | None = strawberry.field(
        name="runId", description="Number of the run; null where it has none yet, or did not begin."
    )


PAYLOADS: Mapping[str, type] = {"Noted": Noted, "Corrected": Corrected}
"""The payloads that drafts name."""


def mutation_drafts(ontology: Ontology) -> Iterator[Draft]:
    """The mutations whose inputs follow from the ontology, and these inputs."""
    fields = []
    for name, (type_name, words) in _NOTES.items():
        yield _note_input(ontology, type_name)
        fields.append(_mutation(name, "Noted", f"{type_name}Input", words))
    for name, (input_, words) in _CORRECTIONS.items():
        yield TypeDraft(input_.name, input_.description, input_.fields, "input")
        fields.append(_mutation(name, "Corrected", input_.name, words))
    yield TypeDraft(MUTATIONS_BY_ONTOLOGY, "What is done to customers.", tuple(fields))


def _mutation(name: str, payload: str, input_: str, words: str) -> FieldDraft:
    argument = ArgumentDraft("input", input_, "What is to be done.")
    return FieldDraft(name, f"{payload} | None", words, None, (argument,))


_NOTES: Mapping[str, tuple[str, str]] = {
    "recordConsent": (
        "Consent",
        "Record a yes or no of a customer for one purpose and channel. Each change of mind is a row of its own.",
    ),
    "recordRestriction": (
        "Restriction",
        (
            "Record that a customer restricted the use of their data (GDPR Art. 18), objected to one (Art. 21), or that"
            " this is lifted. It holds for the next question that is asked."
        ),
    ),
    "logInteraction": ("Interaction", "Log a call, visit, message or other touch with a customer."),
}
_CUSTOMER = FieldDraft("customerId", "strawberry.ID", "Public id of the customer.")
_IDEMPOTENT = FieldDraft(KEY, "str", KEY_WORDS)
_PROPERTY = FieldDraft("property", PROPERTY_ENUM, "The property of the customer.")
_REASON = FieldDraft("reason", "str", "Why; kept with the value, at most 1000 characters.")
_VALUE = FieldDraft(
    "value",
    "str",
    "What it is, as text: a date as `1984-05-12`, money as `12.50 EUR`, true or false, else as it is read.",
)
_CORRECTIONS: Mapping[str, tuple[TypeDraft, str]] = {
    "correctProperty": (
        TypeDraft(
            "CorrectPropertyInput",
            "A value of a customer as it should be.",
            (_CUSTOMER, _PROPERTY, _VALUE, _REASON, _IDEMPOTENT),
        ),
        "Correct a value of a customer: as source `steward` it wins over all others, now and later, until withdrawn.",
    ),
    "withdrawCorrection": (
        TypeDraft(
            "WithdrawCorrectionInput",
            "A correction to take back.",
            (_CUSTOMER, _PROPERTY, _REASON, _IDEMPOTENT),
        ),
        "Take a correction back: what the sources state is served again.",
    ),
}


def _note_input(ontology: Ontology, type_name: str) -> TypeDraft:
    type_ = ontology.type(type_name)
    own = [prop for prop in type_.properties.values() if prop.name != CUSTOMER_LINK]
    fields = [_value(ontology, type_name, prop) for prop in own]
    words = f"{type_.description} Its time is now unless given." if type_.time else type_.description
    return TypeDraft(f"{type_name}Input", words, (_CUSTOMER, *fields, _IDEMPOTENT), "input")


def _value(ontology: Ontology, owner: str, prop: Property) -> FieldDraft:
    annotation = enum_name(ontology, owner, prop) or _ANNOTATIONS.get(prop.type, "str")
    if prop.many:
        annotation = f"list[{annotation}]"
    if prop.name not in REQUIRED[owner]:
        annotation += " | None"
    return FieldDraft(prop.name, annotation, prop.description or prop.label)


# resolvers, as graphql-core calls them

Resolve = Callable[..., Any]


def _author(context: RequestContext) -> Author:
    return Author.of(context.requester, context.services.access)


def _plain(value: Any) -> Any:
    """A value of an input as JSON has it; enums are spelled as they are stored."""
    return [_plain(item) for item in value] if isinstance(value, list) else getattr(value, "value", value)


def _said(given: Mapping[str, Any]) -> tuple[str, dict[str, Any], str]:
    """Customer, values and idempotency key of an input."""
    values = {name: _plain(value) for name, value in given.items() if name not in (_CUSTOMER.name, KEY)}
    return given[_CUSTOMER.name], values, given[KEY]


def _noted(done: commands.Noted) -> Noted:
    return Noted(customer_id=strawberry.ID(done.customer), id=strawberry.ID(done.id))


def _corrected(done: commands.Corrected) -> Corrected:
    return Corrected(
        customer_id=strawberry.ID(done.customer),
        properties=list(done.properties),
        entity_id=strawberry.ID(done.party),
    )


def _record_consent(_root: object, info: GraphQLResolveInfo, input: Mapping[str, Any]) -> Noted:  # noqa: A002
    context: RequestContext = info.context
    order = commands.RecordConsent(*_said(input))
    return _noted(commands.record_consent(context.services, _author(context), order))


def _record_restriction(_root: object, info: GraphQLResolveInfo, input: Mapping[str, Any]) -> Noted:  # noqa: A002
    context: RequestContext = info.context
    order = commands.RecordRestriction(*_said(input))
    return _noted(commands.record_restriction(context.services, _author(context), order))


def _log_interaction(_root: object, info: GraphQLResolveInfo, input: Mapping[str, Any]) -> Noted:  # noqa: A002
    context: RequestContext = info.context
    order = commands.LogInteraction(*_said(input))
    return _noted(commands.log_interaction(context.services, _author(context), order))


def _correct(_root: object, info: GraphQLResolveInfo, input: Mapping[str, Any]) -> Corrected:  # noqa: A002
    context: RequestContext = info.context
    customer, said, key = _said(input)
    order = commands.CorrectProperty(customer, said["property"], said["value"], said["reason"], key)
    return _corrected(commands.correct_property(context.services, _author(context), order))


def _withdraw(_root: object, info: GraphQLResolveInfo, input: Mapping[str, Any]) -> Corrected:  # noqa: A002
    context: RequestContext = info.context
    customer, said, key = _said(input)
    order = commands.WithdrawCorrection(customer, said["property"], said["reason"], key)
    return _corrected(commands.withdraw_correction(context.services, _author(context), order))


RESOLVERS: Mapping[str, Resolve] = {
    "recordConsent": _record_consent,
    "recordRestriction": _record_restriction,
    "logInteraction": _log_interaction,
    "correctProperty": _correct,
    "withdrawCorrection": _withdraw,
}
"""What answers the mutations of `mutation_drafts`."""


@strawberry.input(description="What waits in quarantine and is to be tried again.")
class ReplayQuarantineInput:
    """Input of a replay."""

    source: str = strawberry.field(description="Name of the source.")
    numbers: list[Long] | None = strawberry.field(
        default=None, description="Only the records with these numbers of the quarantine; all unless given."
    )
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


def _sync(
    info: Info[RequestContext, None],
    source: Annotated[str, strawberry.argument(description="Name of the source.")],
    idempotency_key: Annotated[str, strawberry.argument(name=KEY, description=KEY_WORDS)],
) -> RunBegun | None:
    order = commands.SyncSource(source, idempotency_key)
    return _begun(commands.sync_source(info.context.services, _author(info.context), order))


@strawberry.input(description="A source that is to be left alone.")
class FreezeSourceInput:
    """Input of a freezing."""

    source: str = strawberry.field(description="Name of the source.")
    reason: str = strawberry.field(
        description="Why, such as a change's number, in 200 characters; name nobody."
    )
    until: DateTime | None = strawberry.field(
        default=None, description="Until when; until it is thawed unless given."
    )
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.type(description="A source that was frozen or thawed.")
class FrozenSource:
    """Result of freezing and thawing."""

    source: str = strawberry.field(description="Its name.")


def _freeze(
    info: Info[RequestContext, None],
    input: Annotated[FreezeSourceInput, strawberry.argument(description="What is to be done.")],  # noqa: A002
) -> FrozenSource | None:
    until = datetime.fromisoformat(input.until) if input.until is not None else None
    order = commands.FreezeSource(input.source, until, input.reason, input.idempotency_key)
    return FrozenSource(source=commands.freeze_source(info.context.services, _author(info.context), order))


def _thaw(
    info: Info[RequestContext, None],
    source: Annotated[str, strawberry.argument(description="Name of the source.")],
    idempotency_key: Annotated[str, strawberry.argument(name=KEY, description=KEY_WORDS)],
) -> FrozenSource | None:
    order = commands.ThawSource(source, idempotency_key)
    return FrozenSource(source=commands.thaw_source(info.context.services, _author(info.context), order))


def _replay(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - the argument's name in GraphQL, as everywhere
        ReplayQuarantineInput, strawberry.argument(description="What is to be done.")
    ],
) -> RunBegun | None:
    order = commands.ReplayQuarantine(input.source, tuple(input.numbers or ()), input.idempotency_key)
    return _begun(commands.replay_quarantine(info.context.services, _author(info.context), order))


def _begun(begun: commands.RunBegun) -> RunBegun:
    run_id = None if begun.run_id is None else Long(begun.run_id)
    return RunBegun(source=begun.source, state=begun.state, run_id=run_id)


@strawberry.type
class SourceMutation:
    """What is done to sources."""

    sync_source: RunBegun | None = strawberry.field(
        name="syncSource", resolver=_sync, description="Begin to read what is new or changed in a source."
    )
    freeze_source: FrozenSource | None = strawberry.field(
        name="freezeSource",
        resolver=_freeze,
        description="Leave a source alone: no sync of it begins until then.",
    )
    thaw_source: FrozenSource | None = strawberry.field(
        name="thawSource", resolver=_thaw, description="Let a frozen source be read again."
    )
    replay_quarantine: RunBegun | None = strawberry.field(
        name="replayQuarantine",
        resolver=_replay,
        description="Begin to map records anew that wait in quarantine, after the mapping was corrected.",
    )
