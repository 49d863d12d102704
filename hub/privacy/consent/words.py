"""What a reply to a message means: stop, help, start, or nothing that a rule could tell.

`stop`, `quit`, `end`, `revoke`, `opt out`, `cancel` and `unsubscribe` revoke consent by law (47 CFR 64.1200(a)(10),
since 11 April 2025), and so does any other reasonable way of saying it. So a reply means stop when it has no words but
these and politeness, and when it tells in a sentence not to write or call. The words of other languages are those that
senders name in their own instructions. What is doubtful is for a person to read.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final


class Meaning(StrEnum):
    """What a reply asks for."""

    STOP = "stop"
    HELP = "help"
    START = "start"
    OTHER = "other"


_STOP: Final = frozenset(
    (
        *("stop", "stopall", "quit", "end", "revoke", "optout", "cancel", "unsubscribe", "remove"),
        *("stopp", "abbestellen", "abmelden", "arret", "arreter", "alto", "baja"),
    )
)
_HELP: Final = frozenset(("help", "info", "hilfe", "aide", "ayuda"))
_START: Final = frozenset(("start", "unstop", "resume"))
_POLITE: Final = frozenset(
    (
        "please",
        "pls",
        "plz",
        "thanks",
        "thank",
        "you",
        "now",
        "it",
        "all",
        "this",
        "me",
        "us",
        "bitte",
        "merci",
    )
)
"""Words that change nothing of what those beside them mean."""
_TOLD: Final = re.compile(
    r"\b(?:stop (?:texting|calling|messaging|emailing|mailing|contacting|sending|writing)"
    r"|(?:do not|dont|never|no more) (?:text|call|message|email|mail|contact|send|write)\w*"
    r"|(?:take|remove) me (?:off|from)|unsubscribe me|opt me out|leave me alone)\b"
)


def meaning_of(text: str) -> Meaning:
    """What the reply means; it may be of any length, in any case, with signs, accents and politeness around it."""
    words = _plain(text).replace("opt out", "optout").split()
    rest = [word for word in words if word not in _POLITE]
    for meaning, known in ((Meaning.STOP, _STOP), (Meaning.HELP, _HELP), (Meaning.START, _START)):
        if rest and known.issuperset(rest):
            return meaning
    return Meaning.STOP if _TOLD.search(" ".join(words)) else Meaning.OTHER


def _plain(text: str) -> str:
    """Lower-case letters and digits, a space between words, without accents and apostrophes."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return re.sub(r"[^\w]+", " ", re.sub(r"['’`]", "", bare.casefold())).strip()
