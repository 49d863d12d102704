"""Who is not to be called: by the company's own list, by registers, by age, by the hour, by replies and signals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.audit import Action
from hub.commands import EraseCustomer, Ground, erase_customer
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.privacy.consent import (
    DoNotCall,
    ImportRegister,
    Reason,
    audience,
    import_register,
    record_do_not_call,
    release_do_not_call,
    suppressions,
    waits_until,
    zones_of,
)
from hub.privacy.home import withdrawals_unacknowledged
from tests.cli.test_erase import customers
from tests.commands.command_world import BEN, Shop, fresh_key
from tests.privacy.test_consent import FIRST, asked, counted, planned
from tests.statements import noting, plan_of

__all__ = ["customers"]

CALL = "marketing.communications.phone"
USE = "marketing.communications"
NUMBER = "+12025550123"
OTHER = "+12025550199"
NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def phone(shop: Shop, customer: str, number: str = NUMBER) -> None:
    shop.correct(customer, "telephone", number)


def judged(shop: Shop, customer: str, channel: str = "phone", use: str = USE) -> Reason:
    """What the rules say without the hour."""
    return counted(shop, customer, channel, use)


def forbid(shop: Shop, number: str = NUMBER) -> int:
    return record_do_not_call(shop.services, shop.author("compliance"), DoNotCall(number, None, fresh_key()))


def register(shop: Shop, lines: Iterator[str] | list[str], age_days: float = 1, name: str = "us-dnc") -> int:
    made_at = datetime.now(UTC) - timedelta(days=age_days)
    order = ImportRegister(name, "US", made_at, "a test", lines)
    return import_register(shop.services, shop.author("compliance"), order).register.numbers


# the company's own list


def test_tcpa_64_1200_d_a_number_on_the_own_list_is_in_no_call_audience_or_plan_whatever_the_yes(
    shop: Shop,
) -> None:
    ann = shop.customer("club", "1")
    phone(shop, ann)
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    shop.consent(ann, at=FIRST, purpose="marketing", channel="phone")
    assert judged(shop, ann) is Reason.CONSENT
    assert forbid(shop) == 1
    for channel in ("phone", "sms"):
        assert judged(shop, ann, channel) is Reason.DO_NOT_CALL
        assert not planned(shop, ann, channel, USE)
        found = audience(shop.services, shop.author("marketing"), channel, USE)
        assert found.excluded[Reason.DO_NOT_CALL] == 1
    assert [row.address for row in suppressions(shop.services, shop.author("compliance"), "phone", USE)] == [
        NUMBER
    ]
    verdict = asked(shop, ann, "phone", USE)
    assert [(each.bar, each.via) for each in verdict.keyed] == [("do_not_call", "do_not_call")]
    assert asked(shop, ann, "email", USE).allowed
    assert planned(shop, ann, "email", USE)
    assert asked(shop, ann, "phone", "sales").reason is Reason.NOT_NEEDED


def test_who_gets_the_number_later_is_not_called_and_a_release_ends_it(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST, purpose="marketing", channel="phone")
    assert forbid(shop) == 0
    phone(shop, ann)
    assert judged(shop, ann) is Reason.DO_NOT_CALL
    assert not planned(shop, ann, "phone", USE)
    phone(shop, ann, OTHER)
    assert judged(shop, ann) is Reason.CONSENT
    phone(shop, ann)
    officer = shop.author("compliance")
    assert release_do_not_call(shop.services, officer, DoNotCall(NUMBER, None, fresh_key())) == 1
    assert judged(shop, ann) is Reason.CONSENT
    assert planned(shop, ann, "phone", USE)
    with pytest.raises(NotFoundError, match="not on the company's own list"):
        release_do_not_call(shop.services, officer, DoNotCall(NUMBER, None, fresh_key()))


def test_a_number_with_an_extension_is_barred_with_its_line_and_both_are_found_by_indexes(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    phone(shop, ann, f"{NUMBER} ext. 7")
    phone(shop, ben, f"{OTHER} ext. 7")
    held = {row["value"] for row in shop.rows("SELECT value FROM identifier WHERE scheme = 'phone'")}
    assert held == {f"{NUMBER};ext=7", f"{OTHER};ext=7"}
    statements: list[str] = []
    with noting(shop.services.store, statements.append):
        assert forbid(shop) == 1
    assert (judged(shop, ann), judged(shop, ben)) == (Reason.DO_NOT_CALL, Reason.NO_CONSENT)
    (sql,) = (each for each in statements if "FROM membership m JOIN (SELECT entity_id" in each)
    with shop.services.store.read() as connection:
        values = {"scheme": "phone", "value": NUMBER, "prefix": f"{NUMBER};%"}
        plan = plan_of(connection, sql, values)
    assert "ix_identifier_extended" in plan
    assert re.search(r"(autoindex_identifier_1|pk_identifier|identifier_pkey)", plan), plan
    assert not re.search(r"(SCAN|Seq Scan on) identifier\b(?! USING)", plan), plan


def test_a_number_is_kept_as_a_hash_and_survives_the_erasure_of_its_holder(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.write("club", [BEN])
    phone(shop, ann)
    forbid(shop)
    order = EraseCustomer(ann, Ground.OBJECTION, "asked for it in a letter of May", "T-1001", fresh_key())
    erase_customer(shop.services, shop.author("compliance"), order)
    [row] = shop.rows("SELECT hash, bar FROM identifier_bar")
    assert NUMBER[1:] not in str(row)
    [held] = shop.rows("SELECT count(*) AS n FROM standing")
    assert held["n"] == 0
    ben = shop.customer("club", "2")
    phone(shop, ben)
    assert "do_not_call" in {each["bar"] for each in shop.rows("SELECT bar FROM standing")}


def test_a_number_is_on_record_without_its_value_and_not_everybody_may_say_so(shop: Shop) -> None:
    phone(shop, shop.customer("club", "1"))
    forbid(shop)
    with pytest.raises(AccessDeniedError, match="record_restriction"):
        record_do_not_call(shop.services, shop.author("marketing"), DoNotCall(NUMBER, None, fresh_key()))
    with pytest.raises(QueryError) as refused:
        record_do_not_call(shop.services, shop.author("compliance"), DoNotCall("55512x", "US", fresh_key()))
    assert "55512" not in str(refused.value)
    [event] = [each for each in shop.events() if each.reason_code == "do_not_call"]
    assert (event.action, event.customers) == (Action.RESTRICTION_CHANGED, (shop.customer("club", "1"),))
    assert NUMBER[1:] not in event.encode().decode()


# registers


def test_tsr_310_4_a_registered_number_is_not_called_but_by_a_yes_that_names_the_channel(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    phone(shop, ann)
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    assert judged(shop, ann) is Reason.CONSENT
    assert register(shop, ["area,number", "202,5550123", "2025550145", "+12025550177"]) == 3
    assert judged(shop, ann) is Reason.REGISTERED
    [listed] = asked(shop, ann, "phone", USE).registered
    assert listed.register == "us-dnc"
    assert audience(shop.services, shop.author("marketing"), "phone", USE).excluded[Reason.REGISTERED] == 1
    shop.consent(ann, at=FIRST, purpose=USE, channel="phone")
    assert judged(shop, ann) is Reason.CONSENT
    forbid(shop)
    assert judged(shop, ann) is Reason.DO_NOT_CALL


def test_tsr_310_4_b_3_iv_a_register_of_more_than_31_days_lets_nobody_be_called_on_its_word(
    shop: Shop,
) -> None:
    ann = shop.customer("club", "1")
    phone(shop, ann)
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    register(shop, [OTHER], age_days=31.1)
    assert judged(shop, ann) is Reason.REGISTER_OUTDATED
    assert any("register us-dnc" in each.what for each in withdrawals_unacknowledged(shop.services).items)
    register(shop, [OTHER], age_days=30.9)
    assert judged(shop, ann) is Reason.CONSENT
    assert not withdrawals_unacknowledged(shop.services).items


def test_a_newer_version_replaces_the_register_and_keeps_since_when_a_number_is_in_it(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    phone(shop, ann)
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    register(shop, [f"{NUMBER};2020-05-01", OTHER], age_days=5)
    register(shop, [NUMBER], age_days=4)
    [listed] = asked(shop, ann, "phone", USE).registered
    assert listed.added_at.startswith("2020-05-01")
    assert shop.rows("SELECT count(*) AS n FROM registered_number") == [{"n": 1}]
    register(shop, [OTHER], age_days=3)
    assert judged(shop, ann) is Reason.CONSENT
    with pytest.raises(QueryError, match="no older"):
        register(shop, [OTHER], age_days=4)


def test_a_file_of_something_else_and_an_import_that_is_killed_change_nothing(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    phone(shop, ann)
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    register(shop, [NUMBER], age_days=5)
    with pytest.raises(QueryError, match="3 of 3 lines are no numbers of US: nothing was changed"):
        register(shop, ["name", "Ann", "Ben"], age_days=4)

    def broken() -> Iterator[str]:
        yield OTHER
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        register(shop, broken(), age_days=4)
    assert judged(shop, ann) is Reason.REGISTERED
    assert register(shop, [OTHER], age_days=3) == 1
    assert shop.rows("SELECT count(*) AS n FROM registered_number") == [{"n": 1}]


# hours


@pytest.mark.parametrize(
    ("numbers", "now", "until"),
    [
        ([NUMBER], "2026-11-23T12:59:00", "2026-11-23T13:00:00"),
        ([NUMBER], "2026-11-23T13:00:00", None),
        ([NUMBER], "2026-11-24T01:59:00", None),
        ([NUMBER], "2026-11-24T02:00:00", "2026-11-24T13:00:00"),
        ([NUMBER, "+13105550123"], "2026-11-23T15:30:00", "2026-11-23T16:00:00"),
        (["+447700900123"], "2026-07-01T06:59:00", "2026-07-01T07:00:00"),
        (["+447700900123"], "2026-07-01T07:00:00", None),
    ],
)
def test_tcpa_64_1200_c_1_calls_wait_for_8_and_end_at_21_where_the_number_is(
    numbers: list[str], now: str, until: str | None
) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert waits_until(numbers, at(now)) == (at(until) if until else None)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from((NUMBER, "+13105550123", "+447700900123", "+493023125000", "+18005550123")),
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 31)),
)
def test_nobody_is_called_out_of_hours_in_any_zone_where_they_may_be(number: str, naive: datetime) -> None:
    now = naive.replace(tzinfo=UTC)
    local = [now.astimezone(ZoneInfo(zone)) for zone in zones_of([number])]
    assert local
    assert (waits_until([number], now) is None) == all(8 <= each.hour < 21 for each in local)


def test_who_lives_abroad_is_called_when_it_suits_there_too() -> None:
    early = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    assert waits_until([NUMBER], early, "US") is None
    assert waits_until([NUMBER], early, "JP") is not None


def test_the_hour_is_told_of_one_customer_and_never_of_another_channel(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = shop.customer("club", "1")
    phone(shop, ann)
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    shop.consent(ann, at=FIRST, purpose="marketing", channel="phone")
    later = datetime.now(UTC) + timedelta(hours=9)
    monkeypatch.setattr("hub.privacy.consent.contact.waits_until", lambda *_: later)
    verdict = asked(shop, ann, "phone", USE)
    assert (verdict.reason, verdict.allowed, verdict.allowed_from) == (Reason.CALLING_HOURS, False, later)
    assert asked(shop, ann, "email", USE).allowed
    assert asked(shop, ann, "phone", "sales").reason is Reason.NOT_NEEDED
    assert audience(shop.services, shop.author("marketing"), "phone", USE).count == 1
