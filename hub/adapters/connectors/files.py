"""Files: every file that matches a glob, on any file system that fsspec knows, in any format, each read once.

The cursor remembers each finished file with a signature of its state, and how many records were read of the file
in progress: `{"files": {"a.csv": "c2ln"}, "current": {"path": "b.csv", "signature": "dHVy", "records": 500}}`.
A file whose signature changed is read again; files that are gone are forgotten.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from glob import escape
from hashlib import blake2b
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Any, BinaryIO, Literal, Self, cast

import fsspec
from pydantic import AfterValidator, Field, WithJsonSchema, field_validator

from hub.adapters.formats import FormatChoice
from hub.adapters.records import (
    Batch,
    ConfigModel,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    FileFormatError,
    RawRecord,
    Record,
    SettingError,
    StreamRead,
)
from hub.adapters.secrets import TextRef, UrlRef, no_plain_secrets
from hub.errors import SourceError, SourceProtocolError, SourceUnavailableError

Compression = Literal["infer", "none", "gz", "bz2", "xz", "zip"]

_STAMPS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "modified", "updated", "created")
"""Names under which fsspec's file systems tell that a file changed, the surest first."""


_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


class FilesRead(ConfigModel):
    """Which files a stream reads, and how."""

    glob: Annotated[tuple[str, ...], WithJsonSchema(_ONE_OR_MORE)] = Field(
        min_length=1,
        description="Pattern, or patterns, of files below the root, such as `orders/*.csv` or `**/*.xml`.",
    )
    format: FormatChoice = Field(description="How the files are parsed.")
    compression: Compression = Field(
        default="infer",
        description="Compression of the files; by default the suffix (gz, bz2, xz, zip) tells.",
    )
    settle_s: int = Field(
        default=0,
        ge=0,
        description="Seconds a file must be unchanged before it is read, for files that are written in place; "
        "0 because most systems move complete files in.",
    )
    done: str | None = Field(
        default=None,
        min_length=1,
        description="Suffix of a marker file beside each complete one: with `.done`, `a.csv` waits for `a.csv.done`.",
    )
    changed_by: Literal["stat", "content"] = Field(
        default="stat",
        description="What tells that a file changed: size and time (cheap), or a hash of its content, for file "
        "systems and copy tools that touch times.",
    )
    path_field: str | None = Field(
        default=None,
        min_length=1,
        description="Field to add to each record with its file's path below the root.",
    )

    @field_validator("glob", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    def prepared(self, folder: Path) -> Self:
        """The stream with what its format reads from files beside the source's YAML in `folder`."""
        try:
            return self.model_copy(update={"format": self.format.prepared(folder)})
        except SettingError as error:
            raise SettingError(("format", *error.place), error.message, error.nearest) from None


class FilesConfig(ConnectorConfig):
    """Files in a folder, a bucket or on a server, by fsspec's protocols (local, `s3://`, `sftp://`, ...)."""

    read_model = FilesRead

    type: Literal["files"] = Field(description="Names this connector.")
    root: UrlRef = Field(
        default=UrlRef(text="."),
        description="Folder, or URL with fsspec's protocol; relative to the YAML's folder.",
    )
    options: Annotated[dict[str, bool | int | TextRef], AfterValidator(no_plain_secrets)] = Field(
        default={}, description="Options of the fsspec file system, such as key, secret, username or anon."
    )

    def connect(self, context: ConnectorContext) -> FilesConnector:
        """A connector for these files."""
        return FilesConnector(self, context)


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    relative: str
    signature: str


@dataclass(slots=True)
class _Progress:
    """The cursor while it moves: finished files, and the file in progress with its count of records."""

    finished: dict[str, str] = field(default_factory=dict)
    current: _File | None = None
    records: int = 0

    def begin(self, file: _File, records: int) -> None:
        self.finished.pop(file.relative, None)
        self.current, self.records = file, records

    def finish(self, file: _File) -> None:
        self.finished[file.relative] = file.signature
        self.current, self.records = None, 0

    def cursor(self) -> Cursor:
        made: Cursor = {"files": dict(self.finished)}
        if self.current is not None and self.records:
            path, signature = self.current.relative, self.current.signature
            made["current"] = {"path": path, "signature": signature, "records": self.records}
        return made


class FilesConnector:
    """Reads files; holds no connection between batches but the open file."""

    def __init__(self, config: FilesConfig, context: ConnectorContext) -> None:
        self.warnings: list[str] = []
        self._config, self._context = config, context

    def batches(
        self, stream: StreamRead[FilesRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        """The records of all files that are new or changed since `cursor`, files in the order of their paths.

        Raises:
            SourceUnavailableError: the file system cannot be reached, or a file not be opened.
            SourceProtocolError: a file is damaged, or does not fit its format's configuration.
        """
        cursor = cursor or {}
        with self._translated(stream.name, "the file system"):
            files = list(self._files(stream))
        if not files:
            self.warnings.append(f"{stream.name}: no file matches {', '.join(stream.read.glob)}")
        progress = _Progress(_still_there(cursor, files))
        collected: list[Record] = []
        try:
            for record in self._unread(stream, files, cursor, progress):
                collected.append(record)
                if len(collected) == batch_size:
                    yield Batch(collected, progress.cursor())
                    collected = []
        except SourceError:
            # What was read before the damage is good, and need not wait for the repair.
            if collected:
                yield Batch(collected, progress.cursor())
            raise
        last = progress.cursor()
        if collected or last != cursor:
            yield Batch(collected, last)

    def close(self) -> None:
        """Nothing is held open."""

    def _unread(
        self, stream: StreamRead[FilesRead], files: list[_File], cursor: Cursor, progress: _Progress
    ) -> Iterator[Record]:
        """The records that the cursor has not passed; `progress` is moved before each is given."""
        for file in files:
            if progress.finished.get(file.relative) == file.signature:
                continue
            progress.begin(file, _records_before(cursor, file))
            for record in self._records(stream, file, progress.records):
                progress.records += 1
                yield record
            progress.finish(file)

    def _files(self, stream: StreamRead[FilesRead]) -> Iterator[_File]:
        read = stream.read
        system, root = self._open_root()
        if not system.exists(root):
            raise SourceUnavailableError(
                self._context.source, stream.name, f"{root}: there is no such folder"
            )
        found: dict[str, dict[str, Any]] = {}
        for pattern in read.glob:
            found |= cast("dict[str, dict[str, Any]]", system.glob(f"{escape(root)}/{pattern}", detail=True))
        for path in sorted(found):
            info = found[path]
            if info.get("type") != "directory" and self._is_complete(system, path, stream):
                yield _File(path, _below(root, path), _signature(system, path, info, read.changed_by))

    def _open_root(self) -> tuple[Any, str]:
        context = self._context
        root = self._config.root.resolve(context)
        options = {
            name: value.resolve(context) if isinstance(value, TextRef) else value
            for name, value in self._config.options.items()
        }
        if "://" not in root and "::" not in root:
            root = str((context.base_dir / root).absolute())
        try:
            system, path = fsspec.core.url_to_fs(root, **options)
        except (ImportError, ValueError) as error:
            # fsspec names the protocol, or the package that its file system needs.
            raise SourceProtocolError(context.source, None, f"root cannot be opened: {error}") from None
        system.invalidate_cache()
        return system, path.rstrip("/")

    def _is_complete(self, system: Any, path: str, stream: StreamRead[FilesRead]) -> bool:
        read = stream.read
        if read.done is not None and (path.endswith(read.done) or not system.exists(path + read.done)):
            return False
        if not read.settle_s:
            return True
        modified = _modified(system, path)
        if modified is None:
            message = (
                f"{path}: the file system tells no times, so settle_s cannot work; use done or leave it out"
            )
            raise SourceProtocolError(self._context.source, stream.name, message)
        return (datetime.now(UTC) - modified).total_seconds() >= read.settle_s

    def _records(self, stream: StreamRead[FilesRead], file: _File, passed_over: int) -> Iterator[Record]:
        read = stream.read
        with self._translated(stream.name, file.relative):
            system, _ = self._open_root()
            with (
                system.open(file.path, "rb") as raw,
                _unpacked(raw, file.path, read.compression) as content,
                ExitStack() as companions,
            ):
                beside = partial(_beside, system, file.path, companions)
                for record in islice(
                    read.format.read_file(content, file.relative, beside), passed_over, None
                ):
                    yield _with_path(record, read.path_field, file.relative)

    @contextmanager
    def _translated(self, stream: str, what: str) -> Iterator[None]:
        """Errors of fsspec, the decompressors and the formats, as errors of this source that name the file."""
        try:
            yield
        except (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            kind, meaning = _meaning(error)
            raise kind(self._context.source, stream, f"{what}: {meaning}") from None


def _beside(system: Any, path: str, companions: ExitStack, suffixes: Sequence[str]) -> BinaryIO | None:
    """The file of the same name with one of the suffixes, whatever their case; `companions` closes it."""
    folder, _, name = path.rpartition("/")
    stem = PurePosixPath(name).stem
    for other in sorted(system.ls(folder, detail=False)):
        found = PurePosixPath(other)
        if found.stem == stem and found.suffix.lower() in suffixes:
            return cast("BinaryIO", companions.enter_context(system.open(other, "rb")))
    return None


def _meaning(error: Exception) -> tuple[type[SourceError], str]:
    """What an error of reading means to the source: try again later, or correct it; and why, without values."""
    if isinstance(error, FileFormatError):
        return SourceProtocolError, str(error)
    if isinstance(error, FileNotFoundError):
        return SourceUnavailableError, "is gone"
    if isinstance(error, PermissionError):
        return SourceUnavailableError, "may not be read (permission denied)"
    # The decompressors raise OSErrors of their own, which no system call has numbered.
    if isinstance(error, OSError) and error.errno is not None:
        return SourceUnavailableError, f"cannot be read ({error.strerror})"
    return SourceProtocolError, f"damaged, or not what its name says ({type(error).__name__})"


def _still_there(cursor: Cursor, files: list[_File]) -> dict[str, str]:
    """The cursor's finished files that still exist: what is gone is forgotten, which bounds the cursor."""
    finished = cursor.get("files", {})
    return {file.relative: finished[file.relative] for file in files if file.relative in finished}


def _records_before(cursor: Cursor, file: _File) -> int:
    """How many records of `file` the cursor has passed; none when the file is another one by now."""
    current = cursor.get("current") or {}
    same = (current.get("path"), current.get("signature")) == (file.relative, file.signature)
    return int(current["records"]) if same else 0


def _with_path(record: Record, path_field: str | None, path: str) -> Record:
    if path_field is None or not isinstance(record, RawRecord):
        return record
    return replace(record, payload={**record.payload, path_field: path})


def _signature(system: Any, path: str, info: dict[str, Any], changed_by: str) -> str:
    hashed = blake2b(digest_size=9)
    if changed_by == "content":
        with system.open(path, "rb") as content:
            while chunk := content.read(1 << 20):
                hashed.update(chunk)
    else:
        stamp = next((info[name] for name in _STAMPS if info.get(name) is not None), None)
        hashed.update(f"{info.get('size')} {stamp}".encode())
    return urlsafe_b64encode(hashed.digest()).decode()


def _modified(system: Any, path: str) -> datetime | None:
    try:
        modified: datetime = system.modified(path)
    except NotImplementedError:
        return None
    return modified if modified.tzinfo else modified.replace(tzinfo=UTC)


def _below(root: str, path: str) -> str:
    return path.removeprefix(root).lstrip("/")


@contextmanager
def _unpacked(raw: IO[bytes], path: str, compression: Compression) -> Iterator[BinaryIO]:
    """The content of a file that may be compressed; of a zip file, its only member."""
    kind = PurePosixPath(path).suffix.lstrip(".").lower() if compression == "infer" else compression
    if kind == "gz":
        with gzip.open(raw) as content:
            yield cast("BinaryIO", content)
    elif kind == "bz2":
        with bz2.open(raw) as content:
            yield cast("BinaryIO", content)
    elif kind == "xz":
        with lzma.open(raw) as content:
            yield cast("BinaryIO", content)
    elif kind == "zip":
        with zipfile.ZipFile(raw) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise FileFormatError(f"a zip file must hold one file; this one holds {len(members)}")
            with archive.open(members[0]) as content:
                yield cast("BinaryIO", content)
    else:
        yield cast("BinaryIO", raw)
