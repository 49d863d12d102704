"""The room's public names."""

from __future__ import annotations

import hub.audit


def test_the_public_names_are_listed_once_and_exist() -> None:
    assert len(hub.audit.__all__) == len(set(hub.audit.__all__))
    assert all(hasattr(hub.audit, name) for name in hub.audit.__all__)
