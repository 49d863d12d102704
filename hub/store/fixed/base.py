"""What all tables that do not depend on the ontology have in common."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData

NAMING = {"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}

metadata = MetaData(naming_convention=NAMING)

Serial = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the key is spelt INTEGER."""


def serial() -> Column[int]:
    """The key of a table whose rows are numbered."""
    return Column("id", Serial, primary_key=True, autoincrement=True)
