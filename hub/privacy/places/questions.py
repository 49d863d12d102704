"""Questions to the map by those who may ask them: each is on record before it is answered.

Officers see where data is, not the data. Of one person they are told records by the hub's own numbers; the key that a
source gives a record is shown to those alone who may see such keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from hub.access import Command, Effect
from hub.adapters import STAFF_SOURCES, SourceConfig, runs
from hub.adapters import findings as kept
from hub.adapters.declared import KEY_CATEGORY
from hub.adapters.findings import Finding, FindingKind, FindingState
from hub.adapters.inventory import held_of, stream_facts, table_counts
from hub.audit import ACCESSES, Action, Wanted, kept_about, latest, payloads_kept
from hub.commands import Author
from hub.commands.customers import all_ids, find_customer
from hub.commands.giving import refusals_recorded
from hub.errors import NotFoundError, QueryError
from hub.privacy.places.build import Builder, Counted
from hub.privacy.places.gaps import configured_findings
from hub.privacy.places.model import DataMap, LocationMap, Recipient, is_within
from hub.privacy.places.pages import field_page
from hub.privacy.places.person import Elsewhere, PersonMapper
from hub.privacy.places.uses import Uses
from hub.services import Services

READS = 200
"""The newest reads of a person among which the last one of each category is looked for."""
MAX_REASON = 1_000


def privacy_map(
    services: Services, author: Author, *, category: str | None = None, system: str | None = None
) -> LocationMap:
    """All places that hold personal data, or those of a category or a system.

    Raises:
        AccessDeniedError: the author may not read the map.
        QueryError: there is no such category or system.
    """
    with refusals_recorded(services, author, Command.READ_PRIVACY_MAP):
        found = _builder(services).map()
        if category is not None and category not in services.ontology.taxonomy.categories:
            raise QueryError("there is no data category of this name")
        if system is not None and system not in {each.system for each in found.locations}:
            raise QueryError("there is no system of this name")
        narrowed = found.narrowed(category, system)
        _record(services, author, "map", len(narrowed.locations))
        return narrowed


def field_of(services: Services, author: Author, property_: str) -> str:
    """A page in plain language about a property, written `Type.property`; raises as `privacy_map` does.

    Raises:
        NotFoundError: there is no such property.
    """
    with refusals_recorded(services, author, Command.READ_PRIVACY_MAP):
        type_, _, name = property_.partition(".")
        prop = (
            services.ontology.types[type_].properties.get(name) if type_ in services.ontology.types else None
        )
        if prop is None:
            raise NotFoundError(
                "there is no property of this name; write Type.property, as in docs/ontology.md"
            )
        builder = _builder(services)
        page = field_page(
            services.ontology,
            services.access,
            services.organisation,
            builder.map(),
            builder.uses,
            type_,
            prop,
        )
        _record(services, author, "field", 1)
        return page


def data_map(services: Services, author: Author, customer_id: str) -> DataMap:
    """Where one customer's data is, record by record; raises as `privacy_map` does.

    Raises:
        NotFoundError: there is no such customer, or none whom the author reaches.
    """
    with refusals_recorded(services, author, Command.READ_PRIVACY_MAP):
        with services.store.read() as connection:
            now = find_customer(services.store, connection, customer_id, author).id
            ids = all_ids(services.store, connection, now)
            held = held_of(services.store, connection, ids)
        events, payloads = kept_about(services.audit, ids)
        documents = services.indexer.holds([*ids, *held.parties])
        elsewhere = Elsewhere(documents, events, payloads, services.sealer.held_of(ids))
        reads = latest(services.audit, Wanted(actions=ACCESSES, customers=ids), READS)
        shows_key = author.decide(KEY_CATEGORY).effect is Effect.ALLOW
        uses = Uses(services.access, services.organisation)
        configs = _sources(services)
        mapper = PersonMapper(services.ontology, services.organisation, configs, uses, shows_key=shows_key)
        told = mapper.map(held, elsewhere, reads)
        event = author.event(
            Action.PRIVACY_MAP_READ,
            reason_code="person",
            customers=tuple(ids),
            counts={"results": len(told.records)},
        )
        services.recorder.record_sync(event)
        return told


def recipients(services: Services, author: Author) -> tuple[Recipient, ...]:
    """Who outside gets what, what for, and under which agreement; raises as `privacy_map` does."""
    with refusals_recorded(services, author, Command.READ_PRIVACY_MAP):
        found = tuple(_recipients(services))
        _record(services, author, "recipients", len(found))
        return found


def findings(services: Services, author: Author, state: FindingState | None = None) -> Sequence[Finding]:
    """What looks wrong: what syncs met, and what the organisation's file does not say.

    Raises:
        AccessDeniedError: the author may not read findings.
    """
    with refusals_recorded(services, author, Command.READ_FINDINGS):
        found = [each for each in _findings(services) if state is None or each.state is state]
        _record(services, author, "findings", len(found))
        return found


def decide_finding(
    services: Services, author: Author, finding_id: str, state: FindingState, reason: str
) -> Finding:
    """Accept a finding (it is so, and may be) or dismiss it (it is not so); the same again changes nothing more.

    Raises:
        AccessDeniedError: the author may not decide.
        NotFoundError: there is no such finding.
        QueryError: the reason is too short or too long, or the finding is to be open.
    """
    with refusals_recorded(services, author, Command.DECIDE_FINDING):
        if state is FindingState.OPEN or not 10 <= len(reason.strip()) <= MAX_REASON:
            raise QueryError(f"accept or dismiss it, with a reason of 10 to {MAX_REASON} characters")
        found = next((each for each in _findings(services) if each.id == finding_id), None)
        if found is None:
            raise NotFoundError("there is no finding with this id")
        code = f"{found.kind.value}.{state.value}"
        event = author.event(Action.FINDING_DECIDED, reason_code=code)
        with services.store.write() as connection:
            kept.decide_finding(connection, found, state, author.subject, reason.strip())
            runs.post(connection, [event])
        services.publish_events()
        return next(each for each in _findings(services) if each.id == finding_id)


_NOTHING = Counted({}, {}, None, 0, 0, 0)


def _builder(services: Services, counted: Counted | None = None) -> Builder:
    sources = _sources(services)
    what = counted or _counted(services)
    return Builder(services.ontology, services.access, services.organisation, sources, what)


def _sources(services: Services) -> Mapping[str, SourceConfig]:
    """All that records come from: what is configured, and what our own people state."""
    return {**services.sources.configs, **STAFF_SOURCES}


def _counted(services: Services) -> Counted:
    with services.store.read() as connection:
        streams, tables = stream_facts(connection), table_counts(services.store, connection)
    # To count documents is to go through all of them; whether there is an index is enough.
    documents = None if services.search.engine.cursor() else 0
    waiting = sum(each.waiting for each in services.inbox.backlogs().values())
    return Counted(streams, tables, documents, services.audit.size(), payloads_kept(services.audit), waiting)


def _findings(services: Services) -> list[Finding]:
    with services.store.read() as connection:
        stored = {each.id: each for each in kept.findings_at(connection)}
    today = datetime.now(UTC).date()
    derived = configured_findings(services.organisation, services.sources.configs, today)
    named = {each.id for each in derived}
    # What was decided of a configuration that has changed since is no finding any more.
    synced = [each for each in stored.values() if each.kind in _AT_SYNC or each.id in named]
    return [*synced, *(each for each in derived if each.id not in stored)]


_AT_SYNC = frozenset(
    {FindingKind.UNDECLARED_PERSONAL_DATA, FindingKind.UNMAPPED_FIELD, FindingKind.DECLARED_FIELD_ABSENT}
)


def _recipients(services: Services) -> list[Recipient]:
    with services.store.read() as connection:
        counts = table_counts(services.store, connection)
        streams = stream_facts(connection)
    brought = _brought(services)
    found = []
    for name, partner in services.organisation.partners.items():
        categories = sorted({each for got in partner.receives for each in got.categories})
        asks = any(got.roles for got in partner.receives)
        systems = {each for got in partner.receives for each in got.systems}
        held = sum(facts.records for (source, _), facts in streams.items() if source in systems)
        people = counts["customer"] if asks else min(held, counts["customer"])
        found.append(
            Recipient(
                name,
                partner.label,
                partner.role,
                tuple(categories),
                tuple(sorted({each for got in partner.receives for each in got.purposes})),
                tuple(p for p, own in brought if any(is_within(own, each) for each in categories)),
                partner.countries,
                partner.transfer_mechanism,
                tuple(each.name for each in partner.sub_processors),
                partner.contract_ref,
                partner.agreement_until.isoformat() if partner.agreement_until else None,
                people,
            )
        )
    return found


def _brought(services: Services) -> list[tuple[str, str]]:
    """The properties that sources bring, as `Type.property`, each with its category."""
    found = {
        (f"{each.type}.{each.property}", each.category)
        for each in _builder(services, counted=_NOTHING).declared()
        if each.property
    }
    return sorted(found)


def _record(services: Services, author: Author, question: str, results: int) -> None:
    event = author.event(Action.PRIVACY_MAP_READ, reason_code=question, counts={"results": results})
    services.recorder.record_sync(event)
