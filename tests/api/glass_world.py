"""The company under a policy by which some roles may break the glass, and what tests do with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import update

from hub.store import fixed, iso_utc
from hub.yamlfile import load_yaml
from tests.api.api_world import POLICY, Reply, World

REASON = "The carrier reports a leaking battery in the parcel"
BREAK = """mutation($input: BreakGlassInput!) { breakGlass(input: $input) { id expiresAt } }"""
STOP = """mutation($id: ID!) { stopBreakGlass(id: $id) { id stoppedAt } }"""
REVIEW = """mutation($input: ReviewBreakGlassInput!) { reviewBreakGlass(input: $input) { id } }"""
QUEUE = """query($reviewed: Boolean = false) { breakGlasses(reviewed: $reviewed) {
  id state overdue subject roles department purpose customerId categories reason ticket startedAt expiresAt
  stoppedAt stoppedBy uses notifiedAt notices reviewedAt reviewedBy outcome note } }"""
LIST = "{ customers(orderBy: [{name: ASC}]) { totalCount nodes { id name email birthDate } } }"


def write_policy(folder: Path) -> Path:
    """The shipped policy, in which sales sees its own region only and may open more of anybody."""
    policy = json.loads(json.dumps(load_yaml(POLICY).data, default=str))
    policy["grants"] = [each for grant in policy["grants"] for each in _scoped(grant)]
    policy["roles"]["sales"]["break_glass"] = {
        "purposes": ["account_management", "campaign_analysis"],
        "categories": ["user.contact", "user.demographic", "user.payment"],
        "minutes": 10,
        "why": "tests",
        "owner": "sales",
        "review": "2099-01-01",
    }
    path = folder / "policy.yaml"
    path.write_text(json.dumps(policy))
    return path


def _scoped(grant: dict[str, Any]) -> Iterator[dict[str, Any]]:
    roles = grant["roles"] if isinstance(grant["roles"], list) else [grant["roles"]]
    if "sales" in roles and grant["effect"] != "deny":
        yield {**grant, "roles": "sales", "scope": "region"}
        roles = [role for role in roles if role != "sales"]
    if roles:
        yield {**grant, "roles": roles}


def opened(
    world: World, customer: str, *categories: str, role: str = "supply_chain", token: str = "", **more: Any
) -> Reply:
    """The reply to who breaks the glass."""
    said = {"reason": REASON, "ticket": "INC-17", "idempotencyKey": uuid4().hex, **more}
    asked = {"customerId": customer, "categories": list(categories or ["user.contact"]), **said}
    return world.post({"query": BREAK, "variables": {"input": asked}}, token or world.token(role))


def glass(world: World, customer: str, *categories: str, **more: Any) -> str:
    """The id of a glass that was broken."""
    found: str = opened(world, customer, *categories, **more).data["breakGlass"]["id"]
    return found


def through(world: World, id_: str, query: str, role: str = "supply_chain", **variables: Any) -> Reply:
    """The reply to what is asked under the glass."""
    return world.post({"query": query, "variables": variables}, world.token(role), x_break_glass=id_)


def stopped(world: World, id_: str, role: str = "supply_chain") -> Reply:
    """The reply to who ends it."""
    return world.ask(STOP, role, id=id_)


def set_row(world: World, id_: str, **values: Any) -> None:
    """Have the row of the glass say this."""
    with world.services.store.write() as connection:
        table = fixed.break_glass
        given = {
            name: value if isinstance(value, str | int | None) else iso_utc(value)
            for name, value in values.items()
        }
        connection.execute(update(table).where(table.c.id == id_).values(**given))
