"""A customer's timeline: events of every visible type in one list, newest first, each with its phase.

The phase is the type's own, or (`by_first_order`) `pre_purchase` before the customer's first order and
`post_purchase` from it on. Times of day and plain dates sort together, as their texts do: `2026-01-05` comes before any
time on that day. What is denied or masked takes part in no order: an event type whose time is not shown whole is left
out, and so is a phase that would tell of an order time not shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.errors import AccessDeniedError, QueryError
from hub.graph.plans.build import (
    Build,
    Cost,
    Piece,
    Place,
    assembled,
    by_type,
    raised_text,
    subquery,
    unique,
)
from hub.graph.plans.cursors import After, Key, after, cursor, mark
from hub.graph.plans.pages import Listing, connection_piece
from hub.graph.plans.params import list_value, packed, text_value
from hub.graph.plans.reach import table
from hub.graph.plans.selection import (
    Aggregate,
    Constant,
    Entry,
    EntryEntity,
    Groups,
    Part,
    Selection,
    Timeline,
)
from hub.graph.plans.shapes import Scope, Shape
from hub.graph.plans.spelling import literal
from hub.graph.plans.sql import Member
from hub.graph.plans.values import text_of
from hub.graph.plans.ways import of_customer
from hub.ontology import EntityType, Property, PropertyType

PHASES = ("pre_purchase", "purchase", "post_purchase")
ORDER = "Order"
"""The event type whose first event parts `by_first_order`."""


@dataclass(frozen=True, slots=True)
class _Arm:
    """One event type's share of the timeline."""

    type: EntityType
    select: str


def timeline_piece(build: Build, scope: Scope, timeline: Timeline, place: Place) -> Piece:
    """The connection to the customer's events.

    Raises:
        AccessDeniedError: it filters by a phase that follows from an order time not shown whole.
    """
    if scope.shape.entity is not None:
        raise QueryError("only a customer has a timeline")
    titled = any("title" in _part_names(item) for item in timeline.fields)
    arms = [_arm(build, scope, type_, titled, place) for type_ in _types(build, scope, timeline, place)]
    if not arms:
        return Piece(build.sql.null)
    entry = Scope(Shape("Entry", "", {}, None), f"e{scope.alias}")
    union = f"({' UNION ALL '.join(arm.select for arm in arms)}) u"
    phase = _phase_filter(build, scope, timeline, arms)
    sort = _sort(build)
    list_mark = mark(None, "timeline")
    behind = after(build, timeline.after, list_mark, sort)

    def select(limit: str) -> str:
        return f"SELECT * FROM {union}{_where(phase, behind)} ORDER BY {', '.join(k.by for k in sort)} LIMIT {limit}"

    cursor_members = [build.sql.text(entry.column(column)) for column in ("key", "type", "id")]
    listing = Listing(
        entry,
        select,
        lambda: f"SELECT count(*) FROM {union}{_where(phase, After(None, None))}",
        lambda _at: (),
        lambda: raised_text(build, entry, cursor(build, list_mark, cursor_members)),
        _no_figures,
        lambda selection, at: _entry(build, scope, entry, selection, arms, at),
        behind.given,
    )
    inside = Place(place.path, place.pages, True)
    return connection_piece(build, listing, timeline.fields, timeline.first, inside)


def _no_figures(_item: Aggregate | Groups, _place: Place) -> Piece:
    raise QueryError("a timeline has no aggregates; ask the connections of its types")


def _part_names(item: Any) -> set[str]:
    """The names of the entry's parts that a field of the connection asks for."""
    selections = [item.selection] if hasattr(item, "selection") else []
    selections += [field.selection for field in getattr(item, "fields", ()) if hasattr(field, "selection")]
    return {
        part.name
        for entry in selections
        if isinstance(entry, Entry)
        for part in entry.fields
        if isinstance(part, Part)
    }


def _types(build: Build, customer: Scope, timeline: Timeline, place: Place) -> list[EntityType]:
    wanted = timeline.types
    events = {type_.name: type_ for type_ in build.ontology.events}
    for type_name in wanted or ():
        if type_name not in events:
            raise QueryError(f"{type_name} is no event of customers; expected {', '.join(events)}")
    chosen = [type_ for type_ in events.values() if wanted is None or type_.name in wanted]
    return [type_ for type_ in chosen if _visible(build, customer, type_, place)]


def _visible(build: Build, customer: Scope, type_: EntityType, place: Place) -> bool:
    guard, at = build.guard, place.at(type_.name).path
    time = _time(type_)
    if not guard.may_see(type_.name, at) or not guard.may_belong(type_, at, customer.proven):
        return False
    if not guard.whole(time, _row(build, customer, type_).proven):
        guard.note(time, at)
        return False
    guard.record(build.shape(type_.name), time)
    return True


def _row(build: Build, customer: Scope, type_: EntityType) -> Scope:
    """An event of the customer."""
    return build.scope(build.shape(type_.name), customer, build.guard.belongs(type_))


def _time(type_: EntityType) -> Property:
    return type_.properties[type_.time or ""]


def _sort(build: Build) -> tuple[Key, ...]:
    def text(value: Any) -> str:
        return text_value(value, "after")

    order = {column: build.sql.binary(f'u."{column}"') for column in ("key", "type", "id")}
    return (
        Key(order["key"], True, "text", text, required=True),
        Key(order["type"], False, "text", text, required=True),
        Key(order["id"], False, "text", text, required=True),
    )


def _where(phase: str | None, behind: After) -> str:
    conditions = [f"({item})" for item in (phase, behind.condition) if item]
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


# one type's events


def _arm(build: Build, customer: Scope, type_: EntityType, titled: bool, place: Place) -> _Arm:
    row = _row(build, customer, type_)
    column = row.column(_time(type_).column)
    is_instant = _time(type_).type is PropertyType.INSTANT
    columns = {
        "id": row.column("id"),
        "type": literal(type_.name),
        "key": build.sql.sortable_instant(column) if is_instant else column,
        "at": build.sql.instant(column) if is_instant else column,
        "phase": _phase(build, customer, row, type_, place),
        "title": _title(build, row, type_, place) if titled else "NULL",
        "source": row.column("source"),
    }
    listed_ = ", ".join(f'CAST({value} AS TEXT) AS "{alias}"' for alias, value in columns.items())
    tables, own = of_customer(build, customer, table(build, row), row.column("party_id"))
    return _Arm(type_, f"SELECT {listed_} FROM {tables} WHERE {own} AND {column} IS NOT NULL")


def _title(build: Build, row: Scope, type_: EntityType, place: Place) -> str:
    prop = type_.properties.get(type_.title or "")
    if prop is None or prop.type is PropertyType.REFERENCE:
        return "NULL"
    shown = build.guard.shown(row, prop, place.at(type_.name).at("title").path)
    return text_of(build, row, prop, shown) if shown is not False else "NULL"


def _phase(build: Build, customer: Scope, row: Scope, type_: EntityType, place: Place) -> str:
    if type_.phase != "by_first_order":
        return literal(type_.phase or "")
    order = build.ontology.types.get(ORDER)
    if order is None or order.time is None:
        return literal("pre_purchase")
    if not _knows_orders(build, customer, order):
        build.guard.note(_time(order), place.at(type_.name).at("phase").path)
        return "NULL"
    build.guard.record(build.shape(ORDER), _time(order))
    first = _first_order(build, customer, order)
    key = _key(build, row, _time(type_))
    before = f"coalesce({build.sql.binary(key)} < {first}, 1 = 1)"
    return f"CASE WHEN {before} THEN 'pre_purchase' ELSE 'post_purchase' END"


def _key(build: Build, row: Scope, time: Property) -> str:
    column = row.column(time.column)
    return build.sql.sortable_instant(column) if time.type is PropertyType.INSTANT else column


def _knows_orders(build: Build, customer: Scope, order: EntityType) -> bool:
    """Whether the times of all orders of the customer are known, wherever the customer is."""
    row, known = _row(build, customer, order), customer.proven
    return known.implies(row.proven) and build.guard.whole(_time(order), known)


def _first_order(build: Build, customer: Scope, order: EntityType) -> str:
    row = _row(build, customer, order)
    tables, own = of_customer(build, customer, table(build, row), row.column("party_id"))
    return f"(SELECT min({build.sql.binary(_key(build, row, _time(order)))}) FROM {tables} WHERE {own})"


def _phase_filter(build: Build, customer: Scope, timeline: Timeline, arms: list[_Arm]) -> str | None:
    if timeline.phases is None:
        return None
    order = build.ontology.types.get(ORDER)
    floating = any(arm.type.phase == "by_first_order" for arm in arms)
    if floating and order is not None and not _knows_orders(build, customer, order):
        time = _time(order)
        raise AccessDeniedError(
            f"{ORDER}.{time.name} ({time.category}) is not shown, so phases cannot be filtered by"
        )
    names = build.params.add_all(timeline.phases, lambda value: _phases(build, value), 2)
    listed_phase = build.sql.in_list('u."phase"', names[1], "text")
    return f"{build.sql.param(names[0], 'bigint')} = 0 OR {listed_phase}"


def _phases(build: Build, value: Any) -> tuple[Any, ...]:
    if value is None:
        return (0, packed([], build.sql.dialect))
    phases = list_value(value, "phases")
    if any(phase not in PHASES for phase in phases):
        raise QueryError(f"phases takes a list of {', '.join(PHASES)}")
    return (1, packed(phases, build.sql.dialect))


# an entry


def _entry(
    build: Build,
    customer: Scope,
    entry: Scope,
    selection: Selection | Entry,
    arms: list[_Arm],
    place: Place,
) -> Piece:
    if not isinstance(selection, Entry):
        raise QueryError("a timeline has entries")
    unique(selection.fields)
    build.costs.append(Cost(len(selection.fields), place.pages))
    pieces = [_entry_field(build, customer, entry, item, arms, place) for item in selection.fields]
    return assembled(build, entry, selection.fields, pieces)


def _entry_field(
    build: Build,
    customer: Scope,
    entry: Scope,
    item: Part | Constant | EntryEntity,
    arms: list[_Arm],
    place: Place,
) -> Piece:
    if isinstance(item, Constant):
        return Piece(build.sql.constant(item.value))
    if isinstance(item, EntryEntity):
        return _entity(build, customer, entry, item, arms, place.at(item.alias))
    known: dict[str, Callable[[], Member]] = {
        name: _text(build, entry, name) for name in ("id", "type", "at", "phase", "title", "source")
    }
    if item.name not in known:
        raise QueryError(f"a timeline entry has no part {item.name!r}; it has {', '.join(known)}")
    return Piece(known[item.name]())


def _text(build: Build, entry: Scope, column: str) -> Callable[[], Member]:
    return lambda: build.sql.text(entry.column(column))


def _entity(
    build: Build, customer: Scope, entry: Scope, item: EntryEntity, arms: list[_Arm], place: Place
) -> Piece:
    selections = by_type(build, item.selections, build.ontology.events)
    found: dict[str, Piece] = {}
    for arm in arms:
        target = _row(build, customer, arm.type)
        piece = build.nest(build, target, selections[arm.type.name], place)
        where = f"{target.column('id')} = {entry.column('id')}"
        found[arm.type.name] = subquery(build, target, piece, table(build, target), where)
    choices = " ".join(
        f"WHEN {literal(type_name)} THEN {piece.member.sql}" for type_name, piece in found.items()
    )
    carried = any(piece.member.carried for piece in found.values())
    return Piece(
        Member(f"CASE {entry.column('type')} {choices} END", carried, nullable=True),
        tuple(item for piece in found.values() for item in piece.customers),
        max(piece.height for piece in found.values()),
    )
