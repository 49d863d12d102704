"""A model for one's own records, learnt from them without labels: standard comparisons, estimated from blocked pairs.

What may be chosen is written down in `docs/resolution-quality.md`, with the reasons and with what it gives on public data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import floor
from typing import TYPE_CHECKING, Any

from hub.errors import ConfigurationError
from hub.graph.resolution.candidates import candidate_pairs, without_crowded
from hub.graph.resolution.clusters import Pair
from hub.graph.resolution.estimation import fit
from hub.graph.resolution.models import COLUMNS, ModelSettings
from hub.graph.resolution.profiles import Kind, Profile
from hub.graph.resolution.scoring import Blocking, Scorer, SplinkModel
from hub.graph.resolution.scoring import Kind as ColumnKind
from hub.graph.resolution.standard import JOINTS, RARITIES, settings_for
from hub.graph.resolution.training import LevelReport, TrainedModel, TrainingReport
from hub.yamlfile import Fault

if TYPE_CHECKING:
    import duckdb

MERGE_WEIGHT = 3.0
"""Bits from which two parties are one customer: 8 to 1. The weights are estimated together and so near to calibrated
that 0, where both answers are alike, joins most pairs rightly; a false merge shows one person's data to another, so it
takes more than a little."""

REVIEW_WEIGHT = -3.0
"""Bits from which a steward is asked: 1 to 8."""

CROWDED = 100
"""Holders of a key or contact. A household or a company's accounts are a few dozen at the most."""

_TABLE, _PAIRS = "profiles", "pairs"


def learn(
    kind: Kind, profiles: Iterable[Profile], name: str = "learnt", crowded: int = CROWDED
) -> TrainedModel:
    """The standard model with the m, u and frequencies that `profiles` show: the same for the same profiles.

    Raises:
        ConfigurationError: there are fewer than two profiles, or no two of them share a blocking key.
    """
    import duckdb

    parties = without_crowded({f"{place:09}": each for place, each in enumerate(profiles)}, crowded)
    standard = settings_for(kind, {column for profile in parties.values() for column in profile})
    types: dict[str, ColumnKind] = {column: "list" for column, is_list in COLUMNS[kind].items() if is_list}
    rules = SplinkModel.model_validate({**standard, "probability_two_random_records_match": 0.5})
    blocking = Blocking(rules.blocking_rules_to_generate_predictions, types)
    compared = candidate_pairs(parties, blocking, crowded)
    if not compared:
        raise ConfigurationError(
            [Fault("records", 1, 1, "", "cannot learn from these records: no two are alike")]
        )
    with duckdb.connect() as connection:
        _fill(connection, kind, parties, compared)
        model = fit(connection, standard, _TABLE, _PAIRS, RARITIES, JOINTS)
        frequencies = {column: _frequencies(connection, column) for column in _weighed_columns(model)}
    read = SplinkModel.model_validate(model)
    scorer = Scorer(read, frequencies, "code_points", types)
    settings = ModelSettings(
        name=name, kind=kind, merge_weight=MERGE_WEIGHT, review_weight=REVIEW_WEIGHT, crowded=crowded
    )
    report = TrainingReport(len(parties), read.prior, _levels(read), (), _pairs_at(scorer, parties, compared))
    return TrainedModel(model, frequencies, settings, report)


def _fill(
    connection: duckdb.DuckDBPyConnection,
    kind: Kind,
    parties: Mapping[str, Profile],
    compared: Iterable[Pair],
) -> None:
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    columns = {
        column: pa.array(
            [profile.get(column) for profile in parties.values()], pa.list_(text) if is_list else text
        )
        for column, is_list in COLUMNS[kind].items()
    }
    pairs = sorted(compared)
    tables = {
        _TABLE: {"unique_id": pa.array(range(len(parties)), number), **columns},
        _PAIRS: {
            side: pa.array([int(pair[place]) for pair in pairs], number) for place, side in enumerate("lr")
        },
    }
    for name, content in tables.items():
        connection.register("arriving", pa.table(content))
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM arriving")
        connection.unregister("arriving")


def _weighed_columns(model: Mapping[str, Any]) -> list[str]:
    levels = (level for comparison in model["comparisons"] for level in comparison["comparison_levels"])
    return sorted({level["tf_adjustment_column"] for level in levels if "tf_adjustment_column" in level})


def _frequencies(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, float]:
    """The share of each value that several records have: one that is not listed weighs as one that a single record has."""
    query = (
        f"SELECT {column}, n / total FROM (SELECT {column}, count(*) AS n, sum(count(*)) OVER () AS total"
        f" FROM {_TABLE} WHERE {column} IS NOT NULL GROUP BY {column}) WHERE n > 1 ORDER BY {column}"
    )
    return dict(connection.execute(query).fetchall())


def _levels(model: SplinkModel) -> tuple[LevelReport, ...]:
    return tuple(
        LevelReport(
            comparison.output_column_name, level.label, level.m_probability, level.u_probability, level.weight
        )
        for comparison in model.comparisons
        for level in comparison.levels
        if not level.is_null_level
    )


def _pairs_at(scorer: Scorer, parties: Mapping[str, Profile], compared: Iterable[Pair]) -> dict[int, int]:
    prepared = {party: scorer.prepare(profile) for party, profile in parties.items()}
    found: dict[int, int] = {}
    for left, right in compared:
        weight = floor(scorer.weight(prepared[left], prepared[right]))
        found[weight] = found.get(weight, 0) + 1
    return dict(sorted(found.items()))
