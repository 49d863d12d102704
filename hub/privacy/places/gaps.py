"""Findings that follow from the organisation's file and the configuration: contracts, transfers, what has no system."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from hub.adapters.findings import Finding, FindingKind
from hub.organisation import EEA_AND_UK, HUB, Itself, Organisation, Partner, Place, System


def configured_findings(organisation: Organisation, sources: Collection[str], today: date) -> list[Finding]:
    """What looks wrong in what is declared, whatever the sources bring."""
    return [*_systems(organisation, sources), *_transfers(organisation), *_contracts(organisation, today)]


def _systems(organisation: Organisation, sources: Collection[str]) -> Iterator[Finding]:
    for name in sorted(set(sources) - organisation.systems.keys()):
        yield Finding(FindingKind.SOURCE_WITHOUT_SYSTEM, f"source.{name}")
    for name in sorted(organisation.systems.keys() - set(sources)):
        yield Finding(FindingKind.SYSTEM_WITHOUT_SOURCE, f"system.{name}")


def _transfers(organisation: Organisation) -> Iterator[Finding]:
    hub = organisation.hub
    parts: list[tuple[str, tuple[str, ...], Itself | System | Place | Partner]] = [
        *([(HUB, (hub.country,), hub)] if hub is not None else ()),
        *((f"system.{name}", (each.country,), each) for name, each in organisation.systems.items()),
        *((f"place.{name}", (each.country,), each) for name, each in organisation.places.items()),
        *((f"partner.{name}", each.countries, each) for name, each in organisation.partners.items()),
    ]
    for place, countries, part in parts:
        outside = [country for country in countries if country not in EEA_AND_UK]
        if part.transfer_mechanism is None:
            yield from (
                Finding(FindingKind.TRANSFER_WITHOUT_MECHANISM, place, country) for country in outside
            )
    for name, partner in organisation.partners.items():
        for below in partner.sub_processors:
            if below.country not in EEA_AND_UK and partner.transfer_mechanism is None:
                yield Finding(FindingKind.TRANSFER_WITHOUT_MECHANISM, f"partner.{name}", below.country)


def _contracts(organisation: Organisation, today: date) -> Iterator[Finding]:
    for name, partner in organisation.partners.items():
        if partner.contract_ref is None:
            yield Finding(FindingKind.PARTNER_WITHOUT_CONTRACT, f"partner.{name}")
        elif not partner.has_contract(today):
            yield Finding(FindingKind.AGREEMENT_ENDED, f"partner.{name}")
