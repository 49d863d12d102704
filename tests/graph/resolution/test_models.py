"""A model's folder: read whole or refused with every fault, without a word about values of people."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.errors import ConfigurationError
from hub.graph.resolution.models import load_model, load_models, shipped_models
from tests.graph.resolution.scoring.oracle import level, model_of

SETTINGS = "name: mine\nkind: person\n"
FREQUENCIES = {"given": {"Wilhelmina": 0.25}}
MODEL = model_of(
    [level("given_l = given_r", tf_adjustment_column="given")],
    [level("array_length(list_intersect(phones_l, phones_r)) >= 1")],
    rules=["l.given = r.given"],
)


def folder(
    path: Path, model: object = MODEL, frequencies: object = FREQUENCIES, settings: str = SETTINGS
) -> Path:
    path.mkdir(exist_ok=True)
    (path / "model.json").write_text(json.dumps(model))
    (path / "frequencies.json").write_text(json.dumps(frequencies))
    (path / "model.yaml").write_text(settings)
    return path


def test_a_folder_is_a_model_ready_to_score_and_block(tmp_path: Path) -> None:
    model = load_model(folder(tmp_path / "m"))
    profile = {"given": "Wilhelmina", "phones": ["+15550100"]}
    prepared = model.scorer.prepare(profile)
    assert model.scorer.weight(prepared, prepared) == pytest.approx(
        model.scorer.explain(profile, profile).weight
    )
    assert model.blocking.keys(profile) == {(0, "Wilhelmina")}
    assert "Wilhelmina" not in repr(model)


def test_the_digest_changes_with_any_of_the_files(tmp_path: Path) -> None:
    digests = {
        load_model(folder(tmp_path / "m", *parts)).digest
        for parts in [
            (MODEL, FREQUENCIES, SETTINGS),
            ({**MODEL, "probability_two_random_records_match": 0.5}, FREQUENCIES, SETTINGS),
            (MODEL, {}, SETTINGS),
            (MODEL, FREQUENCIES, SETTINGS + "crowded: 9\n"),
        ]
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"settings": "name: mine\nkind: robot\n"}, "model.yaml:2:1: kind: 'robot' is not known"),
        ({"settings": SETTINGS + "crowd: 3\n"}, "unknown key 'crowd'"),
        ({"model": {}}, "model.json:1:1: probability_two_random_records_match: Field required"),
        ({"model": model_of([level("givn_l = givn_r")], rules=[])}, "profiles have no column 'givn'"),
        (
            {"model": model_of([level("given_l = given_r")], rules=["l.famly = r.famly"])},
            "profiles have no column 'famly'",
        ),
        ({"frequencies": {"given": {"Wilhelmina": 2}}}, "frequencies.json:1:1: given: Input should be less than"),
        ({"frequencies": []}, "frequencies.json:1:1: : Input should be a valid dictionary"),
    ],
)  # fmt: skip
def test_a_folder_with_faults_is_refused_without_values(
    tmp_path: Path, parts: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_model(folder(tmp_path / "m", **parts))  # type: ignore[arg-type]
    assert message.replace(": : ", ": ") in str(caught.value)
    assert "Wilhelmina" not in str(caught.value)


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    found = folder(tmp_path / "m")
    (found / "model.json").write_text("{")
    with pytest.raises(ConfigurationError, match=re.escape("model.json:1:2: is not JSON")):
        load_model(found)
    (found / "model.json").unlink()
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load_model(found)


def test_serving_needs_neither_splink_nor_duckdb(tmp_path: Path) -> None:
    """Both are slow to import and large; only training needs them."""
    script = (
        "import sys; from pathlib import Path; from hub.graph.resolution.models import load_model;"
        f"model = load_model(Path({str(folder(tmp_path / 'm'))!r})); model.scorer.prepare({{'given': 'x'}});"
        "assert not {'splink', 'duckdb', 'pyarrow'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_folder_of_own_models_goes_before_the_shipped_ones(tmp_path: Path) -> None:
    """`HUB_MATCH_MODELS`: what the folder lacks is as shipped."""
    shutil.copytree(Path(__file__).parent / "toy_model", tmp_path / "ours")
    found = load_models(tmp_path)
    assert found["person"].settings.name == "toy"
    assert found["organization"] is shipped_models()["organization"]
    assert load_models(None) is shipped_models()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="holds no model"):
        load_models(tmp_path / "empty")
