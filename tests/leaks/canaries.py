"""Parts of hidden texts by which a leak is recognised wherever it is: in an answer, an error, the log, a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.ontology import CUSTOMER, PropertyType
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


def hidden_texts(store: Store, rows: Rows, hiding: Hiding) -> Iterator[str]:
    """The texts of rows that are not shown as they are."""
    ontology = store.ontology
    shapes = [(type_.table, type_.properties) for type_ in ontology.types.values()]
    for table, properties in (*shapes, (CUSTOMER.lower(), ontology.customer_properties)):
        for prop in properties.values():
            if prop.type not in _TEXTS or hiding.mask_of(prop) is True:
                continue
            for row in rows[table]:
                value = decode(prop, tuple(row[column] for column in prop.columns), store.dialect.name)
                yield from value if isinstance(value, tuple) else () if value is None else (value,)
