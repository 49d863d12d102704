"""`hub resolve train`: a model learnt from an organisation's own records, and what to look at before it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hub import commands
from hub.cli.common import opened, operator, out
from hub.cli.records import ROLES, columns_of, fault, kind_of, role_values, rows_of
from hub.graph.resolution.learning import learn
from hub.graph.resolution.models import ModelSettings
from hub.graph.resolution.profiles import Kind, Profile, profile_of
from hub.graph.resolution.sampling import Sample
from hub.graph.resolution.training import TrainingReport

CHART_FILE = "thresholds.svg"

LEAST_SHOWN = -20
"""Bits from which the chart begins: pairs below are no matches, a million to one."""


def train(
    folder: Annotated[Path, typer.Option("--out", help="Folder of the model; it must not exist yet.")],
    file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="CSV, JSON lines or Parquet file, a record a row; no labels. Otherwise the profiles of the store.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="ROLE=COLUMN, again for each; columns joined by + are written one after the other. Without it the"
            f" columns are called as the roles: {', '.join(ROLES)}."
        ),
    ] = None,
    kind: Annotated[str, typer.Option(help="What the records are: person or organization.")] = "person",
    name: Annotated[str | None, typer.Option(help="Name of the model; otherwise that of its folder.")] = None,
    date: Annotated[
        list[str] | None,
        typer.Option(help="Form of dates, such as %d/%m/%Y, the first that fits; ISO needs none."),
    ] = None,
    splink: Annotated[
        bool, typer.Option("--splink", help="Let Splink estimate m and u in its own way.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the random pairs that Splink draws, and of the sample.")] = 1,
    sample: Annotated[
        int, typer.Option(min=2, help="About how many profiles of the store to learn from: whole customers.")
    ] = 100_000,
) -> None:
    """Learn a model from records of which no truth is known; show what it learnt.

    Without --from these are the profiles of the hub's own store, which leaves an audit event.
    """
    of_kind = kind_of(kind)
    if folder.exists():
        raise fault(str(folder), "exists already", "the name of a new folder")
    splink_seed = seed if splink else None
    if file is None:
        found = _from_store(of_kind, sample, seed)
        trained = learn(
            of_kind,
            found.profiles,
            name or folder.name,
            splink_seed=splink_seed,
            customers=found.customers,
            share=found.share,
        )
    else:
        profiles = _from_file(of_kind, file, columns_of(column or []), date or [])
        trained = learn(of_kind, profiles, name or folder.name, splink_seed=splink_seed)
    trained.write(folder)
    (folder / CHART_FILE).write_text(threshold_svg(trained.report, trained.settings), encoding="utf-8")
    _print(trained.report)
    out.print(f"{folder} holds the model; its frequencies are values of people, readable by you alone")


def _from_file(
    kind: Kind, file: Path, given: Mapping[str, list[list[str]]], forms: Sequence[str]
) -> list[Profile]:
    wanted = {part for values in given.values() for value in values for part in value}
    rows = rows_of(file, wanted)
    columns = given or {role: [[role]] for role in ROLES if rows and role in rows[0]}
    return [profile_of(kind, role_values(row, columns, forms)) for row in rows]


def _from_store(kind: Kind, about: int, seed: int) -> Sample:
    with opened() as services:
        return commands.match_sample(services, operator(services), kind, about=about, seed=seed)


def _print(report: TrainingReport) -> None:
    table = Table("comparison", "level", title=f"{report.records:,} records, prior {report.prior:.2f} bits")
    for heading in ("m", "u", "bits"):
        table.add_column(heading, justify="right")
    before = ""
    for level in report.levels:
        shown = level.comparison if level.comparison != before else ""
        table.add_row(shown, level.level, _share(level.m), _share(level.u), f"{level.weight:+.2f}")
        before = level.comparison
    out.print(table)
    if report.unseen:
        out.print(f"{len(report.unseen)} levels were never seen; Splink's defaults stand in", style="yellow")
    for bits, pairs in _shown(report.pairs_from):
        if bits % 5 == 0:
            apart = f", {report.apart_from[bits]:,} of them kept apart now" if report.apart_from else ""
            out.print(f"from {bits:+d} bits on: {pairs:,} pairs{apart}")


def _shown(chart: Mapping[int, int]) -> list[tuple[int, int]]:
    """The part of a threshold chart that says something: with the pairs that are no matches left out."""
    counts = sorted(chart.items())
    return [each for each in counts if each[0] >= LEAST_SHOWN] or counts[-1:]


def _share(value: float | None) -> str:
    return "never seen" if value is None else f"{value:.3g}"


# The chart: plain SVG text, so that nothing has to be installed to draw it.

_WIDTH, _HEIGHT, _MARGIN = 640, 400, 60


def threshold_svg(report: TrainingReport, settings: ModelSettings) -> str:
    """An SVG of how many pairs weigh at least so many bits, by bits, with the weights of review and merge."""
    counts = _shown(report.pairs_from)
    (first, most), last = counts[0], max(counts[-1][0], counts[0][0] + 1)

    def x(bits: float) -> float:
        return _MARGIN + (_WIDTH - 2 * _MARGIN) * (min(max(bits, first), last) - first) / (last - first)

    def y(pairs: float) -> float:
        return _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * pairs / most

    def mark(bits: float, name: str, colour: str) -> str:
        return (
            f'<path d="M{x(bits):.1f} {_MARGIN}V{_HEIGHT - _MARGIN}" stroke="{colour}" stroke-dasharray="4"/>'
            f'<text x="{x(bits) + 4:.1f}" y="{_MARGIN + 12}" fill="{colour}">{name} {bits:g}</text>'
        )

    def line(chart: Mapping[int, int], colour: str) -> str:
        points = " ".join(f"{x(bits):.1f},{y(pairs):.1f}" for bits, pairs in _shown(chart))
        return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'

    kept = line(report.apart_from, "#888888") if report.apart_from else ""
    title = "pairs of at least so many bits" + (", in grey those kept apart now" if kept else "")
    ticks = "".join(
        f'<text x="{x(bits):.1f}" y="{_HEIGHT - _MARGIN + 18}" text-anchor="middle">{bits}</text>'
        for bits in range(first, last + 1)
        if bits % 10 == 0
    ) + "".join(
        f'<text x="{_MARGIN - 6}" y="{y(pairs):.1f}" text-anchor="end">{pairs:,}</text>'
        for pairs in (0, most)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif"'
        f' font-size="12"><path d="M{_MARGIN} {_MARGIN}V{_HEIGHT - _MARGIN}H{_WIDTH - _MARGIN}" fill="none"'
        f' stroke="#888"/>{ticks}{line(report.pairs_from, "#1b6ca8")}{kept}'
        f"{mark(settings.review_weight, 'review', '#b8860b')}{mark(settings.merge_weight, 'merge', '#c0392b')}"
        f'<text x="{_WIDTH // 2}" y="{_HEIGHT - 12}" text-anchor="middle">{title}</text></svg>\n'
    )
