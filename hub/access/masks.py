"""Masks: what a requester sees in place of a value that the policy lets them see only in part.

A *mask* is a deterministic function of a stored value, written twice: in Python, and as an SQL expression
for SQLite (3.37 or later) and PostgreSQL (13 or later). A property test holds the two equal. A mask keeps the
storage type of its column (a masked amount is still an amount); only `age_band` makes text of a date.

    MASKS["email"].python("anna.k@shop.example.com")      'a***@s***.com'
    MASKS["year"].sql("t.birth_date", "sqlite", type_=PropertyType.DATE)
                                                          "substr(t.birth_date, 1, 4)"

The SQL repeats its operand, so give it a column, not a subquery. It holds no `%`, `?` or `:name`, which drivers
would read as parameters. A property's companion column (currency, zone) is not the mask's business: read it
as it is, except under `withhold`, where it is null as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

from hub.ontology import Property, PropertyType
from hub.values import Instant, Money

Dialect = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class _Operand:
    """A column as SQL text, with what a mask must know of it."""

    expr: str
    dialect: Dialect
    type: PropertyType
    scale: int
    today: str

    @property
    def on_sqlite(self) -> bool:
        return self.dialect == "sqlite"


@dataclass(frozen=True, slots=True)
class Mask:
    """One registered mask, safe for any value of the property types it `applies_to`."""

    name: str
    description: str
    """What a reader of the access map is told."""
    applies_to: frozenset[PropertyType]
    _python: Callable[[object, date], object]
    _sql: Callable[[_Operand], str]
    only: frozenset[str] = frozenset()
    """Where given, the categories that it shows anything of."""

    def suits(self, prop: Property) -> bool:
        """Whether it shows anything of such a property."""
        return (
            prop.type in self.applies_to and not prop.many and (not self.only or prop.category in self.only)
        )

    def python(self, value: object, *, today: date | None = None) -> object:
        """The masked value; None for None and for a value of a kind that the mask does not know.

        `today` (UTC's, unless given) matters to `age_band` only.
        """
        return None if value is None else self._python(value, today or datetime.now(UTC).date())

    def sql(
        self, expr: str, dialect: Dialect, *, type_: PropertyType, scale: int = 4, today: str | None = None
    ) -> str:
        """The masked value as an SQL expression of the column `expr`, null where the column is null.

        `type_` and `scale` are the property's: on SQLite decimals and money are integers scaled by 10**scale.
        `today` is an SQL expression of text `YYYY-MM-DD`; by default the database's UTC date, so that a
        cached statement does not age.
        """
        return self._sql(_Operand(expr, dialect, type_, scale, today or TODAY[dialect]))


TODAY: Final[Mapping[Dialect, str]] = {
    "sqlite": "date('now')",
    "postgresql": "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}
"""The database's day in UTC, as text."""


# e-mail: first letters of mailbox and domain, and the top-level domain


def _email_python(value: object, _today: date) -> str | None:
    if not isinstance(value, str):
        return None
    if "@" not in value:
        return "***"
    domain, last_label = value.rpartition("@")[2], value.rpartition(".")[2]
    mailbox = "" if value.startswith("@") else value[:1]
    ending = f".{last_label}" if last_label and "@" not in last_label else ""
    return f"{mailbox}***@{domain[:1]}***{ending}"


def _email_sql(of: _Operand) -> str:
    e = of.expr
    # rtrim(x, every character but the mark) leaves x up to its last mark; what follows is the last part
    domain_letter = f"substr({e}, length(rtrim({e}, replace({e}, '@', ''))) + 1, 1)"
    last_label = f"substr({e}, length(rtrim({e}, replace({e}, '.', ''))) + 1)"
    has_ending = f"{last_label} <> '' AND replace({last_label}, '@', '') = {last_label}"
    return (
        f"CASE WHEN replace({e}, '@', '') = {e} THEN '***' WHEN {e} IS NOT NULL THEN "
        f"CASE WHEN substr({e}, 1, 1) = '@' THEN '' ELSE substr({e}, 1, 1) END || '***@' || {domain_letter} "
        f"|| '***' || CASE WHEN {has_ending} THEN '.' || {last_label} ELSE '' END END"
    )


# phone: the last two digits, an extension left out

_PHONE_LENGTH: Final = 6
"""A number shorter than this, in characters, would be half shown by its last two; it is hidden whole."""


def _phone_python(value: object, _today: date) -> str | None:
    if not isinstance(value, str):
        return None
    number = value.partition(";")[0]
    return f"***{number[-2:]}" if len(number) >= _PHONE_LENGTH else "***"


def _phone_sql(of: _Operand) -> str:
    e = of.expr
    number = f"substr({e}, 1, instr({e} || ';', ';') - 1)" if of.on_sqlite else f"split_part({e}, ';', 1)"
    return (
        f"CASE WHEN length({number}) >= {_PHONE_LENGTH} THEN '***' || substr({number}, length({number}) - 1) "
        f"WHEN {e} IS NOT NULL THEN '***' END"
    )


# name: its first letter, in the case it has (the databases disagree about upper case beyond ASCII)


def _initial_python(value: object, _today: date) -> str | None:
    if not isinstance(value, str):
        return None
    letter = value.lstrip(" ")[:1]
    return f"{letter}." if letter else ""


def _initial_sql(of: _Operand) -> str:
    letter = f"substr(ltrim({of.expr}, ' '), 1, 1)"
    return f"CASE WHEN {letter} <> '' THEN {letter} || '.' WHEN {of.expr} IS NOT NULL THEN '' END"


# address: city, region and country as they are, the rest withheld

_CITY: Final = frozenset(f"user.contact.address.{part}" for part in ("city", "state", "country"))


def _city_python(value: object, _today: date) -> str | None:
    return value if isinstance(value, str) else None


def _city_sql(of: _Operand) -> str:
    return of.expr


# card or account: the last four characters

_LAST4_LENGTH: Final = 8
"""Of a value shorter than this, in characters, four would be more than half; it is hidden whole."""


def _last4_python(value: object, _today: date) -> str | None:
    if not isinstance(value, str):
        return None
    return f"****{value[-4:]}" if len(value) >= _LAST4_LENGTH else "****"


def _last4_sql(of: _Operand) -> str:
    e = of.expr
    return (
        f"CASE WHEN length({e}) >= {_LAST4_LENGTH} THEN '****' || substr({e}, length({e}) - 3) "
        f"WHEN {e} IS NOT NULL THEN '****' END"
    )


# birth date: the ten years of age it falls in

_AGE_BANDS: Final = (
    (18, "0-17"),
    (30, "18-29"),
    *((top, f"{top - 10}-{top - 1}") for top in range(40, 91, 10)),
)
_OLDEST_BAND: Final = "90+"
"""Ages over 89 are few enough to name a person (45 CFR 164.514(b)(2)(i)(C) draws the same line)."""
_PARTIAL_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")


def _age_band_python(value: object, today: date) -> str | None:
    if not isinstance(value, str) or not _PARTIAL_DATE.fullmatch(value):
        return None
    # dates as the number YYYYMMDD: 10,000 apart is one birthday. A missing month or day counts as the first.
    lived = int(today.strftime("%Y%m%d")) - int(f"{value}-01-01"[:10].replace("-", ""))
    if lived < 0:
        return None
    return next((label for top, label in _AGE_BANDS if lived < top * 10_000), _OLDEST_BAND)


def _age_band_sql(of: _Operand) -> str:
    e = of.expr
    today = f"CAST(replace({of.today}, '-', '') AS INTEGER)"
    born = f"CAST(replace(substr({e} || '-01-01', 1, 10), '-', '') AS INTEGER)"
    bands = " ".join(f"WHEN {today} - {born} < {top * 10_000} THEN '{label}'" for top, label in _AGE_BANDS)
    band = f"CASE WHEN {today} < {born} THEN NULL {bands} ELSE '{_OLDEST_BAND}' END"
    return f"CASE WHEN {_is_partial_date_sql(of)} THEN {band} END"


def _is_partial_date_sql(of: _Operand) -> str:
    if not of.on_sqlite:
        return f"{of.expr} ~ '^{_PARTIAL_DATE.pattern}$'"
    digit = "[0-9]"
    month = f"-{digit * 2}"
    return "(" + " OR ".join(f"{of.expr} GLOB '{digit * 4}{month * parts}'" for parts in range(3)) + ")"


# date: its year


def _year_python(value: object, _today: date) -> object:
    if isinstance(value, Instant):
        return Instant(
            value.at.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0), value.zone
        )
    return value[:4] if isinstance(value, str) else None


def _year_sql(of: _Operand) -> str:
    if of.type is not PropertyType.INSTANT:
        return f"substr({of.expr}, 1, 4)"
    if of.on_sqlite:
        return f"substr({of.expr}, 1, 4) || '-01-01T00:00:00.000000Z'"
    return f"date_trunc('year', {of.expr}, 'UTC')"


# amount: the lower end of its band

_BANDS: Final = (*(step * 10**power for power in range(1, 6) for step in (1, 2, 5)), 1_000_000)
"""Lower ends of the bands, in units of the value: 10, 20, 50, 100, ... 1,000,000; below 10 it is 0."""


def _band_python(value: object, _today: date) -> object:
    if isinstance(value, Money):
        return Money(_banded(value.amount), value.currency)
    if isinstance(value, Decimal):
        return _banded(value)
    return int(_banded(Decimal(value))) if isinstance(value, int) and not isinstance(value, bool) else None


def _banded(amount: Decimal) -> Decimal:
    band = next((band for band in reversed(_BANDS) if abs(amount) >= band), 0)
    return Decimal(-band if amount < 0 else band)


def _band_sql(of: _Operand) -> str:
    whole = of.type is PropertyType.INTEGER
    unit = 1 if whole or not of.on_sqlite else 10**of.scale
    bands = " ".join(f"WHEN abs({of.expr}) >= {band * unit} THEN {band * unit}" for band in reversed(_BANDS))
    banded = f"sign({of.expr}) * CASE {bands} ELSE 0 END"
    if of.on_sqlite:
        return banded
    return f"CAST({banded} AS {'BIGINT' if whole else f'NUMERIC(38, {of.scale})'})"


def _nothing_python(_value: object, _today: date) -> None:
    return None


def _nothing_sql(_of: _Operand) -> str:
    return "NULL"


WITHHOLD: Final = Mask("withhold", "nothing is shown", frozenset(PropertyType), _nothing_python, _nothing_sql)


def _typed(*types: PropertyType) -> frozenset[PropertyType]:
    return frozenset(types)


_T = PropertyType
_STRICTEST_FIRST: Final = (
    WITHHOLD,
    Mask("initial", "the first letter: A.", _typed(_T.TEXT), _initial_python, _initial_sql),
    Mask(
        "city",
        "of an address: city, region and country; nothing of the rest",
        _typed(_T.TEXT),
        _city_python,
        _city_sql,
        _CITY,
    ),
    Mask("phone", "the last two digits: ***12", _typed(_T.PHONE, _T.TEXT), _phone_python, _phone_sql),
    Mask(
        "email",
        "first letters and the top-level domain: j***@e***.com",
        _typed(_T.EMAIL, _T.TEXT),
        _email_python,
        _email_sql,
    ),
    Mask(
        "age_band", "the age in bands of ten years: 40-49", _typed(_T.DATE), _age_band_python, _age_band_sql
    ),
    Mask(
        "band",
        "the lower end of the amount's band (0, 10, 20, 50, 100, ... 1,000,000)",
        _typed(_T.MONEY, _T.DECIMAL, _T.INTEGER),
        _band_python,
        _band_sql,
    ),
    Mask(
        "year",
        "the year; an instant is moved to the start of its year, UTC",
        _typed(_T.DATE, _T.INSTANT),
        _year_python,
        _year_sql,
    ),
    Mask("last4", "the last four characters: ****1234", _typed(_T.TEXT), _last4_python, _last4_sql),
)

MASKS: Final[Mapping[str, Mask]] = MappingProxyType({mask.name: mask for mask in _STRICTEST_FIRST})
"""Every mask by name, the strictest first: where several apply to one category, the first of them is used."""


def mask_for(name: str, prop: Property) -> Mask:
    """The mask called `name`, or `withhold` when it does not suit the property.

    A grant names a category, and a category may hold properties of several types; one that the mask was not
    written for, or a list of values, is withheld rather than shown badly masked.
    """
    mask = MASKS[name]
    return mask if mask.suits(prop) else WITHHOLD
