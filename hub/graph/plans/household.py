"""The household of a customer: housemates whom the requester may see, and what it is concluded from.

Whoever may not see a housemate learns nothing of them: they are neither listed nor counted, and a household that nobody
else is seen of is null, as if the customer lived alone. A housemate is seen who exists for the requester, and whose
household and address are shown to the requester.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hub.access import EVERYONE
from hub.errors import QueryError
from hub.graph.plans.build import Build, Cost, Piece, Place, assembled, collected, unique
from hub.graph.plans.guard import HOUSEHOLD_CATEGORIES
from hub.graph.plans.marks import marked
from hub.graph.plans.reach import table
from hub.graph.plans.selection import Constant, Household, Members, Part, Ties
from hub.graph.plans.shapes import Scope
from hub.graph.plans.sql import Member
from hub.ontology import CUSTOMER

EVIDENCE_CATEGORIES = {
    "address": ("user.contact.address",),
    "family_name": ("user.name.last",),
    "contact": ("user.contact.phone_number", "user.contact.email"),
    "account": ("user.unique_id",),
}
"""The categories that must be allowed to see whether a kind of evidence is there."""
_PARTS = {
    "sameAddress": "address",
    "sameFamilyName": "family_name",
    "sharedContact": "contact",
    "sharedAccount": "account",
}
_TIE = "k"


def household_piece(build: Build, scope: Scope, household: Household, place: Place) -> Piece:
    """The customer's household, or null."""
    if scope.shape.entity is not None:
        raise QueryError("only a customer has a household")
    build.refuse_of_past("a household, which other customers belong to,")
    unique(household.fields)
    allowed = [build.guard.allows(each, place.path, scope.proven) for each in HOUSEHOLD_CATEGORIES]
    if not all(allowed):
        return Piece(build.sql.null)
    pieces = [_field(build, scope, item, place.at(item.alias)) for item in household.fields]
    built = assembled(build, scope, household.fields, pieces)
    other = _housemate(build)
    seen = f"SELECT 1 FROM {_same(build, scope, other)} AND {other.column('id')} <> {scope.column('id')}"
    shown = f"CASE WHEN EXISTS ({seen}) THEN {built.member.sql} END"
    return replace(built, member=Member(shown, built.member.carried, nullable=True), lifted=True)


def _field(build: Build, scope: Scope, item: Part | Constant | Members | Ties, place: Place) -> Piece:
    if isinstance(item, Constant):
        return Piece(build.sql.constant(item.value))
    if isinstance(item, Members):
        return _members(build, scope, item, place)
    if isinstance(item, Ties):
        return _ties(build, scope, item, place)
    if item.name == "size":
        return Piece(build.sql.integer(f"(SELECT count(*) FROM {_same(build, scope, _housemate(build))})"))
    if item.name != "id":
        raise QueryError(
            f"a household has no part {item.name!r}; it has id, size, its members and their ties"
        )
    return Piece(build.sql.text(scope.column("household_id")))


def _housemate(build: Build) -> Scope:
    """A row of a customer whose household may be known."""
    link = EVERYONE
    for category in HOUSEHOLD_CATEGORIES:
        link = link & build.guard.whole_where(category)
    return build.scope(build.shape(CUSTOMER), None, link)


def _same(build: Build, scope: Scope, other: Scope) -> str:
    """The customers of the same household, after FROM."""
    household = scope.column("household_id")
    return f"{table(build, other)} WHERE {other.column('household_id')} = {household}"


def _members(build: Build, scope: Scope, members: Members, place: Place) -> Piece:
    if members.selection.type != CUSTOMER:
        raise QueryError("the members of a household are of type Customer")
    target = _housemate(build)
    piece = build.nest(
        build, target, members.selection, Place(place.path, place.pages, False).within(members.first)
    )
    order, limit = build.sql.binary(target.column("id")), build.first(members.first, ".".join(place.path))
    return collected(
        build, target, piece, f"SELECT * FROM {_same(build, scope, target)} ORDER BY {order} LIMIT {limit}"
    )


def _ties(build: Build, scope: Scope, ties: Ties, place: Place) -> Piece:
    unique(ties.parts)
    build.costs.append(Cost(len(ties.parts), (*place.pages, ties.first)))
    limit = build.first(ties.first, ".".join(place.path))
    other = _housemate(build)
    id_, own = other.column("id"), scope.column("id")
    since = "CASE WHEN a.stated_at > b.stated_at THEN a.stated_at ELSE b.stated_at END"
    kinds = ", ".join(f'h."{kind}"' for kind in _PARTS.values())
    rows = (
        f'SELECT h."other_id", {since} AS since, {kinds} FROM "housemate" h'
        f' JOIN {table(build, other)} ON {id_} = h."other_id"'
        f' JOIN "home" a ON a."customer_id" = h."customer_id" JOIN "home" b ON b."customer_id" = h."other_id"'
        f' WHERE h."customer_id" = {own} ORDER BY {build.sql.binary(id_)} LIMIT {limit}'
    )
    member = build.parts(ties.parts, _known(build, scope, place), "a tie")
    return collected(
        build, Scope(scope.shape, _TIE), Piece(marked(build.sql, member, f"{_TIE}.other_id")), rows
    )


def _known(build: Build, scope: Scope, place: Place) -> dict[str, Callable[[], Member]]:
    sql = build.sql

    def said(kind: str) -> Callable[[], Member]:
        def member() -> Member:
            known = scope.proven
            allowed = [build.guard.allows(each, place.path, known) for each in EVIDENCE_CATEGORIES[kind]]
            whole = all(build.guard.whole_where(each) == EVERYONE for each in EVIDENCE_CATEGORIES[kind])
            return sql.boolean(f"{_TIE}.{kind}") if all(allowed) and whole else sql.null

        return member

    return {
        **{part: said(kind) for part, kind in _PARTS.items()},
        "memberId": lambda: sql.text(f"{_TIE}.other_id"),
        "since": lambda: sql.text(sql.text_instant(f"{_TIE}.since")),
    }
