"""The hub and PostGraphile as processes of their own, one worker each."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psycopg

from hub.access import DemoIssuer
from serving.databases import Databases

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGES = ("postgraphile@5.1.5", "node@22.23.3")
POOL = 8
"""Connections of PostGraphile's pool: as many as there are clients at most."""
_TICKS = os.sysconf("SC_CLK_TCK")
_START_S = 60


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    url: str
    pid: int
    is_hub: bool
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def cpu_s(self) -> float:
        """Seconds of CPU that the process has taken."""
        return cpu_of(self.pid)


def cpu_of(pid: int) -> float:
    """Seconds of CPU, user and system, of a process and its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def postgres_cpu_s(postmaster: int) -> float:
    """Seconds of CPU of a PostgreSQL server and all its backends."""
    own = [str(postmaster), *Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]
    return sum(cpu_of(int(pid)) for pid in own if Path(f"/proc/{pid}").exists())


@contextmanager
def hub_server(name: str, store_url: str, made: Databases, folder: Path) -> Iterator[Server]:
    """`hub serve` as it is shipped, with policy, audit log and access log, for a support agent's token."""
    home = folder / name.replace(" ", "-")
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(made.index, home / "index")
    (home / "sources").mkdir()
    port = _free_port()
    environ = {
        **os.environ,
        "HUB_DATA_DIR": str(home),
        "HUB_STORE_URL": store_url,
        "HUB_CONFIG_DIR": str(home / "sources"),
        "HUB_POLICY_FILE": str(ROOT / "policy.yaml"),
        "HUB_PORT": str(port),
        "HUB_DEMO": "1",
        "HUB_MAX_REQUESTS": "100000000",  # what is measured is answers, not refusals
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", "from hub.cli import app; app()", "serve"]
    with _running(command, environ, home / "log") as process:
        _wait(f"http://127.0.0.1:{port}/healthz", process)
        issuer = DemoIssuer(home)
        token = issuer.issue("bench-agent", "support", ["support"], ["customer_service"])
        headers = {"authorization": f"Bearer {token}", "x-purpose": "customer_service"}
        yield Server(name, f"http://127.0.0.1:{port}/graphql", process.pid, True, headers)


@contextmanager
def peer_server(made: Databases, folder: Path) -> Iterator[Server]:
    """PostGraphile 5 on the hub's tables."""
    npm = install_peer(folder)
    with psycopg.connect(made.postgres_uri, autocommit=True) as connection:
        connection.execute((HERE / "postgraphile.sql").read_bytes())
    port = _free_port()
    environ = {**os.environ, "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    command = [str(_node(npm)), "postgraphile.mjs", made.postgres_uri, str(POOL), str(port)]
    with _running(command, environ, npm / "log", npm) as process:
        _wait(f"http://127.0.0.1:{port}/", process)
        yield Server("PostGraphile", f"http://127.0.0.1:{port}/graphql", process.pid, False)


def install_peer(folder: Path) -> Path:
    """The folder with PostGraphile and Node, installed once."""
    npm = folder / "npm"
    npm.mkdir(parents=True, exist_ok=True)
    if not _node(npm).exists():
        (npm / "package.json").write_text('{"private": true}')
        subprocess.run(
            ["npm", "install", "--no-fund", "--no-audit", "--silent", *PACKAGES], cwd=npm, check=True
        )
    # Packages are looked for beside the file that imports them.
    shutil.copy(HERE / "postgraphile.mjs", npm)
    return npm


def _node(npm: Path) -> Path:
    return npm / "node_modules" / "node" / "bin" / "node"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def _running(
    command: list[str], environ: Mapping[str, str], log: Path, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=environ, cwd=folder, stdout=out, stderr=out) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers; what it answers does not matter."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            urlopen(url, timeout=1).close()
        except URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                time.sleep(0.1)
                continue
        return
    sys.exit(f"a server did not start: {' '.join(map(str, process.args))}")  # type: ignore[arg-type]
