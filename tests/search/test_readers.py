"""Readers beside a writer: each answer is of one commit, none fails, and what was committed is never lost again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from tests.search.search_world import Access, World, fill, says, thing
from tests.search.test_indexer import beside

READERS, ROUNDS = 3, 12


def test_readers_beside_a_writer_see_whole_commits_and_ever_more(light: World) -> None:
    fill(light)
    light.indexer.follow()
    done = Event()
    with ThreadPoolExecutor(READERS) as pool:
        reading = [pool.submit(_totals, light, done) for _ in range(READERS)]
        try:
            for number in range(ROUNDS):
                pair = [thing("Ticket", f"w{number}{half}", ticketNumber=f"W-{number}{half}", subject="written")
                        for half in "ab"]  # fmt: skip
                light.apply(*(says("erp", each) for each in pair))
                light.indexer.follow()
                if number == ROUNDS // 2:
                    light.indexer.rebuild()
        finally:
            done.set()
        for seen in (each.result() for each in reading):
            assert seen == sorted(seen)
            assert all(total % 2 == 0 for total in seen)
            assert seen[-1] == 2 * ROUNDS


def _totals(world: World, done: Event) -> list[int]:
    """What a reader with an engine of its own, as in another process, was told until the writer was done."""
    reader = beside(world)
    seen = []
    try:
        while True:
            last = done.is_set()
            answer = reader.service.search("written", first=100, access=Access())
            assert sum(answer.facets.values()) == answer.total
            seen.append(answer.total)
            if last:
                return seen
    finally:
        reader.close()
