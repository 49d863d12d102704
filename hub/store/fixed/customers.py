"""Who the customers are: parties, identifiers, ids over time, and what keeps them from purposes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from hub.store.fixed.base import metadata

_OF_PHONES: dict[str, Any] = {
    f"{dialect}_where": text("scheme = 'phone'") for dialect in ("sqlite", "postgresql")
}
EXTENDED = "scheme = 'phone' AND value <> replace(value, ';', '')"
"""Which identifiers are telephone numbers with an extension: few, and found by an index of them alone."""
_OF_EXTENDED: dict[str, Any] = {f"{dialect}_where": text(EXTENDED) for dialect in ("sqlite", "postgresql")}

identifier = Table(
    "identifier",
    metadata,
    Column("scheme", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("strong", Boolean, nullable=False),
    PrimaryKeyConstraint("scheme", "value", "entity_id", "property"),
    Index(None, "entity_id"),
    Index("ix_identifier_tail", text("substr(value, length(value) - 6)"), **_OF_PHONES),
    Index("ix_identifier_extended", "value", **_OF_EXTENDED),
)
"""Values that identify entities, in normal form, by scheme. Phone numbers are found by their last 7 digits too."""

identifier_ref = Table(
    "identifier_ref",
    metadata,
    Column("entity_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("entity_id", "property"),
    Index(None, "scheme", "value"),
)
"""References stated by an identifier instead of a key; tied when a holder of the identifier arrives."""

contribution = Table(
    "contribution",
    metadata,
    Column("entity_id", Text, nullable=False),
    Column("head_id", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("rank", Text, nullable=False),
    PrimaryKeyConstraint("entity_id", "head_id"),
    Index(None, "head_id"),
)
"""The records that state a shared entity; the greatest rank (time observed, then content) is served."""

former = Table(
    "former",
    metadata,
    Column("party_id", Text, nullable=False),
    Column("head_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("party_id", "head_id"),
    Index(None, "head_id"),
)
"""Records that stated something of a party, or the party itself, in a version before the one that is served.

What belongs to no customer stands here by its own id.
"""

former_party = Table(
    "former_party",
    metadata,
    Column("party_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Index(None, "customer_id"),
)
"""Parties that were gone at some time, and whose they were then; one that is back belongs to whom `membership` says."""

membership = Table(
    "membership",
    metadata,
    Column("party_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Index(None, "customer_id"),
)
"""Which customer each party belongs to."""

standing = Table(
    "standing",
    metadata,
    Column("party_id", Text, nullable=False),
    Column("bar", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    PrimaryKeyConstraint("party_id", "bar"),
    Index(None, "customer_id", "bar"),
)
"""What keeps customers from purposes, for each of their parties; most customers have none.

`bar` is `restriction` (GDPR Art. 18), or the data use that was objected to (Art. 21), `*` for all of them.
"""

customer_redirect = Table(
    "customer_redirect",
    metadata,
    Column("old_id", Text, primary_key=True),
    Column("new_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index(None, "new_id"),
)
"""Retired customer ids and where they lead now."""

tombstone = Table(
    "tombstone",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("erasure_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index(None, "erasure_id"),
)
"""Customers who were erased, by every id that they had."""

suppression = Table(
    "suppression",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("erasure_id", Text, nullable=False),
    Index(None, "erasure_id"),
)
"""What must not come back: keyed hashes of the erased records' keys, parties and identifiers."""

anchor = Table(
    "anchor",
    metadata,
    Column("party_id", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("anchor_id", Text, nullable=False),
    PrimaryKeyConstraint("party_id", "place"),
    Index(None, "anchor_id"),
)
"""Parties that are one customer with another by somebody's word: with the first of its anchors that there is."""
