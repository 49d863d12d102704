"""The location map: places that hold personal data, what flows between them, and what the policy says of it.

A *location* is one place: a stream of a source, a table of the hub, its index, its audit log, a backup, a partner.
`state` holds what is declared against what is there: `present`, `absent` (declared, and nothing is there) or
`undeclared` (there, and no mapping or file declares it). A *flow* leads from where data is to where it is copied;
one that is `derived` leads to what is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hub.organisation import Abilities


class State(StrEnum):
    """What is declared against what is there."""

    PRESENT = "present"
    ABSENT = "absent"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True)
class Use:
    """A purpose for which somebody may see data of a category."""

    purpose: str
    basis: str
    retention_days: int
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MappedField:
    """A field of a location."""

    path: str
    type: str
    property: str
    """`TYPE.property` is what it becomes; empty where no mapping reads it."""
    category: str
    """Empty where nobody has said which."""
    special: bool
    state: State


@dataclass(frozen=True, slots=True)
class Location:
    """One place."""

    id: str
    label: str
    kind: str
    """`table`, `file`, `saas`, `paper`, `index`, `log`, `cache`, `backup`, `export` or `partner`."""
    system: str
    """The source, `hub`, or the partner."""
    state: State
    categories: tuple[str, ...]
    purposes: tuple[str, ...]
    subjects: tuple[str, ...]
    owner: str | None
    country: str | None
    partner: str | None
    rows: int | None
    """None where the hub cannot count them."""
    last_seen_at: str | None
    retention_days: int | None
    """The longest of its purposes', or what the organisation's file says."""
    can: Abilities
    fields: tuple[MappedField, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """From one location to another, by their ids."""

    source: str
    target: str
    derived: bool
    purposes: tuple[str, ...] = ()
    transfer_mechanism: str | None = None
    """Where it leaves the EEA and the UK; None there means that nobody has said what allows it."""
    leaves: bool = False
    """Whether it leaves the EEA and the UK."""


@dataclass(frozen=True, slots=True)
class LocationMap:
    """The whole map."""

    locations: tuple[Location, ...]
    flows: tuple[Flow, ...]

    def narrowed(self, category: str | None = None, system: str | None = None) -> LocationMap:
        """The locations with this category, or one below it, and of this system; and the flows between them."""
        kept = tuple(
            each
            for each in self.locations
            if (system is None or each.system == system)
            and (category is None or any(is_within(own, category) for own in each.categories))
        )
        ids = {each.id for each in kept}
        flows = tuple(each for each in self.flows if each.source in ids and each.target in ids)
        return LocationMap(kept, flows)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who outside gets what, what for, under which agreement."""

    name: str
    label: str
    role: str
    categories: tuple[str, ...]
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    """Properties of these categories that sources bring, as `Type.property`."""
    countries: tuple[str, ...]
    transfer_mechanism: str | None
    sub_processors: tuple[str, ...]
    contract_ref: str | None
    agreement_until: str | None
    people: int
    """Customers of whom something of it may be held: all, where its people may ask the hub."""


@dataclass(frozen=True, slots=True)
class PersonField:
    """A field of one person's record."""

    name: str
    property: str
    category: str
    state: State
    purposes: tuple[str, ...]
    basis: tuple[str, ...]
    retention_until: str | None
    recipients: tuple[str, ...]
    last_read_at: str | None
    last_read_by: str | None


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A record of one person, at its source and as it landed."""

    reference: str
    source: str
    stream: str
    key: str | None
    """None where the asker may not see it."""
    state: str
    observed_at: str | None
    landed_at: str
    versions: int
    fields: tuple[PersonField, ...]


@dataclass(frozen=True, slots=True)
class PersonPlace:
    """A place other than a record that holds something of the person."""

    id: str
    label: str
    rows: int | None
    """None where they cannot be counted."""
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DataMap:
    """Where one person's data is."""

    customer: str
    records: tuple[PersonRecord, ...]
    places: tuple[PersonPlace, ...]
    copies: tuple[str, ...]
    """Locations outside of the hub that copy what it holds, or a source that has the person."""
    last_read_at: str | None
    last_read_by: str | None


def is_within(category: str, above: str) -> bool:
    """Whether the category is the other one, or below it."""
    return category == above or category.startswith(f"{above}.")
