"""Documents are measured before they are validated, validated once, and their variables coerced without being told."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from graphql import get_introspection_query
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import LimitError, QueryError, RequestError
from hub.schema import Catalogue, DocumentError
from hub.schema.documents import KEPT, Documents, coerced_variables, document_hash
from hub.schema.limits import MAX_ALIASES, MAX_DIRECTIVES, MAX_FIELDS, MAX_REPEATS


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


def test_documents_that_are_kept_are_bounded(catalogue: Catalogue) -> None:
    documents = Documents(catalogue.graphql, max_depth=12)
    for number in range(300):
        documents.get(f"{{ a{number}: __typename }} #" + "x" * 2_000)
    assert documents.kept.weight <= KEPT
    assert 0 < len(documents.kept) < 300


def test_the_hash_is_of_the_document_alone(documents: Documents) -> None:
    text = "{ me { subject } }"
    assert documents.get(text).sha256 == document_hash(text)
    assert len(document_hash("\ud800")) == 64


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (nested(14), "max_depth is 12"),
        ("{ " + " ".join(f"a{n}: __typename" for n in range(MAX_ALIASES + 1)) + " }", "max_aliases"),
        ("{ me { " + "subject " * (MAX_REPEATS + 1) + "} }", "max_repeats"),
        ("{ me { " + "subject " * 6000 + "} }", "max_tokens"),
        ("{ a" * 2000, "max_depth is 12"),
        ("{ me" + " @include(if: true)" * (MAX_DIRECTIVES + 1) + " { subject } }", "max_directives"),
        ("{ me { ...F" + "@a" * (MAX_DIRECTIVES + 1) + " } } fragment F on Me { subject }", "max_directives"),
        ("query" + "@a" * (MAX_DIRECTIVES + 1) + " { me { subject } }", "max_directives"),
        ("query ($a: Int" + "@a" * (MAX_DIRECTIVES + 1) + ") { me { subject } }", "max_directives"),
    ],
)
def test_a_document_that_is_too_large_is_refused_with_the_limit_named(
    documents: Documents, text: str, limit: str
) -> None:
    with pytest.raises(LimitError, match=limit):
        documents.get(text)


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
    "text", ["{ me { subjekt } }", "{ orders(frst: 1) { totalCount } }", "{ me { ... on Mee { subject } } }"]
)
def test_a_misspelt_name_does_not_tell_the_right_one(documents: Documents, text: str) -> None:
    with pytest.raises(DocumentError) as refused:
        documents.get(text)
    assert not any("Did you mean" in error.message for error in refused.value.errors)


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
