"""A model as Splink saves it (`linker.misc.save_model_to_json`, Splink 4 and 5), with its defaults filled in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

LEAST_PROBABILITY = 1e-300
"""m and u are raised to it, as by Splink, before their logarithm is taken."""

Probability = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    # Splink's files also hold what only training and charts need.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Level(_Part):
    """One gradation of likeness: the first of a comparison whose condition is TRUE counts."""

    sql_condition: str
    label_for_charts: str | None = None
    is_null_level: bool = False
    m_probability: Probability | None = None
    u_probability: Probability | None = None
    tf_adjustment_column: str | None = None
    tf_adjustment_weight: float = 1.0
    tf_minimum_u_value: float = 0.0
    disable_tf_exact_match_detection: bool = False

    @property
    def label(self) -> str:
        """What people read of the level."""
        return self.label_for_charts or self.sql_condition

    @property
    def is_else(self) -> bool:
        """Whether it takes what no other level took."""
        return self.sql_condition.strip().upper() == "ELSE"

    @property
    def weight(self) -> float:
        """Bits that the level adds to the match weight, before frequencies of values."""
        if self.is_null_level:
            return 0.0
        m = max(self.m_probability or 0.0, LEAST_PROBABILITY)
        return math.log2(m / max(self.u_probability or 0.0, LEAST_PROBABILITY))


class Comparison(_Part):
    """What is compared of two records, in levels."""

    output_column_name: str
    comparison_levels: tuple[Level, ...] = Field(min_length=1)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels with m and u, Splink's own defaults where training observed none.

        The defaults are those of Splink 5.0.0 (`comparison_level.py`): m is 0.95 for the best level, the rest is
        shared by the others; weights run evenly from -5 to 3 bits, 10 for the best.
        """
        count = sum(not level.is_null_level for level in self.comparison_levels)
        defaults = iter(_default_probabilities(count)) if count > 1 else iter(())
        return tuple(
            level if level.is_null_level else _with_defaults(level, next(defaults, None))
            for level in self.comparison_levels
        )


class BlockingRule(_Part):
    """Which pairs are compared at all: those for which the SQL holds."""

    blocking_rule: str
    arrays_to_explode: tuple[str, ...] | None = None


class SplinkModel(_Part):
    """The parts of a saved model that scoring needs."""

    probability_two_random_records_match: Annotated[float, Field(gt=0, lt=1)]
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    blocking_rules_to_generate_predictions: tuple[BlockingRule, ...] = ()

    @property
    def prior(self) -> float:
        """Bits from which each match weight starts."""
        chance = self.probability_two_random_records_match
        return math.log2(chance / (1 - chance))


def _default_probabilities(count: int) -> Sequence[tuple[float, float]]:
    """The m and u of untrained levels, from the best to the worst."""
    weights = [*_evenly_spaced(-5, 3, count - 1), 10.0]
    m = [0.05 / (count - 1)] * (count - 1) + [0.95]
    return [(m, m / 2**weight) for m, weight in zip(m, weights, strict=True)][::-1]


def _evenly_spaced(start: float, end: float, count: int) -> list[float]:
    if count == 1:
        return [float(start)]
    return [start + (end - start) / (count - 1) * step for step in range(count)]


def _with_defaults(level: Level, defaults: tuple[float, float] | None) -> Level:
    if defaults is None:
        return level
    given: Mapping[str, Any] = {
        "m_probability": level.m_probability if level.m_probability is not None else defaults[0],
        "u_probability": level.u_probability if level.u_probability is not None else defaults[1],
    }
    return level.model_copy(update=dict(given))
