"""The hub's settings: read once at start from `HUB_*` variables, then handed down."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.errors import ConfigurationError
from hub.yamlfile import Fault

Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.\[\]:-]+$")]
"""What a browser sends as origin of a page: scheme, host and port; no `*`, which would be anybody."""


_SAFE_URL = re.compile(r"https://[^/\s]+|http://(127\.0\.0\.1|\[::1\]|localhost)([:/]|$)")


def _parsed(path: str) -> str:
    try:
        jmespath.compile(path)
    except JMESPathError:
        raise ValueError(f"{path!r} is no JMESPath") from None
    return path


ClaimPath = Annotated[str, StringConstraints(min_length=1), AfterValidator(_parsed)]
"""Where a token holds something, as JMESPath: `realm_access.roles`; odd names in quotes, `"https://example.com/roles"`."""


def _told_safely(url: SecretStr) -> SecretStr:
    if not _SAFE_URL.match(url.get_secret_value()):
        raise ValueError("is no https address")
    return url


NoticeUrl = Annotated[SecretStr, AfterValidator(_told_safely)]
"""Where notices are posted: by TLS, or on the machine itself. Such addresses often hold a secret."""


def _one_line(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().isprintable():
        raise ValueError("is not one line")
    return secret


class TokenClaims(BaseModel):
    """Where the provider's tokens hold what the hub needs; each is a JMESPath."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: ClaimPath = "sub"
    client: ClaimPath = "client_id || azp"
    roles: ClaimPath = "roles"
    """Values that the policy turns into roles (`claims` of a role)."""
    department: ClaimPath | None = "department"
    """None where the tokens hold none: then it is the one of the roles."""
    purposes: ClaimPath | None = "purposes"
    """None where the tokens hold none: then it is the roles alone that say which purposes may be stated."""
    regions: ClaimPath | None = "regions"
    """Whose customers the caller's are, by region; who has none reaches nobody by it, nor by the next two."""
    brands: ClaimPath | None = "brands"
    account_manager: ClaimPath | None = "account_manager"
    """The names under which the sources know the caller."""


class WitnessSettings(BaseModel):
    """Who cosigns checkpoints of the audit log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vkey: str
    """Its public key, `NAME+KEYID+BASE64`."""
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")] | None = None
    """Where it is asked over HTTP; None for one whose cosignatures are brought by `hub audit cosign`."""


class PbxSettings(BaseModel):
    """How calls come in at one PBX, and what its phones are told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """The country whose national numbers come without a country code, ISO 3166-1 alpha-2."""
    outside: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,4}$")] = ""
    """Digits that the PBX puts before numbers from outside."""
    longest_extension: int = Field(default=6, ge=2, le=7)
    """Digits of its longest extension: no longer number is one."""
    shows: Literal["name", "initials", "known"] = "name"
    """What a display is told of a caller: `M. Kovacs - open ticket`, `M. K.`, or the words of `known`."""
    known: Annotated[str, StringConstraints(max_length=40, pattern=r"^[\x20-\x7e]*$")] = "Known customer"
    unknown: Annotated[str, StringConstraints(max_length=40, pattern=r"^[\x20-\x7e]*$")] = ""
    """What it is told where nobody is found."""
    lines: dict[str, str] = Field(default_factory=dict)
    """What each of our numbers is for, by the number in E.164: a brand, a line of business."""


class AmiSettings(BaseModel):
    """An Asterisk whose manager interface the hub listens to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    port: int = Field(default=5038, ge=1, le=65_535)
    user: Annotated[str, StringConstraints(pattern=r"^[!-~]+$")]
    """A user of `manager.conf` who may read `call` and write nothing."""
    secret: Annotated[SecretStr, AfterValidator(_one_line)]
    key: SecretStr
    """The API key of the PBX at the hub: in its name calls are reported."""


class Settings(BaseSettings):
    """Every setting, its default and what it is for; `docs/settings.md` is made from this."""

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default=Path("var"), description="Folder of the databases, the index and the keys."
    )
    store_url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy URL of the graph's database; SQLite in the data folder unless given.",
    )
    search_engine: Literal["tantivy", "whoosh", "postgres"] | None = Field(
        default=None,
        description="What the search index is kept by: `tantivy`, files in the data folder; `whoosh`, the like in pure"
        " Python, for up to 200,000 documents; `postgres`, tables beside the store's, for several API nodes. Unless"
        " given: `postgres` where the store is PostgreSQL, else `tantivy`.",
    )
    search_check_s: float = Field(
        default=86_400.0,
        ge=0,
        le=2_592_000,
        description="Seconds between two checks of the search index against the store, while the API runs; what differs"
        " is put right and told in the log; 0 for none.",
    )
    inbox_url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy URL of the database that holds what webhooks brought until a run takes it in; that of"
        " the graph unless given, or where that is a file, one of its own in the data folder.",
    )
    audit_url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy URL of the audit log's own database; SQLite in the data folder unless given.",
    )
    audit_data_keys_url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy URL of the database of the data keys that seal the audit log's payloads; SQLite in the"
        " data folder unless given. Back it up apart from the audit log.",
    )
    master_key: SecretStr | None = Field(
        default=None,
        description="Master key that wraps the data keys: Base64 of 32 bytes, as `hub audit data-keys make` prints;"
        " after it, with spaces between, former ones that still wrap some. Without any, no payloads are kept.",
    )
    master_key_file: Path | None = Field(
        default=None, description="File that holds what `HUB_MASTER_KEY` would, for those who mount secrets."
    )
    audit_key_file: Path | None = Field(
        default=None,
        description="File of the key that signs checkpoints of the audit log (`hub audit key new`); `audit.key` in the"
        " data folder unless given. Without a key there are no checkpoints.",
    )
    audit_origin: str | None = Field(
        default=None,
        pattern=r"^[^\s+]+$",
        description="The audit log's name in its checkpoints, such as `hub.example.com/audit`; the key's name unless"
        " given.",
    )
    audit_former_keys: tuple[str, ...] = Field(
        default=(),
        description="Public keys (vkeys) that signed earlier checkpoints of this audit log, as a JSON list.",
    )
    audit_checkpoints: Path | None = Field(
        default=None,
        description="Folder where checkpoints are kept outside of the database, best on another machine; `checkpoints`"
        " in the data folder unless given.",
    )
    audit_checkpoint_s: float = Field(
        default=300.0,
        ge=0,
        le=86_400,
        description="Seconds between two checkpoints of a growing audit log, while the API runs; 0 for none.",
    )
    audit_witnesses: tuple[WitnessSettings, ...] = Field(
        default=(),
        description="Who cosigns checkpoints, as a JSON list:"
        ' `[{"vkey": "...", "url": "https://witness.example.com"}]`; without `url` cosignatures are brought by'
        " `hub audit cosign`.",
    )
    config_dir: Path = Field(
        default=Path("adapters_config"), description="Folder with one YAML file a source system."
    )
    policy_file: Path = Field(default=Path("policy.yaml"), description="Departments, purposes and grants.")
    organisation_file: Path | None = Field(
        default=None,
        description="Controller, systems, partners and places outside of the hub; unless given, `organisation.yaml`"
        " beside the policy, where there is one.",
    )
    retention_file: Path | None = Field(
        default=None,
        description="How long data is kept; `retention.yaml` beside the policy unless given. Where that is not there,"
        " nothing is ever overdue.",
    )
    queries_dir: Path = Field(
        default=Path("queries"),
        description="Folder of the GraphQL documents that the hub ships, `DEPARTMENT/NAME.graphql`.",
    )
    trusted_documents_only: bool = Field(
        default=False, description="Answer no GraphQL document but those that the hub ships."
    )
    match_models: Path | None = Field(
        default=None,
        description="Folder of match models trained on the organisation's own records, a folder each (`hub resolve"
        " train`); of those that are not there, and unless given, the ones that the hub ships.",
    )
    street_reader: Literal["rules", "libpostal"] = Field(
        default="rules",
        description="What takes street and house number apart before parties are matched: the hub's own rules, or"
        " libpostal, which has to be installed (`pip install 'customer-knowledge-hub[libpostal]'`).",
    )
    ontology_dirs: tuple[Path, ...] = Field(
        default=(), description="Folders with an organisation's own types and properties, as a JSON list."
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(
        default=8360, ge=0, le=65_535, description="Port the API listens on; 0 takes a free one."
    )
    demo: bool = Field(
        default=False, description="Accept tokens of the demo issuer; refused on a non-loopback address."
    )
    console: bool | None = Field(
        default=None,
        description="Serve the query page at `/console`; unless given, in demo mode only. It holds no data, and asks"
        " the API with the token that is put into it.",
    )
    token_issuer: str | None = Field(
        default=None,
        min_length=1,
        description="The identity provider whose tokens the API takes: the tokens' claim `iss`. Its keys are found by"
        " OpenID Connect discovery at this address, unless `HUB_TOKEN_KEYS` gives them.",
    )
    token_keys: Path | None = Field(
        default=None,
        description="JWKS file with the public keys of the identity provider (Ed25519, ES256, RS256), for one without"
        " discovery.",
    )
    token_keys_max_age_s: float = Field(
        default=300.0,
        ge=10,
        le=86_400,
        description="Seconds after which the provider's keys are fetched again: so long may a key that it has"
        " withdrawn be good. Not for those of a file.",
    )
    token_audience: str = Field(
        default="hub", min_length=1, description="What the tokens' claim `aud` has to be, or to hold."
    )
    token_claims: TokenClaims = Field(
        default=TokenClaims(),
        description="Where the tokens hold `subject`, `client`, `roles`, `department` and `purposes`: JMESPaths by"
        ' these names, such as `{"roles": "realm_access.roles"}`; what it does not name stays as it is. `null` for'
        " department or purposes: those of the roles.",
    )
    token_clock_skew_s: int = Field(
        default=30,
        ge=0,
        le=300,
        description="Seconds by which the clocks of the hub and of the identity provider may differ.",
    )
    api_keys: Path | None = Field(
        default=None,
        description="File of the API keys (`hub key create`); `api-keys.json` in the data folder unless given.",
    )
    max_requests: int = Field(
        default=6_000,
        ge=1,
        le=100_000_000,
        description="Requests a minute that one caller may make through one client, by each process of the API.",
    )
    break_glass_notice_url: NoticeUrl | None = Field(
        default=None,
        description="Where it is posted, as JSON, that a glass was broken: id, roles, purpose, categories and end,"
        " nothing personal. Unless given, the review queue alone tells of it.",
    )
    batch_size: int = Field(
        default=1000,
        ge=1,
        le=50_000,
        description="Records a transaction of a sync; 1000 keep it near 100 ms.",
    )
    worker_runs: int = Field(
        default=2, ge=1, le=64, description="Sources that one `hub worker` reads at once."
    )
    max_page: int = Field(
        default=200, ge=1, le=10_000, description="Rows that one page of a connection may have."
    )
    max_depth: int = Field(default=12, ge=1, le=50, description="Levels that a GraphQL document may nest.")
    max_cost: int = Field(
        default=20_000,
        ge=1,
        description="Rows times fields that a GraphQL document may cost, from its page sizes.",
    )
    max_preparing_s: float = Field(
        default=10.0,
        gt=0,
        le=60,
        description="Seconds a minute that the API works on one caller's new GraphQL documents before they have to"
        " wait; documents that were asked before cost none.",
    )
    timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=600,
        description="Seconds that a caller waits for an answer; then it is refused, and its SQL is stopped.",
    )
    max_response_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="Bytes that an answer of GraphQL may have."
    )
    cors_origins: tuple[Origin, ...] = Field(
        default=(),
        description="Origins of the web pages that may ask the API from a browser, as a JSON list like"
        ' `["https://desk.example.com"]`; none unless given.',
    )

    pbx: dict[str, PbxSettings] = Field(
        default_factory=dict,
        description='How calls come in at each PBX, by the label of its API key: `{"pbx-budapest": {"region": "HU"}}`;'
        " see `docs/screen-pop.md`. What is not told of a PBX is as `HUB_PHONE_REGION` and the defaults say.",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+(/[^\s]*[^\s/])?$",
        description="The address under which PBXs and browsers reach the hub, for templates and links; that of the"
        " request unless given.",
    )
    phone_region: str | None = Field(
        default=None,
        pattern=r"^[A-Z]{2}$",
        description="The country, ISO 3166-1 alpha-2, of phone numbers without a country code, where no PBX says"
        " another one.",
    )
    pop_deadline_ms: int = Field(
        default=300,
        ge=10,
        le=5_000,
        description="Milliseconds after which a lookup of a caller is answered with what is known by then.",
    )
    pop_requests: int = Field(
        default=30_000,
        ge=1,
        le=100_000_000,
        description="Lookups and call events a minute that one PBX may send, to each process of the API.",
    )
    agi_host: str = Field(default="127.0.0.1", description="Address the FastAGI server listens on.")
    agi_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="Port of the FastAGI server, by which Asterisk asks who is calling; 4573 is the usual one. None"
        " unless given.",
    )
    ami: tuple[AmiSettings, ...] = Field(
        default=(),
        description='Asterisks whose manager interface the hub listens to, as a JSON list: `[{"host":'
        ' "pbx.example.com", "user": "hub", "secret": "...", "key": "hubkey_..."}]`.',
    )
    call_days: int = Field(
        default=90,
        ge=1,
        le=3_650,
        description="Days for which the call journal is kept; what became a touchpoint of a customer stays with them.",
    )

    max_subscriptions: int = Field(
        default=1000,
        ge=1,
        description="Subscriptions that one process serves at once, and WebSockets that it holds open; a tenth of"
        " them for one caller.",
    )

    def pbx_of(self, label: str) -> PbxSettings:
        """How calls come in at the PBX; as anywhere, where nothing is told of it."""
        told = self.pbx.get(label, PbxSettings())
        return told if told.region else told.model_copy(update={"region": self.phone_region})

    @property
    def serves_console(self) -> bool:
        """Whether the query page is there."""
        return self.demo if self.console is None else self.console

    @property
    def store_address(self) -> str:
        """The URL of the graph's database, secrets included: not for logs."""
        return (
            self.store_url.get_secret_value()
            if self.store_url
            else f"sqlite:///{self.data_dir / 'hub.sqlite'}"
        )

    @property
    def inbox_address(self) -> str:
        """The URL of the database of webhooks' deliveries, secrets included: not for logs."""
        if self.inbox_url is not None:
            return self.inbox_url.get_secret_value()
        if self.store_address.startswith("sqlite"):
            return f"sqlite:///{self.data_dir / 'inbox.sqlite'}"
        return self.store_address

    @property
    def programs_dir(self) -> Path:
        """Where programs that read sources are installed."""
        return self.data_dir / "programs"

    @property
    def audit_address(self) -> str:
        """The URL of the audit log's database, secrets included: not for logs."""
        return (
            self.audit_url.get_secret_value()
            if self.audit_url
            else f"sqlite:///{self.data_dir / 'audit.sqlite'}"
        )

    @property
    def organisation_path(self) -> Path:
        """The file of the organisation, which need not be there unless it is set."""
        return self.organisation_file or self.policy_file.with_name("organisation.yaml")

    @property
    def audit_data_keys_file(self) -> Path:
        """The file of the data keys, where no URL is given for them."""
        return self.data_dir / "audit-keys.sqlite"

    @property
    def audit_data_keys_address(self) -> str:
        """The URL of the data keys' database, secrets included: not for logs."""
        return (
            self.audit_data_keys_url.get_secret_value()
            if self.audit_data_keys_url
            else f"sqlite:///{self.audit_data_keys_file}"
        )

    @property
    def audit_key_path(self) -> Path:
        """The file of the key that signs checkpoints, which need not be there."""
        return self.audit_key_file or self.data_dir / "audit.key"

    @property
    def audit_checkpoints_dir(self) -> Path:
        """The folder where checkpoints are kept outside of the database."""
        return self.audit_checkpoints or self.data_dir / "checkpoints"

    @property
    def retention_path(self) -> Path | None:
        """The file of the retention rules; None where none is set and none lies beside the policy."""
        beside = self.policy_file.parent / "retention.yaml"
        return self.retention_file or (beside if beside.is_file() else None)

    @property
    def api_keys_file(self) -> Path:
        """The file of the API keys, which need not be there."""
        return self.api_keys or self.data_dir / "api-keys.json"

    @property
    def index_dir(self) -> Path:
        """The folder of the search index."""
        return self.data_dir / "index"


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        ConfigurationError: a variable has a value that does not fit; all of them are named.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError(
            [_fault(str(item["loc"][0]), item["msg"]) for item in error.errors(include_input=False)]
        ) from error


def _fault(name: str, message: str) -> Fault:
    field = Settings.model_fields.get(name)
    expected = field.description if field else None
    return Fault("environment", 1, 1, f"HUB_{name.upper()}", message[:1].lower() + message[1:], expected)
