from __future__ import annotations

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.graph.resolution.profiles import (
    ORGANIZATION_COLUMNS,
    PERSON_COLUMNS,
    PROFILE_VERSION,
    Kind,
    profile_of,
)
from hub.ontology import load_ontology

COLUMNS = {"person": PERSON_COLUMNS, "organization": ORGANIZATION_COLUMNS}
ROLES = [
    *("full_name", "given_name", "middle_name", "family_name", "name_suffix", "alternate_name", "birth_date"),
    *("gender", "email", "phone", "street", "postal_code", "city", "region", "country", "tax_id", "org_name"),
    "mobile",
]


def test_a_person_has_all_columns() -> None:
    values = {
        "full_name": ["Bob van der Berg"],
        "given_name": ["Bob"],
        "middle_name": ["J."],
        "family_name": ["van der Berg"],
        "name_suffix": ["Jr."],
        "birth_date": ["1980-05-17"],
        "gender": ["male"],
        "email": ["bob@example.com", "BOB@example.com", "info@example.com"],
        "phone": ["+441632960124", "+441632960123;ext=4"],
        "mobile": ["+12025550123"],
        "street": ["Flat 3, 12a High Street"],
        "postal_code": ["pl23 1ab"],
        "city": ["Fowey"],
        "region": ["Cornwall"],
        "country": ["GB"],
        "tax_id": ["GB980780684"],
    }
    profile = profile_of("person", values)
    assert profile == {
        "given": "bob",
        "given_root": "robert",
        "given_roots": ["robert"],
        "middle": "j",
        "family": "vanderberg",
        "other_families": ["berg"],
        "generation": "jr",
        "birth_date": "1980-05-17",
        "gender": "male",
        "emails": ["bob@example.com", "info@example.com"],
        "own_emails": ["bob@example.com"],
        "home_emails": ["info@example.com"],
        "phones": ["+12025550123", "+441632960123", "+441632960124"],
        "own_phones": ["+12025550123"],
        "home_phones": ["+441632960123", "+441632960124"],
        "street": "high st",
        "house": "12a",
        "unit": "3",
        "postal_code": "PL231AB",
        "city": "fowey",
        "region": "cornwall",
        "country": "GB",
        "tax_ids": ["GB980780684"],
    }
    assert profile.keys() == PERSON_COLUMNS.keys()


def test_the_first_value_that_is_one_counts() -> None:
    values = {
        "street": ["-", "1 Quay Street", "2 Mill Lane"],
        "birth_date": ["1900-01-01", "1980"],
        "country": ["?", "GB"],
    }
    profile = profile_of("person", values)
    assert profile == {"street": "quay st", "house": "1", "birth_date": "1980", "country": "GB"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("Male", "male"), ("F", "female"), ("weiblich", "female"), ("X", "other"), ("unknown", None)],
)
def test_a_gender_has_one_word(raw: str, expected: str | None) -> None:
    assert profile_of("person", {"gender": [raw]}).get("gender") == expected


def test_nothing_stated_is_an_empty_profile() -> None:
    assert profile_of("person", {}) == profile_of("organization", {}) == {}


def test_every_match_role_of_the_ontology_reaches_a_column() -> None:
    ontology = load_ontology()
    roles = {
        (kind, prop.match)
        for kind, name in (("person", "Person"), ("organization", "Organization"))
        for prop in ontology.types[name].properties.values()
        if prop.match
    }
    unread = {(kind, role) for kind, role in roles if not profile_of(kind, {role: _example(role)})}
    assert unread == set()


def _example(role: str) -> list[str]:
    examples = {"birth_date": "1980", "gender": "female", "email": "a@example.com", "phone": "+441632960123"}
    examples["mobile"] = "+447700900123"
    examples |= {
        "country": "GB",
        "postal_code": "PL23 1AB",
        "name_suffix": "Jr",
        "tax_id": "GB980780684",
        "alternate_name": "Molly Jones",
    }
    return [examples.get(role, "Penhaligon")]


TEXT = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=string.printable, max_size=60),
    st.text(alphabet=st.characters(categories=["Cs", "Mn", "Nd", "Zs", "Cf", "Sk"]), max_size=20),
)


@given(
    st.sampled_from(["person", "organization"]),
    st.dictionaries(st.sampled_from(ROLES), st.lists(TEXT, max_size=3), max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_odd_text_gives_a_sound_profile(kind: Kind, values: dict[str, list[str]]) -> None:
    profile = profile_of(kind, values)
    json.dumps(profile).encode("utf-8")
    for column, value in profile.items():
        assert value
        assert isinstance(value, list) == COLUMNS[kind][column]
        if isinstance(value, list):
            assert value == sorted(set(value))
            assert all(value)
    assert profile_of(kind, values) == profile


CELLS = {
    "given_name": st.sampled_from(["Bob", "Jürgen", "Mary Ann", "J", "Joe", "Samuel"]),
    "family_name": st.sampled_from(["van der Berg", "Müller", "O'Neill", "McKenzie", "Smith-Jones", "Roe"]),
    "name_suffix": st.sampled_from(["Jr.", "III", "Senior"]),
    "birth_date": st.dates().map(str),
    "email": st.sampled_from(["A.b+c@gmail.com", "x@Example.com"]),
    "phone": st.sampled_from(["+441632960123", "01632 960123", "0000000"]),
    "postal_code": st.sampled_from(["pl23 1ab", "60637-1234", "2116"]),
    "city": st.sampled_from(["St. Ives", "Muenchen"]),
    "region": st.sampled_from(["County Cork", "Washington"]),
    "country": st.sampled_from(["gb", "US", "UK", "zz"]),
    "tax_id": st.sampled_from(["980 7806 84", "GB980780684", "21/815/08150"]),
}
COLUMN_OF_ROLE = {
    **{role: role for role in ("birth_date", "postal_code", "city", "region", "country")},
    "given_name": "given",
    "family_name": "family",
    "name_suffix": "generation",
    "email": "emails",
    "phone": "phones",
    "tax_id": "tax_ids",
}


@given(st.fixed_dictionaries({}, optional=CELLS))
@settings(max_examples=200, deadline=None)
def test_a_profile_read_again_is_itself(stated: dict[str, str]) -> None:
    first = profile_of("person", {role: [value] for role, value in stated.items()})
    cells = {role: first[column] for role, column in COLUMN_OF_ROLE.items() if column in first}
    again = profile_of(
        "person", {role: cell if isinstance(cell, list) else [cell] for role, cell in cells.items()}
    )
    unchanged = set(COLUMN_OF_ROLE.values()) | {"given_root"}
    assert {c: v for c, v in again.items() if c in unchanged} == {
        c: v for c, v in first.items() if c in unchanged
    }


def test_a_store_can_tell_by_which_version_a_profile_was_made() -> None:
    assert len(PROFILE_VERSION) == 16
    assert int(PROFILE_VERSION, 16)
