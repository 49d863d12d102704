"""What commands, syncs and searches seal, and who may open it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.audit import Action, AuditEvent, EventFilter, Payload, Retention, Unsealed
from hub.commands import Author, reveal_payloads
from hub.errors import AccessDeniedError, ConfigurationError, MasterKeyError
from hub.services import open_services
from tests.commands.command_world import A_A, ANN, MASTER_KEY, Shop


def last(shop: Shop, action: Action) -> tuple[int, AuditEvent]:
    shop.services.publish_events()
    found = shop.services.audit.events(EventFilter(actions=(action,)), limit=1_000)[-1]
    return found.seq, found.event


def opened(shop: Shop, number: int) -> list[Unsealed]:
    return shop.services.sealer.unsealed(shop.services.audit, number)


def operator(shop: Shop) -> Author:
    return Author.operator("os:tests", shop.services.access)


def test_a_correction_seals_its_reason_and_what_the_value_was_and_is(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    corrected = shop.correct(ann, "email", "new@example.com")
    number, event = last(shop, Action.CORRECTION)
    (payload,) = opened(shop, number)
    assert (payload.subject, payload.retention) == (ann, Retention.CUSTOMER)
    assert payload.content == {
        "property": "email",
        "reason": "told by letter",
        "changes": {
            "email": {"before": "ann@example.com", "after": "new@example.com", "party": corrected.party}
        },
    }
    assert not {"letter", "new@example.com"} & set(event.encode().decode().split('"'))


def test_a_withdrawal_seals_its_reason(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    shop.withdraw(ann, "email")
    (payload,) = opened(shop, last(shop, Action.CORRECTION)[0])
    assert payload.content is not None
    assert payload.content["reason"] == "a mistake"
    assert payload.content["changes"]["email"]["after"] == "ann@example.com"


def test_a_sync_seals_what_became_of_golden_records_by_customer(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    shop.write("club", [{**ANN, "name": "Ann Boyd", "town": "Bath", "changed": "2026-02-01"}])
    shop.services.syncer.sync("club")
    number, event = last(shop, Action.CUSTOMER_CHANGED)
    assert (event.actor, event.source, event.stream, event.customers) == ("system", "club", "members", (ann,))
    assert event.data_categories == ("user.contact.address.city", "user.name")
    assert dict(event.counts) == {"customers": 1, "fields": 2}
    (payload,) = opened(shop, number)
    assert payload.content is not None
    changes = payload.content["changes"]
    assert {name: (said["before"], said["after"]) for name, said in changes.items()} == {
        "name": ("Ann Archer", "Ann Boyd"),
        "addressLocality": ("Bristol", "Bath"),
    }
    assert ben not in event.customers


def test_new_customers_and_unchanged_ones_have_no_such_event(shop: Shop) -> None:
    shop.sync()
    assert Action.CUSTOMER_CHANGED not in {event.action for event in shop.events()}


def test_changes_of_many_customers_are_a_payload_each_and_few_events(shop: Shop) -> None:
    people = [{**A_A, "key": str(100 + n), "email": f"p{n}@example.com", "card": f"8{n}"} for n in range(90)]
    shop.write("till", people)
    shop.sync("till")
    shop.write("till", [{**person, "town": "Bath", "changed": "2026-02-01"} for person in people])
    shop.sync("till")
    events = [event for event in shop.events() if event.action is Action.CUSTOMER_CHANGED]
    assert [len(event.payloads) for event in events] == [40, 40, 10]
    assert len({key for event in events for key in event.keys}) == 90
    assert [len(event.customers) for event in events] == [40, 40, 10]


def test_golden_records_chosen_anew_are_told(shop: Shop) -> None:
    shop.write("till", [{**A_A, "card": ANN["card"], "changed": "2026-06-01"}])
    shop.sync("till")
    known = len(shop.events())
    for path in shop.folder.glob("sources/till.yaml"):
        path.write_text(path.read_text().replace("trust: 40", "trust: 95"))
    shop.reopen()
    shop.services.syncer.sync("club")
    assert shop.services.audit.verify().ok
    changed = [event for event in shop.events()[known:] if event.action is Action.CUSTOMER_CHANGED]
    assert {event.source for event in changed} <= {"club"}


# who may open them


def test_an_officer_sees_what_the_role_sees_and_that_is_on_record(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    number, event = last(shop, Action.CORRECTION)
    revealed = reveal_payloads(shop.services, shop.author("compliance"), number)
    assert revealed.event == event
    (payload,) = revealed.payloads
    assert payload.content is not None
    assert payload.content["reason"] == "told by letter"
    seen = shop.services.access.decide(
        frozenset({"compliance"}), "privacy_compliance", "user.contact.email"
    ).effect.value
    assert (payload.content["changes"]["email"] == "withheld") is (seen != "allow")
    read = last(shop, Action.AUDIT_READ)[1]
    assert (read.actor, read.about, read.customers, read.reason_code) == (
        "u-compliance",
        event.id,
        (ann,),
        "revealed",
    )
    assert "new@example.com" not in repr(revealed)


def test_a_property_that_the_author_is_not_shown_whole_is_withheld(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    number, _ = last(shop, Action.CORRECTION)
    lines = (Path(__file__).parents[2] / "policy.yaml").read_text()
    grant = "  - roles: call_centre\n    purposes: customer_service\n    commands: reveal_payloads\n"
    review = "    why: a test of what stays hidden\n    owner: support\n    review: 2027-06-30\n"
    policy = shop.folder / "policy.yaml"
    policy.write_text(lines.rstrip() + "\n" + grant + review)
    shop.reopen(policy_file=policy)
    (hidden,) = reveal_payloads(shop.services, shop.author("call_centre"), number).payloads
    assert hidden.content is not None
    assert hidden.content["changes"] == {"email": "withheld"}
    (whole,) = reveal_payloads(shop.services, operator(shop), number).payloads
    assert whole.content is not None
    assert whole.content["changes"]["email"]["after"] == "new@example.com"


def test_of_a_customer_whom_the_author_does_not_reach_all_is_withheld(shop: Shop) -> None:
    sealer, gone = shop.services.sealer, "customer-that-is-not-here"
    event = AuditEvent(Action.CORRECTION, "u-steward", customers=(gone,))
    content: dict[str, Any] = {"reason": "told by letter", "changes": {}}
    shop.services.recorder.record_sync(sealer.sealed(event, [Payload(gone, Retention.CUSTOMER, content)]))
    number, _ = last(shop, Action.CORRECTION)
    (payload,) = reveal_payloads(shop.services, shop.author("compliance"), number).payloads
    assert payload.content == {"reason": "withheld", "changes": "withheld"}


@pytest.mark.parametrize("role", ["support", "steward", "it", "management"])
def test_who_may_not_opens_nothing_and_that_is_on_record(shop: Shop, role: str) -> None:
    shop.correct(shop.customer("club", "1"), "email", "new@example.com")
    number, _ = last(shop, Action.CORRECTION)
    with pytest.raises(AccessDeniedError, match="reveal_payloads"):
        reveal_payloads(shop.services, shop.author(role), number)
    refused = last(shop, Action.COMMAND_REFUSED)[1]
    assert (refused.actor, refused.reason_code) == (f"u-{role}", "reveal_payloads.FORBIDDEN")


def test_a_destroyed_payload_tells_when(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    number, _ = last(shop, Action.CORRECTION)
    event = operator(shop).event(Action.KEY_DESTROYED, customers=(ann,))
    (told,) = shop.services.sealer.destroy(shop.services.audit, event, [ann], [Retention.CUSTOMER])
    (payload,) = reveal_payloads(shop.services, operator(shop), number).payloads
    assert (payload.content, payload.destroyed_at) == (None, told.at)


# the master key at start


def test_without_a_master_key_all_goes_on_without_payloads(tmp_path: Path, store_url: str) -> None:
    shop = Shop(tmp_path, store_url)
    shop.reopen(master_key=None, data_dir=tmp_path / "unsealed")
    shop.write("club", [ANN])
    shop.sync()
    shop.correct(shop.customer("club", "1"), "email", "new@example.com")
    number, event = last(shop, Action.CORRECTION)
    assert (event.payloads, opened(shop, number)) == ((), [])
    assert not shop.services.settings.audit_data_keys_file.exists()
    shop.services.close()


def test_once_there_are_keys_no_start_goes_without_their_master_key(shop: Shop) -> None:
    shop.correct(shop.customer("club", "1"), "email", "new@example.com")
    with pytest.raises(MasterKeyError, match="given is none"):
        open_services(shop.settings.model_copy(update={"master_key": None}), {})
    path = shop.folder / "master-key"
    path.write_text(MASTER_KEY + "\n")
    shop.reopen(master_key=None, master_key_file=path)
    assert opened(shop, last(shop, Action.CORRECTION)[0])[0].content is not None


@pytest.mark.parametrize("given", ["both", "missing", "no key"])
def test_settings_that_give_no_master_key_are_faults(shop: Shop, given: str) -> None:
    path = shop.folder / "master-key"
    if given != "missing":
        path.write_text("no key")
    master_key = shop.settings.master_key if given == "both" else None
    changed = {"master_key": master_key, "master_key_file": path}
    with pytest.raises(ConfigurationError, match="HUB_MASTER_KEY"):
        open_services(shop.settings.model_copy(update=changed), {})
