"""What parties are compared by, what came of it, and what stewards decided."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, PrimaryKeyConstraint, Table, Text

from hub.store.fixed.base import metadata, serial

profile = Table(
    "profile",
    metadata,
    serial(),
    Column("party_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("content", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Parties in the normal form that matching compares. `content` is JSON: columns, proofs (strong identifiers), and which
of these values too many share."""

blocking_key = Table(
    "blocking_key",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("profile_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("key", "profile_id"),
    sqlite_with_rowid=False,
)
"""Which profiles are compared with which: those that share a key. Keys are keyed hashes."""

edge = Table(
    "edge",
    metadata,
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("weight", Double, nullable=False),
    Column("joins", Boolean, nullable=False),
    PrimaryKeyConstraint("low", "high"),
    Index(None, "high"),
    sqlite_with_rowid=False,
)
"""Pairs of profiles that may be the same, the lower number first, with their match weight in bits.

`joins` where the weight alone is enough to make them one customer.
"""

decision = Table(
    "decision",
    metadata,
    Column("id", Text, primary_key=True),
    Column("act", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("left_id", Text, nullable=False),
    Column("right_id", Text, nullable=False),
    Column("holds_to", Double),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("undone_at", Text),
    Column("undone_by", Text),
    Index(None, "left_id"),
    Index(None, "right_id"),
    Index(None, "act"),
)
"""What stewards decided of pairs of parties, the lesser id first; `verdict` is same or not_same.

Decisions of one `act` were made at once. One of not_same gives way to a match weight above `holds_to` bits.
"""
