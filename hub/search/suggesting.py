"""What may have been meant, and what is being typed: made of documents that the requester may find, no others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from rapidfuzz.distance import OSA

from hub.search.fold import Kind, fold, tokens, words
from hub.search.matching import code_matches, matches, unit_matches, word_matches
from hub.search.protocol import Document, Value
from hub.search.query import Query, Unit, Word, parse

MAX_SUGGESTED = 80
"""Characters of a suggestion; longer values are no names."""

_RUN = re.compile(r"\w+(?:['’\-]\w+)*")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text to search for."""

    text: str = field(repr=False)
    type: str
    """The type of a document that it finds."""


def completions(
    text: str, query: Query, documents: Iterable[Document], categories: Collection[str]
) -> Iterator[tuple[Document, Suggestion]]:
    """What the text may become, each once, and the document that it comes from; names and numbers as a whole."""
    told = {fold(text).strip()}
    for document in documents:
        for value in document.values:
            if value.category not in categories:
                continue
            for found in _completed(text, query, value):
                if len(found) <= MAX_SUGGESTED and fold(found) not in told:
                    told.add(fold(found))
                    yield document, Suggestion(found, document.type)


def _completed(text: str, query: Query, value: Value) -> Iterator[str]:
    last = query.units[-1]
    if value.kind in ("name", "email"):
        if _all_in(query, value):
            yield value.text
    elif value.kind == "code":
        asked = [each for each in (query.code, last.code, last.words[-1].text.upper()) if each]
        if any(code_matches(code, token) for code in asked for token in tokens("code", value.text)):
            yield value.text
    elif value.kind in ("text", "contact") and last.words[-1].begins:
        head = text.rstrip()[: -len(last.written.split()[-1])]
        for run in _RUN.findall(value.text):
            if fold(run).startswith(last.words[-1].spellings):
                yield (head + run).strip()


def _all_in(query: Query, value: Value) -> bool:
    """Whether the value alone is found by all units, and by more than the sound of them."""
    held = set(tokens(value.kind, value.text)) if value.kind else set()
    return all(
        any(token.startswith(word.spellings) or token in word.forms for token in held)
        for unit in query.units
        for word in unit.words
    )


def correction(query: Query, document: Document, categories: Collection[str]) -> str | None:
    """The text with its words as the document has them; None where that would not find it, or changes nothing."""
    readable = [value for value in document.values if value.kind and value.category in categories]
    parts = [
        unit.written if unit_matches(unit, readable) else _corrected(unit, readable) for unit in query.units
    ]
    text = " ".join(part for part in parts if part)
    if not all(parts) or fold(text) == fold(" ".join(unit.written for unit in query.units)):
        return None
    return text if matches(parse(text), document, categories) else None


def _corrected(unit: Unit, readable: Collection[Value]) -> str | None:
    found = [_nearest(word, readable) for word in unit.words]
    return " ".join(each for each in found if each) if all(found) else None


def _nearest(word: Word, readable: Collection[Value]) -> str | None:
    """The word of a readable value that is nearest, as it is written there; None where none is near."""
    best: tuple[int, str] | None = None
    for value in readable:
        if value.kind in ("phone", "code", None):
            continue
        for run in _RUN.findall(value.text):
            edits = _distance(word, value.kind, run)
            if edits <= word.far and (best is None or edits < best[0]):
                best = (edits, run)
    return best[1] if best else None


def _distance(word: Word, kind: Kind, run: str) -> int:
    finished = replace(word, unfinished=False)
    if any(word_matches(finished, kind, token) for token in tokens(kind, run)):
        return 0
    found = words(run)
    return min((OSA.distance(word.text, each) for each in ["".join(found), *found]), default=99)
