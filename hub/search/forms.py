"""What a name is found by beside its letters: the names that it may stand for, how it sounds, how it is also spelled.

    forms("bob")            ['==robert']            a nickname finds the names with the same root
    forms("stephen")        ['==stephen', '~~STFN']  and a name those that sound alike
    respelled("Müller")     'Mueller'

Forms are marked by two characters that stand in no folded word: they are never one edit away from one.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import jellyfish

from hub.graph.resolution.profiles.nicknames import is_given_name, roots

ROOT, SOUND, ADDRESS = "==", "~~", "@@"
MIN_SOUNDING = 4
"""Letters from which on a word is found by its sound; shorter ones sound like too many."""
MIN_SOUND = 3
"""Consonants, or so, of a sound that tells one name from another."""

_DIGRAPHS = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe",
    "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Å": "Aa", "Ø": "Oe",
})  # fmt: skip


@lru_cache(maxsize=50_000)
def forms(word: str) -> tuple[str, ...]:
    """The marked forms of a folded word."""
    found = [ROOT + root for root in roots(word)] if is_given_name(word) else []
    if len(word) >= MIN_SOUNDING and word.isalpha():
        sound = jellyfish.metaphone(word)
        if len(sound) >= MIN_SOUND:
            found.append(SOUND + sound)
    return tuple(found)


def respelled(text: str) -> str:
    """The text with two letters for one, as it is written where there is no key for `ü`; mostly the text itself."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text).translate(_DIGRAPHS)
