"""Checkpoints outside of the database: a folder, best on another machine, that who rewrites the database cannot reach.

history.jsonl    every checkpoint as the log signed it, a JSON string a line, in order; only ever added to
cosigned.jsonl   those that witnesses cosigned, as they came
checkpoint       the newest, with its cosignatures so far
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hub.errors import AuditError

HISTORY = "history.jsonl"
COSIGNED = "cosigned.jsonl"
LATEST = "checkpoint"
_TAIL_BYTES = 128 * 1024
"""More than a line may have: a note of 100 signatures has 30 KiB."""


@dataclass(frozen=True, slots=True)
class Published:
    """A note with the place where it stands; what the hub did not write may be there too, and is no note."""

    where: str
    note: str


class Outside:
    """The folder; its files may be read by anyone, and are written by one process at a time.

    Raises:
        AuditError: from every method, when it cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self) -> list[Published]:
        """What a new checkpoint has to continue: the end of the history, and what stands as the newest."""
        with _translated(self._folder):
            found = [_published(self._folder / HISTORY, line) for line in _last_line(self._folder / HISTORY)]
        return [*found, *self.latest()]

    def latest(self) -> list[Published]:
        """The newest, with its cosignatures; none in a new folder."""
        path = self._folder / LATEST
        with _translated(self._folder):
            return [Published(str(path), _text(path))] if path.exists() else []

    def history(self) -> list[Published]:
        """Every checkpoint in the order in which they were added, each with its line."""
        return list(self._lines(HISTORY))

    def cosigned(self) -> list[Published]:
        """Those with cosignatures, in the order in which they came."""
        return list(self._lines(COSIGNED))

    def follow(self, since: Callable[[str | None], Sequence[str]], newest: Callable[[], str]) -> None:
        """Adds to the history what `since` its last note was signed, and has the `newest` stand as such.

        Both are asked while no other process writes here. What a killed process left undone is done as well.
        """
        with _translated(self._folder), self._alone():
            path = self._folder / HISTORY
            last = [_published(path, line).note for line in _last_line(path)]
            _append(path, since(last[0] if last else None))
            _replace(self._folder / LATEST, newest())

    def add_cosigned(self, note: str, newest: Callable[[], str]) -> None:
        """Keeps a note that got cosignatures, and has the `newest` stand as such."""
        with _translated(self._folder), self._alone():
            _append(self._folder / COSIGNED, [note])
            _replace(self._folder / LATEST, newest())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _lines(self, name: str) -> Iterator[Published]:
        path = self._folder / name
        with _translated(self._folder):
            if not path.exists():
                return
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    if line.endswith(b"\n"):  # else it is being written, or was when the machine stopped
                        yield _published(path, line, number)


def _published(path: Path, line: bytes, number: int | None = None) -> Published:
    where = str(path) if number is None else f"{path}, line {number}"
    try:
        note = json.loads(line)
    except ValueError:
        note = None
    return Published(where, note if isinstance(note, str) else "")


def _last_line(path: Path) -> list[bytes]:
    """The last whole line, if there is one."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        _seek_tail(file)
        return [line for line in file.read().splitlines(keepends=True) if line.endswith(b"\n")][-1:]


def _seek_tail(file: IO[bytes]) -> int:
    return file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))


def _append(path: Path, notes: Sequence[str]) -> None:
    if not notes:
        return
    with path.open("ab+") as file:
        start = _seek_tail(file)
        tail = file.read()
        if tail and not tail.endswith(b"\n"):  # the machine stopped while it was written
            file.truncate(start + tail.rfind(b"\n") + 1)
        file.write(b"".join(json.dumps(note, ensure_ascii=False).encode() + b"\n" for note in notes))
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _replace(path: Path, text: str) -> None:
    if path.exists() and _text(path) == text:
        return
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Has the names in the folder on disk, not only the files' contents."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AuditError(f"the checkpoints in {folder} cannot be reached: {error.strerror}") from error
