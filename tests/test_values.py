"""Exact values: ids, normal forms, partial dates."""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.values import (
    Instant,
    Money,
    entity_id,
    first_day,
    is_partial_date,
    last_day,
    normalise_email,
    normalise_phone,
)

words = st.text(max_size=8)


@given(st.tuples(words, words, words), st.tuples(words, words, words))
def test_two_things_have_two_ids(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (entity_id(*one) == entity_id(*other)) == (one == other)


def test_an_entity_id_is_the_same_on_every_machine() -> None:
    assert entity_id("erp", "Party", "C-17") == "4oylzto7mdkxmlbdlikycu5i7y"


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("01632 960123", "GB", "+441632960123"),
        ("+44 (0)1632 960 123", None, "+441632960123"),
        ("0044 1632 960123", "GB", "+441632960123"),
        ("01632 960123 ext. 45", "GB", "+441632960123;ext=45"),
        ("555-0123", "US", None),
        ("not a number", "GB", None),
    ],
)
def test_phone_numbers_become_e164(raw: str, region: str | None, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="phone number") as caught:
            normalise_phone(raw, region)
        assert raw not in str(caught.value)
    else:
        assert normalise_phone(raw, region) == expected


def test_email_addresses_become_lower_case() -> None:
    assert normalise_email(" Zoe.Ash@Example.COM ") == "zoe.ash@example.com"


@pytest.mark.parametrize("raw", ["zoe", "zoe@", "@example.com", "zoe@example..com"])
def test_what_is_no_email_address_is_refused_without_being_repeated(raw: str) -> None:
    with pytest.raises(ValueError, match="e-mail") as caught:
        normalise_email(raw)
    assert raw not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1984", True),
        ("1984-02", True),
        ("1984-02-29", True),
        ("1985-02-29", False),
        ("84", False),
        ("1984-13", False),
        ("１９８４", False),
        ("1984-0２", False),
    ],
)
def test_partial_dates(text: str, expected: bool) -> None:
    assert is_partial_date(text) is expected


def test_an_instant_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        Instant(datetime(2026, 1, 1), "UTC")


def test_values_do_not_show_in_repr() -> None:
    shown = repr(Money(Decimal("9876543.21"), "GBP"))
    assert "9876543" not in shown
    assert "GBP" not in shown


@pytest.mark.parametrize(("text", "first", "last"), [
    ("2024", "2024-01-01", "2024-12-31"),
    ("2024-02", "2024-02-01", "2024-02-29"),
    ("2024-02-03", "2024-02-03", "2024-02-03"),
])  # fmt: skip
def test_a_partial_date_has_a_first_and_a_last_day(text: str, first: str, last: str) -> None:
    assert (first_day(text).isoformat(), last_day(text).isoformat()) == (first, last)
