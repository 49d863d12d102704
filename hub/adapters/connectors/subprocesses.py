"""A program of somebody else's that writes records to its standard output, line by line.

It gets an environment with nothing of the hub's in it, and a folder of its own for files that only the hub's user may
read; secrets are in those, never among its arguments, which every user of the machine can see. It is ended, with all
that it began, when nobody reads on or when it has been silent for too long.

What it logs may hold values, so nothing of it is shown: the kinds of errors that it names are, and where the YAML names
a file for it, the whole is there, for the hub's user alone.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import IO

from hub.errors import SourceError, SourceProtocolError, SourceUnavailableError

MAX_LINE = 64 * 1024 * 1024
"""Bytes of one message; a program that writes longer ones would have the hub run out of memory."""
_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
)
_LAST = 400
"""Lines of its log that are searched for the kinds of errors."""
_ERROR = re.compile(r"\b([A-Z]\w{2,60}(?:Error|Exception|Timeout|Refused|Denied))\b")
_GRACE_S = 5.0


class Program:
    """One program, run as often as it is asked to, each time in a folder of its own."""

    def __init__(self, source: str, stream: str, path: Path, silence_s: int, log: Path | None) -> None:
        self._source, self._stream, self._path = source, stream, path
        self._silence_s, self._log = silence_s, log

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for what the program is given, that only the hub's user may look into; gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="hub-program-") as name:
            yield Path(name)

    def lines(self, arguments: Sequence[str], folder: Path) -> Iterator[bytes]:
        """The lines that it writes, until it ends well.

        Raises:
            SourceUnavailableError: it cannot be begun, has been silent for too long, or ended with an error.
            SourceProtocolError: a line is too long.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 - which program is the configuration's choice
                [str(self._path), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,
            )
        except OSError as error:
            raise self._down(f"{self._path.name} cannot be begun ({type(error).__name__})") from None
        with _Watched(process, self._silence_s, self._log) as watched:
            yield from self._read(watched)

    def _read(self, watched: _Watched) -> Iterator[bytes]:
        while line := watched.line():
            if len(line) > MAX_LINE:
                raise SourceProtocolError(
                    self._source,
                    self._stream,
                    f"a message of {self._path.name} is longer than {MAX_LINE} bytes",
                )
            yield line
        code = watched.wait()
        if watched.was_silent:
            raise self._down(f"{self._path.name} was silent for {self._silence_s} s and was ended")
        if code != 0:
            named = f", after {', '.join(watched.errors)}" if watched.errors else ""
            where = (
                f"; its log is {self._log}" if self._log else "; `log` in the YAML names a file for its log"
            )
            raise self._down(f"{self._path.name} ended with code {code}{named}{where}")

    def _down(self, message: str) -> SourceError:
        return SourceUnavailableError(self._source, self._stream, message)


class _Watched:
    """A process whose silence is timed and whose log is read while its output is."""

    def __init__(self, process: subprocess.Popen[bytes], silence_s: int, log: Path | None) -> None:
        self._process, self._silence_s = process, silence_s
        self._heard = time.monotonic()
        self._over = Event()
        self._last: deque[str] = deque(maxlen=_LAST)
        self.was_silent = False
        self._threads = [
            Thread(target=self._watch, daemon=True),
            Thread(target=self._drain, args=(log,), daemon=True),
        ]

    def __enter__(self) -> _Watched:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._end()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def line(self) -> bytes:
        """The next line; empty at the end."""
        found = _pipe(self._process.stdout).readline(MAX_LINE + 1)
        self._heard = time.monotonic()
        return found

    def wait(self) -> int:
        """Its exit code, once its log is read to the end."""
        code = self._process.wait()
        self._threads[1].join()
        return code

    @property
    def errors(self) -> list[str]:
        """The kinds of errors that the end of its log names, each once."""
        return list(dict.fromkeys(name for line in self._last for name in _ERROR.findall(line)))[-3:]

    def _watch(self) -> None:
        while not self._over.wait(min(1.0, self._silence_s / 4)):
            if time.monotonic() - self._heard > self._silence_s and self._process.poll() is None:
                self.was_silent = True
                self._end()
                return

    def _drain(self, log: Path | None) -> None:
        with _opened(log) as file:
            for line in _pipe(self._process.stderr):
                self._heard = time.monotonic()
                self._last.append(line.decode(errors="replace"))
                if file is not None:
                    file.write(line)

    def _end(self) -> None:
        """End it with all that it began, kindly first."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)
                return


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("the process has no such pipe")
    return pipe


@contextmanager
def _opened(log: Path | None) -> Iterator[IO[bytes] | None]:
    """The file that the log is added to, which its owner alone may read."""
    if log is None:
        yield None
        return
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
        yield file


def _environment(folder: Path) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "HOME": str(folder), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}


def given_file(folder: Path, name: str, text: str) -> str:
    """The path of a file with the text, for the program; only the hub's user may read it."""
    path = folder / name
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return str(path)
