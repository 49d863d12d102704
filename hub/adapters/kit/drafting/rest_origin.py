"""A REST API as the origin of a draft: where its records stand, and how it pages, told by its replies.

A guess at paging is taken only when the API has proved it: the second page was asked for, and gave other records.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx

from hub.adapters import payload
from hub.adapters.connectors.http import Address, HttpApi, Reply
from hub.adapters.connectors.rest import RestConfig
from hub.adapters.kit.drafting.fields import words_of
from hub.adapters.kit.drafting.origins import Asked, Origin, SampledStream, sample, stream_name, variable
from hub.adapters.records import ConnectorContext
from hub.adapters.secrets import is_secret_name
from hub.errors import QueryError, SourceError, SourceProtocolError

_LISTS: Final = ("data", "items", "results", "records", "value", "rows", "content", "entries", "list")
"""Names under which records stand, likeliest first."""
_NEXT_URL: Final = re.compile(
    r"^(@odata\.nextlink|next|next_?url|next_?page|next_?link|next_?page_?url|href|link)$", re.I
)
_NEXT_TOKEN: Final = re.compile(
    r"^(next_?cursor|next_?page_?token|next_?token|cursor|continuation(_?token)?|after|end_?cursor|next)$",
    re.I,
)
_TOTAL: Final = re.compile(
    r"^(total|total_?(count|items|results|records|elements|size)|count|x_total)$", re.I
)
_MORE: Final = re.compile(r"^(has_?more|more|has_?next(_?page)?|more_?results)$", re.I)
_PAGE_PARAMS: Final = ("page", "page_number", "p", "pageNumber")
_OFFSET_PARAMS: Final = ("offset", "skip", "start", "startAt", "$skip")
_SIZE_PARAMS: Final = frozenset(
    {
        "limit",
        "per_page",
        "page_size",
        "pagesize",
        "size",
        "count",
        "max",
        "maxresults",
        "top",
        "$top",
        "perpage",
    }
)
_FAR: Final = 1_000_000
"""A page that no API has."""
_PAST: Final = frozenset({400, 404, 410, 416, 422})


def rest_origin(asked: Asked) -> Origin:
    """The API below the URL's last part, and one stream of it.

    Raises:
        SourceError: it cannot be reached, or has no records in its reply.
    """
    parts = urlsplit(asked.origin)
    if parts.password or parts.username:
        raise QueryError("the URL holds a login; give the name of a variable with a token by --token")
    base, _, last = parts.path.rstrip("/").rpartition("/")
    connector: dict[str, Any] = {"type": "rest", "url": f"{parts.scheme}://{parts.netloc}{base}"}
    environ: dict[str, str] = {}
    given = parse_qsl(parts.query, keep_blank_values=True)
    if asked.token:
        connector["auth"] = {"type": "bearer", "token": {"env": asked.token}}
    for name, value in given:
        if is_secret_name(name):
            key = variable(asked.source, "key")
            connector["auth"] = {"type": "api_key", "param": name, "value": {"env": key}}
            environ[key] = value
    params = {name: value for name, value in given if not is_secret_name(name)}
    origin = Origin(connector, [], environ)
    probe = _Probe(asked, origin, last or "", params)
    try:
        stream = probe.stream()
    finally:
        probe.close()
    origin.streams.append(stream)
    sample(asked, origin, stream)
    return origin


class _Probe:
    """Asks an API what its replies look like."""

    def __init__(self, asked: Asked, origin: Origin, path: str, params: dict[str, str]) -> None:
        config = RestConfig.model_validate(origin.connector)
        environ = {**asked.environ, **origin.environ}
        context = ConnectorContext(asked.source, environ, asked.folder, wire=asked.wire)
        self._asked, self._path = asked, path or "/"
        self._params = {
            name: value
            for name, value in params.items()
            if name not in (*_PAGE_PARAMS, *_OFFSET_PARAMS) and name.lower() not in _SIZE_PARAMS
        }
        self._size = next(
            ((n, int(v)) for n, v in params.items() if n.lower() in _SIZE_PARAMS and v.isdecimal()), None
        )
        self._name = stream_name(path)
        self._api = HttpApi(
            context,
            config.url.resolve(context),
            config.auth,
            config.retries,
            timeout_s=config.timeout_s,
            max_bytes=config.max_bytes,
            requests_per_second=config.requests_per_second,
        )

    def close(self) -> None:
        self._api.close()

    def stream(self) -> SampledStream:
        sized = {self._size[0]: str(self._size[1])} if self._size else {}
        first = self._get(sized)
        place, records = self._records(first)
        read: dict[str, Any] = {"path": self._path}
        if self._params:
            read["params"] = dict(self._params)
        if place is None:
            return SampledStream(self._name, {**read, "single": True}, notes=["the reply is one record"])
        if place != "@":
            read["records"] = place
        paging, notes = self._paging(first, place, records, sized)
        if paging:
            read["paging"] = paging
        total = self._total(first, len(records), bool(paging))
        if total:
            read["total_path"] = total
        elif paging and paging["type"] in ("page", "offset"):
            paging["recheck"] = True
            notes.append(
                "the API tells no total, so all pages are asked for twice, to notice when they shift"
            )
        return SampledStream(self._name, read, notes=notes)

    def _get(self, params: dict[str, str], accept: frozenset[int] = frozenset()) -> Reply:
        address = self._api.address(self._path, {**self._params, **params})
        return self._api.ask(self._name, address, {}, accept)

    def _records(self, reply: Reply) -> tuple[str | None, list[Any]]:
        """The JMESPath of the records, None where the reply itself is one, and the records."""
        if isinstance(reply.json, list):
            return "@", reply.json
        if not isinstance(reply.json, dict):
            raise SourceProtocolError(
                self._asked.source, self._name, "the reply is neither a list nor an object"
            )
        lists = [(path, found) for path, found in _walk(reply.json) if isinstance(found, list)]
        ranked = sorted(
            lists, key=lambda each: (-_is_objects(each[1]), each[0].count("."), _rank(each[0]), -len(each[1]))
        )
        if not ranked or not (_is_objects(ranked[0][1]) or _rank(ranked[0][0]) < len(_LISTS)):
            return None, [reply.json]
        return ranked[0]

    def _paging(
        self, first: Reply, place: str, records: list[Any], sized: dict[str, str]
    ) -> tuple[dict[str, Any] | None, list[str]]:
        for guess, reply in self._guesses(first, records, sized):
            second = _at(reply.json, place)
            if isinstance(second, list) and second and _digests(second).isdisjoint(_digests(records)):
                if self._size:
                    guess |= {"size_param": self._size[0], "size": self._size[1]}
                return guess, [
                    *self._more(first, guess),
                    "paging was tried: the second page gave other records",
                ]
        return None, ["one reply has all records, as far as the API told; see `paging` if it has more"]

    def _guesses(
        self, first: Reply, records: list[Any], sized: dict[str, str]
    ) -> Iterator[tuple[dict[str, Any], Reply]]:
        """Ways of paging that the reply speaks for, each with the API's second page by it."""
        current = self._api.address(self._path, {**self._params, **sized})
        if first.next_link:
            yield from self._followed({"type": "link"}, current, first.next_link)
        leaves = list(_walk(first.json)) if isinstance(first.json, dict) else []
        for path, value in leaves:
            name = path.rpartition(".")[2].strip('"')
            is_next = _NEXT_URL.match(name) and "next" in path.lower()
            if is_next and isinstance(value, str) and value.startswith(("http", "/", "?")):
                yield from self._followed({"type": "next_url", "path": path}, current, value)
        for path, value in leaves:
            name = path.rpartition(".")[2].strip('"')
            if (
                isinstance(value, str | int)
                and not isinstance(value, bool)
                and value
                and _NEXT_TOKEN.match(name)
            ):
                for param in _token_params(name):
                    yield from self._asked_for(
                        {"type": "cursor", "param": param, "path": path}, param, str(value), sized
                    )
        if len(records) < 2:
            return
        for start, param in ((1, name) for name in _PAGE_PARAMS):
            yield from self._asked_for(
                {"type": "page", **_named(param, "page")}, param, str(start + 1), sized
            )
        for param in _OFFSET_PARAMS:
            yield from self._asked_for(
                {"type": "offset", **_named(param, "offset")}, param, str(len(records)), sized
            )

    def _followed(
        self, guess: dict[str, Any], current: Address, link: str
    ) -> Iterator[tuple[dict[str, Any], Reply]]:
        try:
            yield guess, self._api.ask(self._name, self._api.follow(current, link), {}, _PAST)
        except (SourceError, ValueError, httpx.InvalidURL):
            return

    def _asked_for(
        self, guess: dict[str, Any], param: str, value: str, sized: dict[str, str]
    ) -> Iterator[tuple[dict[str, Any], Reply]]:
        try:
            reply = self._get({**sized, param: value}, _PAST)
        except SourceError:
            return
        if reply.status not in _PAST:
            yield guess, reply

    def _more(self, first: Reply, guess: dict[str, Any]) -> list[str]:
        """Add to a counted paging how the API says that there is no further page; what was found out."""
        if guess["type"] not in ("page", "offset"):
            return []
        leaves = _walk(first.json) if isinstance(first.json, dict) else []
        more = next((path for path, v in leaves if v is True and _MORE.match(path.rpartition(".")[2])), None)
        if more:
            guess["more_path"] = more
            return []
        try:
            reply = self._get({guess.get("param", guess["type"]): str(_FAR)}, _PAST)
        except SourceError:
            return ["the API does not answer past its last page"]
        if reply.status in _PAST:
            guess["end_status"] = [reply.status]
        return []

    def _total(self, first: Reply, got: int, is_paged: bool) -> str | None:
        """Where the reply claims how many records there are."""
        if not isinstance(first.json, dict):
            return None
        for path, value in _walk(first.json):
            is_total = type(value) is int and _TOTAL.match(path.rpartition(".")[2])
            if is_total and (value > got if is_paged else value == got):
                return path
        return None


def _walk(value: Any, above: str = "", depth: int = 3) -> Iterator[tuple[str, Any]]:
    """The values within objects that are no objects themselves, with their JMESPath."""
    for name, inner in value.items():
        shown = name if re.fullmatch(r"[A-Za-z_]\w*", name) else f'"{name}"'
        path = f"{above}.{shown}" if above else shown
        if isinstance(inner, dict) and depth > 1:
            yield from _walk(inner, path, depth - 1)
        else:
            yield path, inner


def _at(value: Any, path: str) -> Any:
    if path == "@":
        return value
    for name in path.split("."):
        value = value.get(name.strip('"')) if isinstance(value, dict) else None
    return value


def _rank(path: str) -> int:
    name = path.rpartition(".")[2].lower()
    return _LISTS.index(name) if name in _LISTS else len(_LISTS)


def _is_objects(found: list[Any]) -> bool:
    return bool(found) and all(isinstance(each, dict) for each in found)


def _digests(records: list[Any]) -> set[bytes]:
    return {payload.digest(payload.readable(each).encode()) for each in records}


def _named(param: str, usual: str) -> dict[str, str]:
    return {} if param == usual else {"param": param}


def _token_params(name: str) -> list[str]:
    """What the query parameter for a token of this name is usually called."""
    words = [word for word in words_of(name) if word not in ("next", "end")]
    snake, camel = "_".join(words), "".join(words[:1] + [word.title() for word in words[1:]])
    return list(
        dict.fromkeys(filter(None, (snake, camel, name, "cursor", "after", "page_token", "starting_after")))
    )
