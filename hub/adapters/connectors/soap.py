"""SOAP services by their WSDL, SOAP 1.1 and 1.2; needs the extra `soap`.

zeep reads the WSDL, writes envelopes and reads answers; all of it travels by the hub's own client, with its retries,
its pace and its limits of bytes. What a WSDL imports is loaded from its own host or folder alone, and no document with
a DTD is read. Answers become what payloads hold: exact numbers, ISO texts, base64.

    connector:
      type: soap
      wsdl: https://erp.example.com/services/customers?wsdl
      auth: {type: username_token, username: hub, password: {env: ERP_PASSWORD}}
    streams:
      customers:
        read:
          operation: ListCustomers
          records: customers
          paging: {type: page, param: page, size_param: pageSize, size: 100}
          incremental: {param: changedSince, format: iso}
        key: id
        cursor: changed
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import httpx
from pydantic import Field
from typing_extensions import override

from hub.adapters.connectors.http import Address, HttpApi, Reply
from hub.adapters.connectors.paged import PagedConnector
from hub.adapters.connectors.rest_models import Headers, NoAuth, RestRead, Retries
from hub.adapters.connectors.soap_media import SoapMedia, fault_codes
from hub.adapters.connectors.soap_models import SoapAuth, SoapHeader, SoapRead, UsernameTokenAuth
from hub.adapters.connectors.soap_values import is_empty, plain
from hub.adapters.records import Batch, ConnectorConfig, ConnectorContext, Cursor, Payload, StreamRead
from hub.adapters.secrets import UrlRef
from hub.errors import SourceProtocolError
from hub.yamlfile import nearest


class SoapConfig(ConnectorConfig):
    """A SOAP service. Redirects and imports are followed on its own host only."""

    read_model = SoapRead

    type: Literal["soap"] = Field(description="Names this connector.")
    wsdl: UrlRef = Field(
        description="Address of the WSDL, or its file, relative to the YAML's folder. What it imports lies on the same "
        "host, or in the same folder."
    )
    url: UrlRef | None = Field(
        default=None,
        description="Where to ask; what the WSDL says unless given, if that is the WSDL's own host.",
    )
    service: str | None = Field(
        default=None, min_length=1, description="Service of the WSDL; its first unless given."
    )
    port: str | None = Field(
        default=None, min_length=1, description="Port of the service; its first unless given."
    )
    auth: SoapAuth = Field(default=NoAuth(type="none"), description="How the hub logs in.")
    headers: Headers = Field(default={}, description="HTTP headers of every request.")
    header: SoapHeader | None = Field(
        default=None, description="A block of the SOAP header, for services with a login of their own."
    )
    arguments: Headers = Field(
        default={},
        description="Arguments of every operation, such as a key; those that carry secrets are references.",
    )
    empty_faults: frozenset[str] = Field(
        default=frozenset(),
        description="Codes of faults, without prefix, by which the service says that there are no records.",
    )
    requests_per_second: float | None = Field(
        default=None, gt=0, description="Most requests a second; unlimited unless the terms name a limit."
    )
    retries: Retries = Field(
        default=Retries(),
        description="How failed requests are tried again, faults of the server (`Server`, `Receiver`) among them.",
    )
    timeout_s: float = Field(
        default=60, gt=0, description="Longest wait for a connection or the next bytes, in seconds."
    )
    max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1,
        description="Largest answer or WSDL, so that none can fill the memory; 64 MiB.",
    )
    max_pages: int = Field(
        default=100_000,
        ge=1,
        description="Most pages of one pass: ten million records of the usual size a page.",
    )

    def connect(self, context: ConnectorContext) -> SoapConnector:
        """A connector for this service."""
        return SoapConnector(self, context)


class SoapConnector(PagedConnector):
    """Reads one service; its WSDL is read when the first batch is asked for."""

    def __init__(self, config: SoapConfig, context: ConnectorContext) -> None:
        super().__init__(context, config.max_pages)
        self._config = config
        self._reader: _Wsdl | None = None
        self._bound: _Bound | None = None
        self._address = ""

    @override
    def batches(self, stream: StreamRead[Any], cursor: Cursor | None, batch_size: int) -> Iterator[Batch]:
        """The records of all pages; with `incremental`, those that changed since the cursor.

        Unless the stream is `ordered`, only the last batch moves the cursor: an interrupted run begins again.

        Raises:
            SourceUnavailableError: the service stayed out of reach, broken or busy through all tries, or answered
                each with a fault of its own.
            SourceProtocolError: it refuses, the WSDL does not fit, pages go in a circle, or an answer is something else
                than the WSDL says.
        """
        self._service(stream.name)
        yield from super().batches(replace(stream, read=stream.read.paged()), cursor, batch_size)

    @override
    def close(self) -> None:
        super().close()
        if self._reader is not None:
            self._reader.close()
        self._reader = self._bound = None

    @override
    def _open(self) -> HttpApi:
        return self._http(self._address)

    def _http(self, base: str) -> HttpApi:
        config = self._config
        auth = config.auth
        return HttpApi(
            self._context,
            base,
            NoAuth(type="none") if isinstance(auth, UsernameTokenAuth) else auth,
            config.retries,
            timeout_s=config.timeout_s,
            max_bytes=config.max_bytes,
            requests_per_second=config.requests_per_second,
            media=SoapMedia(config.empty_faults),
        )

    def _http_headers(self) -> dict[str, str]:
        return {name: value.resolve(self._context) for name, value in self._config.headers.items()}

    def _service(self, stream: str) -> _Bound:
        if self._bound is None:
            self._bound = self._bind(stream)
            self._address = self._bound.address
        return self._bound

    def _bind(self, stream: str) -> _Bound:
        """The service's port, of which operations are asked.

        Raises:
            SourceProtocolError: the extra is missing, the WSDL is none, or has no such service or port.
        """
        try:
            import zeep
            from zeep.wsse.username import UsernameToken
        except ImportError:
            raise self._said(stream, "the extra `soap` is not installed") from None
        config, context = self._config, self._context
        wsdl = config.wsdl.resolve(context)
        if self._reader is None:
            remote = self._http(wsdl) if "://" in wsdl else None
            location = wsdl if remote else str((context.base_dir / wsdl).resolve())
            self._reader = _Wsdl(self, stream, remote, location, self._http_headers())
        token = config.auth if isinstance(config.auth, UsernameTokenAuth) else None
        _be_quiet()
        with self._translated(stream, "wsdl"):
            client = zeep.Client(
                self._reader.location,
                wsse=token
                and UsernameToken(
                    token.username.resolve(context), token.password.resolve(context), use_digest=token.digest
                ),
                transport=self._reader,
                settings=zeep.Settings(forbid_dtd=True, forbid_entities=True, xml_huge_tree=False),
            )
        port = self._port(stream, client)
        address = config.url.resolve(context) if config.url else port.binding_options.get("address") or ""
        if config.url is None and not self._reader.is_home(address):
            message = "the WSDL names an address on another host, where the login must not go; give it as url"
            raise self._said(stream, message)
        return _Bound(zeep.proxy.ServiceProxy(client, port.binding, address=address), address, self._reader)

    def _port(self, stream: str, client: Any) -> Any:
        config, services = self._config, client.wsdl.services
        service = self._chosen(stream, "service", config.service, services)
        return self._chosen(stream, "port", config.port, service.ports)

    def _chosen(self, stream: str, what: str, name: str | None, offered: Mapping[str, Any]) -> Any:
        if not offered:
            raise self._said(stream, f"the WSDL has no {what}")
        if name is not None and name not in offered:
            like = nearest(name, list(offered))
            hint = f"; did you mean {like!r}?" if like else f"; it has {', '.join(offered)}"
            raise self._said(stream, f"the WSDL has no {what} {name!r}{hint}")
        return offered[name or next(iter(offered))]

    @override
    def _ask(
        self,
        stream: StreamRead[RestRead],
        read: RestRead,
        address: Address,
        parent: Payload | None,
        accept: frozenset[int],
    ) -> Reply:
        bound, config, operation = self._service(stream.name), self._config, read.path
        operations = sorted(bound.proxy._binding.all())
        if operation not in operations:
            like = nearest(operation, operations)
            hint = f"; did you mean {like!r}?" if like else f"; it has {', '.join(operations)}"
            raise self._wrong(stream, f"the service has no operation {operation!r}{hint}")
        common = {name: value.resolve(self._context) for name, value in config.arguments.items()}
        arguments = {**common, **self._filled(stream, read, address, parent)}
        if config.header is not None:
            values = {name: value.resolve(self._context) for name, value in config.header.values.items()}
            arguments["_soapheaders"] = {config.header.part: values}
        target = Address.parse(bound.address)
        sending = bound.reader.send = _Sending(self, self._api(), stream.name, target, operation, accept)
        with self._translated(stream.name, operation, sending), _counted() as unreadable:
            said = bound.proxy[operation](**arguments)
        reply = sending.reply
        if reply is None:
            raise AssertionError("unreachable: what sends nothing raises")
        if unreadable:
            doubt = f"{len(unreadable)} values are not of the type that the WSDL gives them, and left out"
            self._warn(f"{stream.name}: {operation}: {doubt}")
        if sending.is_empty:
            return replace(reply, json=None)
        with self._explained(stream, operation):
            return replace(reply, json=plain(said))

    @override
    def _items(
        self, stream: StreamRead[RestRead], read: RestRead, reply: Reply, address: Address
    ) -> list[Any]:
        if is_empty(reply.json, read.records):
            return []
        return super()._items(stream, read, reply, address)

    def _said(self, stream: str, message: str) -> SourceProtocolError:
        return SourceProtocolError(self._context.source, stream, message)

    @contextmanager
    def _translated(self, stream: str, what: str, sending: _Sending | None = None) -> Iterator[None]:
        """Errors of the library as errors of this source; what an answer says is not shown."""
        from zeep import exceptions as zeep

        try:
            yield
        except _NoRecords:
            return
        except (zeep.DTDForbidden, zeep.EntitiesForbidden):
            raise self._said(stream, f"{what}: a document has a DTD, which none of SOAP may have") from None
        except (zeep.XMLParseError, zeep.UnexpectedElementError) as error:
            raise self._said(stream, f"{what}: does not fit the WSDL: {error}") from None
        except zeep.ValidationError as error:
            raise self._said(stream, f"{what}: the arguments do not fit the WSDL: {error}") from None
        except (
            zeep.Error,
            TypeError,
            ValueError,
            KeyError,
            AttributeError,
            NotImplementedError,
            OSError,
        ) as error:
            # The signature is the WSDL's; other messages may hold what a service said.
            signed = isinstance(error, TypeError) and "unexpected keyword" in str(error)
            why = f": {error}" if signed else f" ({type(error).__name__})"
            place = "the answer" if sending and sending.reply else "what is asked" if sending else "the WSDL"
            raise self._said(stream, f"{what}: {place} cannot be read{why}") from None


class _NoRecords(Exception):  # noqa: N818  (it is no error)
    """Inside this module: the service said by a fault that there are none."""


@dataclass
class _Sending:
    """One request: where it goes, and what came."""

    connector: SoapConnector
    api: HttpApi
    stream: str
    target: Address
    operation: str
    accept: frozenset[int]
    reply: Reply | None = None
    is_empty: bool = False

    def post(self, envelope: bytes, headers: Mapping[str, str]) -> Any:
        """The answer as zeep wants it.

        Raises:
            SourceProtocolError: it is a fault, whose code is told, its text not.
            _NoRecords: it is one that says that there are no records.
        """
        said = {**self.connector._http_headers(), **headers}
        self.reply = reply = self.api.ask(self.stream, self.target, said, self.accept, envelope)
        codes = fault_codes(reply.json or b"")
        if reply.json is None or (codes and self.connector._config.empty_faults.intersection(codes)):
            self.is_empty = True
            raise _NoRecords
        if codes:
            message = f"{self.operation}: the service answered with a fault ({', '.join(codes)})"
            raise self.connector._said(self.stream, message)
        return _Answer(reply.json, reply.headers)


@dataclass
class _Answer:
    """What zeep takes of an answer."""

    content: bytes
    headers: httpx.Headers
    status_code: int = 200
    encoding: str | None = None


class _Wsdl:
    """What zeep loads documents and sends envelopes by: the hub's client."""

    def __init__(
        self,
        connector: SoapConnector,
        stream: str,
        remote: HttpApi | None,
        location: str,
        headers: Mapping[str, str],
    ) -> None:
        self.location = location
        self.send: _Sending | None = None
        self._connector, self._stream, self._remote, self._headers = connector, stream, remote, headers

    def is_home(self, address: str) -> bool:
        """Whether envelopes may go to `address` because the WSDL says so: a file is the operator's own word."""
        if self._remote is None:
            return "://" in address
        try:
            self._remote.address(address, {})
        except ValueError:
            return False
        return "://" in address

    def load(self, url: str) -> bytes:
        """The WSDL, or what it imports.

        Raises:
            SourceProtocolError: it lies elsewhere, or cannot be read.
        """
        if self._remote is not None:
            try:
                address = self._remote.address(url, {})
            except ValueError:
                raise self._elsewhere() from None
            content = self._remote.ask(self._stream, address, self._headers, frozenset()).json
            return content or b""
        folder = Path(self.location).parent
        if "://" in url or not Path(url).resolve().is_relative_to(folder):
            raise self._elsewhere()
        try:
            return Path(url).read_bytes()
        except OSError as error:
            message = f"the file {Path(url).name} cannot be read ({type(error).__name__}); see wsdl"
            raise self._connector._said(self._stream, message) from None

    def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> Any:  # noqa: ARG002
        """The answer to an envelope; it goes to the address that is configured, whatever zeep makes of it."""
        from lxml import etree

        if self.send is None:
            raise AssertionError("unreachable: an operation is asked by _ask alone")
        return self.send.post(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"), headers)

    def close(self) -> None:
        """Give the connections back."""
        if self._remote is not None:
            self._remote.close()

    def _elsewhere(self) -> SourceProtocolError:
        message = "the WSDL imports from elsewhere; save all of its documents in one folder and name its file as wsdl"
        return self._connector._said(self._stream, message)


@dataclass(frozen=True)
class _Bound:
    """A port: its operations, the address they are asked at, and what sends."""

    proxy: Any
    address: str
    reader: _Wsdl


_UNREADABLE: ContextVar[list[None] | None] = ContextVar("_UNREADABLE", default=None)
"""Values of the present answer that are not of their type."""


class _Quiet(logging.Filter):
    """Counts what zeep would log with the value itself, and gives None for."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        seen = _UNREADABLE.get()
        if seen is not None:
            seen.append(None)
        return seen is None


_QUIET = _Quiet()


def _be_quiet() -> None:
    for name in ("zeep.xsd.types.simple", "zeep.xsd.elements.attribute"):
        logging.getLogger(name).addFilter(_QUIET)


@contextmanager
def _counted() -> Iterator[list[None]]:
    seen: list[None] = []
    token = _UNREADABLE.set(seen)
    try:
        yield seen
    finally:
        _UNREADABLE.reset(token)
