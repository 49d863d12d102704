"""Keyset pages: sort keys, the cursor that names a row by them, and the condition "after this cursor".

A cursor is the hexadecimal of a JSON array: a mark of the list and its order, the row's sort keys as the answer would
show them, its id. It holds nothing that the caller may not see, because only allowed properties can be sorted by; a
forged one is no more than a filter on those properties.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hub.errors import QueryError
from hub.graph.plans.build import Build
from hub.graph.plans.params import kind_of, stored, text_value
from hub.graph.plans.selection import OrderBy
from hub.graph.plans.shapes import Scope, Shape
from hub.graph.plans.sql import Member, ParamKind
from hub.graph.plans.values import scalar_member, sort_key
from hub.graph.plans.where import Operand
from hub.ontology import Property, PropertyType

MAX_KEYS = 8
_MAX_CURSOR = 65_536
"""Characters; a sort key may be a long text."""

ID = OrderBy("id")


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key, as SQL on the row that is sorted, and how a cursor's value becomes a parameter."""

    order: str
    descending: bool
    kind: ParamKind
    convert: Callable[[Any], Any]
    required: bool = False
    """Never null."""

    @property
    def by(self) -> str:
        """The term of ORDER BY."""
        direction = " DESC" if self.descending else ""
        return self.order + direction + ("" if self.required else " NULLS LAST")


def keys(build: Build, scope: Scope, order_by: Sequence[OrderBy]) -> tuple[Key, ...]:
    """The sort keys, the id always the last.

    Raises:
        QueryError: a property cannot be sorted by.
        AccessDeniedError: the caller may not see one whole.
    """
    if len(order_by) > MAX_KEYS:
        raise QueryError(f"a list is sorted by {MAX_KEYS} keys at most")
    return tuple(_key(build, scope, item) for item in complete(order_by))


def complete(order_by: Sequence[OrderBy]) -> tuple[OrderBy, ...]:
    """The order up to the id, which is added where it is missing."""
    named = [item.property for item in order_by]
    return tuple(order_by[: named.index("id") + 1]) if "id" in named else (*order_by, ID)


def _key(build: Build, scope: Scope, item: OrderBy) -> Key:
    if item.property == "id":
        order = build.sql.binary(scope.column("id"))
        return Key(order, item.descending, "text", _cursor_text, required=True)
    prop = scope.shape.property(item.property)
    if prop.many or prop.type is PropertyType.REFERENCE:
        raise QueryError(f"{scope.shape.name}.{prop.name} cannot be sorted by")
    build.guard.require(scope, prop, "sorted by")
    dialect = build.sql.dialect
    return Key(
        sort_key(build.sql, scope, prop),
        item.descending,
        kind_of(prop),
        lambda value: None if value is None else stored(prop, value, dialect),
    )


def _cursor_text(value: Any) -> str:
    return text_value(value, "after")


def cursor_members(build: Build, scope: Scope, order_by: Sequence[OrderBy]) -> list[Member]:
    """The sort keys of a row as members of its cursor."""
    return [_cursor_member(build, scope, item.property) for item in complete(order_by)]


def _cursor_member(build: Build, scope: Scope, name: str) -> Member:
    if name == "id":
        return build.sql.text(scope.column("id"))
    prop: Property = scope.shape.property(name)
    return scalar_member(build.sql, prop, scope.column(prop.column))


def mark(shape: Shape | None, words: str, order_by: Sequence[OrderBy] = ()) -> str:
    """What tells cursors of one list from those of another."""
    order = [(item.property, item.descending) for item in complete(order_by)]
    content = json.dumps([shape.name if shape else None, words, order])
    return hashlib.blake2b(content.encode(), digest_size=4).hexdigest()


def cursor(build: Build, list_mark: str, members: Sequence[Member]) -> str:
    """A row's cursor as SQL text."""
    return build.sql.hexed(build.sql.array([build.sql.constant(list_mark), *members]))


@dataclass(frozen=True, slots=True)
class After:
    """The condition that a row comes after the cursor, and whether a cursor was given; None where none can be."""

    condition: str | None
    given: str | None


def after(build: Build, operand: Operand, list_mark: str, sort: Sequence[Key]) -> After:
    """The condition for an operand that holds a cursor or null.

    Raises:
        QueryError: (now, or when the plan runs) it is no cursor of this list.
    """
    if operand is None:
        return After(None, None)
    names = build.params.add_all(operand, lambda value: _decoded(value, list_mark, sort), len(sort) + 1)
    given = f"{build.sql.param(names[0], 'bigint')} = 1"
    values = [build.sql.param(name, key.kind) for name, key in zip(names[1:], sort, strict=True)]
    if len(sort) == 1 and not sort[0].descending:
        # No cursor is the empty text, before every id: without OR the primary key's index serves.
        return After(f"{sort[0].order} > {values[0]}", given)
    follows = " OR ".join(_follows(build, sort, values))
    return After(f"{build.sql.param(names[0], 'bigint')} = 0 OR {follows}", given)


def _follows(build: Build, sort: Sequence[Key], values: Sequence[str]) -> Iterator[str]:
    """Ways for a row to come after the cursor; flat, because SQLite's parser bounds how deep a condition nests."""
    same: list[str] = []
    for key, value in zip(sort, values, strict=True):
        yield " AND ".join([*same, f"{key.order} {'<' if key.descending else '>'} {value}"])
        if not key.required:
            yield " AND ".join([*same, f"{key.order} IS NULL", f"{value} IS NOT NULL"])
        same.append(build.sql.same(key.order, value))


def _decoded(value: Any, list_mark: str, sort: Sequence[Key]) -> tuple[Any, ...]:
    if value is None:
        return (0, *("" if key.required else None for key in sort))
    wrong = QueryError("`after` is no cursor of this list; use one from its last answer")
    if not isinstance(value, str) or len(value) > _MAX_CURSOR:
        raise wrong
    try:
        parts = json.loads(bytes.fromhex(value).decode())
    except (ValueError, RecursionError):
        raise wrong from None
    if not isinstance(parts, list) or len(parts) != len(sort) + 1 or parts[0] != list_mark:
        raise wrong
    try:
        return (1, *(key.convert(part) for key, part in zip(sort, parts[1:], strict=True)))
    except QueryError:
        raise wrong from None
