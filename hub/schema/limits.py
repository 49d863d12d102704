"""Limits of a document that are checked on its tree alone, before anything that costs more than reading it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
)

from hub.errors import LimitError
from hub.schema.overlaps import Overlaps

MAX_TOKENS = 5_000
"""Tokens of a document: parsing costs a few microseconds each."""
MAX_ALIASES = 100
MAX_FIELDS = 5_000
"""Fields with every fragment spread out, of all operations together, and of all fragments."""
MAX_OPERATIONS = 10
"""Operations of a document, of which a request runs one: each is validated with all fragments that it spreads."""
MAX_FRAGMENTS = 200
"""Named fragments: where one object spreads several, validation compares each with each."""
MAX_REPEATS = 50
"""Times that one object may be asked for one response key."""
MAX_OVERLAPS = 20_000
"""Pairs of fields under one response key, each of which validation compares: some 15 microseconds a pair."""
MAX_DIRECTIVES = 8
"""Directives in one place: the schema has no more to give, and each unknown one costs an error of its own."""
MAX_VALUES = 10_000
"""Values in a request's variables, those in lists and objects counted: each is checked against its type."""


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int
    fields: int


def check_limits(document: DocumentNode, max_depth: int) -> None:
    """See to it that the document is small enough to be validated.

    Raises:
        LimitError: it is not; the limit is named.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    _refuse("max_operations", "operations", len(operations), MAX_OPERATIONS)
    _refuse("max_fragments", "fragments", len(fragments), MAX_FRAGMENTS)
    for node in (*operations, *fragments.values()):
        _refuse_directives(node)
        for variable in node.variable_definitions or ():
            _refuse_directives(variable)
    measure = _Measure(fragments)
    # Fragments that nothing spreads are validated as well.
    spread = [measure.spread(name) for name in fragments]
    asked = [measure.selection_set(node.selection_set) for node in operations]
    _refuse("max_depth", "levels", max((size.depth for size in asked), default=0), max_depth)
    for sizes in (asked, spread):
        _refuse("max_fields", "fields", sum(size.fields for size in sizes), MAX_FIELDS)
    _refuse("max_aliases", "aliases", measure.aliases, MAX_ALIASES)
    overlaps = Overlaps(fragments)
    for each in (*operations, *fragments.values()):
        overlaps.count([each.selection_set])
    _refuse("max_repeats", "fields with one response key", overlaps.repeats, MAX_REPEATS)
    _refuse("max_overlaps", "pairs of fields with one response key", overlaps.pairs, MAX_OVERLAPS)


def check_variables(given: Mapping[str, Any]) -> None:
    """See to it that the variables are few enough to be checked against their types.

    Raises:
        LimitError: they are not; the limit is named.
    """
    found = 0
    open_: list[Any] = [given]
    while open_:
        item = open_.pop()
        inner = item.values() if isinstance(item, Mapping) else item
        found += len(inner)
        if found > MAX_VALUES:
            raise LimitError(f"the variables hold too many values; the limit max_values is {MAX_VALUES}")
        open_ += [
            each for each in inner if isinstance(each, Mapping | Sequence) and not isinstance(each, str)
        ]


def _refuse(limit: str, what: str, found: int, most: int) -> None:
    if found > most:
        raise LimitError(f"the document has {found} {what}; the limit {limit} is {most}")


def _refuse_directives(node: ExecutableDefinitionNode | VariableDefinitionNode | SelectionNode) -> None:
    _refuse("max_directives", "directives in one place", len(node.directives), MAX_DIRECTIVES)


class _Measure:
    """Sizes of selection sets, each fragment measured once."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.aliases = 0
        self._fragments = fragments
        self._known: dict[str, _Size] = {}

    def selection_set(self, selection_set: SelectionSetNode) -> _Size:
        """Its levels, and its fields with fragments spread out.

        Raises:
            LimitError: it has too many directives in one place.
        """
        depth = fields = 0
        for node in selection_set.selections:
            _refuse_directives(node)
            if isinstance(node, FieldNode):
                size = self._field(node)
            elif isinstance(node, InlineFragmentNode):
                size = self.selection_set(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                size = self.spread(node.name.value)
            depth, fields = max(depth, size.depth), min(fields + size.fields, MAX_FIELDS + 1)
        return _Size(depth, fields)

    def _field(self, node: FieldNode) -> _Size:
        self.aliases += node.alias is not None
        if node.selection_set is None:
            return _Size(1, 1)
        inside = self.selection_set(node.selection_set)
        # graphql-core has a rule of its own for the depth of introspection, which needs many levels.
        depth = 0 if node.name.value.startswith("__") else inside.depth
        return _Size(depth + 1, inside.fields + 1)

    def spread(self, name: str) -> _Size:
        """The size of a fragment, nothing for one that is missing: validation refuses that."""
        if name not in self._known:
            self._known[name] = _Size(0, 0)  # for fragments in a circle, which validation refuses
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._known[name] = self.selection_set(fragment.selection_set)
        return self._known[name]
