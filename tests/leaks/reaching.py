"""Whom a role reaches, by what the rows say: in Python, without the SQL that is tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.access import RESTRICTION, Reach, any_of, scoped
from hub.access.minors import is_child
from hub.access.scope import Attributes
from hub.ontology import CUSTOMER
from hub.store import Store
from tests.leaks.company import UNTIL
from tests.leaks.twins import Row, Rows


@dataclass(frozen=True)
class Reaching:
    """The customers that a reach leaves, of these rows; `scopes` are those of the role's grants."""

    store: Store
    all: Rows
    reach: Reach
    scopes: Sequence[str]

    @property
    def is_narrow(self) -> bool:
        """Whether rows that belong to no customer are out of reach."""
        return "none" not in self.scopes or self.reach.consent is not None

    def rows(self) -> Rows:
        """The rows without those of the customers out of reach."""
        kept = {row["id"] for row in self.all["customer"] if self.reaches(row)}
        found: Rows = {name: [dict(row) for row in rows] for name, rows in self.all.items()}
        found["customer"] = [row for row in found["customer"] if row["id"] in kept]
        for name in ("membership", "standing"):
            found[name] = [row for row in found[name] if row["customer_id"] in kept]
        parties = {row["party_id"] for row in found["membership"]}
        for type_ in self.store.ontology.types.values():
            if type_.has_customer:
                own = "id" if type_.is_party else "party_id"
                found[type_.table] = [
                    row for row in found[type_.table] if row[own] in parties or self._is_nobodys(row[own])
                ]
        there = {row["id"] for type_ in self.store.ontology.types.values() for row in found[type_.table]}
        found["identifier"] = [row for row in found["identifier"] if row["entity_id"] in there]
        # The newest entry of the feed is everybody's business, so that there has been a change stays.
        for row in found["change"]:
            if row["type"] == CUSTOMER and row["entity_id"] not in kept:
                row["type"] = "Elsewhere"
        return found

    def _is_nobodys(self, party: str | None) -> bool:
        known = {row["party_id"] for row in self.all["membership"]}
        return party not in known and not self.is_narrow

    def reaches(self, customer: Row) -> bool:
        """Whether the customer exists for the role."""
        where = any_of(map(scoped, self.scopes)).stated(self.reach.attributes)
        facts = facts_of(self.store, self.all, customer)
        return (
            where.holds(facts, self.reach.attributes) and self._stands(customer) and self._consents(customer)
        )

    def _stands(self, customer: Row) -> bool:
        newest: dict[tuple[str, str | None], tuple[Any, ...]] = {}
        for row in self._own(customer, "Restriction"):
            about = (row["kind"], row["purpose"]) if row["kind"] == "objection" else (RESTRICTION, None)
            said = (row["at"] is None, _moment(row["at"]), row["state"] != "lifted")
            newest[about] = max(said, newest.get(about, said))
        held = {
            use or "*" if kind == "objection" else RESTRICTION
            for (kind, use), said in newest.items()
            if said[2]
        }
        return held.isdisjoint(self.reach.bars)

    def _consents(self, customer: Row) -> bool:
        if self.reach.consent is None:
            return True
        today = datetime.now(UTC).date().isoformat()
        child = is_child(
            customer["birth_date"], bool(customer["is_minor"]), customer["address_country"], today
        )
        words = [
            row
            for row in self._own(customer, "Consent")
            if row["purpose"] in self.reach.consent.uses and row["channel"] in self.reach.consent.channels
            if row["state"] != "given" or row["given_by"] == "guardian" or not child
        ]
        if any(row["at"] is None and row["state"] != "given" for row in words):
            return False
        dated = [row for row in words if row["at"] is not None]
        newest = max((_moment(row["at"]) for row in dated), default=None)
        last = [row for row in dated if _moment(row["at"]) == newest]
        return (
            bool(last)
            and all(row["state"] == "given" for row in last)
            and any(row["expires_on"] is None or row["expires_on"] >= today for row in last)
        )

    def _own(self, customer: Row, type_name: str) -> Iterator[Row]:
        parties = _parties(self.all, customer)
        return (
            row for row in self.all[self.store.ontology.type(type_name).table] if row["party_id"] in parties
        )


def _moment(at: Any) -> str:
    return at.isoformat() if isinstance(at, datetime) else str(at)


def _parties(rows: Rows, customer: Row) -> set[str]:
    return {row["party_id"] for row in rows["membership"] if row["customer_id"] == customer["id"]}


def facts_of(store: Store, rows: Rows, customer: Row) -> dict[str, set[str]]:
    """What row scopes compare of the customer."""
    found: dict[str, set[str]] = {}
    parties = _parties(rows, customer)
    for scope, fact in store.ontology.scopes.items():
        column = store.ontology.customer_properties[fact.property].column
        holders = [customer]
        if fact.of == "parties":
            holders = [
                row for type_ in store.ontology.parties for row in rows[type_.table] if row["id"] in parties
            ]
        found[scope] = {row[column] for row in holders if row[column] is not None}
    return found


def attributes_of(store: Store, rows: Rows) -> Attributes:
    """Attributes for each scope: what the customer who agreed to advertising has, else the first one with such a fact.

    Ordered by their parties: the ids of customers are drawn.
    """
    table = store.ontology.type("Consent").table
    agreed = {row["party_id"] for row in rows[table] if str(row["expires_on"]) == UNTIL}
    customers = sorted(rows["customer"], key=lambda row: _order(_parties(rows, row), agreed))
    facts = [facts_of(store, rows, row) for row in customers]
    return tuple(
        (scope, tuple(sorted(next(fact[scope] for fact in facts if fact[scope]))))
        for scope in store.ontology.scopes
    )


def _order(parties: set[str], agreed: set[str]) -> tuple[bool, str]:
    return parties.isdisjoint(agreed), min(parties)
