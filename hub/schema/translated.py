"""What the translation of a document comes to: root fields as the roots of read plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.graph.plans import Operand, Root, Var
from hub.schema.values import Arguments

Derive = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Searched:
    """The search whose hits are a plan's rows."""

    rows: str
    """The plan variable that they become; no variable of a document has a space in its name."""
    text: Operand = field(repr=False)
    types: tuple[str, ...]
    """Those of which something is asked."""
    first: Operand

    def taken(self, operand: Operand, variables: Mapping[str, Any]) -> Any:
        """The value of an operand for the operation's variables."""
        return variables.get(operand.name) if isinstance(operand, Var) else operand


@dataclass(frozen=True, slots=True)
class RootField:
    """A root field that a read plan answers."""

    key: str
    """Its response key."""
    root: Root
    derived: Mapping[str, Derive]
    """Variables of the plan that are made from the operation's variables when it runs."""
    searched: Searched | None = None
    """None unless a search has to tell which rows are meant."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The root fields of an operation."""

    keys: tuple[str, ...]
    """All response keys, in the order of the answer."""
    planned: tuple[RootField, ...]
    typenames: tuple[str, ...]
    """Response keys under which the answer tells the root type's name."""
    others: tuple[str, ...]
    """Names of the root fields that no plan answers, introspection included."""
    shaping: frozenset[str]
    """The variables on whose values, not only on their outlines, the translation depends."""


CHANGED = "changed customer"
"""The plan variable that holds a changed customer's id; no variable of a document has a space in its name."""


@dataclass(frozen=True, slots=True)
class ChangeSelection:
    """What a subscription to changes of customers takes and selects."""

    key: str
    """The response key of the root field."""
    arguments: Arguments
    fields: tuple[tuple[str, str | RootField], ...]
    """By response key, in the order of the answer: the name of a part of the change, or the changed customer."""
