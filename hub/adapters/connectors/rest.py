"""REST APIs that answer JSON: pages in every usual way, changes since a watermark, substreams, exact numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from hub.adapters.connectors.http import Address, HttpApi, Reply
from hub.adapters.connectors.paged import PagedConnector
from hub.adapters.connectors.rest_body import named
from hub.adapters.connectors.rest_models import Auth, Headers, NoAuth, RestRead, Retries
from hub.adapters.connectors.typed_json import Typing, plain
from hub.adapters.records import ConnectorConfig, ConnectorContext, Payload, StreamRead
from hub.adapters.secrets import UrlRef


class RestConfig(ConnectorConfig):
    """An HTTP API with JSON replies. Redirects and links are followed on its own host only."""

    read_model = RestRead

    type: Literal["rest"] = Field(description="Names this connector.")
    url: UrlRef = Field(
        description="Address that the streams' paths are below, such as `https://api.example.com/v2`."
    )
    auth: Auth = Field(default=NoAuth(type="none"), description="How the hub logs in.")
    headers: Headers = Field(default={}, description="Headers of every request.")
    typed: Typing | None = Field(
        default=None,
        description="In whose form values come that JSON has no type for: `tryton`, or `odata2` of OData 2, whose "
        "times are then ISO text.",
    )
    requests_per_second: float | None = Field(
        default=None,
        gt=0,
        description="Most requests a second; unlimited unless the API's terms name a limit.",
    )
    retries: Retries = Field(default=Retries(), description="How failed requests are tried again.")
    timeout_s: float = Field(
        default=60,
        gt=0,
        description="Longest wait for a connection or the next bytes, in seconds; reports are slow.",
    )
    max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1,
        description="Largest reply, so that one page cannot fill the memory; 64 MiB.",
    )
    max_pages: int = Field(
        default=100_000,
        ge=1,
        description="Most pages of one pass: ten million records of the usual size a page.",
    )

    def connect(self, context: ConnectorContext) -> RestConnector:
        """A connector for this API."""
        return RestConnector(self, context)


class RestConnector(PagedConnector):
    """Reads one API that speaks JSON."""

    def __init__(self, config: RestConfig, context: ConnectorContext) -> None:
        super().__init__(context, config.max_pages)
        self._config = config

    @override
    def _open(self) -> HttpApi:
        config = self._config
        return HttpApi(
            self._context,
            config.url.resolve(self._context),
            config.auth,
            config.retries,
            timeout_s=config.timeout_s,
            max_bytes=config.max_bytes,
            requests_per_second=config.requests_per_second,
        )

    @override
    def _ask(
        self,
        stream: StreamRead[RestRead],
        read: RestRead,
        address: Address,
        parent: Payload | None,
        accept: frozenset[int],
    ) -> Reply:
        config = self._config
        headers = {
            name: value.resolve(self._context) for name, value in {**config.headers, **read.headers}.items()
        }
        address, body = self._asked(stream, read, address, parent)
        reply = self._api().ask(stream.name, address, headers, accept, body)
        if config.typed is None:
            return reply
        with self._explained(stream, address.path):
            return replace(reply, json=plain(reply.json, config.typed))

    def _asked(
        self, stream: StreamRead[RestRead], read: RestRead, address: Address, parent: Payload | None
    ) -> tuple[Address, Any]:
        """Where to ask, and the body: what stands in it does not stand in the query."""
        if read.body is None:
            return address, None
        body = self._filled(stream, read, address, parent)
        return address.without(named(read.body)), body
