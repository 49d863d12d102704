"""The worked examples of the adapters' reference: what each converter makes of a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a converter makes of one value, as YAML writes all three."""

    yaml: str
    before: str
    after: str


CONVERSIONS: Mapping[str, Conversion] = MappingProxyType(
    {
        "boolean": Conversion("boolean: {true_words: J, false_words: N}", "J", "true"),
        "country": Conversion("country", "Germany", "DE"),
        "date": Conversion('date: "%d.%m.%Y"', "31.01.2026", "2026-01-31"),
        "decimal": Conversion('decimal: {point: ",", group: "."}', "1.234,50", "1234.50"),
        "digits": Conversion("digits", "2610 0001-4471", "261000014471"),
        "email": Conversion("email", " Ann.Lee@Example.COM ", "ann.lee@example.com"),
        "first": Conversion("first", '["", "b", "c"]', "b"),
        "instant": Conversion(
            'instant: {format: "%d/%m/%Y %H:%M", zone: Europe/London}',
            "01/07/2026 09:30",
            "2026-07-01T08:30:00+00:00 (Europe/London)",
        ),
        "integer": Conversion('integer: {group: " "}', "12 000", "12000"),
        "join": Conversion('join: ", "', '["Quay Street", "12"]', "Quay Street, 12"),
        "last": Conversion("last", '["a", "b", ""]', "b"),
        "lookup": Conversion("lookup: {table: {1: web, 2: shop}, unknown: keep}", "2", "shop"),
        "lower": Conversion("lower", "OPEN", "open"),
        "map": Conversion('map: {A: active, X: closed, "*": null}', "A", "active"),
        "money": Conversion("money: EUR", "12.50", "12.50 EUR"),
        "null_if": Conversion('null_if: ["N/A", "-"]', "N/A", "nothing"),
        "phone": Conversion("phone: GB", "020 7946 0018", "+442079460018"),
        "replace": Conversion(r"replace: {pattern: '^0+', with: ''}", "0004711", "4711"),
        "split": Conversion('split: ";"', "red; blue", '["red", "blue"]'),
        "template": Conversion('template: "{0}-{1}"', '["B7", "0042"]', "B7-0042"),
        "title": Conversion("title", "MARY O'BRIEN", "Mary O'Brien"),
        "trim": Conversion("trim", "  Ann   Lee ", "Ann Lee"),
        "upper": Conversion("upper", "ec1a 1bb", "EC1A 1BB"),
    }
)
"""An example for every converter, by its name."""
