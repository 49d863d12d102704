"""Markdown out of models: types in words, tables of keys, the parts of a docstring."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

Schema = Mapping[str, Any]

MAX_LISTED = 12
"""Values of an enumeration that a table lists; of a longer one it says how many there are."""

_PLAIN = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "nothing",
    "object": "mapping",
}


def header(title: str, made_from: str) -> str:
    """The head of a generated page: its title, and where to change it."""
    return f"# {title}\n\n*Made by `make docs` from {made_from}; do not change the page itself.*\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, empty text for no rows."""
    body = [_row(row) for row in rows]
    return "\n".join([_row(heads), _row(["---"] * len(heads)), *body]) + "\n" if body else ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def fenced(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.strip()}\n```\n"


def code(text: object) -> str:
    """Text in the typeface of code, empty for an empty text."""
    shown = str(text)
    return f"`{shown}`" if shown else ""


def anchor(heading: str) -> str:
    """The fragment that leads to a heading, as GitHub makes it."""
    kept = "".join(sign for sign in heading.lower() if sign.isalnum() or sign in " -_")
    return "#" + kept.replace(" ", "-")


def docstring(thing: object) -> str:
    """The thing's docstring as Markdown: paragraphs, tables and indented examples."""
    return inspect.cleandoc(thing.__doc__ or "")


def keys_table(model: type[BaseModel], links: Mapping[str, str]) -> str:
    """A row for each key of the model: name, type in words, default, meaning. `links` leads to other models' parts."""
    schema = model.model_json_schema()
    # A model that contains itself is only referred to at the top.
    schema = schema["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    required = schema.get("required", ())
    return table(
        ("key", "type", "default", "meaning"),
        (
            (
                code(name),
                type_words(prop, links),
                _default(prop, name in required),
                prop.get("description", ""),
            )
            for name, prop in schema.get("properties", {}).items()
        ),
    )


def _default(prop: Schema, required: bool) -> str:
    if required:
        return "required"
    value = prop.get("default", {} if prop.get("type") == "object" else None)
    if isinstance(value, dict) and "text" in value:
        value = value["text"]
    return "" if value is None else code(json.dumps(value, ensure_ascii=False))


def type_words(prop: Schema, links: Mapping[str, str]) -> str:
    """What a key takes, in words; `links` has the Markdown for each model that it may refer to."""
    if "$ref" in prop:
        name = prop["$ref"].rpartition("/")[2]
        return links.get(name, name)
    if "const" in prop:
        return code(prop["const"])
    if "enum" in prop:
        return _enumerated(prop["enum"])
    options = prop.get("anyOf") or prop.get("oneOf")
    if options:
        words = dict.fromkeys(type_words(one, links) for one in options if one.get("type") != "null")
        return " or ".join(words)
    return _typed(prop, links)


def _enumerated(values: Sequence[Any]) -> str:
    if len(values) > MAX_LISTED:
        return f"one of {len(values)} codes"
    return ", ".join(code(value) for value in values)


def _typed(prop: Schema, links: Mapping[str, str]) -> str:
    kind = prop.get("type")
    if kind is None:
        return "anything"
    if isinstance(kind, list):
        return ", ".join(_PLAIN[one] for one in kind if one != "null")
    if kind == "array":
        return f"list of {type_words(prop.get('items', {}), links)}"
    inner = prop.get("additionalProperties")
    if kind == "object" and isinstance(inner, Mapping):
        return f"mapping of names to {type_words(inner, links)}"
    return _PLAIN[kind] + _limits(prop)


def _limits(prop: Schema) -> str:
    low, high = prop.get("minimum"), prop.get("maximum")
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    if low is not None:
        return f", {low:g} or more"
    if "exclusiveMinimum" in prop:
        return f" above {prop['exclusiveMinimum']:g}"
    if prop.get("maxLength") == 1:
        return ", one character" if prop.get("minLength") == 1 else ", at most one character"
    return f" like `{prop['pattern']}`" if "pattern" in prop else ""
