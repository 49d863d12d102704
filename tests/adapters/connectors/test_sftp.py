"""Files of an SFTP server: only of the right server, only as the YAML logs in, and none lost when it fails."""

from __future__ import annotations

import threading
import time

import paramiko
import pytest
from pydantic import ValidationError

from hub.adapters.connectors.files import FilesConfig, FilesRead
from hub.adapters.records import ConnectorContext, StreamRead
from hub.errors import ConfigurationError, SourceProtocolError, SourceUnavailableError

from .sftp_world import new_key, sftp_server

READ = {"glob": "**/*.csv", "format": {"type": "csv"}}


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served" / "out"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("id\n1\n2\n")
    (folder / "b.csv").write_text("id\n3\n")
    with sftp_server(tmp_path / "served") as server:
        yield server


@pytest.fixture
def open_files(served, reader, tmp_path):
    opened = []

    def open_(read=None, root="/out", **sftp):
        login = {"user": "hub", "key": {"env": "KEY"}, "host_key": served.host_key, "timeout_s": 1, **sftp}
        config = FilesConfig.model_validate(
            {
                "type": "files",
                "root": f"sftp://127.0.0.1:{served.port}{root}",
                "sftp": {name: value for name, value in login.items() if value is not None},
            }
        )
        environ = {
            "KEY": served.private,
            "PASSWORD": served.password,
            "WRONG": "s3same",
            "OTHER": new_key()[0],
        }
        connector = config.connect(ConnectorContext("shop", environ, tmp_path))
        opened.append(connector)
        return reader(connector, StreamRead("orders", FilesRead.model_validate(READ | (read or {}))))

    yield open_
    for connector in opened:
        connector.close()


def ids(rows):
    return [int(row["id"]) for row in rows]


@pytest.mark.parametrize("login", [{}, {"key": None, "password": {"env": "PASSWORD"}}])
def test_files_are_read_once_by_key_and_by_password(served, open_files, login):
    files = open_files(**login)
    batches = files.batches()
    assert ids(r.payload for b in batches for r in b.records) == [1, 2, 3]
    assert files.batches(batches[-1].cursor) == []
    assert len(served.connections) == 1


def test_the_connection_is_given_back(served, open_files):
    files = open_files()
    files.rows()
    files.connector.close()
    deadline = time.monotonic() + 5
    while served.connections[0].is_active() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not served.connections[0].is_active()


def known_hosts(tmp_path, port, key):
    (tmp_path / "hosts").write_text(f"[127.0.0.1]:{port} {key}\n")
    return {"host_key": None, "known_hosts": "hosts"}


def test_a_server_in_the_file_of_known_hosts_is_read(served, open_files, tmp_path):
    assert ids(open_files(**known_hosts(tmp_path, served.port, served.host_key)).rows()) == [1, 2, 3]


def test_a_server_that_is_not_known_is_refused_before_any_login(served, open_files, tmp_path):
    login = known_hosts(tmp_path, served.port + 1, served.host_key) | {"password": {"env": "PASSWORD"}}
    unknown = r"host key of \[127\.0\.0\.1\]:\d+ is not known; it shows ssh-ed25519 SHA256:"
    with pytest.raises(SourceProtocolError, match=unknown):
        open_files(**login).batches()
    assert served.logins == []


def test_a_server_with_another_key_than_the_known_one_is_refused(served, open_files):
    with pytest.raises(SourceProtocolError, match=r"shows another host key.*somebody may be in between"):
        open_files(host_key=new_key()[1]).batches()
    assert served.logins == []


def test_a_missing_file_of_known_hosts_is_named(open_files):
    with pytest.raises(SourceProtocolError, match="known host keys nowhere cannot be read"):
        open_files(host_key=None, known_hosts="nowhere").batches()


@pytest.mark.parametrize(
    ("login", "message"),
    [
        ({"key": None, "password": {"env": "WRONG"}}, "refused the login"),
        ({"key": {"env": "OTHER"}}, "refused the login"),
        ({"key": {"env": "WRONG"}}, r"sftp\.key is no private key that can be used"),
        ({"host_key": "ssh-ed25519 AAAA"}, "host_key is no public key"),
    ],
)
def test_a_login_that_cannot_work_says_so_without_the_secret(open_files, login, message):
    with pytest.raises(SourceProtocolError, match=message) as caught:
        open_files(**login).batches()
    assert "s3same" not in str(caught.value)


def test_a_key_that_is_not_there_is_a_fault_of_the_configuration(open_files):
    with pytest.raises(ConfigurationError, match="MISSING is not set"):
        open_files(key={"env": "MISSING"}).batches()


@pytest.mark.parametrize(
    "sftp",
    [
        {"user": "hub"},
        {"user": "hub", "password": "hunter2"},
        {"user": "hub", "key": {"env": "KEY"}, "known_hosts": "x", "host_key": "ssh-rsa AAAA"},
        {"user": "hub", "key": {"env": "KEY"}, "host_key": "none"},
    ],
)
def test_a_login_described_wrongly_is_refused(sftp):
    with pytest.raises(ValidationError) as caught:
        FilesConfig.model_validate({"type": "files", "root": "sftp://example.com/out", "sftp": sftp})
    assert "hunter2" not in str(caught.value)


def test_a_server_is_not_trusted_by_options(context):
    config = FilesConfig.model_validate(
        {"type": "files", "root": "sftp://127.0.0.1/out", "options": {"username": "hub"}}
    )
    with pytest.raises(SourceProtocolError, match="is described by `sftp`"):
        list(config.connect(context).batches(StreamRead("orders", FilesRead.model_validate(READ)), None, 10))


def test_a_server_that_says_nothing_is_given_up(served, open_files):
    served.silent = True
    began = time.monotonic()
    with pytest.raises(SourceUnavailableError):
        open_files(attempts=1).batches()
    assert time.monotonic() - began < 4


def test_a_server_that_stops_within_a_file_is_given_up_and_gone_on_with_later(served, open_files):
    (served.folder / "out" / "b.csv").write_text("id\n" + "".join(f"{n}\n" for n in range(3, 400_000)))
    stuck = threading.Event()
    served.reading = lambda path, offset: (
        stuck.wait(3) if path.endswith("b.csv") and offset > 1 << 20 else None
    )
    files = open_files()
    read = []
    with pytest.raises(SourceUnavailableError, match=r"b\.csv: was silent for too long"):
        read.extend(files.connector.batches(files.stream, None, 1000))
    stuck.set()
    assert len(read) > 100
    rest = ids(open_files().rows(read[-1].cursor))
    assert ids(r.payload for b in read for r in b.records) + rest == list(range(1, 400_000))


def test_a_connection_that_breaks_is_the_servers_fault_and_loses_nothing(served, open_files):
    def broken(path, offset):
        if path.endswith("b.csv"):
            served.connections[-1].close()

    served.reading = broken
    files = open_files()
    read = []
    with pytest.raises(SourceUnavailableError, match=r"shop\.orders: b\.csv"):
        read.extend(files.connector.batches(files.stream, None, 1))
    served.reading = lambda _path, _offset: None
    assert ids(open_files().rows(read[-1].cursor)) in ([3], [2, 3])


def test_a_folder_that_cannot_be_listed_is_no_empty_one(served, open_files):
    """fsspec itself leaves such a folder out, and its files would be forgotten."""
    (served.folder / "out" / "deep").mkdir()
    (served.folder / "out" / "deep" / "c.csv").write_text("id\n4\n")
    cursor = open_files().batches()[-1].cursor

    def refused(path):
        if path.endswith("deep"):
            raise PermissionError(13, "no")

    served.listing = refused
    with pytest.raises(SourceUnavailableError, match="permission denied"):
        open_files().batches(cursor)


def test_files_are_put_away_on_the_server(served, open_files):
    files = open_files({"after": "move", "archive": "read/2026"})
    cursor = files.batches()[-1].cursor
    files.connector.committed(files.stream, cursor)
    assert sorted(p.name for p in (served.folder / "out" / "read" / "2026").iterdir()) == ["a.csv", "b.csv"]
    assert files.rows(cursor) == []


def test_a_renamed_file_is_not_read_again(served, open_files):
    cursor = open_files().batches()[-1].cursor
    (served.folder / "out" / "a.csv").rename(served.folder / "out" / "z.csv")
    assert open_files().rows(cursor) == []


def test_the_servers_packages_raise_what_is_translated(open_files, monkeypatch):
    def refused(*_args, **_kwargs):
        raise paramiko.SSHException("hunter2")

    monkeypatch.setattr(paramiko.SFTPClient, "open", refused)
    with pytest.raises(
        SourceUnavailableError, match=r"a\.csv: the server cannot be reached.*SSHException"
    ) as caught:
        open_files().batches()
    assert "hunter2" not in str(caught.value)
