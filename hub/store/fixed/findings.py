"""What looks wrong with where personal data lies, and what was said to it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Table, Text

from hub.store.fixed.base import metadata

finding = Table(
    "finding",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("detected", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Column("sampled", BigInteger, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("first_seen_at", Text, nullable=False),
    Column("last_seen_at", Text, nullable=False),
    Column("run_id", BigInteger),
    Column("state", Text, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Text),
    Column("reason", Text),
    Index(None, "place"),
)
"""Findings: counts and kinds, never a value. `place` is `source.stream`, or what of the organisation it is about.

`detected` and `category` are empty where nothing was detected. `state` is open, accepted or dismissed.
"""
