"""Where a row comes from: source record, its version, the runs that landed and mapped it, the mapping's version.

A record's key and its position are shown as the key is. The runs are the hub's own business: they obey
`SOURCES_CATEGORY`. Of a past time the rows are made when they are asked for, by the mapping that is named; no run made
them, so `mappedBy` is null.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.errors import QueryError
from hub.graph.plans.build import Build, Cost, Piece, Place, key_of, unique
from hub.graph.plans.guard import SOURCES_CATEGORY
from hub.graph.plans.selection import Constant, Lineage, LineageRun
from hub.graph.plans.shapes import Scope
from hub.graph.plans.sql import Member

LINEAGE_COLUMNS = ("source", "stream", "record_key", "record_id", "observed_at", "run_id")
"""The columns of a row that its lineage begins at."""

Column = Callable[[str], str]
"""A row's column as SQL, by its name."""

_RUNS = {
    "landedBy": '"record" v JOIN "run" l ON l."id" = v."run_id" WHERE v."id" = {record_id}',
    "mappedBy": '"run" l WHERE l."id" = {run_id} AND l."id" > 0',
}


def lineage_piece(build: Build, scope: Scope, lineage: Lineage, place: Place) -> Piece:
    """The lineage of an entity's row."""
    if scope.shape.entity is None:
        raise QueryError("a customer's lineage is that of its facts")
    build.guard.read_type(scope.shape.name)
    build.costs.append(Cost(cost_of(lineage), place.pages))
    return Piece(lineage_member(build, scope, lineage, scope.column, place))


def cost_of(lineage: Lineage) -> int:
    """The fields that it has in the answer."""
    return sum(1 + len(part.parts) if isinstance(part, LineageRun) else 1 for part in lineage.parts)


def lineage_member(build: Build, scope: Scope, lineage: Lineage, column: Column, place: Place) -> Member:
    """The lineage of a row of the scope's shape, whose columns `column` gives."""
    unique(lineage.parts)
    return build.sql.obj([(key_of(part), _part(build, scope, part, column, place)) for part in lineage.parts])


def _part(build: Build, scope: Scope, part: object, column: Column, place: Place) -> Member:
    sql = build.sql
    if isinstance(part, Constant):
        return sql.constant(part.value)
    if isinstance(part, LineageRun):
        return _run(build, part, column, place)
    known: dict[str, Callable[[], Member]] = {
        "source": lambda: sql.text(column("source")),
        "stream": lambda: sql.text(column("stream")),
        "recordKey": lambda: _keyed(build, scope, column("record_key"), place),
        "recordVersion": lambda: sql.text(f"CAST({column('record_id')} AS TEXT)"),
        "position": lambda: _keyed(build, scope, _of_record('v."position"', column), place),
        "observedAt": lambda: sql.text(sql.text_instant(column("observed_at"))),
        "landedAt": lambda: sql.text(_of_record(sql.text_instant('v."landed_at"'), column)),
        "mappingVersion": lambda: sql.text(_mapping_version(column)),
    }
    name = getattr(part, "name", "")
    if name not in known:
        raise QueryError(f"lineage has no part {name!r}; it has {', '.join(known)}")
    return known[name]()


def _keyed(build: Build, scope: Scope, text: str, place: Place) -> Member:
    return build.sql.text(text) if build.guard.allows_key(scope, place.path) else build.sql.null


def _of_record(expression: str, column: Column) -> str:
    return f'(SELECT {expression} FROM "record" v WHERE v."id" = {column("record_id")})'


def _mapping_version(column: Column) -> str:
    """That of the run that wrote the row, or of the one before it that mapped the row's stream."""
    return (
        '(SELECT s."mapping_version" FROM "run" r JOIN "run_stream" s ON s."run_id" = r."id" '
        f'WHERE r."source" = {column("source")} AND s."stream" = {column("stream")} AND r."id" <= {column("run_id")} '
        'AND s."mapping_version" IS NOT NULL ORDER BY r."id" DESC LIMIT 1)'
    )


def _run(build: Build, run: LineageRun, column: Column, place: Place) -> Member:
    sql = build.sql
    if run.name not in _RUNS:
        raise QueryError(f"lineage has no run {run.name!r}; it has {', '.join(_RUNS)}")
    known: dict[str, Callable[[], Member]] = {
        "id": lambda: sql.text('CAST(l."id" AS TEXT)'),
        "kind": lambda: sql.text('l."kind"'),
        "startedAt": lambda: sql.text(sql.text_instant('l."started_at"')),
    }
    shown = build.parts(run.parts, known, "a run")
    if not build.guard.allows(SOURCES_CATEGORY, place.path):
        return sql.null
    tables = _RUNS[run.name].format(record_id=column("record_id"), run_id=column("run_id"))
    return Member(f"(SELECT {shown.sql} FROM {tables})", shown.carried, nullable=True)
