"""Which engine keeps the search index."""

from __future__ import annotations

from pathlib import Path

from hub.errors import ConfigurationError
from hub.search.catalogue import Catalogue
from hub.search.postgres_engine import PostgresEngine
from hub.search.protocol import SearchEngine
from hub.search.tantivy_engine import TantivyEngine
from hub.search.whoosh_engine import WhooshEngine
from hub.store import Store
from hub.yamlfile import Fault

_NO_POSTGRES = Fault(
    "environment", 1, 1, "HUB_SEARCH_ENGINE", "is postgres, and the store is not", "tantivy or whoosh"
)


def open_engine(name: str | None, folder: Path, store: Store) -> SearchEngine:
    """The engine of this name, else the one that suits the store; its index may have to be built.

    Raises:
        ConfigurationError: it needs another store.
    """
    chosen = name or ("postgres" if store.dialect.name == "postgresql" else "tantivy")
    if chosen == "postgres":
        if store.dialect.name != "postgresql":
            raise ConfigurationError([_NO_POSTGRES])
        return PostgresEngine(store)
    catalogue = Catalogue(store.ontology)
    return WhooshEngine(folder, catalogue) if chosen == "whoosh" else TantivyEngine(folder, catalogue)
