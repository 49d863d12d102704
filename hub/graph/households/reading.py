"""Households as they are kept, for those who may know of all customers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hub.graph.households.linking import Evidence
from hub.store import Store


@dataclass(frozen=True, slots=True)
class Housemate:
    """Somebody with whom a customer lives, and why."""

    customer: str
    evidence: tuple[Evidence, ...]
    since: str
    """When the later of the two was last stated to live there, by the sources."""


def housemates(store: Store, connection: Connection, customer: str) -> list[Housemate]:
    """With whom the customer lives, by id."""
    kinds = ", ".join(f"h.{kind.value}" for kind in Evidence)
    sql = (
        f"SELECT h.other_id, a.stated_at, b.stated_at, {kinds} FROM housemate h"
        " JOIN home a ON a.customer_id = h.customer_id JOIN home b ON b.customer_id = h.other_id"
        " WHERE {in:h.customer_id}"
    )
    found = [
        Housemate(
            other, tuple(kind for kind, there in zip(Evidence, said, strict=True) if there), max(one, two)
        )
        for other, one, two, *said in store.rows_in(connection, sql, [customer])
    ]
    return sorted(found, key=lambda mate: mate.customer)
