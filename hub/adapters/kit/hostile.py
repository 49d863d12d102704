"""A hostile API: it holds rows that are known, and answers as real ones do on bad days.

Its faults are told in advance, one for each request. Whoever reads it must end with an error, say that something is
doubtful, or have every row that was there unchanged all the while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final, Literal

import httpx

from hub.adapters.kit.exchanges import dump_json
from hub.adapters.records import Payload

Style = Literal["page", "offset", "cursor", "next_url", "link", "header", "continue"]
"""How it divides its rows; all but the first two go on after the last row given, so that nothing shifts."""
Answer = Callable[["HostileApi", httpx.Request], httpx.Response]
GIGANTIC: Final = 3_000_000
"""Signs of a gigantic field."""


class HostileApi(httpx.BaseTransport):
    """Answers `GET /rows` with `{"rows": [...], "total": n, "next": ...}`, `size` rows a page by ascending id.

    `faults` are names of `FAULTS`, each for one request, an empty one for a good answer; after them all is well.
    """

    def __init__(self, rows: Iterable[Payload], style: Style = "page", size: int = 2) -> None:
        self.rows: dict[int, Payload] = {int(row["id"]): dict(row) for row in rows}
        self.style, self.size = style, size
        self.faults: list[str] = []
        self.touched: set[int] = set()
        """Rows that came, went or changed since `begin`."""
        self.requests = 0
        self._last: httpx.Response | None = None

    def begin(self, faults: Iterable[str]) -> None:
        """Plan the faults of the next reading."""
        self.faults = list(faults)
        self.touched.clear()
        self._last = None

    def stable(self) -> dict[int, Payload]:
        """The rows that have been there unchanged since `begin`."""
        return {key: row for key, row in self.rows.items() if key not in self.touched}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, or the failure of the connection that is planned.

        Raises:
            httpx.TransportError: the connection is planned to fail.
        """
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else ""
        answer = FAULTS[fault](self, request) if fault else self.honest(request)
        self._last = answer
        return answer

    def honest(
        self,
        request: httpx.Request,
        pages_on: int = 0,
        headers: Mapping[str, str] | None = None,
        **other: Any,
    ) -> httpx.Response:
        """What is asked for, or the page so many further on; `other` replaces parts of the body."""
        rows, after = self._page(request, pages_on)
        query = f"after={after}" if after is not None else None
        body = {"rows": rows, "total": len(self.rows), "next": None, "token": None} | other
        said = {"Content-Type": "application/json", "Date": format_datetime(datetime.now(UTC), usegmt=True)}
        if query and self.style == "next_url":
            body["next"] = f"{request.url.path}?{query}"
        if query and self.style == "cursor":
            body["token"] = str(after)
        if query and self.style == "continue":
            body["continue"] = {"after": after, "continue": "-||"}
        if query and self.style == "header":
            said["X-Next"] = str(after)
        if query and self.style == "link":
            said["Link"] = f'<{request.url.path}?{query}>; rel="next"'
        return httpx.Response(200, headers={**said, **(headers or {})}, content=dump_json(body))

    def again(self, request: httpx.Request) -> httpx.Response:
        """What was answered last, whatever is asked now."""
        if self._last is None or self._last.status_code != 200:
            return self.honest(request)
        headers = {name: value for name, value in self._last.headers.items() if name != "content-length"}
        return httpx.Response(200, headers=headers, content=self._last.content)

    def insert(self) -> None:
        """Put a row before all others, so that pages shift."""
        key = min(self.rows, default=1) - 1
        self.rows[key] = {"id": key, "name": f"Row {key}"}
        self.touched.add(key)

    def delete(self) -> None:
        """Take the first row away, so that pages shift."""
        if self.rows:
            key = min(self.rows)
            del self.rows[key]
            self.touched.add(key)

    def update(self) -> None:
        """Change the last row."""
        if self.rows:
            key = max(self.rows)
            self.rows[key] = self.rows[key] | {"name": f"{self.rows[key]['name']}'"}
            self.touched.add(key)

    def _page(self, request: httpx.Request, pages_on: int) -> tuple[list[Payload], int | None]:
        keys, asked = sorted(self.rows), request.url.params
        if self.style == "page":
            start = (int(asked.get("page", 1)) - 1) * self.size
        elif self.style == "offset":
            start = int(asked.get("offset", 0))
        else:
            after = asked.get("after")
            start = sum(key <= int(after) for key in keys) if after is not None else 0
        start += pages_on * self.size
        part = keys[start : start + self.size]
        return [self.rows[key] for key in part], part[-1] if part and part[-1] != keys[-1] else None


def _raises(error: type[httpx.TransportError]) -> Answer:
    def answer(_: HostileApi, request: httpx.Request) -> httpx.Response:
        raise error("hostile", request=request)

    return answer


def _status(status: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, __: httpx.Response(status, headers=named, content=b"<h1>Sorry</h1>")


def _after(change: Callable[[HostileApi], None]) -> Answer:
    def answer(api: HostileApi, request: httpx.Request) -> httpx.Response:
        change(api)
        return api.honest(request)

    return answer


def _page_of_login(kind: str) -> Answer:
    return lambda _, __: httpx.Response(200, headers={"Content-Type": kind}, content=b"<html>Log in</html>")


def _truncated(api: HostileApi, request: httpx.Request) -> httpx.Response:
    whole = api.honest(request)
    return httpx.Response(200, headers={"Content-Type": "application/json"}, content=whole.content[:-7])


def _total(of: Callable[[int], Any]) -> Answer:
    return lambda api, request: api.honest(request, total=of(len(api.rows)))


def _skewed(hours: int) -> Answer:
    def answer(api: HostileApi, request: httpx.Request) -> httpx.Response:
        said = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
        return api.honest(request, headers={"Date": said})

    return answer


def _rows(change: Callable[[list[Payload]], list[Any]]) -> Answer:
    def answer(api: HostileApi, request: httpx.Request) -> httpx.Response:
        rows, _ = api._page(request, 0)
        return api.honest(request, rows=change([dict(row) for row in rows]))

    return answer


FAULTS: Final[Mapping[str, Answer]] = {
    "reset": _raises(httpx.ReadError),
    "refused": _raises(httpx.ConnectError),
    "cut": _raises(httpx.RemoteProtocolError),
    "slow drip": _raises(httpx.ReadTimeout),
    "500": _status(500),
    "503": _status(503),
    "429": _status(429),
    "429 with Retry-After": _status(429, Retry_After="1"),
    "429 for an hour": _status(429, Retry_After="3600"),
    "401": _status(401),
    "404": _status(404),
    "truncated JSON": _truncated,
    "login page": _page_of_login("text/html"),
    "login page as JSON": _page_of_login("application/json"),
    "wrong content type": lambda api, request: api.honest(request, headers={"Content-Type": "text/plain"}),
    "no list": lambda api, request: api.honest(request, rows=None),
    "empty page": lambda api, request: api.honest(request, rows=[]),
    "repeated page": HostileApi.again,
    "skipped page": lambda api, request: api.honest(request, pages_on=1),
    "total too large": _total(lambda total: total + 5),
    "total too small": _total(lambda total: total - 1),
    "no total": _total(lambda _: None),
    "row deleted": _after(HostileApi.delete),
    "row inserted": _after(HostileApi.insert),
    "row changed": _after(HostileApi.update),
    "clock ahead": _skewed(5),
    "clock behind": _skewed(-5),
    "duplicate key": _rows(lambda rows: [*rows, *({**row, "name": "Other"} for row in rows[:1])]),
    "duplicate row": _rows(lambda rows: [*rows, *rows[:1]]),
    "gigantic field": _rows(lambda rows: [{**row, "note": "x" * GIGANTIC} for row in rows]),
    "changed schema": _rows(
        lambda rows: [{("title" if n == "name" else n): v for n, v in row.items()} for row in rows]
    ),
    "no object": _rows(lambda rows: [*rows[1:], None]),
    "no key": _rows(lambda rows: [{**row, "id": None} for row in rows]),
}
"""What it does, by name."""
