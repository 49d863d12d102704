"""Checkpoints (C2SP tlog-checkpoint v1.0.0): a log's size and root as a signed note, and whose signatures count."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.audit.merkle import HASH_BYTES, TreeHead
from hub.audit.notes import Note, Signer, Verifier, decoded
from hub.errors import AuditError

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint whose signatures were verified."""

    head: TreeHead
    note: str
    """The text with the signatures that were verified; others are left out."""
    cosigned: tuple[str, ...] = ()
    """Names of the witnesses that cosigned it."""

    @property
    def text(self) -> str:
        """What is signed."""
        return Note.parse(self.note).text


@dataclass(frozen=True, slots=True)
class Trust:
    """Which checkpoints are this log's: its name in them, and the keys whose signatures count."""

    origin: str
    log: tuple[Verifier, ...]
    """The log's own key and its former ones; one of them must have signed."""
    witnesses: tuple[Verifier, ...] = ()

    def checkpoint(self, note: str) -> Checkpoint:
        """The checkpoint in a note.

        Raises:
            AuditError: it is malformed, of another log, or not signed by the log; or a signature by a known key is
                false. Do not rely on it.
        """
        parsed = Note.parse(note)
        origin, head = parse_text(parsed.text)
        if origin != self.origin:
            raise AuditError("its origin is another log")
        verified = parsed.verified((*self.log, *self.witnesses))
        if not any(verifier in self.log for verifier, _ in verified):
            raise AuditError("it has no signature of the log's key")
        kept = Note(parsed.text, tuple(signature for _, signature in verified))
        cosigned = tuple(verifier.name for verifier, _ in verified if verifier in self.witnesses)
        return Checkpoint(head, str(kept), cosigned)


def sign_checkpoint(signer: Signer, origin: str, head: TreeHead) -> str:
    """The note of a checkpoint; the same head always gives the same."""
    root = base64.b64encode(head.root).decode("ascii")
    return str(signer.sign(f"{origin}\n{head.size}\n{root}\n"))


def parse_text(text: str) -> tuple[str, TreeHead]:
    """Origin and tree head that the text of a checkpoint states.

    Raises:
        AuditError: it is no checkpoint.
    """
    lines: Sequence[str] = text.split("\n")[:-1]
    if len(lines) < 3 or "" in lines:
        raise AuditError("it has not the lines of a checkpoint: origin, size and root")
    origin, size, encoded = lines[:3]
    if not _SIZE.fullmatch(size):
        raise AuditError("its size is not a decimal number")
    try:
        root = decoded(encoded)
    except ValueError:
        raise AuditError("its root is not base64") from None
    if len(root) != HASH_BYTES:
        raise AuditError("its root is not a hash of SHA-256")
    return origin, TreeHead(int(size), root)
