"""Which parties are the same customer, and the public ids of customers over time."""

from hub.graph.resolution.identity import new_customer_id
from hub.graph.resolution.matching import MatchResolver
from hub.graph.resolution.models import MatchModel, load_models, shipped_models
from hub.graph.resolution.profiles import Kind as PartyKind
from hub.graph.resolution.resolver import Merge, PartyChanges, Resolution, Resolver, Split

__all__ = [
    "MatchModel",
    "MatchResolver",
    "Merge",
    "PartyChanges",
    "PartyKind",
    "Resolution",
    "Resolver",
    "Split",
    "load_models",
    "new_customer_id",
    "shipped_models",
]
