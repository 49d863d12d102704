"""Whatever happened before, with and after erasures, the graph is in the end as if the erased had never been."""

from __future__ import annotations

import shutil
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ontology import load_ontology
from tests.adapters.erasing_world import Row, World, differences, everything, order, person
from tests.databases import sqlite_store

PEOPLE = list(range(1, 8))


ONTOLOGY = load_ontology()
"""No fixture: hypothesis would tell all of it with each example."""


def company(random: Random) -> dict[str, list[Row]]:
    """Everything of everybody, some of it left out or put in by chance."""
    files = everything(PEOPLE)
    for name, rows in files.items():
        if name not in ("people", "firms", "visits"):  # a visit stays when its file no longer tells of it
            files[name] = [row for row in rows if random.random() < 0.8]
    for n in PEOPLE:
        if random.random() < 0.5:
            files["orders"].append(order(n * 10 + 7, n, title=random.choice("XYZ")))
            files["parcels"].append(
                {"of": n, "no": f"S-9{n}", "order": f"ORD-{n * 10 + 7:05}", "to": "Porch", "street": "x"}
            )
        if random.random() < 0.3:
            files["people"].append(person(n + 50, of=n, card=f"26100{n:05}"))
            files["orders"].append(order((n + 50) * 10, n + 50) | {"of": n})
        if random.random() < 0.3:
            files["broken"].append(person(n + 70, of=n, card=f"26100{n:05}", born="some day"))
        if random.random() < 0.3:
            mine = next(row for row in files["people"] if row["no"] == f"P-{n:05}")
            mine["note"] = random.choice(["one", "two"])
    known = {row["no"] for row in files["orders"]}
    # Nobody can tell whose a parcel is while no source has told of its order.
    files["lines"] = [row for row in files["lines"] if row["no"] in known]
    files["parcels"] = [row for row in files["parcels"] if row["order"] in known]
    for rows in files.values():
        random.shuffle(rows)
    return files


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_the_graph_is_in_the_end_as_if_the_erased_had_never_been(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder, random = tmp_path_factory.mktemp("erased"), Random(seed)
    world = World(folder / "one", sqlite_store(folder / "one.sqlite"), ONTOLOGY)
    erased = random.sample(PEOPLE, random.randrange(1, 4))
    world.write(company(random))
    world.sync(random.choice([1, 3, 1000]))
    for n in erased:
        world.erase(n)
        if random.random() < 0.5:
            world.write(company(random))
            world.sync(random.choice([1, 3, 1000]))
    last = company(random)
    world.write(last)
    for _ in range(2):
        world.sync(random.choice([1, 3, 1000]))
    found = world.graph()
    for erasure in world.erasures:
        assert world.remains(erasure) == {}
    world.close()

    twin = World(folder / "two", sqlite_store(folder / "two.sqlite"), ONTOLOGY)
    twin.write(last, without=erased)
    twin.sync()
    expected = twin.graph()
    twin.close()
    shutil.rmtree(folder)
    # What came before is told by the records' versions, which only the one store has.
    assert differences({**found, "records": []}, {**expected, "records": []}) == {}
