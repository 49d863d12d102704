"""Trees of organisations: which customers stand above others, as links with their evidence."""

from hub.graph.hierarchies.keeping import Hierarchies
from hub.graph.hierarchies.trees import DEEPEST, Edge, ancestors

__all__ = ["DEEPEST", "Edge", "Hierarchies", "ancestors"]
