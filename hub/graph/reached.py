"""Which rows exist for a requester, where ids come from elsewhere: from a search index, a command, a change."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection

from hub.graph.plans import ById, ByIds, CategoryAccess, Id, RowId, Selection, Var, compile_plan, execute
from hub.ontology import CUSTOMER, Ontology
from hub.store import DialectName


class Reached:
    """What one kind of requester reaches."""

    def __init__(self, ontology: Ontology, access: CategoryAccess, dialect: DialectName) -> None:
        self._ontology, self._access, self._dialect = ontology, access, dialect
        self._variables = access.reach.variables
        root = ById(Selection(CUSTOMER, (Id("id"),)), Var("id"))
        self._customer = compile_plan(ontology, root, access, dialect)

    def customer(self, connection: Connection, customer_id: str) -> bool:
        """Whether there is a customer with the id, or one that a retired id leads to."""
        return bool(execute(connection, self._customer, {**self._variables, "id": customer_id}).customers)

    def rows(
        self, connection: Connection, types: Sequence[str], rows: Sequence[tuple[str, str]], most: int
    ) -> list[bool]:
        """For each row, by type and id, whether there is one: at most `most` rows of these types.

        Which statement is run follows from the types alone, so that its time tells nothing of the rows.
        """
        selections = tuple(Selection(type_, (Id("id"),)) for type_ in types)
        named = tuple(RowId(type_, id_) for type_, id_ in rows)
        root = ByIds(selections, Var("rows"))
        plan = compile_plan(self._ontology, root, self._access, self._dialect, most)
        found = orjson.loads(execute(connection, plan, {**self._variables, "rows": named}).json_text)
        return [row is not None for row in found]
