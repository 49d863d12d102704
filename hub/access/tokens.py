"""Bearer tokens: signed JWTs of one issuer that say who asks and for which purposes.

`iss`, `aud` and `exp` have to be there; `nbf` and `iat` are checked where they are. Who asks stands where the settings'
claim map says (`hub/access/claims.py`).
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import GuestProtocol, Key, KeySet, OKPKey
from joserfc.jws import JWSRegistry, extract_compact

from hub.access.claims import SCOPE_CLAIMS, Claims, ClaimsError
from hub.access.keys import TrustedIssuer, algorithms_of
from hub.access.requester import Caller, fingerprint
from hub.cache import BoundedCache
from hub.errors import AuthenticationError, ConfigurationError
from hub.yamlfile import Fault

ALGORITHM: Final = "Ed25519"
"""What the demo issuer signs with."""
ALGORITHMS: Final = ("Ed25519", "EdDSA", "ES256", "RS256")
"""All that are accepted, each with keys of its own kind only: no shared secrets, and never `none`."""
DEMO_ISSUER: Final = "https://issuer.hub.example"
AUDIENCE: Final = "hub"
_CHECKED: Final = ("iss", "aud", "exp", "nbf")
"""The claims that are checked each time that the token comes."""
_KEPT = 10_000
"""Verified tokens that are remembered, a few kilobytes each: more than people who work at a time."""
_TYPES: Final = (None, "jwt", "at+jwt", "application/at+jwt")
"""What a token's header may call it (RFC 9068): a token for another use, such as `logout+jwt`, is none for the API."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature is good for as long as the keys are. What its claims say may cease to be so."""

    claims: dict[str, Any] = field(repr=False)
    caller: Caller
    keys: KeySet = field(repr=False)
    """The issuer's keys when it was verified."""


def _named_eddsa() -> Any:
    """Ed25519 by its former name, which keys may state as theirs."""
    algorithm = copy(JWSRegistry.algorithms[ALGORITHM])
    algorithm.name = "EdDSA"
    return algorithm


class _Registry(JWSRegistry):
    """Verifies EdDSA as Ed25519: joserfc knows the old name as one that may mean other curves, and warns of it."""

    _EDDSA: Any = _named_eddsa()

    def get_alg(self, name: str) -> Any:
        """The algorithm of an allowed name."""
        return self._EDDSA if name == "EdDSA" else super().get_alg(name)


class TokenVerifier:
    """Turns bearer tokens of one issuer into callers."""

    def __init__(
        self,
        issuer: TrustedIssuer,
        claims: Claims,
        leeway_s: int = 30,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = issuer.keys
        self._claims = claims
        self._leeway_s = leeway_s
        self._signatures = _Registry(algorithms=ALGORITHMS)
        self._registry = jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=leeway_s,
            iss={"essential": True, "value": issuer.name},
            aud={"essential": True, "value": issuer.audience},
            exp={"essential": True},
        )
        self._verified: BoundedCache[_Verified] = BoundedCache(_KEPT)

    async def caller(self, token: str) -> Caller:
        """Who the token proves the caller to be; the issuer's keys are fetched where that may help.

        Raises:
            AuthenticationError: the token does not verify; get a new one.
            ProviderUnavailableError: the issuer's keys are not known, and cannot be fetched for now.
        """
        # By hash: what is remembered must not let anybody in who reads the memory.
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found, keys = self._verified.get(digest), self._keys.current()
        with _refusing():
            if found is not None and found.keys is keys:
                # A token that was good may have expired since.
                self._registry.validate(found.claims)
                return found.caller
            await self._keys.ready(_key_id(token))
            verified = self._signed(token, self._keys.current())
        verified = replace(verified, caller=replace(verified.caller, credential=fingerprint(token)))
        self._verified.put(digest, verified, 1)
        return verified.caller

    def prepare(self) -> None:
        """Have the issuer's keys fetched in the background, where they have to be."""
        self._keys.current()

    def _signed(self, token: str, keys: KeySet) -> _Verified:
        signed = jwt.decode(token, lambda guest: _key(keys, guest), ALGORITHMS, self._signatures)
        self._registry.validate(signed.claims)
        _check_use(signed)
        caller = self._claims.caller(signed.claims, signed.claims["exp"] + self._leeway_s)
        return _Verified(
            {name: signed.claims[name] for name in _CHECKED if name in signed.claims}, caller, keys
        )


def _key_id(token: str) -> str | None:
    """The key that the token says it is signed by; nothing of it is proven yet."""
    found = extract_compact(token.encode("ascii")).headers().get("kid")
    return found if isinstance(found, str) else None


def _key(keys: KeySet, token: GuestProtocol) -> Key:
    """The issuer's key that the token names, if it is for the algorithm that the token names."""
    header = token.headers()
    key = keys.get_by_kid(header.get("kid"))
    if header.get("alg") not in algorithms_of(key):
        raise UnsupportedAlgorithmError("the key is for another algorithm")
    return key


def _check_use(signed: jwt.Token) -> None:
    """See to it that the token is one that whoever bears it may use at an API."""
    kind = signed.header.get("typ")
    if (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
        raise AuthenticationError("the token is for another use; send an access token")
    if "cnf" in signed.claims:
        raise AuthenticationError(
            "the token is bound to a key, which is not checked here; send a bearer token"
        )


@contextmanager
def _refusing() -> Iterator[None]:
    """Turns what is wrong with a token into words. Causes are cut off (`from None`): they may quote the token."""
    try:
        yield
    except ExpiredTokenError:
        raise AuthenticationError("the token has expired; get a new one") from None
    except ClaimError as error:
        raise AuthenticationError(
            f"the token's claim {error.claim!r} is missing or not accepted here"
        ) from None
    except ClaimsError as error:
        raise AuthenticationError(str(error)) from None
    except (JoseError, ValueError, TypeError, RecursionError):
        raise AuthenticationError("the token is not one that this hub accepts; get a new one") from None


class DemoIssuer:
    """Signs tokens for the demo, with a key kept in a file that only its owner may read."""

    def __init__(self, data_dir: Path, issuer: str = DEMO_ISSUER, audience: str = AUDIENCE) -> None:
        """An issuer with the key in `data_dir`, made there on first use.

        Raises:
            ConfigurationError: others may read the key file, or it holds no key; delete it for a new one.
        """
        self.issuer, self.audience = issuer, audience
        self._key = _kept_key(data_dir / "demo-issuer-key.json")

    def issue(
        self,
        subject: str,
        department: str,
        roles: Sequence[str],
        purposes: Sequence[str],
        ttl_s: int = 86_400,
        client: str = "demo",
        attributes: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> str:
        """A token that is good from now on for `ttl_s` seconds.

        `roles` are values of the `roles` claim, `attributes` those that row scopes compare, by scope.
        """
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "iat": now,
            "nbf": now,
            "exp": now + ttl_s,
            "jti": uuid4().hex,
            "department": department,
            "roles": list(roles),
            "purposes": list(purposes),
            "client_id": client,
            **{
                claim: list(attributes[scope]) for scope, claim in SCOPE_CLAIMS.items() if scope in attributes
            },
        }
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])

    def public_keys(self) -> KeySet:
        """What a verifier needs; holds no private part."""
        return KeySet([OKPKey.import_key(self._key.as_dict(private=False))])

    def __repr__(self) -> str:
        return f"DemoIssuer({self.issuer!r})"


def _kept_key(path: Path) -> OKPKey:
    if not path.exists():
        _keep_new_key(path)
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(
            [Fault(str(path), 1, 1, "", "others may read this key", "mode 0600, and a new key")]
        )
    try:
        return OKPKey.import_key(json.loads(path.read_bytes()))
    except (ValueError, JoseError):
        raise ConfigurationError(
            [Fault(str(path), 1, 1, "", "is not an Ed25519 key", "a JWK; delete it")]
        ) from None


def _keep_new_key(path: Path) -> None:
    """A new key at `path`, whole or not at all; the first of two processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = OKPKey.generate_key("Ed25519", parameters={"use": "sig", "kid": uuid4().hex}, private=True)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(key.as_dict(private=True), file)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
