"""The public keys of an identity provider (RFC 7517), those of a JWKS file above all, and what each may verify.

Which algorithm is used is the key's business and never the token's: a token that names another than its key is for
does not verify, so that no public key can be taken for a shared secret.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, KeySet, OKPKey, RSAKey

from hub.errors import ConfigurationError
from hub.yamlfile import Fault

MIN_RSA_BITS: Final = 2048
"""NIST SP 800-131A disallows shorter ones."""
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class IssuerKeys(Protocol):
    """The public keys of one issuer of tokens."""

    def current(self) -> KeySet:
        """The keys that are good now; another object as soon as one of them is another."""

    async def ready(self, key_id: str | None) -> None:
        """Returns when no newer key of this id is to be had.

        Raises:
            ProviderUnavailableError: there are no keys at all, for now.
        """

    def close(self) -> None:
        """Give back what is held."""


@dataclass(frozen=True, slots=True)
class FixedKeys:
    """Keys that stay as they are until the hub starts again."""

    keys: KeySet = field(repr=False)

    def current(self) -> KeySet:
        """The keys."""
        return self.keys

    async def ready(self, key_id: str | None) -> None:
        """There are no others to wait for."""

    def close(self) -> None:
        """There is nothing to give back."""


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """The identity provider whose tokens are taken."""

    keys: IssuerKeys = field(repr=False)
    name: str
    """The claim `iss` of its tokens."""
    audience: str
    """A value of the claim `aud` of those that are meant for the hub."""


def algorithms_of(key: Key) -> frozenset[str]:
    """The signature algorithms that the key may verify; none for a key of another use or kind."""
    if key.get("use", "sig") != "sig" or "verify" not in (key.get("key_ops") or ["verify"]):
        return frozenset()
    stated = key.get("alg")
    fitting = _fitting(key)
    return fitting if stated is None else fitting & {stated}


def _fitting(key: Key) -> frozenset[str]:
    if isinstance(key, OKPKey) and key.curve_name == "Ed25519":
        return frozenset({"Ed25519", "EdDSA"})  # two names of one algorithm, RFC 9864 and RFC 8037
    if isinstance(key, ECKey) and key.curve_name == "P-256":
        return frozenset({"ES256"})
    if _rsa_bits(key) >= MIN_RSA_BITS:
        return frozenset({"RS256"})
    return frozenset()


def usable_keys(members: Iterable[Mapping[str, Any]]) -> list[Key]:
    """The keys among a JWKS's members that tokens can be verified with.

    What is of another use or kind is passed over, and so is a key that comes with its secret part: it proves nothing.
    """
    public = [member for member in members if _PRIVATE.isdisjoint(member)]
    return [key for member in public if (key := _usable(member)) is not None]


def load_public_keys(path: Path) -> KeySet:
    """The keys of the file that tokens can be verified with; those of another use or kind are passed over.

    Raises:
        ConfigurationError: the file cannot be read or is no JWKS, holds a secret, or no key that can be used; all
            faults of the keys are listed. Give the hub the provider's public keys.
    """
    members = _members(path)
    faults = [fault for at, member in enumerate(members) for fault in _faults(path, at, member)]
    keys = [] if faults else usable_keys(members)
    faults += _id_faults(path, keys)
    if not faults and not keys:
        faults.append(_fault(path, "keys", "no key can verify tokens", _EXPECTED))
    if faults:
        raise ConfigurationError(faults)
    return KeySet(keys)


_EXPECTED: Final = f"public keys for Ed25519, ES256, or RS256 with {MIN_RSA_BITS} bits"


def _fault(path: Path, at: str, message: str, expected: str | None = None) -> Fault:
    return Fault(str(path), 1, 1, at, message, expected)


def _members(path: Path) -> list[Mapping[str, Any]]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError([_fault(path, "", f"cannot be read ({error.strerror})", "a JWKS")]) from None
    except (ValueError, RecursionError):
        raise ConfigurationError([_fault(path, "", "is not JSON", "a JWKS")]) from None
    members = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise ConfigurationError([_fault(path, "keys", "is no list of keys", "a JWKS")])
    return members


def _faults(path: Path, at: int, member: Mapping[str, Any]) -> Iterator[Fault]:
    where = f"keys[{at}]"
    if member.get("kty") == "oct":
        yield _fault(path, where, "is a shared secret: who can check tokens by it can make them", _EXPECTED)
    elif not _PRIVATE.isdisjoint(member):
        yield _fault(path, where, "is a private key, which is the provider's alone", "its public part")
    elif 0 < (bits := _rsa_bits(_read(member))) < MIN_RSA_BITS:
        yield _fault(path, where, f"is an RSA key of {bits} bits", f"{MIN_RSA_BITS} or more")


def _rsa_bits(key: Key | None) -> int:
    """The length of an RSA key, 0 for any other."""
    return key.raw_value.key_size if isinstance(key, RSAKey) else 0


def _id_faults(path: Path, keys: list[Key]) -> Iterator[Fault]:
    """Keys that tokens cannot tell apart."""
    for kid, count in Counter(key.kid for key in keys).items():
        if count > 1:
            yield _fault(
                path, "keys", f"{count} keys share the id {kid}" if kid else f"{count} keys have no id"
            )


def _usable(member: Mapping[str, Any]) -> Key | None:
    key = _read(member)
    return key if key is not None and algorithms_of(key) else None


def _read(member: Mapping[str, Any]) -> Key | None:
    """The key; None for one that is malformed or of a kind that is not known (RFC 7517, section 5)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", SecurityWarning
            )  # what it warns of is a fault here, and told as such
            return JWKRegistry.import_key(dict(member))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
