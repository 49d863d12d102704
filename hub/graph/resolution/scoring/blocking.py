"""Blocking rules as keys: which records are compared at all.

A rule is a conjunction of equalities, `l.family = r.family AND SUBSTRING(l.given, 1, 1) = SUBSTRING(r.given, 1, 1)`.
The two sides of an equality are mostly the same expression: then records share the rule's key exactly when the rule
holds. A rule that compares different columns both ways, `l.given = r.family AND l.family = r.given`, has the two
values in order of the alphabet in its key: records share it when the rule holds, and also when both have the same two
values in the same columns, which no key can tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from sqlglot import exp

from hub.errors import ConfigurationError
from hub.graph.resolution.scoring.expressions import Code, Kind, RecordCompiler
from hub.graph.resolution.scoring.splinkjson import BlockingRule
from hub.graph.resolution.scoring.sql import UnsupportedSqlError, conjuncts, only_side, parsed
from hub.yamlfile import Fault

Profile = Mapping[str, Any]
_Parts = Callable[[Profile], tuple[Any, ...]]


class Blocking:
    """The compiled blocking rules of a model."""

    def __init__(
        self, rules: Sequence[BlockingRule], types: Mapping[str, Kind], file: str = "model.json"
    ) -> None:
        """Compile `rules`; columns not in `types` are texts.

        Raises:
            ConfigurationError: rules that are no keys, all of them named.
        """
        faults: list[Fault] = []
        self._rules: list[_Rule] = []
        for number, rule in enumerate(rules):
            try:
                self._rules.append(_Rule(rule, types))
            except UnsupportedSqlError as error:
                path = f"blocking_rules_to_generate_predictions[{number}]"
                faults.append(Fault(file, 1, 1, path, f"rule {rule.blocking_rule!r}: {error}"))
        if faults:
            raise ConfigurationError(faults)

    @property
    def columns(self) -> frozenset[str]:
        """The columns of a profile that the rules read."""
        return frozenset(column for rule in self._rules for column in rule.columns)

    def keys(self, profile: Profile) -> frozenset[tuple[int, str]]:
        """The keys of a record: number of the rule, and text of the key. A rule with a NULL part gives none."""
        return frozenset(
            [(number, key) for number, rule in enumerate(self._rules) for key in rule.keys(profile)]
        )


class _Rule:
    def __init__(self, rule: BlockingRule, types: Mapping[str, Kind]) -> None:
        self._exploded = rule.arrays_to_explode or ()
        # Once exploded, a list's column holds one item a row.
        kinds = {column: kind for column, kind in types.items() if column not in self._exploded}
        condition = parsed(rule.blocking_rule)
        self.columns = {*self._exploded, *(column.name for column in condition.find_all(exp.Column))}
        same, crossed = _sorted_out(condition)
        self._same = _compiled(same, kinds)
        self._ways = [_compiled(way, kinds) for way in zip(*crossed, strict=True)]

    def keys(self, profile: Profile) -> Iterable[str]:
        if self._exploded:
            return [key for row in self._rows(profile) for key in self._keys(row)]
        return self._keys(profile)

    def _keys(self, row: Profile) -> Sequence[str]:
        parts = self._same(row)
        if None in parts:
            return ()
        if not self._ways:
            return (_joined(parts),)
        ways = [way(row) for way in self._ways]
        if any(None in way for way in ways):
            return ()
        crossed = sorted(tuple(map(str, way)) for way in ways)
        return (_joined([*parts, *(part for way in crossed for part in way)]),)

    def _rows(self, profile: Profile) -> Iterable[Profile]:
        lists = [profile.get(column) or () for column in self._exploded]
        return ({**profile, **dict(zip(self._exploded, items, strict=True))} for items in product(*lists))


def _sorted_out(
    rule: exp.Expr,
) -> tuple[list[exp.Expr], list[tuple[exp.Expr, exp.Expr]]]:
    """The expressions that are equal in both records, and pairs of which one's first is the other's second."""
    same: list[exp.Expr] = []
    crossed: dict[tuple[str, str], tuple[exp.Expr, exp.Expr]] = {}
    for part in conjuncts(rule):
        left, right = _sides(part)
        names = _plain(left), _plain(right)
        if names[0] == names[1]:
            same.append(left)
        else:
            crossed[names] = (left, right)
    if any((second, first) not in crossed for first, second in crossed):
        raise UnsupportedSqlError("different columns are compared, but not both ways")
    return same, [pair for (first, second), pair in sorted(crossed.items()) if first < second]


def _sides(part: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    if not isinstance(part, exp.EQ):
        raise UnsupportedSqlError(f"{part.sql('duckdb')!r} is no equality")
    sides = only_side(part.left), only_side(part.right)
    if sides == ("l", "r"):
        return part.left, part.right
    if sides == ("r", "l"):
        return part.right, part.left
    raise UnsupportedSqlError(f"{part.sql('duckdb')!r} does not compare one record with the other")


def _plain(node: exp.Expr) -> str:
    """The SQL of a side without the mark of its record and without quotes."""
    found = node.copy()
    for column in found.find_all(exp.Column):
        column.set("table", None)
        column.this.set("quoted", True)
    return found.unnest().sql("duckdb")


def _compiled(nodes: Sequence[exp.Expr], kinds: Mapping[str, Kind]) -> _Parts:
    compiler = RecordCompiler(kinds)
    codes = [compiler.value(node) for node in nodes]
    if any(code.kind == "list" for code in codes):
        raise UnsupportedSqlError("a list is compared as a whole; name it in arrays_to_explode")
    return _function(compiler, codes)


def _function(compiler: RecordCompiler, codes: Sequence[Code]) -> _Parts:
    lines = [
        "def parts(row):",
        *(f"    {line}" for line in compiler.reading),
        f"    return ({''.join(f'{code.source}, ' for code in codes)})",
    ]
    names = dict(compiler.constants)
    # The source is made of numbers, names and constants of this package; text of the model is quoted by repr.
    exec(compile("\n".join(lines), "<rule>", "exec"), names)  # noqa: S102
    found: _Parts = names["parts"]
    return found


def _joined(values: Sequence[Any]) -> str:
    """One text of several that no other parts give."""
    parts = [str(value) for value in values]
    if len(parts) == 1:
        return parts[0]
    text = "|".join(parts)
    if text.count("|") == len(parts) - 1 and "\\" not in text:
        return text
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)
