"""What a data steward does by `hub resolve`: look at what is in doubt, ask why, decide, take back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, get_args
from uuid import uuid4

import typer

from hub import commands
from hub.cli.common import opened, operator, out
from hub.cli.records import kind_of
from hub.errors import QueryError
from hub.graph.resolution import PartyKind
from hub.graph.resolution.explaining import Hold, PairStory
from hub.graph.resolution.models import load_model
from hub.graph.resolution.preview import with_merge_weight
from hub.graph.resolution.review import DoubtKind
from hub.services import Services

PartyId = Annotated[str, typer.Argument(help="Id of a party.")]
CustomerId = Annotated[str, typer.Argument(help="Public id of a customer.")]
Reason = Annotated[str, typer.Option(help="Why; sealed. It may not name a customer that it is about.")]
Key = Annotated[str | None, typer.Option(help="Given again with the same command, it does nothing more.")]
First = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]
Pairs = Annotated[list[str], typer.Argument(help="Pairs of ids of parties, each as LEFT:RIGHT.")]


def review(
    kind: Annotated[str | None, typer.Option(help=f"Only of one kind: {', '.join(DoubtKind)}.")] = None,
    first: First = 20,
) -> None:
    """Show pairs in doubt, those whose decision is worth the most first; leaves an audit event."""
    if kind is not None and kind not in list(DoubtKind):
        raise QueryError(f"a kind is one of {', '.join(DoubtKind)}")
    kinds = tuple(DoubtKind) if kind is None else (DoubtKind(kind),)
    with opened() as services:
        found = commands.match_review(services, operator(services), first=first, kinds=kinds)
    for doubt in found:
        one, other = doubt.sides
        _print(
            f"{doubt.kind:<5} worth {doubt.worth:.3f}, {doubt.weight:+.2f} bits of {doubt.merge_weight:+.2f}"
        )
        _print(f"  {doubt.left}:{doubt.right}")
        _print(f"  {', '.join(doubt.customers)}: {one} and {other} parties")
    if not found:
        _print("Nothing is in doubt.")


def preview(
    model: Annotated[
        Path | None, typer.Option(help="Folder of a model that is to be used; otherwise those in use.")
    ] = None,
    merge_weight: Annotated[
        float | None, typer.Option(help="Bits to merge at, instead of the models'.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Of whom these bits are: person or organization; otherwise of both.")
    ] = None,
    first: First = 20,
) -> None:
    """Show who would merge and split by another model or merge weight; changes nothing, leaves an audit event."""
    kinds = list(get_args(PartyKind)) if kind is None else [kind_of(kind)]
    with opened() as services:
        models = services.stewardship.previews.models
        if model is not None:
            own = load_model(model)
            models = {**models, own.settings.kind: own}
        if merge_weight is not None:
            models = with_merge_weight(models, merge_weight, kinds)
        found = commands.match_preview(services, operator(services), models, first=first)
    _print(f"{found.merge_count} customers would be made of several, {found.split_count} would split.")
    for merge in found.merges:
        _print(f"merge {', '.join(merge.customers)}")
    for split in found.splits:
        _print(f"split {split.customer}")
        for part in split.parts:
            _print(f"  one part: {', '.join(part)}")
    _print(f"{found.kept_count} decisions would hold, {found.overruled_count} would not.")
    for word in found.overruled:
        _print(f"{word.verdict} {word.left}:{word.right} would not hold")


def explain(left: PartyId, right: PartyId) -> None:
    """Show why two parties are one customer, or are not; leaves an audit event."""
    with opened() as services:
        _print_pair(commands.explain_match(services, operator(services), left, right))


def why_not(one: CustomerId, other: CustomerId) -> None:
    """Show why two customers are not one, by the pair that comes nearest; leaves an audit event."""
    with opened() as services:
        _print_pair(commands.why_not(services, operator(services), one, other))


def customer(id_: CustomerId) -> None:
    """Show what holds a customer together, and where it is weakest; leaves an audit event."""
    with opened() as services:
        story = commands.explain_customer(services, operator(services), id_)
    _print(f"{story.customer}: {len(story.parties)} parties")
    for hold in story.holds:
        _print(f"  {_held(hold)}")
    if story.weakest is not None and story.parts is not None:
        _print(f"weakest: {_held(story.weakest)}")
        for part in story.parts:
            _print(f"  one side: {', '.join(sorted(part))}")


def household(id_: CustomerId) -> None:
    """Show with whom a customer lives, and by what evidence; leaves an audit event."""
    with opened() as services:
        mates = commands.explain_household(services, operator(services), id_)
    for mate in mates:
        _print(f"{mate.customer}: {', '.join(mate.evidence)}; since {mate.since}")
    if not mates:
        _print("Nobody is known to live with this customer.")


def same(pairs: Pairs, reason: Reason, key: Key = None) -> None:
    """Decide that the parties of each pair are the same: their customers become one."""
    _decide(commands.DecideMatches(_pairs(pairs), "same", reason, key or uuid4().hex))


def not_same(pairs: Pairs, reason: Reason, key: Key = None) -> None:
    """Decide that the parties of each pair are not the same."""
    _decide(commands.DecideMatches(_pairs(pairs), "not_same", reason, key or uuid4().hex))


def merge(
    customers: Annotated[list[str], typer.Argument(help="Public ids of customers.")],
    reason: Reason,
    key: Key = None,
) -> None:
    """Make customers one; the oldest id stays, the others lead to it."""
    order = commands.MergeCustomers(tuple(customers), reason, key or uuid4().hex)
    _done(lambda services, author: commands.merge_customers(services, author, order))


def unmerge(
    id_: CustomerId,
    parties: Annotated[
        list[str], typer.Argument(help="Ids of its parties that are to be parted from the others.")
    ],
    reason: Reason,
    key: Key = None,
) -> None:
    """Part some of a customer's parties from its others, each with what is theirs."""
    order = commands.UnmergeCustomer(id_, tuple(parties), reason, key or uuid4().hex)
    _done(lambda services, author: commands.unmerge_customer(services, author, order))


def undo(
    act: Annotated[str, typer.Argument(help="Id of a decision's act.")], reason: Reason, key: Key = None
) -> None:
    """Undo a decision, a merge or an unmerge, as if it had never been."""
    order = commands.UndoDecisions(act, reason, key or uuid4().hex)
    _done(lambda services, author: commands.undo_decisions(services, author, order))


def decisions(
    act: Annotated[str | None, typer.Option(help="Only those of this act.")] = None,
    party: Annotated[str | None, typer.Option(help="Only those that name this party.")] = None,
    first: First = 20,
) -> None:
    """Show what was decided, the latest first, with what was undone; leaves an audit event."""
    with opened() as services:
        found = commands.match_decisions(services, operator(services), first=first, act=act, party=party)
    for each in found:
        made = each.decision
        state = "in force" if each.in_force else "undone" if made.undone_at else "replaced"
        _print(f"{made.act} {made.at} {made.actor}")
        _print(f"  {made.verdict} {made.left}:{made.right}, {state}")
    if not found:
        _print("Nothing was decided.")


def agreement() -> None:
    """Show how far the model agrees with what stewards decided, by month; leaves an audit event."""
    with opened() as services:
        found = commands.match_agreement(services, operator(services))
    for month in found:
        quality = month.quality
        _print(
            f"{month.month}: {month.decisions} decisions, {month.same} of them the same; precision"
            f" {quality.precision:.4f}, recall {quality.recall:.4f}, F1 {quality.f1:.4f}, blocking recall"
            f" {month.blocking_recall:.4f}"
        )
    if not found:
        _print("Nothing was decided.")


COMMANDS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {
        "review": review,
        "preview": preview,
        "explain": explain,
        "why-not": why_not,
        "customer": customer,
        "household": household,
        "same": same,
        "not-same": not_same,
        "merge": merge,
        "unmerge": unmerge,
        "undo": undo,
        "decisions": decisions,
        "agreement": agreement,
    }
)
"""What hangs under `hub resolve`."""


def _print(line: str) -> None:
    out.print(line, highlight=False, markup=False, soft_wrap=True)


def _pairs(given: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for text in given:
        left, between, right = text.partition(":")
        if not (left and between and right):
            raise QueryError("a pair is written as LEFT:RIGHT")
        found.append((left, right))
    return found


def _decide(order: commands.DecideMatches) -> None:
    _done(lambda services, author: commands.decide_matches(services, author, order))


def _done(give: Callable[[Services, commands.Author], commands.MatchDecided]) -> None:
    with opened() as services:
        done = give(services, operator(services))
        services.publish()
    _print(f"Act {done.act}: {done.pairs} pairs; customers now: {', '.join(done.customers) or 'none'}.")


def _held(hold: Hold) -> str:
    return f"{hold.left}:{hold.right} {hold.weight:+.2f} bits, {hold.why}"


def _print_pair(story: PairStory) -> None:
    word = "one customer" if story.together else "not one customer"
    _print(f"{story.left}:{story.right}: {word}, {story.why}")
    if story.waterfall is not None:
        _print_step(story.waterfall.prior, "prior")
        for step in story.waterfall.comparisons:
            rare = f", of which {step.frequency:+.2f} by frequency" if step.frequency else ""
            _print_step(step.total, f"{step.comparison}: {step.level}{rare}")
    for scheme in story.schemes:
        _print_step(story.identifier_weight, f"shared {scheme}")
    _print_step(story.weight, f"in all; {story.merge_weight:+.2f} would be enough")


def _print_step(bits: float, what: str) -> None:
    _print(f"  {bits:+8.2f}  {what}")
