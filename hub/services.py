"""What is made once at start and handed down: settings, ontology, policy, store, audit log, sources, search, tokens."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from hub.access import (
    AUDIENCE,
    DEMO_ISSUER,
    AccessMap,
    ApiKeys,
    Authenticator,
    Claims,
    DemoIssuer,
    FixedKeys,
    PolicyInForce,
    ProviderKeys,
    TokenVerifier,
    TrustedIssuer,
    is_safe,
    load_public_keys,
)
from hub.access.retention import NO_RULES, RetentionRules, load_retention
from hub.adapters import (
    Inbox,
    Jobs,
    Past,
    SourceConfig,
    Sources,
    StaffRecords,
    Syncer,
    access_of,
    keep_configurations,
    kept_configurations,
    load_sources,
)
from hub.audit import (
    Action,
    AuditEvent,
    AuditLog,
    Checkpoints,
    DataKeys,
    Keys,
    LocalMasterKeys,
    MasterKeys,
    Outcome,
    Recorder,
    Sealer,
    configured_keys,
    drain,
    open_checkpoints,
)
from hub.calls import ScreenPop
from hub.eraser import Eraser
from hub.errors import AuditError, ConfigurationError, FaultLike
from hub.graph.resolution import MatchModel, PartyKind, load_models
from hub.graph.resolution.profiles import StreetReader, libpostal_reader, street_parts
from hub.graph.resolution.stewardship import Stewardship
from hub.ontology import Ontology, load_ontology
from hub.organisation import KnownNames, Organisation, load_organisation
from hub.search import Indexer, SearchService, open_engine
from hub.settings import Settings, TokenClaims
from hub.store import Store
from hub.yamlfile import Fault

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the files say, checked as a whole; nothing is open yet."""

    ontology: Ontology
    policy: PolicyInForce
    organisation: Organisation
    """Empty where there is no file of it."""
    retention: RetentionRules
    sources: Mapping[str, SourceConfig]
    issuer: TrustedIssuer | None
    """Whose tokens are taken; None in demo mode, and where nobody's are."""
    keys: ApiKeys
    master: MasterKeys | None
    """What wraps the audit log's data keys; None where no payloads are kept."""
    models: Mapping[PartyKind, MatchModel]
    """What parties are matched by."""
    read_street: StreetReader
    """What takes their addresses apart."""
    checkpoint_keys: Keys | None
    """None where there is no key to sign checkpoints of the audit log by."""

    @property
    def access(self) -> AccessMap:
        """The policy, compiled."""
        return self.policy.current


@dataclass(frozen=True, slots=True)
class Published:
    """What was told."""

    events: int
    """Events brought into the audit log."""
    changes: int
    """Entries of the change feed that the search index took in."""


@dataclass(frozen=True)
class Services:
    """Everything that commands and the API work with. Close it, or use it as a context."""

    settings: Settings
    ontology: Ontology
    policy: PolicyInForce
    organisation: Organisation
    retention: RetentionRules
    """How long data is kept."""
    store: Store
    audit: AuditLog
    recorder: Recorder
    sealer: Sealer
    sources: Sources
    inbox: Inbox
    """What senders have brought and no run has taken in."""
    syncer: Syncer
    jobs: Jobs
    """Runs in the background; closing ends them between two batches."""
    staff: StaffRecords
    stewardship: Stewardship
    """Who is one customer by stewards' words."""
    past: Past
    """Answers as of a past time."""
    search: SearchService
    indexer: Indexer
    eraser: Eraser
    pop: ScreenPop
    """Tells who is calling."""
    keys: ApiKeys
    authenticator: Authenticator | None
    """None where nobody could be let in: then the API cannot start, all else can."""
    checkpoints: Checkpoints | None
    """None where there is no key to sign them by."""
    _open: ExitStack = field(repr=False)

    @property
    def access(self) -> AccessMap:
        """The policy in force now; take it once for all that belongs together."""
        return self.policy.current

    def follow_policy(self) -> None:
        """Take the policy's file into force where it has changed and has no fault.

        What is in force is on record before it decides, and what is refused is as well.

        Raises:
            AuditError: the log cannot be written; what was in force still is, and the next call tries again.
        """
        try:
            changed = self._changed_policy()
            self._record_policy(changed or self.access)
        except AuditError:
            self.policy.look_again()
            raise
        if changed is not None:
            self.policy.adopt(changed)
            self.keep_configurations()

    def keep_configurations(self) -> None:
        """Keep policy, ontology and sources where they are not as they last were, so that any past day can be told."""
        keep_configurations(self.store, self.access, self.ontology, self.sources.configs)

    def _record_policy(self, access: AccessMap) -> None:
        if access.sha256 != self.policy.recorded:
            self.recorder.record_sync(_policy_event(access))
            self.policy.recorded = access.sha256
            _log.info("policy %s is in force", access.sha256)

    def _changed_policy(self) -> AccessMap | None:
        try:
            return self.policy.changed()
        except ConfigurationError as error:
            _log.error("the changed policy is refused, %s stays in force: %s", self.access.sha256, error)
            counts = {"faults": len(error.faults)}
            self.recorder.record_sync(
                _policy_event(self.access, outcome=Outcome.REFUSED, reason_code="faults", counts=counts)
            )
            return None

    def publish(self) -> Published:
        """Tell the audit log and the search index what committed writes have left to be told.

        Raises:
            AuditError: the log cannot be written; what waits stays where it is.
            StoreUnavailableError: the store or the index is out of reach; try again later.
        """
        return Published(self.publish_events(), self.publish_changes())

    def publish_events(self) -> int:
        """The number of audit events that this call brought into the log.

        Raises:
            AuditError: the log cannot be written; what waits stays where it is.
        """
        return drain(self.store, self.audit)

    def publish_changes(self) -> int:
        """The number of entries of the change feed that the search index took in; a first build may take minutes.

        Raises:
            StoreUnavailableError: the store or the index is out of reach; try again later.
        """
        return self.indexer.follow()

    def check_index(self) -> None:
        """Compare the search index with the store, put right what differs and tell how much it was.

        Raises:
            StoreUnavailableError: the store or the index is out of reach; try again later.
        """
        checked = self.indexer.check()
        if checked is not None:
            level = logging.WARNING if checked.drift else logging.INFO
            _log.log(level, "search index: %d documents, %d put right", checked.documents, checked.drift)

    def publish_checkpoint(self) -> None:
        """Publish a checkpoint of the audit log as it is now, and have it cosigned.

        Raises:
            AuditError: the log or a witness cannot be reached; try again later.
            AuditIntegrityError: the log is not the one that was published; stop and investigate.
        """
        if self.checkpoints is not None:
            self.checkpoints.have_cosigned(self.checkpoints.publish())

    def close(self) -> None:
        """Write what waits, and give all connections back. Closing twice does nothing more."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def load_configuration(settings: Settings) -> Configuration:
    """What ontology, policy, sources and the issuer's keys say.

    Raises:
        ConfigurationError: with the faults of all of them together.
    """
    faults: list[FaultLike] = []
    ontology = _attempt(lambda: load_ontology(settings.ontology_dirs), faults)
    # Without its own ontology's faults an organisation's policy and sources are checked against the hub's types, so
    # that all their other faults are reported too.
    known = ontology or load_ontology()
    policy = _attempt(lambda: PolicyInForce.load(settings.policy_file, known.taxonomy), faults)
    retention = _attempt(lambda: _retention(settings, known, policy), faults)
    sources = _attempt(lambda: load_sources(settings.config_dir, known), faults)
    organisation = _attempt(lambda: _organisation(settings, known, policy), faults)
    issuer = _attempt(lambda: _trusted_issuer(settings), faults)
    keys = _attempt(lambda: ApiKeys(settings.api_keys_file), faults)
    master = _attempt(lambda: _master_keys(settings), faults)
    checkpoint_keys = _attempt(lambda: configured_keys(settings), faults)
    models = _attempt(lambda: load_models(settings.match_models), faults)
    read_street = _attempt(lambda: _street_reader(settings), faults)
    if faults or not (
        ontology
        and policy
        and organisation
        and retention
        and models
        and read_street
        and sources is not None
        and keys is not None
    ):
        raise ConfigurationError(faults)
    return Configuration(
        ontology,
        policy,
        organisation,
        retention,
        sources,
        issuer,
        keys,
        master,
        models,
        read_street,
        checkpoint_keys,
    )


def open_services(settings: Settings, environ: Mapping[str, str] = os.environ) -> Services:
    """All services, ready; `environ` is where the sources' `{env: NAME}` are looked up.

    Raises:
        ConfigurationError: files have faults, all of them listed, or the policy adds what needs an impact assessment.
        StoreUnavailableError: the store cannot be reached.
        SchemaChangeError: the store needs a change that only a person may make; the message says which.
        AuditError: the audit log cannot be opened, or an erasure that was broken off cannot be carried out.
        MasterKeyError: there are data keys, and the master key that wraps them is not given.
    """
    found = load_configuration(settings)
    with ExitStack() as opening:
        store = Store.open(settings.store_address, found.ontology)
        opening.callback(store.close)
        _require_assessed(store, found.policy)
        keep_configurations(store, found.access, found.ontology, found.sources)
        audit = opening.enter_context(AuditLog.open(settings.audit_address))
        recorder = opening.enter_context(Recorder(audit))
        sealer = _sealer(settings, found.master, opening)
        sealer.resume(audit)
        inbox = Inbox.open(settings.inbox_address)
        opening.callback(inbox.close)
        folder, programs = settings.config_dir, settings.programs_dir
        sources = Sources(found.sources, found.ontology, environ, folder, programs, inbox=inbox)
        syncer = Syncer(store, sources, settings.batch_size, sealer, found.models, found.read_street)
        syncer.resolve_changed()
        jobs = Jobs(syncer)
        opening.callback(jobs.close)
        past = Past(store, syncer.trust, syncer.mapping_of_now)
        opening.callback(past.close)
        engine = open_engine(settings.search_engine, settings.index_dir, store)
        opening.callback(engine.close)
        issuer = _demo_issuer(settings) if settings.demo else found.issuer
        if issuer is not None:
            opening.callback(issuer.keys.close)
        search, indexer = SearchService(store, engine, found.ontology), Indexer(store, engine)
        eraser = Eraser(store, syncer.graph, audit, sealer, indexer, search, inbox)
        eraser.resume()
        return Services(
            settings=settings,
            ontology=found.ontology,
            policy=found.policy,
            organisation=found.organisation,
            retention=found.retention,
            store=store,
            audit=audit,
            recorder=recorder,
            sealer=sealer,
            sources=sources,
            inbox=inbox,
            syncer=syncer,
            jobs=jobs,
            staff=StaffRecords(store, syncer.graph, syncer.mapping),
            stewardship=Stewardship(store, syncer.resolver, found.models),
            past=past,
            search=search,
            indexer=indexer,
            eraser=eraser,
            pop=ScreenPop(store, found.ontology, search),
            keys=found.keys,
            authenticator=_authenticator(settings, found, issuer),
            checkpoints=open_checkpoints(settings, audit, found.checkpoint_keys)
            if found.checkpoint_keys is not None
            else None,
            _open=opening.pop_all(),
        )


def _require_assessed(store: Store, policy: PolicyInForce) -> None:
    """See to it that a policy that changed while nothing ran added nothing unassessed."""
    with store.read() as connection:
        kept = kept_configurations(connection, "policy")
    if kept and kept[-1].sha256 != policy.current.sha256:
        before, _ = access_of(kept[-1])
        policy.require_assessed(before)


def _organisation(settings: Settings, ontology: Ontology, policy: PolicyInForce | None) -> Organisation:
    """What the organisation's file says; an empty one where none is set and none lies beside the policy.

    Raises:
        ConfigurationError: the file has faults, or is set and not there.
    """
    if settings.organisation_file is None and not settings.organisation_path.exists():
        return Organisation()
    types = list(ontology.types)
    known = KnownNames(ontology.taxonomy.categories, types=types)
    if policy is not None:
        said = policy.current.policy
        known = KnownNames(ontology.taxonomy.categories, said.departments, said.purposes, said.roles, types)
    return load_organisation(settings.organisation_path, known)


def _retention(settings: Settings, ontology: Ontology, policy: PolicyInForce | None) -> RetentionRules:
    """The rules of the file; none where there is none, or where the policy's faults have to be mended first."""
    path = settings.retention_path
    if path is None or policy is None:
        return NO_RULES
    return load_retention(path, ontology, policy.current.policy)


def _street_reader(settings: Settings) -> StreetReader:
    return libpostal_reader() if settings.street_reader == "libpostal" else street_parts


def _master_keys(settings: Settings) -> MasterKeys | None:
    """The master keys that the settings give, None where they give none.

    Raises:
        ConfigurationError: they give them twice, or something else than keys.
    """
    given, path = settings.master_key, settings.master_key_file
    if given is not None and path is not None:
        raise _environment("HUB_MASTER_KEY", "is set, and HUB_MASTER_KEY_FILE as well", "one of both")
    if given is not None:
        return LocalMasterKeys.parse(given.get_secret_value(), "environment")
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise _environment("HUB_MASTER_KEY_FILE", "cannot be read", "a file with the master key") from None
    return LocalMasterKeys.parse(text, str(path))


def _sealer(settings: Settings, master: MasterKeys | None, opening: ExitStack) -> Sealer:
    if master is None and settings.audit_data_keys_url is None and not settings.audit_data_keys_file.exists():
        _log.info("no master key is given (HUB_MASTER_KEY): the audit log keeps no payloads")
        return Sealer()
    keys = DataKeys.open(settings.audit_data_keys_address, master or LocalMasterKeys.none())
    opening.callback(keys.close)
    return Sealer(keys if master is not None else None)


def _policy_event(access: AccessMap, **more: Any) -> AuditEvent:
    return AuditEvent(Action.POLICY_LOADED, "system", policy_sha256=access.sha256, **more)


def _attempt(load: Callable[[], T], faults: list[FaultLike]) -> T | None:
    try:
        return load()
    except ConfigurationError as error:
        faults += error.faults
        return None


def _trusted_issuer(settings: Settings) -> TrustedIssuer | None:
    """The issuer that the settings name, None where they name none.

    Raises:
        ConfigurationError: they name half of one, or one beside the demo's; or its keys have faults.
    """
    path, name = settings.token_keys, settings.token_issuer
    if path is None and name is None:
        return None
    if settings.demo:
        raise _environment(
            "HUB_DEMO", "takes the demo's tokens, and an issuer of tokens is set", "one of both"
        )
    if name is None:
        raise _environment("HUB_TOKEN_ISSUER", "is missing beside HUB_TOKEN_KEYS", "the tokens' claim `iss`")
    if path is not None:
        return TrustedIssuer(FixedKeys(load_public_keys(path)), name, settings.token_audience)
    if not is_safe(name):
        raise _environment(
            "HUB_TOKEN_ISSUER",
            "is no https address, where the keys could be found",
            "one, or a JWKS file in HUB_TOKEN_KEYS",
        )
    return TrustedIssuer(ProviderKeys(name, settings.token_keys_max_age_s), name, settings.token_audience)


def _environment(variable: str, message: str, expected: str) -> ConfigurationError:
    return ConfigurationError([Fault("environment", 1, 1, variable, message, expected)])


def _demo_issuer(settings: Settings) -> TrustedIssuer:
    return TrustedIssuer(FixedKeys(DemoIssuer(settings.data_dir).public_keys()), DEMO_ISSUER, AUDIENCE)


def _authenticator(
    settings: Settings, found: Configuration, issuer: TrustedIssuer | None
) -> Authenticator | None:
    if issuer is None and not found.keys.all:
        return None
    # The demo's tokens are of the hub's own making, whatever those of the provider to be look like.
    claims = Claims(TokenClaims() if settings.demo else settings.token_claims)
    tokens = TokenVerifier(issuer, claims, settings.token_clock_skew_s) if issuer else None

    def barred() -> Mapping[str, str]:
        return found.organisation.barred_roles(datetime.now(UTC).date())

    return Authenticator(tokens, found.keys, lambda: found.access, settings.max_requests, barred=barred)
