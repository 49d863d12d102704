from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.privacy.keeping.retention_world import Keeper


@pytest.fixture
def keeper(tmp_path: Path, store_url: str) -> Iterator[Keeper]:
    """The shop with its ledger, once on SQLite and once on PostgreSQL."""
    shop = Keeper(tmp_path, store_url)
    yield shop
    shop.services.close()
