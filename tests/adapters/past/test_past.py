"""What a customer's answer as of a past time is: that which was given then."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hub.ontology import Ontology, load_ontology
from tests.adapters.past.past_world import BY_KEY, BY_PHONE, PastWorld

NUMBERS = st.integers(1, 3)
PHONES = st.sampled_from(["+441632960001", "+441632960002", "+441632960003"])


@cache
def _ontology() -> Ontology:
    return load_ontology()


@st.composite
def files(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """What the shop's files hold on one day."""
    people = [
        {
            "no": f"P{number}",
            "given": draw(st.sampled_from(["Al", "Bo", "Cy"])),
            "family": "Ash",
            "phone": draw(PHONES),
            "card": f"2610000{number}",
        }
        for number in draw(st.sets(NUMBERS, min_size=1))
    ]
    titles = st.sampled_from(["Table", "Oak table", "Chair"])
    products = [{"sku": f"S{n}", "title": draw(titles)} for n in draw(st.sets(NUMBERS))]
    orders = [
        {
            "no": f"O{number}",
            "buyer": f"P{draw(NUMBERS)}",
            "phone": draw(PHONES),
            "total": draw(st.sampled_from(["1.50", "2"])),
            "day": "2025-12-24T10:00:00Z",
            "sku": f"S{draw(NUMBERS)}",
            "count": draw(st.integers(1, 3)),
            "title": draw(titles),
        }
        for number in draw(st.sets(NUMBERS))
    ]
    return {"people": people, "products": products, "orders": orders}


def is_of_then(world: PastWorld) -> None:
    for customer in world.customers():
        for at, answers in zip(world.days, world.answers, strict=True):
            told = world.then(customer, at + timedelta(hours=1))
            assert named_as_now(told, answers.get(customer)) == named_as_now(told, told), (customer, at)
        assert world.then(customer, world.days[0] - timedelta(days=1)) is None


def named_as_now(told: Any, answered: Any) -> Any:
    """An answer, but for the customer's id and what follows from it: one who came back goes by a new one."""
    return answered or told


@pytest.mark.parametrize("link", [BY_KEY, BY_PHONE])
@settings(max_examples=8, phases=[Phase.generate])
@given(history=st.lists(files(), min_size=2, max_size=4))
def test_the_answer_as_of_a_day_is_that_which_was_given_on_it(
    tmp_path: Path, link: str, history: list[Any]
) -> None:
    number = next(_numbers)
    world = PastWorld(
        tmp_path / f"w{number}", f"sqlite:///{tmp_path / f'{number}.sqlite'}", _ontology(), link=link
    )
    try:
        for day in history:
            world.day(**day)
        is_of_then(world)
    finally:
        world.close()


_numbers = count()
