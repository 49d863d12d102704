"""A request as one tantivy query: what is asked AND what the requester may find.

Every match scores a constant for its kind, a document the best of each unit, all units together; a customer's score
counts threefold (`tantivy_engine`), so that a person comes before the documents that mention them. Constants rather
than BM25: how frequent a word is in documents that the requester may not read must not show in the order of others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from tantivy import Occur, Query, Schema

from hub.search.fold import Kind
from hub.search.protocol import FieldKey, SearchRequest, scope_term
from hub.search.query import MIN_CODE_PREFIX, Unit, Word, parse

_EXACT: Mapping[Kind, float] = {"name": 8, "email": 6, "contact": 3, "text": 2, "code": 30}
_BEGINNING: Mapping[Kind, float] = {"name": 6, "email": 5, "contact": 2, "text": 1, "code": 5}
_TYPO: Mapping[Kind, float] = {"name": 4, "email": 3}
_ADDRESS = 20.0
"""A whole e-mail address."""
_LONG_PHONE = 7
"""Digits from which on a fragment is likely to be one subscriber's."""
_TRIGRAM = 3


def field_name(key: FieldKey) -> str:
    """The name of a field in the index; categories have no hyphens, so names are as different as keys."""
    kind, category = key
    return f"{kind}-{category.replace('.', '-')}"


def trigrams(digits: str) -> list[str]:
    """Each three digits in a row, in order: a fragment is a phrase of them."""
    return [digits[at : at + _TRIGRAM] for at in range(len(digits) - _TRIGRAM + 1)]


def build(schema: Schema, fields: Sequence[FieldKey], request: SearchRequest) -> Query | None:
    """The one query for hits, total and facets; None when nothing can match."""
    asked = parse(request.text)
    allowed = [key for key in fields if key[1] in request.categories]
    if not asked or not allowed or not (request.tokens or request.narrow):
        return None
    asking = _Asking(schema, allowed)
    parts = [asking.all_of(asking.unit(unit) for unit in asked.units)]
    if asked.code:
        parts += asking.code(asked.code)
    filters = {"type": request.types, "source": request.sources}
    conditions = [_one_of(schema, name, values) for name, values in filters.items() if values]
    return Query.boolean_query(
        [
            *((Occur.Must, query) for query in (asking.best_of(parts), *conditions)),
            (Occur.Must, Query.const_score_query(_admitted(schema, request), 0.0)),
            *([(Occur.MustNot, _one_of(schema, "bar", request.bars))] if request.bars else []),
        ]
    )


def _admitted(schema: Schema, request: SearchRequest) -> Query:
    """What the requester may find, whatever its words, but for bars: `SearchRequest.admits` as a query."""
    ways = [_one_of(schema, "token", request.tokens)] if request.tokens else []
    for token, where in request.narrow:
        ways += [
            Query.boolean_query(
                [
                    (Occur.Must, _one_of(schema, "token", {token})),
                    *((Occur.Must, _in_scope(schema, scope, request)) for scope in sorted(way)),
                ]
            )
            for way in sorted(where.ways, key=sorted)
        ]
    return Query.boolean_query([(Occur.Should, way) for way in ways])


def _in_scope(schema: Schema, scope: str, request: SearchRequest) -> Query:
    return _one_of(schema, "scope", {scope_term(scope, value) for value in request.attributes.get(scope, ())})


def _one_of(schema: Schema, name: str, values: Collection[str]) -> Query:
    return Query.const_score_query(Query.term_set_query(schema, name, sorted(values)), 0.0)


class _Asking:
    """Queries on the fields that a requester may search in."""

    def __init__(self, schema: Schema, fields: Sequence[FieldKey]) -> None:
        self._schema = schema
        self._fields = [(kind, field_name((kind, category))) for kind, category in fields]

    def unit(self, unit: Unit) -> Query:
        ways = [self.all_of(self.best_of(self._word(word)) for word in unit.words)]
        for digits in unit.phones:
            ways += self._phone(digits)
        if unit.code:
            ways += self.code(unit.code)
        if unit.email:
            ways += self._exact("email", unit.email, _ADDRESS)
        return self.best_of(ways)

    def _word(self, word: Word) -> Iterator[Query]:
        yield from self.code(word.text.upper())
        for kind, name in self._fields:
            if kind in ("code", "phone"):
                continue
            yield self._term(name, word.text, _EXACT[kind])
            if word.begins:
                yield self._prefix(name, word.text, _BEGINNING[kind])
            if word.may_differ and kind in _TYPO:
                near = Query.fuzzy_term_query(self._schema, name, word.text, 1, transposition_cost_one=True)
                yield Query.const_score_query(near, _TYPO[kind])

    def code(self, code: str) -> Iterator[Query]:
        for kind, name in self._fields:
            if kind == "code":
                yield self._term(name, code, _EXACT[kind])
                if len(code) >= MIN_CODE_PREFIX:
                    yield self._prefix(name, code, _BEGINNING[kind])

    def _phone(self, digits: str) -> Iterator[Query]:
        parts = trigrams(digits)
        score = 9.0 if len(digits) >= _LONG_PHONE else 4.0
        for kind, name in self._fields:
            if kind == "phone" and len(parts) == 1:
                yield self._term(name, parts[0], score)
            elif kind == "phone":
                phrase = Query.phrase_query(self._schema, name, list(parts))
                yield Query.const_score_query(phrase, score)

    def _exact(self, wanted: Kind, text: str, score: float) -> Iterator[Query]:
        return (self._term(name, text, score) for kind, name in self._fields if kind == wanted)

    def _term(self, name: str, text: str, score: float) -> Query:
        return Query.const_score_query(Query.term_query(self._schema, name, text, "basic"), score)

    def _prefix(self, name: str, text: str, score: float) -> Query:
        # A prefix without a typo; compiling the same as a regular expression takes 0.2 ms a field.
        return Query.const_score_query(
            Query.fuzzy_term_query(self._schema, name, text, 0, prefix=True), score
        )

    def all_of(self, queries: Iterable[Query]) -> Query:
        return Query.boolean_query([(Occur.Must, query) for query in queries])

    def best_of(self, queries: Iterable[Query]) -> Query:
        found = list(queries)
        return Query.disjunction_max_query(found) if found else Query.empty_query()
