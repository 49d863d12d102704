"""Match weights and blocking keys by a Splink model, without Splink."""

from hub.graph.resolution.scoring.blocking import Blocking
from hub.graph.resolution.scoring.expressions import Kind
from hub.graph.resolution.scoring.scorer import (
    ComparisonWeight,
    Explanation,
    Frequencies,
    Prepared,
    Scorer,
    TextMode,
)
from hub.graph.resolution.scoring.splinkjson import SplinkModel

__all__ = [
    "Blocking",
    "ComparisonWeight",
    "Explanation",
    "Frequencies",
    "Kind",
    "Prepared",
    "Scorer",
    "SplinkModel",
    "TextMode",
]
