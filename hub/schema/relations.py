"""The object types of what customers are to each other: households, and the groups of organisations."""

from __future__ import annotations

from collections.abc import Iterator

from hub.ontology import CUSTOMER
from hub.schema.drafts import FieldDraft, TypeDraft, composite
from hub.schema.inputs import first_argument
from hub.schema.meanings import MembersField, RelativesField, TiesField


def relation_drafts() -> Iterator[TypeDraft]:
    """The types that `Customer.household` and `Customer.hierarchy` lead to."""
    yield from _household()
    yield _hierarchy()


def _household() -> Iterator[TypeDraft]:
    household = composite(
        "CustomerHousehold",
        "People who live together, as the hub concludes; of those whom the requester may not see it says nothing.",
        ("id", "strawberry.ID", "The household's id; another one when its first member leaves."),
        ("size", "Long", "How many members the requester may see, the customer included."),
    )
    members = FieldDraft(
        "members", f"list[{CUSTOMER}] | None", "Who lives there.", MembersField(), (first_argument(50),)
    )
    tie = composite(
        "HouseholdTie",
        "Why the customer is taken to live with another member: kinds of evidence, never a value.",
        ("memberId", "strawberry.ID", "The id of the other member."),
        (
            "since",
            "DateTime | None",
            "When the later of the two was last stated to live there, by the sources.",
        ),
        ("sameAddress", "bool | None", "Whether they state one address; null where addresses are not shown."),
        (
            "sameFamilyName",
            "bool | None",
            "Whether they share a family name; null where names are not shown.",
        ),
        (
            "sharedContact",
            "bool | None",
            "Whether they share a phone number or mailbox; null where these are not shown.",
        ),
        (
            "sharedAccount",
            "bool | None",
            "Whether they share an account or card; null where such numbers are not shown.",
        ),
    )
    yield tie
    ties = FieldDraft(
        "ties",
        f"list[{tie.name}] | None",
        "What the customer has in common with each other member.",
        TiesField(),
        (first_argument(50),),
    )
    yield TypeDraft(household.name, household.description, (*household.fields, members, ties))


def _hierarchy() -> TypeDraft:
    made = composite(
        "CustomerHierarchy",
        "An organisation's place in its group, as far as the requester may see it; the edge says why.",
        ("isDeclared", "bool | None", "Whether a source names the parent; null without one."),
        (
            "isRegistered",
            "bool | None",
            "Whether registry numbers say that it is a branch of the parent; null where these are not shown.",
        ),
        ("since", "DateTime | None", "When the sources last stated what the parent is known by."),
    )
    relatives = (
        FieldDraft("parent", f"{CUSTOMER} | None", "Who stands directly above.", RelativesField("parent")),
        FieldDraft(
            "ultimateParent",
            f"{CUSTOMER} | None",
            "Who stands above all others, as far as every step there is shown; null without a parent.",
            RelativesField("ultimateParent"),
        ),
        FieldDraft(
            "subsidiaries",
            f"list[{CUSTOMER}] | None",
            "Those whose parent this is.",
            RelativesField("subsidiaries"),
            (first_argument(50),),
        ),
    )
    return TypeDraft(made.name, made.description, (*made.fields, *relatives))
