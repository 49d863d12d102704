"""A real Tryton as ERP, by the preset: `make test-tryton` installs it, fills it, syncs, changes, syncs again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from hub.adapters.presets import preset
from hub.services import Services
from tests.real.world import counts, free_port, hub, program, synced

VERSION = "8.2"
PEOPLE, SALES = 30, 20
"""As `tryton_company.py` makes them; every second sale is confirmed."""
MODULES = (
    *("party", "company", "currency", "country", "product", "account", "account_product"),
    *("account_invoice", "account_invoice_stock", "sale", "purchase", "stock"),
)
PASSWORD = "of-a-demo-only"
CONFIGURATION = """[database]
uri = sqlite://
path = {folder}
[web]
listen = 127.0.0.1:{port}
"""


@dataclass(frozen=True)
class Tryton:
    """A server with a filled database."""

    url: str

    def call(self, method: str, *params: Any) -> Any:
        asked = {"id": 1, "method": method, "params": [*params, {}]}
        reply = httpx.post(f"{self.url}/rpc/", json=asked, auth=("admin", PASSWORD), timeout=60)
        answered = reply.raise_for_status().json()
        assert "error" not in answered, answered
        return answered.get("result")


@pytest.fixture(scope="module")
def tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    folder, port = tmp_path_factory.mktemp("tryton"), free_port()
    run = subprocess.check_call
    run([sys.executable, "-m", "venv", folder / "venv"])
    python = folder / "venv" / "bin" / "python"
    packages = [f"trytond_{name}~={VERSION}.0" for name in MODULES]
    run(
        [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            f"trytond~={VERSION}.0",
            f"proteus~={VERSION}.0",
            *packages,
        ]
    )
    configuration = folder / "trytond.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
    (folder / "password").write_text(PASSWORD)
    (folder / "demo.sqlite").touch()
    environ = {**os.environ, "TRYTONPASSFILE": str(folder / "password"), "PYTHONPATH": ""}
    admin = [folder / "venv" / "bin" / "trytond-admin", "-c", configuration, "-d", "demo"]
    admin += ["--email", "admin@example.com"]
    run([*admin, "--all"], env=environ)
    run([*admin, "-p", "--activate-dependencies", "-u", *MODULES], env=environ)
    with closing(sqlite3.connect(folder / "demo.sqlite")) as connection, connection:
        connection.execute('INSERT INTO "res_user-res_group" ("user", "group") SELECT 1, id FROM res_group')
    run([python, Path(__file__).with_name("tryton_company.py"), configuration], env=environ)
    words = [str(folder / "venv" / "bin" / "trytond"), "-c", str(configuration), "-d", "demo"]
    with program(words, port, folder / "server.log", **environ):
        yield Tryton(f"http://127.0.0.1:{port}/demo")


@pytest.fixture
def services(tryton: Tryton, tmp_path: Path) -> Iterator[Services]:
    settings = {"TRYTON_URL": tryton.url, "TRYTON_USER": "admin", "TRYTON_PASSWORD": PASSWORD}
    with hub(tmp_path, "tryton", preset("tryton").text, **settings) as opened:
        yield opened


def rows(services: Services, sql: str) -> list[tuple[Any, ...]]:
    with services.store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def test_a_company_is_read_and_what_changes_in_it(tryton: Tryton, services: Services) -> None:
    first = synced(services, "tryton")
    everybody = PEOPLE + 1  # the company itself is a party
    assert counts(first, "parties") == (everybody, 0, 0)
    assert counts(first, "sales") == counts(first, "shipments") == (SALES // 2, 0, 0)
    sold = sum(n % 3 + 1 for n in range(0, SALES, 2))
    assert rows(services, "SELECT sum(total), count(party_id) FROM e_order") == [(sold * 199_000, SALES // 2)]
    assert rows(services, "SELECT count(*) FROM e_shipment WHERE party_id IS NULL") == [(0,)]

    (contact,) = tryton.call(
        "model.party.contact_mechanism.search", [["value", "=", "person01@example.com"]], 0, None, None
    )
    tryton.call("model.party.contact_mechanism.write", [contact], {"value": "person01.new@example.com"})
    (gone,) = tryton.call("model.party.party.search", [["name", "=", "Person 29 Sample"]], 0, None, None)
    tryton.call("model.party.party.write", [gone], {"active": False})
    second = synced(services, "tryton")
    assert counts(second, "parties")[0] == 2
    assert rows(services, "SELECT email FROM e_person WHERE name = 'Person 01 Sample'") == [
        ("person01.new@example.com",)
    ]
    assert rows(services, "SELECT count(*) FROM e_person") == [(everybody - 1,)]
    assert counts(synced(services, "tryton"), "parties")[0] == 0


def test_a_wrong_password_is_told(tryton: Tryton, tmp_path: Path) -> None:
    settings = {"TRYTON_URL": tryton.url, "TRYTON_USER": "admin", "TRYTON_PASSWORD": "wrong"}
    with hub(tmp_path, "tryton", preset("tryton").text, **settings) as services:
        report = services.syncer.sync("tryton")
        assert report.state == "failed"
        assert "the login was refused (401)" in report.doubts[0]
