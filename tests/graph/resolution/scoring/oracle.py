"""Splink itself, and DuckDB, as oracles of match weights, blocking and conditions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker

from hub.graph.resolution.scoring import Blocking, Scorer, SplinkModel

QUERIES = {
    "febrl3": "SELECT * FROM '{folder}/febrl3.parquet'",
    "febrl4": "SELECT *, source AS source_dataset FROM '{folder}/febrl4.parquet'",
    "fake_1000": "SELECT * REPLACE (try_cast(dob AS date) AS dob) FROM '{folder}/fake_1000.parquet'",
    "chicago": """SELECT unique_id, lower(trim("Site name")) nm, lower(trim("Address")) addr, "Zip" zip, "Phone" phone
        FROM '{folder}/chicago_early_childhood_orgs.parquet'""",
    "pseudopeople": """SELECT unique_id, first_name, last_name, date_of_birth dob, ssn, street_name street,
        street_number FROM '{folder}/pseudopeople_people.parquet'""",
}
"""What the shared models call their columns, out of the files: the same input for both is all that equality needs."""

TYPES = {"fake_1000": {"dob": "date"}}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Oracle:
    """What Splink found with a model: each candidate pair with its match weight, the left record first."""

    model: Mapping[str, Any]
    rows: Mapping[str, Row]
    pairs: Sequence[tuple[str, str, float]]
    frequencies: Mapping[str, Mapping[str, float]]
    types: Mapping[str, Any]

    @property
    def scorer(self) -> Scorer:
        model = SplinkModel.model_validate(self.model)
        return Scorer(model, self.frequencies, "utf8_bytes", self.types)

    @property
    def blocking(self) -> Blocking:
        rules = SplinkModel.model_validate(self.model).blocking_rules_to_generate_predictions
        return Blocking(rules, self.types)

    def greatest_difference(self) -> float:
        """Between Splink's match weight of a pair and the scorer's."""
        scorer = self.scorer
        prepared = {key: scorer.prepare(row) for key, row in self.rows.items()}
        return max(
            abs(scorer.weight(prepared[left], prepared[right]) - weight) for left, right, weight in self.pairs
        )


@lru_cache
def shared_oracle(folder: Path, name: str) -> Oracle:
    """Splink's answers with one of the shared models."""
    model = json.loads((folder / f"splink_models/model_{name}.json").read_bytes())
    return ask_splink(model, QUERIES[name].format(folder=folder), TYPES.get(name, {}))


def ask_splink(model: Mapping[str, Any], query: str, types: Mapping[str, Any] | None = None) -> Oracle:
    """Splink's answers with `model` for the records of a query."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE records AS {query}")
        api = DuckDBAPI(connection=connection)
        tables = [api.register(table) for table in _tables(connection, model)]
        linker = Linker(tables, {**model, "retain_intermediate_calculation_columns": False}, log_level=None)
        key = model["unique_id_column_name"]
        table = linker.inference.predict().physical_name
        pairs = connection.execute(f"SELECT {key}_l, {key}_r, match_weight FROM {table}").fetchall()
        rows = _rows(connection, key)
        frequencies = {column: _frequencies(connection, column) for column in _frequency_columns(model)}
    return Oracle(model, rows, pairs, frequencies, types or {})


def _tables(connection: duckdb.DuckDBPyConnection, model: Mapping[str, Any]) -> list[str]:
    if model["link_type"] != "link_only":
        return ["records"]
    for source in "ab":
        connection.execute(
            f"CREATE TABLE {source} AS SELECT * EXCLUDE (source_dataset) FROM records WHERE source = '{source}'"
        )
    return ["a", "b"]


def _rows(connection: duckdb.DuckDBPyConnection, key: str) -> dict[str, Row]:
    found = connection.execute("SELECT * FROM records")
    names = [column[0] for column in found.description]
    rows = (dict(zip(names, values, strict=True)) for values in found.fetchall())
    return {
        row[key]: {name: _text(value) for name, value in row.items() if value is not None} for row in rows
    }


def _text(value: Any) -> Any:
    return value if isinstance(value, list) else str(value)


def _frequency_columns(model: Mapping[str, Any]) -> set[str]:
    levels = [level for comparison in model["comparisons"] for level in comparison["comparison_levels"]]
    return {level["tf_adjustment_column"] for level in levels if level.get("tf_adjustment_column")}


def _frequencies(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, float]:
    query = f"SELECT {column}, count(*) / sum(count(*)) OVER () FROM records WHERE {column} IS NOT NULL GROUP BY 1"
    return {str(value): share for value, share in connection.execute(query).fetchall()}


def level(condition: str, m: float | None = 0.5, u: float | None = 0.25, **more: Any) -> dict[str, Any]:
    """A level as Splink saves it; `m` and `u` of None were never observed."""
    numbers = {"m_probability": m, "u_probability": u}
    return {"sql_condition": condition, **{k: v for k, v in numbers.items() if v is not None}, **more}


def model_of(*comparisons: Sequence[dict[str, Any]], rules: Sequence[str] = ("1=1",)) -> dict[str, Any]:
    """A Splink model of comparisons, each given as its levels but for ELSE."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "sql_dialect": "duckdb",
        "probability_two_random_records_match": 0.01,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in rules
        ],
        "comparisons": [
            {
                "output_column_name": f"c{number}",
                "comparison_levels": [*levels, level("ELSE", m=0.125, u=0.75)],
            }
            for number, levels in enumerate(comparisons)
        ],
    }


def scorer_of(model: Mapping[str, Any], **given: Any) -> Scorer:
    """The scorer of a model made by `model_of`, on bytes like DuckDB unless told otherwise."""
    options = {"frequencies": {}, "text": "utf8_bytes", "types": {}, **given}
    return Scorer(SplinkModel.model_validate(model), **options)
