"""Row scopes: the predicate's algebra, what a token says, and how scoped grants add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import chain, combinations
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access import (
    ALL_USES,
    EVERYONE,
    MASKS,
    NO_GRANT,
    NOBODY,
    RESTRICTION,
    SCOPES,
    Consent,
    Decision,
    Effect,
    Grant,
    Policy,
    Purpose,
    Requester,
    Role,
    ScopeName,
    Within,
    any_of,
    compile_policy,
    plan_access,
    scoped,
)
from hub.access.matrix import AccessMap
from hub.access.standing import bars_of, consent_of
from hub.ontology import Taxonomy, load_ontology

ALL_SETS = [frozenset(each) for n in range(4) for each in combinations(SCOPES, n)]
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "region": ("DE", "FR"),
    "brand": ("north",),
    "own_accounts": ("ann",),
}

withins = st.sets(st.sampled_from(ALL_SETS), max_size=4).map(Within.of)


def holds_in(where: Within, scopes: Iterable[str]) -> bool:
    """Whether it holds for a customer who is in exactly these scopes."""
    return where.holds({scope: ATTRIBUTES[scope][:1] for scope in scopes}, ATTRIBUTES)


@given(withins, withins)
def test_predicates_combine_as_their_truth_does(one: Within, other: Within) -> None:
    for scopes in ALL_SETS:
        both = holds_in(one, scopes), holds_in(other, scopes)
        assert holds_in(one | other, scopes) == any(both)
        assert holds_in(one & other, scopes) == all(both)
    assert one.implies(other) == all(not holds_in(one, s) or holds_in(other, s) for s in ALL_SETS)
    assert (one == other) == (one.implies(other) and other.implies(one))
    assert bool(one) == any(holds_in(one, scopes) for scopes in ALL_SETS)


@given(withins, st.sets(st.sampled_from(SCOPES)))
def test_a_scope_that_the_token_says_nothing_of_never_holds(where: Within, known: set[ScopeName]) -> None:
    stated = {scope: ATTRIBUTES[scope] for scope in known}
    for scopes in ALL_SETS:
        facts = {scope: ATTRIBUTES[scope] for scope in scopes}
        assert where.stated(stated).holds(facts, stated) == where.holds(facts, stated)
    assert all(way <= known for way in where.stated(stated).ways)


def test_facts_and_attributes_meet_where_they_share_a_value() -> None:
    region = scoped("region")
    assert region.holds({"region": ("FR", "IT")}, ATTRIBUTES)
    assert not region.holds({"region": ("IT",)}, ATTRIBUTES)
    assert not region.holds({}, ATTRIBUTES)
    assert EVERYONE.holds({}, {})
    assert not NOBODY.holds({"region": ("FR",)}, ATTRIBUTES)
    assert str(region | scoped("own_accounts")) == "own_accounts or region"


# decisions


TAXONOMY = load_ontology().taxonomy


def grant(category: str, effect: str, scope: str = "none", role: str = "agent") -> Grant:
    return Grant.model_validate(
        {
            "roles": role, "purposes": "service", "categories": category, "effect": effect, "scope": scope,
            "why": f"{effect} {scope}", "owner": "desk", "review": date(2099, 1, 1),
        }
    )  # fmt: skip


def access_map(*grants: Grant, taxonomy: Taxonomy = TAXONOMY, **purpose: object) -> AccessMap:
    roles = {
        name: Role(label="R", department="desk", default_purpose="service") for name in ("agent", "other")
    }
    use = {"label": "U", "data_use": "operations", "legal_basis": "contract", "retention_days": 1, **purpose}
    policy = Policy(
        departments={"desk": "Desk"},
        roles=roles,
        purposes={"service": Purpose.model_validate(use)},
        grants=grants,
    )
    return compile_policy(policy, taxonomy)


def decided(access: AccessMap, category: str, *roles: str) -> Decision:
    return access.decide(frozenset(roles or {"agent"}), "service", category)


def in_force(decision: Decision, scopes: Iterable[str]) -> tuple[Effect, str | None]:
    """What holds for a customer who is in exactly these scopes."""
    found = next(choice for choice in decision.choices if choice.scope in ("none", *scopes))
    return found.effect, found.mask


def test_a_scoped_grant_alone_leaves_everyone_else_denied() -> None:
    decision = decided(access_map(grant("user.contact", "allow", "region")), "user.contact.email")
    assert (decision.effect, decision.is_denial) == (Effect.DENY, False)
    assert in_force(decision, {"region"}) == (Effect.ALLOW, None)
    assert in_force(decision, {"brand"}) == (Effect.DENY, None)


def test_a_deny_for_everyone_beats_a_scoped_permit() -> None:
    access = access_map(grant("user.contact", "deny"), grant("user.contact.email", "allow", "region"))
    assert decided(access, "user.contact.email").is_denial


def test_a_scoped_permit_does_not_reach_into_a_special_category() -> None:
    special = next(key for key, each in TAXONOMY.categories.items() if each.special and each.parent)
    access = access_map(grant(TAXONOMY.categories[special].parent or "", "allow", "region"))
    assert decided(access, special) == NO_GRANT


_EFFECTS = ["allow", *(f"mask:{name}" for name in MASKS)]
_scoped_grants = st.lists(
    st.builds(
        grant,
        st.sampled_from(["user", "user.contact", "user.contact.email"]),
        st.sampled_from(_EFFECTS),
        st.sampled_from(["none", *SCOPES]),
        st.sampled_from(["agent", "other"]),
    )
    | st.builds(
        grant,
        st.sampled_from(["user", "user.contact", "user.contact.email"]),
        st.just("deny"),
        st.just("none"),
        st.sampled_from(["agent", "other"]),
    ),
    max_size=6,
)


@given(_scoped_grants, st.sampled_from([("agent",), ("other",), ("agent", "other")]))
def test_a_customer_meets_the_grants_of_their_scopes_as_if_there_were_no_others(
    grants: list[Grant], roles: tuple[str, ...]
) -> None:
    access = access_map(*grants)
    for scopes in ALL_SETS:
        reaching = [each for each in grants if each.scope in ("none", *scopes)]
        plain = access_map(*(each.model_copy(update={"scope": "none"}) for each in reaching))
        for category in ("user", "user.contact", "user.contact.email", "user.contact.phone_number"):
            expected = decided(plain, category, *roles)
            assert in_force(decided(access, category, *roles), scopes) == (expected.effect, expected.mask)


# requesters


def requester(**attributes: tuple[str, ...]) -> Requester:
    return Requester(
        "u", frozenset({"agent"}), "desk", "service", "c", ("service",), tuple(attributes.items())
    )


def test_plans_are_shared_by_those_whose_scopes_compare_alike_and_by_no_others() -> None:
    access = access_map(grant("user.contact", "allow", "region"))
    key = plan_access(access, requester(region=("FR", "DE"), brand=("north",))).key
    assert plan_access(access, requester(region=("DE", "FR", "DE"))).key == key
    assert plan_access(access, requester(region=("DE",))).key != key
    assert plan_access(access, requester()).key != key


def test_what_no_scope_compares_is_not_kept() -> None:
    access = access_map(grant("user.contact", "allow"))
    plan = plan_access(access, requester(own_accounts=("Ann Archer",)))
    assert plan.key[3] == ()
    assert "Ann" not in repr(
        plan_access(access_map(grant("user", "allow", "own_accounts")), requester(own_accounts=("Ann",)))
    )


# standing


@pytest.mark.parametrize(
    ("purpose", "bars"),
    [
        ({}, (RESTRICTION,)),
        ({"sees_restricted": True}, ()),
        ({"legal_basis": "legitimate_interests"}, (RESTRICTION, ALL_USES, "operations")),
        ({"legal_basis": "public_task", "sees_restricted": True}, (ALL_USES, "operations")),
        (
            {"data_use": "marketing.communications", "legal_basis": "contract"},
            (RESTRICTION, ALL_USES, "marketing.communications", "marketing"),
        ),
    ],
)
def test_what_keeps_a_customer_from_a_purpose(purpose: dict[str, object], bars: tuple[str, ...]) -> None:
    assert bars_of(access_map(**purpose).purposes["service"]) == bars


def test_a_purpose_needs_a_yes_to_its_use_for_its_channel_or_any() -> None:
    asked = {"requires_consent": True, "channel": "sms", "data_use": "marketing.communications.sms"}
    uses = ("marketing.communications.sms", "marketing.communications", "marketing")
    bases = ("consent", "soft_opt_in")
    assert consent_of(access_map(**asked).purposes["service"]) == Consent(uses, ("sms", "any"), bases)
    by_post = consent_of(access_map(**{**asked, "channel": "post"}).purposes["service"])
    assert by_post == Consent(uses, ("post", "any"), ("consent",))
    assert consent_of(access_map().purposes["service"]) is None


def test_the_names_of_scopes_are_those_of_the_ontology() -> None:
    assert set(load_ontology().scopes) == set(get_args(ScopeName))
    assert any_of(map(scoped, SCOPES)).ways == {frozenset({scope}) for scope in chain(SCOPES)}
