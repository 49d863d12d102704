"""Faults of YAML files carry file, line, column, what was expected and the nearest valid name."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from hub.errors import ConfigurationError
from hub.yamlfile import Fault, load_yaml, nearest, parse_model


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cat(Model):
    type: Literal["cat"]
    lives: int = 9


class Dog(Model):
    type: Literal["dog"]
    tricks: list[str] = []


class Home(Model):
    owner: str
    colour: Literal["red", "green"] = "red"
    pets: dict[str, Annotated[Cat | Dog, Field(discriminator="type")]] = {}
    rooms: list[Cat] = []


def faults_of(tmp_path: Path, text: str) -> list[Fault]:
    path = tmp_path / "home.yaml"
    path.write_text(text)
    return parse_model(load_yaml(path, "home.yaml"), Home)[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("owner: a\ncolur: red\n", "home.yaml:2:1: colur: unknown key 'colur'"),
        ("owner: a\ncolur: red\n", "did you mean 'colour'?"),
        (
            "owner: a\ncolour: gren\n",
            "home.yaml:2:1: colour: 'gren' is not known (expected one of red, green; did",
        ),
        ("colour: red\n", "'owner' is missing"),
        (
            "owner: a\npets:\n  tom: {type: cat, livs: 3}\n",
            "home.yaml:3:20: pets.tom.livs: unknown key 'livs'",
        ),
        ("owner: a\npets:\n  tom: {type: cat, livs: 3}\n", "did you mean 'lives'?"),
        ("owner: a\npets:\n  tom: {type: cta}\n", "home.yaml:3:9: pets.tom.type: 'cta' is not known"),
        (
            "owner: a\nrooms:\n  - type: cat\n    lives: many\n",
            "home.yaml:4:5: rooms.0.lives: input should be a valid",
        ),
    ],
)
def test_a_fault_names_its_place_and_the_nearest_name(tmp_path: Path, text: str, expected: str) -> None:
    assert any(expected in str(fault) for fault in faults_of(tmp_path, text)), faults_of(tmp_path, text)


def test_all_faults_of_a_file_are_reported_together(tmp_path: Path) -> None:
    faults = faults_of(
        tmp_path, "colur: red\npets: {tom: {type: cat, lives: x}, rex: {type: dog, trick: []}}\n"
    )
    assert len(faults) == 4


def test_a_sound_file_has_no_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path, "owner: a\npets: {rex: {type: dog, tricks: [sit]}}\n") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a: [1\n", ":2:1:"), ("a: 1\na: 2\n", "a key is given twice"), ("\ta: 1\n", ":1:1:")],
)
def test_what_is_no_yaml_is_a_fault_with_its_position(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="1 fault in the configuration") as caught:
        load_yaml(path)
    assert expected in str(caught.value)


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_yaml(tmp_path / "none.yaml")


def test_nothing_is_nearest_to_a_word_unlike_all_others() -> None:
    assert nearest("zzz", ["alpha", "beta"]) is None
    assert nearest("alhpa", ["alpha", "beta"]) == "alpha"


def test_a_key_that_comes_in_by_a_merge_stands_where_it_was_written(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("base: &base\n  name: x\nother:\n  <<: *base\n  more: y\n")
    fault = load_yaml(file).fault(("other", "name"), "is wrong")
    assert (fault.line, fault.column) == (2, 3)
