"""The exported policy: Cedar decides every cell as the matrix does, of the shipped policy and of drawn ones."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings

from hub.access import MASKS, AccessMap, Command, Grant, load_access_map, to_cedar
from hub.ontology import Taxonomy, load_ontology
from tests.access.small_policies import (
    KEYS,
    PURPOSES,
    TAXONOMY,
    access_map,
    grant,
    grant_lists,
    of_a_customer,
    role_sets,
    scope_sets,
)

SHIPPED = Path(__file__).resolve().parents[2] / "policy.yaml"
Cells = Mapping[tuple[str, str], str]
"""`allow`, `deny` or `mask:` and its name, by purpose and category."""


def uid(type_: str, id_: str) -> dict[str, Any]:
    return {"__entity": {"type": type_, "id": id_}}


class Cedar:
    """Cedar, told the exported policy, asked about one person."""

    def __init__(self, access: AccessMap, taxonomy: Taxonomy, roles: Iterable[str]) -> None:
        cedar = to_cedar(access, taxonomy)
        valid = cedarpy.validate_policies(cedar.policies, cedar.schema)
        assert valid, valid.errors
        parents = [{"type": "Role", "id": role} for role in roles]
        person = {"uid": {"type": "Person", "id": "p"}, "attrs": {}, "parents": parents}
        self._grants = access.policy.grants
        self._policies = cedarpy.PolicySet.from_str(cedar.policies)
        self._schema = cedarpy.Schema.from_str(cedar.schema)
        self._entities = cedarpy.Entities.from_json_str(json.dumps([*cedar.entities, person]), self._schema)

    def cells(self, purposes: Iterable[str], categories: Iterable[str], scopes: Sequence[str] = ()) -> Cells:
        cells = list(product(purposes, categories))
        asked = [
            (action, f'Category::"{category}"', {"purpose": uid("Purpose", purpose), "scopes": within})
            for within in [[uid("Scope", scope) for scope in scopes]]
            for purpose, category in cells
            for action in ("view", "viewMasked")
        ]
        found = self._answers(asked)
        pairs = zip(cells, found[::2], found[1::2], strict=True)
        return {cell: self._effect(whole, masked) for cell, whole, masked in pairs}

    def may(self, purpose: str, command: str) -> bool:
        return self._answers([(command, 'Hub::"hub"', {"purpose": uid("Purpose", purpose)})])[0].allowed

    def _answers(self, asked: Sequence[tuple[str, str, Any]]) -> list[cedarpy.AuthzResult]:
        requests = [
            {"principal": 'Person::"p"', "action": f'Action::"{action}"', "resource": of, "context": context}
            for action, of, context in asked
        ]
        found = cedarpy.is_authorized_batch(requests, self._policies, self._entities, self._schema)
        assert not [error for each in found for error in each.diagnostics.errors]
        return found

    def _effect(self, whole: cedarpy.AuthzResult, masked: cedarpy.AuthzResult) -> str:
        assert masked.allowed or not whole.allowed
        if whole.allowed or not masked.allowed:
            return "allow" if whole.allowed else "deny"
        # Cedar names all policies that let the value be seen masked; the strictest of their masks is the hub's to take.
        places = masked.diagnostics.id_annotations_by_reason.values()
        masks = {self._grants[int(place.removeprefix("grants."))].mask for place in places}
        return next(f"mask:{name}" for name in MASKS if name in masks)


def of_the_hub(
    access: AccessMap, roles: frozenset[str], purposes: Iterable[str], scopes: Collection[str] = ()
) -> Cells:
    return {
        (purpose, category): of_a_customer(access.decide(roles, purpose, category), scopes)
        for purpose, category in product(purposes, access.categories)
    }


@settings(deadline=None)
@given(grants=grant_lists, roles=role_sets, scopes=scope_sets)
def test_cedar_decides_as_the_matrix_of_any_policy(
    grants: list[Grant], roles: frozenset[str], scopes: frozenset[str]
) -> None:
    access = access_map(*grants)
    found = Cedar(access, TAXONOMY, roles).cells(PURPOSES, KEYS, sorted(scopes))
    assert found == of_the_hub(access, roles, PURPOSES, scopes)


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_ontology().taxonomy


@pytest.fixture(scope="module")
def shipped(taxonomy: Taxonomy) -> AccessMap:
    return load_access_map(SHIPPED, taxonomy)


SHIPPED_ROLES = sorted(load_access_map(SHIPPED, load_ontology().taxonomy).roles)


@pytest.mark.parametrize("role", SHIPPED_ROLES)
def test_cedar_decides_as_the_matrix_of_the_shipped_policy(
    shipped: AccessMap, taxonomy: Taxonomy, role: str
) -> None:
    """Alone, and together with an officer's role, whose denials win."""
    for roles in (frozenset({role}), frozenset({role, "compliance"})):
        cedar = Cedar(shipped, taxonomy, roles)
        assert cedar.cells(shipped.purposes, shipped.categories) == of_the_hub(
            shipped, roles, shipped.purposes
        )


@pytest.mark.parametrize("role", SHIPPED_ROLES)
def test_cedar_allows_the_commands_that_the_policy_allows(
    shipped: AccessMap, taxonomy: Taxonomy, role: str
) -> None:
    cedar = Cedar(shipped, taxonomy, [role])
    for purpose, command in product(shipped.purposes, Command):
        assert cedar.may(purpose, command) == shipped.may(frozenset({role}), purpose, command)


def test_cedar_reads_any_reason_that_a_policy_gives() -> None:
    why = 'he said "no \\ never"\nand left'
    access = access_map(grant("user", "allow", why=why))
    assert Cedar(access, TAXONOMY, ["agent"]).cells(["service"], ["user"]) == {("service", "user"): "allow"}


@pytest.mark.parametrize(("scopes", "expected"), [((), "deny"), (("brand",), "deny"), (("region",), "allow")])
def test_a_row_scope_is_a_condition_on_the_row(scopes: Sequence[str], expected: str) -> None:
    scoped = grant("user.name", "allow", scope="region")
    cedar = Cedar(access_map(scoped), TAXONOMY, ["agent"])
    assert cedar.cells(["service"], ["user.name"], scopes) == {("service", "user.name"): expected}
