from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.graph.resolution.profiles import profile_of
from hub.graph.resolution.profiles.names import family_part, generation, given_part
from hub.graph.resolution.profiles.nicknames import roots
from hub.graph.resolution.profiles.texts import words

Columns = dict[str, str | list[str]]


def named(**values: str) -> Columns:
    return profile_of("person", {role: [value] for role, value in values.items()})


def without_roots(profile: Columns) -> Columns:
    return {column: value for column, value in profile.items() if not column.startswith("given_root")}


FULL_NAMES = [
    ("Jack Penhaligon", {"given": "jack", "family": "penhaligon"}),
    ("Penhaligon, Jack", {"given": "jack", "family": "penhaligon"}),
    ("  JACK   PENHALIGON ", {"given": "jack", "family": "penhaligon"}),
    ("J. Smith", {"given": "j", "family": "smith"}),
    ("J.R. Smith", {"given": "j", "middle": "r", "family": "smith"}),
    ("Mary Ann Smith", {"given": "mary", "middle": "ann", "family": "smith"}),
    ("Jean-Luc Picard", {"given": "jeanluc", "family": "picard"}),
    ("Dr. John Smith PhD", {"given": "john", "family": "smith"}),
    (
        "Prof. Dr. Hans von Habsburg",
        {"given": "hans", "family": "vonhabsburg", "other_families": ["habsburg"]},
    ),
    ("Smith, John, Jr.", {"given": "john", "family": "smith", "generation": "jr"}),
    ("Jack Penhaligon Snr", {"given": "jack", "family": "penhaligon", "generation": "sr"}),
    ("JOHN SMITH III", {"given": "john", "family": "smith", "generation": "3"}),
    ("Jane Senior", {"given": "jane", "family": "senior"}),
    ("Jan van der Berg", {"given": "jan", "family": "vanderberg", "other_families": ["berg"]}),
    ("de la Cruz, Maria", {"given": "maria", "family": "delacruz", "other_families": ["cruz"]}),
    ("Mohamed bin Salman", {"given": "mohamed", "family": "binsalman", "other_families": ["salman"]}),
    ("Seán O’Neill", {"given": "sean", "family": "oneill"}),
    ("Fiona McDonald", {"given": "fiona", "family": "macdonald"}),
    ("Ruth St John", {"given": "ruth", "family": "stjohn"}),
    ("Mary Smith-Jones", {"given": "mary", "family": "smithjones", "other_families": ["jones", "smith"]}),
    (
        "María García López",
        {"given": "maria", "middle": "garcia", "family": "lopez", "other_families": ["garcia"]},
    ),
    (
        "Ortega y Gasset, José",
        {"given": "jose", "family": "ortegagasset", "other_families": ["gasset", "ortega"]},
    ),
    ("Mrs Anna Smith (née Jones)", {"given": "anna", "family": "smith", "other_families": ["jones"]}),
    ("Anna Müller geb. Schmidt", {"given": "anna", "family": "muller", "other_families": ["schmidt"]}),
    ("Anna Smith, formerly Jones", {"given": "anna", "family": "smith", "other_families": ["jones"]}),
    ("Иван Петров", {"given": "ivan", "family": "petrov"}),
    ("Łukasz Wójcik", {"given": "lukasz", "family": "wojcik"}),
    ("Mr & Mrs J Smith", {"given": "j", "family": "smith"}),
    ("John and Mary Smith", {"given": "john", "family": "smith"}),
    ("Mrs Smith", {"family": "smith"}),
    ("Smith", {"family": "smith"}),
    ("Bob", {"given": "bob"}),
    ("unknown", {}),
    ("N/A", {}),
    ("Test Test", {}),
    ("CASH SALE", {}),
    ("Mr", {}),
    ("---", {}),
]


@pytest.mark.parametrize(("full", "expected"), FULL_NAMES, ids=[full for full, _ in FULL_NAMES])
def test_a_full_name_comes_apart(full: str, expected: Columns) -> None:
    assert without_roots(named(full_name=full)) == expected


@pytest.mark.parametrize(
    ("raw", "family", "others"),
    [
        ("Müller", "muller", ()),
        ("Mueller", "muller", ()),
        ("Muller", "muller", ()),
        ("Schröder", "schroder", ()),
        ("Schroeder", "schroder", ()),
        ("Bauer", "bauer", ()),
        ("MacAllister", "macallister", ()),
        ("mc allister", "macallister", ()),
        ("O'Brien", "obrien", ()),
        ("O Brien", "obrien", ()),
        ("zeitzen-van der burg", "zeitzenvanderburg", ("zeitzen", "vanderburg", "burg")),
        ("Smith née Jones-Brown", "smith", ("jonesbrown", "jones", "brown")),
        ("Smith (Jones)", "smith", ("jones",)),
        ("van", "van", ()),
        ("Nguyen Le", "nguyenle", ("nguyen",)),
        ("rolli ns", "rollins", ("rolli",)),
        ("not known", "", ()),
    ],
)
def test_a_family_name_is_one_word_and_its_pieces_are_others(
    raw: str, family: str, others: tuple[str, ...]
) -> None:
    assert family_part(raw)[:2] == (family, others)


@pytest.mark.parametrize(
    ("raw", "name", "middle"),
    [
        ("Michael", "michael", ()),
        ("Jürgen", "jurgen", ()),
        ("Juergen", "jurgen", ()),
        ("geo rge", "george", ()),
        ("joshu a", "joshua", ()),
        ("Mary A", "mary", ("a",)),
        ("J.R.", "j", ("r",)),
        ("Mr John", "john", ()),
        ("John & Mary", "john", ()),
        ("Mary (Molly)", "mary", ()),
        ("Man Of The House", "", ()),
        ("Female Child", "", ()),
        ("FNU", "", ()),
    ],
)
def test_a_field_for_given_names_holds_more_than_one(raw: str, name: str, middle: tuple[str, ...]) -> None:
    assert given_part(raw)[:2] == (name, middle)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        *[(raw, "jr") for raw in ("Jr", "JR.", "Jnr", "junior")],
        *[(raw, "sr") for raw in ("Sr.", "Snr", "Senior")],
        *[("II", "2"), ("2nd", "2"), ("III", "3"), ("3", "3"), ("IV", "4"), ("V", "5"), ("PhD, Jr.", "jr")],
        *[(raw, "") for raw in ("PhD", "", "Esq.")],
    ],
)
def test_generations_have_one_form(raw: str, expected: str) -> None:
    assert generation(raw) == expected


@pytest.mark.parametrize(
    "values",
    [
        {"given_name": "Jack", "family_name": "Lee", "name_suffix": "Jr."},
        {"given_name": "Jack", "family_name": "Lee Jnr"},
        {"given_name": "Jack", "family_name": "Lee", "full_name": "Jack Lee Jr"},
        {"given_name": "Jack Junior", "family_name": "Lee"},
    ],
)
def test_the_generation_is_found_wherever_it_stands(values: dict[str, str]) -> None:
    assert without_roots(named(**values)) == {"given": "jack", "family": "lee", "generation": "jr"}


def test_the_family_senior_has_no_generation() -> None:
    assert "generation" not in named(given_name="Jane", family_name="Senior", full_name="Jane Senior")


def test_what_the_parts_lack_the_full_name_gives() -> None:
    assert without_roots(named(family_name="Smith", full_name="Mary Smith")) == {
        "given": "mary",
        "family": "smith",
    }


def test_another_name_is_another_family_or_another_given_name() -> None:
    known_as = {"given_name": "Margaret", "family_name": "Smith", "alternate_name": "Molly Jones"}
    profile = named(**known_as)
    assert profile["other_families"] == ["jones"]
    assert profile["given_roots"] == ["margaret", "mary"]


ROOTS = [
    *[(name, "", "robert") for name in ("bob", "rob", "bobby", "robert")],
    *[(name, "", "catherine") for name in ("kate", "kathryn", "katherine", "cathy")],
    *[(name, "", "elizabeth") for name in ("liz", "beth", "betty", "elisabeth")],
    *[(name, "", "mohammed") for name in ("mo", "mohamed", "muhammad")][1:],
    *[
        ("sam", "", "samuel"),
        ("sam", "female", "samantha"),
        ("sam", "male", "samuel"),
        ("sam", "other", "samuel"),
    ],
    *[("alex", "female", "alexandra"), ("chris", "female", "christine"), ("kim", "male", "kim")],
    *[("nancy", "", "nancy"), ("gary", "", "gary"), ("noah", "", "noah"), ("lisa", "", "lisa")],
    *[("jeffrey", "", "geoffrey"), ("steven", "", "stephen"), ("dmitry", "", "dmitri")],
    *[("toby", "", "toby"), ("archie", "", "archibald"), ("zebedee", "", "zebedee")],
]


@pytest.mark.parametrize(("name", "gender", "root"), ROOTS)
def test_short_forms_and_spellings_lead_to_one_root(name: str, gender: str, root: str) -> None:
    assert roots(name, gender)[0] == root


@pytest.mark.parametrize("gender", ["", "female", "male"])
@pytest.mark.parametrize("name", sorted({name for name, _, _ in ROOTS}))
def test_a_root_is_its_own_root(name: str, gender: str) -> None:
    root = roots(name, gender)[0]
    assert roots(root, gender)[0] == root


def test_an_initial_has_no_root() -> None:
    assert named(given_name="J", family_name="Lee") == {"given": "j", "family": "lee"}


NAME_TEXT = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(
            sorted(
                words(
                    "van der O' Mc mac née Müller Jones-Smith Jr II Dr Mr & and y ( ) , - ue aeoe Bob Sam X"
                )
            )
        ),
        max_size=6,
    ).map(" ".join),
)


@given(NAME_TEXT)
@settings(max_examples=200, deadline=None)
def test_the_parts_of_a_normal_name_are_itself(raw: str) -> None:
    family = family_part(raw)[0]
    assert family_part(family)[0] == family
    name = given_part(raw)[0]
    assert given_part(name)[0] == name
