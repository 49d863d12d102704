"""Policies of three roles and two purposes over a dozen categories: written down, and drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from hypothesis import strategies as st

from hub.access import MASKS, SCOPES, AccessMap, Decision, Grant, Policy, Purpose, Role, compile_policy
from hub.access.policy import Scope
from hub.ontology import Category, Taxonomy

SPECIAL = {"user.payment", "user.payment.card", "user.health"}
KEYS = (
    "user",
    "user.name",
    "user.contact",
    "user.contact.email",
    "user.contact.address",
    "user.contact.address.city",
    "user.payment",
    "user.payment.card",
    "user.payment.card.brand",
    "user.payment.note",
    "user.health",
    "system",
)
TAXONOMY = Taxonomy(
    data_categories=tuple(Category(key=key, label=key, special=key in SPECIAL) for key in KEYS),
    data_uses=(),
    data_subjects=(),
)
ROLES, PURPOSES = ("agent", "seller", "clerk"), ("service", "sales")


def grant(
    category: str,
    effect: str,
    role: str = "agent",
    purpose: str = "service",
    why: str = "because",
    scope: Scope = "none",
) -> Grant:
    return Grant(
        roles=(role,),
        purposes=(purpose,),
        categories=(category,),
        effect=effect,
        scope=scope,
        why=why,
        owner="desk",
        review=date(2027, 1, 1),
    )


def access_map(*grants: Grant) -> AccessMap:
    purpose = Purpose(label="p", data_use="sales", legal_basis="contract", retention_days=1)
    policy = Policy(
        departments={"desk": "Desk"},
        roles={name: Role(label=name, department="desk", default_purpose="service") for name in ROLES},
        purposes=dict.fromkeys(PURPOSES, purpose),
        grants=grants,
    )
    return compile_policy(policy, TAXONOMY)


def of_a_customer(decision: Decision, scopes: Collection[str]) -> str:
    """What is shown of a customer who is in these scopes."""
    held = [each for each in decision.choices if each.scope == "none" or each.scope in scopes]
    return held[0].stated


effects = st.sampled_from(["allow", "deny", *(f"mask:{name}" for name in MASKS)])
permits = st.sampled_from(["allow", *(f"mask:{name}" for name in MASKS)])


def grants_with(effects_: st.SearchStrategy[str]) -> st.SearchStrategy[Grant]:
    whys = st.sampled_from(["one", "two"])
    drawn = st.builds(
        grant,
        st.sampled_from(KEYS),
        effects_,
        st.sampled_from(ROLES),
        st.sampled_from(PURPOSES),
        whys,
        st.sampled_from(["none", "none", *SCOPES]),
    )
    # The loader refuses a deny with a scope.
    return drawn.map(lambda it: it.model_copy(update={"scope": "none"}) if it.effect == "deny" else it)


grant_lists = st.lists(grants_with(effects), max_size=12)
scope_sets = st.frozensets(st.sampled_from(SCOPES))
"""The scopes that a customer is in."""
role_sets = st.frozensets(st.sampled_from(ROLES), min_size=1)
