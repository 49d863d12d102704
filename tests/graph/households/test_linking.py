"""Who lives together, decided without a store."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hub.graph.households import Evidence, Home, home_of, households
from hub.graph.households.linking import CROWD, FAMILIES, SHARERS
from hub.graph.resolution.profiles import profile_of

ADDRESS, FAMILY, CONTACT, ACCOUNT = Evidence


def at(person: str, family: str, street: str = "12 High Street", code: str = "AB1 2CD", **more: str) -> Home:
    accounts = more.pop("accounts", "").split()
    values = {"family_name": family, "street": street, "postal_code": code, **more}
    profile = profile_of("person", {role: [value] for role, value in values.items() if value})
    return home_of(person, profile, accounts)


def people(*homes: Home) -> list[tuple[str, ...]]:
    return [home.people for home in households(homes)]


def evidence(one: Home, other: Home) -> set[Evidence]:
    return {kind for home in households([one, other]) for link in home.links for kind in link.evidence}


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (at("a", "Lee"), at("b", "Lee"), {ADDRESS, FAMILY}),
        (at("a", "Müller", "Große Str. 5"), at("b", "MULLER", "grosse strasse 5"), {ADDRESS, FAMILY}),
        (at("a", "Lee"), at("b", "Kim"), {ADDRESS}),
        (at("a", "Lee", "12 High St, Flat 2"), at("b", "Lee", "12 High St, Flat 3"), set()),
        (at("a", "Lee", "12 High St, Flat 2"), at("b", "Lee"), {ADDRESS, FAMILY}),
        (at("a", "Lee", "12 High St, Flat 2"), at("b", "Kim"), set()),
        (at("a", "Lee", "12 Hihg Street"), at("b", "Lee"), {ADDRESS, FAMILY}),
        (at("a", "Lee", "12 Hihg Street"), at("b", "Kim"), set()),
        (at("a", "Lee", "12 145th St"), at("b", "Lee", "12 146th St"), set()),
        (at("a", "Lee", "14 High Street"), at("b", "Lee"), set()),
        (at("a", "Lee", code="CD3 4EF"), at("b", "Lee"), set()),
        (at("a", "Lee", code="", city="Aberdeen"), at("b", "Lee", city="Aberden"), {ADDRESS, FAMILY}),
        (
            at("a", "Lee", code="", city="Aberdeen"),
            at("b", "Lee", code="", city="Abredeen"),
            {ADDRESS, FAMILY},
        ),
        (at("a", "Lee", code=""), at("b", "Lee", code=""), set()),
        (at("a", "Van der Berg"), at("b", "Berg"), {ADDRESS, FAMILY}),
        (at("a", "Lee", accounts="card:1"), at("b", "Lee", "", "", accounts="card:1"), {FAMILY, ACCOUNT}),
        (at("a", "Lee", accounts="card:1"), at("b", "Kim", "", "", accounts="card:1"), set()),
        (at("a", "Lee", accounts="card:1"), at("b", "Lee", "9 Low Road", accounts="card:1"), set()),
        (
            at("a", "Lee", phone="+441632960001"),
            at("b", "Lee", "", "", phone="01632 960001", country="GB"),
            {FAMILY, CONTACT},
        ),
    ],
)
def test_two_people_live_together_where_the_evidence_is_enough(
    one: Home, other: Home, said: set[Evidence]
) -> None:
    assert evidence(one, other) == said == evidence(other, one)


def test_few_families_behind_one_door_are_a_household_and_more_are_not() -> None:
    names = ["Lee", "Kim", "Ortiz", "Banerjee", "Whitfield"]
    few = [at(name, name) for name in names[:FAMILIES]]
    assert people(*few) == [tuple(sorted(names[:FAMILIES]))]
    assert people(*(at(name, name) for name in names)) == []
    assert people(*(at(name, name) for name in names), at("Lee2", "Lee")) == [("Lee", "Lee2")]


def test_a_block_of_flats_without_units_is_no_household_and_nobody_in_it_is_by_name_alone() -> None:
    block = [at(f"p{number:03}", f"Family{number // 4}") for number in range(200)]
    assert people(*block) == []
    pair = [at("x", "Lee", accounts="card:7"), at("y", "Lee", accounts="card:7")]
    assert people(*block, *pair) == [("x", "y")]


def test_a_flat_of_its_own_is_a_household_in_the_largest_block() -> None:
    block = [at(f"p{number:03}", f"Family{number}") for number in range(CROWD * 2)]
    assert people(*block, at("x", "Lee", "12 High St, Flat 9"), at("y", "Kim", "12 High St, Flat 9")) == [
        ("x", "y")
    ]


def test_a_number_that_many_of_one_name_share_is_no_evidence() -> None:
    sharers = [at(f"p{n:02}", "Lee", "", "", accounts="card:1") for n in range(SHARERS + 1)]
    assert people(*sharers[:SHARERS]) == [tuple(home.person for home in sharers[:SHARERS])]
    assert people(*sharers) == []


def test_nobody_is_in_a_household_with_somebody_whom_nothing_links_to_them() -> None:
    flats = [at("a", "Lee", "12 High St, Flat 1"), at("b", "Lee"), at("c", "Lee", "12 High St, Flat 2")]
    found = households(flats)
    assert [home.people for home in found] == [("a", "b")]
    assert all(len(home.links) == 1 for home in found)


def test_the_order_of_people_does_not_matter() -> None:
    rng = random.Random(7)
    made: list[Any] = [
        at(
            f"p{n:02}",
            rng.choice(["Lee", "Kim", "Lea"]),
            rng.choice(["12 High St", "12 Hihg St", "High St", "12 High St, Flat 2", "14 High St", ""]),
            rng.choice(["AB1 2CD", "", "CD3 4EF"]),
            city=rng.choice(["Aberdeen", ""]),
            accounts=rng.choice(["card:1", ""]),
        )
        for n in range(40)
    ]
    expected = households(made)
    assert len(expected) > 3
    for _ in range(20):
        rng.shuffle(made)
        assert households(made) == expected


def test_one_door_joins_before_what_is_only_near() -> None:
    kin = [at("a", "Lee"), at("b", "Lee", "12 Hihg Street"), at("c", "Kim")]
    assert people(*kin) == [("a", "c")]
