"""What a change of the policy changes, by its decisions."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest
from hypothesis import given

from hub.access import (
    AccessMap,
    ChangeKind,
    CommandGrant,
    Grant,
    Policy,
    compile_policy,
    differences,
    findings,
)
from tests.access.small_policies import KEYS, PURPOSES, ROLES, TAXONOMY, access_map, grant, grant_lists


def told(old: AccessMap, new: AccessMap) -> list[tuple[str, ...]]:
    return [
        (str(each.kind), each.role, each.purpose, each.what, each.before, each.after)
        for each in differences(old, new, TAXONOMY)
    ]


def changed(access: AccessMap, **parts: object) -> AccessMap:
    return compile_policy(Policy.model_validate({**dict(access.policy), **parts}), TAXONOMY)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([("user.name", "allow")], [("user.name", "allow", "agent", "service", "said otherwise")], []),
        # a subtree is told once, special data below it are not part of it
        (
            [],
            [("user.contact", "allow")],
            [("gains", "agent", "service", "user.contact.*", "deny", "allow")],
        ),
        (
            [("user.contact", "allow")],
            [("user.contact", "allow"), ("user.contact.address", "deny")],
            [("loses", "agent", "service", "user.contact.address.*", "allow", "deny")],
        ),
        (
            [("user.payment", "allow")],
            [("user.payment", "mask:band")],
            [
                ("loses", "agent", "service", "user.payment", "allow", "mask:band"),
                ("loses", "agent", "service", "user.payment.note", "allow", "mask:band"),
            ],
        ),
        # masks, by how strict they are
        (
            [("user.name", "mask:last4")],
            [("user.name", "mask:initial")],
            [("loses", "agent", "service", "user.name", "mask:last4", "mask:initial")],
        ),
        (
            [("user.name", "mask:withhold")],
            [("user.name", "mask:initial")],
            [("gains", "agent", "service", "user.name", "mask:withhold", "mask:initial")],
        ),
        # row scopes: more or less is what is so of every customer
        (
            [],
            [("user.name", "allow", "agent", "service", "w", "region")],
            [("gains", "agent", "service", "user.name", "deny", "allow within region, else deny")],
        ),
        (
            [("user.name", "allow", "agent", "service", "w", "region")],
            [("user.name", "mask:initial")],
            [
                (
                    "changes",
                    "agent",
                    "service",
                    "user.name",
                    "allow within region, else deny",
                    "mask:initial",
                )
            ],
        ),
    ],
)
def test_decisions_that_change_are_told(
    old: list[tuple[str, ...]], new: list[tuple[str, ...]], expected: list[tuple[str, ...]]
) -> None:
    before, after = (access_map(*(grant(*each) for each in grants)) for grants in (old, new))
    assert told(before, after) == expected


def test_a_command_and_a_claim_that_are_given_are_told() -> None:
    old = access_map()
    rule = CommandGrant(
        roles="agent",
        purposes="service",
        commands="sync_source",
        why="w",
        owner="desk",
        review=date(2027, 1, 1),
    )
    roles = {**old.roles, "agent": old.roles["agent"].model_copy(update={"claims": ("everybody",)})}
    assert told(old, changed(old, roles=roles, commands=[rule])) == [
        ("changes", "agent", "", "claims", "-", "['everybody']"),
        ("gains", "agent", "service", "sync_source", "deny", "allow"),
    ]


def test_a_role_that_goes_loses_what_it_saw() -> None:
    old = access_map(grant("system", "allow", "clerk"))
    new = changed(old, roles={name: role for name, role in old.roles.items() if name != "clerk"}, grants=[])
    assert ("loses", "clerk", "service", "system", "allow", "deny") in told(old, new)
    assert ("changes", "clerk", "", "label", "clerk", "-") in told(old, new)


@given(one=grant_lists, other=grant_lists)
def test_every_cell_that_changes_is_told_and_no_other(one: list[Grant], other: list[Grant]) -> None:
    old, new = access_map(*one), access_map(*other)
    listed = {
        (each.role, each.purpose, key)
        for each in differences(old, new, TAXONOMY)
        for key in KEYS
        if key == each.what or (each.what.endswith(".*") and f"{key}.".startswith(each.what[:-1]))
    }
    cells = product(ROLES, PURPOSES, KEYS)
    assert listed == {
        (role, purpose, key)
        for role, purpose, key in cells
        if _shown(old, role, purpose, key) != _shown(new, role, purpose, key)
    }


@given(one=grant_lists, other=grant_lists)
def test_what_one_way_gains_the_other_way_loses(one: list[Grant], other: list[Grant]) -> None:
    back = {
        ChangeKind.GAINS: ChangeKind.LOSES,
        ChangeKind.LOSES: ChangeKind.GAINS,
        ChangeKind.CHANGES: ChangeKind.CHANGES,
    }
    there, again = (
        {(each.role, each.purpose, each.what): each.kind for each in differences(*pair, TAXONOMY)}
        for pair in ((access_map(*one), access_map(*other)), (access_map(*other), access_map(*one)))
    )
    assert again == {cell: back[kind] for cell, kind in there.items()}


def _shown(access: AccessMap, role: str, purpose: str, category: str) -> dict[str, str]:
    decision = access.decide(frozenset({role}), purpose, category)
    return {each.scope: each.stated for each in decision.choices}


# what a reviewer has to look at


def test_a_rule_is_looked_at_again_from_the_day_after_its_review() -> None:
    access = access_map(grant("user.name", "allow"))
    assert findings(access, date(2027, 1, 1)) == []
    (late,) = findings(access, date(2027, 1, 2))
    assert (late.owner, late.message) == ("desk", "agent: user.name was to be reviewed by 2027-01-01")


@pytest.mark.parametrize(("links", "count"), [({}, 1), ({"dpia": "D-1"}, 1), ({"lia": "L-1"}, 0)])
def test_a_purpose_of_legitimate_interests_has_an_assessment(links: dict[str, str], count: int) -> None:
    access = access_map()
    service = access.purposes["service"].model_copy(
        update={"legal_basis": "legitimate_interests", "links": links}
    )
    policy = access.policy.model_copy(update={"purposes": {**access.purposes, "service": service}})
    assert len(findings(compile_policy(policy, TAXONOMY), date(2026, 1, 1))) == count
