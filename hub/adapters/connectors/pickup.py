"""Which files were read: each once, also when it is renamed or when a run was broken off.

A file is known by its path and a **signature** of its state: size and time, or an object store's ETag. Once read, a
hash of its **content** is remembered beside it. A file of another path is one that was read before, and is passed
over, where its signature and its content are those of a file that is no longer there:

- where times tell (folders, SFTP), of the last `REMEMBERED` that went, for a file keeps its time when it is renamed;
- where stamps come of the content (ETag, `changed_by: content`), only of those that went since the last run: later the
  same content may be sent anew, and mean that something is again as it was.

What only looks alike is read. Reading twice changes nothing, as records are known by key and hash; passing over what
is new would lose it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from hub.adapters.connectors.unpacking import content_hash, text_of
from hub.adapters.records import Cursor

if TYPE_CHECKING:
    from hub.adapters.connectors.files import FilesRead

_STAMPS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "modified", "updated", "created")
"""Names under which fsspec's file systems tell that a file changed, the surest first."""

REMEMBERED = 1_000
"""Files that are gone and that a cursor still knows, in 27 bytes each."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was listed: its path, its path below the root, and its signature."""

    path: str
    relative: str
    signature: str
    stamped_by_content: bool = False
    is_complete: bool = True
    """Whether it may be read: it has settled, and its marker is there."""

    def is_known_as(self, known: str | None) -> bool:
        """Whether the cursor's entry is of this state of the file."""
        return known is not None and known.partition(":")[0] == self.signature


@dataclass(slots=True)
class Progress:
    """The cursor while it moves: finished files, those that went, and the file in progress with its records."""

    finished: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    """What the cursor keeps of files that are no longer there, the last to go at the end."""
    went: set[str] = field(default_factory=set)
    """Those that went since the last run."""
    current: File | None = None
    records: int = 0

    @classmethod
    def after(cls, cursor: Cursor, files: Iterable[File], *, keeps_times: bool) -> Progress:
        """Where a run begins: what is gone is forgotten, but for the last of those known by their times."""
        known: dict[str, str] = cursor.get("files", {})
        listed = {file.relative: file for file in files}
        went = [entry for path, entry in sorted(known.items()) if path not in listed]
        by_time = [entry for entry in went if keeps_times and entry.partition(":")[2]]
        gone = list(dict.fromkeys([*cursor.get("gone", ()), *by_time]))
        return cls(
            finished={path: known[path] for path in listed if path in known},
            gone=gone[-REMEMBERED:],
            went=set(went),
        )

    def has(self, file: File) -> bool:
        """Whether the file was read to its end as it is."""
        return file.is_known_as(self.finished.get(file.relative))

    def know_renamed(self, files: Sequence[File], content: Callable[[File], str]) -> None:
        """Take as read what only has another name; `content` reads a file for its hash, where its signature fits."""
        candidates = self.went | set(self.gone)
        signatures = {entry.partition(":")[0] for entry in candidates}
        for file in files:
            if self.has(file) or file.signature not in signatures:
                continue
            entry = file.signature if file.stamped_by_content else f"{file.signature}:{content(file)}"
            if entry in candidates:
                self.finished[file.relative] = entry

    def records_before(self, cursor: Cursor, file: File) -> int:
        """How many records of `file` the cursor has passed; none when the file is another one by now."""
        current = cursor.get("current") or {}
        same = (current.get("path"), current.get("signature")) == (file.relative, file.signature)
        return int(current["records"]) if same else 0

    def begin(self, file: File, records: int) -> None:
        """`file` is being read, from after its first `records`."""
        self.finished.pop(file.relative, None)
        self.current, self.records = file, records

    def finish(self, file: File, content: str) -> None:
        """`file` was read to its end; `content` is the hash of what it holds, empty where the signature is one."""
        self.finished[file.relative] = f"{file.signature}:{content}" if content else file.signature
        self.current, self.records = None, 0

    def give_up(self) -> None:
        """The file in progress is not what it was; the next run begins with it anew."""
        self.current, self.records = None, 0

    def cursor(self) -> Cursor:
        """From where a later run goes on."""
        made: Cursor = {"files": dict(self.finished)}
        if self.gone:
            made["gone"] = list(self.gone)
        if self.current is not None and self.records:
            path, signature = self.current.relative, self.current.signature
            made["current"] = {"path": path, "signature": signature, "records": self.records}
        return made


def is_stamped_by_content(info: dict[str, Any]) -> bool:
    """Whether the file system's own stamp comes of the content, as an object store's ETag does."""
    return any(info.get(name) is not None for name in _STAMPS[:2])


def state_of(
    system: Any, path: str, info: dict[str, Any], read: FilesRead, folders: dict[str, list[dict[str, Any]]]
) -> str:
    """The signature of a file together with those of its companions; `folders` keeps what was listed."""
    own = signature_of(system, path, info, read.changed_by)
    if not read.format.companions:
        return own
    folder = path.rpartition("/")[0]
    if folder not in folders:
        folders[folder] = system.ls(folder, detail=True)
    beside = companions_of(path, folders[folder], read.format.companions)
    return together(own, [signature_of(system, each["name"], each, read.changed_by) for each in beside])


def companions_of(
    path: str, listed: Iterable[dict[str, Any]], suffixes: Sequence[str]
) -> list[dict[str, Any]]:
    """What of its folder's listing belongs to a file: the same name with one of the suffixes, whatever their case."""
    stem = PurePosixPath(path).stem
    return [
        each
        for each in listed
        if PurePosixPath(each["name"]).stem == stem and PurePosixPath(each["name"]).suffix.lower() in suffixes
    ]


def together(own: str, companions: Sequence[str]) -> str:
    """The signature of a file and its companions, out of their own ones."""
    if not companions:
        return own
    return text_of(blake2b(" ".join([own, *sorted(companions)]).encode(), digest_size=9).digest())


def signature_of(system: Any, path: str, info: dict[str, Any], changed_by: str) -> str:
    """The signature of one file alone."""
    if changed_by == "content":
        with system.open(path, "rb") as content:
            return content_hash(content)
    stamp = next((info[name] for name in _STAMPS if info.get(name) is not None), None)
    return text_of(blake2b(f"{info.get('size')} {stamp}".encode(), digest_size=9).digest())
