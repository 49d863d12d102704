"""A shop whose customers are matched by a small model of exact comparisons, and a steward who decides."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hub.access import Requester
from hub.commands import (
    Author,
    CorrectProperty,
    DecideMatches,
    MatchDecided,
    MergeCustomers,
    UndoDecisions,
    UnmergeCustomer,
    correct_property,
    decide_matches,
    merge_customers,
    undo_decisions,
    unmerge_customer,
)
from hub.commands.customers import current_id
from hub.values import entity_id
from tests.commands.command_world import ANN, BEN, Shop, fresh_key

TOY = Path(__file__).resolve().parents[1] / "graph" / "resolution" / "toy_model"
REASON = "seen the passport at the counter"
NAMESAKE = {
    "key": "9",
    "changed": "2026-02-01",
    "name": "Ann Archer",
    "postcode": "",
    "email": "",
    "card": "",
}
"""Has Ann's name and nothing else: two bits, where six are enough and none is worth a look."""
NEIGHBOUR = {**NAMESAKE, "key": "8", "postcode": "BS1 4DJ", "email": "other@example.com"}
"""Has Ann's name and postcode and another e-mail address: hardly enough."""


class StewardShop(Shop):
    """The shop with Ann and Ben in its club and Ann's namesake at its till, each with a ticket."""

    def __init__(self, folder: Path, store_url: str, **settings: Any) -> None:
        super().__init__(folder, store_url)
        shutil.copytree(TOY, folder / "models" / "person")
        self.settings = self.settings.model_copy(update={"match_models": folder / "models", **settings})
        self.reopen()
        self.write("club", [ANN, BEN])
        self.write("till", [NAMESAKE])
        self.tickets("club", [{"number": "T-1", "subject": "late", "member": "1"}])
        self.tickets("till", [{"number": "T-9", "subject": "broken", "member": "9"}])
        self.sync()

    def party(self, source: str, key: str) -> str:
        return entity_id(source, "Party", key, self.services.store.secret)

    def steward(self, **attributes: Sequence[str]) -> Author:
        known = self.services.access.roles["steward"]
        asks = Requester(
            "u-steward",
            frozenset({"steward"}),
            known.department,
            "data_quality",
            "tests",
            ("data_quality",),
            attributes=tuple((name, tuple(values)) for name, values in attributes.items()),
        )
        return Author.of(asks, self.services.access)

    def correct_as_operator(self, customer: str, name: str, value: str) -> None:
        operator = Author.operator("os:tests", self.services.access)
        order = CorrectProperty(customer, name, value, "told by letter", fresh_key())
        correct_property(self.services, operator, order)

    def decide(
        self, verdict: Any, *pairs: tuple[str, str], key: str | None = None, reason: str = REASON
    ) -> MatchDecided:
        order = DecideMatches(pairs, verdict, reason, key or fresh_key())
        return decide_matches(self.services, self.steward(), order)

    def merge(self, *customers: str, key: str | None = None) -> MatchDecided:
        order = MergeCustomers(customers, REASON, key or fresh_key())
        return merge_customers(self.services, self.steward(), order)

    def unmerge(self, customer: str, *parties: str) -> MatchDecided:
        order = UnmergeCustomer(customer, parties, REASON, fresh_key())
        return unmerge_customer(self.services, self.steward(), order)

    def undo(self, act: str) -> MatchDecided:
        return undo_decisions(self.services, self.steward(), UndoDecisions(act, REASON, fresh_key()))

    def of_whom(self, table: str) -> dict[str, str]:
        """The customer of each row of a table."""
        sql = f"SELECT t.id, m.customer_id FROM {table} t JOIN membership m ON m.party_id = t.party_id"
        return {row["id"]: row["customer_id"] for row in self.rows(sql)}

    def state(self) -> dict[str, Any]:
        """All that follows from who is one customer."""
        members = {row["party_id"]: row["customer_id"] for row in self.rows("SELECT * FROM membership")}
        golden = {id_: self.golden(id_) for id_ in sorted(set(members.values()))}
        tables = ("e_ticket", "e_consent", "e_interaction")
        return {"members": members, "golden": golden} | {table: self.of_whom(table) for table in tables}

    def customers(self, ids: Iterable[str] | None = None) -> dict[str, Any]:
        """The customers whom these ids lead to, by these ids: parties and what is served of them."""
        state = self.state()
        found = {}
        for id_ in state["golden"] if ids is None else ids:
            with self.services.store.read() as connection:
                now = current_id(self.services.store, connection, id_)
            golden = {name: value for name, value in state["golden"][now].items() if name != "id"}
            parties = {party for party, customer in state["members"].items() if customer == now}
            found[id_] = (parties, golden)
        return found
