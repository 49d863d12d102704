"""A seeded crowd to search in: any number of people and their tickets as documents, and searches with their truth.

Names are made of syllables, so that a hundred thousand people have tens of thousands of family names; given names are
such as have short forms. Every tenth person writes in Cyrillic, every tenth has letters with marks. What is asked is
made of what is written by rules of its own, none of the hub's: edits, short forms, the way a Latin keyboard has it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hub.search import Document, Value

NAME, PHONE, EMAIL, TEXT = (
    "user.name",
    "user.contact.phone_number",
    "user.contact.email",
    "user.content.private",
)


def _split(text: str) -> list[str]:
    return text.split()


_HEADS = _split(
    "Bar Cal Dor Fen Gar Har Kel Lan Mor Nor Par Ran Sel Tor Var Wen Bran Crom Drel Stan Thor Prin Gles Hart"
)
_MIDDLES = _split("ba co di fe go ha ke li mo ni po ra se ti vo wa ber con den fer gan lin mer")
_TAILS = _split("ley ton ford well man son ski ric field worth by berg stone wick dale")
_SHORT: Mapping[str, tuple[str, ...]] = {
    "Robert": ("Bob", "Rob", "Bobby"), "William": ("Bill", "Will"), "Richard": ("Rick", "Dick"),
    "Elizabeth": ("Liz", "Beth", "Betty"), "Margaret": ("Peggy", "Maggie", "Meg"), "James": ("Jim", "Jimmy"),
    "Michael": ("Mike", "Mick"), "Thomas": ("Tom", "Tommy"), "Katherine": ("Kate", "Kathy"), "Joseph": ("Joe",),
    "Patricia": ("Pat", "Trish"), "Jennifer": ("Jenny", "Jen"), "Susan": ("Sue", "Susie"), "Daniel": ("Dan", "Danny"),
    "Matthew": ("Matt",), "Anthony": ("Tony",), "Andrew": ("Andy", "Drew"), "Edward": ("Ted", "Eddie", "Ned"),
    "Nicholas": ("Nick",), "Benjamin": ("Ben",), "Rebecca": ("Becky",), "Victoria": ("Vicky", "Tori"),
    "Deborah": ("Debbie", "Deb"), "Charles": ("Charlie", "Chuck"), "Kenneth": ("Ken",), "Timothy": ("Tim",),
    "Ronald": ("Ron",), "Gregory": ("Greg",), "Lawrence": ("Larry",), "Philip": ("Phil",), "Jonathan": ("Jon",),
}  # fmt: skip
_CYRILLIC = dict(zip("abvgdezijklmnoprstufy", "абвгдезийклмнопрстуфы", strict=True)) | {
    "sh": "ш", "ch": "ч", "h": "х", "w": "в", "c": "к", "q": "к", "x": "кс",
}  # fmt: skip
_LATIN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "з": "z", "и": "i", "й": "y", "к": "k", "л": "l",
    "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "ы": "y", "ш": "sh",
    "ч": "ch", "х": "kh",
}  # fmt: skip
_MARKED = str.maketrans({"a": "á", "o": "ö", "l": "ł", "s": "š", "n": "ñ", "e": "é", "u": "ü"})
_ALIKE = (("f", "ph"), ("c", "k"), ("ks", "x"), ("ey", "ie"), ("i", "ee"), ("w", "wh"))
_WORDS = _split("the lamp chair parcel arrived late broken wrong size refund please call again invoice twice")


@dataclass(frozen=True, slots=True)
class Person:
    """One person as the documents have them."""

    number: int
    given: str
    family: str
    written: str
    phone: str

    @property
    def key(self) -> str:
        """The key of their document."""
        return f"Customer:c{self.number}"

    @property
    def latin(self) -> str:
        """The family name as somebody types it who has no other letters."""
        return "".join(_LATIN.get(char, char) for char in self.written.rpartition(" ")[2].lower())


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, and whom it is for."""

    text: str
    wanted: str


def crowd(count: int, seed: str = "crowd") -> list[Person]:
    """So many people, the same ones each time."""
    draw = random.Random(f"{seed} {count}")
    return [_person(draw, number) for number in range(count)]


def _person(draw: random.Random, number: int) -> Person:
    given = draw.choice(list(_SHORT))
    family = (
        draw.choice(_HEADS) + "".join(draw.sample(_MIDDLES, draw.choice((0, 1, 1, 2)))) + draw.choice(_TAILS)
    )
    kind = number % 10
    written = family
    if kind == 1:
        written = "".join(_CYRILLIC.get(char, char) for char in family.lower()).capitalize()
    elif kind == 2:
        written = family.translate(_MARKED)
    return Person(number, given, family, f"{given} {written}", f"+4479{draw.randrange(10**8):08}")


def documents(people: list[Person], seed: str = "documents") -> Iterator[Document]:
    """A customer for each, and a ticket for every fourth, which names another."""
    draw = random.Random(seed)
    for person in people:
        email = f"{person.given}.{person.family}{person.number}@example.com".lower()
        values = (
            Value("name", NAME, person.written),
            Value("phone", PHONE, person.phone),
            Value("email", EMAIL, email),
        )
        yield _document("Customer", f"c{person.number}", values, draw)
        if person.number % 4 == 0:
            said = " ".join([draw.choice(people).written, *draw.choices(_WORDS, k=20)])
            yield _document("Ticket", f"t{person.number}", (Value("text", TEXT, said),), draw)


def _document(type_: str, id_: str, values: tuple[Value, ...], draw: random.Random) -> Document:
    day = f"20{draw.randrange(15, 27):02}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
    source = (draw.choice(("erp", "pos", "web")),)
    return Document(type_, id_, source, day, day, (f"type:{type_}",), values)


def _exact(draw: random.Random, person: Person) -> str:
    return " ".join(draw.sample(person.written.split(), 2))


def _typo(draw: random.Random, person: Person) -> str:
    word, at = person.family.lower(), draw.randrange(len(person.family) - 1)
    letter = draw.choice("abcdefghijklmnopqrstuvwxyz")
    wrong = draw.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return f"{person.given} {wrong}"


def _nickname(draw: random.Random, person: Person) -> str:
    return f"{draw.choice(_SHORT[person.given])} {person.family}"


def _transliterated(_draw: random.Random, person: Person) -> str:
    plain = person.family if person.number % 10 == 2 else person.latin
    return f"{plain} {person.given}"


def _phone(draw: random.Random, person: Person) -> str:
    digits = person.phone[-draw.choice((8, 9, 10)) :]
    return draw.choice([digits, f"0{person.phone[3:7]} {person.phone[7:]}", f"{digits[:4]}-{digits[4:]}"])


def _alike(draw: random.Random, person: Person) -> str:
    word = person.family.lower()
    for old, new in draw.sample(_ALIKE, len(_ALIKE)):
        if old in word:
            word = word.replace(old, new, 1)
    return f"{person.given} {word}"


def _prefix(_draw: random.Random, person: Person) -> str:
    return f"{person.given} {person.family[: max(5, len(person.family) - 2)]}"


_LATIN_ONES = (0, 3, 4, 5, 6, 7, 8, 9)
KINDS: Mapping[str, tuple[Callable[[random.Random, Person], str], tuple[int, ...]]] = {
    "exact": (_exact, (0, 1, 2, 3)),
    "prefix": (_prefix, _LATIN_ONES),
    "typo": (_typo, _LATIN_ONES),
    "nickname": (_nickname, _LATIN_ONES),
    "transliteration": (_transliterated, (1, 2)),
    "phone fragment": (_phone, _LATIN_ONES),
    "sound": (_alike, _LATIN_ONES),
}
"""How what is asked is made, and of people with which last digit of their number."""


def searches(kind: str, people: list[Person], count: int, seed: str = "searches") -> list[Asked]:
    """So many searches of a kind."""
    make, digits = KINDS[kind]
    draw = random.Random(f"{seed} {kind}")
    chosen = draw.choices([person for person in people if person.number % 10 in digits], k=count)
    return [Asked(make(draw, person), person.key) for person in chosen]
