"""Trained models on their way to disk, and Splink's own way of training one.

Splink learns the prior from rules so strict that what they find is taken for matches, u from random pairs, and m by
expectation maximisation over pairs that agree on one thing or another. (`learning` has the hub's own way, and says
what for.) Given the records and the seed, the model is the same to the last digit: DuckDB works on one thread then, so
that sums are made in one order.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from ruamel.yaml import YAML

from hub.errors import ConfigurationError
from hub.graph.resolution.estimation import equal_shares
from hub.graph.resolution.models import FREQUENCIES_FILE, MODEL_FILE, SETTINGS_FILE, ModelSettings
from hub.graph.resolution.profiles import Kind
from hub.graph.resolution.standard import RARITIES
from hub.yamlfile import Fault

if TYPE_CHECKING:
    import duckdb

RANDOM_PAIRS = 1_000_000
"""Pairs from which Splink estimates u: a level that one pair in 10,000 takes is then seen a hundred times."""

TRAINING_BLOCKS: Mapping[Kind, Sequence[str]] = {
    "person": (
        "l.birth_date = r.birth_date",
        "l.given = r.given AND l.family = r.family",
        "l.street = r.street AND l.house = r.house",
    ),
    "organization": ("l.name = r.name", "l.street = r.street AND l.house = r.house"),
}
"""Rules whose pairs teach Splink m: a comparison learns from those that do not name its columns."""

CERTAIN: Mapping[Kind, Sequence[str]] = {
    "person": ("l.given = r.given AND l.family = r.family AND l.birth_date = r.birth_date",),
    "organization": ("l.name = r.name AND l.street = r.street AND l.house = r.house",),
}
"""Rules so strict that Splink's prior takes the pairs which they find for matches."""

CERTAIN_RECALL = 0.7
"""The share of all matches that `CERTAIN` is thought to find."""


@dataclass(frozen=True, slots=True)
class LevelReport:
    """What training found for one level; `m` and `u` are None where it never saw the level."""

    comparison: str
    level: str
    m: float | None
    u: float | None
    weight: float
    """Bits, by Splink's defaults where `m` or `u` is None."""


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What to look at before a model is used; no values of anybody."""

    records: int
    prior: float
    """Bits."""
    levels: tuple[LevelReport, ...]
    pairs_at: Mapping[int, int]
    """Compared pairs by match weight, rounded down to whole bits."""
    apart_at: Mapping[int, int]
    """Those of them that are of two customers now; empty where no customers are known."""

    @property
    def pairs_from(self) -> Mapping[int, int]:
        """How many of the compared pairs weigh at least so many bits: the threshold chart."""
        return self._from(self.pairs_at)

    @property
    def apart_from(self) -> Mapping[int, int]:
        """How many of these are kept apart now; empty where no customers are known."""
        return self._from(self.apart_at) if self.apart_at else {}

    def _from(self, counted: Mapping[int, int]) -> Mapping[int, int]:
        bits = range(min(self.pairs_at), max(self.pairs_at) + 1)
        counts = accumulate(counted.get(bit, 0) for bit in reversed(bits))
        return dict(zip(reversed(bits), counts, strict=True))

    @property
    def unseen(self) -> tuple[LevelReport, ...]:
        """The levels that training never saw."""
        return tuple(level for level in self.levels if level.m is None or level.u is None)


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model, not yet on disk. `frequencies` holds values of people."""

    model: dict[str, Any]
    frequencies: dict[str, dict[str, float]] = field(repr=False)
    settings: ModelSettings
    report: TrainingReport

    def write(self, folder: Path) -> None:
        """Write the model's folder. Only its owner may read the frequencies, which are values of people."""
        folder.mkdir(parents=True, exist_ok=True)
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        (folder / MODEL_FILE).write_bytes(orjson.dumps(self.model, option=options))
        frequencies = folder / FREQUENCIES_FILE
        frequencies.unlink(missing_ok=True)
        frequencies.touch(mode=0o600)
        frequencies.write_bytes(orjson.dumps(self.frequencies, option=options | orjson.OPT_SORT_KEYS))
        with (folder / SETTINGS_FILE).open("w", encoding="utf-8") as file:
            YAML().dump(self.settings.model_dump(mode="json"), file)


def learn_by_splink(
    connection: duckdb.DuckDBPyConnection, settings: Mapping[str, Any], table: str, kind: Kind, seed: int
) -> dict[str, Any]:
    """Splink's `settings` with m, u and prior as Splink trains them on the records of `table` (with `unique_id`).

    Raises:
        ConfigurationError: no records agree enough to learn from; bring more.
    """
    from splink import DuckDBAPI, Linker

    comparisons = [
        _with_fixed_rarity(connection, comparison, table) for comparison in settings["comparisons"]
    ]
    settings = {**settings, "comparisons": comparisons, "unique_id_column_name": "unique_id"}
    connection.execute("SET threads = 1")
    blocks = _fulfilled(connection, TRAINING_BLOCKS[kind], table)
    if not blocks:
        raise _cannot("no two of them agree on what a training block names")
    if not _fulfilled(connection, CERTAIN[kind], table):
        raise _cannot("no two of them are certain to be one party")
    ((records,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    with quiet("splink"):
        linker = Linker(DuckDBAPI(connection=connection).register(table), settings, log_level=None)
        training = linker.training
        try:
            training.estimate_probability_two_random_records_match(list(CERTAIN[kind]), recall=CERTAIN_RECALL)
        except ValueError:
            raise _cannot("nearly all pairs fulfil the rules that only certain matches should") from None
        training.estimate_u_using_random_sampling(
            max_pairs=min(RANDOM_PAIRS, records * (records - 1) // 2), seed=seed, num_chunks=1
        )
        for block in blocks:
            training.estimate_parameters_using_expectation_maximisation(block)
        saved: dict[str, Any] = linker.misc.save_model_to_json()
    # The uid differs from run to run.
    return {key: value for key, value in saved.items() if key != "linker_uid"}


def _with_fixed_rarity(
    connection: duckdb.DuckDBPyConnection, comparison: Mapping[str, Any], table: str
) -> Mapping[str, Any]:
    """A comparison that only tells how rare a value is, with the m and u that training shall not change."""
    if comparison["output_column_name"] not in RARITIES:
        return comparison
    shares = iter(zip(*equal_shares(connection, comparison, table), strict=True))
    fixed = {"fix_m_probability": True, "fix_u_probability": True}
    levels = [
        level
        if level.get("is_null_level")
        else {**level, **fixed, **dict(zip(("m_probability", "u_probability"), next(shares), strict=True))}
        for level in comparison["comparison_levels"]
    ]
    return {**comparison, "comparison_levels": levels}


def _fulfilled(connection: duckdb.DuckDBPyConnection, blocks: Sequence[str], table: str) -> list[str]:
    """The blocks that some pair fulfils: Splink cannot train on the others, and spoils its model if it tries."""
    query = f"SELECT 1 FROM {table} l JOIN {table} r ON ({{}}) AND l.unique_id < r.unique_id LIMIT 1"
    return [block for block in blocks if connection.execute(query.format(block)).fetchall()]


@contextmanager
def quiet(logger: str) -> Iterator[None]:
    """Nothing below an error is logged: what Splink would say of untrained levels stands in the report."""
    log = logging.getLogger(logger)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _cannot(message: str) -> ConfigurationError:
    return ConfigurationError([Fault("records", 1, 1, "", f"cannot train on these records: {message}")])
