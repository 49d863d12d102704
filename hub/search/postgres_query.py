"""A request as SQL over the tables of `postgres_engine`: one condition, and what each match is worth.

Every token stands in one tsvector, behind the number of its field: `3:anna`. The condition is one tsquery, which the
index answers, and a check of whole numbers where fragments of telephone numbers are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.search.asking import All, Beginning, Best, Fragment, Leaf, Near, Node, Term
from hub.search.protocol import FieldKey, SearchRequest, scope_term

RANKED = 2_000
"""Matches that are ranked: customers first, then the newest. A search by a word that so many have is none yet."""
COUNTED = 10_000
"""Matches that are counted, by type and by each facet: to fetch and count more takes longer than anyone waits."""
_TRIGRAM = 3
_NOTHING = "'-'"
"""A tsquery that finds nothing: no lexeme is without a field."""

Numbers = Mapping[FieldKey, int]
Expand = Callable[[Collection[Near]], Mapping[Near, Collection[str]]]
"""The tokens that are near, by what asks for them."""


def lexeme(number: int, token: str) -> str:
    """A token of a field as the tsvector has it."""
    return f"{number}:{token}"


def trigrams(number: int, digits: str) -> Iterator[str]:
    """The lexemes of each three digits in a row."""
    return (lexeme(number, "~" + digits[at : at + _TRIGRAM]) for at in range(len(digits) - _TRIGRAM + 1))


def mark(kind: str, value: str) -> str:
    """What is neither searched nor shown but filtered by, as an element of `marks`; PostgreSQL keeps no NUL."""
    return f"{kind}:{value}".replace("\x00", "")


def tag(name: str, value: str) -> str:
    """The mark of a facet's value."""
    return mark("tag", f"{name}={value}")


@dataclass(slots=True)
class Compiled:
    """Parts of a statement, with their values."""

    condition: str = "TRUE"
    score: str = "0"
    values: dict[str, Any] = field(default_factory=dict, repr=False)

    def give(self, value: Any) -> str:
        """The parameter of a value, under a name of its own."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"


def compiled(node: Node, numbers: Numbers, request: SearchRequest, expand: Expand) -> Compiled:
    """The condition that matches meet, and the expression of their score."""
    made = Compiled()
    tree = _Tree(made, numbers, expand({leaf for leaf in leaves(node) if isinstance(leaf, Near)}))
    conditions = [f"d.terms @@ CAST({made.give(tree.query(node))} AS tsquery)"]
    if any(isinstance(leaf, Fragment) for leaf in leaves(node)):
        conditions.append(tree.exact(node))
    conditions += [_admitted(made, request), *_wanted(made, request)]
    made.condition = " AND ".join(conditions)
    made.score = tree.score(node)
    return made


def leaves(node: Node) -> Iterator[Leaf]:
    """All lookups of the tree."""
    if isinstance(node, All | Best):
        for part in node.parts:
            yield from leaves(part)
    else:
        yield node


class _Tree:
    """A tree as a tsquery, as an exact condition, and as a score."""

    def __init__(self, made: Compiled, numbers: Numbers, near: Mapping[Near, Collection[str]]) -> None:
        self._made, self._numbers, self._near = made, numbers, near

    def query(self, node: Node) -> str:
        """A tsquery of all that the tree finds; fragments find a little more."""
        match node:
            case All(parts):
                return "(" + " & ".join(self.query(part) for part in parts) + ")"
            case Best(parts):
                return "(" + (" | ".join(self.query(part) for part in parts) or _NOTHING) + ")"
            case _:
                return self._leaf(node)

    def _leaf(self, leaf: Leaf) -> str:
        number = self._numbers[leaf.field]
        match leaf:
            case Term(_, text):
                return _quoted(lexeme(number, text))
            case Beginning(_, text):
                return _quoted(lexeme(number, text)) + ":*"
            case Near():
                found = [_quoted(lexeme(number, token)) for token in sorted(self._near[leaf])]
                return "(" + (" | ".join(found) or _NOTHING) + ")"
            case Fragment(_, digits):
                return "(" + " & ".join(map(_quoted, trigrams(number, digits))) + ")"

    def exact(self, node: Node) -> str:
        """The condition that the tree finds the row."""
        match node:
            case All(parts):
                return "(" + " AND ".join(self.exact(part) for part in parts) + ")"
            case Best(parts):
                return "(" + (" OR ".join(self.exact(part) for part in parts) or "FALSE") + ")"
            case Fragment(key, digits):
                given = self._made.give(f"{self._numbers[key]}:%{digits}%")
                return f"EXISTS (SELECT FROM unnest(d.numbers) AS n WHERE n LIKE {given})"
            case _:
                return f"d.terms @@ CAST({self._made.give(self._leaf(node))} AS tsquery)"

    def score(self, node: Node) -> str:
        """What the row is worth; NULL when the tree does not find it."""
        match node:
            case All(parts):
                return "(" + " + ".join(self.score(part) for part in parts) + ")"
            case Best(parts):
                return "GREATEST(" + (", ".join(self.score(part) for part in parts) or "NULL") + ")"
            case _:
                return f"CASE WHEN {self.exact(node)} THEN {node.score} END"


def _quoted(text: str) -> str:
    plain = text.replace("\x00", "").replace("\\", "\\\\").replace("'", "''")
    return f"'{plain}'"


def _any(made: Compiled, marks: Collection[str]) -> str:
    return f"d.marks && CAST({made.give(sorted(marks))} AS text[])"


def _admitted(made: Compiled, request: SearchRequest) -> str:
    """`SearchRequest.admits` as a condition."""
    ways = [_any(made, [mark("token", token) for token in request.tokens])]
    for token, where in request.narrow:
        own = _any(made, [mark("token", token)])
        for way in sorted(where.ways, key=sorted):
            scopes = (_any(made, _scope_marks(scope, request)) for scope in sorted(way))
            ways.append("(" + " AND ".join([own, *scopes]) + ")")
    found = "(" + " OR ".join(ways) + ")"
    bars = [mark("bar", bar) for bar in request.bars]
    return f"{found} AND NOT ({_any(made, bars)})" if bars else found


def _scope_marks(scope: str, request: SearchRequest) -> list[str]:
    return [mark("scope", scope_term(scope, value)) for value in request.attributes.get(scope, ())]


def _wanted(made: Compiled, request: SearchRequest) -> Iterator[str]:
    """`SearchRequest.wants` as conditions."""
    if request.types:
        yield f"d.type = ANY(CAST({made.give(sorted(request.types))} AS text[]))"
    groups: list[Sequence[str]] = [[mark("source", source) for source in request.sources]]
    groups += [[tag(name, value) for value in values] for name, values in request.tags]
    for marks in groups:
        if marks:
            yield _any(made, marks)
    for sign, day in ((">=", request.since), ("<=", request.until)):
        if day is not None:
            yield f"d.{day_column(request)} {sign} {made.give(day)}"


def day_column(request: SearchRequest) -> str:
    """The column of the days that the requester may know."""
    return "day" if request.by_time else "day_observed"
