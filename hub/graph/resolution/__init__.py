"""Which parties are the same customer, and the public ids of customers over time."""

from hub.graph.resolution.exact import ExactResolver
from hub.graph.resolution.identity import new_customer_id
from hub.graph.resolution.resolver import Merge, PartyChanges, Resolution, Resolver, Split

__all__ = ["ExactResolver", "Merge", "PartyChanges", "Resolution", "Resolver", "Split", "new_customer_id"]
