"""By when a privacy request is to be answered, by the law that it falls under.

| law  | kinds                 | time                         | longer by                   | stops until       |
|------|-----------------------|------------------------------|-----------------------------|-------------------|
| gdpr | all                   | one month (Art. 12(3))       | two months, told within one | the person is known |
| uk   | all                   | one month (Art. 12(3), 12A)  | two months, told within one | the person answers  |
| ccpa | know, delete, correct | 45 days (1)                  | 45 days, told within 45     | never             |
| ccpa | opt out, limit        | 15 business days (2)         | never                       | never             |

(1) Cal. Civ. Code 1798.130(a)(2). (2) 11 CCR 7026(f), 7027(g).

Months are those of Regulation (EEC, Euratom) 1182/71 Art. 3: a month from the 31st ends with the last day of a shorter
one, and what ends on a Saturday, Sunday or holiday ends with the next working day. California's 45 days are calendar
days, and are not moved to a working day here, which is the stricter reading.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_CCPA_DAYS = 45
_OPT_OUT_BUSINESS_DAYS = 15
_SATURDAY = 5


class Law(StrEnum):
    """The law that a request falls under."""

    GDPR = "gdpr"
    UK = "uk"
    CCPA = "ccpa"


class Pause(StrEnum):
    """Why the clock stops."""

    IDENTITY = "identity"
    CLARIFICATION = "clarification"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Paused:
    """Days on which the clock stood; `until` is None while it does."""

    since: date
    until: date | None
    reason: Pause


def may_pause(law: Law, reason: Pause) -> bool:
    """Whether the law lets the clock stop for this.

    Art. 12(6) GDPR with EDPB Guidelines 01/2022, nos. 157 to 159: to learn who it is and what is meant; the UK's
    Art. 12A (Data (Use and Access) Act 2025, s. 76) for a fee as well. California's clock never stops (11 CCR 7021(b)).
    """
    return law is Law.UK or (law is Law.GDPR and reason is not Pause.FEE)


def may_extend(law: Law, *, is_opt_out: bool) -> bool:
    """Whether the law knows a longer time at all."""
    return not (law is Law.CCPA and is_opt_out)


def deadline(
    law: Law,
    received: date,
    *,
    is_opt_out: bool = False,
    extended: bool = False,
    pauses: Sequence[Paused] = (),
    today: date | None = None,
    holidays: Collection[date] = (),
) -> date:
    """The last day on which the answer is in time. A pause that goes on moves it by the days up to `today`."""
    if law is Law.CCPA:
        if is_opt_out:
            return business_days_after(received, _OPT_OUT_BUSINESS_DAYS, holidays)
        return received + timedelta(days=_CCPA_DAYS * (2 if extended else 1))
    last = add_months(received, 3 if extended else 1)
    stood = sum(((pause.until or today or pause.since) - pause.since).days for pause in pauses)
    return next_working_day(last + timedelta(days=stood), holidays)


def add_months(start: date, months: int) -> date:
    """The same day so many months later, or the last of that month where it has no such day."""
    year, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + year, month + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def next_working_day(day: date, holidays: Collection[date] = ()) -> date:
    """The day itself, or the first after it that is no Saturday, Sunday or holiday."""
    while day.weekday() >= _SATURDAY or day in holidays:
        day += timedelta(days=1)
    return day


def business_days_after(start: date, days: int, holidays: Collection[date] = ()) -> date:
    """The day that is so many working days after this one."""
    day = start
    for _ in range(days):
        day = next_working_day(day + timedelta(days=1), holidays)
    return day
