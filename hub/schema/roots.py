"""The root fields that strawberry's resolvers answer, beside those of read plans."""

from __future__ import annotations

from hub.schema.networks import NetworkQuery
from hub.schema.queries import HubQuery
from hub.schema.searching import SearchQuery

QUERIES: tuple[type, ...] = (HubQuery, SearchQuery, NetworkQuery)
"""Their types, in the order in which they stand in the schema."""
