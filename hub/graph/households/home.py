"""What of a person says with whom they live: an address in parts, family names, contacts and accounts they share.

All of it is in the normal forms of matching (`resolution/profiles`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hub.graph.resolution.profiles import Profile


@dataclass(frozen=True, slots=True, repr=False)
class Home:
    """One person; a part that nothing is known of is empty."""

    person: str
    """Their id wherever households are looked for; ties are broken by it, so it must not depend on order of arrival."""
    street: str = ""
    house: str = ""
    unit: str = ""
    postal_code: str = ""
    city: str = ""
    families: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()
    """Phone numbers and e-mail addresses, each as `kind:value`."""
    accounts: frozenset[str] = frozenset()
    """Strong identifiers that are an account's and nobody's own, such as a loyalty card, as `scheme:value`."""

    @property
    def has_address(self) -> bool:
        """Whether there is a street and a town to it."""
        return bool(self.street) and bool(self.postal_code or self.city)

    @property
    def door(self) -> tuple[str, str, str]:
        """Street, house and unit."""
        return (self.street, self.house, self.unit)

    @property
    def keys(self) -> Iterator[str]:
        """What others may have in common with this person; who shares none of them is no housemate."""
        if self.has_address:
            for place in self.places:
                yield self.door_at(place)
            yield from self._family_keys()
        for shared in self.contacts | self.accounts:
            yield from self.sharing(shared)

    def _family_keys(self) -> Iterator[str]:
        """The family name with all of the address but one part, which the other may not state, or spell otherwise."""
        for family in self.families:
            for place in self.places:
                yield f"street|{place}|{self.street}|{family}"
                if self.house:
                    yield f"house|{place}|{self.house}|{family}"
            if self.house:
                yield f"town|{self.street}|{self.house}|{family}"

    @property
    def places(self) -> list[str]:
        """The postal code and the town, as far as they are known."""
        codes = [f"code:{self.postal_code}"] if self.postal_code else []
        return codes + ([f"town:{self.city}"] if self.city else [])

    def door_at(self, place: str) -> str:
        """The key of all who live behind this person's door, in one way of naming the place."""
        return f"door|{place}|{'|'.join(self.door)}"

    def sharing(self, value: str) -> list[str]:
        """The keys of all of this person's families who have a contact or account."""
        return [f"shared|{family}|{value}" for family in self.families]


def home_of(person: str, profile: Profile, accounts: Collection[str] = ()) -> Home:
    """What the person's profile and accounts say."""
    family = _text(profile, "family")
    contacts = [f"{kind}:{value}" for kind in ("phones", "emails") for value in profile.get(kind, ())]
    return Home(
        person,
        street=_text(profile, "street"),
        house=_text(profile, "house"),
        unit=_text(profile, "unit"),
        postal_code=_text(profile, "postal_code"),
        city=_text(profile, "city"),
        families=frozenset([*([family] if family else []), *profile.get("other_families", ())]),
        contacts=frozenset(contacts),
        accounts=frozenset(accounts),
    )


def _text(profile: Profile, column: str) -> str:
    return str(profile.get(column, ""))
