"""The audit log: events of an allow-listed schema in an RFC 6962 Merkle tree, in a database of its own."""

from hub.audit.datakeys import DataKeys, Retention
from hub.audit.events import Action, AuditEvent, Outcome
from hub.audit.export import event_lines, export_tiles
from hub.audit.keyfile import configured_keys, open_checkpoints, write_key
from hub.audit.log import AuditLog, EventFilter, RecordedEvent
from hub.audit.masterkeys import LocalMasterKeys, MasterKeys, keep_master_key, new_master_key
from hub.audit.merkle import TreeHead, consistency_holds, inclusion_holds, leaf_hash
from hub.audit.outbox import Outbox, drain
from hub.audit.publishing import Checkpoints, Keys
from hub.audit.recorder import Recorder
from hub.audit.sealing import Payload, Sealer, Unsealed, retention_of
from hub.audit.verification import VerificationReport

__all__ = [
    "Action",
    "AuditEvent",
    "AuditLog",
    "Checkpoints",
    "DataKeys",
    "EventFilter",
    "Keys",
    "LocalMasterKeys",
    "MasterKeys",
    "Outbox",
    "Outcome",
    "Payload",
    "RecordedEvent",
    "Recorder",
    "Retention",
    "Sealer",
    "TreeHead",
    "Unsealed",
    "VerificationReport",
    "configured_keys",
    "consistency_holds",
    "drain",
    "event_lines",
    "export_tiles",
    "inclusion_holds",
    "keep_master_key",
    "leaf_hash",
    "new_master_key",
    "open_checkpoints",
    "retention_of",
    "write_key",
]
