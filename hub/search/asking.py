"""A request as a tree of lookups that every engine answers by its own means, with what each match is worth.

A leaf finds documents by one field: a whole token, the beginning of one, one that is a few edits away, or digits
within a phone number. A document is worth the best of a `Best` and the sum of an `All`. Constants rather than BM25: how
frequent a word is in documents that the requester may not read must not show in the order of others. The exact comes
before its beginning, then nicknames, typos and sounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.search.fold import Kind, apart
from hub.search.forms import ROOT
from hub.search.protocol import FieldKey, SearchRequest
from hub.search.query import MIN_CODE_PREFIX, Unit, Word, parse

_EXACT: Mapping[Kind, float] = {"name": 8, "email": 6, "contact": 3, "text": 2, "code": 30}
_BEGINNING: Mapping[Kind, float] = {"name": 6, "email": 5, "contact": 2, "text": 1, "code": 5}
_TYPO: Mapping[Kind, float] = {"name": 4, "email": 3}
_NICKNAME, _SOUND, _FAR = 5.0, 2.0, 1.0
_ADDRESS = 20.0
"""A whole e-mail address."""
_LONG_PHONE = 7
"""Digits from which on a fragment is likely to be one subscriber's."""
CUSTOMER_WEIGHT = 3.0
"""What a customer's score is multiplied by, so that a person comes before the documents that mention them."""


@dataclass(frozen=True, slots=True, repr=False)
class Term:
    """Documents with this token in the field."""

    field: FieldKey
    text: str
    score: float


@dataclass(frozen=True, slots=True, repr=False)
class Beginning:
    """Documents with a token that begins so."""

    field: FieldKey
    text: str
    score: float


@dataclass(frozen=True, slots=True, repr=False)
class Near:
    """Documents with a token at most so many edits away, a swap of neighbours being one."""

    field: FieldKey
    text: str
    edits: int
    score: float


@dataclass(frozen=True, slots=True, repr=False)
class Fragment:
    """Documents with these digits in a row within one number."""

    field: FieldKey
    digits: str
    score: float


@dataclass(frozen=True, slots=True, repr=False)
class All:
    """Documents that all parts find."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Best:
    """Documents that any part finds; none without parts."""

    parts: tuple[Node, ...]


Leaf = Term | Beginning | Near | Fragment
Node = Leaf | All | Best


def asked(fields: Sequence[FieldKey], request: SearchRequest) -> Node | None:
    """What the text asks of the fields that the requester may search in; None when nothing can match.

    Raises:
        LimitError: the text is longer or has more words than is answered.
    """
    query = parse(request.text)
    allowed = [key for key in fields if key[1] in request.categories]
    if not query or not allowed or not (request.tokens or request.narrow):
        return None
    asking = _Asking(allowed, far=request.relaxed)
    parts: list[Node] = [All(tuple(asking.unit(unit) for unit in query.units))]
    if query.code:
        parts += asking.code(query.code)
    return Best(tuple(parts))


class _Asking:
    """Lookups in the fields that a requester may search in."""

    def __init__(self, fields: Sequence[FieldKey], *, far: bool) -> None:
        self._fields, self._far = fields, far

    def unit(self, unit: Unit) -> Node:
        ways: list[Node] = [All(tuple(Best(tuple(self._word(word))) for word in unit.words))]
        for digits in unit.phones:
            score = 9.0 if len(digits) >= _LONG_PHONE else 4.0
            ways += (Fragment(key, digits, score) for key in self._fields if key[0] == "phone")
        if unit.code:
            ways += self.code(unit.code)
        if unit.email:
            ways += (Term(key, apart(unit.email), _ADDRESS) for key in self._fields if key[0] == "email")
        return Best(tuple(ways))

    def _word(self, word: Word) -> Iterator[Leaf]:
        yield from self.code(word.text.upper())
        for key in self._fields:
            kind = key[0]
            if kind in ("code", "phone"):
                continue
            yield from (Term(key, text, _EXACT[kind]) for text in word.spellings)
            if word.begins:
                yield from (Beginning(key, text, _BEGINNING[kind]) for text in word.spellings)
            if kind == "name":
                yield from _alike(key, word.forms)
            if word.may_differ and kind in _TYPO:
                yield Near(key, word.text, 1, _TYPO[kind])
            if self._far and word.far:
                yield Near(key, word.text, word.far, _FAR)

    def code(self, code: str) -> Iterator[Leaf]:
        for key in self._fields:
            if key[0] == "code":
                yield Term(key, code, _EXACT["code"])
                if len(code) >= MIN_CODE_PREFIX:
                    yield Beginning(key, code, _BEGINNING["code"])


def _alike(key: FieldKey, forms: Iterable[str]) -> Iterator[Leaf]:
    return (Term(key, form, _NICKNAME if form.startswith(ROOT) else _SOUND) for form in forms)
