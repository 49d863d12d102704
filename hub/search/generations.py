"""The folder of an index: generations side by side, and the pointer that says which one is served.

    index/CURRENT                              the name of the one that is served
    index/3f29c01ab4de-1763786000000000000/    schema and instant of a generation

The pointer is replaced by a rename, so that a reader finds the old generation or the new one, whole. One earlier
generation of the same schema is kept to go back to.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

_POINTER = "CURRENT"


class Generations:
    """The generations of one schema in one folder."""

    def __init__(self, folder: Path, schema: str) -> None:
        self._folder, self._schema = folder, schema[:12]

    def current(self) -> Path | None:
        """The folder of the generation that is served; None when there is none of this schema."""
        try:
            name = (self._folder / _POINTER).read_text()
        except OSError:
            return None
        return self._folder / name if name.startswith(f"{self._schema}-") else None

    def begin(self) -> Path:
        """An empty folder for a new generation."""
        folder = self._folder / f"{self._schema}-{time.time_ns()}"
        folder.mkdir(parents=True)
        return folder

    def serve(self, generation: Path) -> None:
        """Point readers at a finished generation, and clear away the others but the one before."""
        before = self.current()
        draft = self._folder / f"{_POINTER}.new"
        with draft.open("w") as file:
            file.write(generation.name)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / _POINTER)
        _sync(self._folder)
        self._clear({generation, before} if before else {generation})

    def drop_former(self) -> None:
        """Clear away all generations but the one that is served."""
        if (current := self.current()) is not None:
            self._clear({current})

    def abandon(self, generation: Path) -> None:
        """Forget a generation that was not finished."""
        shutil.rmtree(generation, ignore_errors=True)

    def _clear(self, kept: set[Path]) -> None:
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
