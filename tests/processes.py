"""Processes of their own, forked from one that has imported the hub: what is imported anew takes seconds each time."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TextIO

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.nursery"])
"""Where processes are made of functions alone."""


class Child:
    """A process that runs Python; what it prints is read from `stdout`."""

    def __init__(self, run: Callable[..., None], *arguments: str) -> None:
        ours, theirs = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=_printing, args=(theirs, run, *arguments))
        self._process.start()
        theirs.close()
        self.stdout: TextIO = os.fdopen(os.dup(ours.fileno()))
        ours.close()

    @classmethod
    def of_script(cls, script: str, *arguments: str) -> Child:
        """It runs the script, as `python -c` does."""
        return cls(_script, script, *arguments)

    def kill(self) -> None:
        """Let it do nothing more, wherever it is."""
        self._process.kill()

    def ended(self, timeout_s: float = 60) -> int:
        """Wait for its end; its exit code, or less 0 the number of the signal that ended it."""
        self._process.join(timeout_s)
        code = self._process.exitcode
        assert code is not None, f"still running after {timeout_s} s"
        return code

    def rest(self) -> str:
        """What else it prints until it ends."""
        with self.stdout:
            said = self.stdout.read()
        self.ended()
        return said


def _printing(where: Connection, run: Callable[..., None], *arguments: str) -> None:
    os.dup2(where.fileno(), 1)
    where.close()
    sys.stdout = os.fdopen(1, "w")
    run(*arguments)
    sys.stdout.flush()


def _script(script: str, *arguments: str) -> None:
    sys.argv = ["-c", *arguments]
    exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})
