"""The policy file: every fault with its place and the nearest name, all at once; and the policy we ship."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from hub.access import AccessMap, Effect, load_access_map, load_policy
from hub.errors import ConfigurationError
from hub.ontology import Ontology, Taxonomy, load_ontology

SHIPPED = Path(__file__).resolve().parents[2] / "policy.yaml"
GOOD = """\
departments: {support: Support}
roles:
  support:
    label: Agent
    department: support
    default_purpose: customer_service
    claims: [hub-support, hub-helpdesk]
purposes:
  customer_service:
    label: Service
    data_use: essential.service
    legal_basis: contract
    retention_days: 30
grants:
  - roles: support
    purposes: [customer_service]
    categories: [user.name, user.contact]
    effect: mask:initial
    scope: none
    why: to greet
    owner: support
    review: 2027-01-31
"""


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="module")
def taxonomy(ontology: Ontology) -> Taxonomy:
    return ontology.taxonomy


@pytest.fixture(scope="module")
def shipped(taxonomy: Taxonomy) -> AccessMap:
    return load_access_map(SHIPPED, taxonomy)


def faults_of(content: str, taxonomy: Taxonomy, tmp_path: Path) -> list[str]:
    path = tmp_path / "policy.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_policy(path, taxonomy, shown_as="policy.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_a_good_file_loads(taxonomy: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD)
    policy = load_policy(path, taxonomy)
    assert policy.grants[0].roles == ("support",)
    assert (policy.grants[0].kind, policy.grants[0].mask) == (Effect.MASK, "initial")
    assert policy.roles_claimed(["hub-helpdesk", "hub-unheard-of"]) == {"support"}
    assert policy.roles_claimed(["support"]) == frozenset()


@pytest.mark.parametrize(
    ("good", "bad", "place", "words"),
    [
        (
            "roles: support",
            "roles: suport",
            "15:5: grants.0.roles.0:",
            ["unknown role", "did you mean 'support'?"],
        ),
        (
            "[customer_service]",
            "[custommer_service]",
            "16:16: grants.0.purposes.0:",
            ["did you mean 'customer_service'?"],
        ),
        (
            "user.contact]",
            "user.contcat]",
            "17:29: grants.0.categories.1:",
            ["data category", "did you mean 'user.contact'?"],
        ),
        (
            "mask:initial",
            "mask:initals",
            "18:5: grants.0.effect:",
            ["unknown effect", "did you mean 'mask:initial'?"],
        ),
        ("mask:initial", "permit", "18:5: grants.0.effect:", ["one of allow, deny, mask:withhold"]),
        (
            "effect: mask:initial\n    scope: none",
            "effect: deny\n    scope: region",
            "19:5: grants.0.scope:",
            ["a deny takes no scope ('region')"],
        ),
        ("scope: none", "scope: regoin", "19:5: grants.0.scope:", ["did you mean 'region'?"]),
        ("owner: support", "owner: suport", "21:5: grants.0.owner:", ["unknown department"]),
        ("review: 2027-01-31", "review: soon", "22:5: grants.0.review:", ["date"]),
        ("    why: to greet\n", "", "15:5: grants.0.why:", ["'why' is missing"]),
        ("why: to greet", "why: ''", "20:5: grants.0.why:", ["at least 1 character"]),
        (
            "why: to greet",
            "wyh: to greet",
            "20:5: grants.0.wyh:",
            ["unknown key 'wyh'", "did you mean 'why'?"],
        ),
        (
            "categories: [user.name, user.contact]",
            "categories: []",
            "17:5: grants.0.categories:",
            ["at least 1"],
        ),
        (
            "department: support",
            "department: suport",
            "5:5: roles.support.department:",
            ["did you mean 'support'?"],
        ),
        (
            "default_purpose: customer_service",
            "default_purpose: sales",
            "6:5: roles.support.default_purpose:",
            ["purpose"],
        ),
        (
            "effect: mask:initial",
            "effect: deny",
            "6:5: roles.support.default_purpose:",
            ["no grant lets 'support' see"],
        ),
        (
            "data_use: essential.service",
            "data_use: essential.servise",
            "11:5:",
            ["did you mean 'essential.service'?"],
        ),
        ("legal_basis: contract", "legal_basis: contact", "12:5:", ["did you mean 'contract'?"]),
        ("legal_basis: contract", "legal_basis: consent", "12:5:", ["needs `requires_consent`"]),
        ("retention_days: 30", "retention_days: 0", "13:5:", ["greater than 0"]),
        (
            "retention_days: 30",
            "channel: email\n    retention_days: 30",
            "13:5:",
            ["a channel belongs to `requires_consent`"],
        ),
        ("grants:", "grants:\n  - 7", "15:5: grants.0:", []),
        (
            "departments: {support: Support}",
            "departments: [support]",
            "1:1: departments:",
            ["valid dictionary"],
        ),
    ],
)
def test_a_fault_names_its_place_and_the_nearest_name(
    taxonomy: Taxonomy, tmp_path: Path, good: str, bad: str, place: str, words: list[str]
) -> None:
    assert good in GOOD
    faults = faults_of(GOOD.replace(good, bad, 1), taxonomy, tmp_path)
    found = [fault for fault in faults if fault.startswith(f"policy.yaml:{place}")]
    assert found, faults
    assert all(any(word in fault for fault in found) for word in words), found


def test_all_faults_come_at_once_in_the_files_order(taxonomy: Taxonomy, tmp_path: Path) -> None:
    """Faults of form (a missing key) do not hide faults of names, nor the other way round."""
    bad = GOOD.replace("    why: to greet\n", "").replace("department: support", "department: suport")
    bad = bad.replace("data_use: essential.service", "data_use: essential.servise")
    bad += "  - {roles: suport, purposes: sales, categories: user.nam, effect: mask:x, why: y, "
    bad += "owner: z, review: 2027-01-01}\n"
    faults = faults_of(bad, taxonomy, tmp_path)
    lines = [int(fault.split(":")[1]) for fault in faults]
    assert lines == sorted(lines)
    for word in ("suport", "essential.servise", "'why' is missing", "user.nam'", "mask:x", "'sales'", "'z'"):
        assert any(word in fault for fault in faults), (word, faults)


@pytest.mark.parametrize(
    "content", ["", "- a list", "grants: 5", "roles: {a: 1}\npurposes: nonsense", "{a: b", "a: 1\na: 2"]
)
def test_a_file_of_another_shape_is_refused_not_crashed_on(
    taxonomy: Taxonomy, tmp_path: Path, content: str
) -> None:
    assert faults_of(content, taxonomy, tmp_path)


def test_layout_and_comments_do_not_change_the_hash(taxonomy: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD)
    one = load_access_map(path, taxonomy)
    path.write_text("# reviewed\n" + GOOD.replace("roles: support\n", "roles:\n      - support\n"))
    assert load_access_map(path, taxonomy).sha256 == one.sha256


# the policy we ship


def test_every_data_category_in_use_is_visible_to_somebody(ontology: Ontology, shipped: AccessMap) -> None:
    used = {prop.category for type_ in ontology.types.values() for prop in type_.properties.values()}
    visible = {cell.category for cell in shipped.cells() if cell.decision.effect is Effect.ALLOW}
    assert used <= visible


@pytest.mark.parametrize(
    "department", ["sales", "marketing", "support", "finance", "supply_chain", "management", "compliance"]
)
def test_every_department_has_a_role_with_a_usable_purpose(shipped: AccessMap, department: str) -> None:
    roles = {name: role for name, role in shipped.roles.items() if role.department == department}
    assert roles
    for name, role in roles.items():
        assert role.default_purpose in shipped.usable_purposes(frozenset({name}))


@pytest.mark.parametrize(
    ("role", "category", "expected"),
    [
        ("support", "user.contact.email", "allow"),
        ("support", "user.behavior.browsing_history", "deny"),
        ("marketing", "user.contact.email", "mask:email"),
        ("marketing", "user.name.last", "mask:initial"),
        ("marketing", "user.contact.address.street", "deny"),
        ("marketing", "user.demographic.date_of_birth", "mask:age_band"),
        ("finance", "user.payment", "allow"),
        ("finance", "user.financial", "allow"),
        ("finance", "user.content.private", "deny"),
        ("supply_chain", "user.contact.address.street", "allow"),
        ("supply_chain", "user.contact.email", "deny"),
        ("call_centre", "user.contact.email", "mask:email"),
        ("management", "user.name", "mask:initial"),
        ("it", "user.contact.email", "deny"),
        ("partner", "user.contact.address.street", "deny"),
        ("steward", "user.payment", "deny"),
        # special data, by grants that name them one by one
        ("support", "user.health_and_medical", "allow"),
        ("support", "user.health_and_medical.genetic", "deny"),
        ("support", "user.biometric.voice", "allow"),
        ("support", "user.biometric.fingerprint", "deny"),
        ("support", "user.childrens", "allow"),
        ("support", "user.financial.bank_account", "mask:last4"),
        ("finance", "user.government_id.national_identification_number", "allow"),
        ("finance", "user.government_id.passport_number", "deny"),
        ("sales", "user.financial.bank_account", "deny"),
    ],
)
def test_departments_see_what_their_work_needs(
    shipped: AccessMap, role: str, category: str, expected: str
) -> None:
    decision = shipped.decide(frozenset({role}), shipped.roles[role].default_purpose, category)
    assert (f"mask:{decision.mask}" if decision.mask else decision.effect) == expected


def test_an_officer_sees_no_customer_even_with_a_second_role(shipped: AccessMap) -> None:
    """But pseudonyms, numbers that a system gave, and what was said to advertising, where the other role sees them."""
    own = ("user.unique_id", "user.privacy_preferences", "user")
    personal = {key for key in shipped.categories if not f"{key}.".startswith((*own[:2], "system."))} - set(
        own
    )
    assert {key.split(".")[1] for key in personal} >= {"name", "location", "health_and_medical", "workplace"}
    for role, purpose, category in product(shipped.roles, shipped.purposes, personal):
        decision = shipped.decide(frozenset({"compliance", role}), purpose, category)
        assert (category, decision.effect) == (category, Effect.DENY)
