"""Killed at any point, an erasure is carried out by the next start, once; a store out of a backup is erased again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from hub.audit import Action, State
from tests.commands import erasing_worker
from tests.commands.command_world import ANN, BEN, Shop
from tests.commands.erasing_worker import POINTS
from tests.commands.erasing_world import held, told
from tests.databases import sqlite_store
from tests.processes import Child

DONE = ("nothing done",)
"""After these nothing of an erasure is known: it was never ordered."""


def killed(folder: Path, store_url: str, customer: str, point: str) -> None:
    worker = Child(erasing_worker.main, str(folder), store_url, customer, point)
    worker.rest()
    assert worker.ended() == -signal.SIGKILL


def counted(shop: Shop, *actions: Action) -> int:
    return len(told(shop, *actions))


@pytest.mark.parametrize("point", POINTS)
def test_whoever_is_killed_is_made_good_by_the_next_start(tmp_path: Path, point: str) -> None:
    url = sqlite_store(tmp_path / "var" / "hub.sqlite")
    shop = Shop(tmp_path, url)
    shop.write("club", [ANN, BEN])
    shop.sync()
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    shop.correct(ann, "email", "new@example.com")
    shop.services.publish()
    shop.services.close()
    killed(tmp_path, url, ann, point)
    shop.reopen()
    shop.services.publish_events()
    if point in DONE:
        assert shop.customer("club", "1") == ann
        assert counted(shop, Action.ERASED) == 0
        shop.services.close()
        return
    assert list(shop.services.eraser.register.states().values()) == [State.SCRUBBED]
    assert counted(shop, Action.ERASED) == 1
    assert shop.rows("SELECT customer_id FROM tombstone") == [{"customer_id": ann}]
    assert shop.customer("club", "2") == ben
    assert counted(shop, Action.KEY_DESTROYED) == 1
    assert shop.services.audit.verify().ok
    verdicts = counted(shop, Action.ERASE_VERIFIED)
    shop.reopen()
    assert counted(shop, Action.ERASE_VERIFIED) == verdicts == 1
    shop.services.close()
    assert held(tmp_path / "var", "ann@example.com", "new@example.com", "Archer") == []
