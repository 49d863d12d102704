"""Mail of Debian's Dovecot, over TLS with a certificate of its own; `make test-imap`."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from imapclient import IMAPClient

from .world import counts, free_port, hub, program, synced

SOURCE = """source: support
region: GB
connector:
  type: imap
  host: 127.0.0.1
  port: PORT
  user: support@example.com
  password: {env: IMAP_PASSWORD}
  ca_file: ca.pem
streams:
  mails:
    read: {folders: [INBOX, "Support*"], max_bytes: 100000}
    key: id
    observed_at: received
    entities:
      - type: Person
        key: from.address
        shared: true
        properties: {name: from.name, email: from.address}
"""
CONFIG = """base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/ca.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
passdb {{
  driver = static
  args = password=hunter2
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {port}
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Dovecot's folder, where paths are short enough for its sockets and every user may pass."""
    made = Path("/var/tmp/hub-dovecot-test")
    shutil.rmtree(made, ignore_errors=True)
    (made / "mail").mkdir(parents=True)
    made.chmod(0o755)
    shutil.chown(made / "mail", "dovecot", "dovecot")
    yield made
    shutil.rmtree(made)


def certificate(folder: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem"), "-days", "2"),
            *("-subj", "/CN=example", "-addext", f"subjectAltName=IP:{ipaddress.ip_address('127.0.0.1')}"),
        ],
        check=True,
        capture_output=True,
    )


def message(number: int, text: str = "Where is it?") -> bytes:
    return (
        f"Message-ID: <{number}@example.com>\r\nFrom: Cora <c{number}@example.com>\r\n"
        f"To: support@example.com\r\nSubject: Order {number}\r\n\r\n{text}\r\n"
    ).encode()


def test_mail_of_dovecot_is_read_once_and_stays_unseen(tmp_path: Path, folder: Path) -> None:
    port = free_port()
    certificate(folder)
    (folder / "dovecot.conf").write_text(
        CONFIG.format(folder=folder, port=port, user="dovecot", group="dovecot")
    )
    (tmp_path / "sources").mkdir()
    shutil.copy(folder / "ca.pem", tmp_path / "sources" / "ca.pem")
    words = ["dovecot", "-F", "-c", str(folder / "dovecot.conf")]
    with program(words, port, tmp_path / "dovecot.out", **os.environ):
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        with IMAPClient("127.0.0.1", port, ssl_context=context) as mail:
            mail.login("support@example.com", "hunter2")
            for name in ("Support", "Support/Old"):
                mail.create_folder(name)
            day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
            for number in range(600):
                where = ("INBOX", "Support", "Support/Old")[number % 3]
                mail.append(where, message(number), msg_time=day + dt.timedelta(minutes=number))
            mail.append("INBOX", message(9_999, "x" * 200_000), msg_time=day)
            yaml = SOURCE.replace("PORT", str(port))
            with hub(tmp_path, "support", yaml, IMAP_PASSWORD="hunter2") as services:
                first = services.syncer.sync("support").streams["mails"]
                assert (first.read, first.accepted, first.quarantined) == (601, 600, 1)

                mail.select_folder("INBOX", readonly=True)
                assert len(mail.search("UNSEEN")) == 201
                second = synced(services, "support")
                assert counts(second, "mails") == (0, 0, 0)

                mail.select_folder("INBOX")
                mail.add_flags([1], b"\\Answered")
                mail.add_flags([2], b"\\Seen")
                mail.move([3, 4], "Support/Old")
                mail.append("Support", message(700), msg_time=day)
                third = synced(services, "support")
                # Answered, moved and new ones are told; one that was only seen is the same.
                assert counts(third, "mails") == (4, 1, 0)

                for path in folder.rglob("dovecot-uidlist"):
                    path.unlink()
                for path in folder.rglob("dovecot.index*"):
                    path.unlink()
                again = services.syncer.sync("support")
                assert again.state == "suspect"
                assert all("UIDVALIDITY" in doubt for doubt in again.doubts), again.doubts
                assert counts(again, "mails") == (0, 601, 0)
