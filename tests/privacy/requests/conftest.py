from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.privacy.requests.request_world import Rights


@pytest.fixture
def rights(tmp_path: Path, store_url: str) -> Iterator[Rights]:
    """The shop with its ledger, once on SQLite and once on PostgreSQL."""
    world = Rights(tmp_path, store_url)
    yield world
    world.services.close()
