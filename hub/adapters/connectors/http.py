"""Requests to one API: authentication, rate limit, bounded retries, redirects only at home, and quiet logs.

httpx logs the address of each request. Query strings hold tokens and people's e-mail addresses, so the client is
given addresses without one; `_QueryTransport` adds it underneath, and so the logs show paths only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import httpx
import stamina

from hub.adapters import payload
from hub.adapters.connectors.rest_models import ApiKeyAuth, Auth, BasicAuth, BearerAuth, OAuth2Auth, Retries
from hub.adapters.records import ConnectorContext
from hub.errors import SourceProtocolError, SourceUnavailableError

_QUERY = "hub_query"
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = 5
_EXPIRES_EARLY_S = 30
"""A token is renewed so long before it expires that no request under way meets its end."""


class _QueryTransport(httpx.BaseTransport):
    """Sends each request with the query string that its extensions carry."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        query: bytes = request.extensions.get(_QUERY, b"")
        return self._inner.handle_request(
            httpx.Request(
                request.method,
                request.url.copy_with(query=query or None),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    def close(self) -> None:
        self._inner.close()


class Media(Protocol):
    """What an API speaks: how its replies are read, and which of them may be another in a moment."""

    accept: str
    """The Accept header."""

    def answers(self, status: int, body: bytes) -> bool:
        """Whether the reply says something, rather than only that it failed."""

    def passing(self, status: int, body: bytes) -> str | None:
        """Why another try may help; None where it would not."""

    def read(self, kind: str, body: bytes) -> Any:
        """What a reply of this content type says.

        Raises:
            ValueError: it is not what was to come; holds no value of it.
        """


class JsonMedia:
    """JSON, read exactly."""

    accept = "application/json"

    def answers(self, status: int, body: bytes) -> bool:  # noqa: ARG002  (others look into it)
        """Whether the status is one of success."""
        return 200 <= status < 300

    def passing(self, status: int, body: bytes) -> str | None:  # noqa: ARG002
        """The status, where it says busy or broken."""
        return busy(status)

    def read(self, kind: str, body: bytes) -> Any:
        """The JSON.

        Raises:
            ValueError: it is none.
        """
        if "json" not in kind:
            raise ValueError(f"expected JSON, got {kind or 'no content type'}")
        return payload.load(body)


def busy(status: int) -> str | None:
    """What is told of a status that says busy or broken."""
    return f"status {status}" if status in _BUSY else None


class _TryAgainError(Exception):
    """Inside this module: a try failed in a way that another may not; `wait_s` is what the API asked for."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply with its JSON, read exactly, or what else the API speaks; None where it sent no content."""

    status: int
    json: Any = field(repr=False)
    next_link: str | None = field(repr=False)
    received_at: datetime
    """The API's own clock when it answered, ours where it sends none."""
    headers: httpx.Headers = field(default_factory=httpx.Headers, repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes: the URL without its query, and the parameters apart from it."""

    url: str
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that `text` writes in one piece."""
        url = httpx.URL(text)
        return cls(str(url.copy_with(query=None, fragment=None)), tuple(url.params.multi_items()))

    def with_params(self, params: Mapping[str, str]) -> Address:
        """This address with `params`, in the place of those of the same names."""
        kept = tuple(pair for pair in self.params if pair[0] not in params)
        return Address(self.url, kept + tuple(params.items()))

    def without(self, names: Collection[str]) -> Address:
        """This address without the parameters of these names."""
        return Address(self.url, tuple(pair for pair in self.params if pair[0] not in names))

    @property
    def written(self) -> str:
        """The address in one piece: not for logs."""
        return str(httpx.URL(self.url, params=self.params)) if self.params else self.url

    @property
    def path(self) -> str:
        """What may be shown of it."""
        return urlsplit(self.url).path or "/"


class HttpApi:
    """One API's address and login; fetches what it says."""

    def __init__(
        self,
        context: ConnectorContext,
        base: str,
        auth: Auth,
        retries: Retries,
        *,
        timeout_s: float,
        max_bytes: int,
        requests_per_second: float | None,
        media: Media = JsonMedia(),  # noqa: B008  (it has no state)
    ) -> None:
        self._media = media
        self._context, self._base, self._auth, self._retries = context, base.rstrip("/") + "/", auth, retries
        if not base.startswith(("http://", "https://")):
            raise SourceProtocolError(context.source, None, "url is no http or https address")
        self._client = httpx.Client(
            transport=_QueryTransport(context.wire()),
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            headers={"Accept": media.accept, "User-Agent": "customer-knowledge-hub"},
        )
        self._max_bytes = max_bytes
        self._pause_s = 1 / requests_per_second if requests_per_second else 0.0
        self._token: tuple[str, float] | None = None

    def address(self, path: str, params: Mapping[str, str]) -> Address:
        """The address of `path`, relative to the base or absolute.

        Raises:
            ValueError: it leads to another host, and would take the login there.
        """
        parsed = Address.parse(urljoin(self._base, path if "://" in path else path.lstrip("/")))
        if _origin(parsed.url) != _origin(self._base):
            raise ValueError("leads to another host")
        return parsed.with_params(params)

    def follow(self, current: Address, link: str) -> Address:
        """The address that a reply from `current` refers to by `link`.

        Raises:
            ValueError: it leads to another host, and would take the login there.
        """
        return self.address(urljoin(current.written, link), {})

    def ask(
        self,
        stream: str,
        address: Address,
        headers: Mapping[str, str],
        accept: frozenset[int],
        body: Any = None,
    ) -> Reply:
        """The reply from `address`, by POST where there is a body: bytes go as they are, all else as JSON.

        Statuses in `accept` are given back like success, without their content.

        Raises:
            SourceUnavailableError: every try met a busy or broken API, or none.
            SourceProtocolError: the API refuses, or sends what is not JSON.
        """
        retries, renewed = self._retries, False
        try:
            for attempt in stamina.retry_context(
                on=self._backoff,
                attempts=retries.attempts,
                timeout=None,
                wait_initial=retries.wait_s,
                wait_max=retries.wait_max_s,
                wait_jitter=retries.wait_s,
            ):
                with attempt:
                    reply = self._try(stream, address, headers, accept, body)
                    if reply is None and not renewed and isinstance(self._auth, OAuth2Auth):
                        self._token, renewed = None, True
                        reply = self._try(stream, address, headers, accept, body)
                    if reply is None:
                        message = f"{address.path}: the login was refused (401); see auth"
                        raise SourceProtocolError(self._context.source, stream, message)
                    return reply
        except _TryAgainError as error:
            longest = retries.retry_after_max_s
            patience = (
                f"it asks to wait for {error.wait_s:.0f} s" if (error.wait_s or 0) > longest else "gave up"
            )
            message = f"{address.path}: {error}; {patience}, after at most {retries.attempts} tries"
            raise SourceUnavailableError(self._context.source, stream, message) from None
        raise AssertionError("unreachable: the last attempt returns or raises")

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _backoff(self, error: Exception) -> bool | float:
        if not isinstance(error, _TryAgainError):
            return False
        if error.wait_s is None:
            return True
        return error.wait_s if error.wait_s <= self._retries.retry_after_max_s else False

    def _try(
        self,
        stream: str,
        address: Address,
        headers: Mapping[str, str],
        accept: frozenset[int],
        body: Any,
    ) -> Reply | None:
        """One try, redirects included; None when the login was refused."""
        for _ in range(_REDIRECTS):
            login_headers, login_params = self._login(stream)
            query = _query(address.with_params(login_params).params)
            status, got, content = self._send(
                self._client.build_request(
                    "GET" if body is None else "POST",
                    address.url,
                    headers={**headers, **login_headers},
                    json=None if isinstance(body, bytes) else body,
                    content=body if isinstance(body, bytes) else None,
                    extensions={_QUERY: query},
                )
            )
            # Others would have the question asked again by GET, without what it asks for.
            moved = (301, 302, 303, 307, 308) if body is None else (307, 308)
            if status in moved and "location" in got:
                address = self._redirected(stream, address, got["location"])
                continue
            if status == 401:
                return None
            if status in accept:
                return Reply(status, None, None, _server_time(got), got)
            return self._reply(stream, address, status, got, content)
        raise SourceProtocolError(self._context.source, stream, f"{address.path}: redirects in a circle")

    def _send(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body; raises `_TryAgainError` when the API is busy, broken or out of reach."""
        self._context.pace.wait(self._context.clock, self._pause_s)
        try:
            response = self._client.send(request, stream=True)
            try:
                body = self._body(response)
            finally:
                response.close()
        except httpx.TimeoutException:
            raise _TryAgainError("no reply in time") from None
        except httpx.TransportError as error:
            raise _TryAgainError(f"the connection failed ({type(error).__name__})") from None
        except httpx.DecodingError:
            raise _TryAgainError("the reply's compression is damaged") from None
        if why := self._media.passing(response.status_code, body):
            raise _TryAgainError(why, _retry_after_s(response.headers))
        return response.status_code, response.headers, body

    def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._max_bytes:
                message = f"a reply has more than max_bytes ({self._max_bytes}); ask for smaller pages"
                raise SourceProtocolError(self._context.source, None, message)
        return bytes(body)

    def _reply(
        self,
        stream: str,
        address: Address,
        status: int,
        headers: httpx.Headers,
        body: bytes,
        media: Media | None = None,
    ) -> Reply:
        media = media or self._media

        def wrong(message: str) -> SourceProtocolError:
            return SourceProtocolError(self._context.source, stream, f"{address.path}: {message}")

        if not media.answers(status, body):
            raise wrong(f"status {status}")
        next_link = _next_link(headers)
        if status == 204 or not body:
            return Reply(status, None, next_link, _server_time(headers), headers)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            return Reply(status, media.read(kind, body), next_link, _server_time(headers), headers)
        except ValueError as error:
            raise wrong(str(error)) from None

    def _redirected(self, stream: str, address: Address, location: str) -> Address:
        try:
            return self.follow(address, location)
        except (ValueError, httpx.InvalidURL):
            message = f"{address.path}: redirects to another host, where the login must not go; see url"
            raise SourceProtocolError(self._context.source, stream, message) from None

    def _login(self, stream: str) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and query parameters that log in."""
        auth, context = self._auth, self._context
        if isinstance(auth, BearerAuth):
            return {"Authorization": f"Bearer {auth.token.resolve(context)}"}, {}
        if isinstance(auth, BasicAuth):
            return _basic(auth.username.resolve(context), auth.password.resolve(context)), {}
        if isinstance(auth, ApiKeyAuth):
            key = auth.prefix + auth.value.resolve(context)
            return ({auth.header: key}, {}) if auth.header else ({}, {str(auth.param): key})
        if isinstance(auth, OAuth2Auth):
            return {"Authorization": f"{auth.scheme} {self._oauth_token(stream, auth)}"}, {}
        return {}, {}

    def _oauth_token(self, stream: str, auth: OAuth2Auth) -> str:
        if self._token is not None and self._context.clock.now() < self._token[1]:
            return self._token[0]
        identity = auth.client_id.resolve(self._context), auth.client_secret.resolve(self._context)
        form = {
            "grant_type": "client_credentials",
            **auth.params,
            **({"scope": auth.scope} if auth.scope else {}),
        }
        if auth.refresh_token is not None:
            form |= {
                "grant_type": "refresh_token",
                "refresh_token": auth.refresh_token.resolve(self._context),
            }
        if auth.send_in == "body":
            form |= dict(zip(("client_id", "client_secret"), identity, strict=True))
        target = Address.parse(auth.token_url.resolve(self._context))
        request = self._client.build_request(
            "POST",
            target.url,
            data=form,
            headers={
                "Accept": JsonMedia.accept,
                **(_basic(*identity) if auth.send_in == "header" else {}),
            },
            extensions={_QUERY: _query(target.params)},
        )
        status, headers, body = self._send(request)
        if status in (400, 401, 403):
            message = f"the token address refused the client ({status}); see auth"
            raise SourceProtocolError(self._context.source, stream, message)
        granted = self._reply(stream, target, status, headers, body, JsonMedia()).json
        if not isinstance(granted, dict) or not isinstance(granted.get("access_token"), str):
            raise SourceProtocolError(self._context.source, stream, "the token address gave no access_token")
        lasts_s = float(granted.get("expires_in") or 3600)
        self._token = granted["access_token"], self._context.clock.now() + max(lasts_s - _EXPIRES_EARLY_S, 0)
        return self._token[0]


def _query(params: Sequence[tuple[str, str]]) -> bytes:
    """The query string; a blank is %20 in it, which all servers understand, and services of OData alone."""
    return str(httpx.QueryParams(list(params))).replace("+", "%20").encode()


def _basic(username: str, password: str) -> dict[str, str]:
    request = next(httpx.BasicAuth(username, password).auth_flow(httpx.Request("GET", "http://localhost")))
    return {"Authorization": request.headers["Authorization"]}


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = httpx.URL(url)
    return parts.scheme, parts.host, parts.port


def _next_link(headers: httpx.Headers) -> str | None:
    """The target of the Link header's rel=next."""
    return httpx.Response(200, headers=headers).links.get("next", {}).get("url")


def _retry_after_s(headers: httpx.Headers) -> float | None:
    """Seconds that the API asks to wait, from a number or from an HTTP date by the API's own clock."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((until - _server_time(headers)) / timedelta(seconds=1), 0.0)


def _server_time(headers: httpx.Headers) -> datetime:
    try:
        return parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return datetime.now(UTC)
