"""The text of a copybook as tokens: columns, comments, continued lines, and COPY with REPLACING.

In the fixed form columns 1 to 6 and 73 on are the programmer's, and column 7 says what a line is: `*` or `/` a
comment, `-` the continuation of the line before. The free form has neither. `*>` begins a comment in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

Columns = Literal["fixed", "free"]
Member = Callable[[str], tuple[str, str] | None]
"""Finds what COPY names: its text and the name to show in faults, or None."""

MAX_COPIES = 16
"""How deep a copybook may copy another; deeper ones copy themselves."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|\*>[^\n]*|[,;](?=\s|$))
    |(?P<pseudo>==.*?==)
    |(?P<literal>[A-Za-z]{0,2}(?:'(?:[^'\n]|'')*'|"(?:[^"\n]|"")*"))
    |(?P<end>\.(?=\s|$))
    |(?P<word>[^\s'"]+?(?=[.,;]?(?:\s|$)|['"]))""",
    re.VERBOSE | re.DOTALL,
)
_LISTING = {"EJECT", "SKIP1", "SKIP2", "SKIP3"}
"""Words that only told the compiler how to print its listing."""
_FREE = re.compile(r"^[ \d]{0,7}\s*(?:>>\s*SOURCE\b.*\bFREE\b|\$SET\s+SOURCEFORMAT.*FREE)", re.IGNORECASE)


class CopybookError(ValueError):
    """A copybook that cannot be read: what is wrong, in which file, line and column. Fix the copybook or setting."""

    def __init__(self, message: str, at: Token) -> None:
        super().__init__(f"{at.file}:{at.line}:{at.column}: {message}")
        self.message, self.at = message, at


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a literal or the period that ends an entry, and where it stands."""

    text: str
    file: str
    line: int
    column: int

    @property
    def upper(self) -> str:
        """The text in capitals, as COBOL compares words."""
        return self.text.upper()


def tokens(text: str, file: str, columns: Columns, member: Member, depth: int = 0) -> list[Token]:
    """The words of a copybook, with every COPY in it replaced by what it names.

    Raises:
        CopybookError: a literal is not closed, or a COPY names nothing that `member` finds.
    """
    plain = list(_words(_lines(text, columns), file))
    made: list[Token] = []
    place = 0
    while place < len(plain):
        if plain[place].upper != "COPY":
            made.append(plain[place])
            place += 1
            continue
        end = next((n for n in range(place, len(plain)) if plain[n].text == "."), len(plain))
        made += _copied(plain[place:end], columns, member, depth)
        place = end + 1
    return made


def as_text(words: Sequence[Token]) -> str:
    """The words as one text in the free form, one entry a line, which says the same."""
    lines = [
        " ".join(token.text for token in entry)
        for is_end, entry in groupby(words, lambda token: token.text == ".")
        if not is_end
    ]
    return "".join(f"{line} .\n" for line in lines)


def _lines(text: str, columns: Columns) -> list[tuple[int, int, str]]:
    """What of each line counts: its number, the column where that begins, and its text."""
    made: list[tuple[int, int, str]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.expandtabs(8).replace("\x1a", "")
        if _FREE.match(line):
            columns = "free"
        elif columns == "free":
            if not line.lstrip().startswith(("*", ">>", "$")):
                made.append((number, 1, line))
        elif line[6:7] == "-" and made:
            first, column, before = made[-1]
            made[-1] = (first, column, _continued(before, line[7:72]))
        elif line[6:7] not in ("*", "/", "$") and not line.lstrip().startswith(">>"):
            made.append((number, 8, line[7:72] if line[6:7] not in ("D", "d") else ""))
    return made


def _continued(before: str, rest: str) -> str:
    """One line of two: a literal goes on after the quote that opens it again, a word where it stopped."""
    quote = _open_quote(before)
    rest = rest.lstrip()
    if quote is None:
        return before.rstrip() + rest
    return before.ljust(65) + rest.removeprefix(quote)


def _open_quote(line: str) -> str | None:
    opened: str | None = None
    for character in line:
        if opened is None and character in "'\"":
            opened = character
        elif character == opened:
            opened = None
    return opened


def _words(lines: list[tuple[int, int, str]], file: str) -> Iterator[Token]:
    # Pseudo-text may run over lines, nothing else may; so all are matched as one text, positions looked up.
    starts, text = [], ""
    for _, _, line in lines:
        starts.append(len(text))
        text += line + "\n"
    place, row = 0, 0
    while place < len(text):
        while row + 1 < len(starts) and starts[row + 1] <= place:
            row += 1
        number, column, _ = lines[row]
        here = Token("", file, number, column + place - starts[row])
        found = _TOKEN.match(text, place)
        if found is None:
            raise CopybookError("a literal is not closed", here)
        place = found.end()
        if found.lastgroup != "space" and found[0].upper() not in _LISTING:
            yield replace(here, text=found[0])


def _copied(statement: list[Token], columns: Columns, member: Member, depth: int) -> list[Token]:
    copy = statement[0]
    if len(statement) < 2:
        raise CopybookError("COPY names nothing", copy)
    name = statement[1].text.strip("'\"")
    found = member(name)
    if found is None:
        raise CopybookError(f"there is no copybook {name!r} beside this one", statement[1])
    if depth >= MAX_COPIES:
        raise CopybookError("copybooks copy each other without end", copy)
    text, file = found
    words = [token.upper for token in statement]
    changes = _replacements(statement[words.index("REPLACING") + 1 :]) if "REPLACING" in words else []
    copied = tokens(text, file, columns, member, depth + 1)
    for change in changes:
        copied = [replace(token, text=change(token.text)) for token in copied]
    # A replacement may be empty, or several words.
    return [replace(token, text=part) for token in copied for part in _parts(token.text)]


def _parts(text: str) -> list[str]:
    if "'" in text or '"' in text:
        return [text]
    return text.split()


def _replacements(words: list[Token]) -> list[Callable[[str], str]]:
    made: list[Callable[[str], str]] = []
    place = 0
    while place < len(words):
        kind = words[place].upper if words[place].upper in ("LEADING", "TRAILING") else ""
        place += bool(kind)
        if place + 2 >= len(words) or words[place + 1].upper != "BY":
            raise CopybookError("REPLACING wants `this BY that`", words[min(place, len(words) - 1)])
        made.append(_replacement(kind, _bare(words[place].text), _bare(words[place + 2].text)))
        place += 3
    return made


def _replacement(kind: str, old: str, new: str) -> Callable[[str], str]:
    word = re.escape(old)
    if kind == "LEADING":
        pattern = rf"^{word}"
    elif kind == "TRAILING":
        pattern = rf"{word}$"
    else:
        # `:TAG:` stands for a part of a word; a word alone for a whole one.
        pattern = rf"^{word}$" if re.fullmatch(r"[\w-]+", old) else word
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: compiled.sub(lambda _: new, text)


def _bare(text: str) -> str:
    return text[2:-2].strip() if text.startswith("==") else text
