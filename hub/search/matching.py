"""Whether a document matches a query, and where: the meaning that every engine's index must reproduce."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from rapidfuzz.distance import OSA

from hub.search.fold import Kind, tokens
from hub.search.protocol import Document, Value
from hub.search.query import MIN_CODE_PREFIX, Query, Unit, Word

SNIPPET_LENGTH = 160
"""Characters of a value that a snippet shows at most."""

_RUN = re.compile(r"\w+")
_FORGIVING: tuple[Kind, ...] = ("name", "email")
"""Kinds in which a word may differ by one edit."""


def word_matches(word: Word, kind: Kind, token: str) -> bool:
    """Whether the word finds a token of a value of this kind."""
    if kind == "phone":
        return False
    if kind == "code":
        return code_matches(word.text.upper(), token)
    if token in word.spellings or (word.begins and token.startswith(word.spellings)):
        return True
    if kind == "name" and token in word.forms:
        return True
    return kind in _FORGIVING and word.may_differ and OSA.distance(word.text, token, score_cutoff=1) <= 1


def code_matches(code: str, token: str) -> bool:
    """Whether a code is the token, or enough of its beginning."""
    return token == code or (len(code) >= MIN_CODE_PREFIX and token.startswith(code))


def matches(query: Query, document: Document, categories: Collection[str]) -> bool:
    """Whether the query finds the document by values of these categories alone."""
    held = _held(value for value in document.values if value.category in categories)
    if query.code and any(code_matches(query.code, token) for token in held["code"]):
        return True
    return bool(query) and all(_unit_matches(unit, held) for unit in query.units)


def unit_matches(unit: Unit, values: Iterable[Value]) -> bool:
    """Whether the values alone match the unit."""
    return _unit_matches(unit, _held(values))


def _held(values: Iterable[Value]) -> dict[Kind, set[str]]:
    held: dict[Kind, set[str]] = defaultdict(set)
    for value in values:
        if value.kind:
            held[value.kind].update(tokens(value.kind, value.text))
    return held


def _unit_matches(unit: Unit, held: dict[Kind, set[str]]) -> bool:
    if any(fragment in number for fragment in unit.phones for number in held["phone"]):
        return True
    if unit.code and any(code_matches(unit.code, token) for token in held["code"]):
        return True
    if unit.email and unit.email in held["email"]:
        return True
    return all(_word_found(word, held) for word in unit.words)


def _word_found(word: Word, held: dict[Kind, set[str]]) -> bool:
    return any(word_matches(word, kind, token) for kind, found in held.items() for token in found)


def snippet(query: Query, document: Document, categories: Collection[str], shown: str) -> str:
    """HTML of the value that matches best, matches in `<mark>`; preferably not the one `shown` as title."""
    best: tuple[int, bool] = (0, False)
    text = ""
    for value in document.values:
        if value.kind is None or value.category not in categories:
            continue
        spans = list(_spans(query, value))
        rank = (len({value.text[a:b] for a, b in spans}), value.text != shown)
        if spans and rank > best:
            best, text = rank, _marked(value.text, spans)
    return text


def _spans(query: Query, value: Value) -> Iterator[tuple[int, int]]:
    """The stretches of the value's text that match, in order."""
    kind = value.kind
    if kind is None:
        return
    if kind in ("phone", "code") or (kind == "email" and _is_address(query, value)):
        if _whole_matches(query, kind, tokens(kind, value.text)):
            yield 0, len(value.text)
        return
    asked = list(query.words)
    for run in _RUN.finditer(value.text):
        if any(word_matches(word, kind, token) for word in asked for token in tokens(kind, run.group())):
            yield run.span()


def _is_address(query: Query, value: Value) -> bool:
    return any(unit.email in tokens("email", value.text) for unit in query.units if unit.email)


def _whole_matches(query: Query, kind: Kind, found: Iterable[str]) -> bool:
    if kind == "email":
        return True
    if kind == "phone":
        return any(part in number for unit in query.units for part in unit.phones for number in found)
    codes = [unit.code for unit in query.units if unit.code] + [word.text.upper() for word in query.words]
    if query.code:
        codes.append(query.code)
    return any(code_matches(code, token) for code in codes for token in found)


def _marked(text: str, spans: list[tuple[int, int]]) -> str:
    """A window of the text around the first match; all text escaped, so that the marks are the only HTML."""
    start = max(0, min(spans[0][0] - SNIPPET_LENGTH // 4, len(text) - SNIPPET_LENGTH))
    end = start + SNIPPET_LENGTH
    parts, at = ["…" if start else ""], start
    for left, right in spans:
        if right <= end:
            parts += [html.escape(text[at:left]), "<mark>", html.escape(text[left:right]), "</mark>"]
            at = right
    parts += [html.escape(text[at:end]), "…" if end < len(text) else ""]
    return "".join(parts)
