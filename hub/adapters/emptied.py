"""What retention emptied in records that stay, and how the next import is kept from bringing it back.

A field of a record is kept out by a keyed hash of what it said, so nothing can be read from what is kept. The same
value does not come back, however it is spaced or capitalised; another one is new, and comes in. Fields are named by the
names that lead to them, whatever the place in a list: `phones.number` is the number of every item of `phones`.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from hub.adapters.landing import Head, Incoming
from hub.adapters.payload import digest, dump
from hub.store import Store, fixed

Place = tuple[str | int, ...]
"""Where a value stands in a record: names, and positions in lists."""

_COLUMNS = ("head_id", "field", "hash", "cause")


class Emptied:
    """Makes the hashes of one store, keeps them, and takes out of records what they name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = hashlib.blake2b(b"emptied", digest_size=32, key=store.secret).digest()

    def add(self, connection: Connection, values: Collection[tuple[int, Place, Any]], cause: str) -> None:
        """Keep these values, each by its record's head and its place, out of their records from now on."""
        rows = {(head, field_of(place), self._hash(head, place, value)) for head, place, value in values}
        self._store.dialect.upsert(
            connection, fixed.emptied, _COLUMNS, [(*row, cause) for row in sorted(rows)], keep=("cause",)
        )

    def without(
        self, connection: Connection, incoming: Sequence[Incoming], heads: Mapping[str, Head]
    ) -> Sequence[Incoming]:
        """The records without what was emptied in them: as they are held, unless they say something new."""
        if connection.execute(select(fixed.emptied.c.head_id).limit(1)).first() is None:
            return incoming
        known = self._known(connection, [head.id for head in heads.values()])
        if not known:
            return incoming
        return [
            self._stripped(item, head.id, known[head.id])
            if (head := heads.get(item.key)) is not None and head.id in known
            else item
            for item in incoming
        ]

    def _known(self, connection: Connection, heads: Sequence[int]) -> dict[int, dict[str, set[str]]]:
        found: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        sql = "SELECT head_id, field, hash FROM emptied WHERE {in:head_id}"
        for head, field, hash_ in self._store.rows_in(connection, sql, sorted(heads)):
            found[head][field].add(hash_)
        return dict(found)

    def _stripped(self, item: Incoming, head: int, known: Mapping[str, Collection[str]]) -> Incoming:
        gone = [
            place
            for field, hashes in known.items()
            for place, value in places(item.payload, json.loads(field))
            if self._hash(head, place, value) in hashes
        ]
        if not gone:
            return item
        payload = without(item.payload, gone)
        content = dump(payload)
        return Incoming(item.key, digest(content).hex(), item.position, content.decode(), payload)

    def _hash(self, head: int, place: Place, value: Any) -> str:
        said = f"{head}:{field_of(place)}:{_normal(value)}"
        return hashlib.blake2b(said.encode(), digest_size=16, key=self._key).hexdigest()


def field_of(place: Place) -> str:
    """The names that lead to the place, as a JSON list."""
    return json.dumps([name for name in place if isinstance(name, str)])


def places(value: Any, names: Sequence[str], so_far: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Where the names lead, through every item of lists on the way, with what stands there unless that is null."""
    if isinstance(value, list) and names:
        for index, item in enumerate(value):
            yield from places(item, names, (*so_far, index))
    elif not names:
        if value is not None:
            yield so_far, value
    elif isinstance(value, dict) and names[0] in value:
        yield from places(value[names[0]], names[1:], (*so_far, names[0]))


def without(payload: Mapping[str, Any], gone: Collection[Place]) -> dict[str, Any]:
    """The payload without what stands at these places; the given one stays as it is."""
    made = dict(payload)
    for place in gone:
        made = _without(made, place)
    return made


def _without(value: Any, place: Place) -> Any:
    first: Any = place[0]
    rest = place[1:]
    made: Any = list(value) if isinstance(value, list) else dict(value)
    if rest:
        made[first] = _without(made[first], rest)
    else:
        # A name goes, as a source that has no value may leave it out; items keep their positions.
        del made[first]
    return made


def _normal(value: Any) -> str:
    if not isinstance(value, str):
        return dump({"": value}).decode()
    plain = "".join(sign for sign in value.casefold() if sign.isalnum())
    return plain or value
