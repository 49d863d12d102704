"""Taking out of a package what tells of others (GDPR Art. 15(4)).

Taken out are other people's names, addresses and numbers as far as the same records state them, every e-mail address
and telephone number that is not the person's own, and references to other parties. Who is only named in the middle of
a text is not found by a rule: that is what the step `review` is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import phonenumbers

from hub.adapters.dossier import Dossier

OTHERS: Final = "[taken out: about somebody else]"
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LEAST = 4
"""Characters of a text of somebody else's that is looked for: shorter ones stand in too many words."""


class Redaction:
    """Takes others out of what is told of one person, and counts."""

    def __init__(self, dossier: Dossier | None) -> None:
        self.count = 0
        texts = set(_texts(dossier)) if dossier is not None else set()
        self._own = {text.casefold() for text in texts}
        self._mails = {mail.casefold() for text in texts for mail in _EMAIL.findall(text)}
        self._numbers = (
            {value for scheme, value in dossier.identifiers if scheme == "phone"} if dossier else set()
        )
        third = dossier.third if dossier is not None else frozenset()
        others = sorted((text for text in third if len(text) >= _LEAST), key=len, reverse=True)
        self._others = re.compile(
            "|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in others), re.IGNORECASE
        )
        self._has_others = bool(others)

    def clean(self, value: Any) -> Any:
        """The value without others; of lists and objects every text."""
        if isinstance(value, dict):
            return {name: self.clean(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.clean(each) for each in value]
        return self._text(value) if isinstance(value, str) else value

    def mark(self, what: str) -> str:
        """What stands in the place of something that was taken out."""
        self.count += 1
        return f"[taken out: {what}]"

    def _text(self, text: str) -> str:
        if text.casefold() in self._own and not _EMAIL.search(text):
            return self._without_numbers(text)
        kept = _EMAIL.sub(lambda found: self._mail(found.group()), text)
        if self._has_others:
            kept, times = self._others.subn(OTHERS, kept)
            self.count += times
        return self._without_numbers(kept)

    def _mail(self, mail: str) -> str:
        if mail.casefold() in self._mails:
            return mail
        self.count += 1
        return OTHERS

    def _without_numbers(self, text: str) -> str:
        """The text without telephone numbers of others, where it is more than one word."""
        if " " not in text.strip() or not any(sign.isdigit() for sign in text):
            return text
        for found in reversed(list(phonenumbers.PhoneNumberMatcher(text, None))):
            number = phonenumbers.format_number(found.number, phonenumbers.PhoneNumberFormat.E164)
            if number not in self._numbers:
                text = text[: found.start] + OTHERS + text[found.end :]
                self.count += 1
        return text


def _texts(dossier: Dossier) -> Iterator[str]:
    """The texts of the person's own parties and golden record."""
    parties = [row.values for row in dossier.rows if row.id in dossier.parties]
    for values in (dossier.golden, *parties):
        for value in values.values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str):
                    yield each
    yield from (value for _, value in dossier.identifiers)
