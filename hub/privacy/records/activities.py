"""The processing activities, each a purpose in a system, with what the running configuration tells of it.

A system holds the data categories of the properties that its mappings make; the hub itself holds those of all systems.
An activity is there where some role is shown something of them for the purpose, whole or masked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from hub.access import AccessMap, Purpose, Trigger, policy_rules, triggers
from hub.adapters.configurations import ontology_content, sources_content
from hub.audit.questions import PERSONAL
from hub.commands import Attestation, newest_attestations
from hub.commands.incidents import Incident, list_incidents
from hub.organisation import EEA_AND_UK, HUB, Itself, Organisation, Partner, System
from hub.privacy.retention.report import RuleReport, measure
from hub.services import Services

_MOST: Final = 1_000
"""Incidents that are counted."""
_HUB_LABEL: Final = "Customer knowledge hub"


@dataclass(frozen=True, slots=True)
class Recipient:
    """A partner who gets something of an activity, and which categories."""

    name: str
    partner: Partner
    categories: frozenset[str]


@dataclass(frozen=True, slots=True)
class Activity:
    """A purpose in a system."""

    purpose_name: str
    purpose: Purpose
    system_name: str
    system: System | Itself | None
    """None where the organisation's file says nothing of it."""
    system_label: str
    categories: tuple[str, ...]
    """Data categories of persons, sorted."""
    sources: tuple[str, ...]
    """Labels of the systems that the data come from, with their kinds of records."""
    roles: Mapping[str, frozenset[str]]
    """Which role is shown something of which categories."""
    recipients: tuple[Recipient, ...]
    host: Partner | None
    """Who runs the system for us."""
    triggers: tuple[Trigger, ...]
    """What calls for an impact assessment of the purpose."""
    reviewed: Attestation | None
    """The newest word on one of the rules of the purpose."""
    incidents: str
    """How many incidents the register has, in words."""
    kept: tuple[RuleReport, ...]
    """The rules of retention for the purpose, with what is overdue by them."""

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return f"{self.purpose_name} / {self.system_name}"

    @property
    def partners(self) -> tuple[tuple[str, Partner], ...]:
        """All partners who have a part in it, by name."""
        found = {each.name: each.partner for each in self.recipients}
        if self.host is not None and self.system is not None and self.system.hosting_partner is not None:
            found[self.system.hosting_partner] = self.host
        return tuple(sorted(found.items()))

    @property
    def third_countries(self) -> Mapping[str, frozenset[str]]:
        """Countries outside the EEA and the UK, each with the transfer mechanisms that are stated for it."""
        found: dict[str, set[str]] = {}
        if self.system is not None:
            _add(found, self.system.country, self.system.transfer_mechanism)
        for _, partner in self.partners:
            countries = {*partner.countries, *(each.country for each in partner.sub_processors)}
            for country in countries:
                _add(found, country, partner.transfer_mechanism)
        return {country: frozenset(mechanisms) for country, mechanisms in sorted(found.items())}


def _add(found: dict[str, set[str]], country: str, mechanism: str | None) -> None:
    if country not in EEA_AND_UK:
        found.setdefault(country, set()).update({mechanism} if mechanism else ())


def activities(services: Services) -> list[Activity]:
    """All of them, by purpose and system."""
    return list(_Finding(services).all())


@dataclass(frozen=True, slots=True)
class _Held:
    label: str
    categories: frozenset[str]
    sources: tuple[str, ...] = field(default=())


class _Finding:
    """What is looked up once for all activities."""

    def __init__(self, services: Services) -> None:
        self.access: AccessMap = services.access
        self.organisation: Organisation = services.organisation
        self.held = _held(services)
        self.triggers = triggers(self.access)
        self.retention = measure(services, datetime.now(UTC)).rules
        with services.store.read() as connection:
            self.attested = newest_attestations(connection)
            self.incidents = _counted(list_incidents(connection, first=_MOST, after=""))

    def all(self) -> Iterator[Activity]:
        """Every activity that there is."""
        for purpose_name, purpose in sorted(self.access.purposes.items()):
            for system_name, held in sorted(self.held.items()):
                roles = self._roles(purpose_name, held.categories)
                if roles:
                    yield self._activity(purpose_name, purpose, system_name, held, roles)

    def _activity(
        self, purpose_name: str, purpose: Purpose, name: str, held: _Held, roles: Mapping[str, frozenset[str]]
    ) -> Activity:
        categories = frozenset().union(*roles.values())
        system = self.organisation.hub if name == HUB else self.organisation.systems.get(name)
        hosting = system.hosting_partner if system is not None else None
        return Activity(
            purpose_name=purpose_name,
            purpose=purpose,
            system_name=name,
            system=system,
            system_label=system.label if system is not None else held.label,
            categories=tuple(sorted(categories)),
            sources=held.sources,
            roles=roles,
            recipients=tuple(self._recipients(purpose_name, name, categories)),
            host=self.organisation.partners[hosting] if hosting is not None else None,
            triggers=tuple(each for each in self.triggers if each.purpose == purpose_name),
            reviewed=self._reviewed(purpose_name),
            incidents=self.incidents,
            kept=tuple(each for each in self.retention if each.purpose == purpose_name),
        )

    def _roles(self, purpose: str, held: frozenset[str]) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for role in sorted(self.access.roles):
            row = self.access.row(frozenset({role}), purpose)
            shown = frozenset(each for each in held if each in row and not row[each].is_denial)
            if shown:
                found[role] = shown
        return found

    def _recipients(self, purpose: str, system: str, categories: frozenset[str]) -> Iterator[Recipient]:
        for name, partner in sorted(self.organisation.partners.items()):
            shared: set[str] = set()
            for each in partner.receives:
                here = system in each.systems or (bool(each.roles) and system == HUB)
                if here and purpose in each.purposes:
                    shared |= {key for key in categories if _is_below(key, each.categories)}
            if shared:
                yield Recipient(name, partner, frozenset(shared))

    def _reviewed(self, purpose: str) -> Attestation | None:
        found = [
            self.attested[rule.id]
            for rule in policy_rules(self.access.policy)
            if purpose in rule.purposes and rule.id in self.attested
        ]
        return max(found, key=lambda each: each.at, default=None)


def _held(services: Services) -> dict[str, _Held]:
    """What each system holds of persons, and the hub: all of it."""
    properties = ontology_content(services.ontology)
    found: dict[str, _Held] = {}
    for name, source in sources_content(services.sources.configs).items():
        targets = {
            each for fields in source["streams"].values() for names in fields.values() for each in names
        }
        categories = frozenset(properties[each]["category"] for each in targets)
        of_persons = frozenset(each for each in categories if each.partition(".")[0] == PERSONAL)
        came_from = f"{source['label']} ({', '.join(sorted(source['streams']))})"
        found[name] = _Held(source["label"], of_persons, (came_from,))
    everything = frozenset().union(*(each.categories for each in found.values()))
    sources = tuple(each for held in found.values() for each in held.sources)
    return {**found, HUB: _Held(_HUB_LABEL, everything, sources)}


def _counted(incidents: Sequence[Incident]) -> str:
    open_ones = sum(not each.is_closed for each in incidents)
    number = f"{_MOST} or more" if len(incidents) == _MOST else str(len(incidents))
    return f"{number} incidents, {open_ones} of them open"


def _is_below(key: str, names: tuple[str, ...]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)
