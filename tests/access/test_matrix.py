"""The matrix: how grants add up, by a table of cases and by invariants over random policies."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access import (
    MASKS,
    NO_GRANT,
    AccessMap,
    Decision,
    Effect,
    Grant,
    Requester,
    plan_access,
)
from tests.access.small_policies import (
    KEYS,
    PURPOSES,
    ROLES,
    SPECIAL,
    access_map,
    effects,
    grant,
    grant_lists,
    grants_with,
    permits,
    role_sets,
)


def effect_of(access: AccessMap, roles: set[str], category: str, purpose: str = "service") -> str:
    decision = access.decide(frozenset(roles), purpose, category)
    return f"mask:{decision.mask}" if decision.mask else str(decision.effect)


@pytest.mark.parametrize(
    ("grants", "category", "expected"),
    [
        ([], "user.name", "deny"),
        ([("user.name", "allow")], "user.name", "allow"),
        ([("user", "allow")], "user.contact.address.city", "allow"),
        ([("user.contact", "allow")], "user", "deny"),
        ([("user.contact", "allow")], "user.name", "deny"),
        ([("user.contact", "mask:initial")], "user.contact.email", "mask:initial"),
        # deny beats allow, from above and from below
        ([("user", "allow"), ("user.contact", "deny")], "user.contact.email", "deny"),
        ([("user", "deny"), ("user.contact.email", "allow")], "user.contact.email", "deny"),
        ([("user", "allow"), ("user.contact.email", "deny")], "user.contact.address", "allow"),
        ([("user.name", "mask:initial"), ("user.name", "deny")], "user.name", "deny"),
        # allow beats mask, wherever each stands
        ([("user", "allow"), ("user.name", "mask:initial")], "user.name", "allow"),
        ([("user", "mask:initial"), ("user.name", "allow")], "user.name", "allow"),
        # the strictest of several masks
        ([("user", "mask:last4"), ("user.name", "mask:initial")], "user.name", "mask:initial"),
        ([("user", "mask:withhold"), ("user.name", "mask:initial")], "user.name", "mask:withhold"),
        # special categories: no permit from above, but a deny
        ([("user", "allow")], "user.payment", "deny"),
        ([("user", "allow")], "user.health", "deny"),
        ([("user", "mask:band")], "user.payment", "deny"),
        ([("user", "allow")], "user.payment.note", "deny"),
        ([("user.payment", "allow")], "user.payment", "allow"),
        ([("user.payment", "allow")], "user.payment.note", "allow"),
        # nor from a special category above
        ([("user.payment", "allow")], "user.payment.card", "deny"),
        ([("user.payment", "allow"), ("user.payment.card", "mask:last4")], "user.payment.card", "mask:last4"),
        ([("user.payment.card", "allow")], "user.payment.card.brand", "allow"),
        ([("user.payment", "allow")], "user.payment.card.brand", "deny"),
        ([("user.payment", "mask:band")], "user.payment.note", "mask:band"),
        ([("user.payment.card", "allow")], "user.payment", "deny"),
        ([("user.payment.note", "allow")], "user.payment.note", "allow"),
        ([("user", "allow"), ("user.payment", "mask:band")], "user.payment", "mask:band"),
        ([("user", "deny"), ("user.payment", "allow")], "user.payment.card", "deny"),
        # another purpose or role is another matter
        ([("user.name", "allow", "seller")], "user.name", "deny"),
        ([("user.name", "allow", "agent", "sales")], "user.name", "deny"),
    ],
)
def test_grants_of_one_role_add_up(grants: list[tuple[str, ...]], category: str, expected: str) -> None:
    assert effect_of(access_map(*(grant(*g) for g in grants)), {"agent"}, category) == expected


@pytest.mark.parametrize(
    ("agent", "seller", "expected"),
    [
        (None, None, "deny"),
        ("allow", None, "allow"),
        ("mask:initial", "allow", "allow"),
        ("mask:last4", "mask:initial", "mask:initial"),
        ("allow", "deny", "deny"),
        ("mask:initial", "deny", "deny"),
    ],
)
def test_several_roles_join_their_permits_and_any_deny_wins(
    agent: str | None, seller: str | None, expected: str
) -> None:
    grants = [grant("user.name", e, role) for role, e in (("agent", agent), ("seller", seller)) if e]
    assert effect_of(access_map(*grants), {"agent", "seller"}, "user.name") == expected


@pytest.mark.parametrize(
    ("roles", "purpose", "category"),
    [
        ({"agent"}, "service", "user.unheard_of"),
        ({"agent"}, "unheard_of", "user.name"),
        ({"unheard_of"}, "service", "user.name"),
        (set(), "service", "user.name"),
    ],
)
def test_what_the_policy_does_not_know_is_denied(roles: set[str], purpose: str, category: str) -> None:
    access = access_map(grant("user", "allow"))
    assert access.decide(frozenset(roles), purpose, category) is NO_GRANT


def test_an_unknown_role_takes_nothing_from_the_known_one() -> None:
    assert effect_of(access_map(grant("user", "allow")), {"agent", "unheard_of"}, "user.name") == "allow"


def test_a_decision_names_the_grant_it_comes_from() -> None:
    access = access_map(grant("user.contact", "mask:email", why="to write back"))
    expected = Decision(Effect.MASK, "email", "mask:email user.contact: to write back")
    assert access.decide(frozenset({"agent"}), "service", "user.contact.email") == expected


def test_cells_are_the_whole_map_and_equal_enforcement() -> None:
    access = access_map(grant("user", "allow"), grant("user.payment", "mask:band", "clerk", "sales"))
    cells = list(access.cells())
    assert len(cells) == len(ROLES) * len(PURPOSES) * len(KEYS)
    for cell in cells:
        assert access.decide(frozenset({cell.role}), cell.purpose, cell.category) == cell.decision


def test_usable_purposes_are_those_with_a_permit() -> None:
    access = access_map(grant("user", "allow"), grant("user", "deny", purpose="sales"))
    assert access.usable_purposes(frozenset({"agent"})) == ("service",)
    assert access.usable_purposes(frozenset({"clerk"})) == ()


def test_plan_access_decides_as_the_map_and_its_key_names_no_person() -> None:
    access = access_map(grant("user.name", "mask:initial"))
    requester = Requester("u-17", frozenset({"agent"}), "desk", "service", "web", ("service",))
    plan = plan_access(access, requester)
    assert plan.key == (frozenset({"agent"}), "service", access.sha256, (), None)
    assert plan.decide("user.name") == access.decide(frozenset({"agent"}), "service", "user.name")
    assert plan.decide("unheard_of") is NO_GRANT
    assert "u-17" not in repr(requester) + repr(plan)


# invariants

_WIDTH = {Effect.DENY: 0, Effect.MASK: 1, Effect.ALLOW: 2}


def widths(access: AccessMap, roles: frozenset[str]) -> list[int]:
    decisions = (access.decide(roles, purpose, category) for purpose, category in product(PURPOSES, KEYS))
    return [_WIDTH[decision.effect] for decision in decisions]


@given(grants=grant_lists, deny=grants_with(st.just("deny")), roles=role_sets)
def test_adding_a_deny_never_widens(grants: list[Grant], deny: Grant, roles: frozenset[str]) -> None:
    before, after = widths(access_map(*grants), roles), widths(access_map(*grants, deny), roles)
    assert all(b >= a for b, a in zip(before, after, strict=True))


@given(grants=grant_lists, permit=grants_with(permits), roles=role_sets)
def test_removing_a_permit_never_widens(grants: list[Grant], permit: Grant, roles: frozenset[str]) -> None:
    before, after = widths(access_map(*grants, permit), roles), widths(access_map(*grants), roles)
    assert all(b >= a for b, a in zip(before, after, strict=True))


@given(grants=grant_lists, mask=grants_with(permits), roles=role_sets)
def test_a_further_mask_never_loosens_a_mask(grants: list[Grant], mask: Grant, roles: frozenset[str]) -> None:
    strictness = list(MASKS)
    before, after = access_map(*grants), access_map(*grants, mask)
    for purpose, category in product(PURPOSES, KEYS):
        old, new = (access.decide(roles, purpose, category).mask for access in (before, after))
        if old and new:
            assert strictness.index(new) <= strictness.index(old)


@given(grants=grant_lists, roles=role_sets)
def test_special_data_is_open_only_to_a_grant_that_names_it(
    grants: list[Grant], roles: frozenset[str]
) -> None:
    access = access_map(*grants)
    named = {category for g in grants if g.kind is not Effect.DENY for category in g.categories}
    for purpose, category in product(PURPOSES, SPECIAL):
        if access.decide(roles, purpose, category).effect is not Effect.DENY:
            assert category in named


@given(data=st.data(), grants=grant_lists)
def test_the_order_of_grants_has_no_meaning(data: st.DataObject, grants: list[Grant]) -> None:
    shuffled = data.draw(st.permutations(grants))
    one, other = access_map(*grants), access_map(*shuffled)
    assert list(one.cells()) == list(other.cells())
    assert one.sha256 == other.sha256
    roles = frozenset(ROLES)
    assert one.row(roles, "service") == other.row(roles, "service")


@given(grants=grant_lists, roles=role_sets)
def test_the_matrix_equals_the_rules_read_plainly(grants: list[Grant], roles: frozenset[str]) -> None:
    """A second reading of what holds for every customer, straight from the grants, without tree or fold."""
    access = access_map(*grants)
    grants = [grant for grant in grants if grant.scope == "none"]
    for purpose, category in product(PURPOSES, KEYS):
        reached = [
            g for g in grants if g.roles[0] in roles and g.purposes[0] == purpose and _reaches(g, category)
        ]
        kinds = {g.kind for g in reached}
        expected = next((k for k in (Effect.DENY, Effect.ALLOW, Effect.MASK) if k in kinds), Effect.DENY)
        decision = access.decide(roles, purpose, category)
        assert decision.effect is expected
        if expected is Effect.MASK:
            assert decision.mask == next(name for name in MASKS if name in {g.mask for g in reached})


def _reaches(grant: Grant, category: str) -> bool:
    named = grant.categories[0]
    if category != named and not category.startswith(named + "."):
        return False
    between = (key for key in SPECIAL if key.startswith(named + ".") and f"{category}.".startswith(key + "."))
    return grant.kind is Effect.DENY or not any(between)


@given(grants=grant_lists, other=grants_with(effects))
def test_another_grant_is_another_hash(grants: list[Grant], other: Grant) -> None:
    assert access_map(*grants).sha256 != access_map(*grants, other).sha256


def test_the_map_cannot_be_changed() -> None:
    access = access_map(grant("user", "allow"))
    row: Any = access.row(frozenset({"agent"}), "service")
    with pytest.raises(TypeError):
        row["user.payment"] = Decision(Effect.ALLOW, None, "smuggled")
