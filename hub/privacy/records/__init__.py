"""The record of processing activities: 42 columns from what runs, gaps listed, as files and as manifests of Fides."""

from hub.privacy.records.activities import Activity, activities
from hub.privacy.records.columns import COLUMNS, PROCESSOR_COLUMNS, Column
from hub.privacy.records.fides import ADDED, fides_manifests, require_strict
from hub.privacy.records.formats import FORMATS, to_csv, to_markdown, to_xlsx
from hub.privacy.records.record import Gap, Record, Row, Sheet, record_of_processing

__all__ = [
    "ADDED",
    "COLUMNS",
    "FORMATS",
    "PROCESSOR_COLUMNS",
    "Activity",
    "Column",
    "Gap",
    "Record",
    "Row",
    "Sheet",
    "activities",
    "fides_manifests",
    "record_of_processing",
    "require_strict",
    "to_csv",
    "to_markdown",
    "to_xlsx",
]
