"""Who lives together, of a number of people: pure arithmetic, the same in any order.

Two people are *linked* by evidence, which differs in what it says by itself:

| their addresses are          | linked if                                                                       |
|------------------------------|---------------------------------------------------------------------------------|
| one door                     | few families live behind it; else they share a family name, too                 |
| one door, behind it a crowd  | they share a family name, and a contact or an account                           |
| nearly one door              | they share a family name: one states no unit, or the street is spelt otherwise  |
| not both known               | they share a family name, and a contact or an account                           |
| different                    | never                                                                           |

A household is a group in which *everybody* is linked with everybody: no chain of relatives runs through a town, and
nobody is in a household because of a person whom the reader may not see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import combinations

import networkx as nx
from rapidfuzz.distance import JaroWinkler, Levenshtein

from hub.graph.households.home import Home

SAME, NEAR = 2, 1
FAMILIES = 3
"""Family names behind one door that may still be one household: a couple with two names and a relative or lodger."""
CROWD = 50
"""People behind one door above whom it is a home, a barracks or a block of flats without numbers."""
SHARERS = 12
"""People who may share a contact or account, and one family name, and still live together."""
_ALIKE = 0.92
"""Similarity of Jaro and Winkler from which two family names behind one door are one, misspelt."""
_SLIPS = 2
"""Letters in which two spellings of one street or town may differ."""
_SHORT = 5
"""Names this short are told apart by a letter."""


class Evidence(StrEnum):
    """A kind of evidence that two people live together."""

    ADDRESS = "address"
    FAMILY_NAME = "family_name"
    CONTACT = "contact"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Link:
    """That two people live together, the lower id first, and why."""

    low: str
    high: str
    evidence: frozenset[Evidence]


@dataclass(frozen=True, slots=True)
class Household:
    """People who live together, in order, and the links between each two of them."""

    people: tuple[str, ...]
    links: tuple[Link, ...]


def households(homes: Iterable[Home]) -> list[Household]:
    """The households of more than one person among all people there are."""
    known = {home.person: home for home in homes}
    crowd = Crowd(known.values())
    pairs = (pair for people in crowd.blocks() for pair in combinations(sorted(people), 2))
    links: dict[tuple[str, str], Link] = {}
    for low, high in pairs:
        if (low, high) not in links and (evidence := crowd.evidence(known[low], known[high])):
            links[low, high] = Link(low, high, evidence)
    return grouped(links, known)


def grouped(links: Mapping[tuple[str, str], Link], known: Mapping[str, Home]) -> list[Household]:
    """The households that links make, by the lower and the higher id; all links of whoever has one are to be given."""
    graph: nx.Graph[str] = nx.Graph(list(links))
    found = [people for each in nx.connected_components(graph) for people in _parted(each, links, known)]
    return [_household(people, links) for people in sorted(found)]


class Crowd:
    """People with what they have in common: how many share each key."""

    def __init__(self, homes: Iterable[Home], counts: Mapping[str, int] | None = None) -> None:
        """`counts` are the holders of each key, where not all of them are among `homes`."""
        self._by_key: dict[str, dict[str, Home]] = defaultdict(dict)
        for home in homes:
            for key in home.keys:
                self._by_key[key][home.person] = home
        self._counts = (
            counts if counts is not None else {key: len(all_) for key, all_ in self._by_key.items()}
        )
        self._families: dict[str, int] = {}

    def blocks(self) -> Iterator[Collection[str]]:
        """People who may be linked: those who share a key that is no crowd's."""
        return (people for key, people in self._by_key.items() if 1 < self._counts[key] <= CROWD)

    def mates(self, home: Home) -> set[str]:
        """The others who share such a key with the person."""
        blocks = (self._by_key[key] for key in home.keys if self._counts[key] <= CROWD)
        return {person for people in blocks for person in people} - {home.person}

    def evidence(self, one: Home, other: Home) -> frozenset[Evidence]:
        """Why the two live together; nothing when they do not."""
        near = nearness(one, other)
        if near is None:
            return frozenset()
        said = {Evidence.ADDRESS} if near else set()
        said |= {Evidence.FAMILY_NAME} if _one_family(one, other, close=near > 0) else set()
        said |= {Evidence.CONTACT} if self._shares(one, other, one.contacts & other.contacts) else set()
        said |= {Evidence.ACCOUNT} if self._shares(one, other, one.accounts & other.accounts) else set()
        return frozenset(said) if self._suffices(one, other, near, said) else frozenset()

    def _suffices(self, one: Home, other: Home, near: int, said: Collection[Evidence]) -> bool:
        related = Evidence.FAMILY_NAME in said
        shared = Evidence.CONTACT in said or Evidence.ACCOUNT in said
        if near == 0 or self._is_crowded(one) or self._is_crowded(other):
            return related and shared
        return related or (near == SAME and all(self._is_small(each) for each in _doors(one, other)))

    def _is_crowded(self, home: Home) -> bool:
        return any(self._counts[home.door_at(place)] > CROWD for place in home.places)

    def _is_small(self, door: str) -> bool:
        """Whether few families live behind the door."""
        if door not in self._families:
            self._families[door] = _families(list(self._by_key[door].values()))
        return self._families[door] <= FAMILIES

    def _shares(self, one: Home, other: Home, values: Collection[str]) -> bool:
        """Whether one of the values is shared by few of a family."""
        keys = {key for value in values for key in one.sharing(value)}
        both = keys & {key for value in values for key in other.sharing(value)}
        return any(self._counts[key] <= SHARERS for key in both)


def _doors(one: Home, other: Home) -> list[str]:
    """The keys of the one door of both."""
    return [one.door_at(place) for place in one.places if place in other.places]


def nearness(one: Home, other: Home) -> int | None:
    """SAME door, NEARly, 0 where one address is not known, None where they live apart."""
    if not one.has_address or not other.has_address:
        return 0
    if _differ(one.house, other.house) or _differ(one.unit, other.unit):
        return None
    if not one_name(one.street, other.street) or not (_one_place(one, other)):
        return None
    exact = one.door == other.door and _one_place(one, other, exactly=True)
    return SAME if exact else NEAR


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _one_place(one: Home, other: Home, *, exactly: bool = False) -> bool:
    """Whether postal code or town say that it may be one place; `exactly` when nothing says otherwise."""
    if exactly:
        return bool(set(one.places) & set(other.places)) and not _differ(one.postal_code, other.postal_code)
    if set(one.places) & set(other.places):
        return True
    return bool(one.city and other.city) and one_name(one.city, other.city)


@lru_cache(maxsize=65_536)
def one_name(one: str, other: str) -> bool:
    """Whether two names of streets or towns may be one, misspelt; numbers are not misspelt."""
    if one == other:
        return True
    if min(len(one), len(other)) <= _SHORT or _digits(one) != _digits(other):
        return False
    return Levenshtein.distance(one, other, score_cutoff=_SLIPS) <= _SLIPS


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())


def _one_family(one: Home, other: Home, *, close: bool) -> bool:
    """Whether they share a family name; a misspelt one counts for people who live close."""
    if one.families & other.families:
        return True
    return close and any(_alike(mine, theirs) for mine in one.families for theirs in other.families)


@lru_cache(maxsize=65_536)
def _alike(one: str, other: str) -> bool:
    return JaroWinkler.similarity(one, other) >= _ALIKE


def _families(people: Sequence[Home]) -> int:
    """How many families there are among the people, as far as their names tell."""
    graph: nx.Graph[frozenset[str]] = nx.Graph()
    named = {home.families: home for home in people if home.families}
    graph.add_nodes_from(named)
    pairs = combinations(named.values(), 2)
    graph.add_edges_from((a.families, b.families) for a, b in pairs if _one_family(a, b, close=True))
    return nx.number_connected_components(graph)


# From links to households.


def _parted(
    people: Collection[str], links: Mapping[tuple[str, str], Link], known: Mapping[str, Home]
) -> list[tuple[str, ...]]:
    """The households of people whom links connect: the strongest links join first, groups only as a whole."""
    inside = [pair for pair in combinations(sorted(people), 2) if pair in links]
    if len(inside) == len(people) * (len(people) - 1) // 2:
        return [tuple(sorted(people))]
    groups = {person: {person} for person in people}
    for low, high in sorted(inside, key=lambda pair: _strength(pair, links, known)):
        one, other = groups[low], groups[high]
        if one is not other and all(_pair(a, b) in links for a in one for b in other):
            one |= other
            groups |= dict.fromkeys(other, one)
    parts = {tuple(sorted(group)) for group in groups.values()}
    return [part for part in parts if len(part) > 1]


def _strength(
    pair: tuple[str, str], links: Mapping[tuple[str, str], Link], known: Mapping[str, Home]
) -> tuple[int, int, tuple[str, str]]:
    """The strongest first: those of one door, then by how much speaks for them, then by id."""
    low, high = pair
    near = nearness(known[low], known[high]) or 0
    return -near, -len(links[pair].evidence), pair


def _household(people: tuple[str, ...], links: Mapping[tuple[str, str], Link]) -> Household:
    return Household(people, tuple(links[pair] for pair in combinations(people, 2)))


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)
