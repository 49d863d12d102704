"""Row scopes: for which customers a grant holds, as one predicate that SQL, search and Python read alike.

A *scope* compares one fact of a customer (its *facts*: region, brand, account manager; the ontology names the
properties that state them) with what the requester's token says of them (their *attributes*). A `Within` combines
scopes: the customers for whom all scopes of at least one *way* hold.

    scoped("region") | scoped("own_accounts")     customers of the requester's regions, and their own accounts
    EVERYONE                                      all customers, and rows of none
    NOBODY                                        no customer

Two more are never in a policy; break-glass (`glass.py`) makes use of them. `subject` is the one customer that a glass
was broken for, `consent` the customers who said the yes that the purpose needs.

There is no negation, so what is not known can only narrow: a fact that is missing, or an attribute that the token does
not state, makes a scope false.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

ScopeName = Literal["region", "brand", "own_accounts"]
SCOPES: Final[tuple[ScopeName, ...]] = get_args(ScopeName)
SUBJECT: Final = "subject"
CONSENTED: Final = "consent"

Values = Mapping[str, Collection[str]]
"""By scope: a customer's facts, or a requester's attributes."""
Attributes = tuple[tuple[str, tuple[str, ...]], ...]
"""A requester's attributes as pairs of scope and values."""


@dataclass(frozen=True, slots=True)
class Within:
    """The customers for whom all scopes of one of the ways hold; the ways are the least ones, so equals are equal."""

    ways: frozenset[frozenset[str]]

    @classmethod
    def of(cls, ways: Iterable[Iterable[str]]) -> Self:
        """The predicate of these ways; a way that asks for more than another one adds nothing."""
        given = {frozenset(way) for way in ways}
        return cls(frozenset(way for way in given if not any(other < way for other in given)))

    def __or__(self, other: Within) -> Within:
        return Within.of(self.ways | other.ways)

    def __and__(self, other: Within) -> Within:
        return Within.of(mine | theirs for mine in self.ways for theirs in other.ways)

    def __bool__(self) -> bool:
        """Whether it can hold for anybody."""
        return bool(self.ways)

    def implies(self, other: Within) -> bool:
        """Whether the other predicate holds wherever this one does."""
        return all(any(theirs <= mine for theirs in other.ways) for mine in self.ways)

    def stated(self, attributes: Values) -> Within:
        """What remains of it for a requester with these attributes: scopes without one never hold."""
        return Within(frozenset(way for way in self.ways if all(attributes.get(scope) for scope in way)))

    def holds(self, facts: Values, attributes: Values) -> bool:
        """Whether it holds for a customer with these facts."""
        return any(
            all(not set(facts.get(scope, ())).isdisjoint(attributes.get(scope, ())) for scope in way)
            for way in self.ways
        )

    def __str__(self) -> str:
        return " or ".join(" and ".join(sorted(way)) or "everyone" for way in sorted(self.ways, key=sorted))


_ANYBODY: Final = frozenset[str]()
EVERYONE: Final = Within(frozenset({_ANYBODY}))
NOBODY: Final = Within(frozenset())


def scoped(scope: str) -> Within:
    """The predicate of a grant's scope; `none` narrows nothing."""
    return EVERYONE if scope == "none" else Within(frozenset({frozenset({scope})}))


def any_of(predicates: Iterable[Within]) -> Within:
    """Where one of them holds; none is asked for after one that holds for everyone."""
    ways: set[frozenset[str]] = set()
    for predicate in predicates:
        if _ANYBODY in predicate.ways:
            return EVERYONE
        ways |= predicate.ways
    return Within.of(ways)
