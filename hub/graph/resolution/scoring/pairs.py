"""Conditions over both records of a pair as Python source.

What speaks of one record only is a *slot*: worked out when the record is prepared, and found in its tuple under a
number. The likeness of two texts is worked out at most once a comparison, only when a level asks for it, and no
further than the loosest of the levels needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from sqlglot import exp

from hub.graph.resolution.scoring.expressions import Code, Compiler, Kind, RecordCompiler
from hub.graph.resolution.scoring.sql import Side, UnsupportedSqlError, bare, only_side

Form = Literal["value", "items", "set"]
"""What a slot holds: the value, a list's items in order, or the set of them."""

_SIMILARITIES = {
    "jarowinklersimilarity": "jaro_winkler",
    "jaro_winkler_similarity": "jaro_winkler",
    "jaro_similarity": "jaro",
}
_DISTANCES = {"levenshtein": "levenshtein", "damerau_levenshtein": "damerau_levenshtein"}
_LIKENESS = _SIMILARITIES | _DISTANCES

BELOW = 1e-6
"""How far below a level's threshold a similarity may be given up: more than any rounding, less than any meaning."""


class PairCompiler(Compiler):
    """Compiles conditions over the slots `l0`, `l1`... of the left and `r0`, `r1`... of the right record."""

    where = " of both records at once"

    def __init__(self, kinds: Mapping[str, Kind], as_bytes: bool) -> None:
        super().__init__()
        self.record = RecordCompiler(kinds)
        self._as_bytes = as_bytes
        self._slots: dict[str, int] = {}
        self._likenesses: dict[str, str] = {}
        self._cutoffs: dict[str, float | None] = {}
        self._found: set[str] = set()
        """Names of likenesses that have been worked out for sure where the next condition is evaluated."""

    @property
    def slots(self) -> tuple[str, ...]:
        """Source of what the slots hold."""
        return tuple(self._slots)

    def begin(self, conditions: Sequence[exp.Expr]) -> None:
        """Start with the levels of another comparison, of which nothing is known yet."""
        self.known, self._likenesses, self._found = set(), {}, set()
        self._cutoffs = {}
        for condition in conditions:
            for node in condition.find_all(exp.Func):
                self._note_threshold(node)

    @property
    def likenesses(self) -> tuple[str, ...]:
        """The variables of likenesses since `begin`."""
        return tuple(self._likenesses.values())

    def slot(self, source: str) -> int:
        """The number of the slot that holds what `source` gives."""
        return self._slots.setdefault(source, len(self._slots))

    # Values.

    def value(self, node: exp.Expr) -> Code:
        """`node` as source: a slot if it speaks of one record only."""
        side = only_side(node)
        return self._of_record(node, side) if side else super().value(node)

    def text(self, value: str) -> str:
        """A text of the SQL as source, in the form that slots have."""
        return repr(value.encode() if self._as_bytes else value)

    def _of_record(self, node: exp.Expr, side: Side, form: Form = "value") -> Code:
        code = self.record.value(node)
        if form != "value" and code.kind != "list":
            raise UnsupportedSqlError(f"a {code.kind} stands where a list is expected")
        name = f"{side}{self.slot(self._held(code, form))}"
        return Code(name, code.kind, frozenset({name}) - self.known)

    def _held(self, code: Code, form: Form) -> str:
        source = code.source
        if self._as_bytes and code.kind in ("text", "list"):
            source = f"functions.{'encoded' if code.kind == 'text' else 'all_encoded'}({source})"
        return f"functions.as_set({source})" if form == "set" else source

    def variables(self, node: exp.Expr) -> frozenset[str]:
        """The slots that hold no None where `node` is not NULL."""
        side = only_side(node)
        if side:
            return frozenset({f"{side}{self.slot(self._held(self.record.value(node), 'value'))}"})
        if isinstance(node, exp.Paren | exp.Abs | exp.Neg):
            return self.variables(node.this)
        if _name(node) in _LIKENESS or isinstance(node, exp.Sub | exp.Add | exp.Mul):
            return frozenset[str]().union(*map(self.variables, _arguments(node)))
        return frozenset()

    # Likeness.

    def _note_threshold(self, node: exp.Expr) -> None:
        """Remember how unlike two values may be before no level cares."""
        if _name(node) not in _LIKENESS and not _is_pairwise(node):
            return
        key, cutoff = node.sql("duckdb"), _threshold(node)
        if cutoff is None or self._cutoffs.get(key, cutoff) is None:
            self._cutoffs[key] = None
            return
        loosest = max if _is_distance(node) else min
        self._cutoffs[key] = loosest(cutoff, self._cutoffs.get(key) or cutoff)

    def _value_jarowinklersimilarity(self, node: exp.Expr) -> Code:
        return self._likeness(node)

    def _value_jaro_winkler_similarity(self, node: exp.Expr) -> Code:
        return self._likeness(node)

    def _value_jaro_similarity(self, node: exp.Expr) -> Code:
        return self._likeness(node)

    def _value_levenshtein(self, node: exp.Expr) -> Code:
        return self._likeness(node)

    def _value_damerau_levenshtein(self, node: exp.Expr) -> Code:
        return self._likeness(node)

    def _value_jaccard(self, node: exp.Expr) -> Code:
        one, two = self._two_texts(node)
        source = f"functions.jaccard({one.source}, {two.source})"
        return Code(source, "number", one.needs | two.needs, nullable=True)

    def _likeness(self, node: exp.Expr) -> Code:
        one, two = self._two_texts(node)
        arguments = [one.source, two.source, *self._cutoff(node)]
        source = f"{_LIKENESS[_name(node)]}({', '.join(arguments)})"
        return Code(self._once(source, one.needs | two.needs), "number", one.needs | two.needs)

    def _two_texts(self, node: exp.Expr) -> tuple[Code, Code]:
        arguments = _arguments(node)
        if len(arguments) != 2:
            raise UnsupportedSqlError(f"{self._shown(node)} with {len(arguments)} arguments is not supported")
        one, two = self.value(arguments[0]), self.value(arguments[1])
        if one.kind != "text" or two.kind != "text":
            raise UnsupportedSqlError(f"{self._shown(node)} of a {one.kind} and a {two.kind}, expected texts")
        if one.nullable or two.nullable:
            raise UnsupportedSqlError(
                f"{self._shown(node)} of an expression over both records is not supported"
            )
        return one, two

    def _cutoff(self, node: exp.Expr) -> list[str]:
        cutoff = self._cutoffs.get(node.sql("duckdb"))
        if cutoff is None:
            return []
        return [str(int(cutoff)) if _is_distance(node) else repr(max(cutoff - BELOW, 0.0))]

    def _once(self, source: str, needs: frozenset[str]) -> str:
        """Source of the value that works it out only where it has not been worked out before."""
        asked_before = source in self._likenesses
        name = self._likenesses.setdefault(source, f"s{len(self._likenesses)}")
        if name in self._found:
            return name
        if self.surely and not needs:
            self._found.add(name)
            if not asked_before:
                return f"({name} := {source})"
        return f"({name} if {name} is not None else ({name} := {source}))"

    # Lists.

    def _value_arraysize(self, node: exp.ArraySize) -> Code:
        return self._shared_items(node, node.this)

    def _value_length(self, node: exp.Length) -> Code:
        return self._shared_items(node, node.this)

    def _shared_items(self, node: exp.Expr, inner: exp.Expr) -> Code:
        if _name(inner) not in ("list_intersect", "arrayintersect"):
            raise UnsupportedSqlError(f"{self._shown(node)} is not supported{self.where}")
        one, two = self._sets(_arguments(inner))
        # DuckDB takes a second list that is NULL for an empty one.
        second = f"({two.source} or functions.NOTHING)" if two.needs else two.source
        return Code(f"len({one.source} & {second})", "number", one.needs)

    def _sets(self, lists: Sequence[exp.Expr], form: Form = "set") -> tuple[Code, Code]:
        sides = [only_side(part) for part in lists]
        if len(lists) != 2 or None in sides:
            raise UnsupportedSqlError("lists are compared that are not one of each record")
        one, two = (
            self._of_record(part, side, form) for part, side in zip(lists, sides, strict=True) if side
        )
        return one, two

    def other_condition(self, node: exp.Expr, wanted: bool) -> str:
        """Source of whether two lists share an item."""
        if not isinstance(node, exp.ArrayOverlaps):
            return super().other_condition(node, wanted)
        one, two = self._sets((node.left, node.right))
        tests = [f"{name} is not None" for name in sorted(one.needs | two.needs)]
        test = f"{'not ' if wanted else ''}{one.source}.isdisjoint({two.source})"
        return f"({' and '.join([*tests, test])})"

    def _value_arraymax(self, node: exp.Expr) -> Code:
        return self._best_pair(node, "max")

    def _value_arraymin(self, node: exp.Expr) -> Code:
        return self._best_pair(node, "min")

    def _best_pair(self, node: exp.Expr, best: str) -> Code:
        if not _is_pairwise(node):
            raise UnsupportedSqlError(
                f"{self._shown(node)} of anything but a likeness of all pairs is not supported"
            )
        inner = node.this.this.this
        one, two = self._sets((inner.this, inner.expression.this.this), "items")
        likeness = _LIKENESS[_name(node.this.expression.this)]
        arguments = [best, likeness, one.source, two.source, *self._cutoff(node)]
        source = f"functions.best_of_pairs({', '.join(arguments)})"
        needs = one.needs | two.needs
        return Code(self._once(source, needs), "number", needs, nullable=True)


def _name(node: exp.Expr) -> str:
    return node.name.lower() if isinstance(node, exp.Anonymous) else node.key


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Anonymous | exp.ArrayIntersect):
        return list(node.expressions)
    return [node.this, node.expression]


def _is_pairwise(node: exp.Expr) -> bool:
    """Whether `node` is the greatest or least likeness of all pairs of two lists, as Splink writes it.

    That is list_max(list_transform(flatten(list_transform(a_l, x -> list_transform(a_r, y -> [x, y]))), p ->
    f(p[1], p[2]))), with either way to write a lambda.
    """
    if not isinstance(node, exp.ArrayMax | exp.ArrayMin):
        return False
    inner = _mapped(node.this)
    outer = _mapped(inner[0].this) if inner and isinstance(inner[0], exp.Flatten) else None
    second = _mapped(outer[2]) if outer else None
    if not (inner and outer and second):
        return False
    _, pair, likeness = inner
    crossed = isinstance(second[2], exp.Array) and _names(second[2].expressions) == [outer[1], second[1]]
    return crossed and _name(likeness) in _LIKENESS and _is_of_pair(likeness, pair)


def _mapped(node: exp.Expr) -> tuple[exp.Expr, str, exp.Expr] | None:
    """The list, the variable and the body of a `list_transform`."""
    if not (isinstance(node, exp.Transform) and isinstance(node.expression, exp.Lambda)):
        return None
    variables = _names(node.expression.expressions)
    return (node.this, variables[0], node.expression.this) if len(variables) == 1 else None


def _names(nodes: Sequence[exp.Expr]) -> list[str]:
    return [node.name for node in nodes]


def _is_of_pair(likeness: exp.Expr, pair: str) -> bool:
    """Whether the arguments are the two items of `pair`."""
    items = [
        (item.this.name, _names(item.expressions))
        for item in _arguments(likeness)
        if isinstance(item, exp.Bracket)
    ]
    # sqlglot counts from 0.
    return items == [(pair, ["0"]), (pair, ["1"])]


def _is_distance(node: exp.Expr) -> bool:
    inner = node.this.expression.this if isinstance(node, exp.ArrayMax | exp.ArrayMin) else node
    return _name(inner) in _DISTANCES


def _threshold(node: exp.Expr) -> float | None:
    """The constant that `node` is compared with, if values beyond it make no difference."""
    upper = node.parent
    while isinstance(upper, exp.Paren):
        upper = upper.parent
    fitting = (exp.LTE, exp.LT) if _is_distance(node) else (exp.GTE, exp.GT)
    if not isinstance(upper, fitting) or bare(upper.left) is not node:
        return None
    constant = bare(upper.right)
    if not isinstance(constant, exp.Literal) or constant.is_string:
        return None
    return float(constant.name)
