"""The generated pages of `docs/`: made from the models, the ontology and the policy, so that they cannot drift."""

from hub.reference.files import pages, source_schema, stale, write

__all__ = ["pages", "source_schema", "stale", "write"]
