"""What a policy lets a role open, and what is decided while it is open."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access import (
    CONSENTED,
    SUBJECT,
    AccessMap,
    BreakGlass,
    Consent,
    Effect,
    Glass,
    Grant,
    Reach,
    Requester,
    compile_policy,
    differences,
    findings,
    glass_access,
    load_access_map,
    load_policy,
    plan_access,
)
from hub.errors import AccessDeniedError, ConfigurationError
from hub.graph.plans.guard import Guard
from hub.ontology import CUSTOMER, load_ontology
from tests.access.small_policies import KEYS, SPECIAL, TAXONOMY, access_map, effects, grant, grants_with

LATER = datetime(2099, 1, 1, tzinfo=UTC)


def rule(*categories: str, minutes: int = 30, purposes: tuple[str, ...] = ("service",)) -> BreakGlass:
    return BreakGlass(
        purposes=purposes,
        categories=categories,
        minutes=minutes,
        why="an emergency",
        owner="desk",
        review=date(2027, 1, 1),
    )


def with_glass(
    glass: dict[str, BreakGlass], *grants: Grant, purpose: dict[str, Any] | None = None
) -> AccessMap:
    """The small policy with these grants, in which roles may open so much."""
    policy = access_map(*grants).policy
    roles = {
        name: role.model_copy(update={"break_glass": glass.get(name)}) for name, role in policy.roles.items()
    }
    purposes = {name: each.model_copy(update=purpose or {}) for name, each in policy.purposes.items()}
    return compile_policy(policy.model_copy(update={"roles": roles, "purposes": purposes}), TAXONOMY)


def asks(*roles: str, region: tuple[str, ...] = ()) -> Requester:
    attributes = (("region", region),) if region else ()
    return Requester("u-1", frozenset(roles or ("agent",)), "desk", "service", "t", ("service",), attributes)


def through(access: AccessMap, *categories: str, who: Requester | None = None) -> Any:
    return glass_access(access, who or asks(), Glass("g", "cus_1", tuple(sorted(categories)), LATER))


# what may be opened


def test_nobody_may_open_anything_unless_given() -> None:
    assert access_map(grant("user.name", "allow")).openable({"agent"}, "service") == {}


def test_a_role_opens_what_is_below_down_to_special_data() -> None:
    access = with_glass({"agent": rule("user")}, grant("system", "allow"))
    opened = access.openable({"agent"}, "service")
    assert opened.keys() == {
        "user",
        "user.name",
        "user.contact",
        "user.contact.email",
        "user.contact.address",
        "user.contact.address.city",
    }
    assert set(opened.values()) == {30}
    assert access.openable({"agent"}, "sales") == {}
    assert access.openable({"seller"}, "service") == {}


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], set()),
        ([grant("user.payment", "mask:band")], set()),
        ([grant("user.payment", "allow", role="seller")], set()),
        ([grant("user.payment", "allow", purpose="sales")], set()),
        ([grant("user.payment", "allow", scope="region")], {"user.payment", "user.payment.note"}),
        ([grant("user.payment", "allow")], {"user.payment", "user.payment.note"}),
        ([grant("user.payment", "allow"), grant("user.payment.note", "deny")], {"user.payment"}),
    ],
)
def test_special_data_open_only_where_the_role_itself_is_allowed_them(
    grants: list[Grant], expected: set[str]
) -> None:
    access = with_glass({"agent": rule("user.payment")}, grant("system", "allow"), *grants)
    assert access.openable({"agent"}, "service").keys() == expected
    assert access.openable({"agent", "seller"}, "service").keys() == expected


def test_a_deny_of_any_role_stands() -> None:
    access = with_glass(
        {"agent": rule("user.contact")},
        grant("system", "allow"),
        grant("user.contact.email", "deny", role="seller"),
    )
    assert "user.contact.email" in access.openable({"agent"}, "service")
    assert "user.contact.email" not in access.openable({"agent", "seller"}, "service")


def test_of_several_roles_the_longest_time_counts() -> None:
    access = with_glass(
        {"agent": rule("user.name", minutes=5), "seller": rule("user.name", minutes=50)},
        grant("system", "allow"),
    )
    assert access.openable({"agent", "seller"}, "service") == {"user.name": 50}


# what is decided


@given(st.lists(grants_with(effects), max_size=6), st.sets(st.sampled_from(KEYS), min_size=1, max_size=3))
def test_what_is_opened_is_allowed_of_the_subject_and_nothing_else_changes(
    grants: list[Grant], named: set[str]
) -> None:
    access = with_glass({"agent": rule(*sorted(named))}, *grants)
    openable = access.openable({"agent"}, "service")
    wanted = sorted(openable)[::2]
    found, plain = through(access, *wanted), plan_access(access, asks())
    for category in access.categories:
        decision, base = found.decide(category), plain.decide(category)
        if decision == base:
            continue
        assert category in openable
        assert any(category == name or category.startswith(f"{name}.") for name in wanted)
        assert (decision.choices[0].effect, decision.choices[0].scope) == (Effect.ALLOW, SUBJECT)
        assert replace(decision, within=decision.within[1:]) == base
        assert base.effect is not Effect.DENY or base.rule is None
        if category in SPECIAL:
            assert category in wanted
            assert any(choice.effect is Effect.ALLOW for choice in base.choices)
    assert all(found.decide(name) != plain.decide(name) for name in wanted)


def test_what_the_policy_does_not_let_one_open_any_more_is_refused() -> None:
    access = with_glass({"agent": rule("user.name")}, grant("system", "allow"))
    through(access, "user.name")
    for categories in (("user.contact",), ("user.name", "user.contact"), ("no.category",)):
        with pytest.raises(AccessDeniedError):
            through(access, *categories)


def test_the_key_names_what_is_opened_and_nobody() -> None:
    access = with_glass(
        {"agent": rule("user.name", "user.contact")}, grant("system", "allow", scope="region")
    )
    who = asks(region=("GB",))
    one, other = (
        glass_access(access, who, Glass(id_, customer, ("user.name",), LATER))
        for id_, customer in (("g1", "cus_1"), ("g2", "cus_2"))
    )
    assert one.key == other.key
    assert len({one.key, plan_access(access, who).key, through(access, "user.contact", who=who).key}) == 3
    assert "cus_1" not in repr(one)


def test_the_reach_is_the_subject_and_consent_is_asked_for_what_stays_shut() -> None:
    needs = {"requires_consent": True, "data_use": "marketing", "legal_basis": "consent"}
    access = with_glass({"agent": rule("user.name")}, grant("system", "allow", scope="region"), purpose=needs)
    plain = plan_access(access, asks(region=("GB",))).reach
    found = through(access, "user.name", who=asks(region=("GB",))).reach
    assert isinstance(plain.consent, Consent)
    assert (found.consent, found.unopened, found.bars) == (None, plain.consent, plain.bars)
    assert found.attributes == {"region": ("GB",), SUBJECT: ("cus_1",)}
    assert str(found.only) == SUBJECT
    assert Reach().variables == plain.variables == {}


def test_what_stays_shut_is_seen_with_consent_alone() -> None:
    needs = {"requires_consent": True, "data_use": "marketing", "legal_basis": "consent"}
    ontology = load_ontology()
    policy = with_glass(
        {"agent": rule("user.contact")},
        grant("user.name", "allow"),
        grant("user.contact", "mask:email"),
        purpose=needs,
    ).policy
    access = compile_policy(policy, ontology.taxonomy)
    guard = Guard(ontology, through(access, "user.contact"))
    assert str(guard.whole_where("user.contact.email")) == SUBJECT
    assert str(guard.whole_where("user.name")) == CONSENTED
    assert str(guard.seen(CUSTOMER)) == SUBJECT


# the file


def written(folder: Path, glass: Any) -> Path:
    content = {
        "departments": {"desk": "Desk"},
        "roles": {
            "agent": {"label": "A", "department": "desk", "default_purpose": "service", "break_glass": glass}
        },
        "purposes": {
            "service": {"label": "S", "data_use": "essential", "legal_basis": "contract", "retention_days": 1}
        },
        "grants": [
            {
                "roles": "agent", "purposes": "service", "categories": "user.name", "effect": "allow", "why": "w",
                "owner": "desk", "review": "2027-01-01",
            }
        ],
    }  # fmt: skip
    path = folder / "policy.yaml"
    path.write_text(json.dumps(content, indent=1))
    return path


GOOD = {
    "purposes": "service", "categories": "user.contact", "minutes": 60, "why": "w", "owner": "desk",
    "review": "2027-01-01",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minutes": 61}, "roles.agent.break_glass.minutes"),
        ({"minutes": 0}, "roles.agent.break_glass.minutes"),
        ({"categories": ["user.contact", "user.contcat"]}, "unknown data category 'user.contcat'"),
        ({"purposes": "servise"}, "unknown purpose 'servise'"),
        ({"owner": "dsk"}, "unknown department 'dsk'"),
        ({"categories": []}, "roles.agent.break_glass.categories"),
        ({"why": None}, "roles.agent.break_glass.why"),
    ],
)
def test_faults_are_told_with_their_place(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = written(tmp_path, {**GOOD, **change})
    with pytest.raises(ConfigurationError) as refused:
        load_policy(path, load_ontology().taxonomy)
    (fault,) = refused.value.faults
    assert message in str(fault)
    named = path.read_text().splitlines()[fault.line - 1]
    assert next(iter(change)) in named or "contcat" in named


def test_its_review_is_told_of(tmp_path: Path) -> None:
    taxonomy = load_ontology().taxonomy
    access = load_access_map(written(tmp_path, {**GOOD, "review": "2026-01-01"}), taxonomy)
    (finding,) = findings(access, date(2026, 6, 1))
    assert finding.message == "agent by break-glass: user.contact was to be reviewed by 2026-01-01"
    assert finding.owner == "desk"
    assert "break_glass" in (tmp_path / "policy.yaml").read_text().splitlines()[(finding.line or 0) - 1]


def test_a_difference_tells_who_may_open_what() -> None:
    old = with_glass({"agent": rule("user.name")}, grant("system", "allow"))
    new = with_glass({"agent": rule("user.contact", minutes=20)}, grant("system", "allow"))
    told = {each.what: (each.kind.value, each.before, each.after) for each in differences(old, new, TAXONOMY)}
    assert told == {
        "break-glass user.name": ("loses", "30 minutes", "deny"),
        "break-glass user.contact.*": ("gains", "deny", "20 minutes"),
    }
    assert old.sha256 != new.sha256


def test_the_order_of_its_lists_has_no_meaning() -> None:
    one, other = (
        with_glass({"agent": rule(*names, purposes=purposes)}, grant("system", "allow"))
        for names, purposes in (
            (("user.name", "user.contact"), ("sales", "service")),
            (("user.contact", "user.name"), ("service", "sales")),
        )
    )
    assert one.sha256 == other.sha256
