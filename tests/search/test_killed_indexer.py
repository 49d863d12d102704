"""An indexer killed at any instant has lost nothing that it acknowledged, and the next one goes on."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from tests.processes import Child
from tests.search import index_worker
from tests.search.search_world import World, fill, gone, key_of, says, thing

KILLS = 20 if os.environ.get("HUB_TEST_PROFILE") == "thorough" else 4
"""Each takes two seconds; `make test-search` takes the time."""
EACH = 6


def test_killed_during_commits_the_index_heals_from_its_cursor(
    lonely: tuple[str, str], tmp_path: Path
) -> None:
    engine, url = lonely
    world = World(url, tmp_path / "index", engine)
    fill(world)
    world.indexer.follow()
    luck, written = random.Random(11), 0
    for _ in range(KILLS):
        before = world.engine.cursor()
        assert before is not None
        worker = _start(engine, url, tmp_path / "index")
        for number in range(written, written + EACH):
            world.apply(
                says("erp", thing("Ticket", f"k{number}", ticketNumber=f"K-{number}", subject="killed"))
            )
            if number % 3 == 0:
                world.apply(gone("erp", thing("Ticket", f"k{number}")))
        written += EACH
        time.sleep(luck.uniform(0.0, 0.25))
        worker.kill()
        acknowledged = [int(line) for line in worker.rest().split() if line.isdigit()]
        cursor = world.engine.cursor()
        assert cursor is not None
        assert cursor >= max([before, *acknowledged])
    world.indexer.follow()
    assert world.indexer.lag() == 0
    left = {("Ticket", thing("Ticket", f"k{number}").id) for number in range(written) if number % 3}
    assert set(world.find("killed")) == left
    assert world.service.dropped == 0
    assert world.find("kowalska") == [key_of(world, "anna")]
    world.close()


def _start(engine: str, url: str, index: Path) -> Child:
    worker = Child(index_worker.main, engine, url, str(index))
    assert worker.stdout.readline() == "ready\n"
    return worker
