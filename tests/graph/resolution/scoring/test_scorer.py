"""What a model says besides its conditions: defaults, frequencies, sides; and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import ConfigurationError
from tests.graph.resolution.scoring.oracle import ask_splink, level, model_of, scorer_of

NAMES = """SELECT * FROM (VALUES ('0', NULL, 'x'), ('1', 'anna', 'x'), ('2', 'anna', NULL), ('3', 'anne', 'x'),
    ('4', 'ANNA', 'y'),
    ('5', NULL, 'y'), ('6', 'bob', ''), ('7', 'Müller', ''), ('8', 'Muller', 'x'), ('9', 'rob', 'rob'))
    AS names(id, a, b)"""

NULL = level("a_l IS NULL OR a_r IS NULL", None, None, is_null_level=True)
EXACT = "a_l = a_r"
NEAR = "jaro_winkler_similarity(a_l, a_r) >= 0.8"
TF = {"tf_adjustment_column": "a"}

MODELS: dict[str, list[list[dict[str, Any]]]] = {
    "levels never observed take Splink's defaults": [
        [NULL, level(EXACT, None, None), level(NEAR, None, 0.1), level("levenshtein(a_l, a_r) <= 4", 0.2, None)],
        [NULL, level(EXACT, None, None)],
        [level(EXACT, 0.9, None), level("b_l = b_r", None, 0.3)],
    ],
    "frequencies count on an exact match": [[NULL, level(EXACT, 0.9, 0.1, **TF)]],
    "frequencies count on a fuzzy level, against u of the exact one": [
        [NULL, level(EXACT, 0.9, 0.01, **TF), level(NEAR, 0.8, 0.3, **TF)]
    ],
    "frequencies count against the level's own u": [
        [NULL, level(NEAR, 0.8, 0.3, **TF, disable_tf_exact_match_detection=True)]
    ],
    "frequencies have a weight": [[NULL, level(EXACT, 0.9, 0.1, **TF, tf_adjustment_weight=0.5)]],
    "frequencies have a least value": [[NULL, level(EXACT, 0.9, 0.1, **TF, tf_minimum_u_value=0.3)]],
    "one record's frequency stands for both, none for none": [
        [level(EXACT, 0.9, 0.1), level("b_l = b_r OR b_l = 'x'", 0.7, 0.2, **TF), level(NEAR, 0.6, 0.2, **TF)]
    ],
    "an exact match within a conjunction has its frequency": [
        [level(EXACT, 0.9, 0.1), level("b_l = b_r AND a_l = a_r", 0.8, 0.1, **TF), level("b_l = b_r", 0.5, 0.1, **TF)]
    ],
    "a likeness is asked for first where something else must hold": [
        [
            NULL,
            level("b_l = b_r AND jaro_winkler_similarity(a_l, a_r) >= 0.9", 0.9, 0.1),
            level("b_l IS NULL OR jaro_winkler_similarity(a_l, a_r) >= 0.85", 0.8, 0.1),
            level("jaro_winkler_similarity(a_l, a_r) >= 0.5", 0.7, 0.2),
        ]
    ],
    "the record of the lower id is the left one": [[level("a_l = 'anna' AND a_r <> 'anna'", 0.9, 0.1)]],
    "m and u of zero are raised": [[NULL, level(EXACT, 1e-300, 1.0)]],
    "null levels may stand anywhere": [[level(EXACT, 0.9, 0.1), NULL, level(NEAR, 0.7, 0.2)]],
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_those_of_splink_where(name: str) -> None:
    oracle = ask_splink(model_of(*MODELS[name]), NAMES)
    assert len(oracle.pairs) == 45
    assert oracle.greatest_difference() <= 1e-9
    assert len({round(weight, 6) for *_, weight in oracle.pairs}) > 1


def test_a_value_that_no_table_knows_is_not_adjusted() -> None:
    scorer = scorer_of(model_of([level(EXACT, 0.5, 0.25, **TF)]), frequencies={"a": {"anna": 0.125}})
    known, unknown = ({"a": name} for name in ("anna", "zoë"))
    assert scorer.explain(known, known).comparisons[0].frequency == 1
    assert scorer.explain(unknown, unknown).comparisons[0].frequency == 0


def test_a_model_counts_code_points_or_bytes() -> None:
    model = model_of([level("levenshtein(a_l, a_r) <= 1")])
    pair = {"a": "Müller"}, {"a": "Moller"}
    taken = {
        text: scorer_of(model, text=text).explain(*pair).comparisons[0].level
        for text in ("code_points", "utf8_bytes")
    }
    assert taken == {"code_points": "levenshtein(a_l, a_r) <= 1", "utf8_bytes": "ELSE"}


def test_an_explanation_shows_no_values() -> None:
    scorer = scorer_of(model_of([level(EXACT)]), frequencies={"a": {"Wilhelmina": 0.5}})
    assert "Wilhelmina" not in repr(scorer.explain({"a": "Wilhelmina"}, {"a": "Wilhelmina"}))


REFUSED = {
    "soundex(a_l) = soundex(a_r)": "'soundex' is not supported",
    "array_cosine_similarity(a_l, a_r) >= 0.9": "'array_cosine_similarity' is not supported",
    "lower(a_l || a_r) = 'x'": "not supported of both records at once",
    "a = 'x'": "column 'a' is of neither record",
    "a_l LIKE 'x%'": "as a condition is not supported",
    "a_l IN ('x', 'y')": "as a condition is not supported",
    "a_l": "as a condition is not supported",
    "a_l = 1": "a text is compared with a number",
    "abs(a_l - a_r) <= 1": "gives a text, expected a number",
    "epoch(a_l) = epoch(a_r)": "EPOCH of a text",
    "try_strptime(a_l, '%B %d') = try_strptime(a_r, '%B %d')": "%B in a time format",
    "regexp_extract(a_l, '(?=x)', 0) = 'x'": "in a regular expression is not supported",
    "regexp_extract(a_l, '[[:alpha:]]', 0) = 'x'": "of a regular expression is not supported",
    "regexp_extract(a_l, '\\pL', 0) = 'x'": "in a regular expression is not supported",
    "regexp_extract(a_l, a_r, 0) = 'x'": "not supported of both records at once",
    "CAST(a_l AS INT) = CAST(a_r AS INT)": "CAST of a text AS INT",
    "substring(a_l, -2) = 'x'": "less than 1",
    "array_length(list_intersect(a_l, a_r)) >= 1": "a text stands where a list is expected",
    "a_l = ": "is not one SQL expression",
}


@pytest.mark.parametrize("condition", REFUSED)
def test_a_level_that_is_not_supported_is_refused_by_its_name(condition: str) -> None:
    model = model_of([level(condition, label_for_charts="the odd one")])
    with pytest.raises(ConfigurationError) as caught:
        scorer_of(model)
    assert "comparisons.c0.comparison_levels[0]: level 'the odd one': " in str(caught.value)
    assert REFUSED[condition] in str(caught.value)


def test_every_level_that_is_not_supported_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        scorer_of(model_of([level("soundex(a_l) = 'x'"), level("a_l LIKE 'x'")], [level("a_l IN ('x')")]))
    assert len(caught.value.faults) == 3


def test_a_comparison_without_else_or_a_frequency_without_an_exact_match_is_refused() -> None:
    model = model_of([level(EXACT)])
    model["comparisons"][0]["comparison_levels"].pop()
    with pytest.raises(ConfigurationError, match="does not end with its only ELSE level"):
        scorer_of(model)
    with pytest.raises(ConfigurationError, match="no level is an exact match on 'a'"):
        scorer_of(model_of([level(NEAR, **TF)]))
