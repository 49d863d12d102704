"""A recorder between a connector and the network: what was asked and answered, fit to be kept with the project.

Headers that log in, cookies and parameters named like secrets are never taken up. Values are replaced by synthetic
ones unless somebody answers for keeping them; the same value becomes the same one in requests and responses, so that
a replay asks what was recorded.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, quote, unquote

import httpx
from lxml import etree

from hub.adapters import payload
from hub.adapters.kit.exchanges import (
    ORIGIN,
    Exchange,
    RecordedRequest,
    RecordedResponse,
    origin_of,
    params,
    without_secrets,
)
from hub.adapters.kit.synthetic import Synthetic
from hub.adapters.secrets import is_secret_name
from hub.errors import SourceProtocolError

_HEADERS: Final = frozenset(
    {"content-type", "date", "etag", "last-modified", "link", "location", "retry-after", "content-range"}
)
_TELLING: Final = ("x-total", "x-page", "x-per-page", "x-next", "x-ratelimit", "ratelimit", "x-rate-limit")
"""Beginnings of the names of headers that tell of paging and limits."""
_PACKING: Final = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection"})
"""Headers that are no longer true of a body that was read."""
_PAIR = re.compile(r"(?<=[?&])([^=&>\s]+)=([^&>\s;#]*)")
_ADDRESS = re.compile(rf"(?:{re.escape(ORIGIN)}|/)\S*")
MAX_EXCHANGES: Final = 500
"""Of one recording: more is read by nobody; a narrower reading shows the same."""


class Recorder(httpx.BaseTransport):
    """Hands requests on to `inner`, and keeps what came of them in `exchanges`, as `synthetic` lets it be seen."""

    def __init__(self, source: str, inner: httpx.BaseTransport, synthetic: Synthetic) -> None:
        self._source, self._inner, self._synthetic = source, inner, synthetic
        self.exchanges: list[Exchange] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """What the network answers.

        Raises:
            SourceProtocolError: more than `MAX_EXCHANGES` were made.
            httpx.TransportError: the connection failed, which is recorded too.
        """
        if len(self.exchanges) >= MAX_EXCHANGES:
            message = f"more than {MAX_EXCHANGES} exchanges; record a narrower reading, by its params"
            raise SourceProtocolError(self._source, None, message)
        asked = self._request(request)
        try:
            response = self._inner.handle_request(request)
            content = response.read()
            response.close()
        except httpx.TransportError as error:
            self._keep(asked, RecordedResponse(error=_failure(error)))
            raise
        self._keep(asked, self._response(request, response, content))
        headers = [pair for pair in response.headers.multi_items() if pair[0].lower() not in _PACKING]
        return httpx.Response(response.status_code, headers=headers, content=content)

    def close(self) -> None:
        """Give the connections back."""
        self._inner.close()

    def _keep(self, asked: RecordedRequest, answered: RecordedResponse) -> None:
        self.exchanges.append(Exchange(request=asked, response=answered))

    def _request(self, request: httpx.Request) -> RecordedRequest:
        said: dict[str, Any] = {"method": request.method, "path": self._path(request.url.path)}
        if query := self._params(request.url.params.multi_items()):
            said["query"] = query
        content = request.read()
        kind = request.headers.get("content-type", "")
        if content and "form-urlencoded" in kind:
            said["form"] = self._params(parse_qsl(content.decode(), keep_blank_values=True))
        elif content and "json" in kind:
            kept = without_secrets(payload.load(content), self._synthetic.secrets)
            said["json"] = self._synthetic.known_in(kept)
        elif content:
            said["text"] = self._document(content.decode(errors="replace"), is_known=True)
        return RecordedRequest.model_validate(said)

    def _response(self, request: httpx.Request, response: httpx.Response, content: bytes) -> RecordedResponse:
        origin = origin_of(request.url)
        headers = {
            name.title(): self._address(value.replace(origin, ORIGIN))
            for name, value in response.headers.items()
            if name in _HEADERS or name.startswith(_TELLING)
        }
        said: dict[str, Any] = {"status": response.status_code, "headers": headers}
        text = content.decode(response.encoding or "utf-8", errors="replace").replace(origin, ORIGIN)
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if "json" in kind:
            try:
                said["json"] = self._shown(payload.load(text))
            except ValueError:
                said["text"] = self._document(text)
            else:
                if kind == "application/json":
                    del headers["Content-Type"]
        elif text:
            said["text"] = self._document(text)
        return RecordedResponse.model_validate(said)

    def _path(self, path: str) -> str:
        known = self._synthetic.known
        return "/".join(quote(known(unquote(each)), safe=":@,;=+$!*'()~") for each in path.split("/"))

    def _params(self, pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
        kept = params(pairs, self._synthetic.secrets)
        return {name: [self._synthetic.known(each) for each in values] for name, values in kept.items()}

    def _shown(self, value: Any, field: str = "") -> Any:
        """A value of a reply; addresses within it stay addresses, for pages lead from one to the next by them."""
        if isinstance(value, dict):
            return {self._synthetic.name(name): self._shown(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._shown(inner, field) for inner in value]
        if isinstance(value, str) and _ADDRESS.fullmatch(value):
            return self._address(value)
        return self._synthetic.value(value, field)

    def _address(self, text: str) -> str:
        head, mark, query = text.partition("?")
        shown = "/".join(self._synthetic.segment(each) for each in head.split("/"))
        return shown + _PAIR.sub(self._pair, mark + query)

    def _pair(self, found: re.Match[str]) -> str:
        name, value = unquote(found[1]), unquote(found[2].replace("+", " "))
        return f"{found[1]}={quote(self._synthetic.text(value, name), safe=':,')}"

    def _document(self, text: str, *, is_known: bool = False) -> str:
        """XML with its values replaced; of other texts only how long they are, unless values are kept."""
        synthetic = self._synthetic
        if synthetic.keeps:
            return synthetic.masked(text)
        try:
            root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError:
            return f"({len(text)} characters)"
        for element in root.iter(tag=etree.Element):
            name = etree.QName(element).localname
            if element.text and element.text.strip():
                element.text = self._leaf(element.text, name, is_known=is_known)
            for attribute, value in element.attrib.items():
                local = etree.QName(attribute).localname
                element.attrib[attribute] = self._leaf(str(value), local, is_known=is_known)
        return etree.tostring(root, encoding="unicode")

    def _leaf(self, text: str, field: str, *, is_known: bool) -> str:
        if not is_known:
            return str(self._shown(text, field))
        return "secret" if is_secret_name(field) else self._synthetic.masked(self._synthetic.known(text))


def _failure(error: httpx.TransportError) -> Literal["connect", "reset", "timeout"]:
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    return "connect" if isinstance(error, httpx.ConnectError) else "reset"
