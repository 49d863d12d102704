"""A real OpenLDAP: `make test-ldap` fills it, syncs, changes, syncs again; over TLS, and past the server's limit."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ldap3
import pytest
import sqlalchemy as sa

from hub.services import Services
from tests.doc_blocks import DOCS, blocks
from tests.real.world import counts, free_port, hub, program, synced

PEOPLE, LIMIT = 230, 50
SUFFIX, PASSWORD = "dc=example,dc=com", "of-a-test-only"
CONFIGURATION = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
sizelimit size.soft={limit} size.hard={limit} size.prtotal=unlimited
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
pidfile {folder}/pid
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw {password}
directory {folder}/data
maxsize 100000000
limits dn.exact="cn=hub,dc=example,dc=com" size.soft={limit} size.hard={limit} size.prtotal=unlimited
"""


@dataclass(frozen=True)
class Directory:
    """A server with people."""

    port: int
    tls_port: int
    authority: Path

    def connected(self) -> ldap3.Connection:
        server = ldap3.Server("127.0.0.1", port=self.port)
        return ldap3.Connection(server, f"cn=admin,{SUFFIX}", PASSWORD, auto_bind=True, raise_exceptions=True)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    slapd = shutil.which("slapd", path="/usr/sbin:/usr/bin")
    assert slapd, "slapd is not installed"
    folder, port, tls_port = tmp_path_factory.mktemp("ldap"), free_port(), free_port()
    (folder / "data").mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", "server.key", "-out", "server.pem"],
        cwd=folder, check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    configuration = folder / "slapd.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, limit=LIMIT, password=PASSWORD))
    urls = f"ldap://127.0.0.1:{port} ldaps://localhost:{tls_port}"
    with program([slapd, "-d", "0", "-f", str(configuration), "-h", urls], port, folder / "log"):
        made = Directory(port, tls_port, folder / "server.pem")
        connection = made.connected()
        connection.add(SUFFIX, ["dcObject", "organization"], {"o": "Example", "dc": "example"})
        connection.add(f"cn=hub,{SUFFIX}", ["person"], {"sn": "hub", "userPassword": PASSWORD})
        connection.add(f"ou=people,{SUFFIX}", ["organizationalUnit"])
        for n in range(PEOPLE):
            connection.add(
                f"uid=p{n},ou=people,{SUFFIX}",
                ["inetOrgPerson"],
                {
                    "cn": f"Zoë Sample {n}",
                    "sn": f"Sample {n}",
                    "givenName": "Zoë",
                    "mail": [f"p{n}@example.com"],
                },
            )
        connection.unbind()
        yield made


def source(directory: Directory, **changed: str) -> str:
    """That of docs/transports.md, for this server."""
    [text] = (b.text for b in blocks(DOCS / "transports.md", "yaml") if b.text.startswith("source: staff"))
    text = text.replace(
        "host: ldap.example.com",
        f"host: localhost\n  port: {directory.tls_port}\n  ca_file: {directory.authority}",
    )
    for before, after in changed.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def rows(services: Services, sql: str) -> list[tuple[Any, ...]]:
    with services.store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def test_people_are_read_past_the_limit_and_what_changes_in_them(
    directory: Directory, tmp_path: Path
) -> None:
    with hub(tmp_path, "staff", source(directory), LDAP_PASSWORD=PASSWORD) as services:
        assert counts(synced(services, "staff"), "people") == (PEOPLE, 0, 0)
        sql = "SELECT name, given_name FROM e_person WHERE email = 'p7@example.com'"
        assert rows(services, sql) == [("Zoë Sample 7", "Zoë")]
        assert rows(services, "SELECT count(*) FROM record WHERE payload LIKE '%assword%'") == [(0,)]
        admin = directory.connected()
        admin.modify(f"uid=p7,ou=people,{SUFFIX}", {"mail": [(ldap3.MODIFY_REPLACE, ["p7.new@example.com"])]})
        assert counts(synced(services, "staff"), "people")[0] == 1
        assert rows(services, "SELECT name FROM e_person WHERE email = 'p7.new@example.com'") == [
            ("Zoë Sample 7",)
        ]
        assert counts(synced(services, "staff"), "people")[0] == 0
        admin.unbind()


def test_who_went_is_found_by_a_full_scan(directory: Directory, tmp_path: Path) -> None:
    whole = source(directory, **{"cursor: modifyTimestamp": "deletes: full_scan"})
    with hub(tmp_path, "staff", whole, LDAP_PASSWORD=PASSWORD) as services:
        assert counts(synced(services, "staff"), "people") == (PEOPLE, 0, 0)
        admin = directory.connected()
        admin.delete(f"uid=p8,ou=people,{SUFFIX}")
        assert counts(synced(services, "staff"), "people") == (0, PEOPLE - 1, 1)
        admin.add(f"uid=p8,ou=people,{SUFFIX}", ["inetOrgPerson"], {"cn": "Zoë Sample 8", "sn": "Sample 8"})
        admin.unbind()


# The library loses the socket whose certificate it does not trust.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(
    ("changed", "password", "message"),
    [
        ({}, "wrong", "the login was refused"),
        ({"ou=people": "ou=nowhere"}, PASSWORD, "the search was refused (LDAPNoSuchObjectResult)"),
        (
            {"(objectClass=inetOrgPerson)": "(|(objectClass=inetOrgPerson)"},
            PASSWORD,
            "the search was refused",
        ),
        ({"host: localhost": "host: 127.0.0.1"}, PASSWORD, "TLS failed"),
    ],
)
def test_what_cannot_be_is_told(
    directory: Directory, tmp_path: Path, changed: dict[str, str], password: str, message: str
) -> None:
    with hub(tmp_path, "staff", source(directory, **changed), LDAP_PASSWORD=password) as services:
        report = services.syncer.sync("staff")
        assert report.state == "failed"
        assert message in report.doubts[0]
        assert PASSWORD not in repr(report)
