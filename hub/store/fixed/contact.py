"""Who is not to be contacted by what they can be reached at, and which systems know of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, Text

from hub.store.fixed.base import metadata

identifier_bar = Table(
    "identifier_bar",
    metadata,
    Column("hash", Text, nullable=False),
    Column("bar", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("via", Text, nullable=False),
    PrimaryKeyConstraint("hash", "bar"),
)
"""What was said by an identifier, of whomever it is or will be: `hash` is a keyed hash of scheme and value.

`bar` is as in `standing`, `via` the way by which it came: `do_not_call`, `gpc` or `reply`.
"""

call_register = Table(
    "call_register",
    metadata,
    Column("name", Text, primary_key=True),
    Column("region", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("imported_at", Text, nullable=False),
    Column("imported_by", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("numbers", BigInteger, nullable=False),
)
"""Do-not-call registers of countries as last imported; `made_at` is the time of the register's own version."""

registered_number = Table(
    "registered_number",
    metadata,
    Column("hash", Text, nullable=False),
    Column("register", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("added_at", Text, nullable=False),
    PrimaryKeyConstraint("hash", "register", "version"),
    Index(None, "register", "version"),
)
"""Keyed hashes of their numbers. Those of the register's `version` count: others are of an import under way."""

suppression_export = Table(
    "suppression_export",
    metadata,
    Column("id", Text, primary_key=True),
    Column("system", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("data_use", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("acknowledged_at", Text),
    Column("acknowledged_by", Text),
    Index(None, "system", "channel", "data_use"),
)
"""Suppression lists that were made for a system, and whether it said that it took them."""
