"""The file of the organisation: what it says, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.access import load_policy
from hub.errors import ConfigurationError
from hub.ontology import load_ontology
from hub.organisation import Abilities, KnownNames, Organisation, load_organisation
from hub.services import load_configuration
from hub.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
KNOWN = KnownNames(["user.name", "user.contact"], ["sales", "it"], ["billing"], ["agent"])

GOOD = """
controller: {name: Example Ltd, contact: {email: privacy@example.com}}
systems:
  till: {label: Tills, owner: sales, country: GB, kind: file, hosting_partner: vendor, can: {erase: none}}
partners:
  vendor:
    label: Vendor
    role: processor
    countries: [GB, US]
    receives: [{categories: user.name, purposes: billing, systems: till, roles: [agent]}]
places:
  tapes: {label: Tapes, kind: backup, copies: hub, owner: it, country: GB, purposes: billing, retention_days: 30}
notices: {billing: "https://www.example.com/privacy"}
"""


def load(tmp_path: Path, text: str) -> Organisation:
    path = tmp_path / "organisation.yaml"
    path.write_text(text)
    return load_organisation(path, KNOWN, "organisation.yaml")


def test_what_the_file_says_is_what_is_loaded(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD)
    assert found.controller is not None
    assert found.controller.contact.email == "privacy@example.com"
    assert found.systems["till"].can == Abilities(erase="none")
    assert found.systems["till"].can.access == "manual"
    assert found.partners["vendor"].countries == ("GB", "US")
    assert found.partners["vendor"].receives[0].roles == ("agent",)
    assert found.places["tapes"].copies == ("hub",)


FAULTS = [
    ("owner: sales", "owner: sale", "organisation.yaml:4:24: systems.till.owner: unknown department 'sale'", "'sales'"),
    ("owner: it", "owner: itt", "places.tapes.owner: unknown department 'itt'", "'it'"),
    ("hosting_partner: vendor", "hosting_partner: vendr", "till.hosting_partner: unknown partner", "'vendor'"),
    ("copies: hub", "copies: [tilll]", "places.tapes.copies.0: unknown system 'tilll'", "'till'"),
    ("categories: user.name", "categories: [user.nam]", "categories.0: unknown data category", "'user.name'"),
    ("roles: [agent]", "roles: [agentt]", "receives.0.roles.0: unknown role 'agentt'", "'agent'"),
    ("systems: till,", "systems: tils,", "receives.0.systems: unknown system 'tils'", "'till'"),
    ("{billing: \"", "{biling: \"", "organisation.yaml:13:11: notices.biling: unknown purpose 'biling'", "'billing'"),
    ("kind: file", "kind: fil", "systems.till.kind: 'fil' is not known", "'file'"),
    ("country: GB, kind: file", "country: uk, kind: file", "systems.till.country: string should match", ""),
    ("role: processor", "rol: processor", "partners.vendor.rol: unknown key 'rol'", "'role'"),
    ("places:", "hub: {owner: itt, country: GB}\nplaces:", "hub.owner: unknown department 'itt'", "'it'"),
    ("places:", "hub: {owner: it, country: GB, hosting_partner: vendr}\nplaces:", "hub.hosting_partner", "'vendor'"),
    ("retention_days: 30", "retention_days: 0", "places.tapes.retention_days: input should be greater than 0", ""),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "message", "near"), FAULTS)
def test_a_fault_is_told_with_its_place_and_the_nearest_name(
    tmp_path: Path, good: str, bad: str, message: str, near: str
) -> None:
    assert GOOD.count(good) == 1
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, GOOD.replace(good, bad))
    assert message in str(refused.value)
    assert (f"did you mean {near}" if near else "") in str(refused.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("owner: sales", "owner: nobody").replace("kind: backup", "kind: tape")
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, text)
    assert len(refused.value.faults) == 2


def test_the_demo_company_is_described_in_full() -> None:
    """Each source has its system, and all names are those of the policy."""
    found = load_configuration(
        Settings(config_dir=ROOT / "adapters_config", policy_file=ROOT / "policy.yaml")
    )
    assert set(found.organisation.systems) == set(found.sources)
    assert found.organisation.controller is not None
    assert found.organisation.hub is not None
    outside = [p for p in found.organisation.partners.values() if p.contract_ref is None]
    assert outside == []


def test_without_a_file_nothing_is_said_and_a_file_that_is_set_must_be_there(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text((ROOT / "policy.yaml").read_text())
    assert load_policy(policy, load_ontology().taxonomy).roles
    settings = Settings(config_dir=ROOT / "adapters_config", policy_file=policy)
    assert load_configuration(settings).organisation == Organisation()
    missing = settings.model_copy(update={"organisation_file": tmp_path / "gone.yaml"})
    with pytest.raises(ConfigurationError, match=r"gone\.yaml:1:1: cannot be read"):
        load_configuration(missing)
