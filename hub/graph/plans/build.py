"""What the parts of one compilation share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from hub.access import EVERYONE, Within
from hub.errors import QueryError
from hub.graph.plans.guard import Guard, Path
from hub.graph.plans.params import Params, page_size
from hub.graph.plans.selection import Constant, Part, Parts, Selection
from hub.graph.plans.shapes import Scope, Shape, shape_of
from hub.graph.plans.spelling import name
from hub.graph.plans.sql import ROW_NUMBER, Member, Sql
from hub.graph.plans.where import Operand
from hub.ontology import EntityType, Ontology

NOW = '"now"'
"""The schema, in a database of the past, of what is so now."""

_ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A member of the JSON, and SQL texts with the ids (commas between) of the customers it tells of."""

    member: Member
    customers: tuple[str, ...] = ()
    height: int = 0
    """How many subqueries for rows stand in each other."""
    lifted: bool = False
    """Whether its subqueries have been lifted already."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the answer the compiler is."""

    path: Path = ()
    pages: tuple[Operand, ...] = ()
    """The page sizes of the lists around it."""
    covered: bool = False
    """Whether the customer of the row here is already among those that the plan reports."""
    party: str | None = None
    """The party, as SQL, whose customer is among them; None where there is none."""

    def at(self, alias: str) -> Place:
        """The place one alias further down."""
        return replace(self, path=(*self.path, alias))

    def within(self, first: Operand) -> Place:
        """The place of a row on a page."""
        return replace(self, pages=(*self.pages, first))


@dataclass(frozen=True, slots=True)
class Cost:
    """Fields that each row of nested pages has."""

    fields: int
    pages: tuple[Operand, ...]


@dataclass(slots=True)
class Build:
    """One compilation."""

    ontology: Ontology
    sql: Sql
    guard: Guard
    max_page: int
    nest: Callable[[Build, Scope, Selection, Place], Piece]
    """Compiles the object that a selection asks for on a row."""
    past: bool = False
    """Whether the rows are those of one customer as of a past time. What decides who may see them is of now."""
    params: Params = field(default_factory=Params)
    costs: list[Cost] = field(default_factory=list)
    shared: dict[str, str] = field(default_factory=dict)
    """Queries that the statement needs twice, by name."""
    _numbers: Iterable[int] = field(default_factory=count)

    def scope(self, shape: Shape, same: Scope | None = None, link: Within = EVERYONE) -> Scope:
        """A row of the shape under a new alias.

        `same` is another row that is known to be the same customer's, `link` where it may be known how one came here.
        """
        alias = f"t{next(iter(self._numbers))}"
        if not shape.table or not shape.has_customer:
            return Scope(shape, alias)
        if self.past and same is None and shape.entity is not None:
            # Rows of the past are one customer's: that one is there tells whose it is.
            link = link & self.guard.belongs(shape.entity)
        needed = self.guard.seen(shape.name) & link
        if same is None:
            return Scope(shape, alias, needed)
        unproven = EVERYONE if same.proven.implies(needed) else needed
        return Scope(shape, alias, same.proven & needed, unproven)

    def now(self, table: str) -> str:
        """The name in SQL of a table as it is now, of which permissions are decided."""
        return f"{NOW}.{name(table)}" if self.past else name(table)

    def refuse_of_past(self, what: str) -> None:
        """See to it that the rows are those of now.

        Raises:
            QueryError: they are those of a past time.
        """
        if self.past:
            raise QueryError(f"{what} cannot be answered as of a past time; ask for it without asOf")

    def shape(self, type_name: str) -> Shape:
        """The shape of a type; QueryError when there is none."""
        return shape_of(self.ontology, type_name)

    def entity(self, type_name: str) -> EntityType:
        """The entity type; QueryError when there is none."""
        entity = self.shape(type_name).entity
        if entity is None:
            raise QueryError(f"{type_name} is no entity type")
        return entity

    def first(self, operand: Operand, label: str) -> str:
        """The parameter that holds a page's size, as SQL."""
        parameter = self.params.add(operand, lambda value: page_size(value, label, self.max_page))
        return self.sql.param(parameter, "bigint")

    def share(self, query: str) -> str:
        """The name under which the whole statement may read the rows of a query that depends on no other row."""
        name_ = f"s{len(self.shared)}"
        self.shared[name_] = query
        return name_

    def sharing(self) -> str:
        """What a statement begins with that reads shared queries."""
        shared = ", ".join(f"{name_} AS MATERIALIZED ({query})" for name_, query in self.shared.items())
        return f"WITH {shared} " if shared else ""

    def parts(self, parts: Parts, known: Mapping[str, Callable[[], Member]], label: str) -> Member:
        """A JSON object of named parts.

        Raises:
            QueryError: a part is not known.
        """
        return self.sql.obj([(key_of(part), self.part(part, known, label)) for part in parts])

    def part(self, part: Part | Constant, known: Mapping[str, Callable[[], Member]], label: str) -> Member:
        """One named part, or a fixed text.

        Raises:
            QueryError: the part is not known.
        """
        if isinstance(part, Constant):
            return self.sql.constant(part.value)
        if part.name not in known:
            raise QueryError(f"{label} has no part {part.name!r}; it has {', '.join(known)}")
        return known[part.name]()


def key_of(field_: Any) -> str:
    """The field's alias, known to be a plain name.

    Raises:
        QueryError: it is none.
    """
    alias = field_.alias
    if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
        raise QueryError("an alias takes letters, digits and underscores, 128 at most")
    return alias


def unique(fields: Iterable[Any]) -> None:
    """See to it that no two fields share an alias.

    Raises:
        QueryError: two do.
    """
    seen: set[str] = set()
    for item in fields:
        if (alias := key_of(item)) in seen:
            raise QueryError(f"the alias {alias!r} is given twice")
        seen.add(alias)


def subquery(build: Build, scope: Scope, built: Piece, tables: str, where: str) -> Piece:
    """What was built on the one row of `scope`, selected from tables that show the row under its alias."""
    member = built.member
    source = lifted(build, scope, tables, where)
    found = f"(SELECT {member.sql} {source})"
    customers = tuple(f"(SELECT {item} {told(build, scope, tables, where)})" for item in built.customers)
    return Piece(Member(found, member.carried, nullable=True), customers, built.height + 1)


def raised(build: Build, scope: Scope, piece: Piece) -> Member:
    """The piece as a member on the row; a subquery is lifted to a column of it."""
    if not build.sql.lifts or not piece.height or piece.lifted:
        return piece.member
    return Member(scope.lift(piece.member.sql), carried=True, nullable=piece.member.nullable)


def raised_text(build: Build, scope: Scope, text: str) -> str:
    """A text on the row that is used more than once, lifted to a column of it."""
    return scope.lift(text) if build.sql.lifts else text


def first_of(build: Build, scope: Scope, found: Sequence[Piece]) -> Piece:
    """The one of several subqueries on the row that finds something; null when there are none."""
    if len(found) < 2:
        return found[0] if found else Piece(build.sql.null)
    members = [raised(build, scope, piece) for piece in found]
    return Piece(
        Member(f"coalesce({', '.join(member.sql for member in members)})", members[0].carried, nullable=True),
        tuple(item for piece in found for item in piece.customers),
        max(piece.height for piece in found),
        lifted=True,
    )


def numbered(rows: str, alias: str) -> str:
    """The ordered rows as a source with their numbers."""
    return f"(SELECT p.*, row_number() OVER () AS {ROW_NUMBER} FROM ({rows}) p) {alias}"


def collected(build: Build, scope: Scope, built: Piece, rows: str) -> Piece:
    """The JSON array of what was built on each of the ordered rows, as a subquery."""
    tables = f"({rows}) {scope.alias}"
    customers = tuple(
        f"(SELECT {build.sql.collect_text(item)} {told(build, scope, tables)})" for item in built.customers
    )
    gathered = build.sql.gather(built.member, lifted(build, scope, tables))
    return Piece(gathered, customers, built.height + 1)


def assembled(build: Build, scope: Scope, fields: Sequence[Any], pieces: Sequence[Piece]) -> Piece:
    """The JSON object of the fields on the row."""
    members = [
        (key_of(item), raised(build, scope, piece)) for item, piece in zip(fields, pieces, strict=True)
    ]
    customers = tuple(item for piece in pieces for item in piece.customers)
    return Piece(build.sql.obj(members), customers, max((piece.height for piece in pieces), default=0))


def lifted(build: Build, scope: Scope, tables: str, where: str | None = None) -> str:
    """The FROM clause of a row, with the subqueries that were lifted out of expressions on it."""
    condition = f" WHERE {where}" if where else ""
    if not scope.lifted:
        return f"FROM {tables}{condition}"
    columns = "".join(f", {sql} AS {name(column)}" for column, sql in scope.lifted.items())
    return f"FROM (SELECT {scope.alias}.*{columns} FROM {tables}{condition}{build.sql.fence}) {scope.alias}"


def told(build: Build, scope: Scope, tables: str, where: str | None = None) -> str:
    """The FROM clause of a row for the customers that it tells of."""
    # On SQLite they read nothing that was lifted, and with it would nest too deep.
    plain = Scope(scope.shape, scope.alias) if build.sql.lifts else scope
    return lifted(build, plain, tables, where)


def listed(customers: Sequence[str]) -> str:
    """Several lists of ids as one; holes are left as they are."""
    return " || ',' || ".join(f"coalesce({item}, '')" for item in customers) or "''"


def by_type(
    build: Build, selections: tuple[Selection, ...], types: Iterable[EntityType]
) -> dict[str, Selection]:
    """For each type its selection, an empty one where none is given.

    Raises:
        QueryError: a selection is for another type.
    """
    given = {selection.type: selection for selection in selections}
    wanted = [type_.name for type_ in types]
    for type_name in given:
        build.shape(type_name)
        if type_name not in wanted:
            raise QueryError(f"{type_name} cannot occur here; expected {', '.join(wanted)}")
    return {type_name: given.get(type_name, Selection(type_name, ())) for type_name in wanted}


def owner_of(scope: Scope) -> str | None:
    """The id of the customer that the row is or belongs to, as SQL; None for types without one."""
    entity = scope.shape.entity
    if entity is None:
        return scope.column("id")
    if not entity.has_customer:
        return None
    return f'(SELECT m."customer_id" FROM "membership" m WHERE m."party_id" = {party_of(scope)})'


def party_of(scope: Scope) -> str | None:
    """The party that the row is or belongs to, as SQL; None for customers, and types without one."""
    entity = scope.shape.entity
    if entity is None or not entity.has_customer:
        return None
    return scope.column("id" if entity.is_party else "party_id")


def inner_party(scope: Scope, place: Place) -> str | None:
    """What `Place.party` is for a row that this one's references lead to."""
    return party_of(scope) if place.covered else None
