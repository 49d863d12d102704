"""The partition of all parties at once, a few neighbourhoods at a time: `Neighbourhoods` gathers one after the other.

Splink finds the connected components on DuckDB; each is parted as when one of its parties arrives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from hub.graph.anchors import Anchors
from hub.graph.resolution.decisions import Decisions
from hub.graph.resolution.grouping import Grouping
from hub.graph.resolution.identity import CustomerIds
from hub.graph.resolution.judge import Judge
from hub.graph.resolution.matchables import Matchable
from hub.graph.resolution.neighbourhood import Component
from hub.store import Store

if TYPE_CHECKING:
    import duckdb

FindParties = Callable[[Collection[str]], Iterable[Matchable]]
"""Gives those of these parties that are compared, as they are compared."""

COMPONENTS = 1_000
"""Components that are Python objects at a time."""


class Wholes:
    """All customers that edges, decisions and anchors make, in the tables of a workspace."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, connection: Connection, store: Store) -> None:
        self._duck = duck
        self._connection = connection
        self._ids = CustomerIds(store)
        self._decisions = Decisions(store)
        self._anchors = Anchors(store)
        duck.execute(_TABLES)

    def add(self, parties: Sequence[str]) -> None:
        """Take parties, with their customers as they are and what stewards and staff said of them."""
        members = self._ids.memberships(self._connection, "party_id", parties)
        self.insert("member", list(members.items()))
        decisions = self._decisions.of(self._connection, parties)
        self.insert("decided", [(each.id, each.verdict, each.left, each.right) for each in decisions])
        anchors = self._anchors.of(self._connection, parties)
        self.insert(
            "anchored",
            [(party, place, each) for party, named in anchors.items() for place, each in enumerate(named)],
        )

    def add_edges(self, edges: Iterable[Sequence[tuple[str, str, float]]]) -> None:
        """Take pages of the pairs that are enough by themselves: two parties and bits."""
        for page in edges:
            self.insert("joining", page)

    def components(self) -> Iterator[list[Component]]:
        """Pages of all that more than one party is in."""
        from splink import DuckDBAPI
        from splink.clustering import cluster_pairwise_predictions_at_threshold

        self._duck.execute(_JOINED)
        if not self._duck.execute("SELECT 1 FROM joined LIMIT 1").fetchall():
            return
        api = DuckDBAPI(connection=self._duck)
        found = cluster_pairwise_predictions_at_threshold(
            api.register("node"),
            api.register("joined"),
            api,
            node_id_column_name="party",
            edge_id_column_name_left="l",
            edge_id_column_name_right="r",
        )
        rows = self._duck.cursor().execute(_COMPONENTS.format(found=found.physical_name))
        while page := rows.fetchmany(COMPONENTS):
            yield self._with_words(
                [
                    Component(set(parties), {(e["l"], e["r"]): e["weight"] for e in edges or ()})
                    for parties, edges in page
                ]
            )

    def groups(self, judge: Callable[[], Judge], find: FindParties) -> Iterator[Grouping]:
        """Pages of the customers that the parties of components are; whoever is in none is alone."""
        for page in self.components():
            known = {each.party: each for each in find({party for each in page for party in each.parties})}
            grouping = Grouping(judge(), known)
            for component in page:
                grouping.part(component)
            yield grouping

    def _with_words(self, page: list[Component]) -> list[Component]:
        """The components with the decisions and ties of their parties."""
        home = {party: each for each in page for party in each.parties}
        for made in self._decisions.of(self._connection, home):
            if home.get(made.left) is home.get(made.right):
                home[made.left].decisions.append(made)
        ties = self._duck.execute("SELECT l, r FROM tie WHERE l IN $1 ORDER BY l", [list(home)]).fetchall()
        for party, anchor in ties:
            home[party].ties.append((party, anchor))
        return page

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Put rows into a table of the workspace."""
        if not rows:
            return
        import pyarrow as pa

        columns: dict[str, list[Any]] = defaultdict(list)
        for row in rows:
            for place, value in enumerate(row):
                columns[f"c{place}"].append(value)
        self._duck.register("rows", pa.table(dict(columns)))
        self._duck.execute(f"INSERT INTO {table} SELECT * FROM rows")
        self._duck.unregister("rows")


_TABLES = """
CREATE TABLE member (party VARCHAR, customer VARCHAR);
CREATE TABLE decided (id VARCHAR, verdict VARCHAR, l VARCHAR, r VARCHAR);
CREATE TABLE anchored (party VARCHAR, place INTEGER, anchor VARCHAR);
CREATE TABLE joining (l VARCHAR, r VARCHAR, weight DOUBLE);
"""

# Parties that a decision or an anchor names may never have been, or be gone.
_JOINED = """
CREATE TABLE tie AS
SELECT a.party AS l, arg_min(a.anchor, a.place) AS r FROM anchored a JOIN member m ON m.party = a.anchor GROUP BY 1;
CREATE TABLE joined AS
SELECT l, r FROM joining
UNION SELECT l, r FROM tie
UNION SELECT d.l, d.r FROM decided d JOIN member p ON p.party = d.l JOIN member q ON q.party = d.r
WHERE verdict = 'same';
CREATE TABLE node AS SELECT l AS party FROM joined UNION SELECT r FROM joined;
"""

_COMPONENTS = """
SELECT parties, edges
FROM (SELECT cluster_id, list(party) AS parties FROM {found} GROUP BY 1) p
LEFT JOIN (
    SELECT cluster_id, list({{'l': l, 'r': r, 'weight': weight}}) AS edges
    FROM joining JOIN {found} ON party = l GROUP BY 1
) e USING (cluster_id)
ORDER BY cluster_id
"""
