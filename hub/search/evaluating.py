"""A tree of lookups answered in Python, over an index that can list its tokens and the documents of each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce

from rapidfuzz import process
from rapidfuzz.distance import OSA

from hub.search.asking import All, Beginning, Best, Fragment, Leaf, Near, Node, Term
from hub.search.protocol import FieldKey

Scores = Mapping[int, float]
"""What each document that was found is worth."""


class Evaluation:
    """Answers trees by `tokens_of`, a field's tokens in order, and `holding`, the documents that have a token.

    `tokens_of` is asked for all of them, or for those of a length. `holding` is asked within the set of documents that
    the requester may find, and gives no others.
    """

    def __init__(
        self,
        tokens_of: Callable[[FieldKey, int | None], Sequence[str]],
        holding: Callable[[FieldKey, str], frozenset[int]],
    ) -> None:
        self._tokens_of, self._holding = tokens_of, holding

    def scores(self, node: Node) -> Scores:
        """The documents that the tree finds, with what they are worth."""
        match node:
            case All(parts):
                return reduce(_sums, (self.scores(part) for part in parts))
            case Best(parts):
                return self._best(parts)
            case _:
                return dict.fromkeys(self._found(node), node.score)

    def _best(self, parts: Sequence[Node]) -> Scores:
        best: dict[int, float] = {}
        for part in parts:
            for document, score in self.scores(part).items():
                if score > best.get(document, 0.0):
                    best[document] = score
        return best

    def _found(self, leaf: Leaf) -> frozenset[int]:
        if isinstance(leaf, Term):
            return self._holding(leaf.field, leaf.text)
        found = self._near(leaf) if isinstance(leaf, Near) else self._expanded(leaf)
        return frozenset().union(*(self._holding(leaf.field, token) for token in found))

    def _near(self, leaf: Near) -> Iterator[str]:
        for length in range(len(leaf.text) - leaf.edits, len(leaf.text) + leaf.edits + 1):
            near = process.extract(
                leaf.text,
                self._tokens_of(leaf.field, length),
                scorer=OSA.distance,
                score_cutoff=leaf.edits,
                limit=None,
                processor=None,
            )
            yield from (token for token, _, _ in near)

    def _expanded(self, leaf: Beginning | Fragment) -> Sequence[str]:
        """The tokens that the leaf means."""
        tokens = self._tokens_of(leaf.field, None)
        match leaf:
            case Beginning(_, text):
                first = bisect_left(tokens, text)
                return tokens[first : bisect_left(tokens, text + "\U0010ffff", lo=first)]
            case Fragment(_, digits):
                return [token for token in tokens if digits in token]


def _sums(some: Scores, others: Scores) -> Scores:
    if len(others) < len(some):
        some, others = others, some
    return {document: score + others[document] for document, score in some.items() if document in others}
