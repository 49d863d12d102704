"""Ways round the policy, the log and the limits that a caller with a good token may try."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hub.audit import Action, Outcome
from tests.api.api_world import World
from tests.statements import noting

ME = "{ me { subject } }"


def sent(world: World, method: str = "POST", path: str = "/graphql", **more: Any) -> Any:
    headers = {"authorization": f"Bearer {world.token()}", **more.pop("headers", {})}
    return world.ask_app(method, path, headers=headers, **more)


# envelopes


@pytest.mark.parametrize("second", ["safety_recall", "customer_service"])
def test_two_purposes_in_two_headers_are_refused(world: World, second: str) -> None:
    token = world.token("support", ["customer_service", "safety_recall"])
    headers = [
        ("authorization", f"Bearer {token}"),
        ("x-purpose", "customer_service"),
        ("x-purpose", second),
    ]
    reply = world.ask_app("POST", "/graphql", json={"query": ME}, headers=headers)
    assert reply.status_code == 403
    assert reply.json()["errors"][0]["extensions"]["code"] == "PURPOSE_REQUIRED"


def test_two_tokens_in_two_headers_are_refused(world: World) -> None:
    headers = [("authorization", f"Bearer {world.token(role)}") for role in ("support", "marketing")]
    assert world.ask_app("POST", "/graphql", json={"query": ME}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "more", "status"),
    [
        ("PUT", {"json": {"query": ME}}, 405),
        ("POST", {"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ("POST", {"json": [{"query": ME}, {"query": ME}]}, 400),
        ("POST", {"content": b"{}"}, 415),
        ("POST", {"json": {"query": ME}, "headers": {"accept": "text/html"}}, 406),
        ("POST", {"json": {"query": " " * 300_000}}, 413),
        ("GET", {}, 400),
    ],
)
def test_a_malformed_request_of_a_known_caller_leaves_one_event(
    world: World, method: str, more: dict[str, Any], status: int
) -> None:
    before = world.seq()
    assert sent(world, method, **more).status_code == status
    (found,) = world.events_after(before)
    assert (found.action, found.outcome, found.actor) == (Action.READ_REFUSED, Outcome.REFUSED, "u-support")
    assert (found.reason_code, found.query_sha256) == ("BAD_REQUEST", None)


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("PUT", {}),
        ("POST", {"headers": {"accept": "text/html"}}),
        ("POST", {"content": b"{"}),
        ("GET", {"params": {"query": ME}}),
    ],
)
def test_without_a_token_nothing_else_is_looked_at_and_one_event_tells_of_it(
    world: World, method: str, more: dict[str, Any]
) -> None:
    before = world.seq()
    assert world.ask_app(method, "/graphql", **more).status_code == 401
    (found,) = world.events_after(before)
    assert (found.action, found.actor) == (Action.LOGIN_REFUSED, "anonymous")


@pytest.mark.parametrize(
    ("roles", "purposes", "header", "code"),
    [
        (["support"], ["customer_service"], "accounting", "PURPOSE_REQUIRED"),
        (["support"], ["customer_service", "safety_recall"], None, "PURPOSE_REQUIRED"),
        (["wizard"], ["customer_service"], None, "FORBIDDEN"),
    ],
)
def test_who_was_refused_for_role_or_purpose_is_in_the_log(
    world: World, roles: list[str], purposes: list[str], header: str | None, code: str
) -> None:
    from hub.access import DemoIssuer

    token = DemoIssuer(world.services.settings.data_dir).issue("u-17", "support", roles, purposes)
    before = world.seq()
    world.post({"query": ME}, token, **({} if header is None else {"x_purpose": header}))
    (found,) = world.events_after(before)
    assert (found.action, found.actor, found.department) == (Action.LOGIN_REFUSED, "u-17", "support")
    assert found.reason_code == code


def test_a_subject_that_is_an_address_is_refused_and_not_in_the_log(world: World) -> None:
    from hub.access import DemoIssuer

    issuer = DemoIssuer(world.services.settings.data_dir)
    for roles in (["support"], ["wizard"]):
        before = world.seq()
        reply = world.post(
            {"query": ME}, issuer.issue("ann@example.com", "support", roles, ["customer_service"])
        )
        assert "errors" in reply.body
        (found,) = world.events_after(before)
        assert found.actor == "anonymous"


def test_a_department_that_the_log_cannot_hold_is_told_by_its_name(world: World) -> None:
    from hub.access import DemoIssuer

    issuer = DemoIssuer(world.services.settings.data_dir)
    reply = world.post({"query": ME}, issuer.issue("u-1", "Customer Care", ["support"], ["customer_service"]))
    assert reply.code == "UNAUTHENTICATED"
    assert "department" in reply.message
    assert "Care" not in reply.message


# what the log and the lines of the server keep


@pytest.mark.parametrize(
    "document",
    [
        '{ customerByIdentifier(scheme: email, value: "ann@example.com") { name } }',
        '{ customerByIdentifier(scheme: email, value: """ann@example.com""") { name } }',
        "{ customers { totalCount } } # ann@example.com",
        '{ customers(where: {email: {eq: "ann@example.com"}}) { nothing } }',
        '{ customers(where: {telephone: {contains: "+441174960001"}}) ',
        "{ customers(where: {email: {eq: ann@example.com}}) { totalCount } }",
        "{ organizations(where: {numberOfEmployees: {eq: 441174960001}}) { totalCount } }",
    ],
)
def test_values_in_a_document_are_not_hashed_into_the_log(world: World, document: str) -> None:
    before = world.seq()
    world.ask(document)
    (found,) = world.events_after(before)
    assert found.query_sha256 != hashlib.sha256(document.encode()).hexdigest()
    other = document.replace("ann@example.com", "ben@example.com").replace("441174960001", "441174960002")
    world.ask(other)
    assert world.events_after(before)[-1].query_sha256 == found.query_sha256


def test_documents_that_differ_in_more_than_values_have_other_hashes(world: World) -> None:
    before = world.seq()
    for document in ('{ customer(id: "a") { name } }', '{ customer(id: "a") { email } }'):
        world.ask(document)
    one, two = world.events_after(before)
    assert None not in (one.query_sha256, two.query_sha256)
    assert one.query_sha256 != two.query_sha256


def test_a_cached_plan_answers_for_its_own_values_only(world: World) -> None:
    document = '{ people(where: {email: {eq: "%s"}}) { nodes { givenName } totalCount } }'
    ann = world.ask(document % "ann@example.com").data["people"]
    ben = world.ask(document % "ben@example.com").data["people"]
    assert (ann["totalCount"], ben["totalCount"]) == (1, 0)


@pytest.mark.parametrize(
    "path",
    [
        "/ann@example.com",
        "/graphql/+441174960001",
        "/x%0aPOST%20/graphql%20200%200.1%20ms",
        "/healthz/Ann%20Archer",
    ],
)
def test_what_a_caller_puts_into_a_path_is_not_logged(
    world: World, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert world.ask_app("GET", path).status_code in (307, 404)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("hub.")]
    assert lines
    assert not any(text in line for line in lines for text in ("ann@", "4411", "0.1 ms\n", "Ann", "\n"))


# customers in the log


@pytest.mark.parametrize(
    "document",
    [
        "{ customers(orderBy: [{name: ASC}], first: 1) { pageInfo { endCursor } } }",
        "{ customers(orderBy: [{name: ASC}], first: 1) { pageInfo { startCursor } totalCount } }",
        "{ customers(orderBy: [{name: ASC}], first: 1) { edges { cursor } } }",
        "{ customers(orderBy: [{name: ASC}], first: 1) { edges { c: cursor node { __typename } } } }",
        '{ people(where: {givenName: {eq: "Ann"}}, orderBy: [{email: ASC}], first: 1) { edges { cursor } } }',
        "{ orders(orderBy: [{orderNumber: ASC}], first: 1) { pageInfo { endCursor } } }",
        '{ orders(where: {orderNumber: {eq: "O1"}}) { nodes { lines { edges { cursor } } } } }',
    ],
)
def test_a_cursor_holds_values_so_its_customer_is_in_the_log(world: World, document: str) -> None:
    before, ann = world.seq(), world.customer("erp", "C1")
    world.ask(document).data  # noqa: B018
    (found,) = world.events_after(before)
    assert found.customers == (ann,)


@pytest.mark.parametrize(
    "asked",
    [
        "{ totalCount }",
        "{ n: totalCount aggregate { __typename } }",
        "{ edges { __typename } }",
        "{ pageInfo { hasNextPage } }",
        "(first: 0) { pageInfo { hasNextPage } }",
        "(first: 0) { nodes { name } pageInfo { hasNextPage } }",
    ],
)
@pytest.mark.parametrize("root", ["customers", "people", "orders"])
def test_whether_one_customers_values_pass_a_filter_is_on_record_with_that_customer(
    world: World, root: str, asked: str
) -> None:
    """A yes or no a question, a value can be had letter by letter."""
    where = {
        "customers": f'{{id: {{eq: "{world.customer("erp", "C1")}"}}, email: {{startsWith: "a"}}}}',
        "people": '{email: {startsWith: "ann@"}}',
        "orders": '{orderNumber: {eq: "O1"}, status: {eq: delivered}}',
    }[root]
    field = "lastName: familyName" if root == "people" else "id"
    given = f"({asked[1:]}" if asked.startswith("(") else f"(first: 20) {asked}"
    document = f"{{ {root}{given.replace('(', f'(where: {where}, ', 1)} }}".replace(
        "{ name }", f"{{ {field} }}"
    )
    before = world.seq()
    world.ask(document).data  # noqa: B018
    (found,) = world.events_after(before)
    assert found.customers == (world.customer("erp", "C1"),)


def test_a_page_that_shows_its_rows_reports_no_other_customer(world: World) -> None:
    document = "{ customers(orderBy: [{name: ASC}], first: 1) { nodes { name } pageInfo { hasNextPage } totalCount } }"
    before = world.seq()
    world.ask(document).data  # noqa: B018
    (found,) = world.events_after(before)
    assert found.customers == (world.customer("erp", "C1"),)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            '{ orders(where: {orderNumber: {eq: "O1"}}) { nodes { customer { ... on Person { name } } } } }',
            {"C1"},
        ),
        ("query($id: ID!) { customer(id: $id) { household { members { email } } } }", {"C1", "C2"}),
        ("query($id: ID!) { customer(id: $id) { h: household { m: members { i: id } } } }", {"C1", "C2"}),
        ('{ products(where: {sku: {eq: "NAIL-40"}}) { nodes { orderLines { nodes { id } } } } }', {"C1"}),
        ('{ customerByIdentifier(scheme: phone, value: "+441174960001") { id } }', {"C1", "C2"}),
        ("{ orderLines(first: 1) { nodes { order { customer { id } } } } }", {"C1"}),
        ("{ payments { nodes { belongsTo { id } } } }", {"C1"}),
        ("query($id: ID!) { customer(id: $id) { timeline { nodes { title } } } }", {"C1"}),
        ("query($id: ID!) { customer(id: $id) { facts { value } } }", {"C1"}),
    ],
)
def test_nested_customers_are_in_the_log(world: World, document: str, expected: set[str]) -> None:
    before = world.seq()
    variables = {"id": world.customer("erp", "C1")} if "$id" in document else {}
    world.ask(document, **variables).data  # noqa: B018
    (found,) = world.events_after(before)
    assert set(found.customers) == {world.customer("erp", key) for key in expected}


# what is denied


@pytest.mark.parametrize(
    "document",
    [
        "{ customers(where: {OR: [{segment: {isNull: true}}, {email: {isNull: true}}]}) { totalCount } }",
        '{ customers(where: {AND: [{NOT: {NOT: {email: {eq: "a"}}}}]}) { totalCount } }',
        "query($w: CustomerWhere = {email: {isNull: false}}) { customers(where: $w) { totalCount } }",
        "query($o: [CustomerOrderBy!] = [{email: ASC}]) { customers(orderBy: $o) { edges { cursor } } }",
        "{ orders(where: {invoices: {some: {}}}) { totalCount } }",
        '{ customers(where: {invoices: {some: {total: {gt: "1"}}}}) { totalCount } }',
        "{ customers(where: {payments: {some: {}}}) { totalCount } }",
        '{ people { nodes { orders(where: {customer: {person: {email: {contains: "a"}}}}) { totalCount } } } }',
        "{ customers { nodes { tickets(orderBy: [{subject: ASC}]) { edges { cursor } } } } }",
        '{ customers(where: {parentOrganization: {name: {eq: "x"}}}) { totalCount } }',
        "query($v: String!) { customerByIdentifier(scheme: loyalty_card, value: $v) { id } }",
        '{ a: customers { totalCount } b: people(where: {birthDate: {gt: "1980"}}) { totalCount } }',
        "query($x: Boolean! = true) { customers(where: {name: {isNull: false}}) @include(if: $x) { totalCount } }",
        "{ ...F } fragment F on Query { customers(orderBy: [{telephone: DESC}]) { pageInfo { endCursor } } }",
    ],
)
def test_no_shape_of_a_document_filters_or_sorts_by_what_marketing_may_not_see(
    world: World, document: str
) -> None:
    variables = {"v": "777001"} if "$v" in document else {}
    reply = world.ask(document, "marketing", **variables)
    assert reply.code in ("FORBIDDEN", "BAD_QUERY")
    assert "data" not in reply.body


def test_a_cursor_of_another_role_or_a_forged_one_opens_no_sort_key(world: World) -> None:
    document = (
        "query($a: String) { customers(orderBy: [{name: ASC}], first: 1, after: $a) { edges { cursor } } }"
    )
    (edge,) = world.ask(document).data["customers"]["edges"]
    assert world.ask(document, "marketing", a=edge["cursor"]).code == "FORBIDDEN"
    plain = "query($a: String) { customers(first: 9, after: $a) { nodes { id } } }"
    assert world.ask(plain, "marketing", a=edge["cursor"]).code == "BAD_QUERY"
    mark = json.loads(bytes.fromhex(edge["cursor"]))[0]
    for forged in (
        [mark, {"a": 1}, "x"],
        [mark],
        [mark, "Ann", 7],
        [mark, 1e999, "x"],
        "x",
        [mark, "Ann", "\ud800"],
    ):
        reply = world.ask(document, a=json.dumps(forged).encode().hex())
        assert reply.code == "BAD_QUERY"
        assert "Ann" not in reply.message
    for garbage in ("", "zz", "00" * 40_000, "5b" * 5_000):
        assert world.ask(document, a=garbage).code == "BAD_QUERY"


@pytest.mark.parametrize(
    ("role", "document"),
    [
        ("management", "{ households(first: 5) { nodes { n: householdNumber k: recordKey } } }"),
        ("supply_chain", "{ invoices(first: 5) { nodes { n: invoiceNumber k: recordKey } } }"),
        ("supply_chain", "{ interactions(first: 5) { nodes { n: interactionNumber k: recordKey } } }"),
        ("sales", "{ payments(first: 5) { nodes { n: paymentReference k: recordKey } } }"),
        ("call_centre", "{ invoices(first: 5) { nodes { n: invoiceNumber k: recordKey } } }"),
    ],
)
def test_the_key_of_a_record_is_hidden_like_the_number_that_it_is(
    world: World, role: str, document: str
) -> None:
    reply = world.ask(document, role)
    (rows,) = reply.data.values()
    assert [row["k"] for row in rows["nodes"]] == [None] * len(rows["nodes"])
    notes = {note["path"][-1]: note["category"] for note in reply.access}
    assert notes["k"] == notes["n"] or notes["k"] == "user.unique_id"


def test_masked_identifiers_are_not_listed_in_the_order_of_their_values(world: World) -> None:
    document = "query($id: ID!) { customer(id: $id) { identifiers { scheme value source entityId } } }"
    found = world.ask(document, "marketing", id=world.customer("erp", "C1")).data["customer"]["identifiers"]
    emails = [(each["source"], each["entityId"]) for each in found if each["scheme"] == "email"]
    assert emails == sorted(emails)
    assert {each["value"] for each in found} == {"a***@e***.com", "a***@e***.org", "***01"}


def test_other_names_in_a_message_are_the_schemas_never_a_customers(world: World) -> None:
    for document in (
        '{ customer(id: "x") { emial } }',
        '{ customers(where: {emial: {eq: "a"}}) { totalCount } }',
    ):
        reply = world.ask(document, "marketing")
        assert reply.code == "BAD_QUERY"
        assert not any(name in json.dumps(reply.body) for name in ("Ann", "Archer", "example.com"))


# size and cost


def test_a_filter_of_very_many_conditions_is_refused_with_the_limit_named(world: World) -> None:
    document = "query($w: OrderWhere) { orders(where: $w) { totalCount } }"
    many = [{"orderNumber": {"eq": f"O{number}"}} for number in range(1500)]
    for where in ({"OR": many}, {"AND": many}, {"NOT": {"OR": many}}):
        reply = world.ask(document, w=where)
        assert reply.code == "LIMIT_EXCEEDED"
        assert "conditions" in reply.message


@pytest.mark.parametrize("depth", [7, 60, 300, 1000])
def test_a_filter_in_a_variable_may_not_nest_without_end(world: World, depth: int) -> None:
    where = '{"NOT": ' * depth + '{"orderNumber": {"eq": "O1"}}' + "}" * depth
    query = "query($w: OrderWhere) { orders(where: $w) { totalCount } }"
    body = f'{{"query": "{query}", "variables": {{"w": {where}}}}}'
    reply = sent(world, content=body, headers={"content-type": "application/json"})
    assert reply.json()["errors"][0]["extensions"]["code"] in ("LIMIT_EXCEEDED", "BAD_QUERY", "BAD_REQUEST")
    assert reply.status_code in (200, 400)


def test_a_negative_page_pays_for_no_other(world: World) -> None:
    query = (
        "query($n: Int!) { a: customers(first: 200) { nodes { orders(first: 200) { nodes { id } } } }"
        " b: customers(first: $n) { nodes { id } } }"
    )
    with world.counted() as statements:
        reply = world.ask(query, n=-(10**6))
    assert (reply.code, "max_cost" in reply.message) == ("LIMIT_EXCEEDED", True)
    assert statements == []


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("Date", "２０２６"),
        ("Date", "2026-0१"),
        ("Decimal", "１２"),
        ("Decimal", "1_000"),
        ("Decimal", " 5 "),
        ("Decimal", "NaN"),
        ("Decimal", "."),
        ("Decimal", "1e"),
    ],
)
def test_what_only_looks_like_a_value_is_refused(world: World, type_: str, value: str) -> None:
    where = {
        "Date": "people(where: {birthDate: {gte: %s}})",
        "Decimal": "orderLines(where: {quantity: {lt: %s}})",
    }
    for given, variables in ((json.dumps(value, ensure_ascii=False), {}), ("$v", {"v": value})):
        head = f"query($v: {type_}!)" if variables else "query"
        reply = world.ask(f"{head} {{ {where[type_] % given} {{ totalCount }} }}", **variables)
        assert reply.code == "BAD_QUERY"


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "0099-06-01T00:00:00Z", "0999-12-31T23:59:59.5+01:00"]
)
def test_an_instant_of_long_ago_is_before_today(world: World, at: str) -> None:
    query = "query($v: DateTime!) { orders(where: {orderDate: {gte: $v}}) { totalCount } }"
    assert world.ask(query, v=at).data["orders"]["totalCount"] == 8


@pytest.mark.parametrize("value", ["12", "-0.50", "+5", "1.5e3", ".5", "5."])
def test_every_way_to_write_a_decimal_is_taken(world: World, value: str) -> None:
    reply = world.ask(
        "query($v: Decimal!) { orderLines(where: {quantity: {lt: $v}}) { totalCount } }", v=value
    )
    assert reply.data["orderLines"]["totalCount"] in (0, 2)


def test_searches_and_introspections_by_the_hundred_are_refused(world: World) -> None:
    for field in (
        'search(text: "ann", first: 100) { total }',
        "sources { name }",
        "__schema { types { name } }",
    ):
        document = "{ " + " ".join(f"a{number}: {field}" for number in range(100)) + " }"
        with world.counted() as statements:
            reply = world.ask(document, "it")
        assert reply.code == "LIMIT_EXCEEDED"
        assert "max_cost" in reply.message
        assert statements == []


def test_lists_are_not_read_on_the_event_loop(world: World) -> None:
    """A list may be a scan of a table, however few rows it answers with: others would wait for a file that is read.

    A server is asked on the event loop, which goes on meanwhile.
    """
    threads: list[str] = []
    with noting_threads(world, threads):
        world.ask("{ orders(first: 1) { totalCount } }").data  # noqa: B018
        world.ask('{ product(id: "x") { orderLines(first: 1) { totalCount } } }').data  # noqa: B018
    at_server = world.services.store.dialect.name == "postgresql"
    assert [name.startswith("graphql") for name in threads] == [not at_server] * 2


@pytest.mark.parametrize("fields", ["{one}", "{one} {other}"])
def test_lookups_in_a_file_are_read_on_the_event_loop(world: World, fields: str) -> None:
    """Several of a server have to see one state of the data, which takes a transaction, and so a thread."""
    found = fields.format(one='one: customer(id: "x") { id }', other='other: customer(id: "y") { id }')
    threads: list[str] = []
    with noting_threads(world, threads):
        world.ask("{ %s }" % found).data  # noqa: B018, UP031
    by_thread = world.services.store.dialect.name == "postgresql" and "other" in fields
    assert {name.startswith("graphql") for name in threads} == {by_thread}


@contextmanager
def noting_threads(world: World, threads: list[str]) -> Iterator[None]:
    def note(statement: str) -> None:
        name = threading.current_thread().name
        if statement.startswith("SELECT") and not name.startswith("asyncio_"):
            threads.append(name)

    with noting(world.services.store, note):
        yield
