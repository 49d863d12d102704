"""Names that others rely on: stored in logs, tested by client programs, set in environments. None may get lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.audit import Action, AuditEvent, Retention
from hub.errors import ConfigurationError, HubError, RequestError, SourceError
from hub.reference.errors import subclasses
from hub.settings import AmiSettings, PbxSettings, Settings, TokenClaims, WitnessSettings, load_settings

# audit events already written name these actions, and must be readable for ever

ACTIONS = [
    "configuration_loaded",
    "policy_loaded",
    "login_refused",
    "sync_started",
    "sync_finished",
    "batch_applied",
    "quarantine_replayed",
    "customer_created",
    "customer_changed",
    "customer_merged",
    "customer_unmerged",
    "review_decided",
    "correction",
    "read",
    "read_refused",
    "search",
    "export",
    "break_glass",
    "consent_changed",
    "restriction_changed",
    "privacy_request_opened",
    "privacy_request_closed",
    "erased",
    "erase_verified",
    "key_destroyed",
    "audit_read",
    "audit_verified",
    "interaction_logged",
    "sync_requested",
    "source_frozen",
    "command_refused",
    "api_key_changed",
    "master_key_changed",
    "suppression_released",
    "call_reported",
    "call_verified",
    "call_handled",
    "grant_attested",
    "privacy_map_read",
    "finding_raised",
    "finding_decided",
    "retention_run",
    "legal_hold",
    "incident",
    "privacy_request_step",
]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_event_of_every_action_can_be_read_back(action: str) -> None:
    event = AuditEvent(Action(action), "system")
    assert AuditEvent.decode(event.encode()) == event


def test_no_action_is_forgotten_here() -> None:
    assert [action.value for action in Action] == ACTIONS


def test_the_retention_classes_that_keys_are_held_for_stay_as_they_are() -> None:
    assert [each.value for each in Retention] == ["customer", "accounting", "marketing", "search"]


# errors: what callers catch, and the codes that client programs test

PARENTS = {
    "HubError": "Exception",
    "ConfigurationError": "HubError",
    "SourceError": "HubError",
    "SourceUnavailableError": "SourceError",
    "SourceProtocolError": "SourceError",
    "TooManyRejectsError": "SourceError",
    "RecordError": "HubError",
    "RequestError": "HubError",
    "AuthenticationError": "RequestError",
    "PurposeError": "RequestError",
    "AccessDeniedError": "RequestError",
    "LimitError": "RequestError",
    "RateLimitError": "RequestError",
    "QueryError": "RequestError",
    "DocumentNotFoundError": "QueryError",
    "NotFoundError": "RequestError",
    "ProviderUnavailableError": "HubError",
    "StoreError": "HubError",
    "StoreUnavailableError": "StoreError",
    "SchemaChangeError": "StoreError",
    "AuditError": "HubError",
    "AuditIntegrityError": "AuditError",
    "MasterKeyError": "AuditError",
}
CODES = {
    "RequestError": "BAD_REQUEST",
    "AuthenticationError": "UNAUTHENTICATED",
    "PurposeError": "PURPOSE_REQUIRED",
    "AccessDeniedError": "FORBIDDEN",
    "LimitError": "LIMIT_EXCEEDED",
    "RateLimitError": "RATE_LIMITED",
    "QueryError": "BAD_QUERY",
    "DocumentNotFoundError": "PERSISTED_QUERY_NOT_FOUND",
    "NotFoundError": "NOT_FOUND",
}


def test_who_catches_an_error_catches_all_below_it() -> None:
    assert {kind.__name__: kind.__base__.__name__ for kind in subclasses(HubError)} == PARENTS  # type: ignore[union-attr]


def test_the_codes_of_requests_stay_as_they_are() -> None:
    assert {kind.__name__: kind.code for kind in subclasses(RequestError)} == CODES


@pytest.mark.parametrize(("stream", "message"), [("orders", "erp.orders: is down"), (None, "erp: is down")])
def test_an_error_of_a_source_names_source_and_stream(stream: str | None, message: str) -> None:
    assert str(SourceError("erp", stream, "is down")) == message


# settings

SET = {
    "HUB_DATA_DIR": ("data", Path("data")),
    "HUB_SEARCH_ENGINE": ("whoosh", "whoosh"),
    "HUB_SEARCH_CHECK_S": ("0", 0.0),
    "HUB_WORKER_RUNS": ("3", 3),
    "HUB_STORE_URL": ("sqlite:///a.sqlite", "sqlite:///a.sqlite"),
    "HUB_INBOX_URL": ("sqlite:///c.sqlite", "sqlite:///c.sqlite"),
    "HUB_AUDIT_URL": ("sqlite:///b.sqlite", "sqlite:///b.sqlite"),
    "HUB_AUDIT_KEY_FILE": ("log.key", Path("log.key")),
    "HUB_AUDIT_ORIGIN": ("hub.example.com/audit", "hub.example.com/audit"),
    "HUB_AUDIT_FORMER_KEYS": ('["a", "b"]', ("a", "b")),
    "HUB_AUDIT_CHECKPOINTS": ("elsewhere", Path("elsewhere")),
    "HUB_AUDIT_CHECKPOINT_S": ("60", 60.0),
    "HUB_AUDIT_WITNESSES": (
        '[{"vkey": "a", "url": "https://witness.example.com"}]',
        (WitnessSettings(vkey="a", url="https://witness.example.com"),),
    ),
    "HUB_AUDIT_DATA_KEYS_URL": ("sqlite:///c.sqlite", "sqlite:///c.sqlite"),
    "HUB_MASTER_KEY": ("a2V5", "a2V5"),
    "HUB_MASTER_KEY_FILE": ("master-key", Path("master-key")),
    "HUB_CONFIG_DIR": ("sources", Path("sources")),
    "HUB_POLICY_FILE": ("p.yaml", Path("p.yaml")),
    "HUB_ORGANISATION_FILE": ("o.yaml", Path("o.yaml")),
    "HUB_RETENTION_FILE": ("keep.yaml", Path("keep.yaml")),
    "HUB_QUERIES_DIR": ("questions", Path("questions")),
    "HUB_TRUSTED_DOCUMENTS_ONLY": ("1", True),
    "HUB_TIMEOUT_S": ("2.5", 2.5),
    "HUB_MAX_RESPONSE_BYTES": ("4096", 4096),
    "HUB_CORS_ORIGINS": ('["https://desk.example.com"]', ("https://desk.example.com",)),
    "HUB_MATCH_MODELS": ("models", Path("models")),
    "HUB_STREET_READER": ("libpostal", "libpostal"),
    "HUB_ONTOLOGY_DIRS": ('["types", "more"]', (Path("types"), Path("more"))),
    "HUB_HOST": ("localhost", "localhost"),
    "HUB_PORT": ("0", 0),
    "HUB_DEMO": ("true", True),
    "HUB_CONSOLE": ("true", True),
    "HUB_BREAK_GLASS_NOTICE_URL": ("https://watch.example.com/n", "https://watch.example.com/n"),
    "HUB_BATCH_SIZE": ("50", 50),
    "HUB_MAX_PAGE": ("20", 20),
    "HUB_MAX_DEPTH": ("5", 5),
    "HUB_MAX_COST": ("900", 900),
    "HUB_MAX_SUBSCRIPTIONS": ("70", 70),
    "HUB_PBX": ('{"pbx-one": {"region": "HU"}}', {"pbx-one": PbxSettings(region="HU")}),
    "HUB_PUBLIC_URL": ("https://hub.example.com", "https://hub.example.com"),
    "HUB_PHONE_REGION": ("GB", "GB"),
    "HUB_POP_DEADLINE_MS": ("500", 500),
    "HUB_POP_REQUESTS": ("99", 99),
    "HUB_AGI_HOST": ("0.0.0.0", "0.0.0.0"),
    "HUB_AGI_PORT": ("4573", 4573),
    "HUB_AMI": (
        '[{"host": "pbx.example.com", "user": "hub", "secret": "s", "key": "hubkey_x"}]',
        (AmiSettings(host="pbx.example.com", user="hub", secret="s", key="hubkey_x"),),
    ),
    "HUB_CALL_DAYS": ("30", 30),
    "HUB_MAX_PREPARING_S": ("2.5", 2.5),
    "HUB_TOKEN_KEYS": ("keys.json", Path("keys.json")),
    "HUB_TOKEN_ISSUER": ("https://login.example.com", "https://login.example.com"),
    "HUB_TOKEN_AUDIENCE": ("our-hub", "our-hub"),
    "HUB_TOKEN_CLAIMS": (
        '{"roles": "realm_access.roles", "purposes": null}',
        TokenClaims(roles="realm_access.roles", purposes=None),
    ),
    "HUB_TOKEN_CLOCK_SKEW_S": ("5", 5),
    "HUB_TOKEN_KEYS_MAX_AGE_S": ("60", 60.0),
    "HUB_API_KEYS": ("machines.json", Path("machines.json")),
    "HUB_MAX_REQUESTS": ("120", 120),
}


@pytest.mark.parametrize("variable", SET)
def test_every_setting_is_read_from_its_variable(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, expected = SET[variable]
    monkeypatch.setenv(variable, text)
    value = getattr(load_settings(), variable.removeprefix("HUB_").lower())
    assert getattr(value, "get_secret_value", lambda: value)() == expected


@pytest.mark.parametrize(
    "url", ["http://watch.example.com/n", "watch.example.com", "file:///tmp/n", "https://"]
)
def test_notices_go_nowhere_without_tls(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_BREAK_GLASS_NOTICE_URL", url)
    with pytest.raises(ConfigurationError, match="HUB_BREAK_GLASS_NOTICE_URL") as refused:
        load_settings()
    assert "watch.example.com" not in str(refused.value)


@pytest.mark.parametrize("origin", ["*", "desk.example.com", "https://desk.example.com/", "null"])
def test_what_is_no_origin_of_a_page_is_refused(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_CORS_ORIGINS", f'["{origin}"]')
    with pytest.raises(ConfigurationError, match="HUB_CORS_ORIGINS"):
        load_settings()


def test_no_setting_is_forgotten_here() -> None:
    assert {f"HUB_{name.upper()}" for name in Settings.model_fields} == set(SET)


def test_all_settings_that_do_not_fit_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PORT", "99999")
    monkeypatch.setenv("HUB_MAX_COST", "many")
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert "HUB_PORT" in str(refused.value)
    assert "HUB_MAX_COST" in str(refused.value)
    assert "many" not in str(refused.value)


def test_a_database_url_is_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_STORE_URL", "postgresql://hub:secret@db.example.com/hub")
    assert "secret" not in repr(load_settings())
