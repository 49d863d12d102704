"""The help desk's API on a real HTTP server: bearer token, pages, an incremental parameter, and now and then a 429.

    GET /api/v2/tickets?page=2&per_page=100&updated_since=2026-10-01T00:00:00Z
    {"tickets": [...], "count": 431, "next_page": "http://127.0.0.1:8361/api/v2/tickets?page=3&..."}

`next_page` is null on the last page. `updated_since` is inclusive. Items come in the order of `updated_at`.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from hub.demo.support import COLLECTIONS

_PREFIX = "/api/v2/"
_MOST_PER_PAGE = 200


class HelpDesk:
    """A help desk that answers on loopback from the files of a folder, as they are at each request.

    Use it as a context manager, or `start` and `stop` it. The token stays out of `repr`.
    """

    def __init__(
        self, folder: Path, token: str, *, port: int = 0, throttle_every: int = 40, retry_after_s: int = 1
    ) -> None:
        """`port` 0 takes a free one; each `throttle_every`-th request is answered 429 (0: none)."""
        self._folder, self._token = folder, token
        self._throttle_every, self._retry_after_s = throttle_every, retry_after_s
        self._cache: dict[str, tuple[tuple[int, int], list[dict[str, Any]]]] = {}
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread: Thread | None = None
        self.requests = 0
        """Requests so far that carried the right token."""
        self.throttled = 0
        """How many of them were answered 429."""

    def __repr__(self) -> str:
        return f"HelpDesk({self.url})"

    @property
    def url(self) -> str:
        """Root of the API, with a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{_PREFIX}"

    def start(self) -> Self:
        """The help desk, now answering in a thread of its own."""
        # A short poll, since `stop` waits for the next one.
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="helpdesk", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends the server and frees its port; more calls change nothing."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def knows(self, authorization: str | None) -> bool:
        """Whether the header carries the token."""
        return hmac.compare_digest((authorization or "").encode(), f"Bearer {self._token}".encode())

    def must_wait(self) -> int | None:
        """Seconds after which the caller may try again, None when the request is answered now."""
        with self._lock:
            self.requests += 1
            if not self._throttle_every or self.requests % self._throttle_every:
                return None
            self.throttled += 1
            return self._retry_after_s

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and body for a path below the API's root."""
        if path not in COLLECTIONS:
            return 404, {"error": "no such collection"}
        page, per_page = _number(query.get("page", "1")), _number(query.get("per_page", "100"))
        if page is None or per_page is None or per_page > _MOST_PER_PAGE:
            return 400, {
                "error": f"page and per_page are positive numbers, per_page at most {_MOST_PER_PAGE}"
            }
        since = query.get("updated_since", "")
        items = [item for item in self._items(path) if item["updated_at"] >= since]
        end = page * per_page
        following = urlencode({**query, "page": page + 1}) if end < len(items) else None
        return 200, {
            path: items[end - per_page : end],
            "count": len(items),
            "next_page": f"{self.url}{path}?{following}" if following else None,
        }

    def _items(self, name: str) -> list[dict[str, Any]]:
        """The collection, read again when its file has changed."""
        file = self._folder / f"{name}.json"
        status = file.stat()
        state = (status.st_mtime_ns, status.st_size)
        with self._lock:
            known = self._cache.get(name)
            if known is None or known[0] != state:
                known = (state, json.loads(file.read_text(encoding="utf-8")))
                self._cache[name] = known
            return known[1]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None


def _handler(desk: HelpDesk) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two writes; without this the second waits 40 ms for the client's delayed ACK.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if not desk.knows(self.headers.get("Authorization")):
                self._send(401, {"error": "a valid bearer token is needed"}, {"WWW-Authenticate": "Bearer"})
            elif (wait := desk.must_wait()) is not None:
                self._send(429, {"error": "too many requests"}, {"Retry-After": str(wait)})
            elif not parts.path.startswith(_PREFIX):
                self._send(404, {"error": "no such path"})
            else:
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                self._send(*desk.answer(parts.path.removeprefix(_PREFIX), query))

        def _send(self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
            content = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                **(headers or {}),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name in the base class
            """Nothing: the demo's screen belongs to the demo."""

    return Handler
