"""Files of Debian's OpenSSH server: a chrooted account, a key, a host key that is known; `make test-sftp`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from .world import counts, free_port, hub, program, synced, told

ACCOUNT = "hubsftp"
SOURCE = """source: pos
region: GB
currency: GBP
connector:
  type: files
  root: sftp://127.0.0.1:PORT/out
  sftp: {user: hubsftp, key: {file: id_ed25519}, known_hosts: KNOWN}
streams:
  orders:
    read: {glob: "orders/*.csv", format: {type: csv}, after: move, archive: read}
    key: order_no
    entities:
      - type: Order
        properties: {orderNumber: order_no, total: total}
  customers:
    read: {glob: "customers/**/*.csv.gz", format: {type: csv}}
    key: customer_no
    entities:
      - type: Person
        properties: {name: name, email: email, customerNumber: customer_no}
"""
CONFIG = """Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
ChrootDirectory {chroot}
"""


@pytest.fixture
def account() -> Iterator[tuple[Path, Path]]:
    """The folder of keys, and the one that the account is shut into, which only root may write as sshd wants it."""
    if os.geteuid() != 0:
        pytest.fail("an account is made for the test, which only root can")
    keys, chroot = Path(tempfile.mkdtemp(prefix="hub-keys-", dir="/var/tmp")), Path("/srv/hub-sftp-test")
    keys.chmod(0o755)
    chroot.mkdir(mode=0o755)
    try:
        subprocess.run(["useradd", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT], check=True)
        subprocess.run(["usermod", "--password", "*", ACCOUNT], check=True)
        for name in ("host", "id_ed25519"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True
            )
        shutil.copy(keys / "id_ed25519.pub", keys / "authorized")
        (chroot / "out").mkdir()
        yield keys, chroot
    finally:
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["userdel", ACCOUNT], check=True)
        shutil.rmtree(chroot)
        shutil.rmtree(keys)


def packed(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    subprocess.run(["gzip", "--no-name", str(path)], check=True)


def owned(folder: Path) -> None:
    subprocess.run(["chown", "-R", ACCOUNT, str(folder)], check=True)


def test_files_of_openssh_are_read_once_and_put_away(tmp_path: Path, account: tuple[Path, Path]) -> None:
    keys, chroot = account
    out, port = chroot / "out", free_port()
    (out / "orders").mkdir()
    for day in range(1, 41):
        rows = "".join(f"O{day}-{n},{n}.10\n" for n in range(50))
        (out / "orders" / f"{day:02}.csv").write_text(f"order_no,total\n{rows}")
    for part in range(3):
        rows = "".join(f"C{part}-{n},Cora {n},c{part}{n}@example.com\n" for n in range(400))
        packed(out, f"customers/{part}/all.csv", f"customer_no,name,email\n{rows}")
    (out / "orders" / "41.csv.filepart").write_text("order_no,to")
    owned(out)
    (keys / "sshd").write_text(CONFIG.format(port=port, folder=keys, chroot=chroot))
    Path("/run/sshd").mkdir(exist_ok=True)
    sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", str(keys / "sshd")]
    host_key = " ".join((keys / "host.pub").read_text().split()[:2])
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "KNOWN").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    shutil.copy(keys / "id_ed25519", tmp_path / "sources" / "id_ed25519")
    with (
        program(sshd, port, tmp_path / "sshd.log"),
        hub(tmp_path, "pos", SOURCE.replace("PORT", str(port))) as services,
    ):
        first = synced(services, "pos")
        assert (counts(first, "orders"), counts(first, "customers")) == ((2000, 0, 0), (1200, 0, 0))
        assert told(services, "SELECT count(*) FROM e_order") == 2000
        assert sorted(path.name for path in (out / "orders").iterdir()) == ["41.csv.filepart"]
        assert len(list((out / "read" / "orders").iterdir())) == 40

        (out / "orders" / "41.csv.filepart").write_text("order_no,total\nO1-1,99.00\nO41-1,5.00\n")
        (out / "orders" / "41.csv.filepart").rename(out / "orders" / "41.csv")
        (out / "customers/0/all.csv.gz").rename(out / "customers/0/renamed.csv.gz")
        packed(out, "customers/9/new.csv", "customer_no,name,email\nC9-1,Dora,d@example.com\n")
        owned(out)
        second = synced(services, "pos")
        assert (counts(second, "orders"), counts(second, "customers")) == ((2, 0, 0), (1, 0, 0))
        assert told(services, "SELECT count(*) FROM e_order") == 2001
        third = synced(services, "pos")
        assert (counts(third, "orders"), counts(third, "customers")) == ((0, 0, 0), (0, 0, 0))

        (tmp_path / "sources" / "KNOWN").write_text(f"[127.0.0.1]:{port + 1} {host_key}\n")
        refused = services.syncer.sync("pos")
        assert refused.state == "failed"
        assert "is not known; it shows ssh-ed25519 SHA256:" in refused.doubts[0]
