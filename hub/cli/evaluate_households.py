"""`hub resolve evaluate-households`: how well households are found among people of whom the truth is known.

Nothing is stored: each record stands for a person, and the code that the hub itself uses looks for households. In the
same run the same records are grouped by address and surname alone, which is what households are to be better than.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from anyascii import anyascii
from rich.table import Table

from hub.cli.common import out
from hub.cli.records import IDENTIFIER, columns_of, role_values, rows_of
from hub.graph.households import CROWD, home_of, households
from hub.graph.resolution.evaluation import pairwise
from hub.graph.resolution.profiles import Profile, profile_of

_AS_WRITTEN = ("family_name", "street", "postal_code", "city")
_PARTS = ("family", "street", "house", "unit", "postal_code", "city")


def evaluate_households(
    labels: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet file, a person a row.")],
    column: Annotated[
        list[str],
        typer.Option(
            help="ROLE=COLUMN as in `hub resolve evaluate`; identifier=COLUMN for accounts and cards."
        ),
    ],
    truth: Annotated[
        str, typer.Option(help="Column that says in which household a person lives.")
    ] = "household_id",
) -> None:
    """Measure precision, recall and F1 of households, and of address and surname alone, on the same records."""
    columns, values, truths = columns_of(column), {}, {}
    wanted = {truth, *(name for parts in columns.values() for part in parts for name in part)}
    for number, row in enumerate(rows_of(labels, wanted)):
        if (true := row[truth]) is not None:
            values[f"{number:09}"] = role_values(row, columns, ())
            truths[f"{number:09}"] = true
    profiles = {person: profile_of("person", stated) for person, stated in values.items()}
    started = time.perf_counter()
    homes = [home_of(person, each, values[person].get(IDENTIFIER, ())) for person, each in profiles.items()]
    found = [home.people for home in households(homes)]
    seconds = time.perf_counter() - started
    ways: dict[str, Iterable[Collection[str]]] = {
        "households": found,
        "address and surname, as written": by_address_and_surname(values),
        "address and surname, in normal form": _grouped(profiles, _PARTS),
    }
    _print(ways, truths)
    out.print(f"{len(homes):,} people, {len(found):,} households found in {seconds:.1f} s")


def by_address_and_surname(
    people: Mapping[str, Mapping[str, Sequence[str]]],
) -> list[list[str]]:
    """People of one surname, street, postal code and town, but for case, accents and punctuation."""
    written = {
        person: {role: _folded(" ".join(stated.get(role, ()))) for role in _AS_WRITTEN}
        for person, stated in people.items()
    }
    return _grouped(written, _AS_WRITTEN)


def _grouped(people: Mapping[str, Profile | Mapping[str, str]], parts: Sequence[str]) -> list[list[str]]:
    """People alike in all parts, of whom name and street, the first two, are known."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for person, stated in people.items():
        key = tuple(str(stated.get(part, "")) for part in parts)
        if key[0] and key[1]:
            groups[key].append(person)
    return list(groups.values())


def _folded(text: str) -> str:
    return "".join(letter for letter in anyascii(text).casefold() if letter.isalnum())


def _print(ways: Mapping[str, Iterable[Collection[str]]], truths: Mapping[str, str]) -> None:
    sizes = Counter(truths.values())
    small = {person: home for person, home in truths.items() if sizes[home] <= CROWD}
    homes = len(sizes) - len(set(small.values()))
    shown = {"all": truths}
    if homes:
        shown = {f"without {homes} of more than {CROWD} people, such as homes and barracks": small, **shown}
    for label, truth in shown.items():
        table = Table("", title=label, title_justify="left")
        for heading in ("precision", "recall", "F1"):
            table.add_column(heading, justify="right")
        for way, groups in ways.items():
            quality = pairwise(groups, truth)
            figures = (quality.precision, quality.recall, quality.f1)
            table.add_row(way, *(f"{figure:.4f}" for figure in figures))
        out.print(table)
