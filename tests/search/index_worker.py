"""Follows a store's change feed until killed: `python -m tests.search.index_worker ENGINE URL FOLDER`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hub.search import Document, Indexer
from tests.search.search_world import World


def main() -> None:
    engine, url, folder = sys.argv[1:]
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


main()
