"""Whose tokens the API takes outside demo mode, and what settings that half say so are told."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from hub.api import create_app, serve
from hub.errors import ConfigurationError
from hub.services import load_configuration, open_services
from hub.settings import Settings, load_settings
from tests.api.api_world import POLICY, SOURCE, World, asking

ISSUER = "https://id.example.com"
KEY = OKPKey.generate_key("Ed25519", {"kid": "k1"})


def settings(folder: Path, **more: Any) -> Settings:
    config = folder / "config"
    config.mkdir(exist_ok=True)
    (config / "till.yaml").write_text(SOURCE.format(files="/nowhere"))
    return Settings(data_dir=folder / "var", config_dir=config, policy_file=POLICY, **more)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    return path


def token(**changed: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": "hub", "sub": "u-17", "nbf": now, "exp": now + 60, "department": "support",
        "roles": ["support"], "purposes": ["customer_service"], "client_id": "web", **changed,
    }  # fmt: skip
    return jwt.encode({"alg": "Ed25519", "kid": "k1"}, claims, KEY, algorithms=["Ed25519"])


ME = {"query": "{ me { subject } }"}


def test_tokens_of_the_configured_issuer_are_taken_and_the_demos_are_not(keys: Path, tmp_path: Path) -> None:
    with (
        open_services(settings(tmp_path, token_keys=keys, token_issuer=ISSUER), {}) as services,
        asking(services) as world,
    ):
        assert world.post(ME, token()).data["me"]["subject"] == "u-17"
        for refused in (World.token(world), token(iss="https://id.example.org"), token(aud="web")):
            assert world.post(ME, refused).code == "UNAUTHENTICATED"


def test_an_audience_may_be_set(keys: Path, tmp_path: Path) -> None:
    found = settings(tmp_path, token_keys=keys, token_issuer=ISSUER, token_audience="https://hub.example.com")
    with open_services(found, {}) as services, asking(services) as world:
        assert world.post(ME, token(aud="https://hub.example.com")).status == 200
        assert world.post(ME, token()).status == 401


def test_demo_mode_takes_the_demos_tokens_alone(tmp_path: Path) -> None:
    with open_services(settings(tmp_path, demo=True), {}) as services, asking(services) as world:
        assert world.post(ME, world.token()).status == 200
        assert world.post(ME, token()).status == 401


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"token_issuer": "our login"}, "HUB_TOKEN_ISSUER: is no https address"),
        ({"token_issuer": "http://id.example.com"}, "HUB_TOKEN_ISSUER: is no https address"),
        ({"token_keys": Path("keys.json")}, "HUB_TOKEN_ISSUER: is missing"),
        (
            {"token_keys": Path("keys.json"), "token_issuer": ISSUER, "demo": True},
            "HUB_DEMO: takes the demo's",
        ),
        ({"token_keys": Path("nowhere.json"), "token_issuer": ISSUER}, "nowhere.json.*cannot be read"),
    ],
)
def test_settings_that_half_name_an_issuer_are_refused_before_anything_is_opened(
    more: dict[str, Any], message: str, tmp_path: Path
) -> None:
    found = settings(tmp_path, **more)
    for refuse in (load_configuration, lambda found: open_services(found, {})):
        with pytest.raises(ConfigurationError, match=message):
            refuse(found)
    assert not (tmp_path / "var").exists()


def test_who_serves_without_an_issuer_is_told_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        serve(settings(tmp_path))
    for name in ("HUB_TOKEN_KEYS", "HUB_TOKEN_ISSUER", "HUB_DEMO=1"):
        assert name in str(refused.value)


def test_the_issuer_is_read_from_the_environment(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_TOKEN_KEYS", str(keys))
    monkeypatch.setenv("HUB_TOKEN_ISSUER", ISSUER)
    found = load_settings()
    assert (found.token_keys, found.token_issuer, found.token_audience) == (keys, ISSUER, "hub")


def test_all_else_works_without_an_issuer(tmp_path: Path) -> None:
    with open_services(settings(tmp_path), {}) as services:
        assert services.authenticator is None
        with pytest.raises(ConfigurationError, match="no issuer of tokens"):
            create_app(services)
