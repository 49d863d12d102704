"""The number that a telephone network shows, as the hub looks for it.

A *trunk* is where a call comes in; its region is the country whose national numbers come without a country code. What
no country code can be found for may still be found by its last digits, as old data often hold local numbers.

    read_number("0630 123 4567", Trunk("HU")).e164     # +36301234567
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import phonenumbers

from hub.settings import PbxSettings
from hub.values import normalise_phone

MAX_NUMBER = 64
"""Characters of a number as it comes; what is longer is none."""
TAIL = 7
"""Last digits that a number is looked for by when it is not found whole; the most of them that agree, up to 9."""
LONGEST_TAIL = 9

_WITHHELD = frozenset(
    {
        "anonymous",
        "unknown",
        "private",
        "restricted",
        "unavailable",
        "withheld",
        "blocked",
        "asterisk",
        "none",
    }
)
"""What PBXs write where a caller shows no number."""

_WRAPPED = re.compile(r'^\s*(?:"[^"]*"\s*)?<?\s*(?:sips?:|tel:)?', re.IGNORECASE)
_AFTER = re.compile(r"[@>].*$|;(?!ext=).*$", re.IGNORECASE)
_SERVICE_CODE = re.compile(r"^[*#]\d{1,3}[*#]")
"""Codes that a phone sends before the number, such as `#31#` to withhold its own."""
_DIALLED_ON = re.compile(r"^([^,pPwW]+)[,pPwW]+(?!\w*=)([0-9*#]+)$")
"""What is dialled on by tones after an answer: `+3612345678,,12`."""


class Shown(StrEnum):
    """What kind of number was shown."""

    WHOLE = "whole"
    WITHHELD = "withheld"
    SHORT = "short"
    """An extension, or a short code: nobody's outside."""
    BROKEN = "broken"
    """No number that any network could call back: garbled, or forged."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """How numbers come in at one PBX."""

    region: str | None = None
    """ISO 3166-1 alpha-2; None where all come with their country code."""
    outside: str = ""
    """Digits that the PBX puts before what came from outside."""
    longest_extension: int = 6

    @classmethod
    def of(cls, pbx: PbxSettings) -> Self:
        """That of a PBX."""
        return cls(pbx.region, pbx.outside, pbx.longest_extension)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was shown."""

    shown: Shown
    e164: str | None = field(default=None, repr=False)
    extension: str | None = field(default=None, repr=False)
    region: str | None = None
    """Where it is from, as far as its country code says."""
    doubtful: bool = False
    """Whether its country has given such numbers to nobody: then it may be forged."""
    tail: str | None = field(default=None, repr=False)
    """Its last digits, at most `LONGEST_TAIL`; None where there are fewer than `TAIL`."""


WITHHELD = Number(Shown.WITHHELD)


def read_number(raw: str | None, trunk: Trunk) -> Number:
    """What the network shows, understood as far as possible; never raises."""
    if raw is None or not (text := _bare(raw)) or text.lower() in _WITHHELD:
        return WITHHELD
    if len(text) > MAX_NUMBER:
        return Number(Shown.BROKEN)
    text, dialled_on = _dialled_on(text)
    digits = re.sub(r"\D", "", text)
    if not digits.strip("0"):
        return WITHHELD
    for each in _readings(text, digits, trunk):
        try:
            found = normalise_phone(each, trunk.region)
        except ValueError:
            continue
        number = _whole(found, dialled_on)
        if each != text and number.doubtful:  # a guess that leads to a number of nobody's was none
            continue
        return number
    if len(digits) <= trunk.longest_extension:
        return Number(Shown.SHORT, extension=digits)
    return Number(Shown.BROKEN, tail=_tail(digits))


def _bare(raw: str) -> str:
    """The number without what SIP and web forms wrap it in; a `+` that became a blank is one again."""
    text = raw.replace("\x00", "")
    if re.fullmatch(r" \d{7,}", text):
        text = f"+{text[1:]}"
    text = _AFTER.sub("", _WRAPPED.sub("", text, count=1)).strip()
    return _SERVICE_CODE.sub("", text)


def _dialled_on(text: str) -> tuple[str, str | None]:
    found = _DIALLED_ON.match(text)
    return (found[1], found[2]) if found else (text, None)


def _readings(text: str, digits: str, trunk: Trunk) -> Iterator[str]:
    """What the text may mean, the likeliest first."""
    if trunk.outside and digits.startswith(trunk.outside) and not text.lstrip().startswith("+"):
        yield digits[len(trunk.outside) :]
    if len(digits) > trunk.longest_extension:
        yield text
        if digits.startswith("00"):
            yield f"+{digits[2:]}"
        yield f"+{digits}"


def _whole(found: str, dialled_on: str | None) -> Number:
    e164, _, extension = found.partition(";ext=")
    number = phonenumbers.parse(e164)
    return Number(
        Shown.WHOLE,
        e164,
        extension or dialled_on,
        phonenumbers.region_code_for_number(number),
        doubtful=not phonenumbers.is_valid_number(number),
        tail=_tail(e164),
    )


def _tail(digits: str) -> str | None:
    own = re.sub(r"\D", "", digits)
    return own[-LONGEST_TAIL:] if len(own) >= TAIL else None
