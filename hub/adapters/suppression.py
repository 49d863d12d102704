"""What must not come back of erased customers: keyed hashes, for the hub keeps nothing that they could be read from.

| hash of      | keeps out                                                                                       |
|--------------|-------------------------------------------------------------------------------------------------|
| a record     | every version of it, whatever it says: by source, stream and key                                |
| an entity    | what states it, and what belongs to it: parties, and their orders, tickets and other belongings |
| an identifier| a record of a new key that states a party by it; a reference that names its target by it        |
| a content    | the same bytes from the same source under another key, or under none                            |

An identifier that somebody else held as well when the customer was erased is none of them: it would keep the others of
a family out, or freeze what is known of them. The key is made of the store's secret; whoever has both the store and a
guess at a value can tell whether it was erased, as with the store's ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import ColumnElement, Connection, delete, or_, select

from hub.store import Store, fixed
from hub.values import entity_id

_RECORD, _ENTITY, _IDENTIFIER, _CONTENT = "r", "e", "i", "c"
"""What a hash begins with."""


class Suppression:
    """Makes the hashes of one store, looks them up, and takes them back."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = hashlib.blake2b(b"suppression", digest_size=32, key=store.secret).digest()

    def of_record(self, source: str, stream: str, key: str) -> str:
        """The hash of a source record."""
        return self._hash(_RECORD, source, stream, key)

    def of_party(self, party_id: str) -> str:
        """The hash of a party, or of whatever else an id of an entity names."""
        return self._hash(_ENTITY, party_id)

    def of_identifier(self, scheme: str, value: str) -> str:
        """The hash of an identifier in normal form."""
        return self._hash(_IDENTIFIER, scheme, value)

    def of_content(self, source: str, content_hash: str) -> str:
        """The hash of what a record says, given the hash of its content."""
        return self._hash(_CONTENT, source, content_hash)

    def _hash(self, kind: str, *parts: str) -> str:
        said = kind + "".join(f"{len(part)}:{part}" for part in parts)
        return kind + hashlib.blake2b(said.encode(), digest_size=16, key=self._key).hexdigest()

    def is_empty(self, connection: Connection) -> bool:
        """Whether nothing at all is kept out."""
        return connection.execute(select(fixed.suppression.c.hash).limit(1)).first() is None

    def held(self, connection: Connection, hashes: Collection[str]) -> dict[str, str]:
        """Those of the hashes that are kept out, with the erasure that each comes from."""
        sql = "SELECT hash, erasure_id FROM suppression WHERE {in:hash}"
        return {row[0]: row[1] for row in self._store.rows_in(connection, sql, list(hashes))}

    def add(self, connection: Connection, erasure_of: Mapping[str, str]) -> None:
        """Keep these hashes out, each in the name of an erasure; one that is kept out already stays as it is."""
        self._store.dialect.upsert(
            connection,
            fixed.suppression,
            ("hash", "erasure_id"),
            sorted(erasure_of.items()),
            keep=("erasure_id",),
        )


def release(
    store: Store,
    connection: Connection,
    *,
    erasure_id: str | None = None,
    identifiers: Iterable[tuple[str, str]] = (),
    records: Iterable[tuple[str, str, str]] = (),
) -> frozenset[str]:
    """Let in again what is named, because the person came back; gives the hashes that are taken back.

    All of an erasure, or identifiers as (scheme, value in normal form), or records as (source, stream, key) together
    with the parties that the source calls by the same key. The customer gets a new id: the old one stays erased.
    """
    made = Suppression(store)
    wanted = {made.of_identifier(*each) for each in identifiers}
    named = list(records)
    wanted |= {made.of_record(*each) for each in named}
    spaces = sorted({type_.space for type_ in store.ontology.parties})
    wanted |= {
        made.of_party(entity_id(source, space, key, store.secret))
        for source, _, key in named
        for space in spaces
    }
    found = made.held(connection, wanted)
    table = fixed.suppression.c
    ways: list[ColumnElement[bool]] = [table.hash.in_(sorted(found))]
    if named:
        # The record is to be let in with the same content, which its hash does not tell from the other contents.
        ways.append(table.hash.startswith(_CONTENT) & table.erasure_id.in_(sorted(set(found.values()))))
    if erasure_id is not None:
        ways.append(table.erasure_id == erasure_id)
    taken = delete(fixed.suppression).where(or_(*ways)).returning(table.hash)
    return frozenset(connection.execute(taken).scalars())
