from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.api_world import World
from tests.commands.conftest import shop
from tests.privacy.office import Office, officing

__all__ = ["office", "shop", "world"]


@pytest.fixture
def office(tmp_path: Path, store_url: str) -> Iterator[Office]:
    """The company with a policy file of its own and a key for checkpoints, on either database."""
    with officing(tmp_path, store_url) as office:
        yield office


@pytest.fixture
def world(office: Office) -> World:
    """The office's API."""
    return office.world
