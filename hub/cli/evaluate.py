"""`hub resolve evaluate`: how well a model finds the customers among records of which the truth is known.

Nothing is stored and no store is opened: the records are resolved in memory, by the code that the hub itself uses.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.table import Table

from hub.cli.common import out
from hub.cli.records import IDENTIFIER, ROLES, columns_of, fault, kind_of, role_values, rows_of
from hub.graph.resolution import evaluation
from hub.graph.resolution.clusters import Pair, pair_of
from hub.graph.resolution.evaluation import Quality, Resolved
from hub.graph.resolution.learning import learn
from hub.graph.resolution.models import MatchModel, compiled, load_model, shipped_models
from hub.graph.resolution.profiles import Kind, Profile, profile_of
from hub.graph.resolution.scoring import SplinkModel

_STEPS = [step / 2 for step in range(-20, 61)]
"""Weights in bits that the plot shows."""


@dataclass(frozen=True, slots=True)
class _Records:
    """What was read: party -> role -> values, and what is known of them."""

    values: Mapping[str, Mapping[str, Sequence[str]]]
    truth: Mapping[str, str]
    """Party -> what it truly is."""
    labels: Mapping[Pair, bool]
    """Instead, pairs of parties and whether they are the same."""


def evaluate(
    labels: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet file, a record a row.")],
    column: Annotated[
        list[str],
        typer.Option(
            help=f"ROLE=COLUMN, again for each; columns joined by + are written in a row."
            f" Roles: {', '.join([*ROLES, IDENTIFIER])}."
        ),
    ],
    kind: Annotated[
        str, typer.Option(help=f"What the records are: {' or '.join(get_args(Kind))}.")
    ] = "person",
    truth: Annotated[
        str, typer.Option(help="Column that says who a record is about; with --pairs, its id.")
    ] = "entity_id",
    pairs: Annotated[
        Path | None,
        typer.Option(help="File of labelled pairs, columns left, right (ids) and same (true or false)."),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Folder of a model; otherwise the shipped one.")] = None,
    learnt: Annotated[
        bool, typer.Option("--learn", help="A model learnt from these records, without labels.")
    ] = False,
    date: Annotated[
        list[str] | None,
        typer.Option(help="Form of dates, such as %d/%m/%Y, the first that fits; ISO needs none."),
    ] = None,
    merge_weight: Annotated[
        float | None, typer.Option(help="Bits to merge at, instead of the model's.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="SVG file: precision and recall of pairs by weight.")
    ] = None,
) -> None:
    """Measure precision, recall and F1 of a model on records of which the truth is known."""
    of_kind = kind_of(kind)
    records = _read(labels, columns_of(column), truth, date or [], pairs)
    profiles = {party: profile_of(of_kind, values) for party, values in records.values.items()}
    started = time.perf_counter()
    found = _learnt(of_kind, profiles) if learnt else _model(of_kind, model)
    trained = time.perf_counter()
    strong = {party: values.get(IDENTIFIER, ()) for party, values in records.values.items()}
    resolved = evaluation.in_memory(profiles, found, strong, merge_weight)
    seconds = time.perf_counter() - trained
    _print(found, resolved, records, merge_weight)
    learning = f" after {trained - started:.1f} s of learning" if learnt else ""
    out.print(
        f"{len(profiles):,} records, {len(resolved.compared):,} pairs compared in {seconds:.1f} s{learning}"
    )
    if plot:
        plot.write_text(precision_recall_svg(_thresholds(resolved, records)))


def _print(model: MatchModel, resolved: Resolved, records: _Records, merge_weight: float | None) -> None:
    at = model.settings.merge_weight if merge_weight is None else merge_weight
    joined = {pair for pair, weight in resolved.compared.items() if weight >= at}
    table = Table("", title=f"{model.settings.name}, merging from {at:g} bits", title_justify="left")
    for heading in ("precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    for label, quality in _measured(resolved, joined, records).items():
        table.add_row(label, *(f"{value:.4f}" for value in (quality.precision, quality.recall, quality.f1)))
    out.print(table)
    compared, truth = resolved.compared, records.truth
    recall = (
        evaluation.of_labels(compared.keys(), records.labels).recall
        if records.labels
        else evaluation.blocking_recall(compared, truth)
    )
    out.print(f"blocking recall {recall:.4f}")
    alarm = evaluation.over_merge(resolved.customers, truth)
    mixed = f"most true customers in one {alarm.largest_mixture}"
    quiet = alarm.is_quiet
    if records.labels:
        wrong = [
            pair for pair in evaluation.within(resolved.customers, records.labels) if not records.labels[pair]
        ]
        mixed, quiet = f"pairs in one that are not the same {len(wrong)}", quiet and not wrong
    out.print(
        f"largest customer {alarm.largest} parties, {alarm.many_parties} of more than {evaluation.MANY_PARTIES},"
        f" {mixed}",
        style="" if quiet else "yellow",
    )


def _measured(resolved: Resolved, joined: Collection[Pair], records: _Records) -> dict[str, Quality]:
    customers, truth, labels = resolved.customers, records.truth, records.labels
    if labels:
        return {
            "pairs as scored": evaluation.of_labels(joined, labels),
            "pairs in customers": evaluation.of_labels(evaluation.within(customers, labels), labels),
        }
    return {
        "pairs as scored": evaluation.of_edges(joined, truth),
        "pairs in customers": evaluation.pairwise(customers, truth),
        "B-cubed": evaluation.b_cubed(customers, truth),
    }


def _thresholds(resolved: Resolved, records: _Records) -> list[tuple[float, Quality]]:
    if not records.labels:
        return evaluation.thresholds(resolved.compared, records.truth, _STEPS)
    weights = resolved.compared
    return [
        (
            step,
            evaluation.of_labels(
                {pair for pair in records.labels if weights.get(pair, -inf) >= step}, records.labels
            ),
        )
        for step in _STEPS
    ]


def _model(kind: Kind, folder: Path | None) -> MatchModel:
    return load_model(folder) if folder else shipped_models()[kind]


def _learnt(kind: Kind, profiles: Mapping[str, Profile]) -> MatchModel:
    trained = learn(kind, profiles.values())
    model = SplinkModel.model_validate(trained.model)
    return compiled(trained.settings, model, trained.frequencies, digest="unsaved")


def _read(
    file: Path,
    columns: Mapping[str, list[list[str]]],
    truth: str,
    forms: Sequence[str],
    pairs: Path | None,
) -> _Records:
    wanted = {truth, *(name for values in columns.values() for value in values for name in value)}
    values, truths = {}, {}
    for number, row in enumerate(rows_of(file, wanted)):
        party = f"{number:09}"
        values[party] = role_values(row, columns, forms)
        if (true := row[truth]) is not None:
            truths[party] = true
    if pairs is None:
        return _Records(values, truths, {})
    return _Records(values, {}, _labels(pairs, {id_: party for party, id_ in truths.items()}))


def _labels(file: Path, parties: Mapping[str, str]) -> dict[Pair, bool]:
    """Labels of pairs by party; `parties` are those of the records' ids."""
    found: dict[Pair, bool] = {}
    for number, row in enumerate(rows_of(file, ("left", "right", "same")), 1):
        left, right = (parties.get(row[side] or "") for side in ("left", "right"))
        same = _SAME.get((row["same"] or "").lower())
        if left is None or right is None or same is None or left == right:
            raise fault(
                str(file), f"pair {number} makes no sense", "ids of two records, and same of true or false"
            )
        found[pair_of(left, right)] = same
    if not found:
        raise fault(str(file), "has no pairs", "a labelled pair a row")
    return found


_SAME = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


# The plot: plain SVG text, so that nothing has to be installed to draw it.

_WIDTH, _HEIGHT, _MARGIN = 640, 400, 50


def precision_recall_svg(steps: Sequence[tuple[float, Quality]]) -> str:
    """An SVG of precision and recall of the scored pairs by the weight that they are joined from."""
    first, last = steps[0][0], steps[-1][0]

    def point(weight: float, share: float) -> str:
        x = _MARGIN + (_WIDTH - 2 * _MARGIN) * (weight - first) / (last - first)
        return f"{x:.1f},{_HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * share:.1f}"

    def line(name: str, colour: str, row: int, shares: Sequence[float]) -> str:
        points = " ".join(point(step, share) for (step, _), share in zip(steps, shares, strict=True))
        return (
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'
            f'<text x="{_WIDTH - _MARGIN - 80}" y="{_HEIGHT - _MARGIN - 12 - 18 * row}" fill="{colour}">{name}</text>'
        )

    left, bottom, right = _MARGIN, _HEIGHT - _MARGIN, _WIDTH - _MARGIN
    ticks = "".join(
        f'<text x="{point(tick, 0).partition(",")[0]}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>'
        for tick in (first, 0, last)
    ) + "".join(
        f'<text x="{left - 8}" y="{point(first, share).partition(",")[2]}" text-anchor="end">{share:g}</text>'
        for share in (0, 0.5, 1)
    )
    lines = [
        line("precision", "#1b6ca8", 2, [quality.precision for _, quality in steps]),
        line("recall", "#c0392b", 1, [quality.recall for _, quality in steps]),
        line("F1", "#555555", 0, [quality.f1 for _, quality in steps]),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif"'
        f' font-size="12"><path d="M{left} {_MARGIN}V{bottom}H{right}" fill="none" stroke="#888"/>{ticks}'
        f'<text x="{_WIDTH // 2}" y="{_HEIGHT - 8}" text-anchor="middle">match weight in bits</text>'
        f"{''.join(lines)}</svg>\n"
    )
