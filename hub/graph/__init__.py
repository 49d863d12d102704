"""The customer graph: entities and links, customers and their golden records, read plans."""

from hub.graph.entities import Entity, Reference, SharedIdentifier, Statement
from hub.graph.projection import GoldenChange
from hub.graph.writer import Applied, GraphWriter

__all__ = ["Applied", "Entity", "GoldenChange", "GraphWriter", "Reference", "SharedIdentifier", "Statement"]
