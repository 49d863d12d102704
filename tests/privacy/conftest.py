from __future__ import annotations

from tests.commands.conftest import shop

__all__ = ["shop"]
