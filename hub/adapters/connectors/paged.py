"""What connectors of paged services share, whatever is spoken: pages, increments, substreams, and their watch."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Literal
from urllib.parse import quote

import httpx
import jmespath
from jmespath.exceptions import JMESPathError

from hub.adapters import payload
from hub.adapters.connectors.http import Address, HttpApi, Reply
from hub.adapters.connectors.rest_body import filled
from hub.adapters.connectors.rest_cursor import Increment
from hub.adapters.connectors.rest_delta import Resumption
from hub.adapters.connectors.rest_models import (
    OffsetPaging,
    PagePaging,
    RestRead,
)
from hub.adapters.connectors.rest_paging import (
    LoopWatch,
    PageMarks,
    Repeats,
    Standing,
    Totals,
    first_params,
    next_address,
    numbers_of,
    written,
)
from hub.adapters.records import (
    BadRecord,
    Batch,
    ConnectorContext,
    Cursor,
    Payload,
    RawRecord,
    Record,
    StreamRead,
)
from hub.errors import SourceProtocolError
from hub.yamlfile import nearest

_PARENT = re.compile(r"\{parent\.([^{}]+)\}")


class PagedConnector(ABC):
    """Reads one API; what a request and a reply look like its subclass says."""

    def __init__(self, context: ConnectorContext, max_pages: int) -> None:
        self.warnings: list[str] = []
        self._context, self._max_pages = context, max_pages
        self._opened: HttpApi | None = None

    @abstractmethod
    def _open(self) -> HttpApi:
        """The API, not yet asked."""

    @abstractmethod
    def _ask(
        self,
        stream: StreamRead[RestRead],
        read: RestRead,
        address: Address,
        parent: Payload | None,
        accept: frozenset[int],
    ) -> Reply:
        """The reply to one request; statuses in `accept` are given back like success."""

    def batches(
        self, stream: StreamRead[RestRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        """The records of all pages; with `incremental`, those that changed since the cursor.

        Unless the stream is `ordered`, only the last batch moves the cursor: an interrupted run begins again.

        Raises:
            SourceUnavailableError: the API stayed out of reach, broken or busy through all tries.
            SourceProtocolError: it refuses, pages in a circle, or replies with something else than expected.
        """
        increment = self._increment(stream, cursor)
        collected: list[Record] = []
        for record in self._records(stream, stream.read, increment):
            collected.append(record)
            if isinstance(increment, Increment):
                with self._explained(stream, stream.read.path):
                    increment.see(record)
            if len(collected) == batch_size:
                yield Batch(collected, increment.cursor_between() if increment else None)
                collected = []
        last = increment.cursor_at_end() if increment else None
        if isinstance(increment, Resumption):
            for doubt in increment.doubts():
                self._warn(f"{stream.name}: {doubt}")
        if collected or last != cursor:
            yield Batch(collected, last)

    def close(self) -> None:
        """Give the connections back."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _api(self) -> HttpApi:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _increment(
        self, stream: StreamRead[RestRead], cursor: Cursor | None
    ) -> Increment | Resumption | None:
        incremental, delta = stream.read.incremental, stream.read.delta
        if delta is not None:
            return Resumption(delta, cursor)
        if incremental is None:
            return None
        if stream.cursor_field is None:
            raise self._wrong(
                stream, "incremental needs the stream's cursor, the path of a record's time of change"
            )
        return Increment(incremental, stream.cursor_field, cursor)

    def _records(
        self, stream: StreamRead[RestRead], read: RestRead, increment: Increment | Resumption | None
    ) -> Iterator[Record]:
        """The records of `read`, for each record of its parent where it has one."""
        if read.for_each is None:
            while (yield from self._pages(stream, read, None, increment, "")):
                pass
            return
        for number, parent in enumerate(self._records(stream, read.for_each, None), 1):
            if isinstance(parent, RawRecord):
                yield from self._pages(stream, read, parent.payload, increment, f"parent {number} ")
            else:
                yield parent

    def _pages(
        self,
        stream: StreamRead[RestRead],
        read: RestRead,
        parent: Payload | None,
        increment: Increment | Resumption | None,
        at: str,
    ) -> Generator[Record, None, bool]:
        """The records of all pages, and whether it has to be asked anew, from where it came to.

        A page is looked at whole before any of its records is given.
        """
        first = self._first(stream, read, parent, increment)
        address: Address | None = first
        watch, marks, repeats, got, totals = LoopWatch(), PageMarks(), Repeats(), 0, Totals()
        for page in count(1):
            if address is None:
                break
            if page > self._max_pages:
                raise self._wrong(stream, f"more than max_pages ({self._max_pages}) pages")
            if not watch.is_new(address):
                raise self._wrong(
                    stream, f"{address.path}: paging goes in a circle: page {page} was asked before"
                )
            reply = self._reply(stream, read, address, page, parent, increment)
            if reply is None and page == 1 and isinstance(increment, Resumption):
                increment.forget()
                return True
            if reply is None:
                break
            with self._explained(stream, address.path):
                _note_reply(increment, reply)
            items = self._items(stream, read, reply, address)
            if not watch.is_new_page(items):
                raise self._wrong(
                    stream, f"{address.path}: paging goes in a circle: page {page} repeats another"
                )
            self._note(read, address, items, marks, repeats)
            got += len(items)
            if read.total_path:
                totals.see(jmespath.search(read.total_path, reply.json))
            yield from (
                _record(item, read, parent, f"{at}page {page} item {n}") for n, item in enumerate(items, 1)
            )
            with self._explained(stream, address.path):
                if isinstance(increment, Increment) and increment.has_enough(got):
                    increment.go_on()
                    if self._first(stream, read, parent, increment) == first:
                        raise ValueError(
                            f"{got} records have so nearly one watermark that it leads no further"
                        )
                    return True
                standing = Standing(first, address, page, got, len(items))
                address = next_address(read.paging, self._api(), standing, reply)
        for doubt in totals.doubts(got):
            self._warn(f"{stream.name}: {at}{doubt}")
        if repeats.count:
            self._warn(
                f"{stream.name}: {at}{repeats.count} records came again within a page or in the next: pages overlap, "
                "and others may have been passed over"
            )
        if isinstance(read.paging, PagePaging | OffsetPaging) and read.paging.recheck:
            self._recheck(stream, read, marks, at, parent)
        return False

    @staticmethod
    def _note(read: RestRead, address: Address, items: list[Any], marks: PageMarks, repeats: Repeats) -> None:
        """What is compared later: where pages are counted, for tokens and links may overlap by design."""
        if isinstance(read.paging, PagePaging | OffsetPaging):
            repeats.see(items)
            if read.paging.recheck:
                marks.add(address, items)

    def _recheck(
        self,
        stream: StreamRead[RestRead],
        read: RestRead,
        marks: PageMarks,
        at: str,
        parent: Payload | None,
    ) -> None:
        """Ask for all pages again, and tell when one is another by now."""

        def ask(address: Address, page: int) -> list[Any]:
            reply = self._reply(stream, read, address, page, parent)
            return [] if reply is None else self._items(stream, read, reply, address)

        if marks.changed(ask):
            self._warn(f"{stream.name}: {at}pages shifted while they were read; the next run may meet more")

    def _first(
        self,
        stream: StreamRead[RestRead],
        read: RestRead,
        parent: Payload | None,
        increment: Increment | Resumption | None,
    ) -> Address:
        with self._explained(stream, read.path):
            params = {name: _filled(written(value), parent, "params") for name, value in read.params.items()}
            changes = increment.params() if isinstance(increment, Increment) else {}
            path = _filled(read.path, parent, "path")
            first = self._api().address(path, {**params, **first_params(read.paging), **changes})
            return increment.address(self._api(), first) if isinstance(increment, Resumption) else first

    def _reply(
        self,
        stream: StreamRead[RestRead],
        read: RestRead,
        address: Address,
        page: int,
        parent: Payload | None,
        increment: Increment | Resumption | None = None,
    ) -> Reply | None:
        """The reply, or None where its status says that there is no such page, or place to go on from, any more."""
        ends = (
            read.paging.end_status
            if isinstance(read.paging, PagePaging | OffsetPaging) and page > 1
            else frozenset()
        )
        if isinstance(increment, Resumption) and page == 1:
            ends = increment.expired
        reply = self._ask(stream, read, address, parent, ends)
        if reply.status in ends:
            return None
        if read.error_path and jmespath.search(read.error_path, reply.json):
            raise self._wrong(
                stream, f"{address.path}: status {reply.status} with an error at {read.error_path!r}"
            )
        return reply

    def _filled(
        self, stream: StreamRead[RestRead], read: RestRead, address: Address, parent: Payload | None
    ) -> Any:
        """The body, or what stands for one, with the parameters of `address` and the parent's values."""
        with self._explained(stream, address.path):
            return filled(
                read.body,
                dict(address.params),
                numbers_of(read.paging),
                lambda text: _filled(text, parent, "params"),
            )

    def _items(
        self, stream: StreamRead[RestRead], read: RestRead, reply: Reply, address: Address
    ) -> list[Any]:
        if reply.json is None:
            return []
        with self._explained(stream, address.path):
            found = jmespath.search(read.records, reply.json)
        if read.single:
            return [] if found is None else [found]
        if isinstance(found, list):
            return found
        names = sorted(reply.json) if isinstance(reply.json, dict) else []
        like = nearest(read.records, names)
        hint = f"; did you mean {like!r}?" if like else f"; it has {', '.join(names)}" if names else ""
        raise self._wrong(stream, f"{address.path}: the reply has no list at {read.records!r}{hint}")

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    def _wrong(self, stream: StreamRead[RestRead], message: str) -> SourceProtocolError:
        return SourceProtocolError(self._context.source, stream.name, message)

    @contextmanager
    def _explained(self, stream: StreamRead[RestRead], path: str) -> Iterator[None]:
        """Faults in what an API or a mapping says, as errors of this stream; none of them shows a value."""
        try:
            yield
        except JMESPathError as error:
            raise self._wrong(
                stream, f"{path}: a JMESPath does not fit the reply ({type(error).__name__})"
            ) from None
        except httpx.InvalidURL:
            raise self._wrong(stream, f"{path}: an address is malformed") from None
        except ValueError as error:
            raise self._wrong(stream, f"{path}: {error}") from None


def _record(item: Any, read: RestRead, parent: Payload | None, position: str) -> Record:
    if not isinstance(item, dict):
        return BadRecord(payload.readable(item), position, "not a JSON object")
    added = {name: jmespath.search(path, parent) for name, path in read.parent_fields.items()}
    return RawRecord({**item, **added}, position)


def _filled(text: str, parent: Payload | None, place: Literal["path", "params"]) -> str:
    """`text` with the parent's values; in a path they are quoted, so that they stay one segment.

    Raises:
        ValueError: the parent has no such value, or one that would lead elsewhere.
    """

    def value(found: re.Match[str]) -> str:
        given = jmespath.search(found[1], parent)
        if isinstance(given, bool) or not isinstance(given, str | int) or given in ("", ".", ".."):
            raise ValueError(f"a parent's record has no usable {found[1]!r}")
        return quote(str(given), safe="") if place == "path" else str(given)

    return _PARENT.sub(value, text)


def _note_reply(increment: Increment | Resumption | None, reply: Reply) -> None:
    if isinstance(increment, Resumption):
        increment.replied(reply)
    elif increment is not None:
        increment.began(reply.received_at)
