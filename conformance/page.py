"""`docs/conformance.md`: an introduction, and a section for each check that the check itself writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformance.md"

TITLES = {
    "http": "GraphQL over HTTP",
    "ws": "Subscriptions over WebSocket",
    "federation": "Apollo Federation",
    "oidc": "Tokens of an OpenID provider",
    "fuzz": "Fuzzing",
    "cop": "Security checks of graphql-cop",
}
"""The sections by the name of their check, in the order in which they stand."""

INTRODUCTION = """
# Conformance

What others' tools say of the API. Each section is written by its make target, which starts a hub on the demo company,
runs the check against it, and fails on any finding: `make conformance WRITE=1` writes the page anew. CI runs the first
four, and fails too when they say something else than this page. Tools are pinned, and are installed from PyPI and npm
into `.conformance/`; Node comes as a wheel.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """What one check says."""

    name: str
    lines: Sequence[str]
    faults: Sequence[str] = field(default=())
    """What fails the build."""

    @property
    def text(self) -> str:
        """The section as it stands on the page."""
        target = f"`make conformance-{self.name}`"
        return "\n".join([f"## {TITLES[self.name]}", "", target, "", *self.lines]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table."""
    body = [[_cell(value) for value in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("<", "&lt;")


def sections(page: Path = PAGE) -> dict[str, str]:
    """The text of the page's sections by the name of their check."""
    names = {title: name for name, title in TITLES.items()}
    parts = re.split(
        r"^(?=## )", page.read_text(encoding="utf-8") if page.exists() else "", flags=re.MULTILINE
    )
    found = {part.partition("\n")[0].removeprefix("## "): part for part in parts[1:]}
    return {names[title]: f"{text.rstrip()}\n" for title, text in found.items() if title in names}


def write(found: Iterable[Section], page: Path = PAGE) -> None:
    """Put these sections in the place of the former ones; the others stay."""
    texts = {**sections(page), **{section.name: section.text for section in found}}
    parts = [f"{INTRODUCTION.strip()}\n", *(texts[name] for name in TITLES if name in texts)]
    page.write_text("\n".join(parts), encoding="utf-8")
