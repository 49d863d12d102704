"""From one page to the next, in each way of paging, and the watch for pages that never end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath

from hub.adapters import payload
from hub.adapters.connectors.http import Address, HttpApi, Reply
from hub.adapters.connectors.rest_models import (
    CursorPaging,
    LinkPaging,
    NextUrlPaging,
    NoPaging,
    OffsetPaging,
    PagePaging,
    Paging,
)
from hub.errors import RecordError


def first_params(paging: Paging) -> dict[str, str]:
    """The query parameters of the first page."""
    if isinstance(paging, NoPaging):
        return {}
    params = {paging.size_param: str(paging.size)} if paging.size_param else {}
    if isinstance(paging, PagePaging | OffsetPaging):
        params[paging.param] = str(paging.start)
    return params


def numbers_of(paging: Paging) -> frozenset[str]:
    """The parameters of this way of paging that are numbers."""
    if isinstance(paging, NoPaging):
        return frozenset()
    counted = {paging.param} if isinstance(paging, PagePaging | OffsetPaging) else set[str]()
    return frozenset(counted | ({paging.size_param} if paging.size_param else set()))


def next_address(
    paging: Paging, api: HttpApi, current: Address, reply: Reply, page: int, got: int, in_page: int
) -> Address | None:
    """The address after page number `page` (from 1), with `got` records so far, or None at the end.

    Raises:
        ValueError: the reply refers to another host.
    """
    if isinstance(paging, PagePaging | OffsetPaging):
        if not in_page or (paging.more_path and not jmespath.search(paging.more_path, reply.json)):
            return None
        step = page if isinstance(paging, PagePaging) else got
        return current.with_params({paging.param: str(paging.start + step)})
    if isinstance(paging, CursorPaging):
        token = jmespath.search(paging.path, reply.json)
        return None if token in (None, "", False) else current.with_params({paging.param: str(token)})
    if isinstance(paging, NextUrlPaging):
        link = jmespath.search(paging.path, reply.json)
        return api.follow(current, str(link)) if link else None
    if isinstance(paging, LinkPaging):
        return api.follow(current, reply.next_link) if reply.next_link else None
    return None


class LoopWatch:
    """Knows the pages and addresses of one pass, by digests: a second meeting means that paging goes in a circle."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def is_new(self, address: Address) -> bool:
        """Whether `address` was not asked before."""
        return self._add(address.written.encode())

    def is_new_page(self, records: list[Any]) -> bool:
        """Whether a page with these records was not met before; empty pages may repeat."""
        return not records or self._add(_bytes(records))

    def _add(self, data: bytes) -> bool:
        mark = payload.digest(data)
        if mark in self._seen:
            return False
        self._seen.add(mark)
        return True


class Totals:
    """What the replies of one pass claim to be the number of records."""

    def __init__(self) -> None:
        self._claims: list[Any] = []

    def see(self, claim: Any) -> None:
        """Note what a reply claims; null claims nothing."""
        if claim is not None and claim not in self._claims:
            self._claims.append(claim)

    def doubts(self, got: int) -> list[str]:
        """What is doubtful of a pass that gave `got` records; a claim that is no number is not shown."""
        if len(self._claims) > 1:
            return [
                "the API claimed different numbers of records while pages were read: they may have shifted"
            ]
        wrong = [claim for claim in self._claims if str(claim) != str(got)]
        return [
            f"the API claims {claim if isinstance(claim, int) else 'another number of'} records and gave {got}"
            for claim in wrong
        ]


class Repeats:
    """Finds records that stand twice in a page, or again in the next: what is counted from there on has slid."""

    def __init__(self) -> None:
        self.count = 0
        self._before: set[bytes] = set()

    def see(self, records: list[Any]) -> None:
        """Count what this page repeats."""
        marks = [payload.digest(_bytes([record])) for record in records]
        distinct = set(marks)
        self.count += len(marks) - len(distinct) + len(distinct & self._before)
        self._before = distinct


class PageMarks:
    """What the pages of one pass held, by digests, to be compared with a second pass."""

    def __init__(self) -> None:
        self._marks: list[tuple[Address, bytes]] = []

    def add(self, address: Address, records: list[Any]) -> None:
        """Note what stands at an address."""
        self._marks.append((address, payload.digest(_bytes(records))))

    def changed(self, ask: Callable[[Address, int], list[Any]]) -> bool:
        """Whether any page is another by now; `ask` gives its records by its address and number."""
        return any(
            payload.digest(_bytes(ask(address, number))) != mark
            for number, (address, mark) in enumerate(self._marks, 1)
        )


def _bytes(records: list[Any]) -> bytes:
    try:
        return payload.dump({"records": records})
    except RecordError:
        return payload.readable(records).encode()
