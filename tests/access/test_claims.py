"""The claim map: where tokens hold who asks; and what a token that holds less gives."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hub.access import Caller, Claims, requester_of
from hub.access.claims import ClaimsError
from hub.errors import AccessDeniedError
from hub.settings import TokenClaims
from tests.access.test_tokens import small_access_map

SAID: dict[str, Any] = {
    "sub": "u-17",
    "oid": "o-17",
    "azp": "desk",
    "roles": ["hub-agent"],
    "realm_access": {"roles": ["seller", "offline_access"]},
    "https://example.com/roles": ["seller"],
    "groups": [{"name": "seller"}, {"name": "cyclists"}],
    "scope": "openid seller",
    "role": "hub-agent seller",
    "department": "desk",
    "purposes": ["service"],
    "work": {"unit": "floor"},
}


def caller(claims: dict[str, Any] | None = None, **places: str | None) -> Caller:
    return Claims(TokenClaims(**places)).caller(SAID if claims is None else claims, 1.0)  # type: ignore[arg-type]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in SAID.items() if name not in names}


def test_claims_have_the_hubs_own_names_unless_a_map_says_otherwise() -> None:
    assert caller() == Caller("u-17", "desk", ("hub-agent",), ("service",), "desk", 1.0)


@pytest.mark.parametrize(
    ("path", "roles"),
    [
        ("realm_access.roles", ("seller", "offline_access")),
        ('"https://example.com/roles"', ("seller",)),
        ("groups[].name", ("seller", "cyclists")),
        ("scope", ("openid", "seller")),
        ("role", ("hub-agent seller",)),  # one value: a name with a space is no two names
        ("[realm_access.roles, roles][]", ("seller", "offline_access", "hub-agent")),
    ],
)
def test_roles_are_found_where_the_map_says(path: str, roles: tuple[str, ...]) -> None:
    assert caller(roles=path).roles == roles


def test_the_other_claims_may_be_mapped_too() -> None:
    found = caller(subject="oid", department="work.unit", purposes="scope", client="role")
    assert (found.subject, found.department, found.client) == ("o-17", "floor", "hub-agent seller")
    assert found.purposes == ("openid", "seller")


def test_row_scopes_are_told_of_where_the_map_says_and_by_nothing_where_there_is_no_claim() -> None:
    assert caller().attributes == ()
    stated = {**SAID, "regions": ["GB", "FR"], "brands": [], "work": {"unit": "floor", "name": "Ann Archer"}}
    found = caller(stated, account_manager="work.name").attributes
    assert found == (("region", ("GB", "FR")), ("own_accounts", ("Ann Archer",)))
    assert caller(stated, regions=None).attributes == ()
    assert requester_of(caller(stated), small_access_map(), None).attributes == (("region", ("GB", "FR")),)


def test_a_client_is_named_by_either_of_two_usual_claims() -> None:
    assert caller({**SAID, "client_id": "web"}).client == "web"
    assert caller().client == "desk"


@pytest.mark.parametrize(
    ("claims", "places", "named"),
    [
        (without("roles"), {}, "roles"),
        (without("department"), {}, "department"),
        (without("purposes"), {}, "purposes"),
        (without("sub"), {}, "sub"),
        (without("azp"), {}, "client_id || azp"),
        (without("sub", "roles"), {}, "roles, sub"),
        (SAID, {"roles": "realm_access"}, "realm_access"),
        (SAID, {"roles": "groups"}, "groups"),
        (SAID, {"roles": "length(work)"}, "length(work)"),
        (SAID, {"roles": "nowhere.roles"}, "nowhere.roles"),
        (SAID, {"roles": "keys(sub)"}, "keys(sub)"),
        (SAID, {"department": "work"}, "work"),
        (SAID, {"subject": "roles"}, "roles"),
        ({**SAID, "sub": ""}, {}, "sub"),
        ({**SAID, "roles": [""]}, {}, "roles"),
        ({**SAID, "roles": [None]}, {}, "roles"),
        ({**SAID, "regions": [7]}, {}, "regions"),
    ],
)
def test_what_is_missing_or_malformed_is_named_by_its_place_without_its_value(
    claims: dict[str, Any], places: dict[str, str], named: str
) -> None:
    with pytest.raises(ClaimsError) as refused:
        caller(claims, **places)
    assert str(refused.value) == f"the token's claims {named} are missing or malformed"


@pytest.mark.parametrize("path", ["", "roles[", "a..b", 7, None])
def test_a_map_of_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(ValidationError):
        TokenClaims(roles=path)


def test_a_map_of_what_the_hub_does_not_need_is_refused() -> None:
    with pytest.raises(ValidationError):
        TokenClaims(role="roles")  # type: ignore[call-arg]


# tokens that hold less


def test_purposes_are_those_of_the_roles_where_the_map_says_that_tokens_hold_none() -> None:
    found = caller(purposes=None)
    assert found.purposes is None
    assert requester_of(found, small_access_map(), "recall").purposes == ("service", "recall")


def test_a_department_is_that_of_the_roles_where_the_map_says_that_tokens_hold_none() -> None:
    found = caller(without("department"), department=None)
    assert found.department is None
    assert requester_of(found, small_access_map(), None).department == "desk"


def test_roles_of_several_departments_need_a_claim_that_tells_which() -> None:
    access = small_access_map()
    roles = {**access.policy.roles}
    roles["seller"] = roles["seller"].model_copy(update={"department": "floor"})
    policy = access.policy.model_copy(update={"roles": roles, "departments": {"desk": "D", "floor": "F"}})
    object.__setattr__(access, "policy", policy)
    both = {**SAID, "roles": ["hub-agent", "seller"]}
    with pytest.raises(AccessDeniedError, match="several departments"):
        requester_of(caller(both, department=None), access, "service")
    assert requester_of(caller(both), access, "service").department == "desk"
