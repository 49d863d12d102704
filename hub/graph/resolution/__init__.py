"""Which parties are the same customer, and the public ids of customers over time."""

from hub.graph.resolution.identity import new_customer_id
from hub.graph.resolution.matching import MatchResolver
from hub.graph.resolution.resolver import Merge, PartyChanges, Resolution, Resolver, Split

__all__ = ["MatchResolver", "Merge", "PartyChanges", "Resolution", "Resolver", "Split", "new_customer_id"]
