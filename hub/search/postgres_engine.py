"""The engine for several API nodes on one PostgreSQL: tables beside the store's, in a schema of their own.

What a text search by PostgreSQL's own dictionaries would do is done before: texts come folded and typos are found by
*deletions*, words with one letter left out, of which two words one edit apart always share one. The cursor is a row
that is written in the transaction of the documents that it vouches for. A new index is filled in another schema, and
two schemas change their names in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rapidfuzz.distance import OSA
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from hub.errors import StoreUnavailableError
from hub.ontology import CUSTOMER
from hub.search.asking import CUSTOMER_WEIGHT, Near, Node, asked
from hub.search.catalogue import Catalogue
from hub.search.fold import MAX_TOKEN, indexed
from hub.search.forms import ADDRESS, ROOT, SOUND
from hub.search.postgres_query import (
    COUNTED,
    RANKED,
    Compiled,
    compiled,
    day_column,
    lexeme,
    mark,
    tag,
    trigrams,
)
from hub.search.protocol import (
    MAX_COUNTS,
    RECENCY,
    SOURCE,
    Document,
    Found,
    Result,
    SearchRequest,
    day_of,
    scope_term,
)
from hub.store import Store

_SERVED, _NEW, _FORMER = "hub_search", "hub_search_new", "hub_search_former"
_MAX_BYTES = 900_000
"""Of the tokens of one document: PostgreSQL holds a megabyte in a tsvector."""
_MIN_NEAR = 3
"""Letters of a word that one of MIN_TYPO may be one edit from."""
_MAX_NEAR = 200
"""Words that one word of a request may stand for by typos: the nearest."""
_FORGIVING = ("name", "email")

_TABLES = """
CREATE TABLE {schema}.state (fingerprint text PRIMARY KEY, seq bigint NOT NULL);
CREATE TABLE {schema}.document (
  key text PRIMARY KEY, type text NOT NULL, stamp bigint NOT NULL, is_customer boolean NOT NULL,
  day integer, day_observed integer, marks text[] NOT NULL, numbers text[] NOT NULL, terms tsvector NOT NULL);
CREATE TABLE {schema}.word (field integer NOT NULL, word text NOT NULL, PRIMARY KEY (field, word));
CREATE TABLE {schema}.deletion (
  deletion text NOT NULL, field integer NOT NULL, word text NOT NULL, PRIMARY KEY (deletion, field, word))
"""
_INDEXES = """
CREATE INDEX document_terms ON {schema}.document USING gin (terms);
CREATE INDEX document_marks ON {schema}.document USING gin (marks);
ANALYZE {schema}.document;
ANALYZE {schema}.deletion
"""
_INSERT = """
INSERT INTO {schema}.document (key, type, stamp, is_customer, day, day_observed, marks, numbers, terms)
VALUES (:key, :type, :stamp, :is_customer, :day, :day_observed, CAST(:marks AS text[]), CAST(:numbers AS text[]),
  array_to_tsvector(CAST(:terms AS text[])))
ON CONFLICT (key) DO UPDATE SET type = excluded.type, stamp = excluded.stamp,
  is_customer = excluded.is_customer, day = excluded.day, day_observed = excluded.day_observed,
  marks = excluded.marks, numbers = excluded.numbers, terms = excluded.terms
"""


class PostgresEngine:
    """`SearchEngine` on tables in the store's own database."""

    name = "postgres"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._catalogue = Catalogue(store.ontology)
        self._numbers = {key: number for number, key in enumerate(self._catalogue.fields)}
        self._fingerprint = f"postgres {self._catalogue.sha256}"

    def cursor(self) -> int | None:
        """The entry of the change feed that the index has followed to; None when it has to be built first."""
        with self._store.read() as connection:
            return self._cursor(connection)

    def apply(self, upserts: Sequence[Document], deletes: Sequence[str], cursor: int) -> None:
        """Replace documents, forget those with the keys `deletes` and move the cursor: durably, in one commit."""
        with self._writing() as connection:
            self._served(connection)
            drop = text(f"DELETE FROM {_SERVED}.document WHERE key = ANY(CAST(:keys AS text[]))")
            connection.execute(drop, {"keys": list(deletes)})
            self._add(connection, _SERVED, upserts)
            connection.execute(text(f"UPDATE {_SERVED}.state SET seq = :seq"), {"seq": cursor})

    def search(self, request: SearchRequest) -> Result:
        """The documents that match the request, as of the last commit of any process."""
        node = asked(self._catalogue.fields, request)
        while True:
            with self._store.read() as connection:
                connection.execution_options(isolation_level="REPEATABLE READ")
                self._served(connection)
                if node is None:
                    return Result((), 0, {})
                place = _place(connection)
                result = self._answered(connection, node, request)
                if _place(connection) == place:
                    return result
            # Tables took others' names meanwhile, and rows of the new ones are not of this transaction's state.

    def _answered(self, connection: Connection, node: Node, request: SearchRequest) -> Result:
        made = compiled(node, self._numbers, request, lambda near: self._near(connection, near))
        # Of many matches only a part is counted; the planner would look for them row by row, through all rows maybe.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        facets = _types(connection, made)
        hits = _best(connection, made, request) if request.first else ()
        counts = {name: _counts(connection, made, name) for name in request.facets}
        total = sum(facets.values())
        return Result(hits, total, facets, counts, at_least=total >= COUNTED)

    def rebuild(self, batches: Iterable[Sequence[Document]], cursor: int) -> int:
        """Build a new index beside the old one and put it in its place at once; the number of documents."""
        self._run(
            f"DROP SCHEMA IF EXISTS {_NEW} CASCADE", f"CREATE SCHEMA {_NEW}", *_statements(_TABLES, _NEW)
        )
        try:
            count = self._fill(batches, cursor)
            self._run(*_statements(_INDEXES, _NEW))
        except BaseException:
            self._run(f"DROP SCHEMA IF EXISTS {_NEW} CASCADE")
            raise
        self._swap()
        return count

    def holds(self, keys: Collection[str]) -> int:
        """How many of the documents with these keys there are."""
        sql = f"SELECT count(*) FROM {_SERVED}.document WHERE key = ANY(CAST(:keys AS text[]))"
        with self._store.read() as connection:
            self._served(connection)
            return int(connection.execute(text(sql), {"keys": list(keys)}).scalar_one())

    def stamps(self) -> Iterator[tuple[str, int]]:
        """Key and stamp of every document, in any order, as of one commit."""
        with self._store.read() as connection:
            self._served(connection)
            rows = connection.execution_options(stream_results=True).execute(
                text(f"SELECT key, stamp FROM {_SERVED}.document")
            )
            for key, stamp in rows:
                yield key, int(stamp)

    def drop_former(self) -> None:
        """Delete every index but the one that is served."""
        self._run(f"DROP SCHEMA IF EXISTS {_FORMER} CASCADE")

    def release(self) -> None:
        """Let another process write: no transaction outlives its commit."""

    def close(self) -> None:
        """Nothing is held: connections are the store's."""

    # writing

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction beside those of the store's writers, which need not wait for it."""
        with self._store.aside() as connection:
            yield connection

    def _run(self, *statements: str) -> None:
        with self._writing() as connection:
            for sql in statements:
                connection.execute(text(sql))

    def _fill(self, batches: Iterable[Sequence[Document]], cursor: int) -> int:
        count = 0
        for batch in batches:
            with self._writing() as connection:
                self._add(connection, _NEW, batch)
            count += len(batch)
        with self._writing() as connection:
            state = text(f"INSERT INTO {_NEW}.state (fingerprint, seq) VALUES (:fingerprint, :seq)")
            connection.execute(state, {"fingerprint": self._fingerprint, "seq": cursor})
        return count

    def _swap(self) -> None:
        statements = [f"DROP SCHEMA IF EXISTS {_FORMER} CASCADE"]
        with self._writing() as connection:
            if connection.execute(text(f"SELECT to_regnamespace('{_SERVED}')")).scalar_one() is not None:
                statements.append(f"ALTER SCHEMA {_SERVED} RENAME TO {_FORMER}")
            for sql in (*statements, f"ALTER SCHEMA {_NEW} RENAME TO {_SERVED}"):
                connection.execute(text(sql))

    def _add(self, connection: Connection, schema: str, documents: Sequence[Document]) -> None:
        if not documents:
            return
        connection.execute(text(_INSERT.format(schema=schema)), [self._row(each) for each in documents])
        words = sorted({pair for each in documents for pair in self._words(each)})
        known = f"""
            INSERT INTO {schema}.word (field, word) SELECT * FROM unnest(CAST(:f AS integer[]), CAST(:w AS text[]))
            ON CONFLICT DO NOTHING RETURNING field, word"""
        given = {"f": [number for number, _ in words], "w": [word for _, word in words]}
        new = [(row.field, row.word) for row in connection.execute(text(known), given)]
        _add_deletions(connection, schema, [each for each in new if self._forgives(each[0])])

    def _forgives(self, number: int) -> bool:
        return self._catalogue.fields[number][0] in _FORGIVING

    def _row(self, document: Document) -> dict[str, Any]:
        terms: dict[str, None] = {}
        phones: dict[str, None] = {}
        for value in document.values:
            if value.kind is None:
                continue
            number, found = self._numbers[value.kind, value.category], indexed(value.kind, value.text)
            if value.kind == "phone":
                phones.update(dict.fromkeys(lexeme(number, digits) for digits in found))
                terms.update(dict.fromkeys(each for digits in found for each in trigrams(number, digits)))
            else:
                terms.update(dict.fromkeys(lexeme(number, token) for token in found if token))
        return {
            "key": document.key,
            "type": document.type,
            "stamp": document.stamp,
            "is_customer": document.type == CUSTOMER,
            "day": day_of(document.time),
            "day_observed": day_of(document.observed),
            "marks": list(_marks(document)),
            "numbers": list(phones),
            "terms": _bounded(terms),
        }

    def _words(self, document: Document) -> Iterator[tuple[int, str]]:
        """The words that others may be near to, with the numbers of their fields."""
        for value in document.values:
            if value.kind is None or value.kind in ("phone", "code"):
                continue
            number = self._numbers[value.kind, value.category]
            for token in indexed(value.kind, value.text):
                if _MIN_NEAR <= len(token) <= MAX_TOKEN + 2 and not token.startswith((ROOT, SOUND, ADDRESS)):
                    yield number, token.replace("\x00", "")

    # reading

    def _cursor(self, connection: Connection) -> int | None:
        if connection.execute(text(f"SELECT to_regclass('{_SERVED}.state')")).scalar_one() is None:
            return None
        sql = f"SELECT seq FROM {_SERVED}.state WHERE fingerprint = :fingerprint"
        try:
            found = connection.execute(text(sql), {"fingerprint": self._fingerprint}).scalar()
        except ProgrammingError:  # it has other columns than these
            return None
        return None if found is None else int(found)

    def _served(self, connection: Connection) -> None:
        if self._cursor(connection) is None:
            raise StoreUnavailableError("there is no search index of this ontology yet; it has to be built")

    def _near(self, connection: Connection, leaves: Collection[Near]) -> Mapping[Near, Collection[str]]:
        found: dict[Near, Collection[str]] = {}
        for edits in sorted({leaf.edits for leaf in leaves}):
            asking = [leaf for leaf in leaves if leaf.edits == edits]
            words = _close(connection, asking) if edits == 1 else _similar(connection, asking)
            for leaf in asking:
                number = self._numbers[leaf.field]
                rated = sorted(
                    (OSA.distance(leaf.text, word, score_cutoff=edits), word)
                    for field, word in words
                    if field == number
                )
                found[leaf] = [word for distance, word in rated if distance <= edits][:_MAX_NEAR]
        return found


def _place(connection: Connection) -> int | None:
    """Which table has the name of the documents' one just now, whatever state of the data is read."""
    found = connection.execute(text(f"SELECT CAST(to_regclass('{_SERVED}.document') AS oid)")).scalar()
    return None if found is None else int(found)


def _statements(script: str, schema: str) -> list[str]:
    return [sql.strip() for sql in script.format(schema=schema).split(";") if sql.strip()]


def _marks(document: Document) -> Iterator[str]:
    yield from (mark("token", token) for token in document.tokens)
    yield from (mark("source", source) for source in document.sources)
    yield from (mark("bar", bar) for bar in document.bars)
    for scope, held in document.facts.items():
        yield from (mark("scope", scope_term(scope, fact)) for fact in held)
    yield from (tag(name, value) for name, value in document.tags)


def _bounded(terms: Iterable[str]) -> list[str]:
    kept, room = [], _MAX_BYTES
    for term in terms:
        room -= len(term) + 8
        if room < 0:
            break
        kept.append(term.replace("\x00", ""))
    return kept


def _deletions(word: str) -> set[str]:
    """The word, and all that is left of it without one letter."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def _add_deletions(connection: Connection, schema: str, words: Sequence[tuple[int, str]]) -> None:
    rows = [(deletion, number, word) for number, word in words for deletion in sorted(_deletions(word))]
    sql = f"""
        INSERT INTO {schema}.deletion (deletion, field, word)
        SELECT * FROM unnest(CAST(:d AS text[]), CAST(:f AS integer[]), CAST(:w AS text[])) ON CONFLICT DO NOTHING"""
    if rows:
        deletions, fields, of = zip(*rows, strict=True)
        connection.execute(text(sql), {"d": list(deletions), "f": list(fields), "w": list(of)})


def _close(connection: Connection, leaves: Sequence[Near]) -> list[tuple[int, str]]:
    """Words that share a deletion with what is asked for: among them all that are one edit away."""
    asked_for = sorted({deletion for leaf in leaves for deletion in _deletions(leaf.text)})
    sql = f"SELECT DISTINCT field, word FROM {_SERVED}.deletion WHERE deletion = ANY(CAST(:d AS text[]))"
    return [(field, word) for field, word in connection.execute(text(sql), {"d": asked_for})]


def _similar(connection: Connection, leaves: Sequence[Near]) -> list[tuple[int, str]]:
    """Words of about the length of what is asked for."""
    sizes = sorted({len(leaf.text) + more for leaf in leaves for more in range(-leaf.edits, leaf.edits + 1)})
    sql = f"SELECT field, word FROM {_SERVED}.word WHERE length(word) = ANY(CAST(:sizes AS integer[]))"
    return [(field, word) for field, word in connection.execute(text(sql), {"sizes": sizes})]


def _types(connection: Connection, made: Compiled) -> dict[str, int]:
    sql = f"SELECT d.type, count(*) FROM {_counted(made, 'type')} GROUP BY 1 ORDER BY 1"
    return {type_: int(count) for type_, count in connection.execute(text(sql), made.values)}


def _best(connection: Connection, made: Compiled, request: SearchRequest) -> tuple[Found, ...]:
    day = f"d.{day_column(request)}"
    weight = (
        f"(CASE WHEN d.is_customer THEN {CUSTOMER_WEIGHT} ELSE 1 END)"
        f" * (1 + {RECENCY} * least(greatest(coalesce({day}, 0) / 36525.0, 0), 1))"
    )
    sql = f"""
        SELECT d.key, d.type FROM (
          SELECT * FROM {_SERVED}.document d WHERE {made.condition}
          ORDER BY d.is_customer DESC, {day} DESC NULLS LAST, d.key LIMIT {RANKED}) d
        ORDER BY {weight} * {made.score} DESC, d.key LIMIT {request.first:d}"""
    return tuple(
        Found(type_, key[len(type_) + 1 :]) for key, type_ in connection.execute(text(sql), made.values)
    )


def _counted(made: Compiled, column: str) -> str:
    """The matches that are counted, as a table `d`."""
    return f"(SELECT d.{column} FROM {_SERVED}.document d WHERE {made.condition} LIMIT {COUNTED}) d"


def _counts(connection: Connection, made: Compiled, facet: str) -> dict[str, int]:
    begins = mark("source", "") if facet == SOURCE else tag(facet, "")
    sql = f"""
        SELECT substr(m, :length), count(*) FROM {_counted(made, "marks")}, unnest(d.marks) AS m
        WHERE starts_with(m, :begins) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_COUNTS}"""
    given = {**made.values, "begins": begins, "length": len(begins) + 1}
    return {value: int(count) for value, count in connection.execute(text(sql), given)}
