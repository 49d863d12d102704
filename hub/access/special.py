"""The data of GDPR Art. 9 and 10, and what a purpose has to cite before the policy shows it to anybody.

Art. 9(1) forbids to process special categories, and Art. 9(2) says when they may be all the same: under a condition of
its points (a) to (j). Of criminal convictions Art. 10 says that it takes official authority, or a law. A purpose cites
the one or the other in its link `art_9`; while it does not, no grant opens such data for it.
"""

from __future__ import annotations

import re
from typing import Final

SENSITIVE: Final = (
    "user.authorization.biometric",
    "user.biometric",
    "user.criminal_history",
    "user.demographic.political_opinion",
    "user.demographic.race_ethnicity",
    "user.demographic.religious_belief",
    "user.demographic.sexual_orientation",
    "user.health_and_medical",
)
"""Of the special categories of the taxonomy, with all below them, those of GDPR Art. 9(1) and 10."""
CONDITION: Final = "art_9"
"""The kind of link in which a purpose cites what lets it use such data."""
_CRIMINAL: Final = "user.criminal_history"
_ART_9: Final = re.compile(r"\b9\(2\)\([a-j]\)")
_ART_10: Final = re.compile(r"\bArt\. 10\b")


def is_sensitive(category: str) -> bool:
    """Whether the category is one of GDPR Art. 9 or 10."""
    return any(category == each or category.startswith(f"{each}.") for each in SENSITIVE)


def wanted_condition(category: str) -> str:
    """What the link has to cite for a sensitive category, in words."""
    return "Art. 10 and the law" if _is_criminal(category) else "Art. 9(2) with its point, (a) to (j)"


def cites_condition(category: str, said: str | None) -> bool:
    """Whether what the link says cites a condition under which the sensitive category may be used."""
    return bool((_ART_10 if _is_criminal(category) else _ART_9).search(said or ""))


def _is_criminal(category: str) -> bool:
    return category == _CRIMINAL or category.startswith(f"{_CRIMINAL}.")
