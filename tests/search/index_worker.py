"""Follows a store's change feed in a process of its own until killed; it prints each cursor that it has committed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from hub.search import Document, Indexer
from tests.search.search_world import World


def main(engine: str, url: str, folder: str) -> None:
    world = World(url, Path(folder), engine)
    apply = world.engine.apply

    def acknowledged(upserts: Sequence[Document], deletes: Sequence[str], cursor: int) -> None:
        apply(upserts, deletes, cursor)
        print(cursor, flush=True)

    world.engine.apply = acknowledged  # type: ignore[method-assign]
    indexer = Indexer(world.store, world.engine, batch=2)
    print("ready", flush=True)
    while True:
        if not indexer.follow():
            time.sleep(0.005)
