"""What stewards decided of pairs of parties: the same, or not the same.

A decision names two parties, so it holds whatever customers they are in, whatever the model says, and when the graph is
resolved anew. Of several decisions of one pair the latest is in force; when it is undone, the one before is again, as
if the other had never been. *Same* holds against everything. *Not the same* gives way to evidence that is stronger than
it was when it was decided: see HOLDS_BITS.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from hub.store import Store, fixed

Verdict = Literal["same", "not_same"]

HOLDS_BITS = 10.0
"""By how much the weight of a pair must grow beyond that of the day for a not_same to give way: a thousandfold odds,
about one more fact in common such as a birth date."""

MAX_HISTORY = 10_000
"""Decisions that one look at the history goes through."""

COLUMNS = tuple(column.name for column in fixed.decision.columns)


@dataclass(frozen=True, slots=True)
class Decision:
    """One steward's word on one pair; the lesser party id is `left`."""

    id: str
    act: str
    """Decisions that were made at once."""
    verdict: Verdict
    left: str
    right: str
    holds_to: float | None
    """Match weight in bits above which not_same gives way; None where nothing overrides it."""
    actor: str
    reason: str
    at: str
    undone_at: str | None = None
    undone_by: str | None = None

    def holds_against(self, weight: float) -> bool:
        """Whether the decision stands although the pair has this match weight."""
        return self.holds_to is None or weight <= self.holds_to


class Decisions:
    """Keeps the table of decisions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, connection: Connection, parties: Collection[str]) -> list[Decision]:
        """Those in force that name one of the parties."""
        ids, found = sorted(parties), dict[str, Decision]()
        for column in ("left_id", "right_id"):
            sql = f"SELECT {', '.join(COLUMNS)} FROM decision WHERE undone_at IS NULL AND {{in:{column}}}"
            found |= {row[0]: Decision(*row) for row in self._store.rows_in(connection, sql, ids)}
        latest = {
            (each.left, each.right): each
            for each in sorted(found.values(), key=lambda each: (each.at, each.id))
        }
        return sorted(latest.values(), key=lambda each: each.id)

    def joined_with(self, connection: Connection, parties: Collection[str]) -> set[str]:
        """The parties that are the same as one of these by a decision."""
        found = [each for each in self.of(connection, parties) if each.verdict == "same"]
        return {party for each in found for party in (each.left, each.right)}

    def add(self, connection: Connection, decisions: Sequence[Decision]) -> None:
        """Take new decisions; each comes before what was decided earlier of its pair."""
        rows = [tuple(getattr(made, name) for name in Decision.__slots__) for made in decisions]
        self._store.dialect.insert(connection, fixed.decision, COLUMNS, rows)

    def of_act(self, connection: Connection, act: str) -> list[Decision]:
        """Those made at once as this act and not undone, in force or not."""
        sql = f"SELECT {', '.join(COLUMNS)} FROM decision WHERE undone_at IS NULL AND {{in:act}}"
        return [Decision(*row) for row in self._store.rows_in(connection, sql, [act])]

    def history(
        self, connection: Connection, *, before: str = "", act: str | None = None, party: str | None = None
    ) -> list[Decision]:
        """All of one act, of one party, or all that there are, undone ones too; the latest first, up to MAX_HISTORY.

        Only those with a lesser id than `before`, where that is given.
        """
        table = fixed.decision.c
        query = select(fixed.decision).order_by(table.id.desc()).limit(MAX_HISTORY)
        if before:
            query = query.where(table.id < before)
        if act is not None:
            query = query.where(table.act == act)
        if party is not None:
            query = query.where((table.left_id == party) | (table.right_id == party))
        return [Decision(*row) for row in connection.execute(query)]

    def undo(self, connection: Connection, ids: Sequence[str], actor: str, at: str) -> None:
        """End decisions; their rows stay as history."""
        given = self._store.dialect.param
        sql = (
            f"UPDATE decision SET undone_at = {given('at')}, undone_by = {given('actor')}"
            " WHERE undone_at IS NULL AND {in:id}"
        )
        self._store.rows_in(connection, sql, ids, at=at, actor=actor)

    def forget(self, connection: Connection, parties: Collection[str]) -> None:
        """Delete all that was decided of these parties."""
        for column in ("left_id", "right_id"):
            self._store.delete_in(connection, "decision", column, sorted(parties))
