"""Training by Splink: what it finds, that it finds it again, and what it writes."""

from __future__ import annotations

import json
import random
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.errors import ConfigurationError
from hub.graph.resolution.learning import learn
from hub.graph.resolution.models import load_model
from hub.graph.resolution.training import TrainedModel

GIVEN = ["anna", "bert", "carla", "dieter", "emma", "frida", "georg", "hanna", "ingo", "jonas"]
FAMILY = [
    "abel",
    "bauer",
    "conrad",
    "dietz",
    "engel",
    "fuchs",
    "gruber",
    "huber",
    "illner",
    "jung",
    "kraus",
    "lang",
]


def people(number: int = 100, agreeing: float = 0.75) -> list[dict[str, Any]]:
    """People, each twice; the second time the birth date is that of the first only in the share `agreeing`."""
    chance = random.Random(6)
    found = []
    for place in range(number):
        person = {
            "given": chance.choice(GIVEN),
            "family": chance.choice(FAMILY) + chr(97 + place // 10) + chr(97 + place % 10),
            "birth_date": f"19{10 + place % 80}-{chance.randint(10, 12)}-{chance.randint(10, 28)}",
            "tax_ids": [f"{chance.randrange(10**9, 10**10)}"],
        }
        other = (
            person
            if chance.random() < agreeing
            else {**person, "birth_date": f"1900-{1 + place % 12:02}-{1 + place % 28:02}"}
        )
        found += [person, other]
    return found


def pairwise_of(found: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return list(zip(found[::2], found[1::2], strict=True))


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    return learn("person", people(), name="ours", splink_seed=1)


def test_splink_finds_the_share_of_matches_that_agree(trained: TrainedModel) -> None:
    levels = {(level.comparison, level.level): level for level in trained.report.levels}
    agreeing = [one["birth_date"] == two["birth_date"] for one, two in pairwise_of(people())]
    assert levels["birth_date", "same day"].m == pytest.approx(sum(agreeing) / len(agreeing), abs=0.06)
    assert levels["given", "same given name"].u == pytest.approx(0.1, abs=0.03)
    assert trained.report.records == 200


def test_levels_that_no_record_shows_are_reported_as_never_seen(trained: TrainedModel) -> None:
    unseen = {(level.comparison, level.level) for level in trained.report.unseen}
    assert ("birth_date", "same year, one not more precise") in unseen
    assert ("birth_date", "same day") not in unseen


def test_the_threshold_chart_counts_the_pairs_from_each_weight_on(trained: TrainedModel) -> None:
    counts = trained.report.pairs_from
    assert counts[min(counts)] == sum(trained.report.pairs_at.values())
    assert counts[max(counts)] == trained.report.pairs_at[max(counts)]
    # Above 0 bits are the 100 pairs of one person, and hardly another.
    assert counts[0] == pytest.approx(100, abs=10)


def test_the_same_records_and_seed_give_the_same_files(trained: TrainedModel, tmp_path: Path) -> None:
    trained.write(tmp_path / "one")
    learn("person", people(), name="ours", splink_seed=1).write(tmp_path / "two")
    for file in ("model.json", "frequencies.json", "model.yaml"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_written_model_loads_and_only_its_owner_may_read_the_values(
    trained: TrainedModel, tmp_path: Path
) -> None:
    trained.write(tmp_path / "m")
    assert load_model(tmp_path / "m").settings == trained.settings
    assert stat.S_IMODE((tmp_path / "m" / "frequencies.json").stat().st_mode) == 0o600
    assert "bauer" not in (tmp_path / "m" / "model.json").read_text()
    assert "bauer" not in repr(trained)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([], "no two are alike"),
        (
            [
                {"given": name, "family": "abel", "birth_date": f"1980-01-1{place}"}
                for place, name in enumerate(GIVEN)
            ],
            "no two of them agree on what a training block names",
        ),
        (
            [{"given": "anna", "family": "abel", "birth_date": "1980-01-01"}] * 4,
            "nearly all pairs fulfil the rules",
        ),
        (
            [{"given": name, "family": "abel", "birth_date": "1980-01-01"} for name in GIVEN],
            "no two of them are certain to be one party",
        ),
    ],
)
def test_records_that_teach_nothing_are_refused(records: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        learn("person", records, splink_seed=1)


ROLES = {"given": "given_name", "family": "family_name", "birth_date": "birth_date", "tax_ids": "tax_id"}


def as_sources_state(person: dict[str, Any]) -> dict[str, Any]:
    return {ROLES[column]: value for column, value in person.items()}


@pytest.mark.parametrize("more", [(), ("--splink", "--seed", "3")])
def test_the_command_writes_a_model_and_shows_no_values(tmp_path: Path, more: tuple[str, ...]) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text("\n".join(json.dumps(as_sources_state(person)) for person in people()))
    result = CliRunner().invoke(
        app, ["resolve", "train", "--from", str(file), "--out", str(tmp_path / "m"), *more]
    )
    assert result.exit_code == 0, result.output
    assert load_model(tmp_path / "m").settings.name == "m"
    assert "polyline" in (tmp_path / "m" / "thresholds.svg").read_text()
    assert "same given name" in result.output
    assert "from +0 bits on:" in result.output
    assert not [name for name in (*GIVEN, *FAMILY) if name in result.output.replace(str(tmp_path), "")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "people.csv", "--out", "new", "--column", "given_name=gone"), "has no column gone"),
        (("--from", "people.csv", "--out", "new", "--column", "givenname=given"), "is not ROLE=COLUMN"),
        (("--from", "people.csv", "--out", "new", "--kind", "robot"), "is no kind of party"),
        (("--from", "people.csv", "--out", "."), "exists already"),
        (("--from", "people.txt", "--out", "new"), "cannot be read"),
    ],
)
def test_the_command_names_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text("given\nanna\n")
    result = CliRunner().invoke(app, ["resolve", "train", *arguments])
    assert result.exit_code == 2
    assert message in result.output
    assert "anna" not in result.output
