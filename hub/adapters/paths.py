"""Compiled access to a record: a path of a mapping becomes one fast function.

A path is JMESPath (https://jmespath.org) on the *item*: the record itself, or one element of the list that an
entity's `each` gives. Four forms are the hub's own:

| path      | gives                                                        |
|-----------|--------------------------------------------------------------|
| `^.x`     | `x` on the record, from inside `each`; `^` is the whole record |
| `#index`  | the item's position in its list, from 0 (quote it in YAML)   |
| `$`       | the whole item                                               |

Numbers stay exact: decimals compare, sum and sort as numbers, and a literal such as `` `1.1` `` is a decimal.
Names with other signs than letters, digits and `_` are quoted as JMESPath does: `"Order No."`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, cast

import jmespath
from jmespath import exceptions, functions
from jmespath.visitor import Options, TreeInterpreter

from hub.errors import RecordError
from hub.yamlfile import nearest


@dataclass(slots=True, repr=False)
class Scope:
    """Where paths are evaluated: the item, the record it is in, and its position."""

    item: Any
    record: Mapping[str, Any]
    index: int = 0


Access = Callable[[Scope], Any]
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CompiledPath:
    """A path ready for use."""

    follow: Access
    """Gives the value, None when there is none. Raises RecordError without a field when it cannot be applied."""
    is_plain: bool
    """Whether it only walks down names, which cannot fail."""
    item_fields: frozenset[str] = frozenset()
    """Top-level names that it reads from the item."""
    record_fields: frozenset[str] = frozenset()
    """Top-level names that it reads from the record, when it starts there (`^`)."""
    names: tuple[str, ...] | None = None
    """The names that it walks down; None where it does more than that."""


@lru_cache(maxsize=4096)
def compile_path(text: str) -> CompiledPath:
    """The function that follows `text`.

    Raises:
        ValueError: `text` is no path; the message has the position of the fault in it.
    """
    if text == "#index":
        return CompiledPath(lambda scope: scope.index, is_plain=True)
    if text in ("$", "@"):
        return CompiledPath(lambda scope: scope.item, is_plain=True)
    if text == "^":
        return CompiledPath(lambda scope: scope.record, is_plain=True)
    from_record = text.startswith("^.")
    tree = _parse(text[2:], skipped=2) if from_record else _parse(text)
    names, roots = _plain_names(tree), frozenset(_roots(tree))
    if from_record:
        return CompiledPath(_on_record(tree, names), names is not None, record_fields=roots, names=names)
    return CompiledPath(_on_item(tree, names), names is not None, item_fields=roots, names=names)


def truthy(value: Any) -> bool:
    """Whether JMESPath takes `value` for true: all but null, false, and empty texts, lists and objects."""
    return value is not None and value is not False and value != "" and value != [] and value != {}


def _on_item(tree: Node, names: tuple[str, ...] | None) -> Access:
    if names is None:
        search = _search(tree)
        return lambda scope: search(scope.item)
    first, *rest = names
    if not rest:
        return lambda scope: scope.item.get(first) if type(scope.item) is dict else None
    return lambda scope: _walk(scope.item, names)


def _on_record(tree: Node, names: tuple[str, ...] | None) -> Access:
    if names is None:
        search = _search(tree)
        return lambda scope: search(scope.record)
    first, *rest = names
    if not rest:
        return lambda scope: scope.record.get(first)
    return lambda scope: _walk(scope.record, names)


def _walk(value: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        if type(value) is not dict:
            return None
        value = value.get(name)
    return value


def _plain_names(tree: Node) -> tuple[str, ...] | None:
    if tree["type"] == "field":
        return (tree["value"],)
    if tree["type"] != "subexpression":
        return None
    parts = [_plain_names(child) for child in tree["children"]]
    known = [part for part in parts if part is not None]
    return tuple(name for part in known for name in part) if len(known) == len(parts) else None


def _search(tree: Node) -> Callable[[Any], Any]:
    interpreter = TreeInterpreter(Options(custom_functions=_ExactFunctions()))
    visit = interpreter.visit

    def search(value: Any) -> Any:
        try:
            return visit(cast(Any, tree), value)
        except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise RecordError("", "bad_path", f"an expression cannot be applied ({_why(error)})") from None

    return search


def _why(error: Exception) -> str:
    if isinstance(error, exceptions.JMESPathTypeError):
        return f"{error.function_name}() expects {' or '.join(error.expected_types)}, got {error.actual_type}"
    return type(error).__name__


def _parse(text: str, skipped: int = 0) -> Node:
    try:
        tree = cast(Node, jmespath.compile(text).parsed)
    except exceptions.LexerError as error:
        raise ValueError(_message(text, error.lexer_position + skipped)) from error
    except exceptions.ParseError as error:
        raise ValueError(_message(text, error.lex_position + skipped)) from error
    except exceptions.EmptyExpressionError as error:
        raise ValueError("is empty: a path is expected") from error
    except exceptions.JMESPathError as error:
        raise ValueError(f"is no JMESPath: {error}") from error
    for node in _nodes(tree):
        _check_function(node)
    return _with_decimals(tree)


def _message(text: str, position: int) -> str:
    odd = not set(text) & set("`[]()|&=<>!'\"")
    hint = "; quote a name with other signs than letters and digits, like '\"a b\"'" if odd else ""
    return f"is no JMESPath: character {position + 1} does not fit{hint}"


def _check_function(node: Node) -> None:
    if node["type"] != "function_expression":
        return
    table = _ExactFunctions.FUNCTION_TABLE
    name = node["value"]
    if name not in table:
        near = nearest(name, table)
        raise ValueError(
            f"calls {name}(), which JMESPath does not have{f'; did you mean {near}()?' if near else ''}"
        )
    signature = table[name]["signature"]
    given, wanted = len(node["children"]), len(signature)
    variadic = bool(signature) and signature[-1].get("variadic", False)
    if given < wanted or (given > wanted and not variadic):
        raise ValueError(f"{name}() takes {wanted} argument{'s' if wanted != 1 else ''}, got {given}")


def _nodes(tree: Node) -> Iterator[Node]:
    yield tree
    for child in tree["children"]:
        if isinstance(child, dict):
            yield from _nodes(child)


def _with_decimals(tree: Node) -> Node:
    children = [_with_decimals(child) if isinstance(child, dict) else child for child in tree["children"]]
    made = {**tree, "children": children}
    if tree["type"] == "literal":
        made["value"] = _exact(tree["value"])
    return made


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return {key: _exact(item) for key, item in value.items()} if isinstance(value, dict) else value


_FIRST_CHILD_ONLY = {
    "subexpression",
    "index_expression",
    "projection",
    "filter_projection",
    "flatten",
    "pipe",
    "value_projection",
}


def _roots(tree: Node) -> Iterator[str]:
    kind = tree["type"]
    if kind == "field":
        yield tree["value"]
        return
    if kind in ("literal", "expref"):
        return
    children = tree["children"][:1] if kind in _FIRST_CHILD_ONLY else tree["children"]
    for child in children:
        if isinstance(child, dict):
            yield from _roots(child)


class _ExactFunctions(functions.Functions):
    """JMESPath's functions with Decimal as a number, and without floats."""

    def _get_allowed_pytypes(self, types: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
        allowed, nested = super()._get_allowed_pytypes(types)  # type: ignore[misc]
        return (
            [*allowed, "Decimal"] if "float" in allowed else allowed,
            [(*names, "Decimal") if "float" in names else names for names in nested],
        )

    def _convert_to_jmespath_type(self, pyobject: str) -> str:
        if pyobject == "Decimal":
            return "number"
        return cast(str, super()._convert_to_jmespath_type(pyobject))  # type: ignore[misc]

    @functions.signature({"types": []})
    def _func_type(self, arg: Any) -> str:
        name = type(arg).__name__
        return "number" if name == "Decimal" else functions.TYPES_MAP.get(name, "null")

    @functions.signature({"types": []})
    def _func_to_number(self, arg: Any) -> int | Decimal | None:
        if isinstance(arg, int | Decimal) and not isinstance(arg, bool):
            return arg
        try:
            number = Decimal(arg) if isinstance(arg, str) else None
        except InvalidOperation:
            return None
        return number if number is not None and number.is_finite() else None

    @functions.signature({"types": []})
    def _func_to_string(self, arg: Any) -> str:
        if isinstance(arg, str | Decimal):
            return str(arg)
        return json.dumps(arg, separators=(",", ":"), default=str, ensure_ascii=False)

    @functions.signature({"types": ["array-number"]})
    def _func_avg(self, arg: list[int | Decimal]) -> Decimal | None:
        return Decimal(sum(arg)) / len(arg) if arg else None
