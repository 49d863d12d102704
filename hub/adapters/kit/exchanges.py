"""Recorded exchanges: what an HTTP API was asked and what it answered, as YAML that people read and write.

A file is a list of *exchanges*, each a request and its response. `docs/exchanges.md` tells the format:

    - request: {path: /v1/tickets, query: {page: 1}}
      response: {json: {items: [{id: 7, total: 12.50}]}}

Numbers keep every digit, and texts that look like dates stay texts. Secrets are never part of a request: parameters
and fields that are named like one are neither written nor compared.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import parse_qsl

import httpx
from lxml import etree
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from hub.adapters import payload
from hub.adapters.records import ConfigModel
from hub.adapters.secrets import is_secret_name
from hub.errors import ConfigurationError
from hub.yamlfile import Fault, load_yaml, parse_model

ORIGIN: Final = "{origin}"
"""Stands in responses for scheme, host and port of the request: recordings hold for any address of the API."""


def _texts(value: Any) -> Any:
    """Query parameters as texts, each with its values in order."""
    if not isinstance(value, dict):
        return value
    return {name: [_text(each) for each in _listed(given)] for name, given in value.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | Decimal) else value


Params = Annotated[dict[str, list[str]], BeforeValidator(_texts)]


class RecordedRequest(ConfigModel):
    """What was asked. Of its body is compared what is written here; a GET without one compares none."""

    method: str = Field(default="GET", pattern="^[A-Z]+$", description="HTTP method.")
    path: str = Field(pattern="^/", description="The whole path, that of the source's `url` included.")
    query: Params = Field(default={}, description="Query parameters; a list where one is repeated.")
    headers: dict[str, str] = Field(default={}, description="Headers that have to be there as written.")
    body: Any = Field(default=None, alias="json", description="JSON of the body.")
    form: Params | None = Field(default=None, description="Fields of a form's body.")
    text: str | None = Field(default=None, description="Body of another kind.")

    def differs(self, request: httpx.Request, secrets: Collection[str] = ()) -> list[str]:
        """In what `request` asks for something else, most telling first; nothing where it asks for this.

        Parameters whose value is one of `secrets` are left out.
        """
        asked = params(request.url.params.multi_items(), secrets)
        wanted = params(_pairs(self.query))
        found = [] if request.url.path == self.path else ["path"]
        found += [] if request.method == self.method else ["method"]
        found += [f"query {n}" for n in sorted(asked.keys() | wanted) if asked.get(n) != wanted.get(n)]
        found += [f"header {n}" for n, value in self.headers.items() if request.headers.get(n) != value]
        return found if self._has_body(request, secrets) else [*found, "body"]

    def _has_body(self, request: httpx.Request, secrets: Collection[str]) -> bool:
        content = request.read()
        if self.form is not None:
            sent = parse_qsl(content.decode(errors="replace"), keep_blank_values=True)
            return params(sent, secrets) == params(_pairs(self.form))
        if self.text is not None:
            return _same_text(content.decode(errors="replace"), self.text, secrets)
        if "body" not in self.model_fields_set:
            return True
        try:
            sent = without_secrets(payload.load(content), secrets)
        except ValueError:
            return False
        return bool(sent == without_secrets(self.body, ()))

    def __str__(self) -> str:
        query = httpx.QueryParams(params(_pairs(self.query)))
        return f"{self.method} {self.path}{f'?{query}' if query else ''}"


class RecordedResponse(ConfigModel):
    """What was answered, or how the connection failed."""

    status: int = Field(default=200, ge=100, le=599, description="HTTP status.")
    headers: dict[str, str] = Field(
        default={}, description="Headers that matter; the type of the content follows from its kind."
    )
    body: Any = Field(default=None, alias="json", description="JSON of the body.")
    text: str | None = Field(default=None, description="Body of another kind, such as XML or HTML.")
    error: Literal["connect", "reset", "timeout"] | None = Field(
        default=None,
        description="No answer: the connection was refused, was cut, or nothing came in time.",
    )

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if len(self.model_fields_set & {"body", "text", "error"}) > 1:
            raise ValueError("give one of json, text and error")
        return self

    def to(self, request: httpx.Request) -> httpx.Response:
        """The response as it comes over the wire.

        Raises:
            httpx.TransportError: the connection failed.
        """
        if self.error is not None:
            raise _FAILURES[self.error]("as recorded", request=request)
        headers, content = dict(self.headers), b""
        if self.text is not None:
            content, kind = self.text.encode(), "text/plain"
        elif "body" in self.model_fields_set:
            content, kind = dump_json(self.body), "application/json"
        if content and "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = kind
        origin = origin_of(request.url)
        filled = {name: value.replace(ORIGIN, origin) for name, value in headers.items()}
        return httpx.Response(
            self.status, headers=filled, content=content.replace(ORIGIN.encode(), origin.encode())
        )


_FAILURES: Final[Mapping[str, Callable[..., httpx.TransportError]]] = {
    "connect": httpx.ConnectError,
    "reset": httpx.ReadError,
    "timeout": httpx.ReadTimeout,
}


class Exchange(ConfigModel):
    """A request and its response."""

    request: RecordedRequest = Field(description="What was asked.")
    response: RecordedResponse = Field(description="What was answered.")
    again: bool = Field(
        default=False, description="Whether it is answered so as often as it is asked, such as for a token."
    )


def load_exchanges(*paths: Path) -> tuple[Exchange, ...]:
    """The exchanges of files, and of the `*.yaml` of folders in the order of their names.

    Raises:
        ConfigurationError: a file is missing or faulty; each fault with its place.
    """
    files = [file for path in paths for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]
    return tuple(exchange for file in files for exchange in _of_file(file))


def dump_exchanges(exchanges: Iterable[Exchange], head: str = "") -> str:
    """The exchanges as a file has them, under `head` as a comment."""
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    written = [
        {
            "request": _given(exchange.request),
            "response": _given(exchange.response),
            **({"again": True} if exchange.again else {}),
        }
        for exchange in exchanges
    ]
    out = io.StringIO()
    _yaml().dump(written, out)
    return comment + out.getvalue()


def params(pairs: Iterable[tuple[str, str]], secrets: Collection[str] = ()) -> dict[str, list[str]]:
    """Parameters with their values in order, without those that carry secrets by their name or their value."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if not is_secret_name(name) and value not in secrets:
            found.setdefault(name, []).append(value)
    return found


def without_secrets(value: Any, secrets: Collection[str]) -> Any:
    """JSON without the fields that carry secrets by their name or their value."""
    if isinstance(value, dict):
        return {
            name: without_secrets(inner, secrets)
            for name, inner in value.items()
            if not is_secret_name(name) and not (isinstance(inner, str) and inner in secrets)
        }
    return [without_secrets(inner, secrets) for inner in value] if isinstance(value, list) else value


def origin_of(url: httpx.URL) -> str:
    """Scheme, host and port of an address."""
    return str(url.copy_with(path="/", query=None, fragment=None, userinfo=None)).rstrip("/")


def dump_json(value: Any) -> bytes:
    """JSON of any value of a payload, numbers exact and names in their order."""
    if isinstance(value, dict):
        return b"{%s}" % b",".join(dump_json(str(k)) + b":" + dump_json(v) for k, v in value.items())
    if isinstance(value, list):
        return b"[%s]" % b",".join(map(dump_json, value))
    return payload.dump({"": value})[4:-1]


def _same_text(sent: str, recorded: str, secrets: Collection[str]) -> bool:
    """Whether two bodies say the same; of XML is compared what it says, not how it is written."""
    for secret in sorted(secrets, key=len, reverse=True):
        sent = sent.replace(secret, "secret")
    if sent == recorded:
        return True
    try:
        said, wanted = (
            etree.canonicalize(etree.fromstring(text.encode()), strip_text=True) for text in (sent, recorded)
        )
    except etree.XMLSyntaxError:
        return False
    return bool(said == wanted)


def _pairs(given: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, values in given.items() for value in values)


def _given(model: ConfigModel) -> dict[str, Any]:
    """What of a model is worth writing."""
    said = model.model_dump(by_alias=True, exclude_unset=True, exclude_defaults=True)
    if "body" in model.model_fields_set:
        said["json"] = getattr(model, "body")  # noqa: B009  (the field of two models)
    for name in ("query", "form"):
        if name in said:
            said[name] = {key: each[0] if len(each) == 1 else each for key, each in said[name].items()}
    return said


def _of_file(file: Path) -> list[Exchange]:
    doc = load_yaml(file, file.name)
    if not isinstance(doc.data, list):
        raise ConfigurationError([doc.fault((), "is no list of exchanges", expected="- request: ...")])
    try:
        exact = _yaml().load(file.read_text(encoding="utf-8"))
        return [Exchange.model_validate(each) for each in exact]
    except ValidationError:
        faults = [fault for n in range(len(doc.data)) for fault in parse_model(doc, Exchange, (n,))[1]]
        raise ConfigurationError(faults) from None
    except (YAMLError, ValueError) as error:
        raise ConfigurationError([Fault(file.name, 1, 1, "", str(error))]) from None


class _Exact(SafeConstructor):
    """Reads numbers exactly, and what looks like a time as the text that it is."""


class _Written(SafeRepresenter):
    """Writes exact numbers as they are."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (the name that ruamel asks for)
        return True


def _decimal(_: SafeConstructor, node: ScalarNode) -> Decimal:
    text = str(node.value).replace("_", "")
    if not re.search(r"\d", text):
        raise ValueError(f"line {node.start_mark.line + 1}: NaN and infinity are no JSON")
    return Decimal(text)


_Exact.add_constructor("tag:yaml.org,2002:float", _decimal)
_Exact.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)
_Written.add_representer(
    Decimal, lambda self, data: self.represent_scalar("tag:yaml.org,2002:float", str(data))
)


@cache
def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor, yaml.Representer = _Exact, _Written
    yaml.default_flow_style = False
    yaml.allow_unicode, yaml.width = True, 110
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # its own default is None
    return yaml
