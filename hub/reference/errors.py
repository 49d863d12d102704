"""The page `errors.md`: every error, what it means, what to do next, and the codes of records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

from hub import errors
from hub.errors import HubError
from hub.reference.markdown import code, docstring, fenced, header, table

ErrorT = TypeVar("ErrorT", bound=HubError)

RECORD_CODES: Mapping[str, str] = MappingProxyType(
    {
        "bad_key": "A part of the key cannot be a key: a boolean, an object, a list, or a text that is too long.",
        "bad_path": "A JMESPath function met a value that it does not take.",
        "bad_value": "The value does not fit the property's type, or its converter's notation.",
        "duplicate_entity": "The record states two entities with one key.",
        "missing_key": "The key, or a part of it, is absent.",
        "missing_required": "A value or link that the mapping marks `required` is absent.",
        "not_exact": "A number came as a binary float, or is no number.",
        "not_in_ontology": "What staff recorded names a type or property that the ontology no longer has.",
        "not_json": "The record holds something that has no JSON form.",
        "too_large": "The number has more digits than can be kept.",
        "too_precise": "The number has more digits after the point than the property keeps; it is not rounded.",
        "unknown_code": "The value is in no list: an enum, a `map`, a `lookup`, a country, words for true and false.",
        "unknown_currency": "An amount has no currency, or one that ISO 4217 does not know.",
        "unreadable": "A piece of the source is no record: its format cannot parse it.",
    }
)
"""Why a record waits in quarantine, by code."""

_INTRODUCTION = """
Every error of the hub stands in one tree. A class says what to do next. Messages carry keys, field names and positions,
never values of personal data. What a caller of the API gets of them stands in [api.md](api.md#errors).
"""

_RECORD_CODES = """
## Reason codes of records

A record in quarantine carries the field, one of these codes, and the reason in words, which hold no value.
`hub quarantine list` shows them. Correct the mapping, then `hub quarantine replay`; or correct the source, and the next
sync brings the new version. A replay passes over `unreadable` pieces and records whose key is still unreadable: they
wait for the source's next reading.
"""


def errors_page() -> str:
    """The reference of errors."""
    tree = error_tree()
    return "\n".join(
        [
            header("Errors", "`hub/errors.py`"),
            _INTRODUCTION,
            fenced("text", tree),
            "## Classes\n",
            *_classes(next_steps(tree)),
            _RECORD_CODES,
            table(("code", "meaning"), ((code(name), words) for name, words in RECORD_CODES.items())),
        ]
    )


def error_tree() -> str:
    """The tree of errors as text, each with what the caller does next."""
    tree, *_ = [part for part in docstring(errors).split("\n\n") if part.startswith("HubError")]
    return tree


def next_steps(tree: str) -> dict[str, str]:
    """What the caller does next, by the error's name, as the tree in `hub.errors` says."""
    lines = (line.lstrip("│├└─ ").partition(" ") for line in tree.splitlines())
    return {name: words.strip() for name, _, words in lines}


def subclasses(kind: type[ErrorT]) -> Iterator[type[ErrorT]]:
    """The error and all below it, each before its own."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from subclasses(below)


def _classes(steps: Mapping[str, str]) -> Iterator[str]:
    for kind in subclasses(HubError):
        yield f"### {kind.__name__}\n"
        yield docstring(kind) + "\n"
        if step := steps.get(kind.__name__):
            yield f"{step[0].upper()}{step[1:]}.\n"
