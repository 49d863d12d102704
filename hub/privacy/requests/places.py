"""The places at which a privacy request has to be done: the hub, the sources, copies beside it, partners.

They come from the configured sources and `organisation.yaml`. A source that the file does not name is a place all the
same: all there is work for a person of its department.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hub.access import Command
from hub.graph.entities import STAFF
from hub.organisation import Abilities, Ability, Partner
from hub.privacy.requests.states import Kind
from hub.services import Services

HUB = "hub"
_WHOLE = Abilities(access="auto", erase="auto", rectify="auto", restrict="auto", export="auto")


@dataclass(frozen=True, slots=True)
class RequestPlace:
    """Where something of a person may lie."""

    name: str
    kind: str
    """`hub`, `system`, `copy` or `partner`."""
    owner: str
    """The department that does what is no work of the hub's."""
    can: Abilities

    def ability(self, kind: Kind) -> Ability:
        """What it can do for a request of this kind."""
        found: Ability = getattr(self.can, ABILITIES[kind])
        return found


ABILITIES = {
    Kind.ACCESS: "access",
    Kind.PORTABILITY: "export",
    Kind.ERASURE: "erase",
    Kind.RECTIFICATION: "rectify",
    Kind.RESTRICTION: "restrict",
    Kind.OBJECTION: "restrict",
    Kind.OPT_OUT_OF_SALE: "restrict",
    Kind.LIMIT: "restrict",
    Kind.LIFTING: "restrict",
    Kind.AUTOMATED_DECISION: "access",
}
"""By kind of request, what a place must be able to do."""


def places(services: Services, held: Collection[str] = ()) -> list[RequestPlace]:
    """Every place, the hub first. `held` are sources of which there are records, also such as are read no more."""
    officers = officers_department(services)
    organisation = services.organisation
    found = [RequestPlace(HUB, "hub", officers, _WHOLE)]
    for name in sorted({*services.sources.configs, *organisation.systems, *held} - set(STAFF)):
        config, system = services.sources.configs.get(name), organisation.systems.get(name)
        department = (config.department if config is not None else None) or officers
        owner = system.owner if system is not None else department
        found.append(RequestPlace(name, "system", owner, system.can if system is not None else Abilities()))
    for name, place in organisation.places.items():
        found.append(RequestPlace(name, "copy", place.owner, place.can))
    for name, partner in organisation.partners.items():
        found.append(RequestPlace(name, "partner", officers, partner.can))
    return found


def officers_department(services: Services) -> str:
    """The department of those who handle requests."""
    access = services.access
    for grant in access.policy.commands:
        if Command.HANDLE_PRIVACY_REQUEST.value in grant.commands:
            return access.roles[grant.roles[0]].department
    return next(iter(access.policy.departments))


def systems_of_partner(services: Services, name: str, partner: Partner) -> Iterator[str]:
    """The sources that the partner runs, hosts or sends to us."""
    for received in partner.receives:
        yield from received.systems
    for system, declared in services.organisation.systems.items():
        if declared.hosting_partner == name:
            yield system
