"""The policy compiled to a matrix: one decision for each (role, purpose, data category).

How grants become decisions:

1. What no grant names is denied.
2. A grant reaches its category and all below it.
3. A *special* category (marked in the taxonomy) is out of reach of permits from above, also of one on a special
   category above it: only an allow or mask that names it counts, for it and for what is below it up to the next
   special one. A deny still reaches.
4. Deny beats allow, allow beats mask; of several masks the strictest is used (the order of `masks.MASKS`).
5. Of several roles the permits add up, and any role's deny wins.
6. A permit with a row scope counts for the customers in the scope alone. What holds for everyone is the decision; what
   counts more than that within a scope, and what is less masked, is listed `within` it.

What a role may do is simpler: a command is refused unless a rule of `commands` allows it to one of the roles for the
purpose.

What break-glass opens is no part of the decisions: it holds for one person, one customer and some minutes. The matrix
holds what a role *may* open so (`openable`); `glass.py` lays it over the decisions of a request that names its glass.

The order of grants has no meaning. The access map that a compliance officer reads *is* this object (`cells`).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from hub.access.masks import MASKS
from hub.access.minors import ages
from hub.access.policy import Command, Effect, Grant, Policy, Purpose, Role, load_policy
from hub.access.scope import Attributes
from hub.access.standing import Reach, bars_of, consent_of
from hub.ontology import Taxonomy


@dataclass(frozen=True, slots=True)
class Decision:
    """What is shown. `mask` is set for the effect mask only; `rule` is None when no grant applies."""

    effect: Effect
    mask: str | None
    rule: str | None
    """The deciding grant in words: effect, category, why."""
    scope: str = "none"
    """For whom it holds; `none` is everyone."""
    within: tuple[Decision, ...] = ()
    """Decisions that count more than this one for the customers in their scopes, the most decisive first."""

    @property
    def stated(self) -> str:
        """The effect as a grant states it: `allow`, `deny`, or `mask:` and the mask's name."""
        return f"{self.effect}:{self.mask}" if self.mask else str(self.effect)

    @property
    def is_denial(self) -> bool:
        """Whether it shows nothing of anybody."""
        return self.effect is Effect.DENY and not self.within

    @property
    def choices(self) -> tuple[Decision, ...]:
        """What holds for a customer is the first of these whose scope they are in."""
        return (*self.within, self)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the access map."""

    role: str
    purpose: str
    category: str
    decision: Decision


NO_GRANT = Decision(Effect.DENY, None, None)
"""The default."""

Row = Mapping[str, Decision]
"""Decisions by data category."""

_NO_ROW: Row = MappingProxyType({})
_ROLE_SETS = 1024
"""Rows kept for sets of several roles; there are as many as kinds of people, so hardly ever this many."""
_PRECEDENCE = {Effect.DENY: 0, Effect.ALLOW: 1, Effect.MASK: 2}
_STRICTNESS = {name: place for place, name in enumerate(MASKS)}


class AccessMap:
    """The compiled policy. Immutable: a changed policy is a new AccessMap with another `sha256`."""

    def __init__(
        self, policy: Policy, tree: Sequence[Node], rows: Mapping[tuple[str, str], Row], sha256: str
    ) -> None:
        self.policy = policy
        self.sha256 = sha256
        self.categories = tuple(sorted(node.category for node in tree))
        self._tree = tree
        self._rows = rows
        self._glass = {
            name: self.below(role.break_glass.categories)
            for name, role in policy.roles.items()
            if role.break_glass is not None
        }
        self._special = _special(tree)
        self._commands = frozenset(
            (role, purpose, command)
            for grant in policy.commands
            for role in grant.roles
            for purpose in grant.purposes
            for command in grant.commands
        )
        self.ages = ages(policy.ages_of_consent)
        """From which age a yes counts, by country."""
        self._reaches = {
            name: Reach(bars_of(purpose), consent_of(purpose, self.ages))
            for name, purpose in policy.purposes.items()
        }
        self.row = lru_cache(maxsize=_ROLE_SETS)(self._row)
        """`row(roles, purpose)`: the decisions by category; a category that is not in it is denied."""
        self.scopes = lru_cache(maxsize=_ROLE_SETS)(self._scopes)
        """`scopes(roles, purpose)`: the row scopes by which the decisions differ, sorted."""
        self.usable_purposes = lru_cache(maxsize=_ROLE_SETS)(self._usable_purposes)
        """`usable_purposes(roles)`: those for which these roles see anything, in the policy's order."""
        self.viewers = lru_cache(maxsize=None)(self._viewers)
        """`viewers(category)`: by purpose the roles that see it, whole or masked; purposes of none are left out."""

    @property
    def roles(self) -> Mapping[str, Role]:
        """Roles by name."""
        return self.policy.roles

    @property
    def purposes(self) -> Mapping[str, Purpose]:
        """Purposes by name."""
        return self.policy.purposes

    def decide(self, roles: frozenset[str], purpose: str, category: str) -> Decision:
        """The decision; a name that the policy or the taxonomy does not know is denied."""
        return self.row(roles, purpose).get(category, NO_GRANT)

    def reach(self, roles: frozenset[str], purpose: str, attributes: Attributes) -> Reach:
        """Which customers these roles reach for a purpose that is known, with such attributes as their scopes need."""
        reach, scopes = self._reaches[purpose], self.scopes(roles, purpose)
        if not scopes:
            return reach
        given = dict(attributes)
        stated = {scope: tuple(sorted(set(given.get(scope, ())))) for scope in scopes}
        return replace(reach, attributes=MappingProxyType(stated))

    def may(self, roles: frozenset[str], purpose: str, command: Command) -> bool:
        """Whether one of the roles may give the command for the purpose."""
        return any((role, purpose, command.value) in self._commands for role in roles)

    def below(self, categories: Iterable[str]) -> frozenset[str]:
        """The categories that a permit on these reaches."""
        permit = [Decision(Effect.ALLOW, None, "")]
        reached = _inherited_row(self._tree, dict.fromkeys(categories, permit))
        return frozenset(name for name, decision in reached.items() if decision.effect is Effect.ALLOW)

    def openable(self, roles: Iterable[str], purpose: str) -> Mapping[str, int]:
        """What these roles may open by break-glass for the purpose: by category, for how many minutes.

        A deny of any role stands. What is special a role opens only where it is allowed to itself, in some scope.
        """
        wanted = frozenset(roles)
        row, found = self.row(wanted, purpose), dict[str, int]()
        for role in wanted.intersection(self.roles):
            glass = self.roles[role].break_glass
            if glass is None or purpose not in glass.purposes:
                continue
            own = self._rows.get((role, purpose), _NO_ROW)
            for category in self._glass[role]:
                special = category in self._special
                opens = not special or _is_allowed(own.get(category, NO_GRANT))
                if opens and not is_forbidden(row.get(category, NO_GRANT)):
                    found[category] = max(glass.minutes, found.get(category, 0))
        return found

    def may_introspect(self, roles: Iterable[str]) -> bool:
        """Whether one of the roles may learn what the schema is."""
        return any(self.roles[role].introspection for role in roles if role in self.roles)

    def cells(self) -> Iterator[Cell]:
        """Every cell, by role, purpose and category."""
        for role in sorted(self.roles):
            for purpose in sorted(self.purposes):
                row = self._rows.get((role, purpose), _NO_ROW)
                for category in self.categories:
                    yield Cell(role, purpose, category, row.get(category, NO_GRANT))

    def _row(self, roles: frozenset[str], purpose: str) -> Row:
        rows = [row for role in roles if (row := self._rows.get((role, purpose))) is not None]
        if len(rows) < 2:
            return rows[0] if rows else _NO_ROW
        joined = {category: _decisive(row[category] for row in rows) for category in self.categories}
        return MappingProxyType(joined)

    def _scopes(self, roles: frozenset[str], purpose: str) -> tuple[str, ...]:
        decisions = self.row(roles, purpose).values()
        return tuple(sorted({choice.scope for decision in decisions for choice in decision.within}))

    def _usable_purposes(self, roles: frozenset[str]) -> tuple[str, ...]:
        return tuple(
            purpose
            for purpose in self.purposes
            if not all(decision.is_denial for decision in self.row(roles, purpose).values())
        )

    def _viewers(self, category: str) -> Mapping[str, tuple[str, ...]]:
        found = {
            purpose: tuple(
                role for role in self.roles if _is_seen(self.decide(frozenset({role}), purpose, category))
            )
            for purpose in self.purposes
        }
        return MappingProxyType({purpose: roles for purpose, roles in found.items() if roles})

    def __repr__(self) -> str:
        return f"AccessMap({len(self.roles)} roles, {len(self.purposes)} purposes, sha256={self.sha256[:12]})"


def load_access_map(path: Path, taxonomy: Taxonomy, shown_as: str | None = None) -> AccessMap:
    """The policy in the file, compiled.

    Raises:
        ConfigurationError: all faults of the file, with positions; see `load_policy`.
    """
    return compile_policy(load_policy(path, taxonomy, shown_as), taxonomy)


def compile_policy(policy: Policy, taxonomy: Taxonomy) -> AccessMap:
    """The matrix of a policy whose names are known to be good (`load_policy` checks them)."""
    named: dict[tuple[str, str], dict[str, list[Decision]]] = defaultdict(lambda: defaultdict(list))
    for grant in policy.grants:
        for role in grant.roles:
            for purpose in grant.purposes:
                for category in grant.categories:
                    named[role, purpose][category].append(_stated(grant, category))
    tree = category_tree(taxonomy)
    rows = {pair: _inherited_row(tree, by_category) for pair, by_category in named.items()}
    return AccessMap(policy, tree, rows, _sha256(policy, taxonomy))


def _stated(grant: Grant, category: str) -> Decision:
    return Decision(grant.kind, grant.mask, f"{grant.effect} {category}: {grant.why}", grant.scope)


@dataclass(frozen=True, slots=True)
class Node:
    """A data category in the tree that grants are inherited along."""

    category: str
    parent: str | None
    """The nearest key above it that the taxonomy has."""
    special: bool
    """Whether permits from above stop here."""


def category_tree(taxonomy: Taxonomy) -> list[Node]:
    """The categories, parents before children."""
    nodes = []
    for key in sorted(taxonomy.categories, key=lambda key: (key.count("."), key)):
        parent = taxonomy.categories[key].parent
        while parent is not None and parent not in taxonomy.categories:
            parent = parent.rpartition(".")[0] or None
        nodes.append(Node(key, parent, taxonomy.categories[key].special))
    return nodes


def is_forbidden(decision: Decision) -> bool:
    """Whether a grant denies it, which nothing beats; what no grant names is denied too, but not so."""
    return decision.effect is Effect.DENY and decision.rule is not None


def _is_allowed(decision: Decision) -> bool:
    """Whether some customer's values are shown whole."""
    return any(choice.effect is Effect.ALLOW for choice in decision.choices)


def _is_seen(decision: Decision) -> bool:
    """Whether of some customer's values anything is shown."""
    return any(choice.effect is not Effect.DENY for choice in decision.choices)


def _special(tree: Iterable[Node]) -> frozenset[str]:
    """The special categories, with all below them."""
    found: set[str] = set()
    for node in tree:
        if node.special or node.parent in found:
            found.add(node.category)
    return frozenset(found)


def _inherited_row(tree: Iterable[Node], named: Mapping[str, list[Decision]]) -> Row:
    row: dict[str, Decision] = {}
    for node in tree:
        above = row[node.parent] if node.parent else NO_GRANT
        if node.special and (above.effect is not Effect.DENY or above.within):
            above = NO_GRANT
        own = named.get(node.category)
        row[node.category] = _decisive((above, *own)) if own else above
    return MappingProxyType(row)


def _decisive(decisions: Iterable[Decision]) -> Decision:
    """What rules 1, 4, 5 and 6 choose; between equals by the rule's words, so that order has no meaning."""
    stated = [choice for decision in decisions for choice in decision.choices if choice.rule is not None]
    ranked = sorted(stated, key=_rank)
    whole = next((choice for choice in ranked if choice.scope == "none"), None)
    more = ranked if whole is None else ranked[: ranked.index(whole)]
    narrow = {choice.scope: choice for choice in reversed(more)}
    if (whole is not None and whole.effect is Effect.DENY) or not narrow:
        return NO_GRANT if whole is None else replace(whole, within=())
    return replace(whole or NO_GRANT, within=tuple(sorted(narrow.values(), key=_rank)))


def _rank(decision: Decision) -> tuple[int, int, bool, str, str]:
    """Of two that say the same, the one for every customer comes first: the other adds nothing to it."""
    strictness = _STRICTNESS[decision.mask] if decision.mask else 0
    scope = decision.scope
    return _PRECEDENCE[decision.effect], strictness, scope != "none", decision.rule or "", scope


def _sha256(policy: Policy, taxonomy: Taxonomy) -> str:
    """The hash of all that decisions follow from; neither layout nor the order of grants changes it."""
    content = policy.model_dump(mode="json")
    for section in ("grants", "commands"):
        for rule in content[section]:
            for key in {"roles", "purposes", "categories", "commands"} & rule.keys():
                rule[key] = sorted(rule[key])
        content[section] = sorted(content[section], key=lambda rule: json.dumps(rule, sort_keys=True))
    for role in content["roles"].values():
        if role["break_glass"] is not None:
            for key in ("purposes", "categories"):
                role["break_glass"][key].sort()
    content["categories"] = sorted((key, category.special) for key, category in taxonomy.categories.items())
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
