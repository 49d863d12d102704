"""From which age a person's own yes counts; below it their guardian has to give it (GDPR Art. 8(1)).

The law of the country of the customer's address decides. Of a country that is not listed, and of customers whose
country nobody knows, `UNKNOWN` is taken, the oldest age that Art. 8 allows. `ages_of_consent` of the policy replaces
single ages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Ages = tuple[tuple[str, int], ...]
"""Years by country (ISO 3166-1 alpha-2), sorted."""

UNKNOWN: Final = 16
"""GDPR Art. 8(1), first subparagraph."""

AGES: Final[Ages] = (
    ("AT", 14),  # DSG § 4(4)
    ("BE", 13),  # Act of 30 July 2018, Art. 7
    ("BG", 14),  # ZZLD Art. 25c
    ("CY", 14),  # Law 125(I)/2018, s. 8
    ("CZ", 15),  # Act 110/2019, s. 7
    ("DK", 15),  # Databeskyttelsesloven § 6(2), as amended from 1 January 2024
    ("EE", 13),  # IKS § 8
    ("ES", 14),  # LOPDGDD Art. 7
    ("FI", 13),  # Tietosuojalaki 5 §
    ("FR", 15),  # Loi 78-17, Art. 45
    ("GB", 13),  # DPA 2018, s. 9
    ("GR", 15),  # Law 4624/2019, Art. 21
    ("IS", 13),  # Act 90/2018, Art. 10
    ("IT", 14),  # Codice privacy, Art. 2-quinquies
    ("LT", 14),  # ADTAI Art. 6
    ("LV", 13),  # FPDAL s. 33
    ("MT", 13),  # S.L. 586.11
    ("NO", 13),  # Personopplysningsloven § 5
    ("PT", 13),  # Lei 58/2019, Art. 16
    ("SE", 13),  # Lag 2018:218, 2 kap. 4 §
    ("SI", 15),  # ZVOP-2, Art. 8
    ("US", 13),  # COPPA, 15 USC 6501(1), 16 CFR 312.2
)
"""Where the law of a country has set an age of its own; the other members of the EEA keep 16."""


def ages(changed: Mapping[str, int]) -> Ages:
    """The ages with those of a policy in their place."""
    return tuple(sorted({**dict(AGES), **changed}.items()))


def is_child(born: str | None, is_minor: bool, country: str | None, today: str, known: Ages = AGES) -> bool:
    """Whether their own yes does not count on the day; `born` and `today` as YYYY-MM-DD, `born` also YYYY or YYYY-MM.

    Of somebody of whom only the month or year is known the last day of it is taken.
    """
    if is_minor or born is None:
        return is_minor
    whole = born + "0000-12-31"[len(born) :]
    years = dict(known).get((country or "").upper(), UNKNOWN)
    return f"{int(whole[:4]) + years}{whole[4:]}" > today
