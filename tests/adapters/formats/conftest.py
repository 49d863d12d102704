"""What the formats' tests share: the context of a connector, for formats that need their file's neighbours."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.adapters.records import ConnectorContext


@pytest.fixture
def context(tmp_path: Path) -> ConnectorContext:
    return ConnectorContext("shop", {}, tmp_path)
