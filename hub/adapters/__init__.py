"""How source systems are reached and read: connectors, formats, mapping, sync, quarantine."""

from hub.adapters.config import load_sources
from hub.adapters.configurations import (
    KeptConfiguration,
    access_of,
    keep_configurations,
    kept_configurations,
    policy_of,
)
from hub.adapters.inbox import Inbox
from hub.adapters.jobs import Job, Jobs
from hub.adapters.mappings import KeptMapping, kept_mappings
from hub.adapters.past import Past, past_instant
from hub.adapters.runs import Counts, RunProgress, RunReport, newest_run, progress
from hub.adapters.specs import SourceConfig, StreamConfig
from hub.adapters.staff import STAFF_SOURCES, Circumstances, Said, StaffRecords
from hub.adapters.status import SourceStatus, source_statuses
from hub.adapters.sync import Progress, Sources, Syncer

__all__ = [
    "STAFF_SOURCES",
    "Circumstances",
    "Counts",
    "Inbox",
    "Job",
    "Jobs",
    "KeptConfiguration",
    "KeptMapping",
    "Past",
    "Progress",
    "RunProgress",
    "RunReport",
    "Said",
    "SourceConfig",
    "SourceStatus",
    "Sources",
    "StaffRecords",
    "StreamConfig",
    "Syncer",
    "access_of",
    "keep_configurations",
    "kept_configurations",
    "kept_mappings",
    "load_sources",
    "newest_run",
    "past_instant",
    "policy_of",
    "progress",
    "source_statuses",
]
