"""Answers to the interchanges of trading partners: written once the hub has their records, each once.

An answer's control number and time are set in the store before it is written, under a name that no other answer has,
and the store is told after. Killed in between, the next end of a run writes the same bytes under the same name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from io import BufferedReader
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from hub.adapters.connectors.filesystems import Opened
from hub.adapters.connectors.pickup import File
from hub.adapters.connectors.unpacking import unpacked
from hub.adapters.formats.edi import EdiFormat
from hub.adapters.formats.edi.answers import answer_of
from hub.adapters.formats.edi.judging import judge
from hub.adapters.records import ConfigModel

if TYPE_CHECKING:
    from hub.adapters.answerbook import AnswerBook, Claim
    from hub.adapters.connectors.files import FilesRead


class Acknowledge(ConfigModel):
    """Whether trading partners are told what became of their interchanges, and where the answers are put."""

    to: str = Field(
        min_length=1,
        description="Folder for the answers, below the root; nothing in it is read.",
    )
    x12: Literal["997", "999"] = Field(
        default="997",
        description="What answers groups of X12: with `999` those of release 005010 and later get an implementation "
        "acknowledgement, others a 997.",
    )

    @field_validator("to")
    @classmethod
    def _below_the_root(cls, value: str) -> str:
        if {"", ".", ".."} & set(value.rstrip("/").split("/")):
            raise ValueError("`to` is a folder below the root")
        return value.rstrip("/")


class Answering:
    """Answers the files of one stream."""

    def __init__(self, book: AnswerBook, source: str, read: FilesRead, acknowledge: Acknowledge) -> None:
        self._book, self._source, self._read, self._acknowledge = book, source, read, acknowledge

    def begin(self, known: Mapping[str, str]) -> None:
        """Note, before the first file is answered, which were read without; their states by path."""
        self._book.begin(known.items())

    def unanswered(self, files: Sequence[File], states: Mapping[str, str]) -> list[File]:
        """Those of the files read, as `states` has them by path, that are not answered; not one that was renamed."""
        finished, listed = self._book.finished(), {file.relative for file in files}

        def is_answered(file: File) -> bool:
            paths = finished.get(states[file.relative], set())
            renamed = bool(paths) and not file.stamped_by_content and not paths & listed
            return file.relative in paths or renamed

        return [file for file in files if not is_answered(file)]

    def answer(self, opened: Opened, file: File, state: str, is_same: Callable[[], bool]) -> bool:
        """Write the answers to a file's interchanges; whether it still is what was read, as `is_same` says."""
        read = self._read
        assert isinstance(read.format, EdiFormat)  # noqa: S101  (the stream's model takes no other)
        with (
            opened.system.open(file.path, "rb") as raw,
            BufferedReader(raw, 1 << 20) as whole,
            unpacked(whole, file.path, read.compression, read.max_unpacked_mb << 20) as content,
        ):
            for verdict in judge(read.format, content):
                if not verdict.is_answered:
                    continue
                if not is_same():
                    return False
                claim = self._book.claim(file.relative, state, verdict)
                if claim.is_written:
                    continue
                written = answer_of(verdict, claim.stamp, claim.resent, self._acknowledge.x12)
                if written is not None:
                    self._write(opened, self._name(claim), written)
                self._book.wrote(claim)
        self._book.finish(file.relative, state)
        return True

    def _name(self, claim: Claim) -> str:
        """`source_partner_control_number.edi`; the number at its end is of no other answer of this hub."""
        sender = claim.partner.partition(" ")[2].partition(">")[0].split(":")
        partner = sender[1] if claim.partner.startswith("X12") else sender[0]
        parts = (self._source, partner, claim.control, str(claim.id))
        return "_".join(re.sub("[^A-Za-z0-9.-]+", "-", part).strip("-.") for part in parts) + ".edi"

    def _write(self, opened: Opened, name: str, content: bytes) -> None:
        """The answer, whole or not at all: an object store puts it whole, elsewhere it is renamed when it is."""
        folder = f"{opened.root}/{self._acknowledge.to}"
        if not opened.has_folders:
            opened.system.pipe_file(f"{folder}/{name}", content)
            return
        opened.system.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/.{name}.part"
        with opened.system.open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            if opened.protocol == "file":
                os.fsync(file.fileno())
        opened.system.mv(temporary, f"{folder}/{name}")


def is_within(relative: str, folder: str | None) -> bool:
    """Whether a path below the root lies in this folder of it."""
    return folder is not None and PurePosixPath(relative).is_relative_to(folder)
