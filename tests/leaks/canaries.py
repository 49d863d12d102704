"""Parts of hidden texts by which a leak is recognised wherever it is: in an answer, an error, the log, a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hub.ontology import CUSTOMER, Property, PropertyType
from hub.store import Store, decode
from tests.leaks.hiding import Hiding
from tests.leaks.twins import Rows

LENGTH = 5
"""No mask shows as much of a text."""
_TELLING = re.compile(
    "(?:[A-Z][a-z]){2}[A-Z]|(?:[a-z][A-Z]){2}[a-z]"  # alternating case
    "|[BCDFGHJKLMNPQRSTVWXZ]{5}"  # the same as an identifier's normal form
    "|(?=.*[0189])(?=(?:[0-9]*[g-z]){3})[g-z0189]{5}"  # small letters
)
_TEXTS = (PropertyType.TEXT, PropertyType.EMAIL, PropertyType.URL)


def parts_of(text: str) -> Iterator[str]:
    """All stretches of LENGTH characters."""
    return (text[at : at + LENGTH] for at in range(len(text) - LENGTH + 1))


def telling_parts(text: str) -> Iterator[str]:
    """The stretches that occur nowhere by chance, also as the text is written as an identifier."""
    return (part for form in (text, text.upper()) for part in parts_of(form) if _TELLING.fullmatch(part))


def hidden_parts(store: Store, worlds: Iterable[Rows], hiding: Hiding) -> frozenset[str]:
    """Telling parts of what is hidden in the worlds, but for those that by chance are parts of what is shown."""
    hidden: set[str] = set()
    shown: set[str] = set()
    for rows in worlds:
        for prop, text in _texts(store, rows):
            (shown if hiding.mask_of(prop) is True else hidden).update(telling_parts(text))
    return frozenset(hidden - shown)


def _texts(store: Store, rows: Rows) -> Iterator[tuple[Property, str]]:
    ontology = store.ontology
    shapes = [(type_.table, type_.properties) for type_ in ontology.types.values()]
    for table, properties in (*shapes, (CUSTOMER.lower(), ontology.customer_properties)):
        for prop in properties.values():
            for row in rows[table] if prop.type in _TEXTS else ():
                value = decode(prop, tuple(row[column] for column in prop.columns), store.dialect.name)
                yield from ((prop, each) for each in (value if prop.many else (value,)) or () if each)
