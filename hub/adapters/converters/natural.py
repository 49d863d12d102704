"""What a property's type makes of a value, whatever converters stand before: the last step of every property.

| type     | takes                                                                                   |
|----------|-----------------------------------------------------------------------------------------|
| text     | text, stripped; numbers as written                                                      |
| integer  | whole numbers, also as text                                                             |
| decimal  | numbers with a point, also as text; more digits after it than the property keeps are refused |
| money    | as decimal, with the source's currency                                                  |
| boolean  | true, false, 1, 0, yes, no, y, n, t, f                                                  |
| date     | ISO dates: `1984`, `1984-05`, `1984-05-12`; a time of day is refused unless midnight    |
| instant  | ISO times; without an offset in the source's zone, a date alone is its midnight there   |
| email, phone | addresses in lower case; numbers in E.164, of the source's region without country code |
| url      | addresses with a scheme; `www.` gets `https://`                                         |
| country, currency | ISO codes, in capitals                                                         |
| language | BCP 47 tags: `en`, `de-AT`                                                              |
| enum     | one of the property's values, whatever its case                                         |

An empty text is absent. Messages hold no values.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from hub.adapters.converters.base import Context, Step, is_absent, text_of
from hub.adapters.converters.codes import BooleanWords, email_step, phone_step
from hub.adapters.converters.iso import COUNTRIES, CURRENCIES
from hub.adapters.converters.numbers import IntegerNumber, MoneyAmount, whole_number
from hub.adapters.converters.times import FIRST_YEAR, iso_instant
from hub.adapters.paths import Scope
from hub.ontology.model import Property, PropertyType
from hub.store.codec import scale_of
from hub.values import Money, is_partial_date

_INT64 = 2**63 - 1

MAX_IDENTIFIER = 500
"""Characters of an identifier: they are indexed, and PostgreSQL refuses index entries beyond about 2,700 bytes."""


def natural(prop: Property, context: Context) -> Step:
    """The function from any value to the exact value that `prop` holds, None when there is none.

    It raises RecordError for what does not fit.
    """
    one = _MAKERS[prop.type](prop, context)
    if prop.many:
        return _many(one)

    def convert(value: Any) -> Any:
        if value is None or value == "":
            return None
        if type(value) is list:
            raise context.refusal("bad_value", "a list stands where one value is expected")
        return None if is_absent(value) else one(value)

    return convert


def _many(one: Step) -> Step:
    def convert(value: Any) -> Any:
        values = value if type(value) is list else [value]
        found = (one(item) for item in values if not is_absent(item))
        return tuple(item for item in found if item is not None) or None

    return convert


def _text(prop: Property, context: Context) -> Step:
    limit = MAX_IDENTIFIER if prop.identifier else sys.maxsize

    def convert(value: Any) -> str | None:
        text = value.strip() if type(value) is str else text_of(value, context)
        if len(text) > limit:
            raise context.refusal("too_large", f"is longer than {limit} characters")
        if not text.isascii() or "\x00" in text:
            _refuse_unstorable(text, context)
        return text

    return convert


def _refuse_unstorable(text: str, context: Context) -> None:
    if "\x00" in text:
        raise context.refusal("bad_value", "holds a NUL character, which no database keeps")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise context.refusal("bad_value", "is not valid Unicode: it has half a surrogate pair") from None


def _integer(prop: Property, context: Context) -> Step:
    del prop
    read = IntegerNumber().reader(context)

    def convert(value: Any) -> int:
        number = value if type(value) is int else whole_number(read(value), context)
        if abs(number) > _INT64:
            raise context.refusal("too_large", "does not fit 64 bits")
        return number

    return convert


def _decimal(prop: Property, context: Context) -> Step:
    read = IntegerNumber().reader(context)
    fit = _fitting(scale_of(prop), context)
    return lambda value: fit(read(value))


def _fitting(scale: int, context: Context) -> Callable[[Decimal], Decimal]:
    largest = Decimal(_INT64).scaleb(-scale)
    last_digit = Decimal(1).scaleb(-scale)

    def fit(value: Decimal) -> Decimal:
        if not -largest <= value <= largest:
            raise context.refusal("too_large", f"does not fit 64 bits with {scale} digits after the point")
        if value != value.quantize(last_digit):
            raise context.refusal("too_precise", f"has more than {scale} digits after the point")
        return value

    return fit


def _money(prop: Property, context: Context) -> Step:
    read = MoneyAmount().compile(context)
    fit = _fitting(scale_of(prop), context)
    nowhere = Scope(None, {})

    def convert(value: Any) -> Money:
        money: Money = value if type(value) is Money else read(value, nowhere)
        fit(money.amount)
        return money

    return convert


def _boolean(prop: Property, context: Context) -> Step:
    del prop
    words = BooleanWords().step(context)
    return lambda value: value if type(value) is bool else words(value)


_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]00:00(?::00(?:\.0+)?)?")


def _date(prop: Property, context: Context) -> Step:
    del prop

    def convert(value: Any) -> str:
        text = text_of(value, context)
        if midnight := _MIDNIGHT.fullmatch(text):
            text = midnight[1]
        if not (_is_day(text) or (len(text) < 10 and is_partial_date(text))) or int(text[:4]) < FIRST_YEAR:
            raise context.refusal(
                "bad_value", "is no ISO 8601 date; name its format with the converter `date`"
            )
        return text

    return convert


def _is_day(text: str) -> bool:
    if len(text) != 10:
        return False
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _instant(prop: Property, context: Context) -> Step:
    del prop
    return iso_instant(context, context.zone)


def _email(prop: Property, context: Context) -> Step:
    del prop
    return email_step(context)


def _phone(prop: Property, context: Context) -> Step:
    del prop
    return phone_step(context, context.region)


def _url(prop: Property, context: Context) -> Step:
    text = _text(prop, context)

    def convert(value: Any) -> str:
        found: str = text(value)
        address = f"https://{found}" if found.lower().startswith("www.") else found
        if not _is_address(address):
            raise context.refusal("bad_value", "is no web address")
        return address

    return convert


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and not re.search(r"\s", text)


_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")


def _language(prop: Property, context: Context) -> Step:
    del prop

    def convert(value: Any) -> str:
        match = _LANGUAGE.fullmatch(text_of(value, context))
        if match is None:
            raise context.refusal("bad_value", "is no BCP 47 language tag such as en or de-AT")
        language, script, region = match.groups()
        parts = [language.lower(), (script or "").title(), (region or "").upper()]
        return "-".join(filter(None, parts))

    return convert


def _listed(options: frozenset[str], what: str) -> Callable[[Property, Context], Step]:
    def make(prop: Property, context: Context) -> Step:
        del prop

        def convert(value: Any) -> str:
            code = text_of(value, context).upper()
            if code not in options:
                raise context.refusal("unknown_code", f"is no {what} code")
            return code

        return convert

    return make


def _enum(prop: Property, context: Context) -> Step:
    values = {value.casefold(): value for value in prop.values}

    def convert(value: Any) -> str:
        found = values.get(text_of(value, context).casefold())
        if found is None:
            raise context.refusal("unknown_code", f"is none of {', '.join(prop.values)}")
        return found

    return convert


def _reference(prop: Property, context: Context) -> Step:
    raise TypeError(f"{context.field} of type {prop.type} is stated under `links`")


_MAKERS: dict[PropertyType, Callable[[Property, Context], Step]] = {
    PropertyType.TEXT: _text,
    PropertyType.INTEGER: _integer,
    PropertyType.DECIMAL: _decimal,
    PropertyType.MONEY: _money,
    PropertyType.BOOLEAN: _boolean,
    PropertyType.DATE: _date,
    PropertyType.INSTANT: _instant,
    PropertyType.EMAIL: _email,
    PropertyType.PHONE: _phone,
    PropertyType.URL: _url,
    PropertyType.COUNTRY: _listed(COUNTRIES, "ISO 3166-1 alpha-2 country"),
    PropertyType.LANGUAGE: _language,
    PropertyType.CURRENCY: _listed(CURRENCIES, "ISO 4217 currency"),
    PropertyType.ENUM: _enum,
    PropertyType.REFERENCE: _reference,
}
