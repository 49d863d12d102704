"""The query page at `/console`: files of this package and the departments' examples, under a policy of their own.

The page is the hub's own, so that nothing is fetched from elsewhere, neither when it is installed nor when it is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib import resources
from types import MappingProxyType

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CONSOLE_PATH = "/console"
EXAMPLES_PATH = f"{CONSOLE_PATH}/examples.json"

Examples = Mapping[str, Mapping[str, str]]
"""GraphQL documents by department and name. They hold no personal data: whoever reaches the page may read them."""

NO_EXAMPLES: Examples = MappingProxyType({})

_INDEX = "index.html"
_MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "cache-control": "no-cache",  # kept, but asked for anew: a page of one release never meets the scripts of another
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def console_routes(examples: Examples) -> Iterator[Route]:
    """The routes of the page, its files and the examples that it offers. None of them needs a token."""
    for file in (resources.files("hub.api") / "page").iterdir():
        path = CONSOLE_PATH if file.name == _INDEX else f"{CONSOLE_PATH}/{file.name}"
        yield _route(path, file.read_bytes(), _MEDIA_TYPES[file.name[file.name.rindex(".") :]])
    yield _route(EXAMPLES_PATH, orjson.dumps(examples, default=dict), "application/json")


def _route(path: str, body: bytes, media_type: str) -> Route:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "etag": tag}

    async def answer(request: Request) -> Response:
        known = request.headers.get("if-none-match", "").replace("W/", "").split(",")
        if tag in (each.strip() for each in known):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media_type)

    return Route(path, answer, methods=["GET"])
