"""The location map: where personal data lies, in the organisation, in the hub and outside; and of whom."""

from hub.privacy.places.exports import as_graphml, as_json, as_svg
from hub.privacy.places.model import (
    DataMap,
    Flow,
    Location,
    LocationMap,
    MappedField,
    PersonField,
    PersonPlace,
    PersonRecord,
    Recipient,
    State,
    Use,
)
from hub.privacy.places.questions import (
    data_map,
    decide_finding,
    field_of,
    findings,
    privacy_map,
    recipients,
)

__all__ = [
    "DataMap",
    "Flow",
    "Location",
    "LocationMap",
    "MappedField",
    "PersonField",
    "PersonPlace",
    "PersonRecord",
    "Recipient",
    "State",
    "Use",
    "as_graphml",
    "as_json",
    "as_svg",
    "data_map",
    "decide_finding",
    "field_of",
    "findings",
    "privacy_map",
    "recipients",
]
