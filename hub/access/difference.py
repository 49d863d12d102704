"""What a change of the policy changes: who gains and who loses what, however the grants are written.

Two policies are compared by their decisions, for every role, purpose and data category, so that a grant that is split,
moved or worded anew is no change. What a whole subtree of categories shares is told once. What a role or a purpose
*is*, such as the claims that give a role, is compared as it is written. Where grants have row scopes, a role
gains or loses what is shown more, or less, of every customer, whichever scopes they are in. What a role may open by
break-glass is told apart, as `break-glass CATEGORY`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, combinations, product
from typing import Any, Self, TypeVar

from pydantic import BaseModel

from hub.access.masks import MASKS
from hub.access.matrix import AccessMap, Decision, category_tree
from hub.access.policy import Command, Effect
from hub.ontology import Taxonomy

_LOOSEST_LAST = ["deny", *(f"mask:{name}" for name in MASKS), "allow"]
"""What may be shown of a category, in the order in which the policy's masks are strict."""
_NOT_THERE = "-"
_NO_SCOPE = "none"
T = TypeVar("T")
_Shown = Mapping[str, str]
"""What is shown by row scope: the first that a customer is in counts, the last is everyone."""


class ChangeKind(StrEnum):
    """Which way something changes."""

    GAINS = "gains"
    LOSES = "loses"
    CHANGES = "changes"
    """Neither more nor less, or not to be told: a person has to look."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One change."""

    kind: ChangeKind
    role: str
    """The role; empty where a purpose itself changes."""
    purpose: str
    """The purpose; empty where a role itself changes."""
    what: str
    """A data category, with `.*` after it where it stands for all below it too; `break-glass` and one; a command; or a
    setting."""
    before: str
    after: str


def differences(old: AccessMap, new: AccessMap, taxonomy: Taxonomy) -> list[PolicyChange]:
    """What the new policy changes, by role and purpose; a role or purpose that is not there may nothing."""
    tree = _Tree.of(taxonomy)
    found = [*_settings("role", old.roles, new.roles), *_settings("purpose", old.purposes, new.purposes)]
    for role, purpose in product(_both(old.roles, new.roles), _both(old.purposes, new.purposes)):
        use = _Use(old, new, role, purpose)
        found += chain(use.seen(tree), use.openable(tree), use.done())
    return found


@dataclass(frozen=True, slots=True)
class _Tree:
    """The data categories, parents before children."""

    categories: Sequence[str]
    children: Mapping[str | None, Sequence[str]]

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> Self:
        nodes = category_tree(taxonomy)
        children: dict[str | None, list[str]] = defaultdict(list)
        for node in nodes:
            children[node.parent].append(node.category)
        return cls([node.category for node in nodes], children)

    def changed(self, pairs: Mapping[str, tuple[T, T]]) -> Iterator[tuple[str, T, T]]:
        """What is not before as it is after, by category; once for a whole subtree that changes alike."""
        told: set[str] = set()
        for category, (before, after) in pairs.items():
            if before == after or category in told:
                continue
            below = self._below(category)
            whole = all(pairs[each] == (before, after) for each in below)
            told.update(below if whole else ())
            yield f"{category}.*" if whole and below else category, before, after

    def _below(self, category: str) -> list[str]:
        own = self.children.get(category, ())
        return [*own, *(far for each in own for far in self._below(each))]


@dataclass(frozen=True, slots=True)
class _Use:
    """What one role may do for one purpose, under both policies."""

    old: AccessMap
    new: AccessMap
    role: str
    purpose: str

    def seen(self, tree: _Tree) -> Iterator[PolicyChange]:
        roles = frozenset({self.role})
        shown = {
            category: (
                _shown(self.old.decide(roles, self.purpose, category)),
                _shown(self.new.decide(roles, self.purpose, category)),
            )
            for category in tree.categories
        }
        for what, before, after in tree.changed(shown):
            yield self._change(_kind(before, after), what, _words(before), _words(after))

    def openable(self, tree: _Tree) -> Iterator[PolicyChange]:
        was, is_ = (
            {} if self.role not in each.roles else each.openable({self.role}, self.purpose)
            for each in (self.old, self.new)
        )
        minutes = {category: (was.get(category, 0), is_.get(category, 0)) for category in tree.categories}
        for what, before, after in tree.changed(minutes):
            kind = ChangeKind.GAINS if after > before else ChangeKind.LOSES
            words = (f"{each} minutes" if each else str(Effect.DENY) for each in (before, after))
            yield self._change(kind, f"break-glass {what}", *words)

    def done(self) -> Iterator[PolicyChange]:
        roles = frozenset({self.role})
        for command in Command:
            may, will = (each.may(roles, self.purpose, command) for each in (self.old, self.new))
            if may != will:
                before, after = (str(Effect.ALLOW if each else Effect.DENY) for each in (may, will))
                kind = ChangeKind.GAINS if will else ChangeKind.LOSES
                yield self._change(kind, command.value, before, after)

    def _change(self, kind: ChangeKind, what: str, before: str, after: str) -> PolicyChange:
        return PolicyChange(kind, self.role, self.purpose, what, before, after)


def _shown(decision: Decision) -> _Shown:
    return {each.scope: each.stated for each in decision.choices}


def _words(shown: _Shown) -> str:
    *within, (_, everyone) = shown.items()
    words = [f"{effect} within {scope}" for scope, effect in within]
    return ", ".join([*words, f"else {everyone}" if words else everyone])


def _kind(before: _Shown, after: _Shown) -> ChangeKind:
    scopes = {*before, *after} - {_NO_SCOPE}
    held = chain.from_iterable(combinations(sorted(scopes), size) for size in range(len(scopes) + 1))
    steps = [_looseness(after, each) - _looseness(before, each) for each in held]
    if min(steps) < 0 < max(steps):
        return ChangeKind.CHANGES
    return ChangeKind.GAINS if max(steps) > 0 else ChangeKind.LOSES


def _looseness(shown: _Shown, held: Collection[str]) -> int:
    """How much is shown of a customer who is in these scopes."""
    return next(
        _LOOSEST_LAST.index(effect) for scope, effect in shown.items() if scope == _NO_SCOPE or scope in held
    )


def _settings(
    word: str, old: Mapping[str, BaseModel], new: Mapping[str, BaseModel]
) -> Iterator[PolicyChange]:
    for name in _both(old, new):
        before, after = (_written(each.get(name)) for each in (old, new))
        for setting in _both(before, after):
            was, is_ = (_text(each, setting) for each in (before, after))
            if was != is_:
                role, purpose = (name, "") if word == "role" else ("", name)
                yield PolicyChange(ChangeKind.CHANGES, role, purpose, setting, was, is_)


def _written(part: BaseModel | None) -> Mapping[str, Any]:
    # What break-glass opens is told by purpose.
    return {} if part is None else part.model_dump(mode="json", exclude={"break_glass"})


def _text(part: Mapping[str, Any], setting: str) -> str:
    value = part.get(setting)
    return _NOT_THERE if value is None else str(value)


def _both(old: Iterable[str], new: Iterable[str]) -> list[str]:
    return sorted({*old, *new})
