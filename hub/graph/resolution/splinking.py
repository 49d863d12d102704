"""Splink on DuckDB as the scorer of many pairs at once, by the same model file as the compiled scorer.

Which pairs are weighed is not Splink's to say here: it is given them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.graph.resolution.models import COLUMNS, MatchModel
from hub.graph.resolution.profiles import Kind
from hub.graph.resolution.scoring import Kind as ColumnKind
from hub.graph.resolution.training import quiet

if TYPE_CHECKING:
    import duckdb
    from splink import DuckDBAPI, Linker

_SQL_TYPES: Mapping[ColumnKind, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "list": "VARCHAR[]",
}

PARTY = "place"
"""What Splink knows a party by."""


class SplinkScorer:
    """Weighs pairs of the parties in the table `evidence_<kind>`, which has a column each of a profile."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, kind: Kind, model: MatchModel) -> None:
        from splink import DuckDBAPI, Linker

        self._connection = connection
        self._api = DuckDBAPI(connection=connection)
        columns = ", ".join(
            f'TRY_CAST("{name}" AS {type_}) AS "{name}"' for name, type_ in column_types(model).items()
        )
        view = f"typed_{kind}"
        connection.execute(f"CREATE VIEW {view} AS SELECT {PARTY}, {columns} FROM evidence_{kind}")
        with quiet("splink"):
            self._linker = Linker(self._api.register(view), splink_settings(model), log_level=None)
        self.register_frequencies(connection, self._api, self._linker, kind, model)
        self._kind, self._asked = kind, 0

    def weights(self, pairs: str, least: float | None) -> str:
        """The name of a new table of the pairs in the table `pairs` (`l`, `r`) of at least these bits.

        Its columns are `place_l`, `place_r` and `match_weight`.
        """
        self._asked += 1
        given = f"{pairs}_{self._kind}_{self._asked}"
        self._connection.execute(
            f"CREATE VIEW {given} AS SELECT l AS join_key_l, r AS join_key_r, '0' AS match_key FROM {pairs}"
        )
        self._linker.table_management.register_blocked_pairs_for_predict(self._api.register(given))
        found = self._linker.inference.predict(threshold_match_weight=least, warning_mode="never")
        name: str = found.physical_name
        return name

    @staticmethod
    def register_frequencies(
        connection: duckdb.DuckDBPyConnection, api: DuckDBAPI, linker: Linker, space: str, model: MatchModel
    ) -> None:
        """Let a linker take the frequencies of the model, not those of the parties; tables are named by `space`."""
        import pyarrow as pa

        types = column_types(model)
        for column, shares in model.frequencies.items():
            name = f"shares_{space}_{column}"
            listed = pa.table(
                {
                    "value": pa.array(list(shares), pa.string()),
                    "share": pa.array(list(shares.values()), pa.float64()),
                }
            )
            connection.register("arriving", listed)
            connection.execute(
                f'CREATE TABLE "{name}" AS SELECT TRY_CAST(value AS {types[column]}) AS "{column}",'
                f' share AS "tf_{column}" FROM arriving'
            )
            connection.unregister("arriving")
            linker.table_management.register_term_frequency_lookup(api.register(name), column)


def column_types(model: MatchModel) -> dict[str, str]:
    """DuckDB's type of each column of the model's profiles."""
    settings = model.settings
    return {
        column: _SQL_TYPES[settings.types.get(column, "list" if is_list else "text")]
        for column, is_list in COLUMNS[settings.kind].items()
    }


def splink_settings(model: MatchModel) -> dict[str, Any]:
    """The model as Splink reads it: what training never saw has the defaults that the compiled scorer takes."""
    comparisons = [
        {
            "output_column_name": comparison.output_column_name,
            "comparison_levels": [
                level.model_dump(exclude_none=True, exclude=_without(level.tf_adjustment_column))
                for level in comparison.levels
            ],
        }
        for comparison in model.splink.comparisons
    ]
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": PARTY,
        "probability_two_random_records_match": model.splink.probability_two_random_records_match,
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


def _without(column: str | None) -> set[str]:
    frequencies = {"tf_adjustment_weight", "tf_minimum_u_value", "disable_tf_exact_match_detection"}
    return set() if column else frequencies
