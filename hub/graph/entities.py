"""What a mapping hands to the graph: entities, references between them, and statements.

A *statement* is what one accepted source record says at present; it replaces everything the same record said
before. `head_id` names the source record over all its versions, `record_id` the version.

    Statement("erp", "orders", "10248", 17, 90, "2026-01-02T03:04:05.000000Z", (
        Entity("mzxw6...", "Order", "10248", {"customer": Reference("nfzwg..."), "total": Money(...)}),
    ))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DESK = "desk"
"""The hub's own source of what staff note of customers: consents and interactions."""
STEWARD = "steward"
"""The hub's own source of corrections: where it states a value of a customer, no other source's is served."""
AGENT = "agent"
"""The hub's own source of what agents correct while they speak with a customer whom they have made sure of: one source
among others, which wins where its word is the newest or is trusted most."""
STAFF = frozenset({DESK, STEWARD, AGENT})
"""The sources of what people say by commands."""


@dataclass(frozen=True, slots=True, repr=False)
class Reference:
    """Value of a reference property: the target's id, known before the target arrives."""

    target_id: str

    def __repr__(self) -> str:
        return f"Reference({self.target_id})"


@dataclass(frozen=True, slots=True, repr=False)
class SharedIdentifier:
    """Value of a reference property that names its target by an identifier, in normal form."""

    scheme: str
    value: str

    def __repr__(self) -> str:
        return f"SharedIdentifier({self.scheme})"


@dataclass(frozen=True, slots=True, repr=False)
class Entity:
    """One entity as one record states it; a property that is absent is null."""

    id: str
    type: str
    key: str
    values: Mapping[str, Any]
    """Exact values by property name: str, int, Decimal, Money, Instant, bool, a tuple where the property has many,
    Reference or SharedIdentifier."""
    shared: bool = False
    """Whether several records may state the entity; the latest observed one is served."""
    anchors: tuple[str, ...] = ()
    """Ids of parties, the most important first: the entity, a party itself, is the same customer as the first of them
    that there is. It joins no two of them."""
    filled: bool = False
    """Of a shared entity: whether it takes what the served statement leaves out from the next one that says it."""

    def __repr__(self) -> str:
        return f"Entity({self.type} {self.id})"


@dataclass(frozen=True, slots=True)
class Statement:
    """What one accepted source record says; no entities when the record was deleted at the source."""

    source: str
    stream: str
    record_key: str
    head_id: int
    record_id: int
    observed_at: str
    """ISO UTC text as the store writes it: the source's time of modification; empty where it states none."""
    entities: tuple[Entity, ...]
