"""What the words of a request mean; every engine and the check of its hits read the same `Query`.

The text is a list of *units* that must all match one document, in any order. A unit is one stretch between blanks, or
several stretches of digits together, for phones are written in pieces. It matches by its words (each of them,
anywhere), or as one phone fragment, one code, one e-mail address. The last word is perhaps not written to its end.

    parse("smith 020 7946")     units: words ['smith'];  words ['020', '7946'] or phone *207946*
    parse("SO-2024-001")        unit: words ['so', '2024', '001'] or code SO2024001*
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from hub.errors import LimitError
from hub.search.fold import code, fold, words
from hub.search.forms import forms, respelled

MAX_LENGTH = 200
"""Characters of a request's text."""
MAX_WORDS = 10
"""Words of a request's text; each costs a few lookups in each field."""
MIN_TYPO = 4
"""Letters from which on a word may differ by one edit; of shorter ones too many are one edit apart."""
MIN_FAR = 6
"""Letters from which on a word that finds nothing may be two edits from the one that was meant."""
MIN_MEANT = 3
"""The like, for one edit: Kin for Kim. It is asked back then, not found: there are as many of either."""
MIN_PREFIX = 2
MIN_CODE_PREFIX = 3
MIN_PHONE = 3
"""Digits of a phone fragment, the length of what the engines index."""

_NUMERIC = re.compile(r"[+()/.\-]*[0-9][0-9+()/.\-]*")
_TRUNK_ZERO = re.compile(r"\(0+\)")


@dataclass(frozen=True, slots=True, repr=False)
class Word:
    """A folded word."""

    text: str
    unfinished: bool
    """Whether it may be the beginning of a word."""
    also: str | None = None
    """Another spelling that counts as the same: `mueller` of `müller`."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """All that counts as the word itself."""
        return (self.text,) if self.also is None else (self.text, self.also)

    @property
    def forms(self) -> tuple[str, ...]:
        """What names are found by that it may stand for, or sounds like."""
        return forms(self.text)

    @property
    def far(self) -> int:
        """Edits that are forgiven where nothing else was found."""
        if len(self.text) < MIN_MEANT or not self.text.isalpha():
            return 0
        return 2 if len(self.text) >= MIN_FAR else 1

    @property
    def may_differ(self) -> bool:
        """Whether one edit is forgiven; never in numbers, where it would be another customer's."""
        return len(self.text) >= MIN_TYPO and self.text.isalpha()

    @property
    def begins(self) -> bool:
        """Whether it is compared as a prefix."""
        return self.unfinished and len(self.text) >= MIN_PREFIX


@dataclass(frozen=True, slots=True, repr=False)
class Unit:
    """What must be found as a whole."""

    words: tuple[Word, ...]
    written: str = ""
    """As it was asked for."""
    phones: tuple[str, ...] = ()
    """Fragments of a phone number's digits, any of which will do."""
    code: str | None = None
    """All of it as one code, when it is of several words."""
    email: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Query:
    """All units, or the whole text as one code."""

    units: tuple[Unit, ...]
    code: str | None = field(default=None)

    @property
    def words(self) -> Iterator[Word]:
        """The words of all units."""
        return (word for unit in self.units for word in unit.words)

    def __bool__(self) -> bool:
        return bool(self.units)


def parse(text: str) -> Query:
    """The meaning of the text; an empty query when there is no letter or digit in it.

    Raises:
        LimitError: it is longer than MAX_LENGTH or has more than MAX_WORDS words.
    """
    if len(text) > MAX_LENGTH:
        raise LimitError(f"a search has at most {MAX_LENGTH} characters, this one has {len(text)}")
    count = len(words(text))
    if count > MAX_WORDS:
        raise LimitError(f"a search has at most {MAX_WORDS} words, this one has {count}")
    stretches = [stretch for stretch in _stretches(text) if words(stretch)]
    last = len(stretches) - 1
    units = tuple(_unit(stretch, at == last) for at, stretch in enumerate(stretches))
    whole = code(text)
    return Query(units, whole if len(units) > 1 and any(char.isdigit() for char in whole) else None)


def _stretches(text: str) -> Iterator[str]:
    for numeric, group in groupby(text.split(), key=lambda part: bool(_NUMERIC.fullmatch(fold(part)))):
        if numeric:
            yield " ".join(group)
        else:
            yield from group


def _unit(stretch: str, last: bool) -> Unit:
    found = words(stretch)
    ended = [
        Word(word, last and at == len(found) - 1, other if other != word else None)
        for at, (word, other) in enumerate(zip(found, words(respelled(stretch)), strict=True))
    ]
    folded = fold(stretch)
    return Unit(
        words=tuple(ended),
        written=stretch,
        phones=_phones(folded) if all(_NUMERIC.fullmatch(part) for part in folded.split()) else (),
        code=code(stretch) if len(found) > 1 else None,
        email=folded if "@" in folded else None,
    )


def _phones(folded: str) -> tuple[str, ...]:
    """The digits as written, and without the zeros that stand for the country or for a call within it."""
    digits = "".join(char for char in _TRUNK_ZERO.sub("", folded) if char.isdigit())
    fragments = dict.fromkeys([digits, digits.lstrip("0")])
    return tuple(fragment for fragment in fragments if len(fragment) >= MIN_PHONE)
