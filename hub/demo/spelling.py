"""How clerks, customers and machines write the same person or company down differently."""

from __future__ import annotations

from datetime import date
from random import Random

from anyascii import anyascii

from hub.demo.names import SHORT_FORMS, SURNAMES
from hub.demo.numbers import written
from hub.demo.people import Address, Organisation, Person
from hub.demo.places import STREET_SHORT

_KEYS = "asq bvn cxv dsf ewr fdg gfh hgj iuo kjl lk mn nbm oip po ret sad try uyi vcb wqe ytu"
_NEIGHBOURS = {keys[0]: keys[1:] for keys in _KEYS.split()}
"""Keys beside each key of an English keyboard."""

_LEGAL_VARIANTS = {"Ltd": "Limited", "Limited": "Ltd", "&": "and"}


def typo(rng: Random, word: str) -> str:
    """The word with one slip: two letters swapped, one lost, doubled, or its neighbour hit; short words are kept."""
    if len(word) < 4:
        return word
    at = rng.randrange(1, len(word) - 1)
    slip = rng.randrange(4)
    if slip == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if slip == 1:
        return word[:at] + word[at + 1 :]
    if slip == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + rng.choice(_NEIGHBOURS.get(word[at], word[at])) + word[at + 1 :]


class Scribe:
    """Writes names and addresses as one system's users do; the shares say how often they stray."""

    def __init__(self, rng: Random, *, typos: float, short_forms: float, plain_letters: float) -> None:
        self.rng = rng
        self._typos, self._short_forms, self._plain = typos, short_forms, plain_letters

    def _hand(self, text: str) -> str:
        if self.rng.random() < self._plain:
            text = anyascii(text)
        return typo(self.rng, text) if self.rng.random() < self._typos else text

    def given(self, someone: Person) -> str:
        """The given name, perhaps short, mistyped or without its accents."""
        forms = SHORT_FORMS[someone.given]
        return self._hand(
            self.rng.choice(forms) if forms and self.rng.random() < self._short_forms else someone.given
        )

    def surname(self, someone: Person, on: date) -> str:
        """The surname as of a day, perhaps in another spelling."""
        name = someone.surname_on(on)
        spellings = SURNAMES.get(name, ())
        return self._hand(
            self.rng.choice(spellings) if spellings and self.rng.random() < self._typos else name
        )

    def full_name(self, someone: Person, on: date) -> str:
        """The whole name in one field, as people sign."""
        given, surname = self.given(someone), self.surname(someone, on)
        chance = self.rng.random()
        if chance < 0.7:
            return f"{given} {surname}"
        if chance < 0.8:
            return f"{surname}, {given}"
        if chance < 0.9:
            return f"{someone.title} {given[0]} {surname}"
        return f"{given[0]}. {surname}"

    def street(self, address: Address) -> str:
        """The street with its last word perhaps shortened."""
        head, _, last = address.street.rpartition(" ")
        short = STREET_SHORT.get(last)
        return self._hand(f"{head} {short}" if short and self.rng.random() < 0.25 else address.street)

    def postcode(self, address: Address) -> str:
        """The postcode, sometimes in small letters or without its blank."""
        chance = self.rng.random()
        if chance < 0.08:
            return address.postcode.replace(" ", "")
        return address.postcode.lower() if chance < 0.12 else address.postcode

    def phone(self, number: str | None) -> str | None:
        """The number in any of its writings."""
        return written(self.rng, number) if number else None

    def company(self, company: Organisation) -> str:
        """The legal name, with `Limited` for `Ltd`, `and` for `&`, or the trading name instead."""
        chance = self.rng.random()
        if chance < 0.15:
            return self._hand(company.trading_name)
        if chance < 0.45:
            return self._hand(
                " ".join(_LEGAL_VARIANTS.get(word, word) for word in company.legal_name.split())
            )
        return self._hand(company.legal_name)
