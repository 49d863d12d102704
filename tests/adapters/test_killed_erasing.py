"""An erasure that is killed leaves everything or nothing of the customer."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.adapters.erasing import plan_erasure
from hub.audit.erasures import Erasure
from hub.ontology import Ontology, load_ontology
from tests.adapters.erasing_world import World, everything, opened, words
from tests.adapters.killed import eraser
from tests.processes import CONTEXT

PEOPLE = [1, 2, 3]
LAST = 10_000
"""A statement that the transaction does not get to: it dies before its end."""
KILLS = 20 if os.environ.get("HUB_TEST_PROFILE") == "thorough" else 6


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def world(store_url: str, tmp_path: Path, ontology: Ontology) -> Iterator[World]:
    with opened(tmp_path / "company", store_url, ontology) as made:
        made.write(everything(PEOPLE))
        made.sync()
        yield made


def erase_and_die(world: World, at: int | None) -> None:
    process = CONTEXT.Process(target=eraser.erase_and_die, args=(world.url, world.customer(3), at))
    process.start()
    process.join()
    assert process.exitcode == -9


def buried(world: World) -> int:
    with world.store.read() as connection:
        return len(connection.execute(text("SELECT 1 FROM tombstone")).all())


@pytest.mark.slow
def test_a_killed_erasure_has_done_everything_or_nothing(world: World) -> None:
    before = world.graph()
    with world.store.read() as connection:
        plan = plan_erasure(world.store, connection, world.customer(3))
    rng = random.Random(int(os.environ.get("HUB_TEST_SEED", "11")))
    for at in [0, *(rng.randrange(1, 120) for _ in range(KILLS)), LAST]:
        erase_and_die(world, at)
        assert world.graph() == before
        assert buried(world) == 0
    erase_and_die(world, None)
    assert buried(world) == 1
    erasure = Erasure(eraser.ID, datetime.now(UTC), plan.customers, plan.parties, plan.hashes)
    assert world.remains(erasure) == {}
    assert [word for word in words(3) if word in world.values()] == []
