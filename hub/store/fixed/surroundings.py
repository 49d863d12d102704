"""Whom customers live with, and which organisations stand above which."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from hub.store.fixed.base import metadata

home = Table(
    "home",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("stated_at", Text, nullable=False),
)
"""What of each customer who is a person says with whom they live, in normal form as JSON, and when it was stated."""

home_key = Table(
    "home_key",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("customer_id", Text, nullable=False),
    PrimaryKeyConstraint("key", "customer_id"),
    Index(None, "customer_id"),
    sqlite_with_rowid=False,
)
"""What customers' homes may have in common. Keys are keyed hashes."""

housemate = Table(
    "housemate",
    metadata,
    Column("customer_id", Text, nullable=False),
    Column("other_id", Text, nullable=False),
    *(Column(kind, Boolean, nullable=False) for kind in ("address", "family_name", "contact", "account")),
    PrimaryKeyConstraint("customer_id", "other_id"),
)
"""Each two customers of one household, in both directions, and the kinds of evidence for it."""

registration = Table(
    "registration",
    metadata,
    Column("customer_id", Text, nullable=False),
    Column("key", BigInteger, nullable=False),
    Column("is_head", Boolean, nullable=False),
    Column("stated_at", Text, nullable=False),
    PrimaryKeyConstraint("customer_id", "key"),
    Index(None, "key"),
)
"""Companies whose registry number a customer has, its own (`is_head`) or that of a branch. Keys are keyed hashes."""

parent = Table(
    "parent",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("parent_id", Text, nullable=False),
    Column("declared", Boolean, nullable=False),
    Column("registered", Boolean, nullable=False),
    Column("stated_at", Text, nullable=False),
    Index(None, "parent_id"),
)
"""The organisation that stands directly above a customer: as a source declares, or as registry numbers say."""

ancestor = Table(
    "ancestor",
    metadata,
    Column("customer_id", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("ancestor_id", Text, nullable=False),
    Column("declared", Boolean, nullable=False),
    PrimaryKeyConstraint("customer_id", "level"),
    Index(None, "ancestor_id", "level"),
)
"""All who stand above a customer, the parent at level 1; `declared` where sources declare the whole way up."""
