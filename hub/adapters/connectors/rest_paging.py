"""From one page to the next, in each way of paging, and the watch for pages that never end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import jmespath

from hub.adapters import payload
from hub.adapters.connectors.http import Address, HttpApi, Reply
from hub.adapters.connectors.rest_models import (
    ContinuePaging,
    CursorPaging,
    Delta,
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


def stated(place: CursorPaging | NextUrlPaging | Delta, reply: Reply) -> str | None:
    """What the reply says there, in its body or in a header; None where it says nothing, null or an empty text.

    Raises:
        ValueError: it says an object or a list.
    """
    said = reply.headers.get(place.header) if place.header else jmespath.search(str(place.path), reply.json)
    if said in (None, "", False):
        return None
    if isinstance(said, dict | list):
        raise ValueError(f"{place.path!r} is an object or a list, where a text or a number is needed")
    return str(said)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where paging stands: the first address and the present one, its number from 1, and what records came."""

    first: Address
    current: Address
    page: int
    got: int
    """Records of all pages so far."""
    in_page: int


def next_address(paging: Paging, api: HttpApi, at: Standing, reply: Reply) -> Address | None:
    """The address after the page that gave `reply`, or None at the end.

    Raises:
        ValueError: the reply refers to another host, or says something else than what leads on.
    """
    if isinstance(paging, PagePaging | OffsetPaging):
        if not at.in_page or (paging.more_path and not jmespath.search(paging.more_path, reply.json)):
            return None
        step = at.page if isinstance(paging, PagePaging) else at.got
        return at.current.with_params({paging.param: str(paging.start + step)})
    if isinstance(paging, CursorPaging):
        token = stated(paging, reply)
        return at.current.with_params({paging.param: token}) if token else None
    if isinstance(paging, NextUrlPaging):
        link = stated(paging, reply)
        return api.follow(at.current, link) if link else None
    if isinstance(paging, ContinuePaging):
        return _continued(paging, at.first, reply)
    if isinstance(paging, LinkPaging):
        link = httpx.Response(200, headers=reply.headers).links.get(paging.rel, {}).get("url")
        return api.follow(at.current, link) if link else None
    return None


def _continued(paging: ContinuePaging, first: Address, reply: Reply) -> Address | None:
    params = jmespath.search(paging.path, reply.json)
    if params in (None, "", False, {}):
        return None
    if not isinstance(params, dict) or any(isinstance(value, dict | list) for value in params.values()):
        raise ValueError(f"{paging.path!r} is no object of texts and numbers")
    return first.with_params({name: written(value) for name, value in params.items() if value is not None})


def written(value: Any) -> str:
    """A value of a parameter as it stands in the query."""
    return str(value).lower() if isinstance(value, bool) else str(value)


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
