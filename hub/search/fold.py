"""The one form in which texts are compared, when they are indexed and when they are asked for.

    fold("Łukasz Müller-Größe")         'lukasz muller-grosse'
    words("Łukasz Müller-Größe")        ['lukasz', 'muller', 'grosse']
    tokens("name", "Anna O'Brien")      ['anna', 'o', 'brien', 'obrien', '==anna', '~~BRN', '~~OBRN']
    tokens("text", "Müller")            ['muller', 'mueller']
    tokens("code", "SO-2024-00123")     ['SO', '2024', '00123', 'SO202400123']
    tokens("phone", "+442079460123")    ['442079460123']

A change here is a change of every index: raise `FORMAT`, and the indexes are built anew.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from anyascii import anyascii

from hub.search.forms import ADDRESS, forms, respelled

FORMAT = 5
"""Version of the rules in this module and of what documents hold."""

MAX_TOKEN = 64
"""Characters of a token that count; longer ones are no words anyone types."""

Kind = Literal["name", "email", "phone", "contact", "code", "text"]
"""How a value is compared: a role in search, with e-mail addresses and phones apart from other contact data."""

_WORD = re.compile(r"[a-z0-9]+")
_JOINED = re.compile(r"[a-z0-9]+(?:['.\-][a-z0-9]+)+")
_HAN = re.compile("([\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
_BLANK = re.compile(r"\s")
"""Blanks of every kind; anyascii would drop some and so join the words beside them."""
_TRAILING_DIGITS = re.compile(r"[0-9]{4,}$")
_OTHER = re.compile(r"[^a-z0-9]")


def fold(text: str) -> str:
    """The text in lower-case ASCII letters: accents gone, other scripts transliterated, Chinese a word a character."""
    if text.isascii():
        return text.lower()
    plain = _BLANK.sub(" ", unicodedata.normalize("NFKC", text))
    return anyascii(_HAN.sub(r" \1 ", plain)).lower()


def words(text: str) -> list[str]:
    """The folded words, in order."""
    return [word[:MAX_TOKEN] for word in _WORD.findall(fold(text))]


def code(text: str) -> str:
    """A number of an order, an article, a card: capital letters and digits only."""
    return "".join(_WORD.findall(fold(text))).upper()[:MAX_TOKEN]


def phone_digits(number: str) -> str:
    """The digits of a phone number, its extension left out."""
    return "".join(char for char in fold(number.partition(";")[0]) if char.isdigit())


def tokens(kind: Kind, value: str) -> list[str]:
    """What the value is found by, as values of its kind are compared."""
    if kind == "phone":
        return [phone_digits(value)]
    if kind == "code":
        return _code_tokens(value)
    found = words(value)
    if kind == "email":
        return [*found, fold(value).strip()[: 4 * MAX_TOKEN]]
    if kind == "name":
        found += _joined(value)
    if (other := respelled(value)) != value:
        found = list(dict.fromkeys([*found, *words(other)]))
    return (
        found if kind != "name" else found + [form for word in dict.fromkeys(found) for form in forms(word)]
    )


def indexed(kind: Kind, value: str) -> list[str]:
    """`tokens` as an index keeps them: whole e-mail addresses apart from words, as `apart` has them."""
    found = tokens(kind, value)
    return [*found[:-1], apart(found[-1])] if kind == "email" else found


def apart(address: str) -> str:
    """A whole address behind a mark that no word begins with.

    Else what begins like a given name would run into as many addresses as there are people of the name. No search is
    other for it: what begins an address begins its first word, and no word is one edit from what has two signs or
    more; an address with fewer stays as it is.
    """
    return ADDRESS + address if len(_OTHER.findall(address)) > 1 else address


def _joined(value: str) -> list[str]:
    """Words with a hyphen, an apostrophe or full stops inside as one: people leave these out."""
    return ["".join(_WORD.findall(word))[:MAX_TOKEN] for word in _JOINED.findall(fold(value))]


def _code_tokens(value: str) -> list[str]:
    whole = code(value)
    digits = _TRAILING_DIGITS.search(whole)
    parts = [word.upper() for word in words(value)]
    return list(dict.fromkeys([*parts, whole, *([digits.group()] if digits else [])]))
