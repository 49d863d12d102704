from __future__ import annotations

import pytest

from hub.graph.resolution.profiles.contacts import email, is_mobile, names_given, phone
from hub.graph.resolution.profiles.dates import birth_date
from hub.graph.resolution.profiles.identifiers import tax_id
from hub.graph.resolution.profiles.places import city, country, postal_code, region


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (" Jack.P@Example.COM ", "jack.p@example.com"),
        ("jack+shop@example.com", "jack@example.com"),
        ("J.ack+x@GoogleMail.com", "jack@gmail.com"),
        ("jack@bücher.example", "jack@bücher.example"),
        ("jack @example.com", "jack@example.com"),
        ("em@aosn@example.com", "em@aosn@example.com"),
        ("jack@com", "jack@com"),
        ("no@email", None),
        ("noemail@example.com", None),
        ("NONE@none.com", None),
        ("noreply@example.com", None),
        ("jackexample.com", None),
        ("@", None),
        ("unknown", None),
    ],
)
def test_an_address_is_led_to_its_mailbox(raw: str, expected: str | None) -> None:
    assert email(raw) == expected


@pytest.mark.parametrize(
    ("raw", "of", "expected"),
    [
        ("+441632960123", "GB", "+441632960123"),
        ("+441632960123;ext=12", None, "+441632960123"),
        ("01632 960123", "GB", "+441632960123"),
        ("(01632) 960-123 ext. 4", "GB", "+441632960123"),
        ("0044 1632 960123", "GB", "+441632960123"),
        ("+44 1632 960123", None, "+441632960123"),
        ("01632 960123", None, "01632960123"),
        ("555-0123", "US", "5550123"),
        ("0000000", "GB", None),
        ("+440000000000", None, None),
        ("9999999999", "US", None),
        ("1234567", "US", None),
        ("01234567890", None, None),
        ("12345", None, None),
        ("none", "GB", None),
    ],
)
def test_a_number_is_read_as_one_of_the_country(raw: str, of: str | None, expected: str | None) -> None:
    assert phone(raw, of) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("1980-05-17", "1980-05-17"),
        ("1980-05", "1980-05"),
        ("1980", "1980"),
        ("19800517", "1980-05-17"),
        ("1980-05-17T00:00:00", "1980-05-17"),
        ("1980-02-31", "1980-02"),
        ("1980-13-01", "1980"),
        ("1980-00-00", "1980"),
        ("0000-00-00", None),
        ("1900-01-01", None),
        ("1970-01-01", None),
        ("1899-12-30", None),
        ("9999-12-31", None),
        ("17/05/1980", None),
        ("", None),
    ],
)
def test_a_birth_date_is_as_precise_as_it_is_known(raw: str, expected: str | None) -> None:
    assert birth_date(raw) == expected


@pytest.mark.parametrize(
    ("raw", "of", "expected"),
    [
        ("GB 980 7806 84", "GB", "GB980780684"),
        ("980 7806 84", "GB", "GB980780684"),
        ("XI980780684", None, "GB980780684"),
        ("GB980780685", "GB", None),
        ("DE 136 695 976", None, "DE136695976"),
        ("DE136695975", None, None),
        ("EL094259216", "GR", "GR094259216"),
        ("FR40303265045", None, "FR40303265045"),
        ("529900T8BM49AURSDO55", None, "529900T8BM49AURSDO55"),
        ("529900T8BM49AURSDO56", None, None),
        ("GB82 WEST 1234 5698 7654 32", "GB", "GB82WEST12345698765432"),
        ("GB82 WEST 1234 5698 7654 33", "GB", None),
        ("91-1144442", "US", "911144442"),
        ("07-1144442", "US", None),
        ("21/815/08150", "DE", "2181508150"),
        ("000-00-0000", "US", None),
        ("123456789", None, None),
        ("n/a", None, None),
    ],
)
def test_a_number_counts_where_its_check_digit_holds(raw: str, of: str | None, expected: str | None) -> None:
    assert tax_id(raw, of) == expected


@pytest.mark.parametrize(
    ("raw", "of", "expected"),
    [
        ("pl23 1ab", "GB", "PL231AB"),
        ("PL231AB", None, "PL231AB"),
        ("60637-1234", None, "60637"),
        ("606371234", "US", "60637"),
        ("606371234", "GB", "606371234"),
        ("2116", "US", "02116"),
        ("800", "AU", "0800"),
        ("D-24103", "DE", "24103"),
        ("81-123", "PL", "81123"),
        ("1234 ab", "NL", "1234AB"),
        ("00000", "US", None),
        ("ZZ99 3VZ", "GB", None),
        ("n/a", None, None),
    ],
)
def test_a_postal_code_is_written_as_in_its_country(raw: str, of: str | None, expected: str | None) -> None:
    assert postal_code(raw, of) == expected


@pytest.mark.parametrize(
    ("reader", "raw", "expected"),
    [
        (city, "St. Ives", "st ives"),
        (city, "Saint Ives", "st ives"),
        (city, "München", "munchen"),
        (city, "MUENCHEN", "munchen"),
        (city, "Kingston-upon-Hull", "kingston upon hull"),
        (city, "unknown", None),
        (region, "Washington", "wa"),
        (region, "New South Wales", "nsw"),
        (region, "NSW", "nsw"),
        (region, "County Cork", "cork"),
        (region, "Co. Down", "down"),
        (region, "North Yorkshire", "north yorkshire"),
        (region, "", None),
        (country, "gb", "GB"),
        (country, "UK", "GB"),
        (country, "England", None),
    ],
)
def test_places_have_one_spelling(reader: object, raw: str, expected: str | None) -> None:
    assert callable(reader)
    assert reader(raw) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+447400123456", True),
        ("+447700900123", True),
        ("+441632960123", False),
        ("+491512345678", True),
        ("+12025550123", False),
        ("+999000000001", False),
        ("07700900123", False),
    ],
)
def test_a_mobile_number_is_one_that_its_country_gives_to_nothing_else(number: str, expected: bool) -> None:
    assert is_mobile(number) is expected


@pytest.mark.parametrize(
    ("local", "given", "family", "roots", "expected"),
    [
        ("jack.penhaligon", "jack", "penhaligon", ["john"], True),
        ("penhaligonjack7", "jack", "penhaligon", ["john"], True),
        ("doug61", "douglas", "pemberton", ["douglas"], True),
        ("juergen.jaffrey", "jurgen", "jaffrey", ["jurgen"], True),
        ("j.penhaligon3", "jack", "penhaligon", ["john"], True),
        ("zoe.penhaligon", "jack", "penhaligon", ["john"], False),
        ("the.penhaligons", "jack", "penhaligon", ["john"], False),
        ("the.penhaligons", "", "", [], False),
        ("office", "", "", [], False),
        ("jane.schroder", "", "", [], True),
        ("j.schroder", "", "", [], True),
    ],
)
def test_a_mailbox_is_of_one_whose_name_it_has(
    local: str, given: str, family: str, roots: list[str], expected: bool
) -> None:
    assert names_given(f"{local}@example.com", given, family, roots) is expected
