"""Signed notes (C2SP signed-note v1.0.0): a text with signature lines below it, and the keys that make and check them.

    hub.example.com/audit                                     the text: here a checkpoint
    12
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=

    — hub.example.com/audit xnwW8g2r...                       a signature: name, then key id and signature in base64

A verifier's key is written as its *vkey*, `NAME+KEYID+BASE64`; a signer's key in the form of Go's `sumdb/note`,
`PRIVATE+KEY+NAME+KEYID+BASE64`. Two kinds of signatures are known, both of Ed25519: those over the text itself, as a
log makes them, and cosignatures (C2SP tlog-cosignature v1.0.1), which a witness makes over the text and the time.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.errors import AuditError

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04

MAX_SIGNATURES: Final = 100
"""As Go's verifier has it; the specification asks for 16 at least."""

_KEY_BYTES = 32
_ID_BYTES = 4
_TIME_BYTES = 8
_PRIVATE = "PRIVATE+KEY+"
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: whose it says it is, and its bytes after the key id."""

    name: str
    key_id: bytes
    blob: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note."""
        return f"{_DASH}{self.name} {_encoded(self.key_id + self.blob)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note in its parts; nothing is verified yet."""

    text: str
    """What is signed, with its last newline."""
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, note: str) -> Self:
        """The parts of a note.

        Raises:
            AuditError: it is malformed; the message says how, and quotes nothing of it.
        """
        if any(
            (character < " " and character != "\n") or "\ud800" <= character <= "\udfff" for character in note
        ):
            raise AuditError("the note has control characters, or is not UTF-8")
        text, separator, signed = note.rpartition("\n\n")
        if not separator or not signed.endswith("\n"):
            raise AuditError("the note has no signatures below a blank line, or does not end with a newline")
        lines = signed[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise AuditError(f"the note has {len(lines)} signatures, more than {MAX_SIGNATURES}")
        return cls(text + "\n", tuple(_signature(line) for line in lines))

    def __str__(self) -> str:
        return f"{self.text}\n" + "".join(signature.line for signature in self.signatures)

    def verified(self, verifiers: Collection[Verifier]) -> tuple[tuple[Verifier, Signature], ...]:
        """The signatures of these verifiers' keys, each once; those of other keys are passed over.

        Raises:
            AuditError: one bears name and id of such a key and is not its signature; reject the note.
        """
        known = {(each.name, each.key_id): each for each in verifiers}
        found: dict[Verifier, Signature] = {}
        for signature in self.signatures:
            verifier = known.get((signature.name, signature.key_id))
            if verifier is None:
                continue
            verifier.check(self.text, signature)
            found.setdefault(verifier, signature)
        return tuple(found.items())


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with the name of who signs by it."""

    name: str
    algorithm: int
    """ED25519 or COSIGNATURE."""
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """The verifier that a vkey describes.

        Raises:
            AuditError: it is malformed, or of a kind of key that is not known; have it sent again.
        """
        name, key_id, data = _key_parts(vkey, "the vkey")
        if data[0] not in (ED25519, COSIGNATURE):
            raise AuditError(f"the vkey is of type {data[0]}, only Ed25519 is known (1 and 4)")
        verifier = cls(name, data[0], data[1:])
        if verifier.key_id.hex() != key_id:
            raise AuditError("the vkey's id is not that of its name and key")
        return verifier

    @property
    def key_id(self) -> bytes:
        """What signature lines call the key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_encoded(bytes([self.algorithm]) + self.public)}"

    def check(self, text: str, signature: Signature) -> None:
        """Nothing, if the signature is this key's over the text.

        Raises:
            AuditError: it is not.
        """
        blob, message = signature.blob, text.encode()
        if self.algorithm == COSIGNATURE:
            moment, blob = blob[:_TIME_BYTES], blob[_TIME_BYTES:]
            if len(moment) < _TIME_BYTES:
                raise AuditError(f"the cosignature of {self.name} is too short")
            message = f"cosignature/v1\ntime {struct.unpack('>Q', moment)[0]}\n".encode() + message
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(blob, message)
        except InvalidSignature:
            raise AuditError(f"the signature of {self.name} is not its own over this text") from None


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with the name that it signs by."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str) -> Self:
        """A new key.

        Raises:
            AuditError: the name is empty, or has a space or a plus.
        """
        return cls(_checked_name(name), Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that was written in Go's private form.

        Raises:
            AuditError: it is malformed, or of another kind than Ed25519.
        """
        if not text.startswith(_PRIVATE):
            raise AuditError(f"the signing key does not begin with {_PRIVATE}")
        name, key_id, data = _key_parts(text.removeprefix(_PRIVATE).strip(), "the signing key")
        if data[0] != ED25519:
            raise AuditError("the signing key is not of Ed25519 (type 1)")
        signer = cls(name, data[1:])
        if signer.verifier.key_id.hex() != key_id:
            raise AuditError("the signing key's id is not that of its name and key")
        return signer

    def private_form(self) -> str:
        """The key in Go's private form; a secret."""
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{_encoded(bytes([ED25519]) + self.seed)}"

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return Verifier(self.name, ED25519, public)

    def sign(self, text: str) -> Note:
        """The text, which ends with a newline, as a note of one signature."""
        blob = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return Note(text, (Signature(self.name, self.verifier.key_id, blob),))


def decoded(text: str) -> bytes:
    """The bytes that canonical base64 stands for.

    Raises:
        ValueError: the text is anything else.
    """
    data = base64.b64decode(text, validate=True)
    if _encoded(data) != text:
        raise ValueError
    return data


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise AuditError("the note has a line that is no signature")
    try:
        data = decoded(encoded)
    except ValueError:
        raise AuditError("the note has a signature that is not base64") from None
    if len(data) <= _ID_BYTES:
        raise AuditError("the note has a signature that is too short")
    return Signature(_checked_name(name), data[:_ID_BYTES], data[_ID_BYTES:])


def _checked_name(name: str) -> str:
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise AuditError("the name of a key is empty, or has a space or a plus")
    return name


def _key_parts(text: str, what: str) -> tuple[str, str, bytes]:
    """Name, id in hexadecimal, and type with key."""
    parts: Sequence[str] = text.split("+", 2)
    try:
        name, key_id, encoded = parts
        data = decoded(encoded)
    except ValueError:
        raise AuditError(f"{what} is not of the form NAME+KEYID+BASE64") from None
    if len(data) != 1 + _KEY_BYTES:
        raise AuditError(f"{what} has not {_KEY_BYTES} bytes of key")
    return _checked_name(name), key_id, data
