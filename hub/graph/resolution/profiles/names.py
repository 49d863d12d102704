"""Names of people: given, middle and family name, generation, and what else the family is called.

A family name is one word in its normal form, particles and hyphens closed up: `van der Berg` is `vanderberg`. Its
*pieces*, the halves of a double-barrelled name and names without particles, are other families.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from hub.graph.resolution.profiles.nicknames import is_common_given_name, is_given_name
from hub.graph.resolution.profiles.texts import (
    CACHED,
    LONGEST,
    is_placeholder,
    lower,
    phrases,
    plain,
    without_umlauts,
    words,
)

_TITLES = words(
    """
    mr mrs ms miss mx master dr doctor prof professor sir dame lord lady rev reverend fr father hon capt captain col
    maj major lt sgt herr herrn frau hr fru dhr mevr mw mme mlle monsieur madame mademoiselle sr sra srta senor senora
    senorita don dona signor signora sig sigra pan pani ing dipl mag
    """
)
_GENERATIONS = {
    **dict.fromkeys(("jr", "jnr", "junior", "jun", "jnior"), "jr"),
    **dict.fromkeys(("sr", "snr", "senior", "sen"), "sr"),
    **dict.fromkeys(("ii", "2nd", "2"), "2"),
    **dict.fromkeys(("iii", "3rd", "3"), "3"),
    **dict.fromkeys(("iv", "4th", "4"), "4"),
    **dict.fromkeys(("v", "5th", "5"), "5"),
}
_WEAK_GENERATIONS = frozenset({"v", "2", "3", "4", "5", "sen"})
"""Read as a generation only in a field of its own: within a name they are an initial or a slip."""
_CREDENTIALS = words(
    "phd md esq mba bsc msc ba ma obe mbe cbe kbe frcs mp qc kc dds dvm rn cpa jd llb llm bsc mph dphil ret"
)
_GLUED = words("mc mac o fitz st saint san santa ap ab")
"""Words that make one name with what follows, which is no name without them."""
_PARTICLES = words("""
    van von vom vander der den de del della delle degli dei di da do dos das du des la le les lo el al ul bin bint ibn
    ben abu ter ten te t tot zu zum zur af av auf dalla dal
    """)
_CONJUNCTIONS = words("y e i und and et")
_FORMER = re.compile(
    r"[\s,(]+(?:n[eé]e?|formerly(?: known as)?|previously|f/?k/?a|geb(?:orene?)?|z domu)[.:\s]+(?=[^\W\d_])",
    re.IGNORECASE,
)
_MARKED_FORMER = " née "
_BRACKETS = re.compile(r"[(\[\"“„«](.+?)[)\]\"”“»]")
_TITLE = r"(?:mr|mrs|ms|miss|mx|dr|herrn?|frau|m|mme)\.?"
_JOINT_TITLES = re.compile(
    rf"^\s*({_TITLE})\s*(?:&|\+|\band\b|\bund\b|\bet\b)\s*{_TITLE}(?=\s)", re.IGNORECASE
)
_JOINT = re.compile(rf"\s+(?:&|\+|and|und|et)\s+(?:{_TITLE}\s+)?[^\s,]+(?=\s)", re.IGNORECASE)
_AND = re.compile(r"\s+(?:&|\+|and|und|et)\s.*")
_SPLIT = re.compile(r"[^a-z0-9]+")
_NOBODY = phrases("""
    cash sale|cash customer|cash sales|walk in|walk in customer|guest customer|guest user|customer|web customer
    the occupier|occupier|the householder|householder|the resident|resident|new customer|account closed
    baby boy|baby girl|man of the house|lady of the house|man of house|lady of house
""")
_ROLE_NAMES = re.compile(
    r"(?:(?:man|lady|gentleman|son|daughter|woman|head|wife|husband|mother|father) (?:of|in)\b.*"
    r"|(?:male|female|adult|minor) (?:child|male|female|adult)|(?:child|adult|person|baby) (?:[a-h]|\d+))"
)
"""Who somebody is, told in place of a name."""


@dataclass(slots=True)
class PersonName:
    """The normal forms of a person's name."""

    given: str = ""
    middle: list[str] = field(default_factory=list)
    family: str = ""
    others: list[str] = field(default_factory=list)
    """Other family names: former ones, pieces of a double-barrelled one, names without their particles."""
    generation: str = ""
    nicknames: list[str] = field(default_factory=list)


def word(text: str) -> str:
    """One word of a name: `mc` is `mac`, umlauts are plain, unless it is a given name such as Michael."""
    if is_given_name(text):
        return text
    if text.startswith("mc") and len(text) > 4:
        text = "mac" + text[2:]
    return without_umlauts(text)


def _words(raw: str) -> list[str]:
    """The words of a name in small letters; hyphens part them, apostrophes do not."""
    return plain(raw).split()


def generation(raw: str) -> str:
    """`jr`, `sr`, `2`, `3` and so on, where the text names one."""
    return next((_GENERATIONS[each] for each in _words(raw) if each in _GENERATIONS), "")


def _without_tail(parts: list[str]) -> tuple[list[str], str]:
    """The words without credentials and generations at their end, and the generation."""
    found = ""
    while len(parts) > 1 and (
        parts[-1] in _CREDENTIALS or parts[-1] in _GENERATIONS.keys() - _WEAK_GENERATIONS
    ):
        found = _GENERATIONS.get(parts[-1], found)
        parts = parts[:-1]
    return parts, found


def _without_titles(parts: list[str]) -> list[str]:
    while len(parts) > 1 and parts[0] in _TITLES:
        parts = parts[1:]
    return parts


@lru_cache(maxsize=CACHED)
def given_part(raw: str) -> tuple[str, tuple[str, ...], str]:
    """The given name, the middle names after it and the generation that a field for given names holds."""
    text = _AND.sub("", _BRACKETS.sub(" ", lower(raw)).strip()).replace("-", "")
    parts, found = _without_tail(_without_titles(_words(text)))
    closed = "".join(parts)
    if is_placeholder(closed) or is_placeholder(" ".join(parts)) or _ROLE_NAMES.fullmatch(" ".join(parts)):
        return "", (), found
    if len(parts) > 1 and len(closed) > 3 and not is_given_name(parts[0]) and is_given_name(closed):
        parts = [closed]
    return word(parts[0]), tuple(word(each) for each in parts[1:]), found


@lru_cache(maxsize=CACHED)
def family_part(raw: str) -> tuple[str, tuple[str, ...], str]:
    """The family name, the other families and the generation that a field for family names holds."""
    stated = _BRACKETS.sub(_MARKED_FORMER + r"\1", raw[:LONGEST])
    current, *former = _FORMER.split(" " + stated)
    parts, found = _without_tail(_without_titles(_words(current)))
    pieces, bases = _pieces([] if is_placeholder(" ".join(parts)) else parts)
    family = word("".join(pieces))
    if is_placeholder(family):
        family, pieces = "", []
    others = [*(pieces if len(pieces) > 1 else ()), *bases]
    for text in former:
        name, more, _ = family_part(text)
        others += [name, *more]
    return family, tuple(each for each in dict.fromkeys(others) if len(each) > 2 and each != family), found


def _pieces(parts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names that make up a family name, each with its particles, and those that had particles without them."""
    pieces: list[str] = []
    bases: list[str] = []
    head = ""
    particle = False
    for at, each in enumerate(parts):
        last = at == len(parts) - 1
        if pieces and not last and each in _CONJUNCTIONS:
            continue
        if not last and (each in _PARTICLES or each in _GLUED):
            head += "st" if each == "saint" else each
            particle = particle or each in _PARTICLES
            continue
        pieces.append(word(head + each))
        if particle:
            bases.append(word(each))
        head, particle = "", False
    return pieces, bases


class _Parsed(NamedTuple):
    """What nameparser finds in a name."""

    given: str = ""
    middle: str = ""
    family: str = ""
    suffix: str = ""
    former: str = ""
    nickname: str = ""


@lru_cache(maxsize=CACHED)
def _parsed(raw: str) -> _Parsed:
    # Here, since its vocabularies take 50 ms that no other command should wait for.
    from nameparser import parse

    text = raw[:LONGEST]
    if is_placeholder(plain(text)) or plain(text) in _NOBODY:
        return _Parsed()
    text = _JOINT.sub("", _JOINT_TITLES.sub(r"\1", text))
    found = parse(_FORMER.sub(_MARKED_FORMER, text))
    given, family = found.given, found.family
    if given and not family and not is_common_given_name(plain(given)):
        given, family = "", given
    return _Parsed(given, found.middle, family, found.suffix, found.maiden, found.nickname)


def full_name(raw: str) -> PersonName:
    """The parts of a name that stands in one field; of a couple the one who is named first.

    A single word is a given name if it is a common one, else a family name. A middle name that is no given name may
    be the first of two family names, as in Spanish: it is another family too.
    """
    found = _parsed(raw)
    name = PersonName(generation=generation(found.suffix))
    fill(name, given=[found.given], middle=[found.middle], family=[found.family], former=[found.former])
    name.nicknames += [each for each in (given_part(found.nickname)[0],) if each]
    name.others += [each for each in name.middle if len(each) > 2 and not is_given_name(each)]
    return name


def fill(
    name: PersonName,
    *,
    given: Iterable[str] = (),
    middle: Iterable[str] = (),
    family: Iterable[str] = (),
    former: Iterable[str] = (),
) -> None:
    """Put the parts into what `name` does not have yet; of several the first is the name, the rest are others."""
    for raw in given:
        first, more, found = given_part(raw)
        if not name.given:
            name.given = first
            name.middle += more
        elif first:
            name.nicknames.append(first)
        name.generation = name.generation or found
    for raw in middle:
        first, more, _ = given_part(raw)
        name.middle += [each for each in (first, *more) if each]
    for raw in family:
        surname, others, found = family_part(raw)
        name.family = name.family or surname
        name.others += [surname, *others]
        name.generation = name.generation or found
    for raw in former:
        surname, others, _ = family_part(raw)
        name.others += [surname, *others]


def person_name(values: Mapping[str, Sequence[str]]) -> PersonName:
    """The name out of the role values: the parts where a source states them, else what the full name says."""
    name = PersonName()
    for suffix in values.get("name_suffix", ()):
        name.generation = name.generation or generation(suffix)
    fill(
        name,
        given=values.get("given_name", ()),
        middle=values.get("middle_name", ()),
        family=values.get("family_name", ()),
    )
    for raw in values.get("full_name", ()):
        if name.given and name.family:
            name.generation = name.generation or _generation_behind(name.family, raw)
        else:
            _complete(name, full_name(raw))
    for raw in values.get("alternate_name", ()):
        _also_known_as(name, raw)
    return name


def _generation_behind(family: str, raw: str) -> str:
    """The generation at the end of a full name, which is none where the family is called Senior."""
    parts = _words(raw)
    return "" if parts[-1:] == [family] else _without_tail(parts)[1]


def _complete(name: PersonName, full: PersonName) -> None:
    if not name.given:
        name.given = full.given
    if not name.middle:
        name.middle = list(full.middle)
    if not name.family:
        name.family = full.family
    name.others += [full.family, *full.others]
    name.generation = name.generation or full.generation
    name.nicknames += full.nicknames


def _also_known_as(name: PersonName, raw: str) -> None:
    other = full_name(raw)
    name.others += [other.family, *other.others]
    name.nicknames += [each for each in (other.given, *other.nicknames) if each]
