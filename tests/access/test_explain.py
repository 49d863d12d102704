"""Why a decision is as it is: the grants that decide, those that are overruled, those that special data stops."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from hub.access import Effect, Explanation, Grant, Part, explain, load_access_map
from hub.errors import NotFoundError
from hub.ontology import Ontology, load_ontology
from tests.access.small_policies import KEYS, TAXONOMY, access_map, grant, grant_lists, role_sets

ROOT = Path(__file__).resolve().parents[2]
ONTOLOGY = Ontology(types={}, taxonomy=TAXONOMY, sha256="0" * 64)


def parts(explained: Explanation) -> list[tuple[str, str, str]]:
    return [(str(each.part), each.grant.effect, each.category) for each in explained.reasons]


def test_what_decides_stands_before_what_is_overruled() -> None:
    access = access_map(
        grant("user", "mask:last4"),
        grant("user.contact", "mask:initial"),
        grant("user.contact.email", "allow"),
        grant("user.contact.email", "allow", purpose="sales"),
        grant("user.contact.email", "deny", "seller"),
    )
    found = explain(access, ONTOLOGY, ["agent"], "service", "user.contact.email")
    assert found.decision.effect is Effect.ALLOW
    assert parts(found) == [
        ("decides", "allow", "user.contact.email"),
        ("overruled", "mask:initial", "user.contact"),
        ("overruled", "mask:last4", "user"),
    ]


def test_a_second_role_brings_its_denial() -> None:
    access = access_map(grant("user.name", "allow"), grant("user", "deny", "seller"))
    found = explain(access, ONTOLOGY, ["agent", "seller"], "service", "user.name")
    assert parts(found) == [("decides", "deny", "user"), ("overruled", "allow", "user.name")]


def test_a_permit_from_above_special_data_is_stopped_and_a_denial_is_not() -> None:
    access = access_map(grant("user", "allow"), grant("user.payment", "mask:band"))
    found = explain(access, ONTOLOGY, ["agent"], "service", "user.payment.note")
    assert parts(found) == [("decides", "mask:band", "user.payment"), ("stopped", "allow", "user")]
    denied = explain(access_map(grant("user", "deny")), ONTOLOGY, ["agent"], "service", "user.health")
    assert denied.special
    assert parts(denied) == [("decides", "deny", "user")]


def test_what_holds_within_a_scope_decides_there() -> None:
    access = access_map(
        grant("user.name", "allow", scope="region"),
        grant("user", "mask:initial"),
        grant("user", "mask:last4", scope="brand"),
    )
    found = explain(access, ONTOLOGY, ["agent"], "service", "user.name")
    assert [(str(each.part), each.grant.effect, each.grant.scope) for each in found.reasons] == [
        ("decides", "allow", "region"),
        ("decides", "mask:initial", "none"),
        ("overruled", "mask:last4", "brand"),
    ]


def test_what_no_grant_names_is_denied_without_a_reason() -> None:
    found = explain(access_map(), ONTOLOGY, ["agent"], "service", "system")
    assert (found.decision.effect, found.reasons) == (Effect.DENY, ())


@given(grants=grant_lists, roles=role_sets)
def test_the_grants_that_decide_are_those_of_the_decision(grants: list[Grant], roles: frozenset[str]) -> None:
    access = access_map(*grants)
    for category in KEYS:
        found = explain(access, ONTOLOGY, roles, "service", category)
        assert found.decision == access.decide(roles, "service", category)
        deciding = [each for each in found.reasons if each.part is Part.DECIDES]
        rules = {f"{each.grant.effect} {each.category}: {each.grant.why}" for each in deciding}
        stated = {each.rule for each in found.decision.choices if each.rule is not None}
        assert stated <= rules
        assert bool(stated) == bool(rules)


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


def test_a_property_is_explained_by_its_category_and_names_the_line(ontology: Ontology) -> None:
    access = load_access_map(ROOT / "policy.yaml", ontology.taxonomy)
    found = explain(access, ontology, ["support"], "customer_service", "Person.vulnerable")
    assert found.category == "user.health_and_medical"
    (reason,) = found.reasons
    lines = (ROOT / "policy.yaml").read_text().splitlines()
    assert reason.grant.line is not None
    assert lines[reason.grant.line - 1].strip().startswith("- roles: support")
    assert "user.health_and_medical" in "".join(lines[reason.grant.line : reason.grant.line + 4])


def test_a_mask_that_was_not_written_for_the_type_shows_nothing(ontology: Ontology) -> None:
    access = load_access_map(ROOT / "policy.yaml", ontology.taxonomy)
    seen = {
        name: explain(access, ontology, ["call_centre"], "customer_service", name).mask
        for name in ("Customer.email", "Payment.amount", "Payment.method", "Customer.name")
    }
    assert seen == {
        "Customer.email": "email",
        "Payment.amount": "band",
        "Payment.method": "withhold",
        "Customer.name": None,
    }


@pytest.mark.parametrize(
    ("role", "purpose", "name", "words"),
    [
        ("suport", "customer_service", "Customer.email", "no role 'suport'; did you mean 'support'"),
        ("support", "custommer_service", "Customer.email", "did you mean 'customer_service'"),
        (
            "support",
            "customer_service",
            "Customer.emial",
            "no property of Customer 'emial'; did you mean 'email'",
        ),
        ("support", "customer_service", "Custmer.email", "did you mean 'Customer'"),
        ("support", "customer_service", "Order", "no property of Order ''"),
        ("support", "customer_service", "user.contcat.email", "no type or data category"),
    ],
)
def test_a_name_that_is_not_known_is_refused_with_the_nearest(
    ontology: Ontology, role: str, purpose: str, name: str, words: str
) -> None:
    access = load_access_map(ROOT / "policy.yaml", ontology.taxonomy)
    with pytest.raises(NotFoundError, match=words.replace("?", r"\?")):
        explain(access, ontology, [role], purpose, name)
