"""Which engine keeps the search index."""

from __future__ import annotations

from pathlib import Path

from hub.search.catalogue import Catalogue
from hub.search.protocol import SearchEngine
from hub.search.tantivy_engine import TantivyEngine
from hub.search.whoosh_engine import WhooshEngine
from hub.store import Store


def open_engine(name: str | None, folder: Path, store: Store) -> SearchEngine:
    """The engine of this name, else the one that suits the store; its index may have to be built."""
    catalogue = Catalogue(store.ontology)
    return WhooshEngine(folder, catalogue) if name == "whoosh" else TantivyEngine(folder, catalogue)
