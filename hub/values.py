"""Exact values as they travel from a mapping to the store: money, instants, partial dates, ids.

An *entity id* is derived from (source, space, key) and the store's secret, so that a reference knows its target's id
before the target has arrived, and an id tells nothing of the key.
"""

from __future__ import annotations

import base64
import hashlib
import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

_PARTIAL_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


@dataclass(frozen=True, slots=True, repr=False)
class Money:
    """An exact amount with its ISO 4217 currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, repr=False)
class Instant:
    """A point in time in UTC, with the zone the source stated it in (IANA name or offset such as `+02:00`)."""

    at: datetime
    zone: str

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an instant needs a zone")
        object.__setattr__(self, "at", self.at.astimezone(UTC))


def is_partial_date(text: str) -> bool:
    """Whether `text` is an existing `YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""
    if not _PARTIAL_DATE.fullmatch(text):
        return False
    try:
        datetime.strptime((text + "-01-01")[:10], "%Y-%m-%d")
    except ValueError:
        return False
    return True


def first_day(text: str) -> date:
    """The first day of a partial date."""
    return date.fromisoformat((text + "-01-01")[:10])


def last_day(text: str) -> date:
    """The last day of a partial date."""
    first = first_day(text)
    if len(text) == len("YYYY-MM-DD"):
        return first
    month = first.month if len(text) == len("YYYY-MM") else 12
    return first.replace(month=month, day=monthrange(first.year, month)[1])


def entity_id(source: str, space: str, key: str, secret: bytes = b"") -> str:
    """The id of the entity that `source` calls `key` within `space`: 26 lower-case base-32 characters.

    With the store's `secret` (at most 64 bytes) nobody can guess a key, such as a phone number, and compare ids.
    """
    named = f"{len(source)}:{source}{len(space)}:{space}{key}".encode()
    digest = hashlib.blake2b(named, digest_size=16, key=secret).digest()
    return base64.b32encode(digest)[:26].decode().lower()


@lru_cache(maxsize=65_536)
def normalise_email(raw: str) -> str:
    """The address in lower case with a normalised domain.

    Lower case also before the @: mailboxes that differ only in case are not met in practice, and
    RFC 5321 section 2.4 advises against them.

    Raises:
        ValueError: it is not an e-mail address; the message does not repeat it.
    """
    try:
        found = validate_email(raw.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError("is not an e-mail address") from error
    return found.normalized.lower()


@lru_cache(maxsize=65_536)
def normalise_phone(raw: str, region: str | None) -> str:
    """The number in E.164, an extension after `;ext=`; `region` is for numbers without a country code.

    A possible number is enough, because validity tables lag behind the numbering plans; a local one without its
    area code is not, because it would be somebody else's in E.164.

    Raises:
        ValueError: it is not a possible phone number; the message does not repeat it.
    """
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"is not a phone number of region {region}") from error
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise ValueError(f"is not a possible phone number of region {region}")
    extension = f";ext={number.extension}" if number.extension else ""
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) + extension
