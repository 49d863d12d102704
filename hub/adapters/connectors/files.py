"""Files: every file that matches a glob, on any file system that fsspec knows, in any format, each read once.

The cursor remembers each finished file with a signature of its state, and how many records were read of the file
in progress: `{"files": {"a.csv": "c2ln:aGFzaA=="}, "current": {"path": "b.csv", "signature": "dHVy", "records": 500}}`.
A file whose signature changed is read again; a file that has only another name is not (see `pickup.py`).
"""

from __future__ import annotations

import lzma
import os
import time
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from glob import escape
from io import BufferedReader
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, BinaryIO, Literal, Self, cast

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator, model_validator

from hub.adapters.connectors.answering import Acknowledge, Answering, is_within
from hub.adapters.connectors.clearing import finish_claims, is_claimed, put_away
from hub.adapters.connectors.filesystems import (
    Opened,
    S3Login,
    SftpLogin,
    foreign_errors,
    foreign_meaning,
    open_root,
)
from hub.adapters.connectors.pickup import File, Progress, is_stamped_by_content, state_of
from hub.adapters.connectors.unpacking import Compression, Hashed, content_hash, unpacked
from hub.adapters.formats import FormatChoice
from hub.adapters.formats.edi import EdiFormat
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

_TEMPORARY = ("*.part", "*.partial", "*.filepart", "*.tmp", "*.temp", "*.crdownload", "*.swp", "*~", ".*")
"""Names that rsync, WinSCP, browsers and editors give to what they have not finished."""

_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


class FilesRead(ConfigModel):
    """Which files a stream reads, and how."""

    aside = frozenset({"acknowledge"})

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
    ignore: tuple[str, ...] = Field(
        default=_TEMPORARY,
        description="Patterns of names that are passed over: those that programs give to what they still write.",
    )
    look_twice_s: int = Field(
        default=0,
        ge=0,
        le=600,
        description="Seconds between two looks at the files that are new: one whose size or time differs waits for the"
        " next run. For servers whose clock cannot be trusted, where settle_s would be wrong.",
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

    after: Literal["keep", "move", "delete"] = Field(
        default="keep",
        description="What becomes of a file at the source once the hub has committed all of it.",
    )
    archive: str | None = Field(
        default=None,
        min_length=1,
        description="Folder below the root that `after: move` moves files to; nothing in it is read.",
    )
    acknowledge: Acknowledge | None = Field(
        default=None,
        description="With `format: {type: edi}`: whoever sent an interchange is answered, by TA1, 997 or CONTRL.",
    )
    max_files: int = Field(
        default=100_000,
        ge=1,
        description="Most files that may lie there: the cursor remembers each, in about 100 bytes. With more the run"
        " fails; let `after` move or delete what was read, or narrow the glob.",
    )
    max_unpacked_mb: int = Field(
        default=102_400,
        ge=1,
        description="Most MiB that a compressed file may unpack to; more is damage, or an attack.",
    )

    @model_validator(mode="after")
    def _archive_to_move_to(self) -> Self:
        if (self.after == "move") != (self.archive is not None):
            raise ValueError("`after: move` and `archive` belong together")
        if self.archive is not None and {"", ".", ".."} & set(self.archive.rstrip("/").split("/")):
            raise ValueError("archive is a folder below the root")
        if self.acknowledge is not None and not isinstance(self.format, EdiFormat):
            raise ValueError("`acknowledge` answers interchanges, which `format: {type: edi}` reads")
        return self

    @property
    def takes_away(self) -> bool:
        """Whether files are gone once they were read."""
        return self.after != "keep"

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
        default={}, description="Options of another fsspec file system, such as token or account_name."
    )
    sftp: SftpLogin | None = Field(default=None, description="Login to the server of an `sftp://` root.")
    s3: S3Login | None = Field(default=None, description="Login to the server of an `s3://` root.")

    def connect(self, context: ConnectorContext) -> FilesConnector:
        """A connector for these files."""
        return FilesConnector(self, context)


class FilesConnector:
    """Reads files; holds a file system's connection until it is closed."""

    def __init__(self, config: FilesConfig, context: ConnectorContext) -> None:
        self.warnings: list[str] = []
        self._config, self._context = config, context
        self._opened: Opened | None = None

    def batches(
        self, stream: StreamRead[FilesRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        """The records of all files that are new or changed since `cursor`, files in the order of their paths.

        Raises:
            SourceUnavailableError: the file system cannot be reached, or a file not be opened.
            SourceProtocolError: a file is damaged, or does not fit its format's configuration; or there are more than
                `max_files`.
        """
        cursor = cursor or {}
        if (answering := self._answering(stream)) is not None:
            answering.begin(cursor.get("files", {}))
        with self._translated(stream.name, "the file system"):
            files = list(self._files(stream))
            progress = Progress.after(cursor, files, keeps_times=stream.read.changed_by == "stat")
            files = self._settled(stream, [file for file in files if file.is_complete], progress)
            if stream.read.path_field is None:
                progress.know_renamed(files, partial(self._content, stream.name))
        if not files and not stream.read.takes_away:
            self.warnings.append(f"{stream.name}: no file matches {', '.join(stream.read.glob)}")
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

    def committed(self, stream: StreamRead[FilesRead], cursor: Cursor | None) -> None:
        """Answer, move or delete the files that the hub has, as the YAML says; what fails is told, and tried again."""
        read, answering = stream.read, self._answering(stream)
        if read.after == "keep" and answering is None:
            return
        known = (cursor or {}).get("files", {})
        with self._translated(stream.name, "the file system"):
            opened = self._open_root()
            opened.system.invalidate_cache()
            if read.after != "keep" and read.format.companions:
                finish_claims(opened, read.glob, read.archive, read.format.companions, read.changed_by)
            # What another program wrote over since is another file, which the next run reads.
            files = [file for file in self._files(stream) if file.is_known_as(known.get(file.relative))]
        unanswered = answering.unanswered(files, known) if answering is not None else []
        for file in files:
            step = "answered"
            try:
                with self._translated(stream.name, file.relative):
                    if answering is not None and file in unanswered:
                        is_same = partial(self._is_same, stream, file)
                        if not answering.answer(opened, file, known[file.relative], is_same):
                            continue
                    step = "put away"
                    if read.after != "keep":
                        put_away(opened, file, read.archive, read.done, read.format.companions)
            except SourceError as error:
                self._warn(f"{stream.name}: was read, but not {step}: {error}")

    def close(self) -> None:
        """Give the file system's connection back."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _unread(
        self, stream: StreamRead[FilesRead], files: list[File], cursor: Cursor, progress: Progress
    ) -> Iterator[Record]:
        """The records that the cursor has not passed; `progress` is moved before each is given."""
        for file in files:
            if progress.has(file):
                continue
            before = progress.records_before(cursor, file)
            for attempt in ("first", "again"):
                progress.begin(file, before)
                content = yield from self._whole(stream, file, progress)
                now = self._state_now(stream, file)
                if content is not None and now == file.signature:
                    progress.finish(file, content)
                    break
                if now is None or attempt == "again":
                    self._warn(
                        f"{stream.name}: {file.relative} changed while it was read; the next run reads it again"
                    )
                    progress.give_up()
                    break
                # It is another file by now: what was read of it may be halves.
                file, before = replace(file, signature=now), 0

    def _whole(
        self, stream: StreamRead[FilesRead], file: File, progress: Progress
    ) -> Generator[Record, None, str | None]:
        """The file's records, and a hash of its content; None in its place when it changed so that it seems damaged."""
        try:
            reading = self._records(stream, file, progress.records)
            while True:
                try:
                    record = next(reading)
                except StopIteration as done:
                    return str(done.value)
                progress.records += 1
                yield record
        except SourceError:
            try:
                now = self._state_now(stream, file)
            except SourceError:
                now = None
            if now in (file.signature, None):
                raise
            return None

    def _answering(self, stream: StreamRead[FilesRead]) -> Answering | None:
        wanted, book = stream.read.acknowledge, self._context.answers
        return (
            None
            if wanted is None or book is None
            else Answering(book, self._context.source, stream.read, wanted)
        )

    def _is_same(self, stream: StreamRead[FilesRead], file: File) -> bool:
        return self._state_now(stream, file) == file.signature

    def _state_now(self, stream: StreamRead[FilesRead], file: File) -> str | None:
        """The file's signature as it is now, None when it is gone."""
        with self._translated(stream.name, file.relative):
            opened = self._open_root()
            try:
                now = state_of(opened.system, file.path, opened.info(file.path), stream.read, {})
            except FileNotFoundError:
                return None
            if now == file.signature:
                return now
            # Some file systems tell of one file otherwise than in a listing.
            listed = (each.signature for each in self._files(stream) if each.path == file.path)
            return next(listed, None)

    def _files(self, stream: StreamRead[FilesRead]) -> Iterator[File]:
        read = stream.read
        opened = self._open_root()
        if not opened.is_there():
            raise SourceUnavailableError(
                self._context.source, stream.name, f"{opened.root}: there is no such folder"
            )
        found: dict[str, dict[str, Any]] = {}
        for pattern in read.glob:
            found |= opened.matching(f"{escape(opened.root)}/{pattern}")
        paths = [path for path in sorted(found) if found[path].get("type") != "directory"]
        paths = [path for path in paths if not _is_passed_over(read, _below(opened.root, path))]
        if len(paths) > read.max_files:
            message = (
                f"{len(paths)} files match, more than max_files ({read.max_files}); "
                "let `after` move or delete those that were read, or narrow the glob"
            )
            raise SourceProtocolError(self._context.source, stream.name, message)
        folders: dict[str, list[dict[str, Any]]] = {}
        for path in paths:
            if read.done is not None and path.endswith(read.done):
                continue
            is_complete = self._is_complete(opened, path, stream)
            signature = state_of(opened.system, path, found[path], read, folders)
            by_content = read.changed_by == "content" or is_stamped_by_content(found[path])
            yield File(path, _below(opened.root, path), signature, by_content, is_complete)

    def _settled(self, stream: StreamRead[FilesRead], files: list[File], progress: Progress) -> list[File]:
        """`files` without the new ones that look otherwise a little later."""
        if not stream.read.look_twice_s or all(progress.has(file) for file in files):
            return files
        time.sleep(stream.read.look_twice_s)
        self._open_root().system.invalidate_cache()
        again = {file.path: file.signature for file in self._files(stream) if file.is_complete}
        return [file for file in files if progress.has(file) or again.get(file.path) == file.signature]

    def _open_root(self) -> Opened:
        if self._opened is None:
            context, config = self._context, self._config
            options = {
                name: value.resolve(context) if isinstance(value, TextRef) else value
                for name, value in config.options.items()
            }
            self._opened = open_root(config.root.resolve(context), context, options, config.sftp, config.s3)
        return self._opened

    def _is_complete(self, opened: Opened, path: str, stream: StreamRead[FilesRead]) -> bool:
        read = stream.read
        if read.done is not None and not opened.has(path + read.done):
            return False
        if not read.settle_s:
            return True
        modified = opened.modified(path)
        if modified is None:
            message = (
                f"{path}: the file system tells no times, so settle_s cannot work; use done or leave it out"
            )
            raise SourceProtocolError(self._context.source, stream.name, message)
        return (datetime.now(UTC) - modified).total_seconds() >= read.settle_s

    def _records(
        self, stream: StreamRead[FilesRead], file: File, passed_over: int
    ) -> Generator[Record, None, str]:
        """The file's records after the first `passed_over`, and a hash of its content."""
        read = stream.read
        with self._translated(stream.name, file.relative):
            system = self._open_root().system
            with system.open(file.path, "rb") as raw:
                hashed = Hashed(raw)
                with (
                    BufferedReader(hashed, 1 << 20) as whole,
                    unpacked(whole, file.path, read.compression, read.max_unpacked_mb << 20) as content,
                    ExitStack() as companions,
                ):
                    beside = partial(_beside, system, file.path, companions)
                    for record in islice(
                        read.format.read_file(content, file.relative, beside), passed_over, None
                    ):
                        yield _with_path(record, read.path_field, file.relative)
                    if file.stamped_by_content:
                        return ""
                    if (known := hashed.content()) is not None:
                        return known
        return self._content(stream.name, file)

    def _content(self, stream: str, file: File) -> str:
        with self._translated(stream, file.relative), self._open_root().system.open(file.path, "rb") as raw:
            return content_hash(raw)

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    @contextmanager
    def _translated(self, stream: str, what: str) -> Iterator[None]:
        """Errors of fsspec, the decompressors and the formats, as errors of this source that name the file."""
        try:
            yield
        except foreign_errors() as error:  # first, for some of them are OSErrors too
            kind, meaning = foreign_meaning(error)
        except _ERRORS as error:
            kind, meaning = _meaning(error)
        else:
            return
        if self._opened is not None and self._opened.is_lost():
            kind, meaning = SourceUnavailableError, "the connection broke"
            self._opened = None
        raise kind(self._context.source, stream, f"{what}: {meaning}")


_ERRORS = (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What file systems, the decompressors and the formats raise, besides what packages have of their own."""


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
    if isinstance(error, TimeoutError):
        return SourceUnavailableError, "was silent for too long"
    # The decompressors raise OSErrors of their own, which no system call has numbered.
    if isinstance(error, OSError) and error.errno is not None:
        return SourceUnavailableError, f"cannot be read ({os.strerror(error.errno)})"
    return SourceProtocolError, f"damaged, or not what its name says ({type(error).__name__})"


def _is_passed_over(read: FilesRead, relative: str) -> bool:
    name = PurePosixPath(relative).name
    answers = read.acknowledge.to if read.acknowledge is not None else None
    is_ours = is_within(relative, read.archive) or is_within(relative, answers)
    return is_ours or is_claimed(name) or any(fnmatchcase(name.lower(), pattern) for pattern in read.ignore)


def _with_path(record: Record, path_field: str | None, path: str) -> Record:
    if path_field is None or not isinstance(record, RawRecord):
        return record
    return replace(record, payload={**record.payload, path_field: path})


def _below(root: str, path: str) -> str:
    return path.removeprefix(root).lstrip("/")
