"""Text as all columns start from: plain letters, no placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from anyascii import anyascii

LONGEST = 256
"""Code points of a value that are looked at: more than any name or address has, so that odd text costs little."""

CACHED = 16_384
"""Values that each cache of a normal form keeps; some 60 MB when all are full, of values that are all different."""

_APOSTROPHES = re.compile(r"['`´]")
_SIGNS = re.compile(r"[^a-z0-9]+")
_UMLAUT = re.compile(r"(?<![aeiou])([aou])e(?=[^aeiou ])")


def words(text: str) -> frozenset[str]:
    """The words of a text; a list of many reads better so than with quotes around each."""
    return frozenset(text.split())


def phrases(text: str) -> frozenset[str]:
    """What stands between the bars, with the line breaks as bars too."""
    return frozenset(phrase.strip() for phrase in text.strip().replace("\n", "|").split("|"))


_PLACEHOLDERS = phrases("""
    unknown|unk|not known|notknown|not given|not provided|not available|not applicable|not specified|not stated
    unspecified|undefined|none|no name|noname|nil|null|n a|n k|tba|tbc|tbd|to be advised|to be confirmed|missing|blank
    empty|test|tester|testing|test test|dummy|fake|default|sample|do not use|donotuse|delete|deleted|redacted|anonymous
    anon|anonymised|anonymized|various|other|misc|xx|xxx|xxxx|xxxxx|asdf|qwerty|refused|withheld|confidential
    unbekannt|keine angabe|inconnu|desconocido|sconosciuto|onbekend|nieznany|fnu|lnu|nfn|nln|nmn|nmi
""")


def lower(text: str) -> str:
    """The text in small ASCII letters with its signs, other scripts transliterated (`Шишкин` is `shishkin`)."""
    text = text[:LONGEST]
    return (text if text.isascii() else anyascii(text)).lower()


@lru_cache(maxsize=CACHED)
def plain(text: str) -> str:
    """Small ASCII letters and digits in words one blank apart; an apostrophe joins what stands around it."""
    return _SIGNS.sub(" ", _APOSTROPHES.sub("", lower(text))).strip()


def without_umlauts(word: str) -> str:
    """The word with `ae`, `oe`, `ue` between consonants as `a`, `o`, `u`: Mueller, Müller and Muller are one.

    Words of up to four letters stay: most are abbreviations, and AEG is no AG.
    """
    return _UMLAUT.sub(r"\1", word) if len(word) > 4 else word


def is_placeholder(text: str) -> bool:
    """Whether the plain text says that there is no value."""
    return not text or text in _PLACEHOLDERS


def unique(values: Iterable[str]) -> list[str]:
    """The values that are not empty, each once, in order."""
    return sorted({value for value in values if value})
