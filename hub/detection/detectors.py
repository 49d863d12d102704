r"""Detectors of personal data in values that nobody declared as such.

A *detector* says whether a text holds something of one kind. A *sure* one is hardly ever wrong (an e-mail address, a
number with a check that few others pass); one that is not sure counts only where many of a field's values pass, for
one number in ten passes the Luhn check by chance: `4111 1111 1111 1111` is sure to be a card, `41111116` is nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType, ModuleType
from typing import Final

import phonenumbers
from nicknames import NickNamer
from stdnum import iban, luhn
from stdnum.be import nn
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.ie import pps
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import ssn

MAX_TEXT: Final = 4_000
"""Characters of a text that are looked at: a long letter tells enough by its beginning."""


class Kind(StrEnum):
    """What a detector finds."""

    EMAIL = "email"
    PHONE = "phone"
    IBAN = "iban"
    PAYMENT_CARD = "payment_card"
    NATIONAL_ID = "national_id"
    NAME = "name"
    BIRTH_DATE = "birth_date"
    IP_ADDRESS = "ip_address"


CATEGORIES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.EMAIL: "user.contact.email",
        Kind.PHONE: "user.contact.phone_number",
        Kind.IBAN: "user.financial.bank_account",
        Kind.PAYMENT_CARD: "user.financial.credit_card",
        Kind.NATIONAL_ID: "user.government_id.national_identification_number",
        Kind.NAME: "user.name",
        Kind.BIRTH_DATE: "user.demographic.date_of_birth",
        Kind.IP_ADDRESS: "user.device.ip_address",
    }
)
"""The data category that a kind belongs to."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A kind that a value holds. The value itself is not kept."""

    kind: Kind
    confidence: float
    """Between 0 and 1; from `SURE` on, one value is enough."""


SURE: Final = 0.9


def detect(value: object, field: str = "", region: str | None = None) -> frozenset[Hit]:
    """The kinds that a value holds; `field` is its field's name, `region` the country of numbers without a code."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return frozenset()
    text = str(value)[:MAX_TEXT]
    best: dict[Kind, float] = {}
    for detector in _DETECTORS:
        for hit in detector(text, field.casefold(), region):
            best[hit.kind] = max(hit.confidence, best.get(hit.kind, 0.0))
    return frozenset(Hit(kind, confidence) for kind, confidence in best.items())


_EMAIL = re.compile(r"[A-Za-z0-9][\w.+%-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")


def _email(text: str, _field: str, _region: str | None) -> Iterator[Hit]:
    if "@" in text and _EMAIL.search(text):
        yield Hit(Kind.EMAIL, 0.99)


_PHONE = re.compile(r"(?<![\w.])(?:\+|\(?0)[\d ()./-]{6,20}\d(?!\w)")
_PHONE_FIELD = re.compile(r"phone|mobile|tel|fax|cell|handy")


def _phone(text: str, field: str, region: str | None) -> Iterator[Hit]:
    for found in _PHONE.finditer(text):
        try:
            number = phonenumbers.parse(found.group(), region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            is_written_out = found.group().startswith("+") or _PHONE_FIELD.search(field)
            yield Hit(Kind.PHONE, 0.95 if is_written_out else 0.6)


_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")


def _iban(text: str, _field: str, _region: str | None) -> Iterator[Hit]:
    if any(iban.is_valid(found.group()) for found in _IBAN.finditer(text)):
        yield Hit(Kind.IBAN, 0.99)


_CARD = re.compile(r"(?<![\d.+-])[3-6](?:[ -]?\d){13,18}(?![\d.])")
_CARD_FIELD = re.compile(r"card|\bpan\b|karte|carte")


def _payment_card(text: str, field: str, _region: str | None) -> Iterator[Hit]:
    for found in _CARD.finditer(text):
        written = found.group()
        if luhn.is_valid(re.sub(r"\D", "", written)):
            is_grouped = bool(re.search(r"[ -]", written)) or bool(_CARD_FIELD.search(field))
            yield Hit(Kind.PAYMENT_CARD, 0.95 if is_grouped else 0.6)


_NINO = re.compile(r"\b[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]\b")
"""A British national insurance number; its form is all there is to check (HMRC NIM39110)."""
_NUMBER = re.compile(r"\b[A-Z0-9](?:[ .+-]?[A-Z0-9]){7,17}\b")
_TELLING: Final[tuple[ModuleType, ...]] = (codicefiscale, dni, nie, hetu, pps)
"""Numbers with letters in them, which little else looks like."""
_DIGITS_ALONE: Final[tuple[ModuleType, ...]] = (
    *(bsn, cpr, fodselsnummer, idnr, nhs, nir, nn, personnummer, pesel, ssn),
)
"""Numbers that other numbers look like: one in ten or so passes."""
_NATIONAL_FIELD = re.compile(
    r"national|ssn|social.?sec|nino|insurance|passport|identity|bsn|pesel|fiscal|nhs"
)


def _national_id(text: str, field: str, _region: str | None) -> Iterator[Hit]:
    if _NINO.search(text):
        yield Hit(Kind.NATIONAL_ID, 0.95)
    checked = (*_TELLING, *_DIGITS_ALONE) if _NATIONAL_FIELD.search(field) else _TELLING
    for found in _NUMBER.finditer(text):
        written = found.group()
        if not any(sign.isdigit() for sign in written):
            continue
        if any(module.is_valid(written) for module in checked):
            yield Hit(Kind.NATIONAL_ID, 0.95)
        elif re.fullmatch(r"\d{3}-\d\d-\d{4}", written) and ssn.is_valid(written):
            yield Hit(Kind.NATIONAL_ID, 0.9)


_NAME_FIELD = re.compile(
    r"(?<![a-z])(?:sur|fore|first|last|family|given|full|maiden)?_?names?(?![a-z])|spouse|next_of_kin"
)
_OTHER_NAME = re.compile(r"file|user|host|product|store|brand|item|column|table|city|town|street|stage|plan")
_WORDS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Herr|Frau|Mme)\.? [A-Z][^\W\d_]+ [A-Z][^\W\d_]+")
_known_names = NickNamer()


def _name(text: str, field: str, _region: str | None) -> Iterator[Hit]:
    if _TITLED.search(text):
        yield Hit(Kind.NAME, 0.9)
        return
    words = _WORDS.findall(text)
    capital = 1 <= len(words) <= 4 and len(text) <= 60 and all(word[0].isupper() for word in words)
    if not capital or any(sign.isdigit() for sign in text):
        return
    if _NAME_FIELD.search(field) and not _OTHER_NAME.search(field):
        yield Hit(Kind.NAME, 0.9)
    elif len(words) >= 2 and _is_given_name(words[0]):
        yield Hit(Kind.NAME, 0.7)


def _is_given_name(word: str) -> bool:
    return bool(_known_names.nicknames_of(word) or _known_names.canonicals_of(word))


_DATE = re.compile(r"\b(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d)\b")
_BIRTH_FIELD = re.compile(r"birth|dob(?![a-z])|geburt|naiss|nacim|nascita")
_BORN = re.compile(r"\b(?:born|date of birth|d\.?o\.?b\.?)\b.{0,12}\d", re.IGNORECASE)


def _birth_date(text: str, field: str, _region: str | None) -> Iterator[Hit]:
    if _DATE.search(text) and (_BIRTH_FIELD.search(field) or _BORN.search(text)):
        yield Hit(Kind.BIRTH_DATE, 0.95)


_IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){3,7})(?![\w.:])"
)


def _ip_address(text: str, field: str, _region: str | None) -> Iterator[Hit]:
    for found in _IP.finditer(text):
        try:
            ipaddress.ip_address(found.group())
        except ValueError:
            continue
        # A version number such as 1.2.3.4 reads the same.
        yield Hit(Kind.IP_ADDRESS, 0.5 if "version" in field else 0.9)


Detector = Callable[[str, str, "str | None"], Iterator[Hit]]

_DETECTORS: Final[tuple[Detector, ...]] = (
    *(_email, _phone, _iban, _payment_card, _national_id, _name, _birth_date, _ip_address),
)
