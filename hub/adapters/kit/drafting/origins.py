"""Where a draft's sample comes from: a REST API, files, or tables; each is read by the hub's own connector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from hub.adapters.connectors import connectors
from hub.adapters.records import BadRecord, ConnectorContext, Payload, RawRecord, StreamRead, Wire
from hub.errors import QueryError, SourceProtocolError


@dataclass(frozen=True, slots=True)
class Asked:
    """What a draft is asked for."""

    source: str
    origin: str = field(repr=False)
    """URL of an API, of a database, or path of a file; it may hold a secret, which the draft refers to instead."""
    folder: Path
    """Folder of the sources' YAML, to which relative paths are relative."""
    more: tuple[str, ...] = field(default=(), repr=False)
    """Further files of the same folder, or addresses of the same API: a stream each."""
    tables: tuple[str, ...] = ()
    token: str | None = None
    """Environment variable with a bearer token."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    wire: Wire = httpx.HTTPTransport
    sample: int = 200
    """Records that are looked at, of each stream."""


@dataclass(slots=True)
class SampledStream:
    """A stream that an origin offers, with a sample of it."""

    name: str
    read: dict[str, Any]
    records: list[Payload] = field(default_factory=list, repr=False)
    bad: int = 0
    """Records of the sample that could not be parsed."""
    primary_key: tuple[str, ...] = ()
    has_watermarks: bool = False
    """Whether its connector asks for changes by a field alone."""
    notes: list[str] = field(default_factory=list)
    """What a person should know of how it is read."""


@dataclass(slots=True)
class Origin:
    """A connector's part of the YAML, and its streams."""

    connector: dict[str, Any]
    streams: list[SampledStream]
    environ: dict[str, str] = field(default_factory=dict, repr=False)
    """Values of the variables that the connector refers to, as far as the origin itself held them."""


def open_origin(asked: Asked) -> Origin:
    """The origin with samples of its streams.

    Raises:
        QueryError: it is none of the kinds that are known, or what is asked for is not all in one place.
        SourceError: it cannot be read.
    """
    origin = _open(asked)
    for further in asked.more:
        found = _open(replace(asked, origin=further, more=()))
        if found.connector != origin.connector:
            raise QueryError(
                "a source is one folder, one API or one database; give others a YAML of their own"
            )
        taken = [stream.name for stream in origin.streams]
        for stream in found.streams:
            stream.name = stream_name(stream.name, taken)
        origin.streams += found.streams
    return origin


def _open(asked: Asked) -> Origin:
    from hub.adapters.kit.drafting import file_origin, rest_origin, sql_origin

    scheme = asked.origin.partition("://")[0].lower() if "://" in asked.origin else ""
    if scheme in ("http", "https"):
        return rest_origin.rest_origin(asked)
    if scheme and scheme.partition("+")[0] in sql_origin.DATABASES:
        return sql_origin.sql_origin(asked)
    if scheme not in ("", "file"):
        raise QueryError(
            f"{scheme}:// is no origin to draft from; give an http(s) URL, a database URL such as "
            "postgresql://host/db?table=customers, or the path of a file"
        )
    return file_origin.file_origin(asked)


def sample(asked: Asked, origin: Origin, stream: SampledStream) -> None:
    """Read the first records of the stream, by the connector and `read` that the draft will have.

    Raises:
        SourceError: it cannot be read.
    """
    kind = connectors()[origin.connector["type"]]
    config = kind.model_validate(origin.connector)
    environ = {**asked.environ, **origin.environ}
    context = ConnectorContext(asked.source, environ, asked.folder, wire=asked.wire)
    read = StreamRead(stream.name, kind.read_model.model_validate(stream.read))
    connector = config.connect(context)
    try:
        batches = connector.batches(read, None, min(asked.sample, 1000))
        for record in islice((each for batch in batches for each in batch.records), asked.sample):
            if isinstance(record, RawRecord):
                stream.records.append(record.payload)
            else:
                stream.bad += isinstance(record, BadRecord)
    finally:
        connector.close()
    if not stream.records:
        raise SourceProtocolError(
            asked.source,
            stream.name,
            "nothing could be read to draft from; try again where there are records",
        )


def variable(source: str, what: str) -> str:
    """The name of the environment variable for a secret of the source."""
    return f"{source}_{what}".upper()


def stream_name(text: str, taken: Sequence[str] = ()) -> str:
    """A stream's name made of a file's, a table's or a path's."""
    from hub.adapters.kit.drafting.fields import words_of

    made = "_".join(words_of(text)) or "records"
    made = made if made[0].isalpha() else f"records_{made}"
    while made in taken:
        made += "_2"
    return made
