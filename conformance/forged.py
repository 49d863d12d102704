"""Tokens that nobody may accept, made out of one that is good."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import uuid4

from joserfc.jwk import RSAKey


def unsigned(token: str) -> str:
    """The token with the algorithm `none`, and no signature."""
    header, claims, _signature = _parts(token)
    return f"{_encoded({**header, 'alg': 'none'})}.{_encoded(claims)}."


def altered(token: str) -> str:
    """The token with another role, under the signature of the former claims."""
    _header, claims, signature = _parts(token)
    claims["access"]["roles"] = ["compliance"]
    return f"{token.partition('.')[0]}.{_encoded(claims)}.{signature}"


def confused(token: str, public_key: dict[str, Any]) -> str:
    """The token signed by HMAC, with the provider's public RSA key taken for a shared secret."""
    header, claims, _signature = _parts(token)
    signed = f"{_encoded({**header, 'alg': 'HS256'})}.{_encoded(claims)}"
    secret = RSAKey.import_key(public_key).as_pem(private=False)
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64(digest)}"


def misnamed(token: str, algorithm: str) -> str:
    """The token with another algorithm of those that are accepted, and the signature as it was."""
    header, claims, signature = _parts(token)
    return f"{_encoded({**header, 'alg': algorithm})}.{_encoded(claims)}.{signature}"


def of_an_unknown_key(token: str) -> str:
    """The token with an id of a key that there is not."""
    header, claims, signature = _parts(token)
    return f"{_encoded({**header, 'kid': uuid4().hex})}.{_encoded(claims)}.{signature}"


def key_id(token: str) -> str:
    """The id of the key that the token says it is signed by."""
    found: str = _parts(token)[0]["kid"]
    return found


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, claims, signature = token.split(".")
    return (*(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)), signature)  # type: ignore[return-value]


def _encoded(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
