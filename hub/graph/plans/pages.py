"""Connections: a page of rows with cursors, page info and count, as one scalar subquery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hub.access import NOBODY
from hub.errors import QueryError
from hub.graph.plans.aggregates import counted_customers, figures_piece
from hub.graph.plans.build import (
    Build,
    Cost,
    Piece,
    Place,
    inner_party,
    key_of,
    lifted,
    numbered,
    owner_of,
    raised_text,
    told,
    unique,
)
from hub.graph.plans.cursors import After, Key, after, cursor, cursor_members, keys, mark
from hub.graph.plans.filters import condition
from hub.graph.plans.selection import (
    Aggregate,
    ConnectionField,
    Constant,
    Cursor,
    Edges,
    Entry,
    Groups,
    Many,
    Node,
    Nodes,
    Page,
    PageInfo,
    Part,
    Selection,
)
from hub.graph.plans.shapes import Scope
from hub.graph.plans.sql import ROW_NUMBER, Member
from hub.graph.plans.ways import Source, keeps_customer_back, rows
from hub.graph.plans.where import Operand, Rows, Var

_PLACE_BASE = 10_000_000
"""Added to a row's place, so that places as text have one length and sort as numbers."""
_PLACE_DIGITS = len(str(_PLACE_BASE))


@dataclass(frozen=True, slots=True)
class Listing:
    """What a connection is made of. `row` is the page's row as the outer query sees it."""

    row: Scope
    select: Callable[[str], str]
    """The SELECT of the page's rows, given how many; to be called when `row.used` is complete."""
    count: Callable[[], str]
    """The SELECT that counts the rows of all pages."""
    whose: Callable[[Place], tuple[str, ...]]
    """Whom the count of them tells of."""
    cursor: Callable[[], str]
    figures: Callable[[Aggregate | Groups, Place], Piece]
    node: Callable[[Selection | Entry, Place], Piece]
    given: str | None
    """Whether there are rows before the page; None where there are none."""


@dataclass(slots=True)
class _Counted:
    first: str
    extra: bool
    """Whether one row more than the page is fetched, to see if there is a next page."""
    once: bool
    """Whether one field alone reads the page, with a subquery of its own."""
    aggregates: bool
    """Whether fields are aggregates of the page's rows."""
    height: int = 0
    customers: list[str] = field(default_factory=list)
    """Of each of the page's rows."""
    told: list[str] = field(default_factory=list)
    """Of all pages."""
    owner: str | None = None
    """Whose a row is that is told of without being shown."""

    @property
    def limit(self) -> str:
        """How many rows are fetched."""
        return f"{self.first} + 1" if self.extra else self.first


def many_piece(build: Build, scope: Scope, many: Many, place: Place) -> Piece:
    """A connection to rows that belong to this one."""
    way = Rows(many.type, many.by)
    source = rows(build, scope, way, lifting=True)
    entity = build.entity(many.type)
    if many.by is not None:
        reference = source.scope.shape.property(many.by)
        known = build.guard.seen(many.type)
        allowed = build.guard.may_follow(source.scope, reference, place.path, known) != NOBODY
    else:
        allowed = build.guard.may_belong(entity, place.path, scope.proven)
    if not allowed or not build.guard.may_see(many.type, place.path):
        return Piece(build.sql.null)
    covered = keeps_customer_back(scope.shape, entity, many.by)
    inside = Place(place.path, place.pages, covered, inner_party(scope, place))
    return page_piece(build, source, many.page, many.fields, inside, f"{scope.shape.name}.{many.by}")


def page_piece(
    build: Build, source: Source, page: Page, fields: tuple[ConnectionField, ...], place: Place, words: str
) -> Piece:
    """A connection to the source's rows."""
    shape = source.scope.shape
    filtered = (condition(build, source.scope, page.where),) if page.where is not None else ()
    sort = keys(build, source.scope, page.order_by)
    list_mark = mark(shape, words, page.order_by)
    behind = after(build, page.after, list_mark, sort)
    build.guard.read_type(shape.name)
    row = build.scope(shape)
    row.proven = source.scope.proven
    listing = Listing(
        row,
        lambda limit: _page_sql(source, row, filtered, sort, behind, limit),
        lambda: source.sql("count(*)", filtered),
        lambda at: counted_customers(build, source, filtered, at),
        lambda: raised_text(build, row, cursor(build, list_mark, cursor_members(build, row, page.order_by))),
        lambda item, at: figures_piece(build, source, filtered, item, at),
        lambda selection, at: _node(build, row, selection, at),
        behind.given,
    )
    return connection_piece(build, listing, fields, page.first, place)


def _node(build: Build, row: Scope, selection: Selection | Entry, place: Place) -> Piece:
    if not isinstance(selection, Selection):
        raise QueryError("only a timeline has entries")
    if selection.type != row.shape.name:
        raise QueryError(f"the rows here are of type {row.shape.name}, not {selection.type}")
    return build.nest(build, row, selection, place)


def _page_sql(
    source: Source, row: Scope, filtered: tuple[str, ...], sort: tuple[Key, ...], behind: After, limit: str
) -> str:
    columns = ", ".join(f'{source.scope.alias}."{column}"' for column in row.used or {"id": None})
    conditions = (*filtered, behind.condition) if behind.condition else filtered
    order = ", ".join(key.by for key in sort)
    return f"{source.sql(columns, conditions)} ORDER BY {order} LIMIT {limit}"


def connection_piece(
    build: Build, listing: Listing, fields: tuple[ConnectionField, ...], first: Operand, place: Place
) -> Piece:
    """The connection as a member."""
    unique(fields)
    paged = [item for item in fields if isinstance(item, Edges | Nodes | PageInfo)]
    extra = any(isinstance(item, PageInfo) for item in paged)
    once = _once(build, paged)
    counted = _Counted(build.first(first, _label(place)), extra, once, bool(paged) and not once)
    silent = None if place.covered else _silent(counted.first, first, fields)
    if silent is not None:
        counted.owner = owner_of(listing.row)
    inner = place.within(first)
    build.costs.append(Cost(len(fields), place.pages))
    members = [(key_of(item), _field(build, listing, item, counted, place, inner)) for item in fields]
    built = build.sql.obj(members)
    if counted.aggregates:
        built = Member(f"(SELECT {built.sql} {_source(build, listing, counted)})", built.carried)
    return Piece(built, (*counted.told, *_customers(build, listing, counted, silent)), counted.height + 1)


def _once(build: Build, paged: Sequence[ConnectionField]) -> bool:
    # Where subqueries are lifted, it would nest too deep.
    return len(paged) == 1 and not isinstance(paged[0], PageInfo) and not build.sql.lifts


def _silent(size: str, first: Operand, fields: tuple[ConnectionField, ...]) -> str | None:
    """How many rows, from the page's first on, are told of without being shown, as SQL; None for none.

    Who is shown is reported with what is shown. But an edge, a cursor and a next page tell that there is such a row.
    """
    goes_on = any(isinstance(item, PageInfo) and _asks_for_more(item) for item in fields)
    if any(isinstance(item, Nodes) or (isinstance(item, Edges) and _shows(item)) for item in fields):
        may_be_empty = isinstance(first, Var) or not first
        return f"CASE WHEN {size} = 0 THEN 1 ELSE 0 END" if goes_on and may_be_empty else None
    if any(isinstance(item, Edges | PageInfo) for item in fields):
        return f"{size} + 1" if goes_on else size
    return None


def _asks_for_more(info: PageInfo) -> bool:
    return any(isinstance(part, Part) and part.name == "hasNextPage" for part in info.parts)


def _shows(edges: Edges) -> bool:
    return any(isinstance(item, Node) for item in edges.fields)


def _source(build: Build, listing: Listing, counted: _Counted) -> str:
    """The FROM clause of the page; to be called when all that is read of its rows is known."""
    alias, rows_ = listing.row.alias, listing.select(counted.limit)
    return lifted(build, listing.row, numbered(rows_, alias) if counted.extra else f"({rows_}) {alias}")


def _array(build: Build, listing: Listing, counted: _Counted, member: Member) -> Member:
    if counted.once:
        return build.sql.gather(member, _source(build, listing, counted))
    return build.sql.collect(member, f"{ROW_NUMBER} <= {counted.first}" if counted.extra else None)


def _customers(build: Build, listing: Listing, counted: _Counted, silent: str | None) -> tuple[str, ...]:
    wanted = [(item, counted.first) for item in counted.customers]
    if counted.owner is not None and silent is not None:
        wanted.append((counted.owner, silent))
    return tuple(
        f"(SELECT {build.sql.collect_text(item)} "
        f"{told(build, listing.row, f'({listing.select(limit)}) {listing.row.alias}')})"
        for item, limit in wanted
    )


def _field(
    build: Build, listing: Listing, item: ConnectionField, counted: _Counted, outer: Place, inner: Place
) -> Member:
    if isinstance(item, Constant):
        return build.sql.constant(item.value)
    if isinstance(item, Aggregate | Groups):
        piece = listing.figures(item, outer.at(item.alias))
        counted.height = max(counted.height, piece.height)
        counted.told += piece.customers
        return piece.member
    place = inner.at(item.alias)
    if isinstance(item, Nodes):
        return _array(build, listing, counted, _counted_node(listing, item.selection, counted, place))
    if isinstance(item, Edges):
        return _array(build, listing, counted, _edge(build, listing, item, counted, place))
    if isinstance(item, PageInfo):
        return _page_info(build, listing, item, counted)
    counted.told += listing.whose(outer.at(item.alias))
    return build.sql.integer(_total(listing, counted))


def _total(listing: Listing, counted: _Counted) -> str:
    total = f"({listing.count()})"
    if not counted.aggregates or listing.given is not None:
        return total
    # A first page that is not full holds all rows there are.
    return f"CASE WHEN count(*) < {counted.limit} THEN count(*) ELSE {total} END"


def _counted_node(listing: Listing, selection: Selection | Entry, counted: _Counted, place: Place) -> Member:
    piece = listing.node(selection, place)
    counted.height = max(counted.height, piece.height)
    counted.customers += [item for item in piece.customers if item not in counted.customers]
    return piece.member


def _edge(build: Build, listing: Listing, edges: Edges, counted: _Counted, place: Place) -> Member:
    unique(edges.fields)
    members = []
    for item in edges.fields:
        if isinstance(item, Constant):
            member = build.sql.constant(item.value)
        elif isinstance(item, Cursor):
            member = build.sql.text(listing.cursor())
        else:
            member = _counted_node(listing, _of(item), counted, place.at(item.alias))
        members.append((key_of(item), member))
    return build.sql.obj(members)


def _of(node: Node) -> Selection | Entry:
    return node.selection


def _page_info(build: Build, listing: Listing, info: PageInfo, counted: _Counted) -> Member:
    unique(info.parts)
    sql = build.sql
    known = {
        "hasNextPage": lambda: sql.truth(f"count(*) > {counted.first}"),
        "hasPreviousPage": lambda: sql.truth(listing.given or "1 = 0"),
        "startCursor": lambda: _end(build, listing, counted, "min"),
        "endCursor": lambda: _end(build, listing, counted, "max"),
    }
    return build.parts(info.parts, known, "pageInfo")


def _end(build: Build, listing: Listing, counted: _Counted, function: str) -> Member:
    placed = f"CAST({ROW_NUMBER} + {_PLACE_BASE} AS TEXT) || {listing.cursor()}"
    found = f"{function}(CASE WHEN {ROW_NUMBER} <= {counted.first} THEN {placed} END)"
    return build.sql.text(f"substr({found}, {_PLACE_DIGITS + 1})")


def _label(place: Place) -> str:
    return ".".join(place.path) or "the list"
