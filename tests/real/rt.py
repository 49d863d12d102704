"""A real Request Tracker 5 as help desk, by the preset.

`make test-rt` sets it up, fills it, syncs, changes, and syncs again.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from hub.adapters.presets import preset
from hub.services import Services
from tests.real.world import counts, free_port, hub, program, synced

LIBRARY = Path("/usr/share/request-tracker5")
PEOPLE = 130
"""Each asks once: more than a page."""
PASSWORD = "of-a-demo-only"
CONFIGURATION = """Set($rtname, 'example.com');
Set($Organization, 'example.com');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/rt.sqlite');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
Set($MailCommand, 'testfile');
1;
"""
TOKEN = """use RT -init;
my $user = RT::User->new(RT->SystemUser);
$user->Load('root');
$user->SetTimezone('America/New_York');
my $token = RT::AuthToken->new(RT::CurrentUser->new($user));
my ($done, $said, $text) = $token->Create(Owner => $user->id, Description => 'hub');
print $text;
"""
"""A token of a user whose clock is hours behind UTC, by which RT reads the times of a search."""


@dataclass(frozen=True)
class Desk:
    """A server with tickets."""

    url: str
    token: str

    def ask(self, method: str, path: str, said: dict[str, Any]) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        url = f"{self.url}/REST/2.0/{path}"
        return httpx.request(method, url, json=said, headers=headers, timeout=60).raise_for_status().json()

    def ticket(self, subject: str, person: str, **said: Any) -> str:
        given = {"Queue": "General", "Subject": subject, "Requestor": person, "Content": "As said."}
        return str(self.ask("POST", "ticket", {**given, **said})["id"])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder, port = tmp_path_factory.mktemp("rt"), free_port()
    (folder / "site.d").mkdir()
    (folder / "password").write_text(PASSWORD)
    site = folder / "RT_SiteConfig.pm"
    site.write_text(CONFIGURATION.format(port=port, folder=folder))
    environ = {**os.environ, "RT_SITE_CONFIG": str(site), "RT_SITE_CONFIG_DIR": str(folder / "site.d")}
    setup = ["rt-setup-database-5", "--action", "init", "--dba", "root", "--dba-password", "none"]
    subprocess.run(
        [*setup, "--root-password-file", folder / "password"],
        env=environ, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    perl = ["perl", f"-I{LIBRARY / 'lib'}", "-e", TOKEN]
    token = subprocess.run(perl, env=environ, check=True, capture_output=True, text=True).stdout
    served = [str(LIBRARY / "libexec" / "standalone_httpd"), "--port", str(port)]
    with program(served, port, folder / "server.log", **environ):
        yield Desk(f"http://127.0.0.1:{port}", token)


def environ(desk: Desk) -> dict[str, str]:
    return {"RT_URL": desk.url, "RT_TOKEN": desk.token}


@pytest.fixture
def services(desk: Desk, tmp_path: Path) -> Iterator[Services]:
    with hub(tmp_path, "rt", preset("rt").text, **environ(desk)) as opened:
        yield opened


def rows(services: Services, sql: str) -> list[tuple[Any, ...]]:
    with services.store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def test_a_desk_is_read_and_what_changes_in_it(desk: Desk, services: Services) -> None:
    made = [desk.ticket(f"Pump {n}", f"person{n:03}@example.com") for n in range(PEOPLE)]
    desk.ask(
        "PUT", "user/person000@example.com", {"RealName": "Person 000 Sample", "WorkPhone": "020 7946 0001"}
    )
    assert counts(synced(services, "rt"), "tickets") == (PEOPLE, 0, 0)
    [known] = rows(services, "SELECT name, telephone FROM e_person WHERE email = 'person000@example.com'")
    assert known == ("Person 000 Sample", "+442079460001")
    # 1970 is what RT calls unset.
    never = "resolved_at IS NULL AND sla_due_at IS NULL AND handled_by IS NULL AND party_id IS NOT NULL"
    assert rows(services, f"SELECT count(*) FROM e_ticket WHERE {never}") == [(PEOPLE,)]

    desk.ask("PUT", f"ticket/{made[1]}", {"Status": "resolved"})
    desk.ask("PUT", f"ticket/{made[2]}", {"MergeInto": made[3]})
    later = desk.ticket("Leaks again", "person000@example.com", Due="2027-01-31T12:00:00Z")
    second = synced(services, "rt")
    # The merged ticket, the one that took it in, the resolved one, and the new one.
    assert counts(second, "tickets")[0] == 4
    assert rows(services, "SELECT count(*) FROM e_ticket") == [(PEOPLE,)]
    assert rows(services, "SELECT count(*) FROM e_ticket WHERE status = 'resolved'") == [(1,)]
    due = "SELECT t.sla_due_at, p.email FROM e_ticket t JOIN e_person p ON p.id = t.party_id"
    assert rows(services, f"{due} WHERE t.ticket_number = '{later}'") == [
        ("2027-01-31T12:00:00.000000Z", "person000@example.com")
    ]
    assert counts(synced(services, "rt"), "tickets")[0] == 0


def test_a_ticket_that_is_deleted_goes_with_a_full_scan(desk: Desk, tmp_path: Path) -> None:
    gone = desk.ticket("A slip", "nobody-else@example.com")
    yaml = preset("rt").text
    incremental = yaml[yaml.index("      incremental:") : yaml.index("    key: id")]
    whole = yaml.replace(incremental, "").replace("    cursor: LastUpdated\n", "    deletes: full_scan\n")
    whole = whole.replace("        orderby: id\n", "        orderby: id\n        query: EffectiveId > 0\n")
    with hub(tmp_path, "rt", whole, **environ(desk)) as services:
        read = counts(synced(services, "rt"), "tickets")[0]
        desk.ask("PUT", f"ticket/{gone}", {"Status": "deleted"})
        assert counts(synced(services, "rt"), "tickets") == (0, read - 1, 1)
        assert rows(services, "SELECT count(*) FROM e_person WHERE email LIKE 'nobody-else%'") == [(0,)]


def test_a_wrong_token_is_told(desk: Desk, tmp_path: Path) -> None:
    with hub(tmp_path, "rt", preset("rt").text, RT_URL=desk.url, RT_TOKEN="1-2-wrong") as services:
        report = services.syncer.sync("rt")
        assert report.state == "failed"
        assert "401" in report.doubts[0]
