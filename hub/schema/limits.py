"""Limits of a document that are checked on its tree alone, before anything that costs more than reading it once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

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

MAX_TOKENS = 5_000
"""Tokens of a document: parsing costs a few microseconds each."""
MAX_ALIASES = 100
MAX_FIELDS = 5_000
"""Fields with every fragment spread out."""
MAX_REPEATS = 50
"""Times that one object may be asked for one response key: validation compares each with each."""
MAX_DIRECTIVES = 8
"""Directives in one place: the schema has no more to give, and each unknown one costs an error of its own."""


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int
    fields: int


def check_limits(document: DocumentNode, max_depth: int) -> None:
    """See to it that the document is small enough to be validated.

    Raises:
        LimitError: it is not; the limit is named.
    """
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    measure = _Measure(fragments)
    for name in fragments:
        measure.spread(name)
    for node in document.definitions:
        if isinstance(node, ExecutableDefinitionNode):
            _refuse_directives(node)
            for variable in node.variable_definitions or ():
                _refuse_directives(variable)
        if isinstance(node, OperationDefinitionNode):
            size = measure.selection_set(node.selection_set)
            _refuse("max_depth", "levels", size.depth, max_depth)
            _refuse("max_fields", "fields", size.fields, MAX_FIELDS)
    _refuse("max_aliases", "aliases", measure.aliases, MAX_ALIASES)


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
            LimitError: it asks too often for one response key, or has too many directives in one place.
        """
        keys: Counter[str] = Counter()
        depth = fields = 0
        for node in selection_set.selections:
            _refuse_directives(node)
            if isinstance(node, FieldNode):
                keys[node.alias.value if node.alias else node.name.value] += 1
                size = self._field(node)
            elif isinstance(node, InlineFragmentNode):
                size = self.selection_set(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                size = self.spread(node.name.value)
            depth, fields = max(depth, size.depth), min(fields + size.fields, MAX_FIELDS + 1)
        _refuse("max_repeats", "fields with one response key", max(keys.values(), default=0), MAX_REPEATS)
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
