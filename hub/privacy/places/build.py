"""Derives the map of the organisation from the configuration, what the store counts, and the organisation's file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hub.access import AccessMap
from hub.adapters import SourceConfig
from hub.adapters.connectors import WebhookConfig
from hub.adapters.declared import DeclaredField, declared_fields
from hub.adapters.inventory import EVERYTHING, PSEUDONYM, TABLES, StreamFacts
from hub.ontology import EntityType, Ontology
from hub.organisation import EEA_AND_UK, HUB, Abilities, Organisation, Partner, Place
from hub.privacy.places.model import Flow, Location, LocationMap, MappedField, State
from hub.privacy.places.uses import Uses

AUTO: Final = Abilities(access="auto", erase="auto", rectify="auto", restrict="auto", export="auto")
DERIVED: Final = Abilities(access="none", erase="auto", rectify="auto", restrict="auto", export="none")
"""What is made anew of other data follows when that is erased or corrected."""
SEALED: Final = Abilities(access="auto", erase="auto", rectify="none", restrict="none", export="auto")
INDEX: Final = "hub.search_index"
AUDIT: Final = "hub.audit_log"
PAYLOADS: Final = "hub.audit_payloads"
KEYS: Final = "hub.audit_data_keys"
INBOX: Final = "hub.webhook_delivery"
MEMORY: Final = "hub.memory"
OWN: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        INDEX: ("Search index", "index", EVERYTHING),
        AUDIT: ("Audit log: ids, no values", "log", PSEUDONYM),
        PAYLOADS: ("Audit log: sealed payloads", "log", EVERYTHING),
        KEYS: ("Keys of data subjects", "table", PSEUDONYM),
        INBOX: ("What webhooks brought and no run has taken in yet", "table", EVERYTHING),
        MEMORY: ("What processes keep in memory while they run", "cache", EVERYTHING),
    }
)
"""Places of the hub that are no tables of the store: label, kind, category."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is there: counts only."""

    streams: Mapping[tuple[str, str], StreamFacts]
    tables: Mapping[str, int]
    documents: int | None
    events: int
    payloads: int
    deliveries: int


class Builder:
    """Makes one map."""

    def __init__(
        self,
        ontology: Ontology,
        access: AccessMap,
        organisation: Organisation,
        sources: Mapping[str, SourceConfig],
        counted: Counted,
    ) -> None:
        self._ontology, self._organisation, self._sources = ontology, organisation, sources
        self._counted = counted
        self.uses = Uses(access, organisation)
        self._declared = {
            (name, stream): declared_fields(config, stream, ontology)
            for name, config in sources.items()
            for stream in config.streams
        }
        self._brought = tuple(
            sorted({d.category for each in self._declared.values() for d in each if is_personal(d.category)})
        )
        """All personal categories that the sources bring."""

    def map(self) -> LocationMap:
        """The locations, those of sources first, and the flows between them."""
        hub = {each.id: each for each in (*self._tables(), *self._own())}
        locations = [*self._streams(), *hub.values(), *self._places(), *self._partners()]
        ids = {each.id for each in locations}
        flows = [
            each
            for each in dict.fromkeys((*self._landing(), *self._inside(hub), *self._outside(locations)))
            if each.source in ids and each.target in ids
        ]
        return LocationMap(tuple(locations), tuple(flows))

    def declared(self) -> Iterator[DeclaredField]:
        """All fields that mappings read."""
        for fields in self._declared.values():
            yield from fields

    # sources

    def _streams(self) -> Iterator[Location]:
        streams = dict.fromkeys([*self._declared, *self._counted.streams])
        for source, stream in streams:
            yield self._stream(source, stream)

    def _stream(self, source: str, stream: str) -> Location:
        facts = self._counted.streams.get((source, stream), StreamFacts(0, 0, None, frozenset()))
        declared = self._declared.get((source, stream), ())
        system = self._organisation.systems.get(source)
        fields = tuple(_fields(self._ontology, declared, facts.fields))
        categories = _sorted(each.category for each in fields if is_personal(each.category))
        config = self._sources.get(source)
        owner = system.owner if system else config.department if config else None
        return Location(
            f"{source}.{stream}",
            f"{system.label if system else config.title if config else source}: {stream}",
            system.kind if system else "table",
            source,
            _state(is_declared=bool(declared), is_there=facts.records + facts.waiting > 0),
            categories,
            self.uses.purposes(categories),
            _subjects(declared),
            owner,
            system.country if system else None,
            system.hosting_partner if system else None,
            facts.records,
            facts.last_seen_at,
            self.uses.retention_days(categories),
            system.can if system else Abilities(),
            fields,
        )

    def _landing(self) -> Iterator[Flow]:
        for (source, stream), declared in self._declared.items():
            ends = [self._organisation.systems.get(source), self._organisation.hub]
            purposes = self.uses.purposes({d.category for d in declared if is_personal(d.category)})
            abroad = [each for each in ends if each is not None and each.country not in EEA_AND_UK]
            leaves = bool(abroad)
            mechanisms = [each.transfer_mechanism for each in abroad]
            mechanism = None if None in mechanisms else next(iter(mechanisms), None)
            targets = [_hub("record"), _hub("quarantine")]
            if isinstance(self._sources[source].connector, WebhookConfig):
                targets.append(INBOX)
            for target in targets:
                yield Flow(f"{source}.{stream}", target, False, purposes, mechanism, leaves)

    # the hub

    def _tables(self) -> Iterator[Location]:
        for table, note in TABLES.items():
            categories = self._golden() if table == "customer" else self._spelt(note.categories)
            yield self._of_hub(
                _hub(table), note.label, "table", categories, self._counted.tables.get(table, 0)
            )
        for type_ in self._ontology.types.values():
            categories = _sorted(p.category for p in type_.properties.values() if is_personal(p.category))
            if categories or type_.has_customer:
                rows = self._counted.tables.get(type_.table, 0)
                label = f"Entities: {type_.label}"
                yield self._of_hub(_hub(type_.table), label, "table", categories or (PSEUDONYM,), rows, type_)

    def _own(self) -> Iterator[Location]:
        counted = self._counted
        rows = {
            INDEX: counted.documents,
            AUDIT: counted.events,
            PAYLOADS: counted.payloads,
            INBOX: counted.deliveries,
        }
        for id_, (label, kind, category) in OWN.items():
            categories = self._searched() if id_ == INDEX else self._spelt((category,))
            yield self._of_hub(id_, label, kind, categories, rows.get(id_))

    def _searched(self) -> tuple[str, ...]:
        return _sorted(
            prop.category
            for type_ in self._ontology.types.values()
            for prop in type_.properties.values()
            if prop.search and is_personal(prop.category)
        )

    def _of_hub(
        self,
        id_: str,
        label: str,
        kind: str,
        categories: tuple[str, ...],
        rows: int | None,
        type_: EntityType | None = None,
    ) -> Location:
        made, itself = TABLES.get(id_.partition(".")[2]), self._organisation.hub
        can = SEALED if id_ in (AUDIT, PAYLOADS, KEYS) else DERIVED if made and made.made_from else AUTO
        subject = "customer" if type_ is None or type_.has_customer else "employee"
        return Location(
            id_,
            label,
            kind,
            HUB,
            _state(is_declared=True, is_there=rows is None or rows > 0),
            categories,
            self.uses.purposes(categories),
            (subject,),
            itself.owner if itself else None,
            itself.country if itself else None,
            itself.hosting_partner if itself else None,
            rows,
            None,
            self.uses.retention_days(categories),
            can,
            tuple(self._columns(type_)) if type_ else (),
        )

    def _columns(self, type_: EntityType) -> Iterator[MappedField]:
        for prop in type_.properties.values():
            special = self._ontology.taxonomy.categories[prop.category].special
            yield MappedField(prop.column, type_.name, prop.name, prop.category, special, State.PRESENT)

    def _spelt(self, categories: Iterable[str]) -> tuple[str, ...]:
        return _sorted(
            each for own in categories for each in (self._brought if own == EVERYTHING else (own,))
        )

    def _golden(self) -> tuple[str, ...]:
        props = self._ontology.customer_properties.values()
        return _sorted(prop.category for prop in props if is_personal(prop.category))

    def _inside(self, hub: Mapping[str, Location]) -> Iterator[Flow]:
        for table, note in TABLES.items():
            for origin in note.made_from:
                yield self._derived(_hub(origin), hub[_hub(table)])
        for type_ in self._ontology.types.values():
            target = hub.get(_hub(type_.table))
            if target is not None:
                yield self._derived(_hub("record"), target)
                yield self._derived(target.id, hub[INDEX])
                if type_.is_party:
                    yield self._derived(target.id, hub[_hub("customer")])
        yield self._derived(_hub("customer"), hub[INDEX])
        yield self._derived(_hub("audit_outbox"), hub[AUDIT])
        yield self._derived(_hub("audit_outbox"), hub[PAYLOADS])
        yield self._derived(_hub("customer"), hub[MEMORY])
        yield self._derived(INBOX, hub[_hub("record")])

    def _derived(self, source: str, target: Location) -> Flow:
        return Flow(source, target.id, True, target.purposes)

    # outside

    def _places(self) -> Iterator[Location]:
        for name, place in self._organisation.places.items():
            categories = place.categories or self._copied(place)
            yield Location(
                f"place.{name}",
                place.label,
                place.kind,
                place.hosting_partner or "organisation",
                State.PRESENT,
                tuple(categories),
                tuple(place.purposes),
                ("customer",),
                place.owner,
                place.country,
                place.hosting_partner,
                None,
                None,
                place.retention_days,
                place.can,
            )

    def _copied(self, place: Place) -> tuple[str, ...]:
        found = {
            each.category
            for (source, _), declared in self._declared.items()
            for each in declared
            if source in place.copies and is_personal(each.category)
        }
        return _sorted({*found, *(self._brought if HUB in place.copies else ())})

    def _partners(self) -> Iterator[Location]:
        for name, partner in self._organisation.partners.items():
            categories = _sorted(each for got in partner.receives for each in got.categories)
            if not categories:
                continue
            yield Location(
                f"partner.{name}",
                partner.label,
                "partner",
                name,
                State.PRESENT,
                categories,
                _sorted(each for got in partner.receives for each in got.purposes),
                ("customer",),
                None,
                partner.countries[0],
                name,
                None,
                None,
                None,
                partner.can,
            )

    def _outside(self, locations: Sequence[Location]) -> Iterator[Flow]:
        for name, place in self._organisation.places.items():
            origins = [each.id for each in locations if each.system in place.copies and each.kind != "cache"]
            leaves = place.country not in EEA_AND_UK
            for origin in origins:
                yield Flow(
                    origin, f"place.{name}", False, tuple(place.purposes), place.transfer_mechanism, leaves
                )
        for name, partner in self._organisation.partners.items():
            yield from self._to_partner(name, partner, locations)

    def _to_partner(self, name: str, partner: Partner, locations: Sequence[Location]) -> Iterator[Flow]:
        leaves = any(country not in EEA_AND_UK for country in partner.countries)
        for got in partner.receives:
            origins = [_hub("customer")] if got.roles else []
            origins += [each.id for each in locations if each.system in got.systems]
            for origin in origins:
                mechanism = partner.transfer_mechanism
                yield Flow(origin, f"partner.{name}", False, tuple(got.purposes), mechanism, leaves)


def _fields(
    ontology: Ontology, declared: Sequence[DeclaredField], seen: frozenset[str]
) -> Iterator[MappedField]:
    """What the mapping declares, there or not, and what is there and undeclared."""
    known = ontology.taxonomy.categories
    for each in declared:
        if each.property:
            is_there = not each.roots or bool(each.roots & seen)
            state = State.PRESENT if is_there else State.ABSENT
            special = known[each.category].special
            yield MappedField(each.path, each.type, each.property, each.category, special, state)
    for name in sorted(seen - {root for each in declared for root in each.roots}):
        yield MappedField(name, "", "", "", special=False, state=State.UNDECLARED)


def _subjects(declared: Iterable[DeclaredField]) -> tuple[str, ...]:
    personal = [each for each in declared if is_personal(each.category)]
    return _sorted("customer" if each.about_customer else "employee" for each in personal)


def _state(*, is_declared: bool, is_there: bool) -> State:
    if not is_declared:
        return State.UNDECLARED
    return State.PRESENT if is_there else State.ABSENT


def is_personal(category: str) -> bool:
    """Whether the category is about people."""
    return category.partition(".")[0] == "user"


def _hub(table: str) -> str:
    return f"{HUB}.{table}"


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
