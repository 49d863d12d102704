"""Full-text search: engines behind one protocol, an index that follows the change feed, answers within the policy."""

from hub.search.catalogue import Catalogue
from hub.search.engines import open_engine
from hub.search.indexer import Checked, Indexer
from hub.search.postgres_engine import PostgresEngine
from hub.search.protocol import Document, Found, Result, SearchEngine, SearchRequest, Value
from hub.search.query import MAX_LENGTH, MAX_WORDS
from hub.search.service import MAX_FIRST, Hit, Narrowing, SearchAnswer, SearchService, Suggestions
from hub.search.suggesting import Suggestion
from hub.search.tantivy_engine import TantivyEngine
from hub.search.whoosh_engine import WhooshEngine

__all__ = [
    "MAX_FIRST",
    "MAX_LENGTH",
    "MAX_WORDS",
    "Catalogue",
    "Checked",
    "Document",
    "Found",
    "Hit",
    "Indexer",
    "Narrowing",
    "PostgresEngine",
    "Result",
    "SearchAnswer",
    "SearchEngine",
    "SearchRequest",
    "SearchService",
    "Suggestion",
    "Suggestions",
    "TantivyEngine",
    "Value",
    "WhooshEngine",
    "open_engine",
]
