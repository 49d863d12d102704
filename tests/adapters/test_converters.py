"""Converters: tables of what each makes of a source's values, and what each refuses."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.converters import CONVERTERS, Context, compile_chain, natural
from hub.adapters.paths import Scope
from hub.errors import RecordError
from hub.ontology import Property, PropertyType
from hub.values import Instant, Money

CONTEXT = Context("Type.field", region="GB", zone="Europe/London", currency="GBP")
ITEM = {"cur": "EUR", "no": "12", "street": "High St", "empty": ""}


def run(steps: list[Any], value: Any) -> Any:
    named = [next(iter(step.items())) if isinstance(step, dict) else (step, {}) for step in steps]
    chain = compile_chain([CONVERTERS[name].model_validate(config) for name, config in named], CONTEXT)
    return chain(value, Scope(ITEM, ITEM))


def plain(value: Any) -> Any:
    """Values without equality of their own, written out: an instant by its UTC time and zone."""
    if isinstance(value, Instant):
        return f"{value.at.astimezone(UTC).isoformat()} {value.zone}"
    return value


TABLE: list[tuple[Any, Any, Any]] = [
    ("trim", "  a   b ", "a b"),
    ("upper", "straße", "STRASSE"),
    ("lower", "ÄB", "äb"),
    ("title", "MARY O'BRIEN-SMITH'S", "Mary O'Brien-Smith's"),
    ("digits", "12-34 5a", "12345"),
    ({"replace": {"pattern": r"^0+(\d)", "with": r"\1"}}, "00170", "170"),
    ({"split": ","}, "a, b,,c", ["a", "b", "c"]),
    ({"join": " "}, ["High St", None, "", 5], "High St 5"),
    ({"join": {"by": "-"}}, "one", "one"),
    ("first", [None, "", "x", "y"], "x"),
    ("first", [None], None),
    ("last", ["x", "y", " "], "y"),
    ({"null_if": ["N/A", "-"]}, " N/A ", None),
    ({"null_if": "0"}, 0, None),
    ({"null_if": "0"}, 10, 10),
    ({"template": "ORD-{value}"}, 17, "ORD-17"),
    ({"template": "{street} {no} {empty}"}, "x", "High St 12"),
    ({"template": "{0}/{1}"}, ["a", "b"], "a/b"),
    ({"template": "{absent}"}, "x", None),
    # numbers
    ("decimal", "1234.50", Decimal("1234.50")),
    ("decimal", " -7 ", Decimal("-7")),
    ("decimal", "12.5-", Decimal("-12.5")),
    ("decimal", "(3.00)", Decimal("-3.00")),
    ("decimal", "\u22125", Decimal("-5")),
    ("decimal", ".5", Decimal("0.5")),
    ({"decimal": {"point": ",", "group": "."}}, "1.234.567,89", Decimal("1234567.89")),
    ({"decimal": {"point": ",", "group": " "}}, "1\u202f234,5", Decimal("1234.5")),
    ({"decimal": {"group": ","}}, "12,34,567", Decimal(1234567)),
    ({"decimal": {"implied": 2}}, "0001250", Decimal("12.50")),
    ("integer", "12.00", 12),
    ({"integer": {"group": ","}}, "1,234", 1234),
    # dates
    ({"date": "%d.%m.%Y"}, "31.12.1984", "1984-12-31"),
    ({"date": "%Y%m%d"}, 19841231, "1984-12-31"),
    ({"date": ["%d/%m/%Y", "%m/%Y", "%Y"]}, "05/1984", "1984-05"),
    ({"date": ["%d/%m/%Y", "%m/%Y", "%Y"]}, "1984", "1984"),
    ({"date": {"format": "%d%m%y", "pivot": 25}}, "010226", "1926-02-01"),
    ({"date": {"format": "%d%m%y", "pivot": 25}}, "010225", "2025-02-01"),
    ({"date": {"format": "%d%m%y", "pivot": 99}}, "010299", "2099-02-01"),
    ({"date": {"format": "%Y%m%d", "null_words": ["00000000"]}}, "00000000", None),
    ({"date": "%Y%j"}, "2024366", "2024-12-31"),
    # instants
    ("instant", "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05+00:00 +02:00"),
    ("instant", "2026-07-02 03:04:05.5", "2026-07-02T02:04:05.500000+00:00 Europe/London"),
    ("instant", "2026-07-02", "2026-07-01T23:00:00+00:00 Europe/London"),
    ("instant", "2026-07-02T03:04:05Z", "2026-07-02T03:04:05+00:00 UTC"),
    (
        {"instant": {"format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}},
        "02.07.2026 12:00",
        "2026-07-02T10:00:00+00:00 Europe/Berlin",
    ),
    (
        {"instant": {"format": "%Y-%m-%dT%H:%M%z"}},
        "2026-07-02T12:00-0530",
        "2026-07-02T17:30:00+00:00 -05:30",
    ),
    ({"instant": "epoch_seconds"}, 1_767_323_045, "2026-01-02T03:04:05+00:00 UTC"),
    ({"instant": "epoch_seconds"}, Decimal("1767323045.25"), "2026-01-02T03:04:05.250000+00:00 UTC"),
    ({"instant": "epoch_millis"}, "1767323045250", "2026-01-02T03:04:05.250000+00:00 UTC"),
    # a local time that happens twice is the first, one that never happens moves forward
    ("instant", "2026-10-25T01:30:00", "2026-10-25T00:30:00+00:00 Europe/London"),
    ("instant", "2026-03-29T01:30:00", "2026-03-29T01:30:00+00:00 Europe/London"),
    # money
    ("money", "12.50", Money(Decimal("12.50"), "GBP")),
    ({"money": "USD"}, 5, Money(Decimal(5), "USD")),
    ({"money": {"currency_path": "cur"}}, "12.50", Money(Decimal("12.50"), "EUR")),
    ({"money": {"currency_path": "absent"}}, "1", Money(Decimal(1), "GBP")),
    ("money", "EUR 12.50", Money(Decimal("12.50"), "EUR")),
    ({"money": {"point": ",", "group": "."}}, "1.250,00 CHF", Money(Decimal("1250.00"), "CHF")),
    ({"money": {"minor_units": True}}, "1250", Money(Decimal("12.50"), "GBP")),
    ({"money": {"currency": "JPY", "minor_units": True}}, 1250, Money(Decimal(1250), "JPY")),
    # codes and contacts
    ("boolean", "Yes", True),
    ("boolean", 0, False),
    ({"boolean": {"true_words": ["J"], "false_words": ["N"]}}, "j", True),
    ({"map": {"A": "active", "X": None}}, " A ", "active"),
    ({"map": {"A": "active", "X": None}}, "X", None),
    ({"map": {1: "one", "*": "other"}}, 1, "one"),
    ({"map": {1: "one", "*": "other"}}, 2, "other"),
    ({"lookup": {"table": {"a": "b"}, "unknown": "keep"}}, "z", "z"),
    ({"lookup": {"table": {"a": "b"}, "unknown": "null"}}, "z", None),
    ("country", "deu", "DE"),
    ("country", "United Kingdom", "GB"),
    ("country", "France", "FR"),
    ("phone", "020 7946 0000", "+442079460000"),
    ({"phone": "US"}, "(202) 555-0143", "+12025550143"),
    ("phone", "+44 20 7946 0000 ext. 12", "+442079460000;ext=12"),
    ("email", "Ada@Example.COM", "ada@example.com"),
]

REFUSED: list[tuple[Any, Any, str]] = [
    ("decimal", "1,5", "bad_value"),
    ("decimal", "", "absent"),
    ("decimal", "1.2.3", "bad_value"),
    ("decimal", "-1-", "bad_value"),
    ("decimal", "(1", "bad_value"),
    ("decimal", "1e5", "bad_value"),
    ("decimal", "NaN", "bad_value"),
    ("decimal", "9" * 500, "bad_value"),
    ("decimal", Decimal("1e999999999"), "too_large"),
    ("decimal", {"a": 1}, "bad_value"),
    ({"decimal": {"group": ","}}, "12,50", "bad_value"),
    ("integer", "12.5", "too_precise"),
    ({"date": "%d.%m.%Y"}, "30.02.2024", "bad_value"),
    ({"date": "%d.%m.%Y"}, "2024-01-01", "bad_value"),
    ("instant", "yesterday", "bad_value"),
    ("instant", 20260102, "bad_value"),
    ("instant", "0001-01-01T00:00:00", "bad_value"),
    ("instant", "9999-12-31T23:59:59-10:00", "bad_value"),
    ({"instant": "epoch_millis"}, "1e30", "bad_value"),
    ({"instant": "epoch_seconds"}, True, "bad_value"),
    ({"money": {"currency_path": "no"}}, "1", "unknown_currency"),
    ({"money": "GBP"}, "1 EUR", "bad_value"),
    ("money", "£1", "bad_value"),
    ("boolean", "maybe", "unknown_code"),
    ({"map": {"A": "active"}}, "a", "unknown_code"),
    ({"lookup": {"table": {"a": "b"}}}, "z", "unknown_code"),
    ("country", "Atlantis", "unknown_code"),
    ("phone", "call me", "bad_value"),
    ("phone", "123", "bad_value"),
    ("email", "ada at example.com", "bad_value"),
    ("upper", {"a": 1}, "bad_value"),
]


@pytest.mark.parametrize(("step", "value", "expected"), TABLE)
def test_a_converter_gives(step: Any, value: Any, expected: Any) -> None:
    found = plain(run([step], value))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("step", "value", "code"), [row for row in REFUSED if row[2] != "absent"])
def test_a_converter_refuses_with_a_code_and_without_the_value(step: Any, value: Any, code: str) -> None:
    with pytest.raises(RecordError) as caught:
        run([step], value)
    assert (caught.value.field, caught.value.code) == ("Type.field", code)
    if isinstance(value, str) and len(value) > 3:
        assert value not in str(caught.value)


def test_every_converter_is_described_and_tried() -> None:
    tried = {next(iter(step)) if isinstance(step, dict) else step for step, _, _ in TABLE}
    assert tried == set(CONVERTERS)
    docs = [kind.__doc__ for kind in CONVERTERS.values()]
    assert all(docs)
    assert len(set(docs)) == len(docs)
    for kind in CONVERTERS.values():
        assert all(field.description for field in kind.model_fields.values()), kind.name


@pytest.mark.parametrize("value", [None, "", "  \t"])
def test_a_chain_stops_at_what_is_absent(value: Any) -> None:
    assert run(["upper", {"decimal": {}}], value) is None


def test_a_chain_goes_through_lists_value_by_value() -> None:
    assert run([{"split": ";"}, "upper", {"null_if": "B"}], "a;b;;c") == ["A", None, "C"]
    assert run([{"split": ";"}, "upper", "first"], "a;b") == "A"


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("decimal", {"point": ",", "group": ","}),
        ("decimal", {"point": "5"}),
        ("date", {"format": "%d.%m"}),
        ("date", {"format": "%E"}),
        ("instant", {"format": ["epoch_seconds", "%Y"]}),
        ("instant", {"zone": "Mars/Base"}),
        ("money", {"currency": "GBP", "currency_path": "x"}),
        ("money", {"currency_path": "x["}),
        ("boolean", {"true_words": ["x"], "false_words": ["X"]}),
        ("lookup", {}),
        ("lookup", {"table": {"a": 1}, "key": "code"}),
        ("replace", {"pattern": "(a)", "with": r"\2"}),
        ("template", {"text": "no place"}),
        ("template", {"text": "{a[}"}),
        ("map", {}),
        ("phone", {"region": "XX"}),
    ],
)
def test_a_converter_that_cannot_work_is_refused_before_any_record(name: str, config: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        CONVERTERS[name].model_validate(config)


def prop(type_: PropertyType, **more: Any) -> Property:
    return Property(name="field", type=type_, label="Field", category="user", **more)


NATURAL: list[tuple[Property, Any, Any]] = [
    (prop(PropertyType.TEXT), "  a  b ", "a  b"),
    (prop(PropertyType.TEXT), " ", None),
    (prop(PropertyType.TEXT), 17, "17"),
    (prop(PropertyType.TEXT), Decimal("1.50"), "1.50"),
    (prop(PropertyType.TEXT), Decimal("1E+3"), "1000"),
    (prop(PropertyType.TEXT), True, "true"),
    (prop(PropertyType.INTEGER), "42", 42),
    (prop(PropertyType.INTEGER), Decimal("42.0"), 42),
    (prop(PropertyType.DECIMAL), "1234.50", Decimal("1234.50")),
    (prop(PropertyType.DECIMAL), 3, Decimal(3)),
    (prop(PropertyType.DECIMAL, scale=2), "1.500", Decimal("1.500")),
    (prop(PropertyType.MONEY), "12.5", Money(Decimal("12.5"), "GBP")),
    (prop(PropertyType.BOOLEAN), "Y", True),
    (prop(PropertyType.BOOLEAN), 0, False),
    (prop(PropertyType.BOOLEAN), False, False),
    (prop(PropertyType.DATE), "1984", "1984"),
    (prop(PropertyType.DATE), "1984-05", "1984-05"),
    (prop(PropertyType.DATE), "1984-05-12", "1984-05-12"),
    (prop(PropertyType.DATE), "1984-05-12T00:00:00", "1984-05-12"),
    (prop(PropertyType.EMAIL), "A@Example.com", "a@example.com"),
    (prop(PropertyType.PHONE), "020 7946 0000", "+442079460000"),
    (prop(PropertyType.PHONE), "+442079460000;ext=12", "+442079460000;ext=12"),
    (prop(PropertyType.URL), "https://example.com/a?b", "https://example.com/a?b"),
    (prop(PropertyType.URL), "www.example.com", "https://www.example.com"),
    (prop(PropertyType.COUNTRY), "gb", "GB"),
    (prop(PropertyType.LANGUAGE), "DE_at", "de-AT"),
    (prop(PropertyType.LANGUAGE), "zh-hant-tw", "zh-Hant-TW"),
    (prop(PropertyType.CURRENCY), "eur", "EUR"),
    (prop(PropertyType.ENUM, values=("open", "Closed")), "CLOSED", "Closed"),
    (prop(PropertyType.TEXT, many=True), ["a", None, " ", "b"], ("a", "b")),
    (prop(PropertyType.TEXT, many=True), "a", ("a",)),
    (prop(PropertyType.TEXT, many=True), [], None),
]

REFUSED_NATURALLY: list[tuple[Property, Any, str]] = [
    (prop(PropertyType.TEXT), ["a"], "bad_value"),
    (prop(PropertyType.TEXT), {"a": 1}, "bad_value"),
    (prop(PropertyType.TEXT), "a\x00b", "bad_value"),
    (prop(PropertyType.TEXT), "a\ud800", "bad_value"),
    (prop(PropertyType.TEXT, identifier="loyalty_card"), "x" * 501, "too_large"),
    (prop(PropertyType.INTEGER), 2**63, "too_large"),
    (prop(PropertyType.INTEGER), "1.5", "too_precise"),
    (prop(PropertyType.DECIMAL), "1.23456", "too_precise"),
    (prop(PropertyType.DECIMAL), "922337203685477.5808", "too_large"),
    (prop(PropertyType.DECIMAL), Decimal("1e400"), "too_large"),
    (prop(PropertyType.DECIMAL), Decimal("1e-400"), "too_large"),
    (prop(PropertyType.MONEY), "0.00001", "too_precise"),
    (prop(PropertyType.BOOLEAN), 2, "unknown_code"),
    (prop(PropertyType.DATE), "1984-13", "bad_value"),
    (prop(PropertyType.DATE), "19840512", "bad_value"),
    (prop(PropertyType.DATE), "1984-05-12T10:00:00", "bad_value"),
    (prop(PropertyType.DATE), "0000-00-00", "bad_value"),
    (prop(PropertyType.DATE), "٢٠٢٤-01-01", "bad_value"),
    (prop(PropertyType.INSTANT), 17, "bad_value"),
    (prop(PropertyType.URL), "not a url", "bad_value"),
    (prop(PropertyType.COUNTRY), "Germany", "unknown_code"),
    (prop(PropertyType.LANGUAGE), "english", "bad_value"),
    (prop(PropertyType.CURRENCY), "EURO", "unknown_code"),
    (prop(PropertyType.ENUM, values=("open",)), "shut", "unknown_code"),
]


@pytest.mark.parametrize(("property_", "value", "expected"), NATURAL)
def test_without_converters_the_type_decides(property_: Property, value: Any, expected: Any) -> None:
    found = natural(property_, CONTEXT)(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("property_", "value", "code"), REFUSED_NATURALLY)
def test_the_type_refuses_what_does_not_fit(property_: Property, value: Any, code: str) -> None:
    with pytest.raises(RecordError) as caught:
        natural(property_, CONTEXT)(value)
    assert caught.value.code == code


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters())
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["2024-01-01", "12.5", "+442079460000", "a@example.com", "EUR 5", "9" * 5000, " " * 3000]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(ANY_JSON)
def test_no_type_answers_any_json_with_anything_but_a_value_or_a_record_error(value: Any) -> None:
    for type_ in PropertyType:
        if type_ is PropertyType.REFERENCE:
            continue
        many = type_ not in (PropertyType.MONEY, PropertyType.INSTANT)
        for more in ({}, {"many": True}) if many else ({},):
            values = {"values": ("a",)} if type_ is PropertyType.ENUM else {}
            convert = natural(prop(type_, **more, **values), CONTEXT)
            try:
                once = convert(value)
            except RecordError:
                continue
            assert convert(list(once) if isinstance(once, tuple) else once) == once or isinstance(
                once, Instant
            )


SETTINGS = {
    "date": {"format": ["%d.%m.%Y", "%Y"]},
    "join": {"by": ","},
    "split": {"by": ","},
    "map": {"a": "b"},
    "lookup": {"table": {"a": "b"}},
    "null_if": ["x"],
    "replace": {"pattern": "a", "with": "b"},
    "template": "{value}{no}",
}


@pytest.mark.parametrize("name", sorted(CONVERTERS))
@given(value=ANY_JSON)
def test_no_converter_answers_any_json_with_anything_but_a_value_or_a_record_error(
    name: str, value: Any
) -> None:
    with contextlib.suppress(RecordError):
        run([{name: SETTINGS.get(name, {})}], value)


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=4))
def test_decimals_survive_exactly_from_their_text(number: Decimal) -> None:
    convert = natural(prop(PropertyType.DECIMAL), CONTEXT)
    assert convert(str(number)) == convert(number) == number
    german = f"{number:,.4f}".replace(",", "_").replace(".", ",").replace("_", ".")
    assert run([{"decimal": {"point": ",", "group": "."}}], german) == number
    assert run(["money"], f"{number} EUR") == Money(number, "EUR")
    minor = run([{"money": {"minor_units": True}}], str(int(number.scaleb(4))))
    assert minor == Money(Decimal(int(number.scaleb(4))).scaleb(-2), "GBP")


@given(st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9999, 12, 30)))
def test_iso_times_survive_to_the_microsecond(at: datetime) -> None:
    found = natural(prop(PropertyType.INSTANT), Context("f", zone="UTC"))(at.isoformat())
    assert found.at.replace(tzinfo=None) == at
