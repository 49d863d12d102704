"""Who may see what and why, who did, and what changed: the access map as an officer reads it."""

from hub.privacy.access.changes import Cause, MapChange, MapDiff, map_diff
from hub.privacy.access.fields import FieldAccess, Person, Reader, field_access
from hub.privacy.access.map import (
    SPAN,
    Narrowing,
    OfficersMap,
    Seen,
    access_map,
    in_force_since,
    reached,
    rules_seen,
    span,
)
from hub.privacy.access.sampling import FLAGS, Reviewed, ReviewSample, access_review

__all__ = [
    "FLAGS",
    "SPAN",
    "Cause",
    "FieldAccess",
    "MapChange",
    "MapDiff",
    "Narrowing",
    "OfficersMap",
    "Person",
    "Reader",
    "ReviewSample",
    "Reviewed",
    "Seen",
    "access_map",
    "access_review",
    "field_access",
    "in_force_since",
    "map_diff",
    "reached",
    "rules_seen",
    "span",
]
