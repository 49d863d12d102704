"""Deciding who is one customer, in GraphQL."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import Info

from hub import commands
from hub.commands import Author
from hub.graph.resolution.decisions import Verdict
from hub.schema.context import RequestContext
from hub.schema.matching import MatchVerdict
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.scalars import Long

_REASON = "Why, in 1 to 1000 characters; sealed, and refused where it names a customer that it is about."
_MAY = "For those to whom the policy gives `decide_match`."


@strawberry.input(description="Two parties.")
class MatchPairInput:
    """A pair."""

    left: strawberry.ID = strawberry.field(description="Id of the one party.")
    right: strawberry.ID = strawberry.field(description="Id of the other; their order does not matter.")


@strawberry.input(description="One word on many pairs.")
class DecideMatchesInput:
    """Input of a decision."""

    pairs: list[MatchPairInput] = strawberry.field(
        description=f"The pairs, {commands.MAX_GIVEN} at most; all are decided, or none."
    )
    verdict: MatchVerdict = strawberry.field(description="What is said of each.")
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.input(description="Customers that are one.")
class MergeCustomersInput:
    """Input of a merge."""

    customer_ids: list[strawberry.ID] = strawberry.field(
        name="customerIds",
        description=f"Public ids, 2 to {commands.MAX_MERGED}; the oldest stays, the others lead to it.",
    )
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.input(description="A customer that is several.")
class UnmergeCustomerInput:
    """Input of an unmerge."""

    customer_id: strawberry.ID = strawberry.field(name="customerId", description="Public id of the customer.")
    parties: list[strawberry.ID] = strawberry.field(
        description="Ids of the parties to be parted from its others; some of them, and not all."
    )
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.input(description="Decisions to take back.")
class UndoDecisionsInput:
    """Input of an undoing."""

    act: strawberry.ID = strawberry.field(description="The act whose decisions are undone, all of them.")
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.type(description="What was decided, or is no longer.")
class MatchDecided:
    """Payload of all of these."""

    act: strawberry.ID = strawberry.field(
        description="Id of the audit event; `undoDecisions` takes that of a decision, a merge or an unmerge."
    )
    pairs: Long = strawberry.field(
        description="Pairs of parties that were decided, or are no longer; with those that had to follow."
    )
    customer_ids: list[strawberry.ID] = strawberry.field(
        name="customerIds", description="The customers whom it is about, as they are now; the oldest first."
    )


def _author(info: Info[RequestContext, None]) -> Author:
    return Author.of(info.context.requester, info.context.services.access)


def _told(done: commands.MatchDecided) -> MatchDecided:
    return MatchDecided(
        act=strawberry.ID(done.act),
        pairs=Long(done.pairs),
        customer_ids=[strawberry.ID(customer) for customer in done.customers],
    )


def _decide(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - the argument's name in GraphQL, as everywhere
        DecideMatchesInput, strawberry.argument(description="What is decided.")
    ],
) -> MatchDecided | None:
    pairs = [(str(pair.left), str(pair.right)) for pair in input.pairs]
    verdict: Verdict = "same" if input.verdict is MatchVerdict.SAME else "not_same"
    order = commands.DecideMatches(pairs, verdict, input.reason, input.idempotency_key)
    return _told(commands.decide_matches(info.context.services, _author(info), order))


def _merge(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - as above
        MergeCustomersInput, strawberry.argument(description="Who is one.")
    ],
) -> MatchDecided | None:
    order = commands.MergeCustomers(tuple(input.customer_ids), input.reason, input.idempotency_key)
    return _told(commands.merge_customers(info.context.services, _author(info), order))


def _unmerge(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - as above
        UnmergeCustomerInput, strawberry.argument(description="Who is several.")
    ],
) -> MatchDecided | None:
    order = commands.UnmergeCustomer(
        input.customer_id, tuple(input.parties), input.reason, input.idempotency_key
    )
    return _told(commands.unmerge_customer(info.context.services, _author(info), order))


def _undo(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - as above
        UndoDecisionsInput, strawberry.argument(description="What is taken back.")
    ],
) -> MatchDecided | None:
    order = commands.UndoDecisions(input.act, input.reason, input.idempotency_key)
    return _told(commands.undo_decisions(info.context.services, _author(info), order))


@strawberry.type
class MatchMutation:
    """What stewards decide about who is one customer."""

    decide_matches: MatchDecided | None = strawberry.field(
        name="decideMatches",
        resolver=_decide,
        description="Decide that the parties of each pair are the same, whose customers become one, or that they are"
        f" not. {_MAY}",
    )
    merge_customers: MatchDecided | None = strawberry.field(
        name="mergeCustomers",
        resolver=_merge,
        description="Make customers one, with all that is theirs; what was decided between them before is overruled."
        f" {_MAY}",
    )
    unmerge_customer: MatchDecided | None = strawberry.field(
        name="unmergeCustomer",
        resolver=_unmerge,
        description="Part some of a customer's parties from its others, each with what is theirs; who was merged"
        f" before gets the id of before. {_MAY}",
    )
    undo_decisions: MatchDecided | None = strawberry.field(
        name="undoDecisions",
        resolver=_undo,
        description="Undo a decision, a merge or an unmerge, as if it had never been; what it replaced is in force"
        f" again. {_MAY}",
    )
