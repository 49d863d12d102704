"""The tables that do not depend on the ontology. Alembic migrations make them; a test compares the two."""

from hub.store.fixed.base import NAMING, metadata
from hub.store.fixed.customers import (
    anchor,
    contribution,
    customer_redirect,
    former,
    former_party,
    identifier,
    identifier_ref,
    membership,
    standing,
    suppression,
    tombstone,
)
from hub.store.fixed.findings import finding
from hub.store.fixed.matching import blocking_key, decision, edge, profile
from hub.store.fixed.registers import attestation, configuration
from hub.store.fixed.sources import (
    drift,
    frozen_source,
    mapping,
    meta,
    quarantine,
    record,
    record_head,
    run,
    run_stream,
    stream_state,
)
from hub.store.fixed.surroundings import ancestor, home, home_key, housemate, parent, registration
from hub.store.fixed.work import audit_outbox, break_glass, call, call_pick, change, command

__all__ = [
    "NAMING",
    "ancestor",
    "anchor",
    "attestation",
    "audit_outbox",
    "blocking_key",
    "break_glass",
    "call",
    "call_pick",
    "change",
    "command",
    "configuration",
    "contribution",
    "customer_redirect",
    "decision",
    "drift",
    "edge",
    "finding",
    "former",
    "former_party",
    "frozen_source",
    "home",
    "home_key",
    "housemate",
    "identifier",
    "identifier_ref",
    "mapping",
    "membership",
    "meta",
    "metadata",
    "parent",
    "profile",
    "quarantine",
    "record",
    "record_head",
    "registration",
    "run",
    "run_stream",
    "standing",
    "stream_state",
    "suppression",
    "tombstone",
]
