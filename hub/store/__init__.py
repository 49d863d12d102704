"""The hub's database: tables made from the ontology, SQLite or PostgreSQL, migrations, change feed, outbox."""

from hub.store import fixed
from hub.store.cancellation import Cancellation
from hub.store.codec import DialectName, decode, encoder, iso_utc, scale_of, scaled, unscaled
from hub.store.dialect import Dialect, quoted
from hub.store.memory import Memory
from hub.store.onloop import ElsewhereError
from hub.store.store import Ask, Change, Store, utc_now
from hub.store.tables import CUSTOMER_COLUMNS, SYSTEM_COLUMNS, EntityTables, build_tables

__all__ = [
    "CUSTOMER_COLUMNS",
    "SYSTEM_COLUMNS",
    "Ask",
    "Cancellation",
    "Change",
    "Dialect",
    "DialectName",
    "ElsewhereError",
    "EntityTables",
    "Memory",
    "Store",
    "build_tables",
    "decode",
    "encoder",
    "fixed",
    "iso_utc",
    "quoted",
    "scale_of",
    "scaled",
    "unscaled",
    "utc_now",
]
