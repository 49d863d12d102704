"""Bearer tokens: signed JWTs that say who asks and for which purposes.

Claims beside `iss`, `aud`, `exp`, `nbf`, `iat` and `sub`: `department`, `roles` (values that the policy turns
into roles), `purposes`, `client_id`; and for grants with a row scope `regions`, `brands` and `account_manager`, each a
text or a list of them: a token without one is in none.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import GuestProtocol, Key, KeySet, OKPKey
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from hub.access.keys import algorithms_of
from hub.access.matrix import AccessMap
from hub.access.requester import Requester
from hub.access.scope import Attributes, ScopeName
from hub.cache import BoundedCache
from hub.errors import AccessDeniedError, AuthenticationError, ConfigurationError, PurposeError
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
_Word = Annotated[str, StringConstraints(min_length=1)]
_Words = Annotated[tuple[_Word, ...], BeforeValidator(lambda value: _listed(value))]
SCOPE_CLAIMS: Final[Mapping[ScopeName, str]] = {
    "region": "regions",
    "brand": "brands",
    "own_accounts": "account_manager",
}
"""The claim that says for each row scope whose customers the caller's are."""


class _Claims(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, hide_input_in_errors=True)

    sub: _Word
    department: _Word
    roles: list[_Word]
    purposes: list[_Word]
    client_id: _Word
    exp: float
    regions: _Words = ()
    brands: _Words = ()
    account_manager: _Words = ()


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token proves the caller to be; what they may do is the policy's business."""

    subject: str = field(repr=False)
    department: str
    roles: tuple[str, ...]
    """Values of the token's claim, not yet roles of the policy."""
    purposes: tuple[str, ...]
    client: str
    expires_at: float
    """Seconds since 1970 at which the token stops being good; who is served for longer is to be let go by then."""
    attributes: Attributes = field(repr=False)
    """By row scope, what the token's claims say."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature is good for as long as the keys are. What its claims say may cease to be so."""

    claims: dict[str, Any] = field(repr=False)
    caller: Caller


class _Registry(JWSRegistry):
    """Verifies EdDSA as Ed25519: joserfc knows the old name as one that may mean other curves, and warns of it."""

    def get_alg(self, name: str) -> Any:
        """The algorithm of an allowed name."""
        return super().get_alg(ALGORITHM if name == "EdDSA" else name)


class TokenVerifier:
    """Turns bearer tokens into requesters, by one issuer's public keys and one access map."""

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str,
        access: AccessMap,
        leeway_s: int = 30,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._access = access
        self._leeway_s = leeway_s
        self._signatures = _Registry(algorithms=ALGORITHMS)
        self._registry = jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=leeway_s,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            nbf={"essential": True},
        )
        self._verified: BoundedCache[_Verified] = BoundedCache(_KEPT)

    def verify(self, token: str, purpose_header: str | None) -> Requester:
        """The requester that the token proves, with the purpose of the header or the token's only one.

        Raises:
            AuthenticationError: the token does not verify; get a new one.
            AccessDeniedError: it verifies, but gives no role of the policy; ask the policy's owner.
            PurposeError: no purpose, or one that the caller may not state; the message lists what they may.
        """
        return self.requester(self.caller(token), purpose_header)

    def caller(self, token: str) -> Caller:
        """Who the token proves the caller to be.

        Raises:
            AuthenticationError: the token does not verify; get a new one.
        """
        # By hash: what is remembered must not let anybody in who reads the memory.
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = self._verified.get(digest)
        with _refusing():
            if found is None:
                found = self._signed(token)
                self._verified.put(digest, found, 1)
            else:
                # A token that was good may have expired since.
                self._registry.validate(found.claims)
        return found.caller

    def requester(self, caller: Caller, purpose_header: str | None) -> Requester:
        """The caller with the purpose of the header or their only one.

        Raises:
            AccessDeniedError: the caller has no role of the policy; ask the policy's owner.
            PurposeError: no purpose, or one that the caller may not state; the message lists what they may.
        """
        roles = self._access.policy.roles_claimed(caller.roles)
        if not roles:
            raise AccessDeniedError("the token gives no role of this hub's policy; ask the policy's owner")
        usable = self._access.usable_purposes(roles)
        purposes = tuple(purpose for purpose in usable if purpose in caller.purposes)
        purpose = _stated_purpose(purpose_header, purposes)
        return Requester(
            caller.subject, roles, caller.department, purpose, caller.client, purposes, caller.attributes
        )

    def _signed(self, token: str) -> _Verified:
        claims = jwt.decode(token, self._key, ALGORITHMS, self._signatures).claims
        self._registry.validate(claims)
        said = _Claims.model_validate(claims)
        caller = Caller(
            said.sub,
            said.department,
            tuple(said.roles),
            tuple(said.purposes),
            said.client_id,
            said.exp + self._leeway_s,
            tuple((scope, getattr(said, claim)) for scope, claim in SCOPE_CLAIMS.items()),
        )
        return _Verified({name: claims[name] for name in _CHECKED if name in claims}, caller)

    def _key(self, token: GuestProtocol) -> Key:
        """The issuer's key that the token names, if it is for the algorithm that the token names."""
        header = token.headers()
        key = self._keys.get_by_kid(header.get("kid"))
        if header.get("alg") not in algorithms_of(key):
            raise UnsupportedAlgorithmError("the key is for another algorithm")
        return key


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
    except ValidationError as error:
        names = sorted({str(fault["loc"][0]) for fault in error.errors(include_input=False)})
        raise AuthenticationError(f"the token's claims {', '.join(names)} are missing or malformed") from None
    except (JoseError, ValueError, TypeError, RecursionError):
        raise AuthenticationError("the token is not one that this hub accepts; get a new one") from None


def _stated_purpose(header: str | None, purposes: tuple[str, ...]) -> str:
    stated = (header or "").strip()
    if stated in purposes:
        return stated
    if not purposes:
        raise PurposeError("the token carries no purpose that its roles may use; ask for a token with one")
    if not stated and len(purposes) == 1:
        return purposes[0]
    fault = "X-Purpose states none that you may use" if stated else "X-Purpose is missing"
    raise PurposeError(f"{fault}; state one of: {', '.join(purposes)}")


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
