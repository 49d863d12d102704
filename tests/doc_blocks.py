"""What tests need of Markdown pages: their fenced blocks, links, headings and table rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hub.reference.markdown import anchor

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = tuple(sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")]))

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and text."""

    language: str
    text: str


def blocks(path: Path, language: str | None = None) -> list[Block]:
    """The page's fenced blocks in order, of one language or of all."""
    found = [Block(*match.groups()) for match in _FENCE.finditer(path.read_text(encoding="utf-8"))]
    return [block for block in found if language in (None, block.language)]


def prose(path: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def headings(path: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)


def anchors(path: Path) -> set[str]:
    return {anchor(heading) for heading in headings(path)}


def first_cells(path: Path) -> set[str]:
    """What stands in the first column of the page's tables, without the marks of code."""
    rows = re.findall(r"^\| ([^|]+) \|", prose(path), re.MULTILINE)
    return {row.strip().strip("`") for row in rows}
