"""What a plan should answer of a household, for `evaluator`."""

from __future__ import annotations

from typing import Any, Protocol

from hub.graph.plans import Constant, Household, Members, Selection, Ties
from tests.graph.plans.figures import parts_of
from tests.graph.plans.forms import iso
from tests.graph.plans.plan_world import ADDRESSES, HOUSEHOLDS, Customer, World, tie_of


class Reader(Protocol):
    """What is asked of the evaluator."""

    world: World
    customers: set[str]

    def allows(self, *categories: str) -> bool: ...

    def operand(self, value: Any) -> Any: ...

    def object(self, thing: Customer, selection: Selection) -> Any: ...


def household_of(reader: Reader, customer: Customer, item: Household) -> Any:
    """The customer's household, as the requester may see it."""
    mates = reader.world.housemates(customer)
    if not mates or not reader.allows(HOUSEHOLDS, ADDRESSES):
        return None
    everybody = sorted([customer, *mates], key=lambda c: c.id)
    built: dict[str, Any] = {}
    for each in item.fields:
        if isinstance(each, Members):
            kept = everybody[: reader.operand(each.first)]
            built[each.alias] = [reader.object(member, each.selection) for member in kept]
        elif isinstance(each, Ties):
            shown = mates[: reader.operand(each.first)]
            built[each.alias] = [parts_of(each.parts, _tie(reader, customer, mate)) for mate in shown]
        else:
            known = {"id": customer.household, "size": len(everybody)}
            built[each.alias] = each.value if isinstance(each, Constant) else known[each.name]
    return built


def _tie(reader: Reader, customer: Customer, mate: Customer) -> dict[str, Any]:
    reader.customers.add(mate.id)
    address, family, contact, account = tie_of(customer, mate)
    numbers = ("user.contact.phone_number", "user.contact.email")
    return {
        "memberId": mate.id,
        "since": iso(max(customer.stated_at, mate.stated_at)),
        "sameAddress": address,
        "sameFamilyName": family if reader.allows("user.name.last") else None,
        "sharedContact": contact if reader.allows(*numbers) else None,
        "sharedAccount": account if reader.allows("user.unique_id") else None,
    }
