"""The entries of a copybook as a tree: what each level-numbered entry declares.

Levels 66 and 88 name what other entries hold already, and are read over; a level 77 stands alone, and is no part of a
record. Entries above which no 01 stands, as members have them that are copied below one, are the fields of one record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from hub.adapters.formats.cobol.picture import Picture, parse_picture
from hub.adapters.formats.cobol.source import CopybookError, Token

Usage = Literal[
    "display",
    "binary",
    "native",
    "little",
    "packed",
    "unsigned_packed",
    "float",
    "double",
    "national",
    "exact",
]

USAGES: dict[str, Usage] = {
    "DISPLAY": "display",
    "DISPLAY-1": "national",
    "NATIONAL": "national",
    "BINARY": "binary",
    "COMP": "binary",
    "COMP-0": "binary",
    "COMP-1": "float",
    "COMP-2": "double",
    "COMP-3": "packed",
    "COMP-4": "binary",
    "COMP-5": "native",
    "COMP-6": "unsigned_packed",
    "COMP-9": "little",
    "COMP-X": "exact",
    "PACKED-DECIMAL": "packed",
}
"""What a usage stores; `COMPUTATIONAL` is the long form of `COMP`."""

NATIVE_BYTES = {
    "BINARY-CHAR": 1,
    "BINARY-SHORT": 2,
    "BINARY-LONG": 4,
    "BINARY-DOUBLE": 8,
    "INDEX": 4,
    "POINTER": 4,
    "POINTER-32": 4,
    "FUNCTION-POINTER": 4,
    "PROCEDURE-POINTER": 8,
}
"""Usages without a picture, and their bytes."""

MAX_OCCURS = 1_000_000
_CLAUSES = {
    "ASCENDING", "BLANK", "DEPENDING", "DESCENDING", "EXTERNAL", "GLOBAL", "INDEXED", "IS", "JUST", "JUSTIFIED",
    "LEADING", "OCCURS", "PIC", "PICTURE", "REDEFINES", "SIGN", "SYNC", "SYNCHRONIZED", "TRAILING", "USAGE",
    "VALUE", "VALUES", "DATE", *USAGES, *NATIVE_BYTES,
}  # fmt: skip
_FILLER = "FILLER"
_IMPLIED = 0
"""Level of a record that the copybook leaves to who copies it."""
_SECTIONS = {"DATA", "FILE", "WORKING-STORAGE", "LOCAL-STORAGE", "LINKAGE"}


@dataclass(slots=True)
class Item:
    """One entry: a group of others, or a field with a picture; the layout adds where it stands."""

    level: int
    name: str | None
    at: Token
    picture: Picture | None = None
    usage: Usage | None = None
    native_bytes: int = 0
    unsigned: bool = False
    least: int = 1
    most: int = 1
    is_table: bool = False
    counter_name: str | None = None
    counter_groups: tuple[str, ...] = ()
    """Groups that the counter stands in, by `OF` or `IN`, in capitals."""
    counter: Item | None = None
    redefines: str | None = None
    sign_leading: bool | None = None
    sign_separate: bool = False
    aligned: bool = False
    justified: bool = False
    blank_is_zero: bool = False
    children: list[Item] = field(default_factory=list)
    offset: int = 0
    """Bytes before it in the record, in the first of each table around it, when no table is cut."""
    size: int = 0
    """Bytes of one occurrence."""
    shares: bool = False
    """Whether other entries redefine its bytes, or it theirs."""

    @property
    def is_implied(self) -> bool:
        """Whether it is the record above entries that have no 01."""
        return self.level == _IMPLIED

    @property
    def total(self) -> int:
        """Bytes of all occurrences."""
        return self.size * self.most

    @property
    def key(self) -> str:
        """The name as JMESPath writes it without quotes: `-` becomes `_`."""
        return (self.name or _FILLER).replace("-", "_")

    def walk(self) -> Iterator[Item]:
        """The item and all below it, in the order of the copybook."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse_copybook(words: list[Token], file: str, *, comma_point: bool = False) -> list[Item]:
    """The top entries of a copybook, each with what stands below it.

    Raises:
        CopybookError: an entry is none, or its clauses do not go together.
    """
    roots: list[Item] = []
    open_items: list[Item] = []
    for entry in _entries(words):
        if _is_heading(entry):
            continue
        item = _Entry(entry, comma_point).item()
        if item is None:
            continue
        # A 77 is below nothing, and nothing below it.
        while open_items and (open_items[-1].level >= item.level or 77 in (open_items[-1].level, item.level)):
            open_items.pop()
        if open_items:
            open_items[-1].children.append(item)
        else:
            roots.append(item)
        open_items.append(item)
    if not roots:
        raise CopybookError("the copybook has no entries", Token("", file, 1, 1))
    roots = _records(roots)
    for root in roots:
        _inherit(root, None, None, False)
    return roots


def _records(roots: list[Item]) -> list[Item]:
    """The records: each 01, and one for all that stands below none. A 77 is one where there is nothing else."""
    loose = [item for item in roots if item.level not in (1, 77)]
    records = [item for item in roots if item.level == 1]
    if loose and records:
        raise CopybookError(f"level {loose[0].level} stands below no 01, and others do", loose[0].at)
    if loose:
        records = [Item(_IMPLIED, None, loose[0].at, children=loose)]
    return records or roots


def _is_heading(entry: list[Token]) -> bool:
    """Whether it says of which file or section the entries after it are."""
    first = entry[0].upper
    return first in ("FD", "SD") or (first in _SECTIONS and entry[-1].upper in ("SECTION", "DIVISION"))


def _entries(words: list[Token]) -> Iterator[list[Token]]:
    entry: list[Token] = []
    for token in words:
        if token.text != ".":
            entry.append(token)
        elif entry:
            yield entry
            entry = []
    if entry:
        raise CopybookError("the entry does not end with a period", entry[0])


def _inherit(item: Item, usage: Usage | None, leading: bool | None, separate: bool) -> None:
    """Give what a group says of usage and sign to the fields below it."""
    item.usage = item.usage or usage
    if item.sign_leading is None:
        item.sign_leading, item.sign_separate = leading, separate
    for child in item.children:
        _inherit(child, item.usage, item.sign_leading, item.sign_separate)
    if item.children and item.picture is not None:
        raise CopybookError("a field with a picture cannot have fields below it", item.children[0].at)
    bare = item.native_bytes or item.usage in ("float", "double")
    if not item.children and item.picture is None and not bare:
        raise CopybookError(f"{item.name or _FILLER} has neither a picture nor fields below it", item.at)


class _Entry:
    """One entry while its clauses are read."""

    def __init__(self, words: list[Token], comma_point: bool) -> None:
        self._words, self._place, self._comma_point = words, 0, comma_point

    def item(self) -> Item | None:
        """The entry, or None for one that declares no bytes."""
        first = self._next()
        if not re.fullmatch(r"\d{1,2}", first.text):
            raise CopybookError(f"{first.text!r} stands where a level number is expected", first)
        level = int(first.text)
        if level in (66, 88):
            return None
        if level != 77 and not 1 <= level <= 49:
            raise CopybookError(f"there is no level {level}", first)
        named = self._here() is not None and self._upper() not in _CLAUSES
        name = self._next().text if named else None
        item = Item(level, None if name and name.upper() == _FILLER else name, first)
        while self._here() is not None:
            self._clause(item)
        return item

    def _clause(self, item: Item) -> None:
        at = self._next()
        word = at.upper
        usage = re.sub(r"^COMPUTATIONAL", "COMP", word)
        if word in ("PIC", "PICTURE"):
            self._skip("IS")
            item.picture = self._picture(at)
        elif word == "USAGE":
            self._skip("IS")
        elif usage in USAGES:
            item.usage = USAGES[usage]
        elif usage in NATIVE_BYTES:
            item.usage, item.native_bytes = "native", NATIVE_BYTES[usage]
            item.unsigned = not usage.startswith("BINARY") or self._skip("UNSIGNED")
            self._skip("SIGNED")
        elif word == "REDEFINES":
            item.redefines = self._name(at)
        elif word == "OCCURS":
            self._occurs(item, at)
        elif word in ("SIGN", "LEADING", "TRAILING"):
            self._sign(item, at)
        elif not self._lesser_clause(item, word):
            raise CopybookError(f"{at.text!r} begins no clause", at)

    def _lesser_clause(self, item: Item, word: str) -> bool:
        if word in ("SYNC", "SYNCHRONIZED"):
            item.aligned = True
            self._skip("LEFT", "RIGHT")
        elif word in ("JUST", "JUSTIFIED"):
            item.justified = True
            self._skip("RIGHT")
        elif word == "BLANK":
            self._skip("WHEN")
            item.blank_is_zero = self._skip("ZERO", "ZEROS", "ZEROES")
        elif word in ("VALUE", "VALUES"):
            self._skip("IS", "ARE")
            self._skip("ALL")
            self._place += 1
        elif word == "DATE":
            self._skip("FORMAT")
            self._skip("IS")
            self._place += 1
        elif word in ("ASCENDING", "DESCENDING", "INDEXED"):
            self._names()
        else:
            return word in ("GLOBAL", "EXTERNAL", "IS")
        return True

    def _picture(self, at: Token) -> Picture:
        text = self._name(at)
        try:
            return parse_picture(text, comma_point=self._comma_point)
        except ValueError as error:
            raise CopybookError(str(error), self._words[self._place - 1]) from None

    def _occurs(self, item: Item, at: Token) -> None:
        item.is_table = True
        item.least = item.most = self._number(at)
        if self._skip("TO"):
            item.most = self._number(at)
        self._skip("TIMES")
        if self._skip("DEPENDING"):
            self._skip("ON")
            item.counter_name = self._name(at)
            while self._skip("OF", "IN"):
                item.counter_groups += (self._name(at).upper(),)
            # Without TO the number is the most, and nothing is said of the least.
            item.least = 0 if item.least == item.most else item.least
        if not item.least <= item.most <= MAX_OCCURS or item.most < 1:
            raise CopybookError(f"a table cannot have {item.least} to {item.most} occurrences", at)

    def _sign(self, item: Item, at: Token) -> None:
        word = at.upper
        if word == "SIGN":
            self._skip("IS")
            word = self._next().upper if self._here() is not None else ""
        if word not in ("LEADING", "TRAILING"):
            raise CopybookError("a sign is LEADING or TRAILING", at)
        item.sign_leading = word == "LEADING"
        item.sign_separate = self._skip("SEPARATE")
        self._skip("CHARACTER")

    def _names(self) -> None:
        """Read over what a clause on keys or indexes lists."""
        self._skip("KEY")
        self._skip("IS")
        self._skip("BY")
        while self._here() is not None and self._upper() not in _CLAUSES:
            self._place += 1

    def _number(self, at: Token) -> int:
        text = self._name(at)
        if not re.fullmatch(r"\d{1,9}", text):
            raise CopybookError("OCCURS wants a number", self._words[self._place - 1])
        return int(text)

    def _name(self, at: Token) -> str:
        if self._here() is None:
            raise CopybookError(f"nothing follows {at.text}", at)
        return self._next().text

    def _skip(self, *words: str) -> bool:
        found = self._here() is not None and self._upper() in words
        self._place += found
        return found

    def _next(self) -> Token:
        self._place += 1
        return self._words[self._place - 1]

    def _here(self) -> Token | None:
        return self._words[self._place] if self._place < len(self._words) else None

    def _upper(self) -> str:
        return self._words[self._place].upper
