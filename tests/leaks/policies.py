"""Policies drawn at random: each role sees, has masked or is denied each category of the ontology by chance."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.access import MASKS, Requester
from hub.access.scope import Attributes
from hub.ontology import Ontology

READER = "reader"
"""The role that sees everything, by which answers of others are told to be poor for a reason."""
USE = "use"
"""The purpose of all roles that are drawn; it reaches every customer."""
NARROW = "narrow"
"""A purpose that leaves out who restricted or objected."""
CONSENTED = "consented"
"""A purpose that needs consent."""
REACHES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "of_region": (USE, ("region",)),
    "of_brand": (USE, ("brand",)),
    "of_accounts": (USE, ("own_accounts",)),
    "of_either": (USE, ("region", "own_accounts")),
    "without_attributes": (USE, ("region",)),
    "of_all_but_barred": (NARROW, ("none",)),
    "of_region_but_barred": (NARROW, ("region",)),
    "of_consenting": (CONSENTED, ("none",)),
    "of_consenting_in_region": (CONSENTED, ("region", "brand")),
}
"""Roles that reach some customers only, of whom they see all: their purpose, and the scopes of their grants."""

_STYLES = ((6, 1, 3), (3, 1, 6), (3, 5, 2), (1, 1, 8), (8, 3, 1))
"""How often a role is allowed, masked, denied."""
BLIND = 5
"""The role with this number may not know of any customer."""


def role_name(number: int) -> str:
    """The role with this number."""
    return f"role_{number}"


def write_policy(path: Path, ontology: Ontology, roles: int) -> Path:
    """A policy of that many roles and the reader; the same each time."""
    names = [role_name(number) for number in range(roles)]
    every = sorted(ontology.taxonomy.categories)
    grants = [_grant(READER, category, "allow") for category in every]
    for name, (purpose, scopes) in REACHES.items():
        grants += [{**_grant(name, every, "allow"), "purposes": purpose, "scope": scope} for scope in scopes]
    for number, name in enumerate(names):
        grants += _grants(name, number, ontology)
    policy = {
        "departments": {"d": "Department"},
        "roles": {READER: {"label": "R", "department": "d", "default_purpose": USE}}
        | {
            name: {
                "label": "R",
                "department": "d",
                "default_purpose": USE,
                "break_glass": _break_glass(openable(number, ontology)),
            }
            for number, name in enumerate(names)
        }
        | {
            name: {"label": "R", "department": "d", "default_purpose": purpose}
            for name, (purpose, _) in REACHES.items()
        },
        "purposes": {
            USE: _purpose("operations", "contract") | {"sees_restricted": True},
            NARROW: _purpose("marketing.advertising", "legitimate_interests"),
            CONSENTED: _purpose("marketing.communications.email", "consent")
            | {"requires_consent": True, "channel": "email", "sees_restricted": True},
        },
        "grants": grants,
        "commands": [
            {
                "roles": [READER, *names, *REACHES],
                "purposes": [USE, NARROW, CONSENTED],
                "commands": ["log_interaction", "record_consent", "correct_property"],
                "why": "drawn",
                "owner": "d",
                "review": "2099-01-01",
            }
        ],
    }
    path.write_text(json.dumps(policy))
    return path


def _grants(role: str, number: int, ontology: Ontology) -> list[dict[str, Any]]:
    draw = random.Random(f"policy {number}")
    weights = _STYLES[number % len(_STYLES)]
    grants = []
    for category in _used(ontology):
        if number == BLIND and category.startswith("user"):
            continue
        effect = draw.choices(("allow", "mask", "deny"), weights)[0]
        masks = _fitting(category, ontology)
        chosen = f"mask:{draw.choice(masks)}" if effect == "mask" else effect
        # What no grant names is denied as well.
        if chosen != "deny" or draw.random() < 0.5:
            grants.append(_grant(role, category, chosen))
    # A role that sees nothing at all could not ask.
    return [*grants, _grant(role, "system.authentication", "allow")]


def _used(ontology: Ontology) -> list[str]:
    """The categories of properties, and those above them, which are grants' favourites."""
    own = {prop.category for type_ in ontology.types.values() for prop in type_.properties.values()}
    above = {"user.contact.address", "user.contact", "user.unique_id"}
    return sorted(own | above)


def _fitting(category: str, ontology: Ontology) -> list[str]:
    """The masks that suit some property of the category, mostly; and one that may suit none."""
    types = {
        prop.type
        for type_ in ontology.types.values()
        for prop in type_.properties.values()
        if prop.category == category
    }
    fitting = [name for name, mask in MASKS.items() if types & mask.applies_to and name != "withhold"]
    return [*(fitting * 2), "withhold", "year"]


def _break_glass(categories: list[str]) -> dict[str, Any]:
    more = {"why": "drawn", "owner": "d", "review": "2099-01-01"}
    return {"purposes": [USE, CONSENTED], "categories": categories, "minutes": 60, **more}


def _purpose(data_use: str, legal_basis: str) -> dict[str, Any]:
    links = {"art_9": "explicit consent (Art. 9(2)(a)); of crimes Art. 10 and the law"}
    return {
        "label": "Use",
        "data_use": data_use,
        "legal_basis": legal_basis,
        "retention_days": 1,
        "links": links,
    }


def _grant(role: str, category: str | list[str], effect: str) -> dict[str, Any]:
    more = {"why": "drawn", "owner": "d", "review": "2099-01-01"}
    return {"roles": role, "purposes": USE, "categories": category, "effect": effect, **more}


def requester(role: str, attributes: Attributes = (), glass: str | None = None) -> Requester:
    """One who holds the role, with such attributes for row scopes, who looks through the glass with this id."""
    purpose, _ = REACHES.get(role, (USE, ()))
    return Requester(f"u-{role}", frozenset([role]), "d", purpose, "test", (purpose,), attributes, glass)


def openable(number: int, ontology: Ontology) -> list[str]:
    """The categories that the role with this number may open by break-glass."""
    return random.Random(f"glass {number}").sample(_used(ontology), 8)
