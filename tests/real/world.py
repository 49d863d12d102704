"""What the tests against real systems share: a hub of one source, and programs that run beside it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.adapters.runs import RunReport
from hub.services import Services, open_services
from hub.settings import load_settings

ROOT = Path(__file__).parents[2]


@contextmanager
def hub(folder: Path, name: str, yaml: str, **environ: str) -> Iterator[Services]:
    """A hub in `folder` that knows one source, with these variables as its environment."""
    (folder / "sources").mkdir(exist_ok=True)
    (folder / "sources" / f"{name}.yaml").write_text(yaml)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_DATA_DIR", str(folder / "var"))
        patch.setenv("HUB_CONFIG_DIR", str(folder / "sources"))
        patch.setenv("HUB_POLICY_FILE", str(ROOT / "policy.yaml"))
        with open_services(load_settings(), environ) as services:
            yield services


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@contextmanager
def program(words: Sequence[str], port: int, log: Path, **environ: str) -> Iterator[None]:
    """A server that runs until the block ends, from when it listens on `port`."""
    with (
        log.open("wb") as out,
        subprocess.Popen(words, stdout=out, stderr=out, env=environ or None) as running,
    ):
        try:
            deadline = time.monotonic() + 60
            while not _listens(port):
                if running.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{words[0]} does not listen: {log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield
        finally:
            running.terminate()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def synced(services: Services, source: str) -> RunReport:
    """The report of a run in which all went well and each record is accounted for."""
    report = services.syncer.sync(source)
    assert (report.state, list(report.doubts)) == ("ok", []), report
    assert all(counts.reconciles for counts in report.streams.values())
    return report


def counts(report: RunReport, stream: str) -> tuple[int, int, int]:
    """How many records of a stream were accepted, unchanged and deleted; none of a stream that gave nothing."""
    found = report.streams.get(stream)
    return (found.accepted, found.unchanged, found.deleted) if found else (0, 0, 0)


def told(services: Services, sql: str) -> object:
    """What one value of the hub's tables is."""
    with services.store.read() as connection:
        return connection.exec_driver_sql(sql).scalar_one()
