from __future__ import annotations

import pytest

from hub.graph.households import household_id
from tests.graph.graph_world import Graph, party, says


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Müller", "AB1 2CD", "Große Str. 5"), ("MULLER", "ab12cd", "grosse str 5")),
        (("O'Neil", "1", "2, High St"), ("oneil", "1", "2 high st.")),
    ],
)
def test_spelling_does_not_part_a_household(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert household_id(one) == household_id(other) is not None


@pytest.mark.parametrize(
    "parts", [(None, "1", "2"), ("Lee", None, "2"), ("Lee", "1", ""), ("Lee", "1", "--")]
)
def test_without_a_full_address_there_is_no_household(parts: tuple[str | None, ...]) -> None:
    assert household_id(parts) is None


def test_father_and_son_share_a_household_and_stay_two_customers(graph: Graph) -> None:
    address = {"familyName": "Lee", "streetAddress": "1 High St", "postalCode": "AB1 2CD"}
    father, son = (party("erp", key, name="John Lee", **address) for key in ("father", "son"))
    graph.apply(says("erp", "father", father), says("erp", "son", son))
    assert graph.golden(father, "household_id") == graph.golden(son, "household_id") is not None
    assert graph.customer_of(father) != graph.customer_of(son)


def test_organisations_have_no_household(graph: Graph) -> None:
    firm = party(
        "erp", "1", "Organization", familyName="Lee", streetAddress="1 High St", postalCode="AB1 2CD"
    )
    graph.apply(says("erp", "1", firm))
    assert graph.golden(firm, "household_id") is None
