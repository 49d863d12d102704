"""The master key, which wraps data keys: from the environment, from a file, or by a key management service.

A master key is 32 random bytes, written as Base64. Its id is a hash of it, kept with everything that it wraps: so a key
that is missing can be named, and a wrong one is known before anything is tried with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.errors import ConfigurationError
from hub.yamlfile import Fault

KEY_BYTES = 32
NONCE_BYTES = 12
"""A random nonce of 96 bits, as AES-GCM wants it (NIST SP 800-38D, 8.2.2)."""


class MasterKeys(Protocol):
    """What wraps data keys. A key management service need offer no more than this."""

    @property
    def current(self) -> str:
        """The id of the key that wraps from now on."""

    @property
    def known(self) -> frozenset[str]:
        """The ids of all keys that can unwrap."""

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        """The key as only the current master key opens it, and only for what it is bound to."""

    def unwrap(self, wrapped: bytes, master_id: str, bound_to: bytes) -> bytes | None:
        """The key, None where it was not wrapped by this master key for this. `master_id` is one of `known`."""


@dataclass(frozen=True, slots=True)
class LocalMasterKeys:
    """Master keys in the memory of the process."""

    current: str
    _by_id: Mapping[str, AESGCM] = field(repr=False)

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        """The keys of a text: the current one first, after it former ones that still wrap something.

        Raises:
            ConfigurationError: it holds none, or something else; `where` names the place, and no part is shown.
        """
        keys = [_decoded(word) for word in text.split()]
        whole = [key for key in keys if key is not None]
        if not whole or len(whole) < len(keys):
            expected = (
                f"Base64 of {KEY_BYTES} bytes, as `hub audit data-keys make` prints; former keys after it"
            )
            raise ConfigurationError([Fault(where, 1, 1, "HUB_MASTER_KEY", "is no master key", expected)])
        return cls.of(whole)

    @classmethod
    def of(cls, keys: Sequence[bytes]) -> Self:
        """The keys, the current one first."""
        by_id = {_id(key): AESGCM(key) for key in keys}
        return cls(_id(keys[0]), by_id)

    @classmethod
    def none(cls) -> Self:
        """Where no key is given: what is wrapped already can be seen to lack its own."""
        return cls("", {})

    @property
    def known(self) -> frozenset[str]:
        """The ids of all of them."""
        return frozenset(self._by_id)

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        """Nonce and ciphertext of the key."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._by_id[self.current].encrypt(nonce, key, bound_to)

    def unwrap(self, wrapped: bytes, master_id: str, bound_to: bytes) -> bytes | None:
        """The key, None where the text is another one or bound to something else."""
        return opened(self._by_id[master_id], wrapped, bound_to)


def opened(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes | None:
    """What nonce and ciphertext hold; None where they were changed, or sealed for something else."""
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        return None


def new_master_key() -> str:
    """A new master key, as a setting takes it."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def keep_master_key(path: Path) -> None:
    """See to it that the file holds a master key, for its owner alone; the first of two processes makes it."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(new_master_key() + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _decoded(word: str) -> bytes | None:
    try:
        key = base64.b64decode(word, validate=True)
    except binascii.Error:
        return None
    return key if len(key) == KEY_BYTES else None


def _id(key: bytes) -> str:
    return hashlib.sha256(b"hub master key\n" + key).hexdigest()[:16]
