"""Retention: what is kept for longer than the rules let it, and the run that erases it."""

from hub.privacy.retention.report import Line, RetentionReport, RuleReport, retention_report
from hub.privacy.retention.run import RetentionRun, RunRetention, run_retention

__all__ = [
    "Line",
    "RetentionReport",
    "RetentionRun",
    "RuleReport",
    "RunRetention",
    "retention_report",
    "run_retention",
]
