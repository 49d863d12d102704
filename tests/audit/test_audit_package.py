"""The room's public names."""

from __future__ import annotations

import hub.audit


def test_the_public_names_are_listed_in_order_and_exist() -> None:
    assert hub.audit.__all__ == sorted(hub.audit.__all__, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(hub.audit, name) for name in hub.audit.__all__)
