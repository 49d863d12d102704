"""Erasing a customer by a command: what it does, who may, what is told, and that it is done once."""

from __future__ import annotations

from typing import Any

from hub.audit import Action, EventFilter, RecordedEvent
from hub.commands import (
    EraseCustomer,
    ErasureDone,
    Ground,
    erase_customer,
)
from tests.commands.command_world import Shop, fresh_key

REASON = "asked by a letter of 3 May to be forgotten"


def order(shop: Shop, customer: str, /, **more: Any) -> EraseCustomer:
    said = {
        "ground": Ground.CONSENT_WITHDRAWN,
        "reason": REASON,
        "ticket": "DSR-7",
        "key": fresh_key(),
        **more,
    }
    return EraseCustomer(customer, **said)


def erase(shop: Shop, customer: str, /, **more: Any) -> ErasureDone:
    return erase_customer(shop.services, shop.author("compliance"), order(shop, customer, **more))


def told(shop: Shop, *actions: Action) -> list[RecordedEvent]:
    shop.services.publish_events()
    return shop.services.audit.events(EventFilter(actions=actions), limit=1_000)


def test_a_customer_is_gone_and_the_log_tells_who_why_and_that_nothing_is_left(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    done = erase(shop, ann)
    assert done.remaining == {}
    ((erased),) = told(shop, Action.ERASED)
    event = erased.event
    assert (erased.seq, event.id) == (done.event, done.id)
    assert (event.actor, event.roles, event.reason_code) == (
        "u-compliance",
        ("compliance",),
        "consent_withdrawn",
    )
    assert event.customers == (ann,)
    ((verified),) = told(shop, Action.ERASE_VERIFIED)
    assert (verified.event.about, verified.event.counts["remaining"]) == (done.id, 0)
    assert shop.services.audit.verify().ok
