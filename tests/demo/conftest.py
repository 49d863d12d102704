from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.demo import Truth, generate


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company; tests that change it work on `company`."""
    folder = tmp_path_factory.mktemp("harbour-and-pine") / "data"
    generate(folder, people=60, organisations=6)
    return folder


@pytest.fixture(scope="session")
def truth(made: Path) -> Truth:
    return Truth.load(made)


@pytest.fixture
def company(made: Path, tmp_path: Path) -> Path:
    """A copy of the small company to change."""
    return Path(shutil.copytree(made, tmp_path / "company"))
