"""A hub that the commands open: the shop with its ledger, on SQLite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent
from hub.cli import app
from hub.services import open_services
from hub.settings import load_settings
from tests.commands.command_world import MASTER_KEY
from tests.databases import sqlite_store
from tests.privacy.keeping.retention_world import Keeper, person


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def ledger(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The customers of the ledger, whose tickets are of 2019 and whose orders are young."""
    young = (datetime.now(UTC) - timedelta(days=50)).isoformat()
    shop = Keeper(folder, sqlite_store(folder / "var" / "hub.sqlite"))
    shop.keep(
        people=[person("P1"), person("P2")],
        orders=[{"no": f"O{n}", "buyer": f"P{n}", "at": young} for n in (1, 2)],
        tickets=[
            {"no": f"T{n}", "who": f"P{n}", "at": "2019-03-01T10:00:00Z", "subject": "late"} for n in (1, 2)
        ],
    )
    found = {key: shop.customer("ledger", key) for key in ("P1", "P2")}
    shop.services.publish()
    shop.services.close()
    given = shop.settings
    for name in ("data_dir", "config_dir", "policy_file"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(given, name)))
    monkeypatch.setenv("HUB_STORE_URL", given.store_address)
    monkeypatch.setenv("HUB_MASTER_KEY", MASTER_KEY)
    return found


def events(*actions: Action) -> list[AuditEvent]:
    with open_services(load_settings()) as services:
        services.publish_events()
        found = [each.event for each in services.audit.events(limit=1_000)]
    return [event for event in found if event.action in actions]
