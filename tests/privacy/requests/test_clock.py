"""Article 12(3) and its like: by when a request is to be answered."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.privacy.requests.clock import (
    Law,
    Pause,
    Paused,
    add_months,
    business_days_after,
    deadline,
    may_extend,
    may_pause,
    next_working_day,
)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("received", "last"),
    [
        ("2026-03-05", "2026-04-06"),  # 5 April 2026 is a Sunday
        ("2027-01-31", "2027-03-01"),  # 28 February 2027 is a Sunday
        ("2028-01-31", "2028-02-29"),  # a leap year, a Tuesday
        ("2028-02-29", "2028-03-29"),
        ("2026-08-31", "2026-09-30"),
        ("2026-12-31", "2027-02-01"),  # 31 January 2027 is a Sunday
        ("2027-09-30", "2027-11-01"),  # 30 October 2027 is a Saturday
        ("2099-12-31", "2100-02-01"),  # 2100 is no leap year, and 31 January 2100 a Sunday
        ("2100-01-29", "2100-03-01"),  # 28 February 2100 is a Sunday
    ],
)
@pytest.mark.parametrize("law", [Law.GDPR, Law.UK])
def test_article_12_one_month_ends_on_the_same_date_or_the_month_s_last_working_day(
    law: Law, received: str, last: str
) -> None:
    assert deadline(law, day(received)) == day(last)


@pytest.mark.parametrize(
    ("received", "last"),
    [("2026-11-30", "2027-03-01"), ("2027-11-30", "2028-02-29"), ("2026-03-05", "2026-06-05")],
)
def test_article_12_two_further_months_are_counted_from_receipt(received: str, last: str) -> None:
    assert deadline(Law.GDPR, day(received), extended=True) == day(last)


def test_a_public_holiday_is_no_working_day() -> None:
    holidays = [day("2026-12-25"), day("2026-12-28")]
    assert deadline(Law.UK, day("2026-11-25"), holidays=holidays) == day("2026-12-29")


@pytest.mark.parametrize(
    ("pauses", "today", "last"),
    [
        ([("2026-03-10", "2026-03-20")], "2026-03-25", "2026-04-15"),
        ([("2026-03-10", "2026-03-20"), ("2026-03-21", "2026-03-22")], "2026-03-25", "2026-04-16"),
        ([("2026-03-10", None)], "2026-03-13", "2026-04-08"),
        ([("2026-03-10", "2026-03-10")], "2026-03-25", "2026-04-06"),
    ],
)
def test_article_12a_of_the_uk_the_clock_stands_while_the_person_is_asked(
    pauses: list[tuple[str, str | None]], today: str, last: str
) -> None:
    stood = [
        Paused(day(since), day(until) if until else None, Pause.CLARIFICATION) for since, until in pauses
    ]
    assert deadline(Law.UK, day("2026-03-05"), pauses=stood, today=day(today)) == day(last)


def test_ccpa_130_has_45_calendar_days_and_45_more() -> None:
    assert deadline(Law.CCPA, day("2026-01-02")) == day("2026-02-16")
    assert deadline(Law.CCPA, day("2026-01-02"), extended=True) == day("2026-04-02")


def test_ccpa_135_opt_out_has_15_business_days() -> None:
    assert deadline(Law.CCPA, day("2026-01-02"), is_opt_out=True) == day("2026-01-23")
    assert deadline(Law.CCPA, day("2026-01-02"), is_opt_out=True, holidays=[day("2026-01-19")]) == day(
        "2026-01-26"
    )


def test_what_the_laws_let_be_paused_and_extended() -> None:
    allowed = {(law, reason) for law in Law for reason in Pause if may_pause(law, reason)}
    assert allowed == {
        (Law.UK, Pause.IDENTITY),
        (Law.UK, Pause.CLARIFICATION),
        (Law.UK, Pause.FEE),
        (Law.GDPR, Pause.IDENTITY),
        (Law.GDPR, Pause.CLARIFICATION),
    }
    assert [law for law in Law if may_extend(law, is_opt_out=True)] == [Law.GDPR, Law.UK]
    assert all(may_extend(law, is_opt_out=False) for law in Law)


DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2150, 12, 31))


@given(DAYS, st.integers(min_value=0, max_value=24))
def test_months_keep_the_day_or_take_the_last_there_is(start: date, months: int) -> None:
    end = add_months(start, months)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)


@given(DAYS, st.sampled_from(list(Law)), st.booleans())
def test_a_later_receipt_is_never_due_earlier_and_extending_never_shortens(
    received: date, law: Law, opt_out: bool
) -> None:
    first, later = (
        deadline(law, each, is_opt_out=opt_out) for each in (received, received + timedelta(days=1))
    )
    assert received < first <= later
    assert deadline(law, received, is_opt_out=opt_out, extended=True) >= first


@given(DAYS, st.sets(st.integers(min_value=0, max_value=40), max_size=10))
def test_a_working_day_is_no_weekend_and_no_holiday(start: date, offsets: set[int]) -> None:
    holidays = {start + timedelta(days=each) for each in offsets}
    found = next_working_day(start, holidays)
    assert found.weekday() < 5
    assert found not in holidays
    between = [start + timedelta(days=each) for each in range((found - start).days)]
    assert all(each.weekday() >= 5 or each in holidays for each in between)
    assert business_days_after(start, 15, holidays) > found
