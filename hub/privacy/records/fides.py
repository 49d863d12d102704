"""The map as manifests of Fides (fideslang 3.1): systems with their declarations, datasets with their fields, policies.

`fideslang` checks their form; `require_strict` checks more: that every key is one of our taxonomy, that every field has
a category, that no declaration is empty. What our taxonomy has beyond that of Fides is declared in the manifest itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hub.access import DPIA
from hub.access.special import is_sensitive
from hub.adapters.configurations import ontology_content, sources_content
from hub.errors import QueryError
from hub.ontology import Taxonomy
from hub.organisation import HUB
from hub.privacy.records.activities import Activity, activities
from hub.privacy.records.cells import contact_words
from hub.services import Services

Manifest = Mapping[str, Sequence[Mapping[str, Any]]]

ADDED: Final = ("user.household",)
"""Keys of our taxonomy that Fides has not, as `hub/ontology/taxonomy.yaml` says; `conformance/fides.py` checks it."""
_BASES: Final[Mapping[str, str]] = {
    "consent": "Consent",
    "contract": "Contract",
    "legal_obligation": "Legal obligations",
    "vital_interests": "Vital interests",
    "public_task": "Public interest",
    "legitimate_interests": "Legitimate interests",
}
_MECHANISMS: Final[Mapping[str, str]] = {
    "adequacy": "Adequacy Decision",
    "standard_clauses": "SCCs",
    "idta": "Other",
    "binding_rules": "BCRs",
    "derogation": "Other",
}
_SUBJECT: Final = "customer"
_KEY: Final = re.compile(r"[^a-zA-Z0-9_.<>-]")


def fides_manifests(services: Services) -> Mapping[str, Manifest]:
    """The manifests by file name; checked.

    Raises:
        QueryError: the configuration makes a manifest that is not strict; the message says where.
    """
    found = activities(services)
    manifests: dict[str, Manifest] = {
        "taxonomy": {"data_category": list(_added(services.ontology.taxonomy))},
        "organization": {"organization": [_organisation(services)]},
        "systems": {"system": list(_systems(services, found))},
        "datasets": {"dataset": list(_datasets(services))},
        "policies": {"policy": [_policy(services)]},
    }
    require_strict(manifests, services.ontology.taxonomy)
    return manifests


def require_strict(manifests: Mapping[str, Manifest], taxonomy: Taxonomy) -> None:
    """See to it that every key is known, every field has a category and no declaration is empty.

    Raises:
        QueryError: something is not so; all of it is named.
    """
    faults = sorted({*_unknown(manifests, taxonomy), *_bare(manifests)})
    if faults:
        raise QueryError(f"the manifests are not strict: {'; '.join(faults)}")


def _unknown(manifests: Mapping[str, Manifest], taxonomy: Taxonomy) -> Iterator[str]:
    known = {
        "data_categories": taxonomy.categories,
        "data_use": taxonomy.uses,
        "data_subjects": taxonomy.subjects,
    }
    for path, key, value in _walked("", manifests):
        for word in (value,) if isinstance(value, str) else value if isinstance(value, list) else ():
            if key in known and word not in known[key]:
                yield f"{path}: unknown {key} {word!r}"


def _bare(manifests: Mapping[str, Manifest]) -> Iterator[str]:
    for dataset in manifests.get("datasets", {}).get("dataset", ()):
        for collection in dataset["collections"]:
            for field in collection["fields"]:
                if not field.get("data_categories"):
                    yield f"{dataset['fides_key']}.{collection['name']}.{field['name']} has no category"
    for system in manifests.get("systems", {}).get("system", ()):
        for each in system["privacy_declarations"]:
            if not each["data_categories"]:
                yield f"{system['fides_key']}: {each['name']} is about no category"


def _walked(path: str, part: Any, key: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every value with its path and key; a list of texts is one value."""
    if isinstance(part, Mapping):
        for name, value in part.items():
            yield from _walked(f"{path}.{name}".lstrip("."), value, name)
    elif isinstance(part, list) and any(isinstance(each, Mapping) for each in part):
        for each in part:
            yield from _walked(f"{path}.{each.get('fides_key', each.get('name', ''))}", each, key)
    else:
        yield path, key, part


def _added(taxonomy: Taxonomy) -> Iterator[Mapping[str, Any]]:
    for key in ADDED:
        if key in taxonomy.categories:
            label, parent = taxonomy.categories[key].label, key.rpartition(".")[0]
            yield {"fides_key": key, "name": label, "description": label, "parent_key": parent}


def _organisation(services: Services) -> Mapping[str, Any]:
    said = services.organisation
    found: dict[str, Any] = {"fides_key": "default_organization"}
    if said.controller is not None:
        found["name"] = said.controller.name
        found["controller"] = _contact(said.controller.name, contact_words(said.controller.contact))
    if said.dpo is not None:
        found["data_protection_officer"] = _contact("Data protection officer", contact_words(said.dpo))
    return found


def _contact(name: str, words: str) -> Mapping[str, str]:
    return {"name": name, "address": words, "email": "", "phone": ""}


def _systems(services: Services, found: Sequence[Activity]) -> Iterator[Mapping[str, Any]]:
    for name in sorted({each.system_name for each in found}):
        mine = [each for each in found if each.system_name == name]
        yield _system(services, name, mine)


def _system(services: Services, name: str, mine: Sequence[Activity]) -> Mapping[str, Any]:
    first, abroad = mine[0], sorted({country for each in mine for country in each.third_countries})
    mechanisms = {how for each in mine for hows in each.third_countries.values() for how in hows}
    owner = first.system.owner if first.system is not None else None
    return {
        "fides_key": name,
        "name": first.system_label,
        "description": f"{first.system_label}, as the customer knowledge hub knows it",
        "system_type": first.system.kind if first.system is not None else "Service",
        **({"administrating_department": services.access.policy.departments[owner]} if owner else {}),
        "processes_personal_data": True,
        "data_security_practices": "; ".join(services.organisation.security_measures),
        "uses_profiling": any(each.rule == "profiling" for activity in mine for each in activity.triggers),
        "does_international_transfers": bool(abroad),
        "legal_basis_for_transfers": sorted({_MECHANISMS[each] for each in mechanisms}),
        "dataset_references": [] if name == HUB else [_dataset_key(name)],
        "privacy_declarations": [_declaration(each) for each in mine],
    }


def _declaration(activity: Activity) -> Mapping[str, Any]:
    purpose = activity.purpose
    shared = sorted({key for each in activity.recipients for key in each.categories})
    found: dict[str, Any] = {
        "name": purpose.label,
        "data_categories": list(activity.categories),
        "data_use": purpose.data_use,
        "data_subjects": [_SUBJECT],
        "legal_basis_for_processing": _BASES[purpose.legal_basis],
        "retention_period": str(purpose.retention_days),
        "processes_special_category_data": any(map(is_sensitive, activity.categories)),
        "data_shared_with_third_parties": bool(activity.partners),
    }
    if DPIA in purpose.links:
        found["impact_assessment_location"] = purpose.links[DPIA]
    if activity.partners:
        found["third_parties"] = "; ".join(partner.label for _, partner in activity.partners)
    return {**found, "shared_categories": shared} if shared else found


def _datasets(services: Services) -> Iterator[Mapping[str, Any]]:
    properties = ontology_content(services.ontology)
    for name, source in sources_content(services.sources.configs).items():
        collections = [
            {"name": stream, "fields": [_field(path, to, properties) for path, to in sorted(fields.items())]}
            for stream, fields in sorted(source["streams"].items())
        ]
        yield {"fides_key": _dataset_key(name), "name": source["label"], "collections": collections}


def _field(path: str, targets: Sequence[str], properties: Mapping[str, Any]) -> Mapping[str, Any]:
    categories = sorted({properties[each]["category"] for each in targets})
    return {"name": _KEY.sub("_", path), "data_categories": categories}


def _dataset_key(source: str) -> str:
    return f"{source}_records"


def _policy(services: Services) -> Mapping[str, Any]:
    """A rule for each category that the policy shows to nobody for a purpose: what is never used so."""
    rules = []
    access = services.access
    for name, purpose in sorted(access.purposes.items()):
        shown = {
            key
            for role in access.roles
            for key, decision in access.row(frozenset({role}), name).items()
            if not decision.is_denial
        }
        refused = [key for key in access.categories if key.startswith("user.") and key not in shown]
        if refused:
            rules.append(
                {
                    "name": f"never for {name}",
                    "data_categories": {"matches": "ANY", "values": refused},
                    "data_uses": {"matches": "ANY", "values": [purpose.data_use]},
                    "data_subjects": {"matches": "ANY", "values": [_SUBJECT]},
                }
            )
    return {"fides_key": "access_policy", "name": "What nobody is shown", "rules": rules}
