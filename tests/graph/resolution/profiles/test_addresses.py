from __future__ import annotations

import sys
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import ConfigurationError
from hub.graph.resolution.profiles import libpostal_reader, profile_of
from hub.graph.resolution.profiles.addresses import StreetParts, street_name, street_parts
from hub.graph.resolution.profiles.texts import words

LINES = [
    ("12 High Street", "high st", "12", ""),
    ("12, HIGH ST.", "high st", "12", ""),
    ("High Street 12", "high st", "12", ""),
    ("High Street No 12", "high st", "12", ""),
    ("No. 7, The Mews", "mws", "7", ""),
    ("12a High St", "high st", "12a", ""),
    ("12 a High Street", "high st", "12a", ""),
    ("12 e main st", "e main st", "12", ""),
    ("127 Q Street", "q st", "127", ""),
    ("12-14 High St", "high st", "12-14", ""),
    ("Flat 3, 12 High St", "high st", "12", "3"),
    ("Flat 3 12 High St", "high st", "12", "3"),
    ("12 High St, Apt 4B", "high st", "12", "4b"),
    ("12 High St #4", "high st", "12", "4"),
    ("#12 High St", "high st", "12", ""),
    ("225 Hornbeam St number 5011", "hornbeam st", "225", "5011"),
    ("3/12 Smith St", "smith st", "12", "3"),
    ("Flat 2/1, 5 Argyle St", "argyle st", "5", "2/1"),
    ("1/1 12 Argyle St", "argyle st", "12", "1/1"),
    ("14717 utrecht road, fl 6 apt no c 30", "utrecht rd", "14717", "f6 c30"),
    ("5th floor, 20 Main St", "main st", "20", "f5"),
    ("Ground Floor 20 Main St", "main st", "20", "fg"),
    ("P.O. Box 123, Fowey", "pobox", "123", ""),
    ("Postfach 12", "pobox", "12", ""),
    ("32 East 115th Street", "e 115th st", "32", ""),
    ("2725 E 130th", "e 130th", "2725", ""),
    ("N W 5th St", "nw 5th st", "", ""),
    ("5 northwest fifth street", "nw 5th st", "5", ""),
    ("19133 avenue 352", "ave 352", "19133", ""),
    ("N 8 St", "n 8 st", "", ""),
    ("Highway 12", "hwy 12", "", ""),
    ("14th st w", "14th st w", "", ""),
    ("6311 S. Calumet ", "s calumet", "6311", ""),
    ("1343 N. California Ave. \n", "n california ave", "1343", ""),
    ("12 Saint James Street", "st james st", "12", ""),
    ("12 St. James' St", "st james st", "12", ""),
    ("Rose Cottage, Quay Street", "quay st", "rose cottage", ""),
    ("The Old Forge, Mill Lane", "mill ln", "old forge", ""),
    ("Spindrift, Strand", "strand", "spindrift", ""),
    ("Church House 12 High Street", "high st", "12", ""),
    ("c/o Smith, 12 High St", "high st", "12", ""),
    ("Hauptstraße 12a", "haupt st", "12a", ""),
    ("Hauptstr. 12 a", "haupt st", "12a", ""),
    ("Lange Straße 5", "lange st", "5", ""),
    ("Mühlenweg 3", "muhlenweg", "3", ""),
    ("Muehlenweg 3", "muhlenweg", "3", ""),
    ("Kerkstraat 5", "kerk st", "5", ""),
    ("Rue de la Paix, 12", "rue de la paix", "12", ""),
    ("12 bis rue Foo", "rue foo", "12bis", ""),
    ("Via Roma 3", "via roma", "3", ""),
    ("ul. Długa 5/7", "dluga", "5", "7"),
    ("12", "", "12", ""),
    ("unknown", "", "", ""),
    ("N/A", "", "", ""),
    ("-", "", "", ""),
]


@pytest.mark.parametrize(("raw", "street", "house", "unit"), LINES, ids=[line for line, *_ in LINES])
def test_a_line_comes_apart(raw: str, street: str, house: str, unit: str) -> None:
    assert street_parts(raw) == (street, house, unit)


def written_again(street: str, house: str, unit: str) -> str:
    return ", ".join(part for part in (f"flat {unit}" if unit else "", f"{house} {street}".strip()) if part)


NUMBERED = [parts for _, *parts in LINES if parts[1][:1].isdigit() and not parts[2].startswith("f")]


@pytest.mark.parametrize("parts", NUMBERED, ids=str)
def test_normal_parts_written_as_a_line_come_out_the_same(parts: list[str]) -> None:
    if parts[0] == "pobox":
        assert street_parts("po box " + parts[1]) == tuple(parts)
    else:
        assert street_parts(written_again(*parts)) == tuple(parts)


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                sorted(words("12 a Flat 3/ High Street St. N West , - # PO Box floor Straße 5th No é"))
            )
        ).map(" ".join),
    )
)
@settings(max_examples=200, deadline=None)
def test_any_line_comes_apart_and_its_street_is_normal(raw: str) -> None:
    street = street_parts(raw).street
    assert street_name(street) == street


def parsed_by_libpostal(components: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> StreetParts:
    """What the reader makes of the answer of libpostal: text and label of each component, in their order."""
    asked: list[str] = []
    parser = ModuleType("postal.parser")
    parser.parse_address = lambda text: asked.append(text) or components
    monkeypatch.setitem(sys.modules, "postal", ModuleType("postal"))
    monkeypatch.setitem(sys.modules, "postal.parser", parser)
    read = libpostal_reader()
    profile = profile_of("person", {"street": ["Whatever Straße"]}, read)
    assert asked == ["whatever strasse"]
    return StreetParts(*(str(profile.get(column, "")) for column in StreetParts._fields))


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        (
            [("apt 3", "unit"), ("floor 2", "level"), ("12 a", "house_number"), ("hauptstrasse", "road")],
            ("haupt st", "12a", "f2 3"),
        ),
        (
            [("rose cottage", "house"), ("quay street", "road"), ("fowey", "city")],
            ("quay st", "rose cottage", ""),
        ),
        ([("po box 12", "po_box")], ("pobox", "12", "")),
        ([("fowey", "city")], ("", "", "")),
    ],
)
def test_libpostal_reads_streets_into_the_same_normal_form(
    components: list[tuple[str, str]], expected: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parsed_by_libpostal(components, monkeypatch) == expected


def test_without_libpostal_its_reader_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "postal", None)
    monkeypatch.setitem(sys.modules, "postal.parser", None)
    with pytest.raises(ConfigurationError, match="libpostal"):
        libpostal_reader()
