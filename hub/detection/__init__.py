"""Detectors of personal data in values that nobody declared as such."""

from hub.detection.detectors import CATEGORIES, SURE, Hit, Kind, detect
from hub.detection.sampling import Detection, FieldSample, leaves_of

__all__ = ["CATEGORIES", "SURE", "Detection", "FieldSample", "Hit", "Kind", "detect", "leaves_of"]
