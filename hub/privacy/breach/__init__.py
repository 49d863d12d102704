"""Breaches: from a place, an account or a time to the people affected; the register of incidents and its clock."""

from hub.privacy.breach.register import (
    NotifyIncident,
    RecordIncident,
    find_incident_of,
    incidents,
    note_incident,
    people_of,
    record_incident,
)
from hub.privacy.breach.render import as_csv, as_json, as_markdown
from hub.privacy.breach.scope import BreachScope, Where, breach_scope

__all__ = [
    "BreachScope",
    "NotifyIncident",
    "RecordIncident",
    "Where",
    "as_csv",
    "as_json",
    "as_markdown",
    "breach_scope",
    "find_incident_of",
    "incidents",
    "note_incident",
    "people_of",
    "record_incident",
]
