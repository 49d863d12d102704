"""The profile of a party: all columns out of its role values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from hub.graph.resolution.profiles.addresses import StreetParts, StreetReader, street_parts
from hub.graph.resolution.profiles.contacts import domain, email, is_mobile, names_given, phone
from hub.graph.resolution.profiles.dates import birth_date
from hub.graph.resolution.profiles.identifiers import tax_id
from hub.graph.resolution.profiles.names import person_name
from hub.graph.resolution.profiles.nicknames import roots
from hub.graph.resolution.profiles.organisations import organisation_name, tokens
from hub.graph.resolution.profiles.places import city, country, postal_code, region
from hub.graph.resolution.profiles.texts import plain, unique, words

Kind: TypeAlias = Literal["person", "organization"]
Profile: TypeAlias = Mapping[str, str | list[str]]
"""Column to normal form, ready for JSON; a column that nothing is known of is absent, a list is sorted."""

_CONTACT_COLUMNS = {
    "emails": True,
    "phones": True,
    "street": False,
    "house": False,
    "unit": False,
    "postal_code": False,
    "city": False,
    "region": False,
    "country": False,
    "tax_ids": True,
}
SHARED_COLUMNS = ("emails", "phones")
"""Columns whose values families and companies share: it is counted how many hold each."""

OWN_COLUMNS = {
    "own_emails": "emails",
    "home_emails": "emails",
    "own_phones": "phones",
    "home_phones": "phones",
}
"""Columns of a person that part a shared one in two. A value is one's *own* by the look of it (a mailbox with the given
name before the @, a mobile phone), or else taken for that of a home, which several people answer."""

PERSON_COLUMNS: Mapping[str, bool] = {
    "given": False,
    "given_root": False,
    "given_roots": True,
    "middle": False,
    "family": False,
    "other_families": True,
    "generation": False,
    "birth_date": False,
    "gender": False,
    **dict.fromkeys(OWN_COLUMNS, True),
    **_CONTACT_COLUMNS,
}
"""Each column of a person's profile, and whether it is a list."""

ORGANIZATION_COLUMNS: Mapping[str, bool] = {
    "name": False,
    "tokens": True,
    "legal_form": False,
    "other_names": True,
    "domains": True,
    **_CONTACT_COLUMNS,
}
"""Each column of an organisation's profile, and whether it is a list."""

_PHONES = ("phone", "mobile")
_SHARED_BY = {**{column: column for column in SHARED_COLUMNS}, **OWN_COLUMNS}

_GENDERS = {
    **dict.fromkeys(words("f female woman w weiblich femme frau girl"), "female"),
    **dict.fromkeys(words("m male man mannlich homme herr boy"), "male"),
    **dict.fromkeys(words("x other diverse divers nonbinary non-binary"), "other"),
}

Values: TypeAlias = Mapping[str, Sequence[str]]
"""Match role to what a party states in it; where a column takes one of several, the first that is a value counts."""


def profile_of(
    kind: Kind, values: Values, read_street: StreetReader = street_parts
) -> dict[str, str | list[str]]:
    """The normal forms of a party's role values; odd text gives no column, never an exception.

    `read_street` is by rules unless given, else `libpostal_reader()`: all profiles of a store by the same one.
    """
    columns = _person(values) if kind == "person" else _organisation(values)
    columns |= _address(values, read_street)
    return {name: value for name, value in columns.items() if value}


def _person(values: Values) -> dict[str, str | list[str]]:
    name = person_name(values)
    gender = next((_GENDERS[plain(each)] for each in values.get("gender", ()) if plain(each) in _GENDERS), "")
    of_given = roots(name.given, gender) if len(name.given) > 1 else ()
    all_roots = [
        *of_given,
        *(root for each in name.nicknames if len(each) > 1 for root in roots(each, gender)),
    ]
    contacts = _contacts(values)
    return {
        "given": name.given,
        "given_root": of_given[0] if of_given else "",
        "given_roots": unique(all_roots),
        "middle": " ".join(name.middle),
        "family": name.family,
        "other_families": [each for each in unique(name.others) if each != name.family],
        "generation": name.generation,
        "birth_date": next((day for each in values.get("birth_date", ()) if (day := birth_date(each))), ""),
        "gender": gender,
        **_parted(
            "emails",
            contacts,
            {each for each in contacts["emails"] if names_given(each, name.given, name.family, all_roots)},
        ),
        **_parted("phones", contacts, _mobiles(values, contacts["phones"])),
        **contacts,
    }


def _organisation(values: Values) -> dict[str, str | list[str]]:
    stated = [*values.get("org_name", ()), *values.get("full_name", ())]
    own = [name for each in stated if (name := organisation_name(each)).core]
    also = [name for each in values.get("alternate_name", ()) if (name := organisation_name(each)).core]
    names = own or also
    core = names[0].core if names else ""
    others = unique(each for name in [*own, *also] for each in (name.core, *name.others))
    contacts = _contacts(values)
    return {
        "name": core,
        "tokens": unique(tokens(core)),
        "legal_form": next((name.legal_form for name in names if name.legal_form), ""),
        "other_names": [each for each in others if each != core],
        "domains": unique(domain(each) or "" for each in contacts["emails"]),
        **contacts,
    }


def _country(values: Values) -> str | None:
    return next((code for each in values.get("country", ()) if (code := country(each))), None)


def _contacts(values: Values) -> dict[str, str | list[str]]:
    land = _country(values)
    return {
        "emails": unique(email(each) or "" for each in values.get("email", ())),
        "phones": unique(phone(each, land) or "" for role in _PHONES for each in values.get(role, ())),
        "tax_ids": unique(tax_id(each, land) or "" for each in values.get("tax_id", ())),
    }


def _mobiles(values: Values, phones: Iterable[str]) -> set[str]:
    """Those of the phones that a source calls mobile, or that their country numbers as such."""
    land = _country(values)
    stated = {phone(each, land) for each in values.get("mobile", ())}
    return {each for each in phones if each in stated or is_mobile(each)}


def _parted(
    column: str, contacts: Mapping[str, str | list[str]], own: Collection[str]
) -> dict[str, str | list[str]]:
    return {
        f"own_{column}": [each for each in contacts[column] if each in own],
        f"home_{column}": [each for each in contacts[column] if each not in own],
    }


def without(profile: Profile, values: Collection[tuple[str, str]]) -> Profile:
    """The profile without those of `values` (shared column, value) that it has."""
    if not values:
        return profile
    gone = {value for _, value in values}
    kept: dict[str, str | list[str]] = {}
    for column, stated in profile.items():
        shared = _SHARED_BY.get(column)
        if shared is None or isinstance(stated, str) or gone.isdisjoint(stated):
            kept[column] = stated
        elif left := [each for each in stated if (shared, each) not in values]:
            kept[column] = left
    return kept


def _address(values: Values, read_street: StreetReader) -> dict[str, str | list[str]]:
    land = _country(values)
    street = next(
        (parts for each in values.get("street", ()) if any(parts := read_street(each))), StreetParts()
    )
    codes = (postal_code(each, land) for each in values.get("postal_code", ()))
    return {
        "street": street.street,
        "house": street.house,
        "unit": street.unit,
        "postal_code": next((code for code in codes if code), ""),
        "city": next((name for each in values.get("city", ()) if (name := city(each))), ""),
        "region": next((name for each in values.get("region", ()) if (name := region(each))), ""),
        "country": land or "",
    }
