"""Documents are measured before they are validated, validated once, and their variables coerced without being told."""

from __future__ import annotations

import gc
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from graphql import get_introspection_query
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import LimitError, QueryError, RequestError
from hub.schema import Catalogue, DocumentError
from hub.schema.documents import Documents, coerced_variables, document_hash
from hub.schema.limits import (
    MAX_ALIASES,
    MAX_DIRECTIVES,
    MAX_FIELDS,
    MAX_FRAGMENTS,
    MAX_OPERATIONS,
    MAX_REPEATS,
    MAX_VALUES,
)


@pytest.fixture(scope="module")
def documents(catalogue: Catalogue) -> Documents:
    return Documents(catalogue.graphql, max_depth=12)


def nested(levels: int) -> str:
    """A document of so many levels."""
    inside = "name"
    for _ in range((levels - 1) // 3):
        inside = f"subOrganizations {{ nodes {{ parentOrganization {{ {inside} }} }} }}"
    return f'{{ organization(id: "o") {{ {inside} }} }}'


def test_a_document_is_prepared_once(documents: Documents) -> None:
    assert documents.get("{ me { subject } }") is documents.get("{ me { subject } }")


def test_documents_that_are_kept_are_bounded(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.schema.documents.KEPT", 500_000)
    documents = Documents(catalogue.graphql, max_depth=12)
    for number in range(100):
        documents.get(f"{{ a{number}: me {{ subject }} }}")
    assert documents.kept.weight <= 500_000
    assert 0 < len(documents.kept) < 100


@pytest.mark.parametrize("fields", [1, 40, 90])
def test_a_document_weighs_about_the_memory_that_it_takes(documents: Documents, fields: int) -> None:
    def text(name: str) -> str:
        return "{ " + " ".join(f'{name}{n}: customer(id: "x") {{ id name }}' for n in range(fields)) + " }"

    documents.get(text("before"))  # what is made once for all
    gc.collect()
    tracemalloc.start()
    found = [documents.get(text(f"a{turn}_")) for turn in range(20)]
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / 2 < sum(document.weight for document in found) < taken * 3


def test_a_document_that_is_shipped_is_never_forgotten(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.schema.documents.KEPT", 1)
    documents = Documents(catalogue.graphql, max_depth=12)
    documents.ship("{ me { subject } }")
    documents.get("{ me { department } }")
    assert documents.find("{ me { department } }") is None
    assert documents.find("{ me { subject } }") is documents.get("{ me { subject } }")


def test_the_hash_is_of_the_document_alone(documents: Documents) -> None:
    text = "{ me { subject } }"
    assert documents.get(text).sha256 == document_hash(text)
    assert len(document_hash("\ud800")) == 64


def fragments(count: int, fields: str) -> str:
    """A document that spreads so many fragments of the same fields on one object."""
    spread = " ".join(f"...F{number}" for number in range(count))
    parts = " ".join(f"fragment F{number} on Me {{ {fields} }}" for number in range(count))
    return f"{{ me {{ {spread} }} }} {parts}"


TOO_LARGE = [
    (nested(14), "max_depth is 12"),
    ("{ " + " ".join(f"a{n}: __typename" for n in range(MAX_ALIASES + 1)) + " }", "max_aliases is 100"),
    ("{ me { " + "subject " * (MAX_REPEATS + 1) + "} }", "max_repeats is 50"),
    ("{ me { " + "...{ subject } " * (MAX_REPEATS + 1) + "} }", "max_repeats is 50"),
    ("{ " + "me { ...{ subject } } " * 10 + "...F " + "} fragment F on Query {" + "me { subject } " * 41 + "}",
     "max_repeats is 50"),
    (fragments(MAX_REPEATS + 1, "subject"), "max_repeats is 50"),
    # 18 fields, each 49 times
    ("{ customer(id: 1) { " + "...{ id name email telephone tier status segment url kind mobile notes legalName "
     "birthDate gender vatID taxID iban duns } " * 49 + " } }", "max_overlaps is 20000"),
    (fragments(MAX_FRAGMENTS + 1, "subject"), "max_fragments is 200"),
    (" ".join(f"query Q{n} {{ me {{ subject }} }}" for n in range(MAX_OPERATIONS + 1)), "max_operations is 10"),
    ("{ me { " + "subject " * 6000 + "} }", "max_tokens is 5000"),
    ("{ a" * 2000, "max_depth is 12"),
    ("{ me" + " @include(if: true)" * (MAX_DIRECTIVES + 1) + " { subject } }", "max_directives is 8"),
    ("{ me { ...F" + "@a" * (MAX_DIRECTIVES + 1) + " } } fragment F on Me { subject }", "max_directives"),
    ("query" + "@a" * (MAX_DIRECTIVES + 1) + " { me { subject } }", "max_directives"),
    ("query ($a: Int" + "@a" * (MAX_DIRECTIVES + 1) + ") { me { subject } }", "max_directives"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "limit"), TOO_LARGE)
def test_a_document_that_is_too_large_is_refused_with_the_limit_named(
    documents: Documents, text: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.schema.documents.validate", lambda *_, **__: pytest.fail("validated"))
    with pytest.raises(LimitError, match=limit):
        documents.get(text)


def test_repeats_within_the_limits_are_answered(documents: Documents) -> None:
    inner = "...{ subject purpose department } " * 20
    assert documents.get(f"{{ me {{ {inner} }} }}").operations
    assert documents.get(fragments(40, "subject department")).operations


def test_a_fragment_that_is_spread_twice_in_one_place_is_no_repeat(documents: Documents) -> None:
    text = "{ me { " + "...F " * 60 + "} } fragment F on Me { subject }"
    assert documents.get(text).operations


def test_fragments_count_as_often_as_they_are_spread(documents: Documents) -> None:
    fragments = ["fragment F0 on Me { " + " ".join(f"a{n}: subject" for n in range(40)) + " }"]
    fragments += [f"fragment F{n} on Me {{ " + f"...F{n - 1} " * 10 + "}" for n in range(1, 5)]
    with pytest.raises(LimitError, match=f"max_fields is {MAX_FIELDS}"):
        documents.get("{ me { ...F4 } }" + " ".join(fragments))


def test_fragments_in_a_circle_are_refused_by_validation(documents: Documents) -> None:
    with pytest.raises(DocumentError, match="Cannot spread fragment"):
        documents.get("{ me { ...A } } fragment A on Me { ...B } fragment B on Me { ...A }")


def test_introspection_is_not_too_deep(documents: Documents) -> None:
    assert documents.get(get_introspection_query()).operations


def test_a_document_that_does_not_fit_the_schema_tells_where(documents: Documents) -> None:
    with pytest.raises(DocumentError) as refused:
        documents.get("{ me { subjekt } nope }")
    assert len(refused.value.errors) == 2
    assert refused.value.errors[0].locations


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("query A { me { subject } } query B { me { subject } }", None, "several operations"),
        ("query A { me { subject } }", "B", "no operation of this operationName"),
        ("fragment F on Me { subject }", None, "Fragment 'F' is never used|several"),
    ],
)
def test_an_operation_that_cannot_be_chosen_is_refused(
    documents: Documents, text: str, name: str | None, message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        documents.get(text).operation(name)


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_refused(documents: Documents, text: str) -> None:
    with suppress(RequestError):
        documents.get(text)


@pytest.mark.parametrize(
    ("declared", "given_value", "place"),
    [
        ("ID!", None, "missing or null"),
        ("Int!", "seven-secrets", "type Int!"),
        ("Long", 2**63, "type Long"),
        ("Decimal", "a-secret", "type Decimal"),
        ("Decimal", 1.5, "type Decimal"),
        ("Date", "1984-13", "type Date"),
        ("DateTime", "2026-01-02T03:04:05", "type DateTime"),
        ("OrderStatus", "secret", "type OrderStatus"),
        ("OrderWhere", {"orderNumber": {"eq": 7}}, "at x.orderNumber.eq"),
        ("OrderWhere", {"secret": 1}, "type OrderWhere"),
    ],
)
def test_a_variable_that_does_not_fit_is_refused_by_name_and_place_never_by_value(
    catalogue: Catalogue, documents: Documents, declared: str, given_value: Any, place: str
) -> None:
    operation = documents.get(
        f"query($x: {declared}) {{ me {{ subject @include(if: true) }} ...F }}"
        f" fragment F on Query {{ {_use(declared)} }}"
    ).operation(None)
    with pytest.raises(QueryError) as refused:
        coerced_variables(catalogue.graphql, operation.node, {"x": given_value})
    message = str(refused.value)
    assert "$x" in message
    assert place in message or place == "missing or null"
    assert "secret" not in message


def _use(declared: str) -> str:
    places = {
        "ID!": "customer(id: $x) { id }",
        "Int!": "orders(first: $x) { totalCount }",
        "Long": "organizations(where: {numberOfEmployees: {eq: $x}}) { totalCount }",
        "Decimal": "orders(where: {total: {eq: $x}}) { totalCount }",
        "Date": "people(where: {birthDate: {eq: $x}}) { totalCount }",
        "DateTime": "orders(where: {orderDate: {eq: $x}}) { totalCount }",
        "OrderStatus": "orders(where: {status: {eq: $x}}) { totalCount }",
        "OrderWhere": "orders(where: $x) { totalCount }",
    }
    return places[declared]


def test_a_required_variable_that_is_missing_is_named(catalogue: Catalogue, documents: Documents) -> None:
    operation = documents.get("query($id: ID!) { customer(id: $id) { id } }").operation(None)
    with pytest.raises(QueryError, match=r"\$id of type ID! is missing"):
        coerced_variables(catalogue.graphql, operation.node, {})


def test_a_deep_variable_is_refused(catalogue: Catalogue, documents: Documents) -> None:
    value: Any = {}
    for _ in range(5000):
        value = {"NOT": value}
    operation = documents.get("query($x: OrderWhere) { orders(where: $x) { totalCount } }").operation(None)
    with pytest.raises(QueryError, match=r"\$x"):
        coerced_variables(catalogue.graphql, operation.node, {"x": value})


@pytest.mark.parametrize("value", [[1] * MAX_VALUES, {"a": [[1]] * MAX_VALUES}], ids=["list", "lists"])
def test_variables_that_hold_too_many_values_are_refused_with_the_limit_named(
    catalogue: Catalogue, documents: Documents, value: Any
) -> None:
    operation = documents.get("query($x: OrderWhere) { orders(where: $x) { totalCount } }").operation(None)
    with pytest.raises(LimitError, match=f"max_values is {MAX_VALUES}"):
        coerced_variables(catalogue.graphql, operation.node, {"x": value})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{ mee { subject } }", "Cannot query field 'mee' on type 'Query'."),
        ("{ me { ...on Pesron { name } } }", "Unknown type 'Pesron'."),
        ("{ orders(wher: 1) { totalCount } }", "Unknown argument 'wher' on field 'Query.orders'."),
        (
            "{ orders(where: {status: {eq: opne}}) { totalCount } }",
            "Value 'opne' does not exist in 'OrderStatus' enum.",
        ),
        (
            "{ orders(where: {statu: 1}) { totalCount } }",
            "Field 'statu' is not defined by type 'OrderWhere'.",
        ),
    ],
)
def test_which_names_are_near_is_told_or_not(documents: Documents, text: str, told: str) -> None:
    with pytest.raises(DocumentError) as refused:
        documents.get(text)
    assert "Did you mean" in str(refused.value)
    bare = refused.value.without_suggestions()
    assert (str(bare), bare.errors[0].locations) == (told, refused.value.errors[0].locations)
