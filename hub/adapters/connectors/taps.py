"""Singer taps and Airbyte sources, run unchanged as programs of their own.

A stream is one run of the program with a catalog that selects this stream alone. The state that it writes is the
stream's cursor: kept in the transaction of the records before it, and handed back at the next run. What a program
writes again, as both kinds may, is known again by its hash and costs no more than that.

    hub adapter install tap-postgres --from meltanolabs-tap-postgres

    connector:
      type: singer
      tap: tap-postgres
      config: {host: db.example.com, user: hub, password: {env: ERP_PASSWORD}}
    streams:
      customers:
        read: {stream: public-customers, replication_key: updated_at}
        key: customer_no
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field

from hub.adapters import payload
from hub.adapters.connectors.subprocesses import Program, given_file
from hub.adapters.records import (
    BadRecord,
    Batch,
    ConfigModel,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    Payload,
    RawRecord,
    Record,
    StreamRead,
)
from hub.adapters.secrets import SecretRef, no_plain_secrets
from hub.errors import SourceProtocolError, SourceUnavailableError
from hub.yamlfile import nearest

Values = Annotated[
    dict[str, Any], AfterValidator(lambda values: dict(no_plain_secrets(_with_references(values))))
]


def _with_references(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, in which `{env: NAME}` and `{file: path}` are references, however deep they stand."""
    return {name: _referred(value) for name, value in values.items()}


def _referred(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and set(value) <= {"env", "file"}:
            return SecretRef.model_validate(value)
        return dict(no_plain_secrets(_with_references(value)))
    return [_referred(each) for each in value] if isinstance(value, list) else value


def _resolved(value: Any, context: ConnectorContext) -> Any:
    if isinstance(value, SecretRef):
        return value.resolve(context)
    if isinstance(value, dict):
        return {name: _resolved(each, context) for name, each in value.items()}
    return [_resolved(each, context) for each in value] if isinstance(value, list) else value


class TapRead(ConfigModel):
    """What a stream reads of a program."""

    stream: str = Field(min_length=1, description="The stream's name in the program's catalog.")
    replication_key: str | None = Field(
        default=None,
        min_length=1,
        description="Field by which the program tells what is new; each run gives all records unless given, or unless"
        " the program knows one by itself.",
    )


class SingerRead(TapRead):
    """What a stream reads of a Singer tap."""


class AirbyteRead(TapRead):
    """What a stream reads of an Airbyte source."""


class _TapConfig(ConnectorConfig):
    config: Values = Field(
        default_factory=dict,
        description="What the program is configured by, as its own documentation says; secrets as references.",
    )
    silence_s: int = Field(
        default=600,
        ge=1,
        description="Seconds without a word after which the program is ended, and the run fails.",
    )
    log: str | None = Field(
        default=None,
        min_length=1,
        description="File that the program's log is added to, relative to the YAML's folder; it may hold values, so"
        " that only the hub's user can read it.",
    )


class SingerConfig(_TapConfig):
    """A tap of the Singer specification, such as those of Meltano Hub."""

    read_model = SingerRead

    type: Literal["singer"] = Field(description="Names this connector.")
    tap: str = Field(
        min_length=1,
        description="The program: a name that `hub adapter install` knows, or a path relative to the YAML's folder.",
    )

    def connect(self, context: ConnectorContext) -> TapConnector:
        """A connector that runs the tap."""
        return TapConnector(self, _Singer(), self.tap, context)


class AirbyteConfig(_TapConfig):
    """A source connector of the Airbyte protocol that is published as a Python package."""

    read_model = AirbyteRead

    type: Literal["airbyte"] = Field(description="Names this connector.")
    program: str = Field(
        min_length=1,
        description="The program: a name that `hub adapter install` knows, or a path relative to the YAML's folder.",
    )

    def connect(self, context: ConnectorContext) -> TapConnector:
        """A connector that runs the source."""
        return TapConnector(self, _Airbyte(), self.program, context)


@dataclass(frozen=True, slots=True)
class _Said:
    """What one message means: a record, the state after it, or why it is a doubt."""

    record: Payload | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    """As JSON text: a program that writes 1.10 gets 1.10 back."""
    doubt: str | None = None


_NOTHING = _Said()


class _Protocol(ABC):
    """How the programs of one kind are asked and answer."""

    @abstractmethod
    def discovering(self, config: str) -> list[str]:
        """Arguments for the catalog."""

    @abstractmethod
    def catalog(self, messages: Iterator[Any]) -> dict[str, Any]:
        """The streams that it tells of, by name."""

    @abstractmethod
    def chosen(self, stream: Any, read: TapRead) -> Any:
        """The catalog that selects this stream alone."""

    @abstractmethod
    def reading(self, config: str, catalog: str, state: str | None) -> list[str]:
        """Arguments for the records."""

    @abstractmethod
    def meaning(self, message: Mapping[str, Any], names: Collection[str]) -> _Said:
        """What a message says."""

    @abstractmethod
    def given_state(self, state: str) -> str:
        """The state as the program takes it back, as JSON text."""


class TapConnector:
    """Runs one program, a stream at a time."""

    def __init__(self, config: _TapConfig, protocol: _Protocol, name: str, context: ConnectorContext) -> None:
        self.warnings: list[str] = []
        self._config, self._protocol, self._name, self._context = config, protocol, name, context
        self._catalog: dict[str, Any] | None = None

    def batches(self, stream: StreamRead[TapRead], cursor: Cursor | None, batch_size: int) -> Iterator[Batch]:
        """The records that the program gives from the cursor's state on.

        Raises:
            SourceUnavailableError: the program is not there, ended with an error, or was silent for too long.
            SourceProtocolError: it has no such stream, or tells something that its kind does not know.
            ConfigurationError: a referenced variable or file is missing.
        """
        program = self._program(stream.name)
        with program.folder() as folder:
            config = given_file(folder, "config.json", _text(_resolved(self._config.config, self._context)))
            chosen = self._chosen(program, folder, config, stream)
            catalog = given_file(folder, "catalog.json", _text(chosen))
            state = None
            if cursor is not None:
                state = given_file(folder, "state.json", self._protocol.given_state(cursor["state"]))
            lines = program.lines(self._protocol.reading(config, catalog, state), folder)
            yield from self._batches(lines, stream, cursor, batch_size)

    def close(self) -> None:
        """Nothing is held between streams."""

    def _batches(
        self, lines: Iterator[bytes], stream: StreamRead[TapRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        records: list[Record] = []
        for number, line in enumerate(lines, 1):
            said = self._said(line, number, stream)
            if isinstance(said, BadRecord):
                records.append(said)
            else:
                if said.record is not None:
                    records.append(RawRecord(said.record, f"message {number}"))
                if said.doubt is not None:
                    self._warn(f"{stream.name}: {said.doubt}")
                cursor = {"state": said.state} if said.state is not None else cursor
            if len(records) >= batch_size:
                yield Batch(records, cursor)
                records = []
        yield Batch(records, cursor)

    def _said(self, line: bytes, number: int, stream: StreamRead[TapRead]) -> _Said | BadRecord:
        if not line.lstrip().startswith(b"{"):
            if not line.strip():
                return _NOTHING
            return _Said(doubt=f"{self._name} wrote lines that are no messages")
        try:
            message = payload.load(line)
        except ValueError as error:
            return BadRecord(line.decode(errors="replace"), f"message {number}", str(error))
        names = {stream.read.stream, (self._catalog or {})[stream.read.stream].get("stream")}
        return self._protocol.meaning(message, names)

    def _chosen(self, program: Program, folder: Path, config: str, stream: StreamRead[TapRead]) -> Any:
        if self._catalog is None:
            lines = program.lines(self._protocol.discovering(config), folder)
            try:
                self._catalog = self._protocol.catalog(_messages(lines))
            except (KeyError, TypeError, ValueError, AttributeError):
                raise self._wrong(stream, f"{self._name} gave no catalog") from None
        name = stream.read.stream
        if name not in self._catalog:
            near = nearest(name, self._catalog)
            hint = f"; did you mean {near!r}?" if near else ""
            raise self._wrong(stream, f"{self._name} has no stream {name!r}{hint}")
        key = stream.read.replication_key
        if key is not None and key not in _fields(self._catalog[name]):
            raise self._wrong(stream, f"{name} has no field {key!r} to tell by what is new")
        return self._protocol.chosen(self._catalog[name], stream.read)

    def _program(self, stream: str) -> Program:
        path = (
            self._context.base_dir / self._name
            if "/" in self._name
            else self._context.programs / self._name / "bin" / self._name
        )
        if not path.is_file():
            raise SourceUnavailableError(
                self._context.source,
                stream,
                f"{self._name} is not there; `hub adapter install {Path(self._name).name}` installs it",
            )
        log = self._context.base_dir / self._config.log if self._config.log else None
        return Program(self._context.source, stream, path.absolute(), self._config.silence_s, log)

    def _wrong(self, stream: StreamRead[TapRead], message: str) -> SourceProtocolError:
        return SourceProtocolError(self._context.source, stream.name, message)

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)


def _messages(lines: Iterator[bytes]) -> Iterator[Any]:
    """What is JSON among the lines, some of which programs write for people to read."""
    text = b"".join(lines)
    try:
        yield payload.load(text)  # a catalog of many lines
        return
    except ValueError:
        pass
    for line in text.splitlines():
        if line.lstrip().startswith(b"{"):
            yield payload.load(line)


def _fields(stream: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = stream.get("json_schema") or stream.get("schema") or {}
    return cast("Mapping[str, Any]", schema.get("properties") or {})


class _Singer(_Protocol):
    """Singer: https://hub.meltano.com/singer/spec."""

    def discovering(self, config: str) -> list[str]:
        return ["--config", config, "--discover"]

    def catalog(self, messages: Iterator[Any]) -> dict[str, Any]:
        return {each.get("tap_stream_id") or each["stream"]: each for each in next(messages)["streams"]}

    def chosen(self, stream: Any, read: TapRead) -> Any:
        entries = {tuple(each["breadcrumb"]): dict(each["metadata"]) for each in stream.get("metadata", ())}
        top = entries.setdefault((), {})
        top["selected"] = True
        if read.replication_key is not None:
            top |= {"replication-method": "INCREMENTAL", "replication-key": read.replication_key}
            stream = {**stream, "replication_method": "INCREMENTAL", "replication_key": read.replication_key}
        for name in _fields(stream):
            entry = entries.setdefault(("properties", name), {})
            if entry.get("inclusion") != "unsupported":
                entry["selected"] = True
        metadata = [{"breadcrumb": list(where), "metadata": said} for where, said in entries.items()]
        return {"streams": [{**stream, "selected": True, "metadata": metadata}]}

    def reading(self, config: str, catalog: str, state: str | None) -> list[str]:
        return ["--config", config, "--catalog", catalog, *(["--state", state] if state else [])]

    def meaning(self, message: Mapping[str, Any], names: Collection[str]) -> _Said:
        kind = message.get("type")
        if kind == "RECORD" and isinstance(message.get("record"), dict):
            if message.get("stream") not in names:
                return _Said(doubt="records of other streams were passed over")
            return _Said(record=message["record"])
        if kind == "STATE" and isinstance(message.get("value"), dict):
            return _Said(state=_text(message["value"]))
        if kind in ("SCHEMA", "ACTIVATE_VERSION", "STATE"):
            return _NOTHING
        return _Said(doubt=f"a message of type {_word(kind)} was passed over")

    def given_state(self, state: str) -> str:
        return state


class _Airbyte(_Protocol):
    """Airbyte: https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol."""

    def discovering(self, config: str) -> list[str]:
        return ["discover", "--config", config]

    def catalog(self, messages: Iterator[Any]) -> dict[str, Any]:
        found = next(each["catalog"] for each in messages if each.get("type") == "CATALOG")
        return {each["name"]: each for each in found["streams"]}

    def chosen(self, stream: Any, read: TapRead) -> Any:
        modes = stream.get("supported_sync_modes") or ["full_refresh"]
        knows = stream.get("source_defined_cursor") or stream.get("default_cursor_field")
        goes_on = "incremental" in modes and bool(read.replication_key or knows)
        cursor = [read.replication_key] if read.replication_key else stream.get("default_cursor_field") or []
        chosen = {
            "stream": stream,
            "sync_mode": "incremental" if goes_on else "full_refresh",
            "destination_sync_mode": "append",
            "cursor_field": cursor,
            "primary_key": stream.get("source_defined_primary_key") or [],
        }
        return {"streams": [chosen]}

    def reading(self, config: str, catalog: str, state: str | None) -> list[str]:
        return ["read", "--config", config, "--catalog", catalog, *(["--state", state] if state else [])]

    def meaning(self, message: Mapping[str, Any], names: Collection[str]) -> _Said:
        kind = message.get("type")
        if kind == "RECORD":
            record = message.get("record") or {}
            if record.get("stream") not in names or not isinstance(record.get("data"), dict):
                return _Said(doubt="records of other streams were passed over")
            return _Said(record=record["data"])
        if kind == "STATE" and isinstance(message.get("state"), dict):
            return _Said(state=_text(message["state"]))
        if kind in ("LOG", "SPEC", "CONNECTION_STATUS", "CATALOG", "CONTROL"):
            return _NOTHING
        if kind == "TRACE":
            trace = message.get("trace") or {}
            return _Said(doubt="it told of an error") if trace.get("type") == "ERROR" else _NOTHING
        return _Said(doubt=f"a message of type {_word(kind)} was passed over")

    def given_state(self, state: str) -> str:
        return f"[{state}]"


def _text(value: Mapping[str, Any]) -> str:
    """The value as JSON, with every digit of its numbers."""
    return payload.dump(dict(value)).decode()


def _word(kind: object) -> str:
    """The type of a message, where it is a word and no value."""
    return (
        kind
        if isinstance(kind, str) and kind.isascii() and kind.isupper() and len(kind) <= 30
        else "that is unknown"
    )
