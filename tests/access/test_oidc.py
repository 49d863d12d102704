"""The keys of a provider: when they are fetched and when they are not, which answers are believed, how it is missed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import stamina
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from hub.access import Claims, ProviderKeys, TokenVerifier, TrustedIssuer, is_safe
from hub.access.oidc import MIN_INTERVAL_S
from hub.errors import AuthenticationError, ProviderUnavailableError
from hub.settings import TokenClaims
from tests.access.provider import DISCOVERY, ISSUER, JWKS, Provider, key
from tests.access.test_tokens import Verifier, claims


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def keys(provider: Provider) -> Iterator[ProviderKeys]:
    found = provider.of_hub()
    yield found
    found.close()


@pytest.fixture
def verifier(keys: ProviderKeys) -> Verifier:
    return Verifier(TokenVerifier(TrustedIssuer(keys, ISSUER, "hub"), Claims(TokenClaims())))


def token(by: OKPKey, **changed: Any) -> str:
    return jwt.encode(
        {"alg": "EdDSA", "kid": by.kid}, claims(iss=ISSUER, **changed), by, algorithms=["EdDSA", "Ed25519"]
    )


def settled(keys: ProviderKeys) -> None:
    """Wait for a fetch in the background."""
    if keys._under_way is not None:
        keys._under_way.result(20)


pytestmark = pytest.mark.filterwarnings("ignore:EdDSA")


# when they are fetched


def test_keys_are_found_by_discovery_and_fetched_once(provider: Provider, verifier: Verifier) -> None:
    for number in range(5):
        assert verifier.verify(token(provider.keys[0], sub=f"u-{number}"), None).subject == f"u-{number}"
    assert provider.asked == [DISCOVERY, JWKS]


def test_a_token_by_a_key_that_is_not_known_has_them_fetched_again(
    provider: Provider, verifier: Verifier
) -> None:
    verifier.verify(token(provider.keys[0]), None)
    provider.keys.append(key("k2"))
    provider.now += MIN_INTERVAL_S
    assert verifier.verify(token(provider.keys[1]), None)
    assert provider.asked == [DISCOVERY, JWKS, JWKS]


def test_a_flood_of_unknown_keys_reaches_the_provider_once_in_a_while(
    provider: Provider, verifier: Verifier
) -> None:
    verifier.verify(token(provider.keys[0]), None)
    provider.now += MIN_INTERVAL_S
    for number in range(50):
        with pytest.raises(AuthenticationError):
            verifier.verify(token(key(f"none-{number}")), None)
    assert provider.fetches == 2
    provider.now += MIN_INTERVAL_S
    with pytest.raises(AuthenticationError):
        verifier.verify(token(key("none")), None)
    assert provider.fetches == 3


@pytest.mark.parametrize("text", ["", "hello", "a.b.c", "e30.e30.e30", "hubkey_a_b"])
def test_what_is_no_token_has_nothing_fetched_again(
    provider: Provider, verifier: Verifier, text: str
) -> None:
    verifier.verify(token(provider.keys[0]), None)
    provider.now += MIN_INTERVAL_S
    with pytest.raises(AuthenticationError):
        verifier.verify(text, None)
    assert provider.fetches == 1


def test_a_key_that_is_gone_is_refused_once_they_are_fetched_again(
    provider: Provider, verifier: Verifier
) -> None:
    former = token(provider.keys[0])
    verifier.verify(former, None)
    provider.keys = [key("k2")]
    assert verifier.verify(former, None)  # nothing tells of the rotation yet
    provider.now += MIN_INTERVAL_S
    verifier.verify(token(provider.keys[0]), None)
    with pytest.raises(AuthenticationError):
        verifier.verify(former, None)


def test_another_key_under_a_known_id_takes_the_place_of_the_former(
    provider: Provider, verifier: Verifier, keys: ProviderKeys
) -> None:
    former = token(provider.keys[0])
    verifier.verify(former, None)
    provider.keys = [key("k1")]
    provider.now += 300
    keys.current()
    settled(keys)
    assert verifier.verify(token(provider.keys[0]), None)
    with pytest.raises(AuthenticationError):
        verifier.verify(former, None)


def test_old_keys_are_fetched_again_while_they_are_used(
    provider: Provider, verifier: Verifier, keys: ProviderKeys
) -> None:
    good = token(provider.keys[0])
    verifier.verify(good, None)
    provider.now += 299
    verifier.verify(good, None)
    assert provider.fetches == 1
    provider.now += 1
    provider.open.clear()
    assert verifier.verify(good, None)  # the fetch is under way, and nobody waits for it
    provider.open.set()
    settled(keys)
    assert provider.fetches == 2


def test_a_remembered_token_is_not_verified_again_when_the_same_keys_are_fetched(
    provider: Provider, verifier: Verifier, keys: ProviderKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = token(provider.keys[0])
    verifier.verify(good, None)
    provider.now += 300
    keys.current()
    settled(keys)
    assert provider.fetches == 2
    monkeypatch.setattr(jwt, "decode", lambda *_: pytest.fail("verified again"))
    assert verifier.verify(good, None)


def test_many_wait_for_one_fetch_and_the_event_loop_goes_on(provider: Provider, keys: ProviderKeys) -> None:
    async def scenario() -> None:
        provider.open.clear()
        keys._thread.submit(provider.open.wait)  # so that the fetch has not begun, and could be called off
        waiting = [asyncio.create_task(keys.ready("k1")) for _ in range(20)]
        gone = asyncio.create_task(keys.ready("k1"))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert not any(task.done() for task in waiting)
        provider.open.set()
        await asyncio.gather(*waiting)

    asyncio.run(scenario())
    assert provider.fetches == 1


# which answers are believed

BAD_CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "of another issuer": {"issuer": "https://id.example.org", "jwks_uri": JWKS},
    "of the issuer with a slash more": {"issuer": f"{ISSUER}/", "jwks_uri": JWKS},
    "without an issuer": {"jwks_uri": JWKS},
    "without keys": {"issuer": ISSUER},
    "keys over http": {"issuer": ISSUER, "jwks_uri": JWKS.replace("https", "http")},
    "keys in a file": {"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"},
    "keys nowhere": {"issuer": ISSUER, "jwks_uri": "https:///jwks"},
    "an address that is none": {"issuer": ISSUER, "jwks_uri": "https://[::1/jwks"},
    "a list": {"issuer": ISSUER, "jwks_uri": [JWKS]},
}


@pytest.mark.parametrize("configuration", BAD_CONFIGURATIONS.values(), ids=BAD_CONFIGURATIONS.keys())
def test_a_configuration_that_is_not_the_issuers_is_not_believed(
    provider: Provider, verifier: Verifier, configuration: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    provider.configuration = configuration
    with pytest.raises(ProviderUnavailableError):
        verifier.verify(token(provider.keys[0]), None)
    assert provider.asked == [DISCOVERY]
    assert f"the keys of {ISSUER} were not fetched" in caplog.text


BAD_ANSWERS: dict[str, Callable[[], httpx.Response]] = {
    "an error": lambda: httpx.Response(500),
    "too busy": lambda: httpx.Response(429),
    "not found": lambda: httpx.Response(404),
    "a redirect": lambda: httpx.Response(302, headers={"location": "http://127.0.0.1/jwks"}),
    "no JSON": lambda: httpx.Response(200, text="<html>"),
    "no object": lambda: httpx.Response(200, json=[]),
    "deep": lambda: httpx.Response(200, text="[" * 100_000),
    "too much": lambda: httpx.Response(200, text=" " * (1024 * 1024 + 1)),
    "no keys": lambda: httpx.Response(200, json={}),
    "keys that are none": lambda: httpx.Response(200, json={"keys": ["k1"]}),
}


@pytest.mark.parametrize("address", [DISCOVERY, JWKS])
@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_an_answer_that_is_none_leaves_the_keys_as_they_are(
    provider: Provider,
    verifier: Verifier,
    keys: ProviderKeys,
    answer: Callable[[], httpx.Response],
    address: str,
) -> None:
    verifier.verify(token(provider.keys[0]), None)
    provider.answers[JWKS] = BAD_ANSWERS["an error"]
    provider.now += MIN_INTERVAL_S
    with pytest.raises(AuthenticationError):  # where the keys are is looked up anew after this
        verifier.verify(token(key("k2")), None)
    del provider.answers[JWKS]
    provider.answers[address] = answer
    provider.now += MIN_INTERVAL_S
    with pytest.raises(AuthenticationError):
        verifier.verify(token(key("k2")), None)
    assert verifier.verify(token(provider.keys[0], sub="u-18"), None)


def test_an_answer_that_is_too_large_is_not_believed(provider: Provider, verifier: Verifier) -> None:
    content = {"keys": [provider.keys[0].as_dict(private=False)], "more": "x" * 1024 * 1024}
    provider.answers[JWKS] = lambda: httpx.Response(200, json=content)
    with pytest.raises(ProviderUnavailableError):
        verifier.verify(token(provider.keys[0]), None)


def test_keys_that_have_moved_are_found_again(provider: Provider, verifier: Verifier) -> None:
    verifier.verify(token(provider.keys[0]), None)
    provider.keys = [key("k2")]
    moved, members = "https://id.example.com/keys", [provider.keys[0].as_dict(private=False)]
    provider.configuration["jwks_uri"] = moved
    provider.answers = {
        JWKS: BAD_ANSWERS["not found"],
        moved: lambda: httpx.Response(200, json={"keys": members}),
    }
    provider.now += MIN_INTERVAL_S
    with pytest.raises(AuthenticationError):
        verifier.verify(token(provider.keys[0]), None)
    provider.now += MIN_INTERVAL_S
    assert verifier.verify(token(provider.keys[0]), None)


def test_what_a_provider_should_not_publish_is_passed_over(provider: Provider, verifier: Verifier) -> None:
    good, leaked, twin = provider.keys[0], key("leaked"), key("twin")
    members = [
        good.as_dict(private=False),
        leaked.as_dict(private=True),
        twin.as_dict(private=False),
        key("twin").as_dict(private=False),
        OctKey.generate_key(256, {"kid": "shared"}).as_dict(private=True),
        {"kty": "who knows"},
    ]
    provider.answers[JWKS] = lambda: httpx.Response(200, json={"keys": members})
    assert verifier.verify(token(good), None)
    for other in (leaked, twin):
        with pytest.raises(AuthenticationError):
            verifier.verify(token(other), None)


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://id.example.com", True),
        ("https://id.example.com:8443/realms/hub", True),
        ("http://127.0.0.1:3000", True),
        ("http://[::1]:3000", True),
        ("http://localhost", True),
        ("http://id.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("our login", False),
        ("https://[", False),
    ],
)
def test_keys_are_fetched_over_https_or_on_this_machine(address: str, safe: bool) -> None:
    assert is_safe(address) is safe


# the provider is down


def down() -> httpx.Response:
    raise httpx.ConnectError("refused")


def test_while_the_provider_is_down_known_keys_stay_good(
    provider: Provider, verifier: Verifier, keys: ProviderKeys
) -> None:
    seen, unseen = token(provider.keys[0]), token(provider.keys[0], sub="u-18")
    verifier.verify(seen, None)
    provider.answers = {DISCOVERY: down, JWKS: down}
    for _ in range(3):
        provider.now += 3_600
        assert verifier.verify(seen, None)
        settled(keys)
    assert verifier.verify(unseen, None)
    with pytest.raises(AuthenticationError):
        verifier.verify(token(key("k2")), None)


def test_without_any_keys_nobody_can_be_told_and_the_provider_is_asked_again_later(
    provider: Provider, verifier: Verifier, caplog: pytest.LogCaptureFixture
) -> None:
    good = token(provider.keys[0])
    provider.answers = {DISCOVERY: down}
    for _ in range(5):
        with pytest.raises(ProviderUnavailableError):
            verifier.verify(good, None)
    assert provider.asked == [DISCOVERY] * 3  # one fetch, in three tries
    assert "ConnectError" in caplog.text
    provider.answers = {}
    provider.now += MIN_INTERVAL_S
    with caplog.at_level(logging.INFO):
        assert verifier.verify(good, None)
    assert f"{ISSUER}: tokens can be verified by 1 of its keys" in caplog.text


def test_a_provider_that_is_busy_for_a_moment_is_asked_again_at_once(
    provider: Provider, verifier: Verifier
) -> None:
    busy = iter([httpx.Response(503), httpx.Response(429)])
    usual = httpx.Response(200, json={"keys": [provider.keys[0].as_dict(private=False)]})
    provider.answers[JWKS] = lambda: next(busy, usual)
    assert verifier.verify(token(provider.keys[0]), None)
    assert provider.fetches == 3


def test_a_token_of_a_known_key_is_still_checked_whole(provider: Provider, verifier: Verifier) -> None:
    now = int(time.time())
    for changed in ({"aud": "web"}, {"exp": now - 99}, {"nbf": now + 99}, {"iat": now + 99}):
        with pytest.raises(AuthenticationError):
            verifier.verify(token(provider.keys[0], **changed), None)
