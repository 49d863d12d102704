"""Which normalisation a stored profile was made by."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from importlib.resources import files

_LIBRARIES = ("anyascii", "nameparser", "nicknames", "phonenumbers", "python-stdnum")
"""Their data decide normal forms too, so that a new release makes new profiles."""


def _version() -> str:
    """The digest of this package's code and the releases of its libraries: it cannot be forgotten in a change."""
    digest = hashlib.blake2b(digest_size=8)
    for name in _LIBRARIES:
        digest.update(f"{name}={version(name)}\n".encode())
    for module in sorted(files(__package__).iterdir(), key=lambda each: each.name):
        if module.name.endswith(".py"):
            digest.update(module.read_bytes())
    return digest.hexdigest()


PROFILE_VERSION = _version()
"""Changes whenever a party could get another profile; stores then profile their parties anew."""
