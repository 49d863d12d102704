"""`hub adapter preset`: ready sources are listed, shown and taken, and none is written over another."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from hub.adapters import load_sources
from hub.adapters.presets import presets
from hub.cli import app
from hub.ontology import load_ontology


def hub(*words):
    result = CliRunner().invoke(app, ["adapter", "preset", *words], env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_the_list_says_what_was_tried():
    code, said = hub("list")
    assert code == 0
    for each in presets().values():
        (line,) = [line for line in said.splitlines() if line.split()[:1] == [each.name]]
        assert (each.about.tried or "not yet") in line


def test_a_preset_is_shown_with_its_limits_and_its_yaml():
    code, said = hub("show", "zendesk")
    assert code == 0
    assert presets()["zendesk"].text in said
    assert "10 requests a minute" in said
    assert "by documentation, not yet tried" in said


def test_an_unknown_preset_is_told_with_the_nearest_name():
    code, said = hub("show", "zendsk")
    assert code != 0
    assert "did you mean 'zendesk'?" in said


def test_a_preset_becomes_a_source_of_another_name_once(tmp_path):
    code, said = hub("use", "zendesk", "--as", "desk_eu", "--into", str(tmp_path))
    assert code == 0
    assert "DESK_EU_TOKEN" in said
    assert list(load_sources(tmp_path, load_ontology())) == ["desk_eu"]
    (tmp_path / "desk_eu.yaml").write_text("mine")
    code, said = hub("use", "zendesk", "--as", "desk_eu", "--into", str(tmp_path))
    assert code != 0
    assert "stays as it is" in said
    assert (tmp_path / "desk_eu.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["../evil", "Desk", ""])
def test_a_name_that_no_source_can_have_is_refused(tmp_path, name):
    code, _ = hub("use", "zendesk", "--as", name, "--into", str(tmp_path))
    assert (code, list(tmp_path.iterdir())) == (0, [tmp_path / "zendesk.yaml"]) if not name else code != 0
