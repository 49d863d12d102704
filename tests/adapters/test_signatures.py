"""Deliveries of webhooks are taken from who has the secret, and from nobody else; old ones from nobody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hub.adapters.signatures import SCHEMES, Proven, Request, Signature, SignatureChoice, verify
from hub.errors import AuthenticationError
from tests.adapters.signing import SECRET, SENDERS, URL

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=5)
BODY = b'{"id": 7, "email": "ann@example.com"}'
TIMED = ("standard", "stripe", "zendesk", "hubspot")
"""The schemes that sign a time."""


def request(headers: Mapping[str, str], body: bytes = BODY) -> Request:
    return Request("POST", URL, {name.lower(): value for name, value in headers.items()}, body)


def sent(scheme: str, body: bytes = BODY, at: datetime = NOW, name: str = "msg_1") -> Request:
    return request(SENDERS[scheme](body, at, name, URL), body)


def proven(scheme: str, given: Request, *secrets: str) -> Proven:
    return verify(SCHEMES[scheme], secrets or (SECRET,), given, WINDOW, NOW)


def refused(scheme: str, given: Request, *secrets: str) -> str:
    with pytest.raises(AuthenticationError) as caught:
        proven(scheme, given, *secrets)
    return str(caught.value)


def test_every_scheme_has_a_sender_here() -> None:
    assert set(SENDERS) == set(SCHEMES)


def test_the_example_of_the_standard() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, UTC)
    found = verify(SCHEMES["standard"], [SECRET], request(headers, b'{"test": 2432232314}'), WINDOW, at)
    assert (found.id, found.sent_at) == ("msg_p5jXN8AQM9LWM0D4loKWxJek", at)


def test_the_example_of_github() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    given = request({"X-Hub-Signature-256": signature}, b"Hello, World!")
    assert proven("github", given, "It's a Secret to Everybody").id is None


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_signed_is_taken(scheme: str) -> None:
    found = proven(scheme, sent(scheme))
    assert found.sent_at == (NOW if scheme in TIMED else None)
    assert (found.seal is not None) == (scheme in TIMED)
    assert found.id == ("msg_1" if SCHEMES[scheme].id_header else None)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_both_secrets_are_taken_while_one_is_changed(scheme: str) -> None:
    other = "whsec_" + "A" * 32
    assert proven(scheme, sent(scheme), other, SECRET) == proven(scheme, sent(scheme))
    assert "does not fit" in refused(scheme, sent(scheme), other)


@pytest.mark.parametrize("scheme", sorted(SCHEMES.keys() - {"gitlab"}))
@given(data=st.data())
def test_nothing_else_is_taken(scheme: str, data: st.DataObject) -> None:
    """Whichever signed part or byte of the signature is changed, added or left out."""
    good = sent(scheme)
    what = data.draw(st.sampled_from(["body", "url", "method", *good.headers]))
    if what == "body":
        bad = replace(good, body=data.draw(st.binary().filter(lambda each: each != BODY)))
    elif what in ("url", "method"):
        if what not in SCHEMES[scheme].signed:
            return
        bad = replace(good, **{what: getattr(good, what) + "x"})
    else:
        signed = {SCHEMES[scheme].header.lower(), (SCHEMES[scheme].timestamp_header or "").lower()}
        if what not in signed and what != "webhook-id":
            return
        changed = data.draw(st.none() | st.text(st.characters(codec="ascii", categories=["L", "N"])))
        others = {name: value for name, value in good.headers.items() if name != what}
        bad = replace(good, headers=others if changed is None else {**others, what: changed})
    refused(scheme, bad)


def test_a_plain_token_has_to_be_the_secret() -> None:
    refused("gitlab", request({"X-Gitlab-Token": SECRET[:-1]}))
    refused("gitlab", request({}))


@pytest.mark.parametrize("scheme", TIMED)
@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_was_sent_at_another_time_is_refused(scheme: str, minutes: int) -> None:
    at = NOW + timedelta(minutes=minutes)
    assert "too long ago or ahead" in refused(scheme, sent(scheme, at=at))
    proven(scheme, sent(scheme, at=NOW + timedelta(minutes=minutes * 2 / 3)))


def test_only_who_has_the_secret_hears_of_the_age() -> None:
    forged = {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    assert "does not fit" in refused("standard", request(forged))


@pytest.mark.parametrize("scheme", TIMED)
def test_a_seal_is_of_one_delivery(scheme: str) -> None:
    seals = {
        proven(scheme, each).seal
        for each in (
            sent(scheme),
            sent(scheme),
            sent(scheme, body=b"{}"),
            sent(scheme, at=NOW + timedelta(seconds=1)),
        )
    }
    assert len(seals) == 3


def test_a_seal_does_not_change_with_what_is_not_signed() -> None:
    """Or a captured delivery could be brought again under another id."""
    assert (
        proven("zendesk", sent("zendesk", name="a")).seal == proven("zendesk", sent("zendesk", name="b")).seal
    )


def test_a_flood_of_signatures_is_not_tried() -> None:
    good = sent("standard")
    last = good.headers["webhook-signature"].rpartition(" ")[2]
    for others, taken in ((9, True), (10_000, False)):
        many = " ".join(f"v1,{number}" for number in range(others))
        flood = replace(good, headers={**good.headers, "webhook-signature": f"{many} {last}"})
        assert proven("standard", flood).id if taken else refused("standard", flood)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"header": "x", "pattern": "("}, "no regular expression"),
        ({"header": "x", "pattern": "a"}, "0 groups, not one"),
        ({"header": "x", "content": "{body}{bodie}"}, "knows no {bodie}"),
        ({"header": "x", "content": "{id}"}, "leaves {body} out"),
        ({"header": "x", "content": "{timestamp}.{body}"}, "no timestamp_header"),
        ({"header": "x", "content": "{id}.{body}"}, "no id_header"),
        ("shopfiy", "is none of standard"),
    ],
)
def test_schemes_that_could_not_work_are_refused_when_they_are_read(wrong: object, told: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(told)):
        TypeAdapter(SignatureChoice).validate_python(wrong)


def test_a_scheme_of_ones_own() -> None:
    """As Zammad signs: SHA-1 of the body, in hexadecimal after its name."""
    own = Signature(header="X-Hub-Signature", pattern="^sha1=([0-9a-f]+)$", algorithm="sha1")
    import hmac

    made = hmac.new(b"secret", BODY, "sha1").hexdigest()
    given = request({"X-Hub-Signature": f"sha1={made}"})
    assert verify(own, ["secret"], given, WINDOW, NOW) == Proven(None, None, None)
