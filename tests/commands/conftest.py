from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.command_world import ANN, BEN, Shop


@pytest.fixture
def shop(tmp_path: Path, store_url: str) -> Iterator[Shop]:
    """The shop with Ann and Ben in its club, once on SQLite and once on PostgreSQL."""
    shop = Shop(tmp_path, store_url)
    shop.write("club", [ANN, BEN])
    shop.sync()
    yield shop
    shop.services.close()
