"""Erases Ann in a process of its own, which is killed at a point of the erasure."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hub.adapters import erasing
from hub.audit import AuditLog, DataKeys, ErasureRegister
from hub.commands import Author, EraseCustomer, Ground, erase_customer
from hub.eraser import Eraser
from hub.search import Indexer, TantivyEngine
from hub.services import open_services
from hub.store import Store
from tests.commands.command_world import settings_of

Place = tuple[Any, str, bool]
"""An object, the name of its function, and whether that is done before the kill."""

POINTS: Mapping[str, Place] = {
    "nothing done": (ErasureRegister, "register", False),
    "registered": (ErasureRegister, "register", True),
    "within the store's transaction": (erasing, "erase", True),
    "store erased": (Eraser, "_finish", False),
    "ciphertexts gone": (DataKeys, "destroy", False),
    "keys gone": (DataKeys, "destroy", True),
    "before the index": (Indexer, "follows", False),
    "index followed": (Indexer, "follows", True),
    "index rebuilt": (TantivyEngine, "drop_former", False),
    "index scrubbed": (Indexer, "scrub", True),
    "store scrubbed": (Store, "scrub", True),
    "log scrubbed": (AuditLog, "scrub", True),
    "before the verdict": (ErasureRegister, "settle", False),
    "told": (ErasureRegister, "settle", True),
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_at(place: Place) -> None:
    owner, name, is_after = place
    real: Callable[..., Any] = getattr(owner, name)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        if is_after:
            real(*args, **kwargs)
        die()

    setattr(owner, name, deadly)


def main(folder: str, store_url: str, customer: str, point: str) -> None:
    with open_services(settings_of(Path(folder), store_url), {}) as services:
        dying_at(POINTS[point])
        author = Author.operator("os:tests", services.access)
        reason = "asked by a letter of 3 May to be forgotten"
        erase_customer(services, author, EraseCustomer(customer, Ground.OBJECTION, reason, "DSR-7", "key-1"))
