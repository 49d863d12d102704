"""`hub resolve evaluate`: a labelled file in, figures out."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app

ROWS = """first,last,born,number,street,who
Robert,Marchbank,04/03/1961,12,High Street,p1
Bob,Marchbank,04/03/1961,12,High St,p1
Zelda,Quillfeather,17/11/1980,3,Dock Road,p2
Zelda,Quillfeather,17/11/1980,3,Dock Rd,p2
Ida,Poole,01/02/1955,9,Mill Lane,
"""
COLUMNS = ["given_name=first", "family_name=last", "birth_date=born", "street=number+street"]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labelled.csv"
    file.write_text(ROWS)
    return file


def run(file: Path, *options: str, columns: list[str] = COLUMNS) -> tuple[int, str]:
    given = [part for column in columns for part in ("--column", column)]
    found = CliRunner().invoke(app, ["resolve", "evaluate", str(file), *given, "--truth", "who", *options])
    return found.exit_code, " ".join((found.stdout + found.stderr).split())


def test_the_shipped_model_is_measured_against_the_labels(labels: Path, tmp_path: Path) -> None:
    plot = tmp_path / "quality.svg"
    code, said = run(labels, "--date", "%d/%m/%Y", "--plot", str(plot))
    assert code == 0, said
    assert "pairs in customers │ 1.0000 │ 1.0000 │ 1.0000" in said
    assert "blocking recall 1.0000" in said
    assert "5 records" in said
    lines = ET.parse(plot).getroot().findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 3


def test_merging_from_a_weight_that_nothing_has_finds_nothing(labels: Path) -> None:
    code, said = run(labels, "--merge-weight", "500")
    assert code == 0, said
    assert "pairs in customers │ 1.0000 │ 0.0000 │ 0.0000" in said


def test_a_strong_identifier_joins(labels: Path) -> None:
    for columns, figures in (
        (["family_name=last"], "pairs in customers │ 1.0000 │ 0.0000 │ 0.0000"),
        (["family_name=last", "identifier=who"], "pairs in customers │ 1.0000 │ 1.0000 │ 1.0000"),
    ):
        code, said = run(labels, columns=columns)
        assert code == 0, said
        assert figures in said


PAIRS = """left,right,same
1,2,true
4,3,true
1,3,false
5,3,true
"""


@pytest.fixture
def numbered(tmp_path: Path) -> Path:
    """The records by numbers of their own."""
    first, *rows = ROWS.splitlines()
    file = tmp_path / "numbered.csv"
    file.write_text("\n".join([f"{first},no", *(f"{row},{n}" for n, row in enumerate(rows, 1))]))
    return file


def measured(file: Path, pairs: str, *options: str) -> tuple[int, str]:
    labels = file.with_name("pairs.csv")
    labels.write_text(pairs)
    return run(file, "--pairs", str(labels), "--truth", "no", "--date", "%d/%m/%Y", *options)


def test_labelled_pairs_are_enough(numbered: Path, tmp_path: Path) -> None:
    plot = tmp_path / "quality.svg"
    code, said = measured(numbered, PAIRS, "--plot", str(plot))
    assert code == 0, said
    assert "pairs in customers │ 1.0000 │ 0.6667 │ 0.8000" in said
    assert "B-cubed" not in said
    assert "blocking recall 0.6667" in said
    assert "pairs in one that are not the same 0" in said
    assert "polyline" in plot.read_text()
    code, said = measured(numbered, "left,right,same\n2,1,false\n")
    assert "pairs as scored │ 0.0000 │ 1.0000 │ 0.0000" in said
    assert "pairs in one that are not the same 1" in said


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        ("left,right\n1,2\n", "has no column same"),
        ("left,right,same\n1,2,maybe\n", "pair 1 makes no sense"),
        ("left,right,same\n1,2,true\n1,9,true\n", "pair 2 makes no sense"),
        ("left,right,same\n1,1,true\n", "pair 1 makes no sense"),
        ("left,right,same\n", "has no pairs"),
    ],
)
def test_labels_of_pairs_that_make_no_sense_are_refused(numbered: Path, pairs: str, fault: str) -> None:
    code, said = measured(numbered, pairs)
    assert (code, fault in said) == (2, True)


def test_a_model_may_be_learnt_from_the_records_first(labels: Path) -> None:
    code, said = run(labels, "--learn")
    assert code == 0, said
    assert "s of learning" in said


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        (["nickname=first"], "is not ROLE=COLUMN"),
        (["given_name=forename"], "has no column forename"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_work(labels: Path, columns: list[str], fault: str) -> None:
    code, said = run(labels, columns=columns)
    assert code == 2
    assert fault in said


def test_a_file_that_cannot_be_read_is_refused_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "labelled.parquet"
    file.write_text("Robert Marchbank")
    code, said = run(file)
    assert code == 2
    assert "cannot be read" in said
    assert "Marchbank" not in said
