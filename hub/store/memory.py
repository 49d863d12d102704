"""Databases in memory that last as long as one question: copies of one that is empty, made in a millisecond or two."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property

from sqlalchemy import Connection, Engine, StaticPool, create_engine

from hub.ontology import Ontology
from hub.store import fixed
from hub.store.cancellation import Cancellation
from hub.store.store import Store, translated


class Memory:
    """Makes databases in memory with the tables of one ontology."""

    def __init__(self, ontology: Ontology, secret: bytes) -> None:
        """`secret` is that of the store whose ids the entities shall have."""
        self.store = Store(create_engine("sqlite://", hide_parameters=True), ontology)
        """The tables, for what works on connections to the copies. It holds nothing itself."""
        self.store.secret = secret

    @cached_property
    def _empty(self) -> bytes:
        """The empty one, made for the first question: most processes are asked none, and it takes some 40 ms."""
        with closing(_connect()) as driver:
            engine = _engine(driver)
            fixed.metadata.create_all(engine)
            self.store.tables.metadata.create_all(engine)
            return driver.serialize()

    @contextmanager
    def copy(self, also: str, cancellation: Cancellation) -> Iterator[Connection]:
        """A new empty database, with a second one attached as the schema `also`; the cancellation ends its statements.

        Raises:
            LimitError: it was ended.
        """
        driver = _connect()
        driver.deserialize(self._empty)
        driver.execute(f"ATTACH ':memory:' AS \"{also}\"")
        driver.deserialize(self._empty, name=also)
        engine = _engine(driver)
        try:
            with (
                translated(cancellation),
                self.store.dialect.cancellable(driver, cancellation, engine.dispose),
                engine.connect() as connection,
            ):
                yield connection
        finally:
            engine.dispose()
            driver.close()

    def close(self) -> None:
        """Forget the empty one."""
        self.store.close()


def _connect() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _engine(driver: sqlite3.Connection) -> Engine:
    return create_engine("sqlite://", creator=lambda: driver, poolclass=StaticPool, hide_parameters=True)
