"""Asks a witness over HTTP to cosign checkpoints (C2SP tlog-witness v1.0.0, `add-checkpoint`).

A witness cosigns what continues the newest checkpoint that it cosigned, and nothing else. So who keeps two versions of
the log cannot have both cosigned.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx

from hub.audit.checkpoints import Checkpoint
from hub.audit.log import AuditLog
from hub.audit.notes import Verifier
from hub.errors import AuditError, AuditIntegrityError

TIMEOUT_S: Final = 10.0
_MAX_ANSWER_BYTES = 64 * 1024
"""A hundred cosignatures have a third of it."""

_MAX_DIGITS = 19
"""Of a size in 64 bits."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str


class Witness:
    """A witness at an address; it remembers up to where it cosigned, as long as this object lives."""

    def __init__(self, verifier: Verifier, url: str, transport: httpx.BaseTransport | None = None) -> None:
        """The witness whose `add-checkpoint` is below the URL; `transport` is how to get there, HTTP unless given."""
        self.verifier = verifier
        self._url = f"{url.rstrip('/')}/add-checkpoint"
        self._transport = transport
        self._cosigned = 0

    def cosign(self, checkpoint: Checkpoint, log: AuditLog) -> str | None:
        """The note with what signature lines the witness gave, not verified yet; None if it has a newer one of the log.

        Raises:
            AuditError: it cannot be reached, or refuses; ask it again later.
            AuditIntegrityError: it has cosigned another log under this name; stop and investigate.
        """
        answer = self._submit(checkpoint, log)
        if answer.status == HTTPStatus.CONFLICT:
            self._cosigned = self._its_size(answer, log)
            if self._cosigned > checkpoint.head.size:
                return None
            answer = self._submit(checkpoint, log)
        if answer.status == HTTPStatus.CONFLICT:
            raise AuditIntegrityError(
                None, f"the witness {self.verifier.name} has cosigned another log of {self._cosigned} events"
            )
        if answer.status != HTTPStatus.OK:
            raise AuditError(f"the witness {self.verifier.name} refuses with HTTP status {answer.status}")
        self._cosigned = checkpoint.head.size
        return checkpoint.note + answer.text

    def _its_size(self, answer: _Answer, log: AuditLog) -> int:
        """The size of what it cosigned last, as it says when it is not what it was told."""
        name, text = self.verifier.name, answer.text.removesuffix("\n")
        if not (text.isascii() and text.isdecimal()) or len(text) > _MAX_DIGITS:
            raise AuditError(f"the witness {name} answers a conflict without a size")
        theirs, ours = int(text), log.size()
        if theirs > ours:
            message = f"the witness {name} has cosigned {theirs} events of this log, which has {ours}"
            raise AuditIntegrityError(None, message)
        return theirs

    def _submit(self, checkpoint: Checkpoint, log: AuditLog) -> _Answer:
        old, new = self._cosigned, checkpoint.head.size
        proof = log.consistency_proof(old, new) if 0 < old < new else ()
        lines = "".join(f"{base64.b64encode(value).decode('ascii')}\n" for value in proof)
        return self._post(f"old {old}\n{lines}\n{checkpoint.note}".encode())

    def _post(self, body: bytes) -> _Answer:
        try:
            with (
                httpx.Client(timeout=TIMEOUT_S, transport=self._transport) as client,
                client.stream("POST", self._url, content=body) as response,
            ):
                data = b""
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > _MAX_ANSWER_BYTES:
                        raise AuditError(f"the witness {self.verifier.name} answers too much")
                return _Answer(response.status_code, data.decode())
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeDecodeError) as error:
            kind = type(error).__name__
            raise AuditError(f"the witness {self.verifier.name} cannot be asked: {kind}") from None
