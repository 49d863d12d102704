"""The audit log: events of an allow-listed schema in an RFC 6962 Merkle tree, in a database of its own."""

from hub.audit.datakeys import DataKeys, Retention
from hub.audit.erasures import Erasure, ErasureRegister, Registered
from hub.audit.events import Action, AuditEvent, Outcome
from hub.audit.export import event_lines, export_tiles
from hub.audit.kept_erasures import State
from hub.audit.keyfile import configured_keys, open_checkpoints, write_key
from hub.audit.log import AuditLog, EventFilter, RecordedEvent
from hub.audit.masterkeys import LocalMasterKeys, MasterKeys, keep_master_key, new_master_key
from hub.audit.merkle import TreeHead, consistency_holds, inclusion_holds, leaf_hash
from hub.audit.outbox import Outbox, drain
from hub.audit.publishing import Checkpoints, Keys
from hub.audit.questions import (
    ACCESSES,
    CHANGES,
    TOLD,
    Page,
    Sample,
    Wanted,
    draw,
    find,
    find_all,
    kept_about,
    latest,
    payloads_kept,
)
from hub.audit.recorder import Recorder
from hub.audit.sealing import Payload, Sealer, Unsealed, retention_of
from hub.audit.verification import VerificationReport
from hub.audit.volumes import RULE, Usual, Volume, unusual_volumes

__all__ = [
    "ACCESSES",
    "CHANGES",
    "RULE",
    "TOLD",
    "Action",
    "AuditEvent",
    "AuditLog",
    "Checkpoints",
    "DataKeys",
    "Erasure",
    "ErasureRegister",
    "EventFilter",
    "Keys",
    "LocalMasterKeys",
    "MasterKeys",
    "Outbox",
    "Outcome",
    "Page",
    "Payload",
    "RecordedEvent",
    "Recorder",
    "Registered",
    "Retention",
    "Sample",
    "Sealer",
    "State",
    "TreeHead",
    "Unsealed",
    "Usual",
    "VerificationReport",
    "Volume",
    "Wanted",
    "configured_keys",
    "consistency_holds",
    "drain",
    "draw",
    "event_lines",
    "export_tiles",
    "find",
    "find_all",
    "inclusion_holds",
    "keep_master_key",
    "kept_about",
    "latest",
    "leaf_hash",
    "new_master_key",
    "open_checkpoints",
    "payloads_kept",
    "retention_of",
    "unusual_volumes",
    "write_key",
]
