"""One sync of the shop in a process of its own, for tests that kill it."""

from __future__ import annotations

from pathlib import Path

from hub.adapters import RunReport, Sources, Syncer, load_sources
from hub.audit import AuditLog, drain
from hub.ontology import load_ontology
from hub.store import Store

CONFIG = Path(__file__).parent
SECRET = b"the same in both stores, so that their ids can be compared"
ONTOLOGY = load_ontology()
"""Loaded with the module, so that a forked process is at work within milliseconds."""


def sync(store_url: str, audit_url: str, folder: str) -> RunReport:
    """Sync the shop and bring its audit events into the log."""
    sources = Sources(load_sources(CONFIG, ONTOLOGY), ONTOLOGY, {"SHOP_DIR": folder}, CONFIG)
    store = Store.open(store_url, ONTOLOGY, SECRET)
    log = AuditLog.open(audit_url)
    try:
        return Syncer(store, sources, batch_size=20).sync("shop", progress=lambda *_: drain(store, log))
    finally:
        drain(store, log)
        store.close()
        log.close()
