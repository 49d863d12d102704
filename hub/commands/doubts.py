"""What stewards ask before they decide: why parties are one customer or not, what is in doubt, what was decided.

Answers hold ids, names of comparisons and levels, and bits; values are for `person`, `organization` and `customer`.
Each is on record before it is given, with the customers that it names, and names those alone whom its author reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from hub.access import Command
from hub.audit import Action
from hub.commands.author import Author
from hub.commands.customers import find_customer, reached_customers, storable
from hub.commands.giving import refusals_recorded
from hub.commands.matching import require_reached
from hub.errors import AccessDeniedError, QueryError
from hub.graph.households import Housemate, housemates
from hub.graph.resolution.agreement import Agreement
from hub.graph.resolution.bulk import paged
from hub.graph.resolution.decisions import Decision
from hub.graph.resolution.explaining import CustomerStory, PairStory
from hub.graph.resolution.preview import Models, WouldMerge, WouldSplit
from hub.graph.resolution.preview import Word as Kept
from hub.graph.resolution.profiles import Kind
from hub.graph.resolution.review import Doubt, DoubtKind
from hub.graph.resolution.sampling import Sample, sampled
from hub.services import Services

_CHUNK = 200
"""Rows whose customers are looked for at once."""

T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C")

Asked = tuple[T, Collection[str], int]
"""An answer, the customers whom it names, and how many rows it has."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, as it is known later."""

    decision: Decision
    in_force: bool


@dataclass(frozen=True, slots=True)
class MatchPreview:
    """What another model or merge weight would change, as far as its author reaches all customers of a change."""

    merges: Sequence[WouldMerge]
    """The first of `merge_count`; `splits` and `overruled` likewise."""
    merge_count: int
    splits: Sequence[WouldSplit]
    split_count: int
    overruled: Sequence[Kept]
    """Stewards' decisions in force that would not hold."""
    overruled_count: int
    kept_count: int
    """Those that would."""


MAX_PREVIEWED = 200_000
"""Parties up to which a preview is told while somebody waits for an answer."""


def explain_match(services: Services, author: Author, left: str, right: str) -> PairStory:
    """Why two parties are one customer, or are not.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such party, or none that the author reaches; or it is what staff recorded.
        QueryError: both are the same party.
    """

    def ask(connection: Connection) -> Asked[PairStory]:
        if left == right:
            raise QueryError("name two parties")
        customers = require_reached(services, connection, author, {left, right})
        return services.stewardship.explainer.pair(connection, left, right), set(customers.values()), 1

    return _asked(services, author, "explain_match", ask)


def why_not(services: Services, author: Author, one: str, other: str) -> PairStory:
    """Of two customers the pair of parties that comes nearest, and why it does not make them one.

    Raises:
        AccessDeniedError: the author may not.
        LimitError: they have too many parties to weigh all pairs.
        NotFoundError: there is no such customer, or none that the author reaches; or one has nothing but what staff
            recorded.
        QueryError: they are one.
    """

    def ask(connection: Connection) -> Asked[PairStory]:
        ids = {find_customer(services.store, connection, id_, author).id for id_ in (one, other)}
        if len(ids) == 1:
            raise QueryError("these are one customer; ask what holds it together")
        return services.stewardship.explainer.between(connection, *sorted(ids)), ids, 1

    return _asked(services, author, "why_not", ask)


def explain_customer(services: Services, author: Author, customer: str) -> CustomerStory:
    """What holds a customer together, and where it is weakest.

    Raises:
        AccessDeniedError: the author may not.
        LimitError: it has too many parties to weigh all pairs.
        NotFoundError: there is no such customer, or none that the author reaches; both read the same.
    """

    def ask(connection: Connection) -> Asked[CustomerStory]:
        now = find_customer(services.store, connection, customer, author).id
        return services.stewardship.explainer.customer(connection, now), {now}, 1

    return _asked(services, author, "explain_customer", ask)


def explain_household(services: Services, author: Author, customer: str) -> list[Housemate]:
    """With whom a customer lives, and by what evidence, those alone whom the author reaches.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such customer, or none that the author reaches; both read the same.
    """

    def ask(connection: Connection) -> Asked[list[Housemate]]:
        now = find_customer(services.store, connection, customer, author).id
        mates = housemates(services.store, connection, now)
        reached = reached_customers(services.store, connection, {mate.customer for mate in mates}, author)
        shown = [mate for mate in mates if mate.customer in reached]
        return shown, {now, *reached}, len(shown)

    return _asked(services, author, "explain_household", ask)


def match_review(
    services: Services,
    author: Author,
    *,
    first: int,
    after: str | None = None,
    kinds: Collection[DoubtKind] = tuple(DoubtKind),
) -> list[Doubt]:
    """What is in doubt, that of the greatest worth first; `after` is the cursor of the last one known.

    Raises:
        AccessDeniedError: the author may not.
        QueryError: the cursor is none.
    """

    def ask(connection: Connection) -> Asked[list[Doubt]]:
        queue = services.stewardship.review.queue(connection, kinds)
        if after is not None:
            place = _place(after)
            queue = [each for each in queue if each.place > place]

        def reached(some: Sequence[Doubt]) -> Iterator[Doubt]:
            customers = {customer for each in some for customer in each.customers}
            there = reached_customers(services.store, connection, customers, author)
            return (each for each in some if there.issuperset(each.customers))

        found = _first(queue, first, reached)
        return found, {customer for each in found for customer in each.customers}, len(found)

    return _asked(services, author, "match_review", ask)


def match_preview(
    services: Services, author: Author, models: Models, *, first: int, at_once: bool = False
) -> MatchPreview:
    """Who would merge and split if `models` were used, and which decisions would hold; nothing is changed.

    It may take minutes, as all pairs are weighed, unless the answer is to be given `at_once`.

    Raises:
        AccessDeniedError: the author may not.
        LimitError: there are more than MAX_PREVIEWED parties, and the answer is to be given at once.
        QueryError: pairs would have to be weighed, and the answer is to be given at once.
    """

    def ask(connection: Connection) -> Asked[MatchPreview]:
        previews = services.stewardship.previews
        all_ = (
            previews.of_held(connection, models, MAX_PREVIEWED)
            if at_once
            else previews.of(connection, models)
        )

        def told(changes: Sequence[C], customers: Callable[[C], Collection[str]]) -> list[C]:
            there: set[str] = set()
            for some in paged(changes, _CHUNK):
                named = {customer for each in some for customer in customers(each)}
                there |= reached_customers(services.store, connection, named, author)
            return [each for each in changes if there.issuperset(customers(each))]

        merges = told(all_.merges, lambda each: each.customers)
        splits = told(all_.splits, lambda each: [each.customer])
        of = services.stewardship.customers_of(
            connection, {p for each in all_.words for p in (each.left, each.right)}
        )
        words = told(all_.words, lambda each: [of[each.left], of[each.right]])
        overruled = [each for each in words if not each.holds]
        found = MatchPreview(
            merges[:first],
            len(merges),
            splits[:first],
            len(splits),
            overruled[:first],
            len(overruled),
            len(words) - len(overruled),
        )
        named = {customer for each in found.merges for customer in each.customers}
        named |= {each.customer for each in found.splits}
        named |= {of[party] for each in found.overruled for party in (each.left, each.right)}
        return found, named, len(found.merges) + len(found.splits) + len(found.overruled)

    return _asked(services, author, "match_preview", ask)


def match_agreement(services: Services, author: Author) -> list[Agreement]:
    """How far the machine agrees with stewards' decisions in force, by month: of those about whom the author reaches.

    Raises:
        AccessDeniedError: the author may not.
    """

    def ask(connection: Connection) -> Asked[list[Agreement]]:
        stewardship = services.stewardship
        history = stewardship.decisions.history(connection)
        force = {each.id for each in stewardship.decisions.of(connection, {each.left for each in history})}
        made = [each for each in history if each.id in force]
        customers = stewardship.customers_of(connection, _named(made))
        there: set[str] = set()
        for some in paged(sorted(set(customers.values())), _CHUNK):
            there |= reached_customers(services.store, connection, set(some), author)
        reached = [each for each in made if {customers.get(party) for party in _named([each])} <= there]
        found = stewardship.agreements.by_month(connection, reached)
        return found, (), len(found)

    return _asked(services, author, "match_agreement", ask)


def match_sample(services: Services, author: Author, kind: Kind, *, about: int, seed: int) -> Sample:
    """Profiles of the store to learn a model from: values of people, which only who has the machine's shell may take.

    Raises:
        AccessDeniedError: the author may not.
    """

    def ask(connection: Connection) -> Asked[Sample]:
        if not author.is_operator:
            raise AccessDeniedError("profiles are values of people, for who has the machine's shell alone")
        found = sampled(connection, kind, about, seed)
        return found, (), len(found.profiles)

    return _asked(services, author, "match_sample", ask)


def cursor_of(doubt: Doubt) -> str:
    """What `match_review` takes to go on after it."""
    return f"{doubt.worth!r}~{doubt.left}~{doubt.right}"


def match_decisions(
    services: Services,
    author: Author,
    *,
    first: int,
    after: str | None = None,
    act: str | None = None,
    party: str | None = None,
) -> list[Decided]:
    """What was decided, the latest first, undone or not; of one act, or of one party.

    `after` is the id of the last one known.

    Raises:
        AccessDeniedError: the author may not.
    """

    def ask(connection: Connection) -> Asked[list[Decided]]:
        stewardship = services.stewardship
        given = {"act": act, "party": party}
        narrowed = {name: storable(value) for name, value in given.items() if value is not None}
        history = stewardship.decisions.history(connection, before=storable(after or ""), **narrowed)
        known: dict[str, str] = {}

        def reached(some: Sequence[Decision]) -> Iterator[Decision]:
            customers = stewardship.customers_of(connection, _named(some))
            known.update(customers)
            there = reached_customers(services.store, connection, set(customers.values()), author)
            for each in some:
                mine = {customers[party] for party in _named([each]) if party in customers}
                if mine <= there and (mine or author.is_operator):
                    yield each

        found = _first(history, first, reached)
        named = {known[party] for party in _named(found) if party in known}
        force = {each.id for each in stewardship.decisions.of(connection, {each.left for each in found})}
        return [Decided(each, each.id in force) for each in found], named, len(found)

    return _asked(services, author, "match_decisions", ask)


def _asked(services: Services, author: Author, question: str, ask: Callable[[Connection], Asked[T]]) -> T:
    """The answer, once the log says who has it."""
    with refusals_recorded(services, author, Command.DECIDE_MATCH):
        with services.store.read() as connection:
            answer, customers, count = ask(connection)
        event = author.event(
            Action.READ,
            reason_code=question,
            customers=tuple(sorted(customers)),
            entity_types=tuple(type_.name for type_ in services.ontology.parties),
            data_categories=_categories(services),
            counts={"results": count, "customers": len(customers)},
        )
        services.recorder.record_sync(event)
        return answer


def _named(decisions: Collection[Decision]) -> set[str]:
    return {party for each in decisions for party in (each.left, each.right)}


def _categories(services: Services) -> tuple[str, ...]:
    """What parties are compared by."""
    matched = (
        prop for type_ in services.ontology.parties for prop in type_.properties.values() if prop.match
    )
    return tuple(sorted({prop.category for prop in matched}))


def _first(rows: Sequence[R], most: int, reached: Callable[[Sequence[R]], Iterator[R]]) -> list[R]:
    """The first rows that are reached."""
    found: list[R] = []
    for some in paged(rows, _CHUNK):
        if len(found) >= most:
            break
        found += reached(some)
    return found[:most]


def _place(cursor: str) -> tuple[float, str, str]:
    worth, _, pair = cursor.partition("~")
    left, _, right = pair.partition("~")
    try:
        return -float(worth), left, right
    except ValueError:
        raise QueryError("after is no cursor of this queue") from None
