"""Synthetic values in the place of personal ones: the same value always becomes the same one, so that keys still meet.

What becomes of a text depends on what the detectors find in it, and where they find nothing on its form: numbers,
times, codes and words of a program stay, whatever else a person may have written is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, Final

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from hub.adapters.secrets import is_secret_name
from hub.detection import Kind, detect

MAX_VALUE: Final = 60
"""Characters; a longer text with something personal in it is a letter, and is replaced as a whole."""

_NUMBER = re.compile(r"[+-]?\d{1,18}(?:[.,]\d{1,9})?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{4}$|(?:19|20)\d{6}$")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{24}|[0-9a-fA-F]{32}")
_CODE = re.compile(r"[A-Za-z]{0,4}[-_/#.]?\d[\d-]{0,15}[A-Za-z]{0,2}")
_WORD = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_PERSONAL_FIELD = re.compile(
    r"name|login|user|owner|author|email|mail|phone|mobile|(?<![a-z])tel|fax|cell|street|address|city|town|zip|post"
    r"|birth|dob|ssn|tax|vat|iban|account|card|passport|insurance|national|subject|title|note|comment|text|body",
    re.IGNORECASE,
)
_PHONE_AREAS: Final = (
    *("20 7946 0", "7700 900", "113 496 0", "114 496 0", "115 496 0", "116 496 0", "117 496 0"),
    *("118 496 0", "121 496 0", "131 496 0", "141 496 0", "151 496 0", "161 496 0", "191 498 0"),
)
"""Numbers that Ofcom keeps free for drama, a thousand in each."""


class Synthetic:
    """Replaces personal values.

    `fields` are names whose values are personal whatever they look like, `region` is the country of phone numbers
    without a code, `secrets` are what may nowhere be written.
    """

    def __init__(
        self,
        fields: Collection[str] = (),
        region: str | None = None,
        secrets: Collection[str] = (),
        *,
        keeps: bool = False,
    ) -> None:
        self.keeps = keeps
        """Whether all values stay but secrets."""
        self._fields = frozenset(fields)
        self._region = region
        self.secrets = frozenset(secrets) - {""}
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def value(self, value: Any, field: str = "") -> Any:
        """A value that stands in `field`, or what stands for it; numbers stay numbers."""
        if value is None or isinstance(value, bool | Decimal):
            return value
        return self._number(value, field) if isinstance(value, int) else self.text(str(value), field)

    def text(self, text: str, field: str = "") -> str:
        """`text`, or what stands for it."""
        if text in self._known:
            return self._known[text]
        if not text.strip():
            return text
        if text in self.secrets or is_secret_name(field):
            return self._replaced(text, "secret", _secret)
        if self.keeps:
            return self.masked(text)
        kind = self._kind(text, field)
        if kind is not None:
            return self._replaced(text, kind, _MAKERS[kind])
        if field not in self._fields and _is_technical(text, field):
            return text
        if _DAY.match(text) and len(text) <= MAX_VALUE:
            return self._replaced(text, "day", _birth_date)
        return self._replaced(text, "text", _free)

    def name(self, name: str) -> str:
        """A field's name; where a source uses people's values for names, what stands for it."""
        return self.text(name) if detect(name) else name

    def segment(self, text: str) -> str:
        """A part of an address's path: what stands for it if it is known, or plainly personal."""
        return self.text(text) if text in self._known or detect(text) else text

    def known(self, text: str) -> str:
        """What stands for `text` since it came in a reply; `text` itself if it did not."""
        return "secret" if text in self.secrets else self._known.get(text, text)

    def known_in(self, value: Any) -> Any:
        """`value` with everything in it that is known replaced."""
        if isinstance(value, Mapping):
            return {name: self.known_in(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.known_in(inner) for inner in value]
        if isinstance(value, str):
            return self.known(value)
        made = self._known.get(str(value)) if type(value) is int else None
        return value if made is None else int(made)

    def masked(self, text: str) -> str:
        """`text` without the secrets in it."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "secret")
        return text

    def _number(self, number: int, field: str) -> int:
        text = str(number)
        kind = None if self.keeps else self._kind(text, field)
        if text in self._known:
            return int(self._known[text])
        if kind is None and (self.keeps or field not in self._fields):
            return number
        made = self._replaced(text, kind or "number", _MAKERS[kind] if kind else _digits)
        self._known[text] = digits = re.sub(r"\D", "", made) or "0"
        return int(digits)

    def _kind(self, text: str, field: str) -> Kind | None:
        hits = detect(text, field, self._region)
        if not hits or len(text) > MAX_VALUE:
            return None
        best = max(hits, key=lambda hit: (hit.confidence, hit.kind))
        return None if best.kind is Kind.EMAIL and " " in text else best.kind

    def _replaced(self, text: str, kind: str, make: Callable[[int, str], str]) -> str:
        number = self._counts.get(kind, 0)
        self._counts[kind] = number + 1
        self._known[text] = made = make(number, text)
        return made


def _is_technical(text: str, field: str) -> bool:
    """Whether a program wrote `text`, not a person."""
    if _TIME.fullmatch(text) or _UUID.fullmatch(text):
        return True
    if _PERSONAL_FIELD.search(field):
        return False
    if detect(text, field) or len(text) > MAX_VALUE:
        return False
    return any(form.fullmatch(text) for form in (_NUMBER, _CODE, _WORD))


def _email(number: int, _text: str) -> str:
    return f"person-{number + 1}@example.com"


def _phone(number: int, _text: str) -> str:
    area, last = divmod(number, 1000)
    return f"+44 {_PHONE_AREAS[area % len(_PHONE_AREAS)]}{last:03}"


def _iban(number: int, _text: str) -> str:
    rest = f"HUBX000000{number % 10**8:08}"
    return f"GB{mod_97_10.calc_check_digits(rest + 'GB')}{rest}"


def _card(number: int, _text: str) -> str:
    body = f"400000{number % 10**9:09}"
    return body + str(luhn.calc_check_digit(body))


def _national_id(number: int, _text: str) -> str:
    return f"NATIONAL-{number + 1}"


def _name(number: int, text: str) -> str:
    letters, rest = "", number
    while rest or not letters:
        rest, last = divmod(rest, 26)
        letters = chr(ord("a") + last) + letters
    word = letters.capitalize()
    return f"Person {word}" if " " in text.strip() else f"Person{letters}"


def _birth_date(number: int, text: str) -> str:
    day, month = 1 + number % 12, 1 + number // 12 % 12
    sign = next((mark for mark in text if not mark.isalnum()), "")
    if re.match(r"\d{4}", text):
        return f"1970{sign}{month:02}{sign}{day:02}"
    return f"{day:02}{sign}{month:02}{sign}1970"


def _ip_address(number: int, _text: str) -> str:
    return f"192.0.2.{number % 254 + 1}"


def _free(number: int, _text: str) -> str:
    return f"Text {number + 1}"


def _secret(number: int, _text: str) -> str:
    return f"secret-{number + 1}"


def _digits(number: int, _text: str) -> str:
    return str(number + 1)


_MAKERS: Final[Mapping[Kind, Callable[[int, str], str]]] = {
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.IBAN: _iban,
    Kind.PAYMENT_CARD: _card,
    Kind.NATIONAL_ID: _national_id,
    Kind.NAME: _name,
    Kind.BIRTH_DATE: _birth_date,
    Kind.IP_ADDRESS: _ip_address,
}
