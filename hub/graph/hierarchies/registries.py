"""What registries say of branches by their numbers alone: a branch has the number of its company and a suffix.

| number                     | the company's part | the branch's part                                  |
|----------------------------|--------------------|----------------------------------------------------|
| Dutch VAT `NL123456789B02` | `NL123456789`      | `B02` and up; `B01` is the head office             |
| French SIRET, 14 digits    | the SIREN, 9 digits| the establishment; a SIREN or a VAT has none       |
| British VAT of a branch    | `GB` and 9 digits  | 3 more digits; the company's own number has none   |
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stdnum.fr import siret

_DUTCH = re.compile(r"NL(\d{9})B(\d{2})")
_BRITISH = re.compile(r"(GB\d{9})(\d{3})?")
_FRENCH_VAT = re.compile(r"FR[A-HJ-NP-Z0-9]{2}(\d{9})")
_SIGNS = re.compile(r"[^A-Z0-9]")


class Registered(NamedTuple):
    """A number as its registry means it."""

    company: str
    """The part that all branches of one company share."""
    is_head: bool
    """Whether it is the company's own number and not a branch's."""


def registered(value: str) -> Registered | None:
    """What the number says; None where its registry does not tell branches from companies."""
    number = _SIGNS.sub("", value.upper())
    if dutch := _DUTCH.fullmatch(number):
        return Registered(f"NL{dutch[1]}", dutch[2] == "01")
    if british := _BRITISH.fullmatch(number):
        return Registered(british[1], british[2] is None)
    if french := _FRENCH_VAT.fullmatch(number):
        return Registered(f"FR{french[1]}", True)
    if number.isdigit() and len(number) == 14 and siret.is_valid(number):
        return Registered(f"FR{number[:9]}", False)
    return None
