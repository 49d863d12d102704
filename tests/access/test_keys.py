"""An identity provider's keys: which files are taken, and that a key verifies its own algorithm only."""

from __future__ import annotations

import base64
import hmac
import json
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from hub.access import load_public_keys
from hub.errors import AuthenticationError, ConfigurationError
from tests.access.test_tokens import Verifier, claims, trusting, unsigned

ISSUER = "https://id.example.com"
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
P384 = ECKey.generate_key("P-384", {"kid": "p384"})


def short() -> dict[str, Any]:
    """An RSA key that is too short; joserfc warns of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return public(RSAKey.generate_key(1024, {"kid": "short"}))


def public(key: Key, **changed: Any) -> dict[str, Any]:
    content: dict[str, Any] = {**key.as_dict(private=False), **changed}
    return {name: value for name, value in content.items() if value is not None}


def jwks(folder: Path, *keys: dict[str, Any]) -> Path:
    path = folder / "keys.json"
    path.write_text(json.dumps({"keys": keys}))
    return path


def verifier(folder: Path, *keys: dict[str, Any]) -> Verifier:
    return trusting(load_public_keys(jwks(folder, *keys)), ISSUER)


def token(key: Key, alg: str, **header: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        named = {name: value for name, value in {"alg": alg, "kid": key.kid, **header}.items() if value}
        return jwt.encode(named, claims(iss=ISSUER), key, algorithms=[alg])


@pytest.mark.parametrize(
    ("key", "alg"),
    [(ED, "Ed25519"), (ED, "EdDSA"), (EC, "ES256"), (RSA, "RS256")],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("error")
def test_each_key_verifies_its_own_algorithm(key: Key, alg: str, tmp_path: Path) -> None:
    made = verifier(tmp_path, public(ED), public(EC), public(RSA))
    assert made.verify(token(key, alg), None).subject == "u-17"


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256"])
def test_an_rsa_key_verifies_nothing_else(alg: str, tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError):
        verifier(tmp_path, public(RSA)).verify(token(RSA, alg), None)


@pytest.mark.parametrize("key", [ED, EC, RSA], ids=["ed", "ec", "rsa"])
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("form", ["PEM", "DER", "json"])
def test_a_public_key_is_never_a_shared_secret(
    key: OKPKey | ECKey | RSAKey, alg: str, form: Any, tmp_path: Path
) -> None:
    secret = json.dumps(public(key)).encode() if form == "json" else key.as_bytes(form, private=False)
    # joserfc would not sign with such a secret; attackers do.
    signed = unsigned({"alg": alg, "kid": key.kid}, claims(iss=ISSUER))[:-1]
    signature = hmac.digest(secret, signed.encode(), f"sha{alg[2:]}")
    forged = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    with pytest.raises(AuthenticationError):
        verifier(tmp_path, public(key)).verify(forged, None)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 7, ["Ed25519"], {"a": 1}], ids=str)
@pytest.mark.parametrize("kid", ["ed", None, ["ed"], {"a": 1}], ids=str)
def test_no_header_whatever_passes_without_a_signature(alg: Any, kid: Any, tmp_path: Path) -> None:
    made = verifier(tmp_path, public(ED))
    header = {name: value for name, value in (("alg", alg), ("kid", kid)) if value is not None}
    for signature in ("", "AAAA"):
        with pytest.raises(AuthenticationError):
            made.verify(unsigned(header, claims(iss=ISSUER), signature), None)


def test_a_token_cannot_bring_its_own_key(tmp_path: Path) -> None:
    own = OKPKey.generate_key("Ed25519", {"kid": "own"})
    for header in (
        {"jwk": public(own)},
        {"jwk": public(own), "kid": "ed"},
        {"jku": "https://id.example.org/k"},
    ):
        with pytest.raises(AuthenticationError):
            verifier(tmp_path, public(ED)).verify(token(own, "Ed25519", **header), None)


def test_a_key_of_one_kind_does_not_verify_under_the_id_of_another(tmp_path: Path) -> None:
    made = verifier(tmp_path, public(ED), public(EC), public(RSA))
    for key, alg, kid in ((EC, "ES256", "rsa"), (RSA, "RS256", "ec"), (ED, "Ed25519", "rsa")):
        with pytest.raises(AuthenticationError):
            made.verify(token(key, alg, kid=kid), None)


@pytest.mark.parametrize(("stated", "other"), [("Ed25519", "EdDSA"), ("EdDSA", "Ed25519")])
def test_a_key_that_states_its_algorithm_verifies_no_other(tmp_path: Path, stated: str, other: str) -> None:
    made = verifier(tmp_path, public(ED, alg=stated))
    assert made.verify(token(ED, stated), None)
    with pytest.raises(AuthenticationError):
        made.verify(token(ED, other), None)


def test_tokens_without_a_key_id_need_a_provider_of_one_key(tmp_path: Path) -> None:
    assert verifier(tmp_path, public(ED)).verify(token(ED, "Ed25519", kid=None), None)
    with pytest.raises(AuthenticationError):
        verifier(tmp_path, public(ED), public(EC)).verify(token(ED, "Ed25519", kid=None), None)


@pytest.mark.parametrize(
    ("unusable"),
    [
        public(P384),
        public(EC, kid="enc", use="enc"),
        public(EC, kid="ops", key_ops=["encrypt"]),
        public(EC, kid="alg", alg="ES512"),
        {"kty": "AKP", "kid": "new", "alg": "ML-DSA-44", "pub": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "broken"},
    ],
    ids=["P-384", "for encryption", "not to verify", "another algorithm", "of a new kind", "broken"],
)
def test_keys_that_are_not_for_tokens_are_passed_over(unusable: dict[str, Any], tmp_path: Path) -> None:
    assert [key.kid for key in load_public_keys(jwks(tmp_path, unusable, public(ED)))] == ["ed"]
    with pytest.raises(ConfigurationError, match="no key can verify tokens"):
        load_public_keys(jwks(tmp_path, unusable))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([OctKey.generate_key(256, {"kid": "s"}).as_dict(private=True)], r"keys\[0\]: is a shared secret"),
        ([public(EC), ED.as_dict(private=True)], r"keys\[1\]: is a private key"),
        ([RSA.as_dict(private=True)], "is a private key"),
        ([short()], "RSA key of 1024 bits"),
        ([public(ED), public(EC, kid="ed")], "2 keys share the id ed"),
        ([public(ED, kid=None), public(EC, kid=None)], "2 keys have no id"),
        ([], "no key can verify tokens"),
    ],
    ids=["shared secret", "private Ed25519", "private RSA", "short", "one id", "no ids", "none"],
)
def test_a_file_of_other_keys_is_refused(keys: list[dict[str, Any]], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message) as refused:
        load_public_keys(jwks(tmp_path, *keys))
    for key in keys:
        for secret in ("d", "k", "n", "x"):
            assert secret not in key or key[secret] not in str(refused.value)


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_public_keys(jwks(tmp_path, short(), ED.as_dict(private=True)))
    assert len(refused.value.faults) == 2


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"keys": {}}', '{"keys": [1]}', "[" * 100_000])
def test_what_is_no_jwks_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"keys\.json"):
        load_public_keys(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_public_keys(tmp_path / "nowhere.json")


def test_a_token_for_another_issuer_or_audience_is_refused(tmp_path: Path) -> None:
    made, now = verifier(tmp_path, public(ED)), int(time.time())
    for changed in (
        {"iss": "https://id.example.org"},
        {"iss": ISSUER, "aud": "web"},
        {"iss": ISSUER, "exp": now - 99},
    ):
        with pytest.raises(AuthenticationError):
            made.verify(
                jwt.encode({"alg": "Ed25519", "kid": "ed"}, claims(**changed), ED, algorithms=["Ed25519"]),
                None,
            )
