"""The subscription `customerChanged`: its types, and where in the change feed to begin."""

from __future__ import annotations

from collections.abc import Iterator

import strawberry
from strawberry import Info

from hub.access import PlanAccess
from hub.errors import AccessDeniedError
from hub.graph.feed import ChangeKind
from hub.graph.plans.guard import Guard
from hub.ontology import CUSTOMER, Ontology
from hub.schema.context import RequestContext
from hub.schema.drafts import ArgumentDraft, Draft, EnumDraft, FieldDraft, TypeDraft
from hub.schema.meanings import ChangesRoot, OwnerField, PartField
from hub.schema.scalars import Long

CHANGES_FIELD = "customerChanged"
CHANGE = "CustomerChange"
_KIND = "CustomerChangeKind"
_KINDS = {
    ChangeKind.CREATED: "The customer is new.",
    ChangeKind.CHANGED: "The golden record, the parties or the household changed.",
    ChangeKind.MERGED: "The id is retired; `mergedInto` took over.",
    ChangeKind.REMOVED: "No source states anything about the customer any more.",
}


def change_drafts() -> Iterator[Draft]:
    """The types of a change."""
    yield EnumDraft(
        _KIND, "What happened to a customer.", {kind.value: text for kind, text in _KINDS.items()}
    )
    parts = (
        ("id", "strawberry.ID", "The customer's id."),
        ("kind", _KIND, "What happened to it."),
        ("seq", "Long", "The change's place in the change feed; for `after`."),
        ("at", "DateTime", "When it happened."),
        ("mergedInto", "strawberry.ID | None", "The customer that took over, where the id is retired."),
    )
    fields = [FieldDraft(name, annotation, words, PartField(name)) for name, annotation, words in parts]
    words = (
        "The customer as it is now, under the same policy as in a query; null when there is none any more."
    )
    fields.append(FieldDraft("customer", f"{CUSTOMER} | None", words, OwnerField()))
    yield TypeDraft(CHANGE, "A change of a customer.", tuple(fields))


def change_root() -> FieldDraft:
    """The field of Subscription that tells changes."""
    return FieldDraft(
        CHANGES_FIELD,
        CHANGE,
        "Customers as they change, whoever changes them: one event a change, in the order of commits.",
        ChangesRoot(),
        (
            ArgumentDraft(
                "ids",
                "list[strawberry.ID] | None",
                "Only these customers, and those that take over from them; all when not given.",
            ),
            ArgumentDraft("kinds", f"list[{_KIND}] | None", "Only changes of these kinds."),
            ArgumentDraft(
                "after",
                "Long | None",
                "Begin after this `seq`, so that one who was away misses nothing; with what happens from now on when"
                " not given.",
            ),
        ),
    )


def require_customers(ontology: Ontology, access: PlanAccess) -> None:
    """See to it that the caller may know of customers.

    Raises:
        AccessDeniedError: the policy lets them see nothing of any.
    """
    if not Guard(ontology, access).sees(CUSTOMER):
        raise AccessDeniedError(f"no property of {CUSTOMER} is allowed")


def _last_change(info: Info[RequestContext, None]) -> Long | None:
    services = info.context.services
    require_customers(services.ontology, info.context.access)
    return Long(services.store.last_change())


@strawberry.type
class ChangesQuery:
    """The change feed as a question to GraphQL."""

    last_change: Long | None = strawberry.field(
        name="lastChange",
        resolver=_last_change,
        description="The newest `seq` of the change feed. Ask for it, then read, then subscribe `after` it: nothing is"
        " missed.",
    )
