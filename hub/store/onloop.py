"""Single statements of PostgreSQL asked on the event loop itself.

A thread and psycopg take three times the CPU of a point lookup; asyncpg on the loop a fifth of that. What it cannot
answer (a lost connection, settings of the address that it does not know) is left to the threads, which retry and
explain; so nothing here is the only way to an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy.engine import URL

from hub.store.cancellation import Cancellation
from hub.store.dialect import READING, numbered

CONNECTIONS = 8
"""At most; one connection serves a thousand lookups a second."""

_CLOSE_S = 5.0
"""Seconds that the server may take to end a statement that nobody waits for any more."""

_CONNECT_S = 10.0

_STATEMENTS = 256
"""Plans that a connection keeps."""


_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


class ElsewhereError(Exception):
    """Not answered here; ask by a thread, which tries again, or says what is wrong."""


class LoopAsker:
    """Asks one database from the event loop in which it is made. Close it in the same."""

    def __init__(self, url: URL) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._loop = asyncio.get_running_loop()
        self._open: set[asyncpg.Connection] = set()
        self._ending: set[asyncio.Task[None]] = set()
        # Last in, first out: what the busiest connection has prepared serves most questions.
        self._places: asyncio.LifoQueue[asyncpg.Connection | None] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            self._places.put_nowait(None)

    async def first_row(
        self, sql: str, values: Mapping[str, Any], cancellation: Cancellation
    ) -> Sequence[Any] | None:
        """The first row of the statement, parameters named as `Dialect.param` spells them.

        Raises:
            LimitError: the time is up.
            ElsewhereError: a thread has to ask.
        """
        if asyncio.get_running_loop() is not self._loop:
            raise ElsewhereError
        statement, names = numbered(sql)
        given = [values[name] for name in names]
        place = await self._place(cancellation)
        kept = None
        try:
            connection = place or await self._connected()
            cancellation.check()
            try:
                row = await connection.fetchrow(statement, *given, timeout=cancellation.left_s)
                kept = connection
            except BaseException:
                self._retire(connection)
                raise
        except (*_FAILURES, ValueError) as error:
            if isinstance(error, TimeoutError) and cancellation.is_over:
                raise cancellation.error from None
            raise ElsewhereError from None
        finally:
            self._places.put_nowait(kept)
        return None if row is None else tuple(row)

    async def close(self) -> None:
        """Give all connections back to the database; statements under way end."""
        for connection in tuple(self._open):
            self._retire(connection)
        await asyncio.gather(*self._ending)

    async def _place(self, cancellation: Cancellation) -> asyncpg.Connection | None:
        """A connection that is free, None for the right to make one."""
        if not self._places.empty():
            return self._places.get_nowait()
        try:
            async with asyncio.timeout(cancellation.left_s):
                return await self._places.get()
        except TimeoutError:
            raise cancellation.error from None

    async def _connected(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            self._address,
            timeout=_CONNECT_S,
            statement_cache_size=_STATEMENTS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            server_settings=READING,
        )
        self._open.add(connection)
        return connection

    def _retire(self, connection: asyncpg.Connection) -> None:
        """Close the connection once the server has heard that its statement shall end."""
        self._open.discard(connection)
        task = asyncio.get_running_loop().create_task(_closed(connection))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _closed(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=_CLOSE_S)
    except _FAILURES:
        connection.terminate()
