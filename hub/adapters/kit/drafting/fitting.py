"""Which converters make a field's values fit a property: tried on the sample, by the converters themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from hub.adapters.converters import CONVERTERS, Context, compile_chain, natural
from hub.adapters.converters.base import is_absent
from hub.adapters.kit.drafting.vocabulary import GENDERS, NO_WORDS, NOTHING, YES_WORDS
from hub.adapters.paths import Scope
from hub.errors import RecordError
from hub.ontology import Property, PropertyType

Steps = tuple[Any, ...]
"""Converters as the YAML has them."""

ENOUGH: Final = 0.95
"""The share of values that have to fit for a field to be mapped: a sync bears a fifth that do not."""

_DATES: Final = (
    *(
        "%Y%m%d",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d.%m.%Y",
        "%d-%m-%Y",
        "%Y/%m/%d",
        "%d %b %Y",
        "%d %B %Y",
        "%d-%b-%Y",
    ),
    *("%b %d, %Y", "%B %d, %Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y"),
)
_CLOCKS: Final = (" %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", "T%H:%M:%S", " %H.%M")
_ISO_TIMES: Final = (
    *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"),
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M"),
)
_OLDEST, _NEWEST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1980, 2100))


@dataclass(frozen=True, slots=True)
class Fit:
    """How a field's values become a property's."""

    steps: Steps
    fitting: int
    """Values that fit."""
    tried: int
    doubt: str = ""
    """What a person should look at."""

    @property
    def is_good(self) -> bool:
        """Whether so many fit that the field can be mapped."""
        return self.tried > 0 and self.fitting >= ENOUGH * self.tried


def fit(prop: Property, values: Sequence[Any], context: Context, currency_path: str | None = None) -> Fit:
    """The way by which most of `values` become values of `prop`; the simplest of equally good ones."""
    nothing = tuple(
        dict.fromkeys(v for v in values if isinstance(v, str) and v.strip().casefold() in NOTHING)
    )
    given = [value for value in values if value not in nothing]
    before: Steps = ({"null_if": list(nothing)},) if nothing else ()
    best = Fit(before, 0, len(given))
    doubt = ""
    for steps, why in _ways(prop, given, context, currency_path):
        count = _fitting(prop, steps, given, context)
        if count > best.fitting:
            best, doubt = Fit((*before, *steps), count, len(given), why), why
        elif count == best.fitting and count and why and why == doubt:
            continue
        if best.fitting == len(given):
            break
    return best


def _ways(
    prop: Property, values: Sequence[Any], context: Context, currency_path: str | None
) -> Iterator[tuple[Steps, str]]:
    if prop.type is PropertyType.MONEY and currency_path:
        yield ({"money": {"currency_path": currency_path}},), ""
        yield ({"money": {"currency_path": currency_path, "point": ",", "group": "."}},), ""
        return
    yield (), ""
    if prop.type in _WAYS:
        yield from _WAYS[prop.type](prop, values, context)


def _of_date(_: Property, values: Sequence[Any], context: Context) -> Iterator[tuple[Steps, str]]:
    for form, why in (*_formats(values, context), *((form, "") for form in _ISO_TIMES)):
        yield ({"date": form},), why
    for form, why in _formats(values, context):
        for clock in _CLOCKS:
            yield ({"date": form + clock},), why


def _of_instant(_: Property, values: Sequence[Any], context: Context) -> Iterator[tuple[Steps, str]]:
    if values and all(_is_number(value) for value in values):
        for name, per_second in (("epoch_seconds", 1), ("epoch_millis", 1000)):
            if all(_OLDEST * per_second <= Decimal(str(v)) < _NEWEST * per_second for v in values):
                yield ({"instant": name},), ""
    for form, why in _formats(values, context):
        yield ({"instant": form},), why
        for clock in _CLOCKS:
            yield ({"instant": form + clock},), why


def _formats(values: Sequence[Any], context: Context) -> list[tuple[str, str]]:
    """Notations of days, those of the region first; with a doubt where day and month could change places."""
    american = context.region in ("US", "PH")
    forms = sorted(_DATES, key=lambda form: form.startswith("%m/") != american and "/%" in form)
    days = [match for value in values if (match := re.match(r"(\d{1,2})/(\d{1,2})/", str(value)))]
    is_open = bool(days) and all(int(day[1]) <= 12 and int(day[2]) <= 12 for day in days)
    doubt = "day and month could change places" if is_open else ""
    return [(form, doubt if form.startswith(("%d/", "%m/")) else "") for form in forms]


def _of_number(prop: Property, values: Sequence[Any], _: Context) -> Iterator[tuple[Steps, str]]:
    del values
    name = "integer" if prop.type is PropertyType.INTEGER else "decimal"
    if prop.type is PropertyType.MONEY:
        name = "money"
    for notation in ({"group": ","}, {"point": ",", "group": "."}, {"point": ",", "group": " "}):
        yield ({name: notation},), ""


def _of_boolean(_: Property, __: Sequence[Any], ___: Context) -> Iterator[tuple[Steps, str]]:
    yield ({"boolean": {"true_words": list(YES_WORDS), "false_words": list(NO_WORDS)}},), ""


def _of_country(_: Property, __: Sequence[Any], ___: Context) -> Iterator[tuple[Steps, str]]:
    yield ("country",), ""


def _of_enum(prop: Property, _: Sequence[Any], __: Context) -> Iterator[tuple[Steps, str]]:
    if prop.name == "gender":
        yield ("lower", {"map": dict(GENDERS)}), ""


_WAYS: Final[dict[PropertyType, Callable[..., Iterator[tuple[Steps, str]]]]] = {
    PropertyType.DATE: _of_date,
    PropertyType.INSTANT: _of_instant,
    PropertyType.MONEY: _of_number,
    PropertyType.DECIMAL: _of_number,
    PropertyType.INTEGER: _of_number,
    PropertyType.BOOLEAN: _of_boolean,
    PropertyType.COUNTRY: _of_country,
    PropertyType.ENUM: _of_enum,
}


def _fitting(prop: Property, steps: Steps, values: Sequence[Any], context: Context) -> int:
    chain = compile_chain([_converter(step) for step in steps if not _reads_beside(step)], context)
    last = natural(prop, context)
    nowhere, count = Scope({}, {}), 0
    for value in values:
        try:
            made = last(chain(value, nowhere))
        except RecordError:
            continue
        count += not is_absent(made)
    return count


def _reads_beside(step: Any) -> bool:
    """Whether a step needs other fields of the record: the amount alone says whether it is read."""
    return isinstance(step, dict) and isinstance(step.get("money"), dict) and "currency_path" in step["money"]


def _converter(step: Any) -> Any:
    name, settings = (step, None) if isinstance(step, str) else next(iter(step.items()))
    return CONVERTERS[name].model_validate(settings)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | Decimal) or (
        isinstance(value, str) and bool(re.fullmatch(r"\d{9,13}", value))
    )
