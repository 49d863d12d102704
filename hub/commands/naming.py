"""Whether a text names a customer: by a name, or by what identifies them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from hub.store import Store

_LEAST_NAME = 3
"""Letters of a name that is looked for."""
_LEAST_CODE = 6
_LAST_DIGITS = 9
"""Of a phone number: what is before them is written in several ways."""


def names_somebody(store: Store, connection: Connection, parties: Sequence[str], text: str) -> bool:
    """Whether the text has a name, address, number or card of these parties in it, however it is spaced."""
    words = f" {_folded(text, ' ')} "
    if any(f" {name} " in words for name in _names(store, connection, parties)):
        return True
    signs = words.replace(" ", "")
    return any(code in signs for code in _codes(store, connection, parties))


def _folded(text: str, between: str) -> str:
    """The letters and digits of the text in lower case."""
    return between.join(re.findall(r"[^\W_]+", text.casefold()))


def _names(store: Store, connection: Connection, parties: Sequence[str]) -> Iterator[str]:
    for type_ in store.ontology.parties:
        columns = [f'"{prop.column}"' for prop in type_.properties.values() if prop.search == "name"]
        if not columns:
            continue
        sql = f'SELECT {", ".join(columns)} FROM "{type_.table}" WHERE {{in:id}}'
        for row in store.rows_in(connection, sql, list(parties)):
            for value in row:
                name = _folded(str(value or ""), " ")
                if len(name) >= _LEAST_NAME:
                    yield name


def _codes(store: Store, connection: Connection, parties: Sequence[str]) -> Iterator[str]:
    sql = "SELECT scheme, value FROM identifier WHERE {in:entity_id}"
    for scheme, value in store.rows_in(connection, sql, list(parties)):
        code = _folded(value, "")
        if scheme == "phone":
            code = code[-_LAST_DIGITS:]
        if len(code) >= _LEAST_CODE:
            yield code
