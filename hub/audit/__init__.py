"""The audit log: events of an allow-listed schema in an RFC 6962 Merkle tree, in a database of its own."""

from hub.audit.events import Action, AuditEvent, Outcome
from hub.audit.log import AuditLog, EventFilter, RecordedEvent
from hub.audit.merkle import TreeHead, consistency_holds, inclusion_holds, leaf_hash
from hub.audit.outbox import Outbox, drain
from hub.audit.recorder import Recorder
from hub.audit.verification import VerificationReport

__all__ = [
    "Action",
    "AuditEvent",
    "AuditLog",
    "EventFilter",
    "Outbox",
    "Outcome",
    "RecordedEvent",
    "Recorder",
    "TreeHead",
    "VerificationReport",
    "consistency_holds",
    "drain",
    "inclusion_holds",
    "leaf_hash",
]
