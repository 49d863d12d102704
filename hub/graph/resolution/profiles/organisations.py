"""Names of organisations: the core name without its legal form, and what else the organisation is called.

`The Lighthouse Bakery & Co. Ltd t/a Beacon Cakes` has the core name `lighthouse bakery`, the legal form `ltd` and the
other name `beacon cakes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from hub.graph.resolution.profiles.legal_forms import FORMS, IN_FRONT, LONGEST_FORM, without_native_form
from hub.graph.resolution.profiles.texts import CACHED, LONGEST, is_placeholder, plain, without_umlauts, words

_TRADING_AS = re.compile(
    r"[\s,;(]+(?:t/a|t\.a\.|trading as|trade as|trading under|d/?b/?a|d\.b\.a\.|doing business as|o/a|operating as"
    r"|a/?k/?a|a\.k\.a\.|also known as|formerly(?: known as)?|f/?k/?a|f\.k\.a\.|previously|now trading as)[\s:]+",
    re.IGNORECASE,
)
_ARTICLES = words("the le la les l der die das el los las il lo gli het")
_JOINING = words("and und et y e of the for")
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
_AND = re.compile(r"[&+]")
_LETTERS = re.compile(r"\b[a-z](?: [a-z]\b)+")


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
    rest, native = without_native_form(own.strip())
    parts, form = _without_legal_form(_words(rest))
    core = " ".join(without_umlauts(_WORDS.get(each, each)) for each in parts)
    if is_placeholder(core) or is_placeholder(plain(own)):
        core = ""
    others = [organisation_name(each).core for each in trading]
    if not core and others:
        core, *others = others
    return OrganisationName(core, native or form, tuple(others))


def _without_legal_form(parts: list[str]) -> tuple[list[str], str]:
    """The words without articles before them and legal forms around them, and the outermost form."""
    form = ""
    while len(parts) > 1:
        if found := _form_at_end(parts):
            parts, form = parts[: -len(found.split())], form or FORMS[found]
        elif parts[0] in IN_FRONT:
            parts, form = parts[1:], form or FORMS[parts[0]]
        elif parts[0] in _ARTICLES:
            parts = parts[1:]
        elif form and parts[-1] in _JOINING:
            parts = parts[:-1]
        else:
            break
    return parts, form


def _form_at_end(parts: list[str]) -> str:
    """The longest legal form that the words end with, unless there would be no name left."""
    ends = (" ".join(parts[-count:]) for count in range(min(LONGEST_FORM, len(parts) - 1), 0, -1))
    return next((end for end in ends if end in FORMS), "")


def _words(text: str) -> list[str]:
    """The plain words, with letters that stand alone closed up: `Y.M.C.A.` and `Y M C A` are `ymca`."""
    text = _DOTTED.sub(lambda found: found[0].replace(".", "") + " ", text)
    text = _LETTERS.sub(lambda found: found[0].replace(" ", ""), plain(_AND.sub(" and ", text)))
    return text.split()


def tokens(core: str) -> Iterable[str]:
    """The words of a core name that tell something; all of them where none does."""
    parts = core.split()
    return [each for each in parts if each not in _JOINING] or parts
