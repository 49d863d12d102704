"""Numbers that look right and belong to nobody: telephones, VAT numbers, cards, GS1 keys.

Telephones lie in the ranges that Ofcom keeps for drama ("Telephone numbers for use in TV and radio drama
programmes", ofcom.org.uk). phonenumbers 9.0.42 calls most of them valid, but not 01632 960xxx,
07700 900xxx and 0115 496 0xxx, which it calls only possible.
GS1 keys start with 952, the prefix that GS1 keeps for demonstrations.
"""

from __future__ import annotations

from random import Random

from stdnum import ean
from stdnum.gb import vat

_FIXED = (
    "020 7946 0",
    "0113 496 0",
    "0114 496 0",
    "0115 496 0",
    "0116 496 0",
    "0117 496 0",
    "0118 496 0",
    "0121 496 0",
    "0131 496 0",
    "0141 496 0",
    "0151 496 0",
    "0161 496 0",
    "0191 498 0",
    "028 9649 6",
    "029 2018 0",
    "01632 960",
)
"""Landline ranges of 1,000 numbers each."""

_MOBILE = ("07700 900",)
_RESERVED_TAIL = 900
"""Tails from here on belong to the company's own shops, so that no customer shares their lines."""

COMPANY_PREFIX = "9521234"
"""GS1 company prefix of the demo company, seven digits."""


class PhoneBook:
    """Gives out each drama number once, in national writing; None when the ranges are used up.

    The ranges hold 14,400 fixed and 1,000 mobile numbers. Past that people have no telephone: a number given
    out twice would be evidence for a match that is none.
    """

    def __init__(self, rng: Random) -> None:
        self._fixed = _shuffled(
            rng, [f"{head}{tail:03d}" for head in _FIXED for tail in range(_RESERVED_TAIL)]
        )
        self._mobile = _shuffled(rng, [f"{head}{tail:03d}" for head in _MOBILE for tail in range(1000)])

    def fixed(self) -> str | None:
        """A landline number that nobody else has."""
        return self._fixed.pop() if self._fixed else None

    def personal(self) -> str | None:
        """A number of one's own: a mobile while there are some, then a second landline."""
        return self._mobile.pop() if self._mobile else self.fixed()


def _shuffled(rng: Random, numbers: list[str]) -> list[str]:
    rng.shuffle(numbers)
    return numbers


def written(rng: Random, phone: str) -> str:
    """The same number as another clerk writes it: with +44, without blanks, with brackets or hyphens."""
    area, _, rest = phone.partition(" ")
    forms = (
        phone,
        phone,
        phone.replace(" ", ""),
        f"+44 {phone[1:]}",
        f"+44{phone[1:].replace(' ', '')}",
        f"({area}) {rest}",
        phone.replace(" ", "-"),
        f"0044 {phone[1:]}",
    )
    return rng.choice(forms)


def vat_number(serial: int) -> str:
    """`GB` and nine digits with valid check digits; distinct for each serial below a million."""
    stem = f"9{serial * 7919 % 1_000_000:06d}"
    return next(f"GB{stem}{check:02d}" for check in range(97) if vat.is_valid(f"{stem}{check:02d}"))


def gtin13(stem: str) -> str:
    """Twelve digits and their check digit."""
    return stem + ean.calc_check_digit(stem)


def loyalty_card(serial: int) -> str:
    """A 13-digit card number of the in-store range 29, with check digit."""
    return gtin13(f"29{7_000_000_000 + serial * 7919:010d}")


def sscc(serial: int) -> str:
    """An 18-digit serial shipping container code with check digit."""
    stem = f"3{COMPANY_PREFIX}{serial:09d}"
    return stem + ean.calc_check_digit(stem)


def sscc_urn(code: str) -> str:
    """An SSCC as EPC URN: prefix, then extension digit and serial, without the check digit."""
    return f"urn:epc:id:sscc:{COMPANY_PREFIX}.{code[0]}{code[8:17]}"


def lot_urn(gtin: str, lot: str) -> str:
    """A GTIN with lot as EPC class URN; the indicator digit of a thirteen-digit GTIN is 0."""
    return f"urn:epc:class:lgtin:{COMPANY_PREFIX}.0{gtin[7:12]}.{lot}"


def location_urn(serial: int) -> str:
    """A place as EPC URN (SGLN)."""
    return f"urn:epc:id:sgln:{COMPANY_PREFIX}.{serial:05d}.0"
