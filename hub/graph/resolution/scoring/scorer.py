"""Match weights of pairs of records, by a Splink model.

A model is compiled once to two Python functions: `prepare` makes a record's tuple of slots, `weigh` adds up the bits
of two such tuples. A third, `levels`, says which level each comparison took; explanations are made of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NewType

from sqlglot import exp

from hub.errors import ConfigurationError
from hub.graph.resolution.scoring import functions
from hub.graph.resolution.scoring.expressions import Kind
from hub.graph.resolution.scoring.pairs import PairCompiler
from hub.graph.resolution.scoring.splinkjson import Comparison, Level, SplinkModel
from hub.graph.resolution.scoring.sql import UnsupportedSqlError, conjuncts, equal_columns, parsed
from hub.yamlfile import Fault

TextMode = Literal["code_points", "utf8_bytes"]
Profile = Mapping[str, Any]
Prepared = NewType("Prepared", tuple[Any, ...])
Frequencies = Mapping[str, Mapping[str, float]]
"""Column -> value -> share of the records with a value of that column that have this one."""


@dataclass(frozen=True, slots=True)
class ComparisonWeight:
    """What one comparison adds: the level that was taken, its bits, and those of the value's frequency."""

    comparison: str
    level: str
    weight: float
    frequency: float

    @property
    def total(self) -> float:
        """Bits that the comparison adds in all."""
        return self.weight + self.frequency


@dataclass(frozen=True, slots=True)
class Explanation:
    """A match weight as a waterfall: the prior, then each comparison in the model's order. Holds no values."""

    prior: float
    comparisons: tuple[ComparisonWeight, ...]

    @property
    def weight(self) -> float:
        """The match weight: the sum of all parts."""
        return sum((part.total for part in self.comparisons), self.prior)


@dataclass(slots=True)
class _Source:
    """The statements of the two functions over a pair, as they grow."""

    weigh: list[str] = field(default_factory=list)
    levels: list[str] = field(default_factory=list)


class Scorer:
    """A compiled model. Its functions are pure, so that threads may share it."""

    def __init__(
        self,
        model: SplinkModel,
        frequencies: Frequencies,
        text: TextMode,
        types: Mapping[str, Kind],
        file: str = "model.json",
    ) -> None:
        """Compile `model`; columns not in `types` are texts.

        Raises:
            ConfigurationError: the model has levels that are not supported, all of them named.
        """
        self._model = model
        self._compiler = PairCompiler(types, as_bytes=text == "utf8_bytes")
        self._logs = {
            column: {value: math.log2(share) for value, share in table.items()}
            for column, table in frequencies.items()
        }
        self._comparisons = [(each.output_column_name, each.levels) for each in model.comparisons]
        self._shifts: dict[tuple[int, int], tuple[int, tuple[float, float, float]]] = {}
        """By comparison and level with frequencies: their slot, and the constants of `functions.shifted`."""
        self._file, self._faults = file, list[Fault]()
        source = _Source()
        for place, comparison in enumerate(model.comparisons):
            self._compile(place, comparison, source)
        if self._faults:
            raise ConfigurationError(self._faults)
        self._prepare, self._weigh, self._levels = self._functions(source)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a profile that scoring reads."""
        return self._compiler.record.columns

    def prepare(self, profile: Profile) -> Prepared:
        """What `weight` needs of a record, worked out once."""
        return Prepared(self._prepare(profile))

    def weight(self, left: Prepared, right: Prepared) -> float:
        """The match weight of two records in bits, the prior included."""
        return self._weigh(left, right)

    def explain(self, left: Profile, right: Profile) -> Explanation:
        """How the match weight of two records comes about."""
        one, two = self.prepare(left), self.prepare(right)
        taken = self._levels(one, two)
        parts = (self._part(place, level, one, two) for place, level in enumerate(taken))
        return Explanation(self._model.prior, tuple(parts))

    def _part(self, place: int, number: int, one: Prepared, two: Prepared) -> ComparisonWeight:
        name, levels = self._comparisons[place]
        level = levels[number]
        shift = 0.0
        if (place, number) in self._shifts:
            slot, constants = self._shifts[place, number]
            shift = functions.shifted(one[slot], two[slot], *constants)
        return ComparisonWeight(name, level.label, level.weight, shift)

    # Compiling.

    def _compile(self, place: int, comparison: Comparison, source: _Source) -> None:
        path = f"comparisons.{comparison.output_column_name}"
        conditions = self._conditions(path, comparison.levels)
        if conditions is None:
            return
        self._compiler.begin([condition for condition in conditions if condition is not None])
        loaded: set[str] = set()
        body = _Source()
        for number, (level, condition) in enumerate(zip(comparison.levels, conditions, strict=True)):
            try:
                self._add_level(place, number, condition, loaded, body)
            except UnsupportedSqlError as error:
                self._fault(path, number, level, str(error))
        start = [f"{' = '.join(self._compiler.likenesses)} = None"] if self._compiler.likenesses else []
        for whole, part in ((source.weigh, body.weigh), (source.levels, body.levels)):
            whole += ["while True:", *(f"    {line}" for line in (*start, *part))]

    def _conditions(self, path: str, levels: Sequence[Level]) -> list[exp.Expr | None] | None:
        """The levels' conditions, None for ELSE; None altogether if one cannot be read."""
        found: list[exp.Expr | None] = []
        before = len(self._faults)
        for number, level in enumerate(levels):
            try:
                found.append(None if level.is_else else parsed(level.sql_condition))
            except UnsupportedSqlError as error:
                self._fault(path, number, level, str(error))
        if not levels[-1].is_else or sum(level.is_else for level in levels) > 1:
            self._faults.append(Fault(self._file, 1, 1, path, "does not end with its only ELSE level"))
        if all(level.is_null_level for level in levels[:-1]):
            self._faults.append(Fault(self._file, 1, 1, path, "has no level but null levels and ELSE"))
        return found if len(self._faults) == before else None

    def _fault(self, path: str, number: int, level: Level, message: str) -> None:
        where = f"{path}.comparison_levels[{number}]"
        self._faults.append(Fault(self._file, 1, 1, where, f"level {level.label!r}: {message}"))

    def _add_level(
        self, place: int, number: int, condition: exp.Expr | None, loaded: set[str], body: _Source
    ) -> None:
        comparison = self._model.comparisons[place]
        test = "" if condition is None else self._compiler.true(condition)
        loads = [] if condition is None else self._loads(test, loaded)
        adding = self._adding(place, number, comparison, condition)
        for lines, steps in (
            (body.weigh, adding),
            (body.levels, [f"taken.append({number})"]),
        ):
            lines += loads
            steps = [*steps, "break"]
            lines += steps if condition is None else [f"if {test}:", *(f"    {step}" for step in steps)]
        if condition is not None:
            self._compiler.known |= self._not_null_after(condition)

    def _loads(self, test: str, loaded: set[str]) -> list[str]:
        """Statements that read the slots which `test` needs and no level before has read."""
        tree = compile(test, "level", "eval")
        needed = [name for name in tree.co_names if name[0] in "lr" and name[1:].isdigit()]
        new = [name for name in dict.fromkeys(needed) if name not in loaded]
        loaded.update(new)
        return [f"{name} = {'left' if name[0] == 'l' else 'right'}[{name[1:]}]" for name in new]

    def _not_null_after(self, condition: exp.Expr) -> set[str]:
        """The slots that are not None where `condition`, tried before, did not hold: those that it tests for it."""
        inner = condition.unnest()
        if isinstance(inner, exp.Or):
            return self._not_null_after(inner.left) | self._not_null_after(inner.right)
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            return set(self._compiler.variables(inner.this))
        return set()

    def _adding(
        self, place: int, number: int, comparison: Comparison, condition: exp.Expr | None
    ) -> list[str]:
        """Statements that add what the level is worth to `weight`."""
        level = comparison.levels[number]
        column = level.tf_adjustment_column
        if level.is_null_level:
            return []
        if column is None or condition is None or not level.tf_adjustment_weight:
            return [f"weight += {level.weight!r}"]
        column = column.strip('"')
        constants = _shift_constants(comparison, level)
        slot = self._compiler.slot(self._log_source(column))
        self._shifts[place, number] = slot, constants
        if column in map(equal_columns, conjuncts(condition)):
            # Both records have the same value here: what it is worth is worked out with the record.
            worth = self._compiler.slot(f"{self._worth(level, constants)}({self._log_source(column)})")
            return [f"weight += left[{worth}]"]
        numbers = ", ".join(map(repr, constants))
        return [f"weight += {level.weight!r} + shifted(left[{slot}], right[{slot}], {numbers})"]

    def _log_source(self, column: str) -> str:
        return f"logs.get({column!r}, none).get(row.get({column!r}))"

    def _worth(self, level: Level, constants: tuple[float, float, float]) -> str:
        def worth(log: float | None, base: float = level.weight) -> float:
            return base + functions.shifted(log, log, *constants)

        return self._compiler.record.constant(worth)

    def _functions(
        self, source: _Source
    ) -> tuple[
        Callable[[Profile], tuple[Any, ...]],
        Callable[[Prepared, Prepared], float],
        Callable[[Prepared, Prepared], list[int]],
    ]:
        record = self._compiler.record
        texts = [
            "def prepare(row):",
            *(f"    {line}" for line in record.reading),
            f"    return ({''.join(f'{slot}, ' for slot in self._compiler.slots)})",
            "def weigh(left, right):",
            f"    weight = {self._model.prior!r}",
            *(f"    {line}" for line in source.weigh),
            "    return weight",
            "def levels(left, right):",
            "    taken = []",
            *(f"    {line}" for line in source.levels),
            "    return taken",
        ]
        names: dict[str, Any] = {
            **record.constants, "logs": self._logs, "none": {}, "inf": math.inf, "shifted": functions.shifted,
            "jaro": functions.jaro, "jaro_winkler": functions.jaro_winkler, "levenshtein": functions.levenshtein,
            "damerau_levenshtein": functions.damerau_levenshtein,
        }  # fmt: skip
        self.source = "\n".join(texts)
        # The source is made of numbers, names and constants of this package; text of the model is quoted by repr.
        exec(compile(self.source, "<model>", "exec"), names)  # noqa: S102
        return names["prepare"], names["weigh"], names["levels"]


def _shift_constants(comparison: Comparison, level: Level) -> tuple[float, float, float]:
    """The weight, the logarithm of u and the least logarithm of a frequency, for `functions.shifted`."""
    least = math.log2(level.tf_minimum_u_value) if level.tf_minimum_u_value > 0 else -math.inf
    return level.tf_adjustment_weight, math.log2(_exact_u(comparison, level)), least


def _exact_u(comparison: Comparison, level: Level) -> float:
    """The u of the level to which frequencies are compared: the exact match on the column, or the level's own.

    Raises:
        UnsupportedSqlError: there is no exact match to compare with.
    """
    if level.disable_tf_exact_match_detection:
        return level.u_probability or 0.0
    column = (level.tf_adjustment_column or "").strip('"')
    for other in comparison.levels:
        if not other.is_else:
            parts = conjuncts(parsed(other.sql_condition))
            if len(parts) == 1 and equal_columns(parts[0]) == column:
                return other.u_probability or 0.0
    raise UnsupportedSqlError(
        f"no level is an exact match on {column!r}, to which its frequencies are compared"
    )
