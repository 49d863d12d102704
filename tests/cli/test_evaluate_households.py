"""`hub resolve evaluate-households`: figures, beside those of address and surname."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from hub.cli import app

ROWS = """last,street,town,card,home
Lee,12 High Street,Aberdeen,,h1
Lee,12 High St,Aberdeen,,h1
Kim,12 High Street,Aberdeen,7,h1
Kim,,,7,h1
Poole,9 Mill Lane,Aberdeen,,h2
Poole,9 Mill Lane,Aberdeen,,
"""
COLUMNS = ["family_name=last", "street=street", "city=town", "identifier=card"]
PSEUDOPEOPLE = [
    "given_name=first_name",
    "family_name=last_name",
    "street=street_number+street_name+unit_number",
    "postal_code=zipcode",
    "city=city",
    "region=state",
]
"""As stated before the figures were known; what the columns are called says what they are."""


def run(file: Path, columns: list[str], truth: str) -> tuple[int, str]:
    given = [part for column in columns for part in ("--column", column)]
    asked = ["resolve", "evaluate-households", str(file), *given, "--truth", truth]
    found = CliRunner().invoke(app, asked, env={"COLUMNS": "160"})
    return found.exit_code, " ".join((found.stdout + found.stderr).split())


def figures(said: str, way: str) -> list[tuple[float, ...]]:
    """Precision, recall and F1 in each table."""
    numbers = re.findall(rf"│ {way} │ ([\d.]+) │ ([\d.]+) │ ([\d.]+) │", said)
    return [tuple(map(float, row)) for row in numbers]


def test_households_are_measured_beside_address_and_surname(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(ROWS)
    code, said = run(file, COLUMNS, "home")
    assert code == 0, said
    assert figures(said, "households") == [(1.0, 0.5, 0.6667)]
    assert figures(said, "address and surname, as written") == [(1.0, 0.0, 0.0)]
    assert figures(said, "address and surname, in normal form") == [(1.0, 0.1667, 0.2857)]
    assert "5 people, 1 households found" in said


def test_homes_and_barracks_are_counted_apart(tmp_path: Path) -> None:
    crowd = "".join(f"Family{n},1 Barrack Road,Aberdeen,,b\n" for n in range(60))
    file = tmp_path / "people.csv"
    file.write_text(ROWS + crowd)
    code, said = run(file, COLUMNS, "home")
    assert code == 0, said
    assert "without 1 of more than 50 people" in said
    assert figures(said, "households") == [(1.0, 0.5, 0.6667), (1.0, 0.0017, 0.0034)]


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(ROWS)
    code, said = run(file, COLUMNS, "household")
    assert code == 2
    assert "has no column household" in said


def test_pseudopeople_are_found_better_than_by_address_and_surname(shared: Path) -> None:
    file = shared / "data" / "resolution" / "pseudopeople_people.parquet"
    code, said = run(file, PSEUDOPEOPLE, "household_id")
    assert code == 0, said
    ours, *plain = (
        figures(said, way)
        for way in (
            "households",
            "address and surname, as written",
            "address and surname, in normal form",
        )
    )
    for each in plain:
        assert all(mine[2] > theirs[2] + 0.01 for mine, theirs in zip(ours, each, strict=True))
    (precision, _, f1), _ = ours
    assert precision > 0.99
    assert f1 > 0.8
