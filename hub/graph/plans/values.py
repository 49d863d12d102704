"""A property's value as a member of the JSON, as text, and as a key to sort by."""

from __future__ import annotations

import re
from collections.abc import Callable

from hub.errors import QueryError
from hub.graph.plans.build import Build, Piece, Place, raised_text
from hub.graph.plans.guard import Partly, Shown
from hub.graph.plans.reach import inside
from hub.graph.plans.selection import Id, Origin, Part, Parts, Value
from hub.graph.plans.shapes import Scope
from hub.graph.plans.sql import Member, Sql
from hub.ontology import Property, PropertyType
from hub.store import scale_of

MONEY_DIGITS = 2
"""Digits after the point that an amount shows at least; a decimal shows those it needs."""

MONEY_PARTS: Parts = (Part("amount", "amount"), Part("currency", "currency"))
_PLAIN = re.compile(r"[A-Za-z0-9_ .-]*")
_WRITTEN_PLAIN = (PropertyType.DECIMAL, PropertyType.MONEY, PropertyType.INSTANT)
_ENTITY_FACTS = ("source", "stream", "recordKey", "recordId", "observedAt")
_CUSTOMER_FACTS = ("kind", "createdAt", "updatedAt")


def value_piece(build: Build, scope: Scope, field: Value, place: Place) -> Piece:
    """The property's value, its mask, or null."""
    prop = scope.shape.property(field.property)
    if prop.type is PropertyType.REFERENCE:
        raise QueryError(f"{scope.shape.name}.{prop.name} is a reference; ask for where it leads")
    if field.parts is not None and prop.type not in (PropertyType.MONEY, PropertyType.INSTANT):
        raise QueryError(f"{scope.shape.name}.{prop.name} has no parts")
    shown = build.guard.shown(scope, prop, place.path)
    if shown is False:
        return Piece(build.sql.null)
    return Piece(member(build, scope, prop, shown, field.parts, lambda text: raised_text(build, scope, text)))


def id_piece(build: Build, scope: Scope, _field: Id, _place: Place) -> Piece:
    """The row's id."""
    build.guard.read_type(scope.shape.name)
    return Piece(build.sql.text(scope.column("id")))


def origin_piece(build: Build, scope: Scope, field: Origin, place: Place) -> Piece:
    """A fact about the row itself."""
    known = _ENTITY_FACTS if scope.shape.entity else _CUSTOMER_FACTS
    if field.name not in known:
        raise QueryError(f"{scope.shape.name} has no {field.name!r} of its row; it has {', '.join(known)}")
    if field.name == "updatedAt":
        build.refuse_of_past("when the golden record last changed")
    build.guard.read_type(scope.shape.name)
    return Piece(origin_member(build, scope, field.name, place))


def origin_member(build: Build, scope: Scope, fact: str, place: Place) -> Member:
    """A system column as member; the record key only where it may be seen."""
    sql = build.sql
    if fact == "recordKey":
        shown = build.guard.allows_key(scope, place.path)
        return sql.text(scope.column("record_key")) if shown else sql.null
    if fact == "recordId":
        return sql.text(f"CAST({scope.column('record_id')} AS TEXT)")
    if fact in ("observedAt", "createdAt", "updatedAt"):
        return sql.text(sql.text_instant(scope.column(f"{fact[:-2]}_at")))
    return sql.text(scope.column(fact))


def member(
    build: Build,
    scope: Scope,
    prop: Property,
    shown: Shown,
    parts: Parts | None = None,
    lift: Callable[[str], str] = str,
) -> Member:
    """The shown value as member; long expressions go through `lift`."""
    sql, column = build.sql, scope.column(prop.column)
    value = _masked(build, scope, prop, shown)
    there = value if isinstance(shown, Partly) else column
    if prop.many:
        return Member(sql.many(prop, value), nullable=True)
    if prop.type is PropertyType.MONEY:
        amount = sql.plain(lift(sql.decimal(value, scale_of(prop), MONEY_DIGITS)))
        currency = scope.column(prop.columns[1])
        built = build.parts(
            MONEY_PARTS if parts is None else parts,
            {"amount": lambda: amount, "currency": lambda: sql.text(currency)},
            prop.name,
        )
        return Member(f"CASE WHEN {there} IS NOT NULL THEN {built.sql} END", nullable=True)
    if parts is not None:
        zone = scope.column(prop.columns[1])
        at = sql.plain(sql.instant(value))
        built = build.parts(parts, {"at": lambda: at, "zone": lambda: sql.text(zone)}, prop.name)
        return Member(f"CASE WHEN {there} IS NOT NULL THEN {built.sql} END", nullable=True)
    if prop.type is PropertyType.DECIMAL:
        return sql.plain(lift(plain_text(sql, prop, value)))
    return scalar_member(sql, prop, value if value == column else lift(value))


def scalar_member(sql: Sql, prop: Property, value: str) -> Member:
    """A single value as member: amounts and decimals as exact text, instants as ISO text."""
    if prop.type is PropertyType.INTEGER:
        return sql.integer(value)
    if prop.type is PropertyType.BOOLEAN:
        return sql.boolean(value)
    if prop.type is PropertyType.ENUM:
        known = known_value(sql, prop, value)
        return sql.plain(known) if all(map(_PLAIN.fullmatch, prop.values)) else sql.text(known)
    as_text = plain_text(sql, prop, value)
    return sql.plain(as_text) if prop.type in _WRITTEN_PLAIN else sql.text(as_text)


def known_value(sql: Sql, prop: Property, value: str) -> str:
    """An enum's value, null for one that rows hold from before the ontology of today: GraphQL has no such."""
    return sql.one_of(value, prop.values)


def text_of(build: Build, scope: Scope, prop: Property, shown: Shown) -> str:
    """The shown value as SQL text for people to read, null when there is none: `12.50 GBP`, `true`, `["a","b"]`."""
    sql = build.sql
    value = _masked(build, scope, prop, shown)
    if prop.many:
        return f"({sql.many(prop, value)}) || ''"
    if prop.type is PropertyType.MONEY:
        return f"({plain_text(sql, prop, value)}) || coalesce(' ' || {scope.column(prop.columns[1])}, '')"
    if prop.type is PropertyType.BOOLEAN:
        return f"CASE WHEN {value} IS NOT NULL THEN CASE WHEN {value} <> {sql.false} THEN 'true' ELSE 'false' END END"
    return f"CAST({plain_text(sql, prop, value)} AS TEXT)"


def sort_key(sql: Sql, scope: Scope, prop: Property) -> str:
    """The main column, in the order both databases agree on."""
    return ordered(sql, prop, scope.column(prop.column))


def ordered(sql: Sql, prop: Property, value: str) -> str:
    """A value of the property, in the order both databases agree on."""
    numeric = (
        PropertyType.INTEGER,
        PropertyType.DECIMAL,
        PropertyType.MONEY,
        PropertyType.BOOLEAN,
        PropertyType.INSTANT,
    )
    return value if prop.type in numeric else sql.binary(value)


def plain_text(sql: Sql, prop: Property, value: str) -> str:
    """A single value as exact SQL text, null when there is none."""
    if prop.type is PropertyType.MONEY:
        return sql.decimal(value, scale_of(prop), MONEY_DIGITS)
    if prop.type is PropertyType.DECIMAL:
        return sql.decimal(value, scale_of(prop), 0)
    return sql.instant(value) if prop.type is PropertyType.INSTANT else value


def _masked(build: Build, scope: Scope, prop: Property, shown: Shown) -> str:
    column = scope.column(prop.column)
    if isinstance(shown, bool):
        return column
    if isinstance(shown, Partly):
        ways = (
            f"WHEN {inside(build, scope, where)} THEN {_masked(build, scope, prop, how)}"
            for where, how in shown.ways
        )
        return f"(CASE {' '.join(ways)} END)"
    return f"({shown.sql(column, build.sql.dialect, type_=prop.type, scale=scale_of(prop))})"
