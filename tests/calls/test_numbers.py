"""What networks show is understood, or said not to be."""

from __future__ import annotations

import pytest

from hub.calls import Shown, Trunk, read_number

HUNGARY = Trunk("HU", outside="0")


@pytest.mark.parametrize(
    ("raw", "e164", "extension"),
    [
        ("06 30 123 4567", "+36301234567", None),
        ("+36301234567", "+36301234567", None),
        (" 36301234567", "+36301234567", None),  # a + that a form has made a blank of
        ("0036301234567", "+36301234567", None),
        ("36301234567", "+36301234567", None),
        ("sip:+36301234567@192.0.2.1;user=phone", "+36301234567", None),
        ('"Anna" <sip:06301234567@pbx.example.com>', "+36301234567", None),
        ("tel:+3612345678;ext=12", "+3612345678", "12"),
        ("+3612345678 x12", "+3612345678", "12"),
        ("+3612345678,,12", "+3612345678", "12"),
        ("#31#+36301234567", "+36301234567", None),
        ("+441174960001", "+441174960001", None),
    ],
)
def test_numbers_come_to_their_international_form(raw: str, e164: str, extension: str | None) -> None:
    found = read_number(raw, Trunk("HU"))
    assert (found.shown, found.e164, found.extension) == (Shown.WHOLE, e164, extension)


def test_the_digit_for_an_outside_line_is_no_part_of_the_number() -> None:
    assert read_number("006301234567", HUNGARY).e164 == "+36301234567"


@pytest.mark.parametrize(
    "raw", [None, "", "  ", "anonymous", "Anonymous", "Restricted", "0000", "unavailable", "\x00"]
)
def test_who_shows_no_number_is_withheld(raw: str | None) -> None:
    assert read_number(raw, HUNGARY).shown is Shown.WITHHELD


def test_an_extension_is_nobody_outside() -> None:
    found = read_number("1042", Trunk("HU"))
    assert (found.shown, found.e164, found.extension, found.tail) == (Shown.SHORT, None, "1042", None)


@pytest.mark.parametrize("raw", ["99999999999999999999", "+" + "1" * 40])
def test_what_no_network_could_call_back_is_broken(raw: str) -> None:
    found = read_number(raw, HUNGARY)
    assert (found.shown, found.e164) == (Shown.BROKEN, None)


def test_a_number_that_its_country_gave_to_nobody_is_doubtful() -> None:
    assert read_number("+36199", Trunk("HU", longest_extension=4)).e164 is None
    assert read_number("+15550000000", HUNGARY).doubtful
    assert not read_number("+36301234567", HUNGARY).doubtful


def test_a_number_too_long_to_be_one_is_not_looked_at() -> None:
    assert read_number("+36 " * 100, HUNGARY).shown is Shown.BROKEN


def test_no_number_is_in_what_is_logged_of_it() -> None:
    assert "301234567" not in repr(read_number("+36301234567", HUNGARY))


def test_the_last_digits_are_kept_for_old_data() -> None:
    assert read_number("+36301234567", HUNGARY).tail == "301234567"
    assert read_number("1234567", Trunk("HU", longest_extension=4)).tail == "1234567"
