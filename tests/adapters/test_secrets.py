"""References to secrets."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError

from hub.adapters.records import ConfigModel, ConnectorContext
from hub.adapters.secrets import SecretRef, TextRef, UrlRef, unresolved
from hub.errors import ConfigurationError


class Login(ConfigModel):
    url: UrlRef
    user: TextRef | None = None
    password: SecretRef | None = None
    more: dict[str, SecretRef] = Field(default={})


class Holder(ConfigModel):
    login: Login


@pytest.fixture
def context(tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    return ConnectorContext("erp", {"SET": "value", "EMPTY": ""}, tmp_path)


def test_references_and_plain_text_resolve(context):
    assert SecretRef.model_validate({"env": "SET"}).resolve(context) == "value"
    assert SecretRef.model_validate({"file": "token"}).resolve(context) == "s3cret"
    assert TextRef.model_validate("plain").resolve(context) == "plain"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"env": "MISSING"}, "erp: environment variable MISSING is not set"),
        ({"env": "EMPTY"}, "erp: environment variable EMPTY is not set"),
        ({"file": "gone"}, r"erp: file gone cannot be read \(FileNotFoundError\)"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(context, reference, message):
    with pytest.raises(ConfigurationError, match=message):
        SecretRef.model_validate(reference).resolve(context)


@pytest.mark.parametrize(
    "config",
    [
        {"url": "http://a", "password": "hunter2"},
        {"url": "postgresql://me:hunter2@host/db"},
        {"url": "https://example.com/?api_key=hunter2"},
        {"url": {"env": "A", "file": "b"}},
        {"url": {}},
        {"url": {"text": "postgresql://me:hunter2@host/db"}},
    ],
)
def test_a_secret_in_plain_text_is_refused_and_not_repeated(config):
    with pytest.raises(ValidationError) as caught:
        Login.model_validate(config)
    assert "hunter2" not in str(caught.value)


def test_every_reference_that_leads_nowhere_is_found_with_its_path(context):
    login = {"url": {"env": "A"}, "user": "me", "password": {"env": "SET"}, "more": {"x": {"env": "B"}}}
    holder = Holder.model_validate({"login": login})
    assert list(unresolved(holder, context)) == [
        (("login", "url"), "environment variable A is not set"),
        (("login", "more", "x"), "environment variable B is not set"),
    ]


def test_the_schema_offers_a_string_or_a_reference():
    schema = Login.model_json_schema()["$defs"]["UrlRef"]
    assert {"type": "string"} in schema["anyOf"]
