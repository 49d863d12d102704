"""A page in plain language about one field: where it comes from, who sees it, what for, and who outside gets it."""

from __future__ import annotations

from collections.abc import Iterator

from hub.access import AccessMap
from hub.ontology import Ontology, Property
from hub.organisation import Organisation
from hub.privacy.places.model import LocationMap, State
from hub.privacy.places.uses import Uses

_BASES = {
    "consent": "the person said yes",
    "contract": "a contract with the person needs it",
    "legal_obligation": "a law demands it",
    "vital_interests": "somebody's life depends on it",
    "public_task": "a public task needs it",
    "legitimate_interests": "we have an interest that outweighs theirs",
}


def field_page(
    ontology: Ontology,
    access: AccessMap,
    organisation: Organisation,
    found: LocationMap,
    uses: Uses,
    type_: str,
    prop: Property,
) -> str:
    """The page, as Markdown."""
    category = ontology.taxonomy.categories[prop.category]
    lines = [f"# {prop.label}", "", f"`{type_}.{prop.name}`. {prop.description}".strip(), ""]
    special = " It is a special category: nobody sees it unless a rule names it." if category.special else ""
    lines += [f"It is data of the kind *{category.label}* (`{category.key}`).{special}", ""]
    lines += ["## Where it comes from", "", *_origins(found, type_, prop), ""]
    lines += ["## Who may see it, and what for", "", *_purposes(access, uses, category.key), ""]
    lines += ["## Who outside gets it", "", *_outside(organisation, uses, category.key), ""]
    lines += ["## Where else it is kept", "", *_copies(found, category.key)]
    return "\n".join(lines).rstrip() + "\n"


def _origins(found: LocationMap, type_: str, prop: Property) -> Iterator[str]:
    lines = [
        f"- {each.label}, field `{own.path}`{'' if own.state is State.PRESENT else ' (no record has it)'}"
        for each in found.locations
        for own in each.fields
        if (own.type, own.property) == (type_, prop.name) and not each.id.startswith("hub.")
    ]
    yield from lines or ["No source brings it."]


def _purposes(access: AccessMap, uses: Uses, category: str) -> Iterator[str]:
    for use in uses.of(category):
        roles = ", ".join(access.roles[role].label for role in use.roles)
        purpose = access.purposes[use.purpose]
        yield (
            f"- **{purpose.label}**: {roles}. Allowed because {_BASES[use.basis]}; "
            f"kept for {use.retention_days} days."
        )
    if not uses.of(category):
        yield "Nobody, for no purpose."


def _outside(organisation: Organisation, uses: Uses, category: str) -> Iterator[str]:
    names = uses.recipients(category)
    for name in names:
        partner = organisation.partners[name]
        contract = f"contract {partner.contract_ref}" if partner.contract_ref else "no contract on file"
        yield f"- {partner.label} ({partner.role}, {', '.join(partner.countries)}; {contract})"
    if not names:
        yield "Nobody."


def _copies(found: LocationMap, category: str) -> Iterator[str]:
    for each in found.narrowed(category=category).locations:
        is_copy = each.system == "hub" or each.id.startswith("place.")
        if is_copy and each.state is State.PRESENT:
            rows = "" if each.rows is None else f", {each.rows:,} rows"
            yield f"- {each.label}{rows}"
