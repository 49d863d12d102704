"""A model for one's own records, learnt from them without labels: standard comparisons, estimated from blocked pairs.

What was chosen is written down in `docs/resolution-quality.md`, with reasons and with what it gives on public data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from hub.graph.resolution.training import LevelReport, TrainedModel, TrainingReport, learn_by_splink
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

PRIOR = "probability_two_random_records_match"

_TABLE, _PAIRS, _MATCHES = "profiles", "pairs", "matches"


def learn(
    kind: Kind,
    profiles: Iterable[Profile],
    name: str = "learnt",
    crowded: int = CROWDED,
    truth: Sequence[str] | None = None,
    splink_seed: int | None = None,
    customers: Sequence[str] | None = None,
    share: float = 1.0,
) -> TrainedModel:
    """The standard model with the m, u and frequencies that `profiles` show: the same for the same profiles.

    With `truth`, which only generated records have, the numbers are counted and the model is for the records of others:
    of the frequencies it keeps those of common values, which are common elsewhere too, and takes an unlisted value for
    a usual one, not for a rare one. With `splink_seed` Splink estimates m and u, in its own way. `customers`, of
    whom each profile is now, teach nothing; the report counts the pairs that they keep apart. `profiles` that are a
    `share` of all, by whole customers, have less pairs of strangers than all have: the prior is corrected for that.

    Raises:
        ConfigurationError: there are fewer than two profiles, or no two of them share a blocking key.
    """
    import duckdb

    parties = without_crowded({f"{place:09}": each for place, each in enumerate(profiles)}, crowded)
    standard = settings_for(kind, {column for profile in parties.values() for column in profile})
    types: dict[str, ColumnKind] = {column: "list" for column, is_list in COLUMNS[kind].items() if is_list}
    if not standard["comparisons"]:
        raise _nothing_alike()
    rules = SplinkModel.model_validate({**standard, "probability_two_random_records_match": 0.5})
    blocking = Blocking(rules.blocking_rules_to_generate_predictions, types)
    compared = candidate_pairs(parties, blocking, crowded)
    if not compared:
        raise _nothing_alike()
    with duckdb.connect() as connection:
        _fill(connection, kind, parties, compared)
        if truth:
            _fill_pairs(
                connection,
                _MATCHES,
                (pair for pair in compared if truth[int(pair[0])] == truth[int(pair[1])]),
            )
        if splink_seed is None:
            model = fit(connection, standard, _TABLE, _PAIRS, RARITIES, JOINTS, _MATCHES if truth else "")
        else:
            model = learn_by_splink(connection, standard, _TABLE, kind, splink_seed)
        frequencies = {column: _frequencies(connection, column) for column in _weighed_columns(model)}
    if truth:
        model, frequencies = _portable(model, frequencies)
    model = {**model, PRIOR: _among_all(model[PRIOR], share)}
    read = SplinkModel.model_validate(model)
    scorer = Scorer(read, frequencies, "code_points", types)
    settings = ModelSettings(
        name=name,
        kind=kind,
        merge_weight=MERGE_WEIGHT,
        review_weight=REVIEW_WEIGHT,
        crowded=crowded,
    )
    weighed = _pairs_at(scorer, parties, compared, customers)
    report = TrainingReport(len(parties), read.prior, _levels(read), *weighed)
    return TrainedModel(model, frequencies, settings, report)


def _among_all(prior: float, share: float) -> float:
    odds = share * prior / (1 - prior)
    return odds / (1 + odds)


def _nothing_alike() -> ConfigurationError:
    return ConfigurationError(
        [Fault("records", 1, 1, "", "cannot learn from these records: no two are alike")]
    )


def _fill(
    connection: duckdb.DuckDBPyConnection,
    kind: Kind,
    parties: Mapping[str, Profile],
    compared: Iterable[Pair],
) -> None:
    import pyarrow as pa

    text = pa.string()
    columns = {
        column: pa.array(
            [profile.get(column) for profile in parties.values()], pa.list_(text) if is_list else text
        )
        for column, is_list in COLUMNS[kind].items()
    }
    _store(connection, _TABLE, {"unique_id": pa.array(range(len(parties)), pa.int64()), **columns})
    _fill_pairs(connection, _PAIRS, compared)


def _fill_pairs(connection: duckdb.DuckDBPyConnection, name: str, pairs: Iterable[Pair]) -> None:
    import pyarrow as pa

    ordered = sorted(pairs)
    sides = {side: [int(pair[place]) for pair in ordered] for place, side in enumerate("lr")}
    _store(connection, name, {side: pa.array(ids, pa.int64()) for side, ids in sides.items()})


def _store(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Any]) -> None:
    import pyarrow as pa

    connection.register("arriving", pa.table(dict(columns)))
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM arriving")
    connection.unregister("arriving")


def _weighed_columns(model: Mapping[str, Any]) -> list[str]:
    levels = (level for comparison in model["comparisons"] for level in comparison["comparison_levels"])
    return sorted({level["tf_adjustment_column"] for level in levels if "tf_adjustment_column" in level})


def _frequencies(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, float]:
    """The share of each value that several records have; one that is not listed weighs as if a single record had it."""
    query = (
        f"SELECT {column}, n / total FROM (SELECT {column}, count(*) AS n, sum(count(*)) OVER () AS total"
        f" FROM {_TABLE} WHERE {column} IS NOT NULL GROUP BY {column}) WHERE n > 1 ORDER BY {column}"
    )
    return dict(connection.execute(query).fetchall())


def _portable(
    model: Mapping[str, Any], frequencies: Mapping[str, Mapping[str, float]]
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    usual: dict[str, float] = {}
    comparisons = []
    for comparison in model["comparisons"]:
        if comparison["output_column_name"] in RARITIES:
            levels = [
                level if level.get("is_null_level") else {**level, "u_probability": level["m_probability"]}
                for level in comparison["comparison_levels"]
            ]
            usual |= {
                level["tf_adjustment_column"]: level["m_probability"]
                for level in levels
                if "tf_adjustment_column" in level
            }
            comparisons.append({**comparison, "comparison_levels": levels})
        else:
            comparisons.append(comparison)
    common = {
        column: {value: share for value, share in table.items() if share > usual[column]}
        for column, table in frequencies.items()
    }
    return {**model, "comparisons": comparisons}, common


def _levels(model: SplinkModel) -> tuple[LevelReport, ...]:
    return tuple(
        LevelReport(
            comparison.output_column_name, level.label, seen.m_probability, seen.u_probability, level.weight
        )
        for comparison in model.comparisons
        for seen, level in zip(comparison.comparison_levels, comparison.levels, strict=True)
        if not level.is_null_level
    )


def _pairs_at(
    scorer: Scorer,
    parties: Mapping[str, Profile],
    compared: Iterable[Pair],
    customers: Sequence[str] | None,
) -> tuple[dict[int, int], dict[int, int]]:
    """The pairs by whole bits; and those of them that are of two customers."""
    prepared = {party: scorer.prepare(profile) for party, profile in parties.items()}
    found, apart = Counter[int](), Counter[int]()
    for left, right in compared:
        weight = floor(scorer.weight(prepared[left], prepared[right]))
        found[weight] += 1
        if customers is not None and customers[int(left)] != customers[int(right)]:
            apart[weight] += 1
    return dict(sorted(found.items())), dict(sorted(apart.items()))
