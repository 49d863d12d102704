"""Parties in a normal form that can be compared: how the columns of matching come out of what sources state.

A *role value* is what a source states in a property with a match role, such as `family_name`. A *profile* holds the
normal forms of all role values of one party, a column each; a column that nothing is known of is absent.
"""

from hub.graph.resolution.profiles.addresses import StreetReader, street_parts
from hub.graph.resolution.profiles.libpostal import libpostal_reader
from hub.graph.resolution.profiles.profile import (
    ORGANIZATION_COLUMNS,
    OWN_COLUMNS,
    PERSON_COLUMNS,
    SHARED_COLUMNS,
    Kind,
    Profile,
    profile_of,
    without,
)
from hub.graph.resolution.profiles.version import PROFILE_VERSION

__all__ = [
    "ORGANIZATION_COLUMNS",
    "OWN_COLUMNS",
    "PERSON_COLUMNS",
    "PROFILE_VERSION",
    "SHARED_COLUMNS",
    "Kind",
    "Profile",
    "StreetReader",
    "libpostal_reader",
    "profile_of",
    "street_parts",
    "without",
]
