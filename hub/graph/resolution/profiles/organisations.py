"""Names of organisations: the core name without its legal form, and what else the organisation is called.

`The Lighthouse Bakery & Co. Ltd t/a Beacon Cakes` has the core name `lighthouse bakery`, the legal form `ltd` and the
other name `beacon cakes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from rigour.names import extract_org_types

from hub.graph.resolution.profiles.texts import CACHED, LONGEST, is_placeholder, plain, without_umlauts

_TRADING_AS = re.compile(
    r"[\s,;(]+(?:t/a|t\.a\.|trading as|trade as|trading under|d/?b/?a|d\.b\.a\.|doing business as|o/a|operating as"
    r"|a/?k/?a|a\.k\.a\.|also known as|formerly(?: known as)?|f/?k/?a|f\.k\.a\.|previously|now trading as)[\s:]+",
    re.IGNORECASE,
)
_ARTICLES = frozenset("the le la les l der die das el los las il lo gli het".split())
_TAIL = frozenset("co company corp corporation cie compagnie".split())
_JOINING = frozenset("and und et y e of the for".split())
_WORDS = {
    "intl": "international",
    "internat": "international",
    "natl": "national",
    "assoc": "association",
    "assn": "association",
    "univ": "university",
    "centre": "center",
    "ctr": "center",
    "centers": "center",
    "centres": "center",
    "svc": "services",
    "svcs": "services",
    "service": "services",
    "mfg": "manufacturing",
    "bros": "brothers",
    "mgmt": "management",
    "elem": "elementary",
    "acad": "academy",
    "hosp": "hospital",
    "govt": "government",
    "saint": "st",
    "mount": "mt",
    "fort": "ft",
    "ii": "2",
    "iii": "3",
    "iv": "4",
}
"""Words that are written in several ways, with the one that stands for all."""
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}(?![^\W\d_])")
_LETTERS = re.compile(r"\b[a-z](?: [a-z]\b)+")
_SHORT_FORMS_IN_FRONT = frozenset("ab oy pt sa".split())


@dataclass(frozen=True, slots=True)
class OrganisationName:
    """The normal forms of an organisation's name."""

    core: str
    legal_form: str = ""
    others: tuple[str, ...] = ()


@lru_cache(maxsize=CACHED)
def organisation_name(raw: str) -> OrganisationName:
    """The core name with legal form and trading names; the core name is empty for a placeholder."""
    own, *trading = _TRADING_AS.split(" " + raw[:LONGEST])
    rest, form = _without_legal_form(own.strip())
    core = _core(rest)
    if is_placeholder(core):
        core = ""
    others = [organisation_name(each).core for each in trading]
    if not core and others:
        core, *others = others
    return OrganisationName(core, form, tuple(others))


def _without_legal_form(text: str) -> tuple[str, str]:
    """The name without the legal forms at its end or its beginning, and the form: the innermost of several."""
    text = text.casefold()
    form = ""
    while True:
        found = next((each for each in extract_org_types(text) if _is_outside(text, each[0])), None)
        if not found:
            return text, form
        at = text.rfind(found[0]) if _ends(text, found[0]) else 0
        rest = text[:at] if at else text[len(found[0]) :]
        if not plain(rest):
            return text, form
        text, form = rest.rstrip(" ,.-&(/"), found[1]


def _ends(text: str, form: str) -> bool:
    return not plain(text[text.rfind(form) + len(form) :])


def _is_outside(text: str, form: str) -> bool:
    if _ends(text, form):
        return True
    in_front = text.startswith(form + " ")
    return in_front and (len(form) > 2 or form in _SHORT_FORMS_IN_FRONT)


def _core(text: str) -> str:
    text = (
        _DOTTED.sub(lambda found: found[0].replace(".", ""), text).replace("&", " and ").replace("+", " and ")
    )
    text = _LETTERS.sub(lambda found: found[0].replace(" ", ""), plain(text))
    words = [without_umlauts(_WORDS.get(each, each)) for each in text.split()]
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    while len(words) > 1 and words[-1] in _TAIL:
        words = words[:-1]
        while len(words) > 1 and words[-1] in _JOINING:
            words = words[:-1]
    return " ".join(words)


def tokens(core: str) -> Iterable[str]:
    """The words of a core name that tell something; all of them where none does."""
    words = core.split()
    return [each for each in words if each not in _JOINING] or words
