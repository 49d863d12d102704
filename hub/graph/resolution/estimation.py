"""m, u and the prior of a model out of records without labels: expectation maximisation over all blocked pairs at once.

Splink's own way trains on one block at a time and leaves out the comparisons that the block's columns decide, then
averages. That has two costs which were measured (docs/resolution-quality.md): what is trained in a block of family
names takes a household for a match, and u from random pairs counts the matches among them. Here

* the pairs are those that any blocking rule finds, all comparisons learn from all of them, and the prior stays that of
  *all* pairs: a pair that no rule finds is taken for no match;
* u is made of both: of the blocked pairs as far as they are no matches, and of a sample of those that no rule finds.

The result is an ordinary Splink model.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

RANDOM_PAIRS = 2_000_000
"""Random pairs that u is read from; all pairs where there are no more."""

_ROUNDS = 200
_CONVERGED = 1e-5
"""The largest change of any m at which estimation ends."""

_FIRST_M = 0.8
"""What the best level is thought to take of the matches before anything was seen; the others share the rest."""

_UNSEEN = 0.5
"""Sampled pairs that a level is credited with which none of them took: fewer than one."""

_LEAST_M = 1e-4
"""A level that no match took may still take one."""

Counts = Mapping[tuple[int, ...], int]
"""Levels that pairs took (-1 where a value is unknown), and how many pairs took just these."""

Joint = tuple[int, int, int | None]
"""Places of a joint comparison and of the comparisons of its two parts alone; the second may not be compared."""

Levels = tuple[tuple[float, ...], ...]
"""For each comparison a probability for each of its levels."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What matches and others show: for each comparison the shares of its levels."""

    prior: float
    """The share of matches among all pairs of records."""
    m: Levels
    u: Levels
    rounds: int


def estimate(
    blocked: Counts,
    others: Counts,
    pairs: int,
    sizes: Sequence[int],
    records: int,
    joints: Sequence[Joint] = (),
) -> Estimate:
    """The estimate for comparisons of `sizes` levels, out of `pairs` pairs of `records` records in all.

    `blocked` are all pairs that blocking finds, `others` a sample of the rest.
    """
    patterns = sorted(blocked.items())
    scale = max(pairs - sum(blocked.values()), 0) / max(sum(others.values()), 1)
    strangers = [
        [scale * max(count, _UNSEEN) for count in counts]
        for counts in _pooled(_marginals(others, sizes), joints)
    ]
    compared = _pooled(_marginals(blocked, sizes), joints)
    m: Levels = tuple(_first(size) for size in sizes)
    u = _u(strangers, compared, [[0.0] * size for size in sizes])
    prior = min(0.25, 0.3 * records / pairs)
    done = 0
    while done < _ROUNDS:
        done += 1
        expected, taken = _expected(patterns, prior, m, u)
        matched = _pooled(taken, joints)
        new = tuple(_shares(each) for each in matched)
        change = max(
            abs(a - b) for old, now in zip(m, new, strict=True) for a, b in zip(old, now, strict=True)
        )
        m, prior = new, min(max(expected / pairs, 1 / pairs), 0.5)
        u = _u(strangers, compared, matched)
        if change < _CONVERGED:
            break
    return Estimate(prior, m, u, done)


def count_labelled(
    blocked: Counts,
    others: Counts,
    matches: Counts,
    pairs: int,
    sizes: Sequence[int],
    joints: Sequence[Joint] = (),
) -> Estimate:
    """What `estimate` looks for, counted, where it is known which of the blocked pairs are `matches`."""
    scale = max(pairs - sum(blocked.values()), 0) / max(sum(others.values()), 1)
    strangers = [
        [scale * max(count, _UNSEEN) for count in counts]
        for counts in _pooled(_marginals(others, sizes), joints)
    ]
    matched = _pooled(_marginals(matches, sizes), joints)
    u = _u(strangers, _pooled(_marginals(blocked, sizes), joints), matched)
    return Estimate(sum(matches.values()) / pairs, tuple(_shares(each) for each in matched), u, 0)


def _marginals(counts: Counts, sizes: Sequence[int]) -> list[list[float]]:
    return [_marginal(counts, place, size) for place, size in enumerate(sizes)]


def _pooled(counts: Sequence[Sequence[float]], joints: Sequence[Joint]) -> list[list[float]]:
    """`counts`, with those of joint comparisons added to the comparisons of their parts alone.

    A part alone counts only where the other is unknown, which may be so rarely that nothing could be learnt there.
    """
    pooled = [list(each) for each in counts]
    for joint, rows, columns in joints:
        width = len(counts[joint]) // len(counts[rows])
        for level, count in enumerate(counts[joint]):
            pooled[rows][level // width] += count
            if columns is not None:
                pooled[columns][level % width] += count
    return pooled


def _first(size: int) -> tuple[float, ...]:
    return (_FIRST_M, *[(1 - _FIRST_M) / (size - 1)] * (size - 1)) if size > 1 else (1.0,)


def _marginal(counts: Counts, place: int, size: int) -> list[float]:
    found = [0.0] * size
    for levels, count in counts.items():
        if levels[place] >= 0:
            found[levels[place]] += count
    return found


def _shares(counts: Sequence[float]) -> tuple[float, ...]:
    total = sum(counts)
    if not total:
        return _first(len(counts))
    raised = [max(count / total, _LEAST_M) for count in counts]
    return tuple(share / sum(raised) for share in raised)


def _u(
    strangers: Sequence[Sequence[float]],
    compared: Sequence[Sequence[float]],
    matched: Sequence[Sequence[float]],
) -> Levels:
    """The shares of levels among pairs that are no matches, blocked or not."""
    found = []
    for place, counts in enumerate(strangers):
        sides = zip(counts, compared[place], matched[place], strict=True)
        others = [max(count + blocked - matches, 1e-9) for count, blocked, matches in sides]
        found.append(tuple(count / sum(others) for count in others))
    return tuple(found)


def _expected(
    patterns: Sequence[tuple[tuple[int, ...], int]], prior: float, m: Levels, u: Levels
) -> tuple[float, list[list[float]]]:
    """How many of the pairs are matches, and which levels these take."""
    start = math.log(prior / (1 - prior))
    bits = [[math.log(a / b) for a, b in zip(ms, us, strict=True)] for ms, us in zip(m, u, strict=True)]
    counts = [[0.0] * len(each) for each in m]
    total = 0.0
    for levels, number in patterns:
        weight = start + sum(bits[place][level] for place, level in enumerate(levels) if level >= 0)
        expected = number / (1 + math.exp(-weight)) if weight > -50 else 0.0
        total += expected
        for place, level in enumerate(levels):
            if level >= 0:
                counts[place][level] += expected
    return total, counts


def fit(
    connection: duckdb.DuckDBPyConnection,
    settings: Mapping[str, Any],
    table: str,
    pairs: str,
    rarities: Collection[str] = (),
    joints: Mapping[str, tuple[str, str]] | None = None,
    matches: str = "",
) -> dict[str, Any]:
    """Splink's `settings` with m, u and prior from the records of `table` (with `unique_id` from 0 on).

    `pairs` names a table of the blocked pairs' ids (`l`, `r`). A comparison named in `rarities` weighs only how rare an
    equal value is: its m is the chance that two records have the same value, its u the frequency of a value that one
    record in all has. Splink's adjustment then puts a value's own frequency in the place of u, and a value without a
    known frequency counts as the rarest. `joints` names joint comparisons with the comparisons of their parts alone.
    `matches` names a table of those of the pairs that are known to be matches, which only generated records have.
    """
    ((records,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    learning = [each for each in settings["comparisons"] if each["output_column_name"] not in rarities]
    sizes = [sum(not level.get("is_null_level") for level in each["comparison_levels"]) for each in learning]
    everything = records * (records - 1) // 2
    blocked = _counts(connection, learning, table, pairs)
    others = _counts(connection, learning, table, _random_pairs(table, pairs, records))
    places = _joints(learning, joints or {})
    if matches:
        known = _counts(connection, learning, table, matches)
        found = count_labelled(blocked, others, known, everything, sizes, places)
    else:
        found = estimate(blocked, others, everything, sizes, records, places)
    fitted = {
        each["output_column_name"]: (m, u) for each, m, u in zip(learning, found.m, found.u, strict=True)
    }
    comparisons = [
        _filled(each, *(fitted.get(each["output_column_name"]) or equal_shares(connection, each, table)))
        for each in settings["comparisons"]
    ]
    return {**settings, "comparisons": comparisons, "probability_two_random_records_match": found.prior}


def _joints(comparisons: Sequence[Mapping[str, Any]], joints: Mapping[str, tuple[str, str]]) -> list[Joint]:
    places = {comparison["output_column_name"]: place for place, comparison in enumerate(comparisons)}
    return [
        (places[joint], places[rows], places.get(columns))
        for joint, (rows, columns) in joints.items()
        if joint in places
    ]


def _filled(comparison: Mapping[str, Any], m: Sequence[float], u: Sequence[float]) -> dict[str, Any]:
    shares = iter(zip(m, u, strict=True))
    levels = [
        level
        if level.get("is_null_level")
        else {**level, **dict(zip(("m_probability", "u_probability"), next(shares), strict=True))}
        for level in comparison["comparison_levels"]
    ]
    return {**comparison, "comparison_levels": levels}


def equal_shares(
    connection: duckdb.DuckDBPyConnection, comparison: Mapping[str, Any], table: str
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The m and u of a comparison that only tells how rare a value is, as `fit` says."""
    column = next(
        level["tf_adjustment_column"]
        for level in comparison["comparison_levels"]
        if "tf_adjustment_column" in level
    )
    query = (
        "SELECT sum(n * n) / (sum(n) * sum(n)), sum(n)"
        f" FROM (SELECT count(*)::DOUBLE AS n FROM {table} WHERE {column} IS NOT NULL GROUP BY {column})"
    )
    ((share, held),) = connection.execute(query).fetchall()
    equal, rarest = min(share or 0.5, 0.5), min(1 / max(held or 2, 2), 0.5)
    return (equal, 1 - equal), (rarest, 1 - rarest)


def _random_pairs(table: str, pairs: str, records: int) -> str:
    """A query of random pairs that are not in `pairs`: the same for the same records, all if they are few."""
    if records * (records - 1) // 2 <= RANDOM_PAIRS:
        drawn = f"SELECT a.unique_id AS l, b.unique_id AS r FROM {table} a JOIN {table} b ON a.unique_id < b.unique_id"
    else:
        drawn = (
            "SELECT least(x, y) AS l, greatest(x, y) AS r FROM"
            f" (SELECT (hash(2 * n) % {records})::BIGINT AS x, (hash(2 * n + 1) % {records})::BIGINT AS y"
            f" FROM range({RANDOM_PAIRS}) AS numbers(n)) WHERE x <> y"
        )
    return f"(SELECT * FROM ({drawn}) AS drawn ANTI JOIN {pairs} AS known ON known.l = drawn.l AND known.r = drawn.r)"


def _counts(
    connection: duckdb.DuckDBPyConnection, comparisons: Sequence[Mapping[str, Any]], table: str, pairs: str
) -> dict[tuple[int, ...], int]:
    """The levels that pairs take, with how many take them."""
    names = [name for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall()]
    sides = ", ".join(
        f"{side}.{name} AS {name}_{mark}" for name in names for side, mark in (("a", "l"), ("b", "r"))
    )
    taken = ", ".join(
        f"{_level_taken(comparison)} AS taken_{place}" for place, comparison in enumerate(comparisons)
    )
    query = (
        f"SELECT count(*), {taken} FROM (SELECT {sides} FROM {pairs} AS pair"
        f" JOIN {table} a ON a.unique_id = pair.l JOIN {table} b ON b.unique_id = pair.r) GROUP BY ALL"
    )
    return {tuple(levels): count for count, *levels in connection.execute(query).fetchall()}


def _level_taken(comparison: Mapping[str, Any]) -> str:
    cases, number = [], -1
    for level in comparison["comparison_levels"]:
        if level.get("is_null_level"):
            cases.append(f"WHEN {level['sql_condition']} THEN -1")
            continue
        number += 1
        condition = level["sql_condition"]
        cases.append(f"ELSE {number}" if condition == "ELSE" else f"WHEN {condition} THEN {number}")
    return f"CASE {' '.join(cases)} END"
