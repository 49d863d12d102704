"""Mapping: from one source record to keys, entities, links and exact values, or to one RecordError."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.config import SourceConfig, load_sources
from hub.adapters.mapping import MappedRecord, StreamMapping, compile_stream
from hub.errors import RecordError
from hub.graph.entities import Entity, Reference, SharedIdentifier
from hub.ontology import Ontology, PropertyType, load_ontology
from hub.ontology.identifiers import normal_identifier
from hub.values import Instant, Money, entity_id

ERP = """
source: erp
region: GB
zone: Europe/London
currency: GBP
connector: {type: sql, url: {env: X}}
streams:
  customers:
    read: {table: customers}
    key: customer_no
    observed_at: updated_at
    cursor: updated_at
    entities:
      - type: Organization
        when: kind == 'B'
        properties:
          name: {path: name, required: true}
          telephone: phone
          creditLimit: credit
          status: {path: st, convert: [{map: {A: active, X: closed}}], default: prospect}
          addressCountry: {value: GB}
          customerSince: since
      - type: Person
        when: kind != 'B'
        properties:
          name: {path: [first, last], convert: [join]}
        links:
          worksFor: employer_no
  orders:
    read: {table: orders}
    key: [branch, no]
    entities:
      - type: Order
        properties:
          orderNumber: no
          orderDate: {path: day, convert: [{instant: "%d.%m.%Y"}]}
          total: {path: total, convert: [{money: {currency_path: cur}}]}
        links:
          customer: {key: customer_no, convert: [{null_if: "0"}, upper]}
      - type: OrderLine
        each: lines
        when: qty
        key: [^.branch, ^.no, "#index"]
        properties:
          quantity: qty
        links:
          order: [^.branch, ^.no]
          product: sku
      - type: Product
        each: lines
        key: sku
        shared: true
        properties: {name: title}
  cards:
    read: {table: cards}
    key: id
    entities:
      - type: Interaction
        properties: {startTime: at}
        links:
          customer: {identifier: phone, value: phone, required: true}
      - type: Ticket
        links:
          customer: {identifier: loyalty_card, value: card}
"""

CUSTOMER = {
    "customer_no": " C1 ",
    "kind": "B",
    "updated_at": "2026-07-02T12:00:00",
    "name": "Acme",
    "phone": "020 7946 0000",
    "credit": Decimal("1500.50"),
    "st": "A",
    "since": "1999-05",
}
ORDER = {
    "branch": 7,
    "no": "10248",
    "day": "02.07.2026",
    "total": "12.50",
    "cur": "EUR",
    "customer_no": "c1",
    "lines": [
        {"qty": 1, "sku": "A", "title": "Tea"},
        {"qty": None, "sku": "B", "title": "Pot"},
        {"qty": Decimal("2.5"), "sku": "A", "title": "Green tea"},
    ],
}

Load = Callable[[str], SourceConfig]


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="module")
def load(ontology: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Load:
    def load_text(text: str) -> SourceConfig:
        folder: Path = tmp_path_factory.mktemp("sources")
        (folder / "erp.yaml").write_text(text)
        return load_sources(folder, ontology)["erp"]

    return load_text


@pytest.fixture(scope="module")
def mappings(load: Load, ontology: Ontology) -> dict[str, StreamMapping]:
    source = load(ERP)
    return {name: compile_stream(source, stream, ontology, name) for name, stream in source.streams.items()}


def written(record: MappedRecord) -> Any:
    """All of a mapped record as plain values that compare."""

    def value(of: Any) -> Any:
        return (of.at.isoformat(), of.zone) if isinstance(of, Instant) else of

    entities = [
        (e.id, e.type, e.key, {k: value(v) for k, v in e.values.items()}, e.shared) for e in record.entities
    ]
    return record.key, record.observed_at, entities


def refused(mapping: StreamMapping, payload: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(RecordError) as caught:
        mapping.map(payload)
    return caught.value.field, caught.value.code


def test_a_record_becomes_an_entity_of_exact_values(mappings: dict[str, StreamMapping]) -> None:
    record = mappings["customers"].map(CUSTOMER)
    assert (record.key, record.observed_at) == ("C1", "2026-07-02T11:00:00.000000Z")
    assert written(record)[2] == [
        (
            entity_id("erp", "Party", "C1"),
            "Organization",
            "C1",
            {
                "name": "Acme",
                "telephone": "+442079460000",
                "creditLimit": Money(Decimal("1500.50"), "GBP"),
                "status": "active",
                "addressCountry": "GB",
                "customerSince": "1999-05",
            },
            False,
        )
    ]


def test_a_condition_chooses_the_entity(mappings: dict[str, StreamMapping]) -> None:
    record = mappings["customers"].map({**CUSTOMER, "kind": "P", "first": "Ada", "employer_no": 9})
    (entity,) = record.entities
    target = Reference(entity_id("erp", "Party", "9"))
    assert (entity.type, dict(entity.values)) == ("Person", {"name": "Ada", "worksFor": target})


def test_a_list_becomes_one_entity_an_item_with_links_to_the_record(
    mappings: dict[str, StreamMapping],
) -> None:
    record = mappings["orders"].map(ORDER)
    by_key = {(entity.type, entity.key): entity for entity in record.entities}
    order = by_key["Order", "7|10248"]
    assert set(by_key) == {
        ("Order", "7|10248"),
        ("OrderLine", "7|10248|0"),
        ("OrderLine", "7|10248|2"),
        ("Product", "A"),
        ("Product", "B"),
    }
    assert by_key["OrderLine", "7|10248|2"].values == {
        "quantity": Decimal("2.5"),
        "order": Reference(order.id),
        "product": Reference(by_key["Product", "A"].id),
    }
    assert order.values["total"] == Money(Decimal("12.50"), "EUR")
    assert order.values["customer"] == Reference(entity_id("erp", "Party", "C1"))


def test_of_a_shared_entity_that_a_record_states_twice_the_last_counts(
    mappings: dict[str, StreamMapping],
) -> None:
    products = [e for e in mappings["orders"].map(ORDER).entities if e.type == "Product"]
    assert {(e.key, e.values["name"], e.shared) for e in products} == {
        ("A", "Green tea", True),
        ("B", "Pot", True),
    }


@pytest.mark.parametrize("lines", [None, []])
def test_no_list_is_no_entity(mappings: dict[str, StreamMapping], lines: Any) -> None:
    assert [e.type for e in mappings["orders"].map({**ORDER, "lines": lines}).entities] == ["Order"]


def test_an_item_alone_is_a_list_of_one(mappings: dict[str, StreamMapping]) -> None:
    record = mappings["orders"].map({**ORDER, "lines": {"qty": 1, "sku": "A"}})
    assert [e.key for e in record.entities] == ["7|10248", "7|10248|0", "A"]


@pytest.mark.parametrize("target", [None, "", "0", 0])
def test_a_link_without_a_key_is_absent(mappings: dict[str, StreamMapping], target: Any) -> None:
    (order, *_) = mappings["orders"].map({**ORDER, "customer_no": target}).entities
    assert "customer" not in order.values


def test_a_link_by_identifier_has_the_normal_form_of_the_property_that_holds_it(
    mappings: dict[str, StreamMapping],
) -> None:
    call, ticket = mappings["cards"].map({"id": 1, "phone": "(020) 7946 0000", "card": " ab-1 "}).entities
    assert call.values["customer"] == SharedIdentifier("phone", "+442079460000")
    assert ticket.values["customer"] == SharedIdentifier("loyalty_card", "AB-1")
    assert normal_identifier(PropertyType.TEXT, "ab-1 ") == "AB-1"
    assert normal_identifier(PropertyType.PHONE, "020 7946 0000", "GB") == "+442079460000"
    assert normal_identifier(PropertyType.EMAIL, "A@Example.com") == "a@example.com"


@pytest.mark.parametrize(
    ("stream", "change", "field", "code"),
    [
        ("customers", {"customer_no": None}, "key", "missing_key"),
        ("customers", {"customer_no": "  "}, "key", "missing_key"),
        ("customers", {"customer_no": True}, "key", "bad_key"),
        ("customers", {"customer_no": ["C1"]}, "key", "bad_value"),
        ("customers", {"customer_no": "x" * 501}, "key", "bad_key"),
        ("customers", {"customer_no": Decimal("1e999999999")}, "key", "too_large"),
        ("customers", {"customer_no": 10**5000}, "key", "too_large"),
        ("customers", {"customer_no": "\ud800"}, "key", "bad_key"),
        ("customers", {"updated_at": "soon"}, "observed_at", "bad_value"),
        ("customers", {"name": " "}, "Organization.name", "missing_required"),
        ("customers", {"phone": "call me"}, "Organization.telephone", "bad_value"),
        ("customers", {"credit": "1.23456"}, "Organization.creditLimit", "too_precise"),
        ("customers", {"st": "Q"}, "Organization.status", "unknown_code"),
        ("customers", {"name": ["a"]}, "Organization.name", "bad_value"),
        ("orders", {"no": None}, "key", "missing_key"),
        ("orders", {"no": "x" * 300, "branch": "y" * 300}, "key", "bad_key"),
        ("orders", {"no": "x" * 10, "total": "1" * 200}, "Order.total", "bad_value"),
        ("orders", {"cur": "XYZ"}, "Order.total", "unknown_currency"),
        ("orders", {"lines": [{"qty": 1}]}, "Product.key", "missing_key"),
        ("orders", {"lines": ["text"]}, "Product.key", "missing_key"),
        ("orders", {"customer_no": {"a": 1}}, "Order.customer", "bad_value"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_by_field_and_code(
    mappings: dict[str, StreamMapping], stream: str, change: dict[str, Any], field: str, code: str
) -> None:
    sound: dict[str, Any] = CUSTOMER if stream == "customers" else ORDER
    assert refused(mappings[stream], {**sound, **change}) == (field, code)


def test_a_required_link_that_is_absent_refuses_the_record(mappings: dict[str, StreamMapping]) -> None:
    assert refused(mappings["cards"], {"id": 1}) == ("Interaction.customer", "missing_required")


def test_two_entities_of_one_key_in_one_record_are_refused(load: Load, ontology: Ontology) -> None:
    text = ERP.replace("        when: kind == 'B'\n", "").replace("        when: kind != 'B'\n", "")
    source = load(text)
    mapping = compile_stream(source, source.streams["customers"], ontology, "customers")
    assert refused(mapping, CUSTOMER) == ("Person.key", "duplicate_entity")


def test_the_key_of_a_record_is_that_of_the_whole_mapping(mappings: dict[str, StreamMapping]) -> None:
    assert mappings["customers"].key_of(CUSTOMER) == mappings["customers"].map(CUSTOMER).key
    assert mappings["orders"].key_of({"branch": 1, "no": 2}) == "1|2"


@pytest.mark.parametrize(
    ("one", "other"),
    [(["a|b", "c"], ["a", "b|c"]), (["a\\", "b"], ["a", "\\b"]), (["a\\|b", "c"], ["a|b", "\\c"])],
)
def test_keys_of_several_parts_never_read_alike(
    mappings: dict[str, StreamMapping], one: list[str], other: list[str]
) -> None:
    keys = {mappings["orders"].key_of({"branch": a, "no": b}) for a, b in (one, other)}
    assert len(keys) == 2


@given(
    st.lists(st.text(min_size=1).filter(str.strip), min_size=2, max_size=2),
    st.text(min_size=1).filter(str.strip),
)
def test_no_key_of_two_parts_equals_another_key(
    mappings: dict[str, StreamMapping], parts: list[str], single: str
) -> None:
    try:
        double = mappings["orders"].key_of({"branch": parts[0], "no": parts[1]})
        alone = mappings["customers"].key_of({"customer_no": single})
    except RecordError:
        return
    assert double != alone
    first, second = (part.strip().replace("\\", "\\\\").replace("|", "\\|") for part in parts)
    assert double == f"{first}|{second}"


@pytest.mark.parametrize(
    ("value", "key"),
    [(17, "17"), (Decimal("17.00"), "17"), ("017", "017"), (Decimal("1.50"), "1.50"), (0, "0")],
)
def test_a_number_and_its_digits_are_one_key(
    mappings: dict[str, StreamMapping], value: Any, key: str
) -> None:
    assert mappings["customers"].key_of({"customer_no": value}) == key


def test_the_fields_it_reads_are_known_for_coverage(mappings: dict[str, StreamMapping]) -> None:
    assert mappings["orders"].fields == {"branch", "no", "day", "total", "cur", "customer_no", "lines"}
    assert mappings["customers"].fields >= {
        "customer_no",
        "updated_at",
        "kind",
        "first",
        "last",
        "employer_no",
    }


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("telephone: phone", "telephone: phone   # the main one", False),
        ("max_bad_share", "max_bad_share", False),
        ("zone: Europe/London", "zone: Europe/London\ntrust: 7\nmax_bad_share: 0.5", False),
        ("telephone: phone", "telephone: mobile", True),
        ("{map: {A: active, X: closed}}", "{map: {A: active, X: inactive}}", True),
        ("[{map: {A: active, X: closed}}]", "[trim, {map: {A: active, X: closed}}]", True),
        ("zone: Europe/London", "zone: Europe/Berlin", True),
        ("region: GB", "region: US", True),
        ("kind == 'B'", "kind == 'C'", True),
    ],
)
def test_the_version_changes_with_what_decides_the_entities_and_only_then(
    load: Load, ontology: Ontology, before: str, after: str, changes: bool
) -> None:
    def version(text: str) -> str:
        source = load(text)
        return compile_stream(source, source.streams["customers"], ontology, "customers").version

    assert (version(ERP) != version(ERP.replace(before, after))) is changes


def test_converters_that_differ_only_in_name_give_different_versions(load: Load, ontology: Ontology) -> None:
    def version(converter: str) -> str:
        source = load(ERP.replace("telephone: phone", f"notes: {{path: notes, convert: [{converter}]}}"))
        return compile_stream(source, source.streams["customers"], ontology, "customers").version

    assert version("upper") != version("lower")


def test_no_repr_shows_a_value(mappings: dict[str, StreamMapping]) -> None:
    shown = repr(mappings["customers"].map(CUSTOMER)) + repr(mappings["customers"])
    assert "Acme" not in shown
    assert "7946" not in shown


NAMES = st.sampled_from(
    sorted({*CUSTOMER, *ORDER, "qty", "sku", "title", "id", "card", "first", "last", "at"})
)
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters())
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["B", "A", "2024-01-01", "02.07.2026", "12.5", "+442079460000", "EUR"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize("stream", ["customers", "orders", "cards"])
@given(payload=st.dictionaries(NAMES, ANY_JSON, max_size=8), data=st.data())
def test_any_payload_maps_twice_to_the_same_or_is_refused_as_a_record(
    mappings: dict[str, StreamMapping], stream: str, payload: dict[str, Any], data: st.DataObject
) -> None:
    sound = data.draw(st.sampled_from([{}, CUSTOMER, ORDER, {"id": 5, "phone": "+442079460000"}]))
    payload = {**sound, **payload}
    try:
        record = mappings[stream].map(payload)
    except RecordError:
        return
    assert written(record) == written(mappings[stream].map(payload))
    assert all(isinstance(entity, Entity) for entity in record.entities)


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=4), st.booleans())
def test_amounts_survive_exactly_whether_text_or_number(
    mappings: dict[str, StreamMapping], number: Decimal, as_text: bool
) -> None:
    amount = str(number) if as_text else json.loads(str(number), parse_float=Decimal)
    (entity,) = mappings["customers"].map({**CUSTOMER, "credit": amount}).entities
    assert entity.values["creditLimit"] == Money(number, "GBP")
