"""An organisation's own match models, and what takes addresses apart: settings whose faults are told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import ConfigurationError
from hub.services import load_configuration
from hub.settings import Settings

TOY = Path(__file__).parent / "graph" / "resolution"


def test_own_models_are_matched_by(tmp_path: Path) -> None:
    """`HUB_MATCH_MODELS`."""
    found = load_configuration(Settings(data_dir=tmp_path, match_models=TOY))
    assert found.models["person"].settings.name == "toy"
    assert found.models["organization"].settings.name == "standard-organization"


def test_a_missing_libpostal_is_told_at_the_start(tmp_path: Path) -> None:
    """`HUB_STREET_READER`."""
    with pytest.raises(ConfigurationError, match=r"libpostal.*is not installed"):
        load_configuration(Settings(data_dir=tmp_path, street_reader="libpostal"))
