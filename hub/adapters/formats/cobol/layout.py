"""Where each field of a copybook stands in its record: sizes, offsets, slack bytes, who shares whose bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log2

from hub.adapters.formats.cobol.copybook import Item, parse_copybook
from hub.adapters.formats.cobol.source import Columns, CopybookError, Token, tokens

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""A longer record is no record but a mistake in the copybook."""

TEXT = "text"
"""What faults call a copybook that stands in the YAML."""

_FLOAT_BYTES = {"float": 4, "double": 8}


@dataclass(frozen=True, slots=True)
class Layout:
    """A copybook, measured."""

    roots: tuple[Item, ...]
    size: int
    """Bytes of a record in which every table is full."""

    def items(self) -> Iterator[Item]:
        """Every entry, in the order of the copybook."""
        for root in self.roots:
            yield from root.walk()

    def find(self, name: str) -> Item | None:
        """The first entry of this name, whatever its case; `_` stands for `-` too."""
        wanted = name.upper().replace("_", "-")
        return next(
            (item for item in self.items() if item.name and item.name.upper().replace("_", "-") == wanted),
            None,
        )

    def names(self) -> list[str]:
        """All names, for saying which one was meant."""
        return [item.name for item in self.items() if item.name]


@lru_cache(maxsize=64)
def layout_of(text: str, columns: Columns, *, comma_point: bool = False) -> Layout:
    """The layout of a copybook that copies no other, kept: the same one is read for every file.

    Raises:
        CopybookError: it cannot be read.
    """
    return measured(tokens(text, TEXT, columns, lambda _: None), TEXT, comma_point=comma_point)


def measured(words: list[Token], file: str, *, comma_point: bool = False) -> Layout:
    """The layout of the words of a copybook that faults call `file`.

    Raises:
        CopybookError: an entry is none, leads to nothing, or asks for more bytes than a record can have.
    """
    roots = parse_copybook(words, file, comma_point=comma_point)
    # Several 01 levels describe one record, each in its own way.
    for root in roots:
        _measure(root)
        _place(root, 0)
        root.shares = len(roots) > 1
    layout = Layout(tuple(roots), max(root.total for root in roots))
    _find_counters(layout)
    _check(layout)
    return layout


def _measure(item: Item) -> None:
    if not item.children:
        item.size = _field_bytes(item)
        return
    end = 0
    for child in item.children:
        _measure(child)
        end = max(end, _start(child, item, end) + child.total)
    # Between the occurrences of a table stand as many bytes as keep each of them aligned alike.
    alignment = _alignment(item) if item.is_table else 1
    item.size = -(-end // alignment) * alignment
    if item.total > MAX_RECORD_BYTES:
        raise CopybookError("the record is longer than a record can be", item.at)


def _start(child: Item, group: Item, end: int) -> int:
    """Where the child begins in its group, whose fields before it end at `end`; noted in the child."""
    if child.redefines is None:
        alignment = _alignment(child)
        child.offset = -(-end // alignment) * alignment
        return child.offset
    wanted = child.redefines.upper()
    before = group.children[: next(n for n, other in enumerate(group.children) if other is child)]
    target = next((other for other in reversed(before) if (other.name or "").upper() == wanted), None)
    if target is None:
        raise CopybookError(f"{child.redefines} does not stand before it in the same group", child.at)
    if any(other.counter_name for other in (*target.walk(), *child.walk())):
        raise CopybookError("what redefines, or is redefined, cannot have a table that depends", child.at)
    child.shares = target.shares = True
    child.offset = target.offset
    return child.offset


def _place(item: Item, base: int) -> None:
    item.offset += base
    for child in item.children:
        _place(child, item.offset)


def _alignment(item: Item) -> int:
    """The boundary that SYNC asks for, as IBM's compilers do: two, four or eight bytes."""
    if item.children:
        return max(_alignment(child) for child in item.children)
    if not item.aligned or item.usage not in ("binary", "native", "float", "double"):
        return 1
    size = item.size or _field_bytes(item)
    return 8 if item.usage == "double" else min(4, size)


def _field_bytes(item: Item) -> int:
    picture, usage = item.picture, item.usage or "display"
    if item.native_bytes:
        return item.native_bytes
    if usage in _FLOAT_BYTES:
        return _FLOAT_BYTES[usage]
    if picture is None:
        raise CopybookError("the field has no picture", item.at)
    if picture.kind == "double" or usage == "national":
        return picture.length * 2
    if usage == "display":
        return picture.length + (item.sign_separate and picture.kind == "number")
    if usage == "exact" and picture.kind == "text":
        return picture.length
    if picture.kind != "number":
        raise CopybookError("only a picture of digits goes with this usage", item.at)
    return _number_bytes(usage, picture.digits)


def _number_bytes(usage: str, digits: int) -> int:
    if usage == "packed":
        return digits // 2 + 1
    if usage == "unsigned_packed":
        return (digits + 1) // 2
    if usage == "exact":
        return max(1, ceil(digits * log2(10) / 8))
    if digits <= 18:
        return 2 if digits <= 4 else 4 if digits <= 9 else 8
    return ceil((digits * log2(10) + 1) / 8)


def _find_counters(layout: Layout) -> None:
    """Lead each table to the field that says how many occurrences it has: the nearest before it of that name.

    Where `OF` names groups, it is the nearest that stands in them.
    """
    before: list[tuple[Item, frozenset[str]]] = []

    def look(item: Item, groups: frozenset[str]) -> None:
        if item.counter_name is not None:
            wanted, within = item.counter_name.upper(), set(item.counter_groups)
            named = (i for i, held in reversed(before) if (i.name or "").upper() == wanted and within <= held)
            item.counter = next(named, None)
            if item.counter is None or item.counter.children:
                raise CopybookError(f"no field {item.counter_name} stands before this table", item.at)
        before.append((item, groups))
        inside = groups | {(item.name or "").upper()}
        for child in item.children:
            look(child, inside)

    for root in layout.roots:
        look(root, frozenset())


def _check(layout: Layout) -> None:
    if layout.size > MAX_RECORD_BYTES:
        raise CopybookError("the record is longer than a record can be", layout.roots[0].at)
    for siblings in (layout.roots, *(item.children for item in layout.items())):
        seen: set[str] = set()
        for item in siblings:
            if item.name is not None and item.key in seen:
                raise CopybookError(f"{item.name} stands twice in one group", item.at)
            seen.add(item.key)
