"""An object of the answer: each field of a selection compiled on a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hub.errors import LimitError
from hub.graph.plans.build import (
    Build,
    Cost,
    Piece,
    Place,
    assembled,
    owner_of,
    party_of,
    raised_text,
    unique,
)
from hub.graph.plans.facts import facts_piece
from hub.graph.plans.hierarchy import hierarchy_piece
from hub.graph.plans.household import household_piece
from hub.graph.plans.lineage import lineage_piece
from hub.graph.plans.links import one_piece, owner_piece
from hub.graph.plans.marks import marked
from hub.graph.plans.pages import many_piece
from hub.graph.plans.people import freshness_piece, identifiers_piece, parties_piece
from hub.graph.plans.selection import (
    Constant,
    Facts,
    Freshness,
    Hierarchy,
    Household,
    Id,
    Identifiers,
    Lineage,
    Many,
    One,
    Origin,
    Owner,
    Parties,
    Selection,
    Timeline,
    Value,
)
from hub.graph.plans.shapes import Scope
from hub.graph.plans.timeline import timeline_piece
from hub.graph.plans.values import id_piece, origin_piece, value_piece

MAX_HEIGHT = 5
"""Links in succession, lists included. SQLite's parser holds 100 symbols before version 3.46, and each takes some."""

_COMPILERS: dict[type, Callable[[Build, Scope, Any, Place], Piece]] = {
    Constant: lambda build, _scope, field, _place: Piece(build.sql.constant(field.value)),
    Facts: facts_piece,
    Freshness: freshness_piece,
    Hierarchy: hierarchy_piece,
    Household: household_piece,
    Id: id_piece,
    Identifiers: identifiers_piece,
    Lineage: lineage_piece,
    Many: many_piece,
    One: one_piece,
    Origin: origin_piece,
    Owner: owner_piece,
    Parties: parties_piece,
    Timeline: timeline_piece,
    Value: value_piece,
}


def object_piece(build: Build, scope: Scope, selection: Selection, place: Place) -> Piece:
    """The object with all fields of the selection; its row's customer is reported unless it is already.

    Raises:
        QueryError: the selection does not fit the ontology.
        AccessDeniedError: it filters or sorts by what the caller may not see whole.
    """
    unique(selection.fields)
    build.costs.append(Cost(len(selection.fields), place.pages))
    owner = None if place.covered else owner_of(scope)
    inside = Place(place.path, place.pages, place.covered or owner is not None)
    pieces = [
        _COMPILERS[type(field)](build, scope, field, inside.at(field.alias)) for field in selection.fields
    ]
    built = assembled(build, scope, selection.fields, pieces)
    if built.height > MAX_HEIGHT:
        raise LimitError(f"a question may lead from row to row {MAX_HEIGHT} times in succession, not more")
    if owner is None:
        return built
    if not place.path and not place.pages:
        return replace(built, customers=(owner, *built.customers))
    # Marked in the JSON itself: a column of their own would read the page a second time.
    if scope.shape.entity is not None:
        owner = raised_text(build, scope, _unless_known(build, scope, owner, place))
    return replace(built, member=marked(build.sql, built.member, owner))


def _unless_known(build: Build, scope: Scope, owner: str, place: Place) -> str:
    """The customer, null where the row belongs to the same party as the one that led to it, whose customer is known."""
    party = party_of(scope)
    if place.party is None or party is None:
        return owner
    return f"CASE WHEN NOT ({build.sql.same(party, place.party)}) THEN {owner} END"
