"""What tests of checkpoints share: a log's keys, its checkpoints, and a witness as the specification has it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.audit import AuditLog, Checkpoints, Keys, TreeHead, consistency_holds
from hub.audit.checkpoints import Trust, parse_text
from hub.audit.merkle import EMPTY_ROOT
from hub.audit.notes import COSIGNATURE, Note, Signer, Verifier
from hub.audit.outside import Outside
from hub.audit.witness import Witness
from hub.errors import AuditError

ORIGIN = "log.example.com/audit"
SIGNER = Signer(ORIGIN, sha256(b"log").digest())
MALLORY = Signer(ORIGIN, sha256(b"mallory").digest())
"""Another key by the log's name."""


@dataclass
class FakeWitness:
    """Cosigns what continues the checkpoint that it cosigned last: tlog-witness, `add-checkpoint`."""

    name: str = "witness.example.com"
    log: Verifier = SIGNER.verifier
    head: TreeHead = field(default_factory=lambda: TreeHead(0, EMPTY_ROOT))
    asked: list[int] = field(default_factory=list)
    """The HTTP status of each answer."""

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(sha256(self.name.encode()).digest())

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, COSIGNATURE, self.key.public_key().public_bytes_raw())

    def cosignature(self, text: str, moment: int = 1234) -> str:
        """The line of a signature over the text."""
        signed = self.key.sign(f"cosignature/v1\ntime {moment}\n{text}".encode())
        blob = self.verifier.key_id + struct.pack(">Q", moment) + signed
        return f"\N{EM DASH} {self.name} {base64.b64encode(blob).decode()}\n"

    def answer(self, body: bytes) -> tuple[int, str]:
        """HTTP status and text for what was posted."""
        status, text = self._answer(body.decode())
        self.asked.append(status)
        return status, text

    def _answer(self, body: str) -> tuple[int, str]:
        lines, _, note = body.partition("\n\n")
        old, *proof = lines.split("\n")
        parsed = Note.parse(note)
        origin, head = parse_text(parsed.text)
        size = int(old.removeprefix("old "))
        if origin != self.log.name:
            return 404, ""
        try:
            if not parsed.verified([self.log]):
                return 403, ""
        except AuditError:
            return 403, ""
        if size > head.size:
            return 400, ""
        if size != self.head.size or (size == head.size and head != self.head):
            return 409, f"{self.head.size}\n"
        hashes = [base64.b64decode(each) for each in proof]
        if size and not consistency_holds(size, head.size, self.head.root, head.root, hashes):
            return 422, ""
        self.head = head
        return 200, self.cosignature(parsed.text)

    def transport(self) -> httpx.MockTransport:
        """Leads to it in place of HTTP."""

        def handle(request: httpx.Request) -> httpx.Response:
            assert (request.method, request.url.path) == ("POST", "/log/add-checkpoint")
            status, text = self.answer(request.content)
            return httpx.Response(status, text=text)

        return httpx.MockTransport(handle)

    def client(self) -> Witness:
        """How the hub asks it."""
        return Witness(self.verifier, "https://witness.example.com/log/", self.transport())


def checkpoints_of(
    log: AuditLog,
    folder: Path,
    witnesses: Sequence[FakeWitness] = (),
    *,
    signer: Signer = SIGNER,
    former: Sequence[Signer] = (),
    origin: str = ORIGIN,
) -> Checkpoints:
    """The checkpoints of a log, kept outside in the folder."""
    verifiers = tuple(each.verifier for each in (signer, *former))
    trust = Trust(origin, verifiers, tuple(each.verifier for each in witnesses))
    return Checkpoints(log, Keys(signer, trust), Outside(folder), [each.client() for each in witnesses])
