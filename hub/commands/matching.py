"""What stewards decide about who is one customer: pairs of parties, customers that are one, customers that are several.

All that was decided at once is one *act*, named by the id of its audit event, and undone as one. An author decides only
of customers whom they reach. The reason is sealed by the key of its day and may not name a customer that it is about:
it outlives each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product

from sqlalchemy import Connection

from hub.access import Command
from hub.adapters import runs
from hub.audit import Action, AuditEvent
from hub.audit.events import new_event_id
from hub.commands.author import Author
from hub.commands.customers import Customer, find_customer, reached_customers, storable
from hub.commands.erasure import sealed_for_the_day
from hub.commands.giving import Order, Result, consequences, once, refusals_recorded
from hub.commands.naming import names_somebody
from hub.errors import LimitError, NotFoundError, QueryError
from hub.graph.entities import STAFF, STEWARD
from hub.graph.resolution.clusters import Pair, pair_of
from hub.graph.resolution.decisions import Verdict
from hub.graph.resolution.stewardship import MAX_DECIDED, Settled, Word
from hub.services import Services
from hub.store import utc_now

MAX_GIVEN = 200
"""Pairs of one decision."""
MAX_MERGED = 20
"""Customers of one merge."""
MAX_REASON = 1000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class DecideMatches:
    """That the two parties of each pair are the same, or are not."""

    pairs: Sequence[Pair]
    verdict: Verdict
    reason: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class MergeCustomers:
    """That these customers are one."""

    customers: Sequence[str]
    reason: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class UnmergeCustomer:
    """That these parties of a customer are not the customer that its others are."""

    customer: str
    parties: Sequence[str]
    reason: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class UndoDecisions:
    """That what an act decided is to be as if it had never been decided."""

    act: str
    reason: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class MatchDecided:
    """What was decided."""

    act: str
    """Id of the audit event; `UndoDecisions` takes it."""
    pairs: int
    """How many were decided, or are no longer."""
    customers: tuple[str, ...]
    """Of all parties that it is about, as they are now; sorted, so the oldest first."""


Deciding = Callable[[Connection, Word], Settled]


def decide_matches(services: Services, author: Author, order: DecideMatches) -> MatchDecided:
    """Decide pairs, up to MAX_GIVEN at once, all or none.

    Raises:
        AccessDeniedError: the author may not.
        LimitError: too many pairs would have to be decided.
        NotFoundError: there is no such party, or none that the author reaches; both read the same.
        QueryError: a pair names what staff recorded, or one party twice, or contradicts a decision in force; the reason
            is missing or names a customer; the idempotency key was used for something else.
    """
    said = Order(Command.DECIDE_MATCH, "decide", order.key, asdict(order))

    def act(connection: Connection, word: Word) -> Settled:
        pairs = _pairs(order.pairs)
        _require_parties(services, connection, author, {party for pair in pairs for party in pair})
        if order.verdict == "same":
            return services.stewardship.join(connection, word, pairs)
        return services.stewardship.part(connection, word, pairs)

    return _decided(services, author, said, order.reason, order.verdict, act)


def merge_customers(services: Services, author: Author, order: MergeCustomers) -> MatchDecided:
    """Make customers one: the oldest id stays, the others lead to it.

    What was decided between them before is overruled, and in force again when the merge is undone.

    Raises:
        AccessDeniedError: the author may not.
        LimitError: they have too many parties.
        NotFoundError: there is no such customer, or none that the author reaches; both read the same.
        QueryError: they are fewer than two or too many, or one has nothing but what staff recorded; else as
            `decide_matches`.
    """
    said = Order(Command.DECIDE_MATCH, "merge", order.key, asdict(order))

    def act(connection: Connection, word: Word) -> Settled:
        if not 2 <= len(order.customers) <= MAX_MERGED:
            raise QueryError(f"a merge names 2 to {MAX_MERGED} customers")
        found = {
            customer.id: customer
            for id_ in order.customers
            for customer in [find_customer(services.store, connection, id_, author)]
        }
        if len(found) == 1:
            raise QueryError("these ids are of one customer already")
        first, *others = (_oldest(found[id_]) for id_ in sorted(found))
        pairs = {pair_of(first, other) for other in others}
        return services.stewardship.join(connection, word, pairs, overrule=True)

    return _decided(services, author, said, order.reason, "merged", act)


def unmerge_customer(services: Services, author: Author, order: UnmergeCustomer) -> MatchDecided:
    """Part some of a customer's parties from its others, with all that is theirs.

    Raises:
        AccessDeniedError: the author may not.
        LimitError: more than MAX_DECIDED pairs would have to be decided.
        NotFoundError: there is no such customer, or none that the author reaches; both read the same.
        QueryError: the parties are none of the customer's, or all of them, or staff's; else as `decide_matches`.
    """
    said = Order(Command.DECIDE_MATCH, "unmerge", order.key, asdict(order))

    def act(connection: Connection, word: Word) -> Settled:
        customer = find_customer(services.store, connection, order.customer, author)
        compared = {party.id for party in customer.parties if party.source not in STAFF}
        leaving = set(order.parties)
        if not leaving <= compared:
            raise QueryError("one of these is no party of this customer that a source states")
        if not leaving or leaving == compared:
            raise QueryError("name some of the customer's parties, and not all of them")
        pairs = {pair_of(*pair) for pair in product(leaving, compared - leaving)}
        if len(pairs) > MAX_DECIDED:
            raise LimitError(f"{len(pairs)} pairs would have to be decided, {MAX_DECIDED} at most")
        return services.stewardship.part(connection, word, pairs)

    return _decided(services, author, said, order.reason, "unmerged", act)


def undo_decisions(services: Services, author: Author, order: UndoDecisions) -> MatchDecided:
    """Let customers be as if the act had never been; what it replaced is in force again.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such act that is not undone, or one of a customer that the author does not reach;
            all read the same.
        QueryError: the reason is missing or names a customer; the idempotency key was used for something else.
    """
    said = Order(Command.DECIDE_MATCH, "undo", order.key, asdict(order))

    def act(connection: Connection, word: Word) -> Settled:
        decisions = services.stewardship.decisions.of_act(connection, storable(order.act))
        named = {party for each in decisions for party in (each.left, each.right)}
        there = services.stewardship.customers_of(connection, named)
        reached = reached_customers(services.store, connection, set(there.values()), author)
        if not decisions or (not there and not author.is_operator) or not reached >= set(there.values()):
            raise NotFoundError("there is no act with this id that could be undone")
        return services.stewardship.undo(connection, decisions, word)

    return _decided(services, author, said, order.reason, "undone", act, about=order.act)


def _decided(
    services: Services,
    author: Author,
    said: Order,
    reason: str,
    code: str,
    deciding: Deciding,
    about: str | None = None,
) -> MatchDecided:
    """Decide, regroup whom it is about, and tell of it, in one transaction."""
    with refusals_recorded(services, author, Command.DECIDE_MATCH):
        if not 0 < len(reason.strip()) <= MAX_REASON or "\0" in reason:
            raise QueryError(f"a decision has a reason of 1 to {MAX_REASON} characters")

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            word = Word(new_event_id(), author.subject, reason.strip(), utc_now())
            settled = deciding(connection, word)
            before = services.stewardship.customers_of(connection, settled.parties)
            _require_nameless(services, connection, set(before.values()), reason)
            run_id = runs.note_command(connection, STEWARD)
            applied = services.syncer.graph.regroup(connection, run_id, settled.parties)
            now = services.stewardship.customers_of(connection, settled.parties)
            done = MatchDecided(word.act, settled.pairs, tuple(sorted(set(now.values()))))
            event = author.event(
                Action.REVIEW_DECIDED,
                id=word.act,
                reason_code=code,
                run_id=str(run_id),
                about=about,
                customers=tuple(sorted({*before.values(), *now.values()})),
                counts={"parties": len(now), "customers": len(done.customers)},
            )
            sealed = sealed_for_the_day(services, event, {"reason": word.reason})
            return asdict(done), [sealed, *consequences(services, author, applied)]

        result = once(services, author, said, act)
    return MatchDecided(**{**result, "customers": tuple(result["customers"])})


def _pairs(given: Sequence[Pair]) -> set[Pair]:
    if not 0 < len(given) <= MAX_GIVEN:
        raise QueryError(f"a decision names 1 to {MAX_GIVEN} pairs")
    if any(left == right for left, right in given):
        raise QueryError("a pair names one party twice")
    return {pair_of(*pair) for pair in given}


def _require_parties(
    services: Services, connection: Connection, author: Author, parties: Collection[str]
) -> None:
    """See to it that there are these parties, that the author reaches them, and that they are compared."""
    require_reached(services, connection, author, parties)
    if services.stewardship.compared(connection, parties) != {*parties}:
        raise QueryError("a pair names what staff recorded: it is its customer's by their word")


def require_reached(
    services: Services, connection: Connection, author: Author, parties: Collection[str]
) -> Mapping[str, str]:
    """The customers of these parties, all of which the author reaches.

    Raises:
        NotFoundError: there is no such party, or none that the author reaches; both read the same.
    """
    customers = services.stewardship.customers_of(connection, set(map(storable, parties)))
    reached = reached_customers(services.store, connection, set(customers.values()), author)
    if customers.keys() != {*parties} or not reached >= set(customers.values()):
        raise NotFoundError("there is no party with this id")
    return customers


def _oldest(customer: Customer) -> str:
    """Id of the party that came first."""
    first = customer.parties[0]
    if first.source in STAFF:
        raise QueryError(
            "one of the customers has nothing but what staff recorded, which is compared with nobody"
        )
    return first.id


def _require_nameless(
    services: Services, connection: Connection, customers: Collection[str], reason: str
) -> None:
    parties = services.stewardship.parties_of(connection, customers)
    if names_somebody(services.store, connection, sorted(parties), reason):
        raise QueryError(
            "the reason may not name a customer that it is about: it is kept when one of them is gone"
        )
