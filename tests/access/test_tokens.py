"""Bearer tokens: what a good one gives, and everything that is refused."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, OKPKey

from hub.access import (
    AUDIENCE,
    DEMO_ISSUER,
    AccessMap,
    Caller,
    Claims,
    DemoIssuer,
    FixedKeys,
    Grant,
    Policy,
    Purpose,
    Requester,
    Role,
    TokenVerifier,
    TrustedIssuer,
    compile_policy,
    requester_of,
)
from hub.errors import AccessDeniedError, AuthenticationError, ConfigurationError, PurposeError, RequestError
from hub.ontology import Category, Taxonomy
from hub.settings import TokenClaims

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
OTHER = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
PUBLIC = KeySet([OKPKey.import_key(KEY.as_dict(private=False))])


def small_access_map() -> AccessMap:
    def grant(role: str, *purposes: str) -> Grant:
        return Grant(
            roles=(role,),
            purposes=purposes,
            categories=("user.name",),
            effect="allow",
            why="because",
            owner="desk",
            review=date(2027, 1, 1),
        )

    purpose = Purpose(label="p", data_use="sales", legal_basis="contract", retention_days=1)
    policy = Policy(
        departments={"desk": "Desk"},
        roles={
            "agent": Role(label="Agent", department="desk", default_purpose="service", claims=("hub-agent",)),
            "seller": Role(label="Seller", department="desk", default_purpose="sales"),
        },
        purposes=dict.fromkeys(("service", "sales", "recall"), purpose),
        grants=(grant("agent", "service", "recall"), grant("seller", "sales")),
    )
    category = Category(key="user.name", label="Name")
    return compile_policy(policy, Taxonomy(data_categories=(category,), data_uses=(), data_subjects=()))


@dataclass
class Verifier:
    """Tokens and the access map together, as the API asks them."""

    tokens: TokenVerifier
    access: AccessMap = field(default_factory=small_access_map)

    def caller(self, token: str) -> Caller:
        return asyncio.run(self.tokens.caller(token))

    def verify(self, token: str, purpose_header: str | None) -> Requester:
        return requester_of(self.caller(token), self.access, purpose_header)


def trusting(keys: KeySet, issuer: str = DEMO_ISSUER, audience: str = AUDIENCE, **more: Any) -> Verifier:
    trusted = TrustedIssuer(FixedKeys(keys), issuer, audience)
    return Verifier(TokenVerifier(trusted, Claims(TokenClaims()), **more))


VERIFIER = trusting(PUBLIC, leeway_s=10)


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "iss": DEMO_ISSUER,
        "aud": AUDIENCE,
        "sub": "u-17",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "department": "desk",
        "roles": ["hub-agent"],
        "purposes": ["service"],
        "client_id": "web",
    }
    return {key: value for key, value in {**good, **changed}.items() if value is not None}


def signed(content: dict[str, Any], key: Any = KEY, alg: str = "Ed25519", kid: str = "k1") -> str:
    return jwt.encode({"alg": alg, "kid": kid}, content, key, algorithms=[alg])


def unsigned(header: dict[str, Any], content: dict[str, Any], signature: str = "") -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (header, content)
    )
    return ".".join([*parts, signature])


def test_a_good_token_gives_its_requester() -> None:
    requester = VERIFIER.verify(signed(claims()), None)
    assert requester.subject == "u-17"
    assert requester.roles == {"agent"}
    assert (requester.department, requester.client) == ("desk", "web")
    assert (requester.purpose, requester.purposes) == ("service", ("service",))
    assert "u-17" not in repr(requester)


def test_a_clock_may_differ_by_the_leeway() -> None:
    now = int(time.time())
    assert VERIFIER.verify(signed(claims(exp=now - 5)), None)
    assert VERIFIER.verify(signed(claims(nbf=now + 5, iat=now + 5)), None)


def test_a_token_need_not_say_from_when_it_is_good() -> None:
    assert VERIFIER.verify(signed(claims(nbf=None, iat=None)), None)


def test_an_audience_may_be_one_of_several() -> None:
    assert VERIFIER.verify(signed(claims(aud=["other", AUDIENCE])), None)


NOW = int(time.time())


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": NOW - 60},
        {"nbf": NOW + 3600},
        {"iat": NOW + 3600},
        {"iss": "https://issuer.example.org"},
        {"aud": "another-api"},
        {"aud": ["another-api"]},
        {"exp": None},
        {"iss": None},
        {"aud": None},
        {"sub": None},
        {"department": None},
        {"roles": None},
        {"purposes": None},
        {"client_id": None},
        {"exp": "tomorrow"},
        {"exp": float("nan")},
        {"sub": ""},
        {"sub": 17},
        {"roles": [1]},
        {"purposes": {"service": True}},
    ],
    ids=", ".join,
)
def test_a_token_with_a_bad_claim_is_refused(changed: dict[str, Any]) -> None:
    content = claims(**changed)
    with pytest.raises(AuthenticationError) as caught:
        VERIFIER.verify(signed(content), "service")
    assert "u-17" not in str(caught.value)


def typed(kind: object, **changed: Any) -> str:
    header = {"alg": "Ed25519", "kid": "k1", "typ": kind}
    return jwt.encode(header, claims(**changed), KEY, algorithms=["Ed25519"], default_type=None)


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_an_access_token_may_say_that_it_is_one(kind: str) -> None:
    assert VERIFIER.verify(typed(kind), None)


def test_a_token_need_not_say_of_which_type_it_is() -> None:
    header = {"alg": "Ed25519", "kid": "k1"}
    assert VERIFIER.verify(jwt.encode(header, claims(), KEY, algorithms=["Ed25519"], default_type=None), None)


@pytest.mark.parametrize("kind", ["logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", ""])
def test_a_token_for_another_use_is_refused(kind: str) -> None:
    with pytest.raises(AuthenticationError, match="for another use"):
        VERIFIER.verify(typed(kind), None)


@pytest.mark.parametrize("bound", [{"jkt": "x"}, {"x5t#S256": "x"}, {}, "x"])
def test_a_token_that_is_bound_to_a_key_is_no_bearer_token(bound: object) -> None:
    with pytest.raises(AuthenticationError, match="bound to a key"):
        VERIFIER.verify(typed("at+jwt", cnf=bound), None)


def altered(token: str) -> str:
    head, body, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(body + "=="))
    content["roles"] = ["hub-agent", "seller"]
    return ".".join(
        [head, base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode(), signature]
    )


REFUSED = {
    "empty": "",
    "not a token": "hello",
    "two parts": "a.b",
    "not ASCII": "ä.ö.ü",
    "alg none": unsigned({"alg": "none"}, claims()),
    "alg none, other case": unsigned({"alg": "nOnE", "kid": "k1"}, claims()),
    "no alg": unsigned({"kid": "k1"}, claims(), "AAAA"),
    "HMAC with the public key": signed(
        claims(),
        OctKey.import_key(base64.urlsafe_b64decode(str(KEY.as_dict(private=False)["x"]) + "=")),
        "HS256",
    ),
    "another key under the same id": signed(claims(), OTHER),
    "an unknown key id": signed(claims(), KEY, kid="k2"),
    "altered": altered(signed(claims())),
    "cut signature": signed(claims())[:-8],
    "no signature": signed(claims()).rpartition(".")[0] + ".",
    "payload is no object": unsigned({"alg": "Ed25519", "kid": "k1"}, [1], "AAAA"),  # type: ignore[arg-type]
    "critical header": unsigned({"alg": "Ed25519", "kid": "k1", "crit": ["x"], "x": 1}, claims(), "AAAA"),
    "huge": "a" * 1_000_000,
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
def test_a_token_that_does_not_verify_is_refused(token: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        VERIFIER.verify(token, "service")
    assert len(token) < 2 or token not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@given(token=st.text() | st.lists(st.text(alphabet="abcABC019-_="), min_size=3, max_size=3).map(".".join))
def test_no_text_whatever_raises_anything_else(token: str) -> None:
    with pytest.raises(AuthenticationError):
        VERIFIER.verify(token, None)


@pytest.mark.parametrize(
    ("roles", "purposes", "header", "expected"),
    [
        (["hub-agent"], ["service"], None, "service"),
        (["hub-agent"], ["service"], "", "service"),
        (["hub-agent"], ["service"], " service ", "service"),
        (["hub-agent"], ["service", "recall"], "recall", "recall"),
        (["hub-agent", "seller"], ["service", "sales"], "sales", "sales"),
        # a second purpose that the roles have no grant for does not count
        (["hub-agent"], ["service", "sales"], None, "service"),
        (["hub-agent", "unknown-claim"], ["service"], None, "service"),
    ],
)
def test_a_request_has_one_purpose(
    roles: list[str], purposes: list[str], header: str | None, expected: str
) -> None:
    token = signed(claims(roles=roles, purposes=purposes))
    assert VERIFIER.verify(token, header).purpose == expected


@pytest.mark.parametrize(
    ("purposes", "header"),
    [
        (["service", "recall"], None),
        (["service", "recall"], "  "),
        (["service", "recall"], "service, recall"),
        (["service"], "recall"),
        (["service"], "unheard_of"),
        (["service", "sales"], "sales"),
        (["sales"], None),
        (["unheard_of"], "unheard_of"),
        ([], None),
        ([], "service"),
    ],
)
def test_a_missing_unknown_or_foreign_purpose_is_refused(purposes: list[str], header: str | None) -> None:
    with pytest.raises(PurposeError) as caught:
        VERIFIER.verify(signed(claims(purposes=purposes)), header)
    assert caught.value.code == "PURPOSE_REQUIRED"


def test_the_refusal_lists_what_may_be_stated() -> None:
    with pytest.raises(PurposeError, match="one of: service, recall"):
        VERIFIER.verify(signed(claims(purposes=["recall", "service"])), None)


@pytest.mark.parametrize("roles", [[], ["agent"], ["unheard_of"]])
def test_a_token_without_a_role_of_the_policy_is_refused(roles: list[str]) -> None:
    with pytest.raises(AccessDeniedError):
        VERIFIER.verify(signed(claims(roles=roles)), None)


def verifier_of(issuer: DemoIssuer) -> Verifier:
    return trusting(issuer.public_keys(), leeway_s=0)


def test_the_demo_issuers_tokens_verify_and_outlive_a_restart(tmp_path: Path) -> None:
    token = DemoIssuer(tmp_path / "data").issue("u-1", "desk", ["hub-agent"], ["service"])
    requester = verifier_of(DemoIssuer(tmp_path / "data")).verify(token, None)
    assert (requester.subject, requester.client) == ("u-1", "demo")


def test_a_token_past_its_time_is_refused(tmp_path: Path) -> None:
    issuer = DemoIssuer(tmp_path)
    with pytest.raises(AuthenticationError, match="expired"):
        verifier_of(issuer).verify(issuer.issue("u-1", "desk", ["hub-agent"], ["service"], ttl_s=-1), None)


def test_the_demo_key_stays_with_its_owner(tmp_path: Path) -> None:
    issuer = DemoIssuer(tmp_path)
    (key,) = tmp_path.iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    assert "d" not in issuer.public_keys().as_dict()["keys"][0]
    assert json.loads(key.read_text())["d"] not in repr(vars(issuer))


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    DemoIssuer(tmp_path)
    (key,) = tmp_path.iterdir()
    key.chmod(0o644)
    with pytest.raises(ConfigurationError, match="others may read this key"):
        DemoIssuer(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"kty": "oct", "k": "c2VjcmV0"}', "[]"])
def test_a_broken_key_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "demo-issuer-key.json"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(ConfigurationError, match="not an Ed25519 key"):
        DemoIssuer(tmp_path)


def test_two_issuers_made_together_share_one_key(tmp_path: Path) -> None:
    one, two = DemoIssuer(tmp_path), DemoIssuer(tmp_path)
    assert one.public_keys().as_dict() == two.public_keys().as_dict()


# tokens that come again


def remembering(now: list[float]) -> Verifier:
    return trusting(PUBLIC, leeway_s=10, clock=lambda: now[0])


def test_the_signature_of_a_token_that_comes_again_is_not_verified_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verifier, token = remembering([time.time()]), signed(claims())
    first = verifier.caller(token)
    monkeypatch.setattr(jwt, "decode", lambda *_: pytest.fail("verified again"))
    assert verifier.caller(token) == first


@pytest.mark.parametrize(
    ("seconds", "message"), [(700, "has expired"), (-100, "claim 'nbf'")], ids=["later", "clock set back"]
)
def test_a_token_that_is_remembered_is_refused_outside_its_time(seconds: float, message: str) -> None:
    now = [time.time()]
    verifier, token = remembering(now), signed(claims())
    verifier.caller(token)
    now[0] += seconds
    with pytest.raises(AuthenticationError, match=message):
        verifier.caller(token)


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_verify_is_not_remembered(token: str) -> None:
    verifier = remembering([time.time()])
    for _ in range(2):
        with pytest.raises(AuthenticationError):
            verifier.caller(token)
    assert len(verifier.tokens._verified) == 0


def test_no_token_is_found_in_what_is_remembered() -> None:
    verifier, token = remembering([time.time()]), signed(claims())
    verifier.caller(token)
    assert len(verifier.tokens._verified) == 1
    assert token not in repr(vars(verifier.tokens._verified))


def test_every_refusal_is_a_request_error() -> None:
    assert all(
        issubclass(error, RequestError) for error in (AuthenticationError, PurposeError, AccessDeniedError)
    )
