"""The standard comparisons and the shipped models: what they compile to, and how they decide plain cases."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hub.graph.resolution.clusters import conflicting_pairs
from hub.graph.resolution.evaluation import in_memory
from hub.graph.resolution.learning import learn
from hub.graph.resolution.models import COLUMNS, shipped_models
from hub.graph.resolution.profiles import Kind, profile_of
from hub.graph.resolution.standard import JOINTS, RARITIES, settings_for

HOME = {"street": ["12 High Street"], "postal_code": ["AB1 2CD"], "city": ["Rye"], "country": ["GB"]}
LANDLINE = {"phone": ["+441632960001"]}


def person(
    given: str, family: str = "Penhaligon", birth: str = "", **more: list[str]
) -> Mapping[str, list[str]]:
    values = {"given_name": [given], "family_name": [family], **more}
    return values | ({"birth_date": [birth]} if birth else {})


def together(kind: Kind, *values: Mapping[str, list[str]]) -> list[str]:
    """The customers as words, the first party being `a`."""
    profiles = {"abcdef"[place]: profile_of(kind, each) for place, each in enumerate(values)}
    found = in_memory(profiles, shipped_models()[kind])
    return sorted("".join(sorted(group)) for group in found.customers)


@pytest.mark.parametrize("kind", ["person", "organization"])
def test_what_is_compared_follows_the_columns_that_are_there(kind: Kind) -> None:
    whole = settings_for(kind, COLUMNS[kind])
    names = {each["output_column_name"] for each in whole["comparisons"]}
    assert names >= {joint for joint in JOINTS if JOINTS[joint][0] in names}
    few = settings_for(kind, {"name", "family", "city"})
    assert 0 < len(few["comparisons"]) < len(whole["comparisons"])
    assert few["blocking_rules_to_generate_predictions"]
    assert not any(
        "tax_ids" in rule["blocking_rule"] for rule in few["blocking_rules_to_generate_predictions"]
    )


@pytest.mark.parametrize("kind", ["person", "organization"])
def test_the_shipped_models_load_and_compare_all_that_the_standard_names(kind: Kind) -> None:
    model = shipped_models()[kind]
    assert model.settings.kind == kind
    assert set(model.scorer.columns) <= set(COLUMNS[kind])


def test_one_person_is_found_through_another_spelling_and_a_moved_house() -> None:
    assert together(
        "person",
        person("Robert", birth="1961-03-04", **HOME, **LANDLINE),
        person("Bob", birth="1961-03-04", **LANDLINE),
        person("Robert", "Penhalligon", birth="1961-03-04", street=["9 Mill Lane"], postal_code=["ZZ9 9ZZ"]),
    ) == ["abc"]


def test_given_and_family_name_in_each_others_field_are_one_person() -> None:
    assert together(
        "person", person("Zelda", "Marchbank", "1961-03-04"), person("Marchbank", "Zelda", "1961-03-04")
    ) == ["ab"]


def test_father_and_son_of_one_name_stay_apart() -> None:
    father = person("Jack", name_suffix=["Sr"], birth="1961-03-04", **HOME, **LANDLINE)
    son = person("Jack", name_suffix=["Jr"], birth="1990-11-21", **HOME, **LANDLINE)
    assert together("person", father, son) == ["a", "b"]
    assert conflicting_pairs({"f": profile_of("person", father), "s": profile_of("person", son)}) == {
        ("f", "s")
    }
    same_suffix = person("Jack", name_suffix=["Sr"], birth="1961-03-04", **HOME)
    assert together("person", father, son, same_suffix) == ["ac", "b"]


def test_a_couple_and_twins_stay_apart_whatever_they_share() -> None:
    shared = {**HOME, **LANDLINE, "email": ["the.penhaligons@example.com"]}
    assert together("person", person("Jack", **shared), person("Zoe", **shared)) == ["a", "b"]
    twins = [person(given, birth="1990-11-21", **shared) for given in ("Emma", "Lucas")]
    assert together("person", *twins) == ["a", "b"]


def test_a_phone_number_alone_makes_nobody_the_same() -> None:
    assert together("person", person("Jack", **LANDLINE), person("Ann", "Blake", **LANDLINE)) == ["a", "b"]
    assert together("person", person("Jack", **LANDLINE), LANDLINE) == ["a", "b"]


def test_who_are_born_a_generation_apart_stay_apart_whatever_they_share() -> None:
    shared = {**HOME, **LANDLINE, "email": ["jack@example.com"]}
    father, son = person("Jack", birth="1961-03-04", **shared), person("Jack", birth="1990-11-21", **shared)
    assert together("person", father, son) == ["a", "b"]


def test_one_company_is_found_through_its_legal_form_and_a_slip() -> None:
    office = {**HOME, **LANDLINE}
    assert together(
        "organization",
        {"org_name": ["Lighthouse Bakery Ltd"], **office},
        {"org_name": ["The Lighthouse Bakery Limited"], **office},
        {"org_name": ["LIGHTHOUSE BAKRY"], **office},
    ) == ["abc"]


def test_companies_of_one_group_stay_apart_behind_one_switchboard() -> None:
    other = {"street": ["3 Dock Road"], "postal_code": ["ZZ1 1ZZ"], "city": ["Fowey"]}
    assert together(
        "organization",
        {"org_name": ["Marchbank Bakery Ltd"], **HOME, **LANDLINE},
        {"org_name": ["Marchbank Logistics Ltd"], **other, **LANDLINE},
    ) == ["a", "b"]


def test_learning_from_the_same_records_gives_the_same_model() -> None:
    names = [
        ("Ann", "Blake"),
        ("Ann", "Blake"),
        ("Joe", "Marsh"),
        ("Joe", "Marsh"),
        ("Eve", "Stone"),
        ("Ida", "Poole"),
    ]
    profiles = [
        profile_of("person", person(*each, birth=f"19{61 + at // 2}-03-04")) for at, each in enumerate(names)
    ]
    once, again = (learn("person", profiles) for _ in range(2))
    assert once.model == again.model
    assert once.frequencies == again.frequencies
    weighed = {each["output_column_name"] for each in once.model["comparisons"]} & RARITIES
    assert weighed == {"given_rarity", "family_rarity"}
