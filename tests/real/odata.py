"""A real OData service, SAP's CAP from npm, by OData 4 and 2.

`make test-odata` installs, fills, reads and changes it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from hub.services import Services
from tests.doc_blocks import DOCS, blocks
from tests.real.world import counts, free_port, hub, program, synced

PEOPLE, PAGE = 90, 40
PASSWORD = "of-a-test-only"
PACKAGES = {
    "@sap/cds": "^9", "@cap-js/sqlite": "^2", "@cap-js-community/odata-v2-adapter": "^1", "express": "^4",
}  # fmt: skip
FILES = {
    "package.json": json.dumps({
        "name": "partners", "version": "1.0.0", "dependencies": PACKAGES,
        "cds": {
            "requires": {
                "db": {"kind": "sqlite", "credentials": {"url": ":memory:"}},
                "auth": {"kind": "basic", "users": {"hub": {"password": PASSWORD}}},
            },
            "query": {"limit": {"max": PAGE}},
        },
    }),
    "db/schema.cds": """namespace partners;
entity Partners {
  key ID: String(10); name: String; email: String; born: Date; changed: Timestamp;
  addresses: Composition of many Addresses on addresses.partner = $self;
}
entity Addresses { key ID: UUID; partner: Association to Partners; street: String; city: String; zip: String; }
""",
    "srv/service.cds": """using partners from '../db/schema';
@requires: 'authenticated-user'
service PartnerService {
  entity Partners as projection on partners.Partners;
  entity Addresses as projection on partners.Addresses;
}
""",
    "server.js": """const cds = require('@sap/cds')
const v2 = require('@cap-js-community/odata-v2-adapter')
cds.on('bootstrap', app => app.use(v2()))
module.exports = cds.server
""",
}  # fmt: skip


@dataclass(frozen=True)
class Service:
    """A service with partners."""

    url: str

    def ask(self, method: str, path: str, said: dict[str, Any] | None = None) -> None:
        httpx.request(
            method, f"{self.url}/odata/v4/partner/{path}", json=said, auth=("hub", PASSWORD), timeout=60
        ).raise_for_status()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder, port = tmp_path_factory.mktemp("odata"), free_port()
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    npm = shutil.which("npm")
    assert npm, "npm is not installed"
    subprocess.run([npm, "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    words = ["env", "-C", str(folder), "node_modules/.bin/cds-serve", "--port", str(port)]
    with program(words, port, folder / "server.log"):
        yield Service(f"http://localhost:{port}")


def sources() -> dict[str, str]:
    """Those of docs/transports.md that read OData, by name."""
    found = (block.text for block in blocks(DOCS / "transports.md", "yaml"))
    return {text.split()[1]: text for text in found if "odata" in text.split()[1]}


def rows(services: Services, sql: str) -> list[tuple[Any, ...]]:
    with services.store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


@pytest.mark.parametrize("name", ["odata4", "odata2"])
def test_partners_are_read_and_what_changes_in_them(service: Service, name: str, tmp_path: Path) -> None:
    for n in range(PEOPLE):
        key, minute = f"{name}-{n}", f"{n // 60:02}:{n % 60:02}"
        service.ask("POST", "Partners", {
            "ID": key[4:], "name": f"Person {n} Sample", "email": f"p{n}@example.com", "born": "1980-01-31",
            "changed": f"2026-03-01T08:{minute}.123Z",
            "addresses": [{"street": "1 Main Street", "city": "Leeds", "zip": "LS1 1AA"}],
        })  # fmt: skip
    base = "/odata/v4/partner" if name == "odata4" else "/odata/v2/partner"
    environ = {"PARTNERS_URL": service.url + base, "PARTNERS_PASSWORD": PASSWORD}
    with hub(tmp_path, name, sources()[name], **environ) as services:
        assert counts(synced(services, name), "partners") == (PEOPLE, 0, 0)
        sql = "SELECT name, birth_date, address_locality FROM e_person WHERE email = 'p7@example.com'"
        assert rows(services, sql) == [("Person 7 Sample", "1980-01-31", "Leeds")]
        changed = {"email": "p7.new@example.com", "changed": "2026-03-02T09:00:00.001Z"}
        service.ask("PATCH", f"Partners('{name[4:]}-7')", changed)
        assert counts(synced(services, name), "partners")[0] == 1
        assert rows(services, "SELECT name FROM e_person WHERE email = 'p7.new@example.com'") == [
            ("Person 7 Sample",)
        ]
        assert counts(synced(services, name), "partners")[0] == 0
    for n in range(PEOPLE):
        service.ask("DELETE", f"Partners('{name[4:]}-{n}')")
