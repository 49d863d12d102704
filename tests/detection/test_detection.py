"""Detectors find what they are for and little else; samples count and keep no value."""

from __future__ import annotations

import pytest

from hub.detection import CATEGORIES, FieldSample, Kind, detect
from hub.ontology import load_ontology

FOUND = [
    ("ann@example.com", "note", Kind.EMAIL),
    ("please write to ann.archer+x@mail.example.org today", "body", Kind.EMAIL),
    ("+44 20 7946 0100", "x", Kind.PHONE),
    ("call me on +44 117 496 0001, after six", "body", Kind.PHONE),
    ("020 7946 0100", "phone", Kind.PHONE),
    ("GB82 WEST 1234 5698 7654 32", "x", Kind.IBAN),
    ("refund to DE89370400440532013000 please", "body", Kind.IBAN),
    ("4111 1111 1111 1111", "x", Kind.PAYMENT_CARD),
    ("my card 5500-0000-0000-0004 was charged", "body", Kind.PAYMENT_CARD),
    (4111111111111111, "card", Kind.PAYMENT_CARD),
    ("AB 12 34 56 C", "x", Kind.NATIONAL_ID),
    ("RSSMRA85T10A562S", "x", Kind.NATIONAL_ID),
    ("12345678Z", "x", Kind.NATIONAL_ID),
    ("131052-308T", "x", Kind.NATIONAL_ID),
    ("536-90-4399", "x", Kind.NATIONAL_ID),
    ("111222333", "bsn", Kind.NATIONAL_ID),
    ("Ann Archer", "contact_name", Kind.NAME),
    ("Archer", "surname", Kind.NAME),
    ("Spoke to Mrs. Ann Archer about it", "body", Kind.NAME),
    ("1984-05-03", "dob", Kind.BIRTH_DATE),
    ("I was born on 3.5.1984", "body", Kind.BIRTH_DATE),
    ("192.0.2.17", "x", Kind.IP_ADDRESS),
    ("2001:db8:0:0:0:0:0:1", "x", Kind.IP_ADDRESS),
]


@pytest.mark.parametrize(("value", "field", "kind"), FOUND)
def test_what_is_there_is_found_for_sure(value: object, field: str, kind: Kind) -> None:
    found = {hit.kind: hit.confidence for hit in detect(value, field, "GB")}
    assert found[kind] >= 0.9


NOTHING = [
    ("Brass nail 40 mm", "name_of_product"),
    ("NAIL-40", "sku"),
    ("5012345678900", "gtin"),
    ("2026-01-20", "order_date"),
    ("2026-01-20T09:00:00Z", "changed"),
    ("12345678", "amount"),
    ("10.01", "total"),
    ("1.2.3", "version"),
    ("Late parcel", "subject"),
    ("urn:epc:id:sgtin:0614141.107346.2017", "epc"),
    ("C-000123", "customer_no"),
    (4111111111111112, "number"),
    ("DE89370400440532013001", "x"),
    (True, "email"),
    (None, "email"),
]


@pytest.mark.parametrize(("value", "field"), NOTHING)
def test_what_is_not_there_is_not_found(value: object, field: str) -> None:
    assert {hit.kind for hit in detect(value, field, "GB")} == set()


def test_a_detector_that_is_not_sure_counts_where_most_values_pass() -> None:
    """One number in ten passes the Luhn check; all of fifty do not by chance."""
    chance = FieldSample("number")
    for n in range(4111111111111100, 4111111111111150):
        chance.add(n)
    assert list(chance.detections()) == []
    cards = FieldSample("number")
    for n in (4111111111111111, 5500000000000004, 4012888888881881, 4222222222222220):
        cards.add(n)
    [found] = cards.detections()
    assert (found.kind, found.hits, found.sampled) == (Kind.PAYMENT_CARD, 4, 4)


def test_a_sample_counts_values_within_lists_and_objects_and_keeps_none() -> None:
    sample = FieldSample("extra")
    sample.add({"people": [{"mail": "ann@example.com"}, {"mail": "ben@example.com"}]})
    sample.add(None)
    sample.add({"people": []})
    [found] = sample.detections()
    assert (found.kind, found.hits, found.sampled) == (Kind.EMAIL, 1, 1)
    assert "example.com" not in repr(sample)


def test_every_kind_has_a_category_of_the_taxonomy() -> None:
    known = load_ontology().taxonomy.categories
    assert set(CATEGORIES) == set(Kind)
    assert set(CATEGORIES.values()) <= set(known)
