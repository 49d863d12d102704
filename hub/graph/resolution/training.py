"""Train a model on an organisation's own records, with Splink, without labels.

The prior comes from rules so strict that what they find is taken for matches, u from random pairs, m by expectation
maximisation over pairs that agree on one thing or another. Given the records, the recipe and the seed, the model is
the same to the last digit: DuckDB works on one thread, so that sums are made in one order.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from hub.errors import ConfigurationError
from hub.graph.resolution.models import (
    COLUMNS,
    FREQUENCIES_FILE,
    MODEL_FILE,
    SETTINGS_FILE,
    ModelSettings,
)
from hub.graph.resolution.profiles import Kind, Profile
from hub.graph.resolution.scoring import SplinkModel
from hub.yamlfile import Fault

if TYPE_CHECKING:
    import duckdb
    from splink import Linker

RANDOM_PAIRS = 5_000_000
"""Pairs from which u is estimated: a level that one pair in 50,000 takes is then seen a hundred times."""

_TABLE = "profiles"
_ID = "unique_id"
_CANNOT = "cannot train on these records"


class Recipe(BaseModel):
    """What a model compares and how it learns: all of a Splink model but its numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    comparisons: tuple[dict[str, Any], ...] = Field(min_length=1)
    """Splink's comparisons, as in its JSON; m and u that are given here are kept."""

    blocking_rules: tuple[dict[str, Any], ...] = Field(min_length=1)
    """`blocking_rule` and maybe `arrays_to_explode`, as in Splink's JSON."""

    training_blocks: tuple[str, ...] = Field(min_length=1)
    """Rules whose pairs teach m. A comparison learns from rules that do not name its columns, so at least two."""

    certain: tuple[str, ...] = Field(min_length=1)
    """Rules so strict that the pairs they find are taken for matches; the prior is made of their number."""

    certain_recall: float = Field(default=0.7, gt=0, le=1)
    """The share of all matches that `certain` is thought to find."""


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
    idle_blocks: tuple[str, ...]
    """Rules of `training_blocks` that no pair of these records fulfils."""
    pairs_at: Mapping[int, int]
    """Pairs by match weight, rounded down to whole bits."""

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


def train(
    kind: Kind, profiles: Iterable[Profile], seed: int, recipe: Recipe, name: str = "trained"
) -> TrainedModel:
    """The model of `recipe` that `profiles` teach.

    Raises:
        ConfigurationError: there are no two records, or none that agree enough to learn from.
    """
    import duckdb

    rows = list(profiles)
    with duckdb.connect(config={"threads": 1}) as connection, _quiet("splink"):
        _fill(connection, kind, rows)
        linker = _linker(connection, recipe)
        blocks = _fulfilled(connection, recipe.training_blocks)
        _train(linker, recipe, blocks, seed, len(rows))
        saved = _saved(linker)
        settings = ModelSettings(name=name, kind=kind, text="utf8_bytes")
        frequencies = {
            column: _frequencies(connection, column) for column in sorted(_frequency_columns(saved))
        }
        pairs = _pairs_at(connection, linker)
    idle = tuple(block for block in recipe.training_blocks if block not in blocks)
    report = _report(saved, len(rows), idle, pairs)
    return TrainedModel(saved, frequencies, settings, report)


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """What Splink would say of untrained levels stands in the report."""
    log = logging.getLogger(logger)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _fill(connection: duckdb.DuckDBPyConnection, kind: Kind, rows: Sequence[Profile]) -> None:
    """Put `rows` into a table with all columns of the kind's profiles."""
    import pyarrow as pa

    if len(rows) < 2:
        raise ConfigurationError([_fault(f"there are {len(rows)}, expected at least two")])
    text = pa.string()
    columns = {
        column: pa.array([row.get(column) for row in rows], pa.list_(text) if is_list else text)
        for column, is_list in COLUMNS[kind].items()
    }
    connection.register("arriving", pa.table({_ID: pa.array(range(len(rows)), pa.int64()), **columns}))
    connection.execute(f"CREATE TABLE {_TABLE} AS SELECT * FROM arriving ORDER BY {_ID}")
    connection.unregister("arriving")


def _linker(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> Linker:
    from splink import DuckDBAPI, Linker

    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": _ID,
        "comparisons": list(recipe.comparisons),
        "blocking_rules_to_generate_predictions": [
            {"sql_dialect": "duckdb", **rule} for rule in recipe.blocking_rules
        ],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }
    api = DuckDBAPI(connection=connection)
    return Linker(api.register(_TABLE), settings, log_level=None)


def _train(linker: Linker, recipe: Recipe, blocks: Sequence[str], seed: int, records: int) -> None:
    training = linker.training
    _estimate_prior(linker, recipe)
    training.estimate_u_using_random_sampling(
        max_pairs=min(RANDOM_PAIRS, records * (records - 1) // 2), seed=seed, num_chunks=1
    )
    for block in blocks:
        training.estimate_parameters_using_expectation_maximisation(block)


def _fulfilled(connection: duckdb.DuckDBPyConnection, blocks: Sequence[str]) -> list[str]:
    """The blocks that some pair fulfils: Splink cannot train on the others, and spoils its model if it tries."""
    query = f"SELECT 1 FROM {_TABLE} l JOIN {_TABLE} r ON ({{}}) AND l.{_ID} < r.{_ID} LIMIT 1"
    found = [block for block in blocks if connection.execute(query.format(block)).fetchall()]
    if not found:
        raise ConfigurationError([_fault("no two of them agree on what a training block names")])
    return found


def _estimate_prior(linker: Linker, recipe: Recipe) -> None:
    try:
        linker.training.estimate_probability_two_random_records_match(
            list(recipe.certain), recall=recipe.certain_recall
        )
    except ValueError:
        message = "nearly all pairs fulfil the rules that only certain matches should"
        raise ConfigurationError([_fault(message)]) from None
    if not _saved(linker)["probability_two_random_records_match"]:
        raise ConfigurationError([_fault("no two of them are certain to be one party")])


def _fault(message: str) -> Fault:
    return Fault("records", 1, 1, "", f"{_CANNOT}: {message}")


def _saved(linker: Linker) -> dict[str, Any]:
    """The model without what differs from run to run."""
    saved: dict[str, Any] = linker.misc.save_model_to_json()
    return {key: value for key, value in saved.items() if key != "linker_uid"}


def _frequency_columns(saved: Mapping[str, Any]) -> set[str]:
    levels = (level for comparison in saved["comparisons"] for level in comparison["comparison_levels"])
    return {level["tf_adjustment_column"] for level in levels if "tf_adjustment_column" in level}


def _frequencies(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, float]:
    """The share of each value among the records that have one, as Splink counts it."""
    quoted = '"' + column.replace('"', '""') + '"'
    query = f"SELECT {quoted}, count(*) / sum(count(*)) OVER () FROM {_TABLE} WHERE {quoted} IS NOT NULL GROUP BY 1"
    return dict(connection.execute(query).fetchall())


def _pairs_at(connection: duckdb.DuckDBPyConnection, linker: Linker) -> dict[int, int]:
    table = linker.inference.predict().physical_name
    query = f"SELECT floor(match_weight)::int, count(*) FROM {table} GROUP BY 1 ORDER BY 1"
    return dict(connection.execute(query).fetchall())


def _report(
    saved: Mapping[str, Any], records: int, idle: tuple[str, ...], pairs: Mapping[int, int]
) -> TrainingReport:
    model = SplinkModel.model_validate(saved)
    levels = [
        LevelReport(
            comparison.output_column_name, level.label, seen.m_probability, seen.u_probability, level.weight
        )
        for comparison in model.comparisons
        for seen, level in zip(comparison.comparison_levels, comparison.levels, strict=True)
        if not level.is_null_level
    ]
    return TrainingReport(records, model.prior, tuple(levels), idle, pairs)
