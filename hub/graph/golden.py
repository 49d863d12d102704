"""The golden record: one customer's values, chosen among those of its parties. Pure functions.

Each property has a rule. Properties of one `group` (the parts of an address) are chosen together from one party, by the
rule of the group's first property, so that no street of one source meets the town of another. Only parties with a value
in the group take part; the losers stay in their own rows. Where a steward states a value of the group, the latest such
statement is chosen whatever the rule. Where a rule leaves several, the most trusted source decides,
then the latest observed, then the smallest party id, so the choice never depends on the order of arrival.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from hub.ontology import Property
from hub.ontology.model import Survivorship


@dataclass(frozen=True, slots=True, repr=False)
class PartyValues:
    """What one party brings to the choice; `values` has no entry for what the party does not state."""

    id: str
    trust: int
    """Of its source, 0 to 100."""
    observed_at: str
    values: Mapping[str, Hashable]
    decided: bool = False
    """Whether a steward said so, against whatever the sources state."""

    def __repr__(self) -> str:
        return f"PartyValues({self.id})"


@dataclass(frozen=True)
class Rule:
    """How the values of some properties are chosen together."""

    properties: tuple[str, ...]
    survivorship: Survivorship

    @cached_property
    def names(self) -> frozenset[str]:
        """The properties as a set."""
        return frozenset(self.properties)


Why = Survivorship | Literal["steward"]
"""The rule by which a value won, or `steward` where a person decided."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a golden value comes from: the party that won, and by which rule."""

    party: str
    rule: Why


_Score = Callable[[PartyValues], tuple[object, ...]]


def rules_of(
    properties: Mapping[str, Property], overrides: Mapping[str, Survivorship] | None = None
) -> tuple[Rule, ...]:
    """The rules for a golden record of `properties`; an override of any property of a group is the group's."""
    overrides = overrides or {}
    together: dict[str, list[Property]] = {}
    for prop in properties.values():
        together.setdefault(f"group {prop.group}" if prop.group else prop.name, []).append(prop)
    rules = []
    for members in together.values():
        names = tuple(prop.name for prop in members)
        overridden = [overrides[name] for name in names if name in overrides]
        default = members[0].survivorship or "most_recent"
        rules.append(Rule(names, overridden[0] if overridden else default))
    return tuple(rules)


def choose(
    parties: Sequence[PartyValues], rules: Sequence[Rule]
) -> tuple[dict[str, Hashable], dict[str, Source]]:
    """The golden values by property, and for each where it comes from; independent of the order of `parties`."""
    values: dict[str, Hashable] = {}
    provenance: dict[str, Source] = {}
    ordered = sorted(parties, key=lambda party: party.id)
    for rule in rules:
        candidates = [party for party in ordered if not rule.names.isdisjoint(party.values)]
        if not candidates:
            continue
        winner, why = _winner(rule, candidates)
        source = Source(winner.id, why)
        for name in rule.properties:
            if name in winner.values:
                values[name] = winner.values[name]
                provenance[name] = source
    return values, provenance


def _winner(rule: Rule, candidates: Sequence[PartyValues]) -> tuple[PartyValues, Why]:
    # max() keeps the first of equals: the smallest id.
    decided = [party for party in candidates if party.decided]
    if decided:
        return max(decided, key=lambda party: party.observed_at), "steward"
    winner = candidates[0] if len(candidates) == 1 else max(candidates, key=_score(rule, candidates))
    return winner, rule.survivorship


def _score(rule: Rule, candidates: Sequence[PartyValues]) -> _Score:
    if rule.survivorship == "most_recent":
        return lambda party: (party.observed_at, party.trust)
    if rule.survivorship == "most_trusted":
        return lambda party: (party.trust, party.observed_at)
    if rule.survivorship == "most_frequent":
        counts = Counter(_stated(rule, party) for party in candidates)
        return lambda party: (counts[_stated(rule, party)], party.trust, party.observed_at)
    return lambda party: (_length(rule, party), party.trust, party.observed_at)


def _stated(rule: Rule, party: PartyValues) -> tuple[Hashable, ...]:
    return tuple(party.values.get(name) for name in rule.properties)


def _length(rule: Rule, party: PartyValues) -> int:
    return sum(len(str(party.values[name])) for name in rule.properties if name in party.values)
