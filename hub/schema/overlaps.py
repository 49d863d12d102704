"""How often a document asks one object for the same response key.

GraphQL demands that fields of one key agree, and graphql-core compares each with each, through fragments and down to
their own fields: ten repeats of a field with ten repeats inside are 45 and 4,950 comparisons. The count here is of the
pairs that it will compare, found in one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)


class Overlaps:
    """Counts of one document. Its fields, fragments spread out, must be few enough to be walked."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self.pairs = 0
        """Pairs of fields that one object is asked for under one key."""
        self.repeats = 0
        """The most fields that one object is asked for under one key."""

    def count(self, selection_sets: Iterable[SelectionSetNode]) -> None:
        """Add what one object is asked for by all of these."""
        keyed: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for selection_set in selection_sets:
            for node in self._fields(selection_set, seen):
                keyed.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
        for nodes in keyed.values():
            self.pairs += len(nodes) * (len(nodes) - 1) // 2
            self.repeats = max(self.repeats, len(nodes))
            inner = [node.selection_set for node in nodes if node.selection_set is not None]
            if inner:
                self.count(inner)

    def _fields(self, selection_set: SelectionSetNode, seen: set[str]) -> Iterator[FieldNode]:
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._fields(node.selection_set, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = self._fragments.get(node.name.value)
                if fragment is not None:
                    yield from self._fields(fragment.selection_set, seen)
