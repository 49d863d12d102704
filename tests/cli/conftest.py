from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.command_world import MASTER_KEY
from tests.commands.stewards_world import StewardShop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StewardShop:
    """The stewards' shop, closed, in a hub that the commands open."""
    shop = StewardShop(tmp_path, f"sqlite:///{tmp_path / 'var' / 'hub.sqlite'}")
    shop.services.publish()
    shop.services.close()
    for name in ("data_dir", "config_dir", "policy_file", "match_models"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(shop.settings, name)))
    monkeypatch.setenv("HUB_STORE_URL", shop.settings.store_address)
    monkeypatch.setenv("HUB_MASTER_KEY", MASTER_KEY)
    return shop
