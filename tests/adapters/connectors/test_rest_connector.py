"""The REST connector against a real server on loopback: every way of paging, every way of going wrong."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.adapters.connectors.rest import RestConfig
from hub.adapters.connectors.rest_models import RestRead
from hub.adapters.records import BadRecord, Record, StreamRead
from hub.errors import ConfigurationError, SourceProtocolError, SourceUnavailableError

ITEMS = [{"id": number} for number in range(7)]


@pytest.fixture
def api(server, reader, context):
    def opened(config=None, *, cursor=None, **read):
        made = RestConfig.model_validate({"type": "rest", "url": server.url + "/v1", **(config or {})})
        stream = StreamRead("tickets", RestRead.model_validate({"path": "tickets", **read}), ("id",), cursor)
        connector = made.connect(context)
        opened.connectors.append(connector)
        return reader(connector, stream)

    opened.connectors = []
    yield opened
    for connector in opened.connectors:
        connector.close()


def paged(answer, server, size=3, items=ITEMS):
    """A server that pages `items` in every style at once."""

    def give(request):
        query = request.query
        at = (
            (int(query["page"]) - 1) * size
            if "page" in query
            else int(query.get("offset") or query.get("cursor") or 0)
        )
        part, after = items[at : at + size], at + size
        more = after < len(items)
        link = {"Link": f'<{server.url}/v1/tickets?cursor={after}>; rel="next"'} if more else {}
        body = {
            "data": {"items": part},
            "next": str(after) if more else None,
            "next_url": f"/v1/tickets?cursor={after}&x=a%20b" if more else "",
            "more": more,
            "total": len(items),
        }
        return answer(body, headers=link)

    return give


PAGINGS = [
    {"type": "page"},
    {"type": "page", "more_path": "more"},
    {"type": "offset", "size_param": "limit", "size": 3},
    {"type": "cursor", "path": "next"},
    {"type": "link"},
    {"type": "next_url", "path": "next_url"},
]


@pytest.mark.parametrize("paging", PAGINGS)
def test_every_way_of_paging_comes_to_all_records(server, api, answer, paging):
    server.answer = paged(answer, server)
    tickets = api(paging=paging, records="data.items", total_path="total")
    batches = tickets.batches(size=2)
    assert [payload for batch in batches for payload in (record.payload for record in batch.records)] == ITEMS
    assert [record.position for record in batches[1].records] == ["page 1 item 3", "page 2 item 1"]
    assert {repr(batch.cursor) for batch in batches} == {"None"}
    assert tickets.connector.warnings == []


def test_pages_end_early_where_the_api_says_so(server, api, answer):
    server.answer = paged(answer, server)
    api(paging={"type": "page", "more_path": "more"}, records="data.items").rows()
    assert len(server.requests) == 3
    give = server.answer
    server.answer = lambda request: answer(status=404) if request.query["page"] == "4" else give(request)
    rows = api(paging={"type": "page", "end_status": [404]}, records="data.items").rows()
    assert rows == ITEMS


def test_numbers_are_exact_and_items_that_are_no_objects_are_set_aside(server, api, answer):
    server.answer = lambda _: answer(body=b'[{"total": 1.10, "big": 12345678901234567890123}, 5, {"id": 2}]')
    [batch] = api().batches()
    assert batch.records[0].payload == {"total": Decimal("1.10"), "big": 12345678901234567890123}
    assert str(batch.records[0].payload["total"]) == "1.10"
    assert isinstance(batch.records[1], BadRecord)
    assert batch.records[1].position == "page 1 item 2"


def test_one_object_is_a_record_only_where_the_configuration_says_so(server, api, answer):
    server.answer = lambda _: answer({"id": 1})
    assert api(single=True).rows() == [{"id": 1}]
    with pytest.raises(SourceProtocolError, match="the reply has no list at '@'; it has id"):
        api().rows()


CIRCLES = [
    ({"type": "page"}, lambda request: [{"id": 1}], "page 2 repeats another"),
    ({"type": "offset"}, lambda request: [{"id": 1}], "page 2 repeats another"),
    (
        {"type": "cursor", "path": "next", "param": "c"},
        lambda request: {"items": [], "next": "a"},
        "page 3 was asked before",
    ),
    (
        {"type": "next_url", "path": "next"},
        lambda request: {"items": [], "next": "/v1/tickets"},
        "page 2 was asked before",
    ),
]


@pytest.mark.parametrize(("paging", "give", "message"), CIRCLES)
def test_paging_in_a_circle_is_found_before_a_page_is_given_twice(server, api, answer, paging, give, message):
    server.answer = lambda request: answer(give(request))
    tickets = api(paging=paging, records="@" if paging["type"] in ("page", "offset") else "items")
    records: list[Record] = []
    with pytest.raises(SourceProtocolError, match=message):
        records.extend(
            r for batch in tickets.connector.batches(tickets.stream, None, 1) for r in batch.records
        )
    assert len(records) <= 1


def test_endless_pages_end(server, api, answer):
    server.answer = lambda request: answer([{"id": request.query["page"]}])
    with pytest.raises(SourceProtocolError, match=r"more than max_pages \(5\)"):
        api({"max_pages": 5}, paging={"type": "page"}).rows()


def flaky(answer, failures, then=None):
    """Answers with each of `failures` first, then with `then`."""
    left = list(failures)
    return lambda _: left.pop(0) if left else (then or answer([{"id": 1}]))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_api_is_asked_again(server, api, answer, status):
    server.answer = flaky(answer, [answer(status=status)] * 2)
    assert api().rows() == [{"id": 1}]
    assert len(server.requests) == 3


def test_a_reply_cut_short_is_asked_for_again(server, api, answer):
    server.answer = flaky(answer, [answer([{"id": 1}], cut=3)])
    assert api().rows() == [{"id": 1}]


def test_tries_are_bounded(server, api, answer):
    server.answer = lambda _: answer({"email": "anne@example.com"}, status=503)
    with pytest.raises(
        SourceUnavailableError, match=r"shop\.tickets: /v1/tickets: status 503; gave up"
    ) as caught:
        api(params={"email": "anne@example.com"}).rows()
    assert "anne" not in str(caught.value)
    assert len(server.requests) == 3


def test_an_api_out_of_reach_is_unavailable(context, reader):
    connector = RestConfig(type="rest", url="http://127.0.0.1:1").connect(context)
    with pytest.raises(SourceUnavailableError, match=r"the connection failed \(ConnectError\)"):
        reader(connector, StreamRead("s", RestRead(path="x"))).rows()
    connector.close()


def test_a_slow_api_is_unavailable(server, api, answer):
    server.answer = lambda _: (time.sleep(0.3), answer([]))[1]
    with pytest.raises(SourceUnavailableError, match="no reply in time"):
        api({"timeout_s": 0.05}).rows()
    time.sleep(0.3)


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_obeyed(server, api, answer, as_date):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.answer = flaky(answer, [answer(status=429, headers={"Retry-After": later if as_date else "1"})])
    with stamina.set_testing(False):
        began = time.monotonic()
        assert api().rows() == [{"id": 1}]
    assert 0.8 < time.monotonic() - began < 4


def test_a_retry_after_too_long_ends_the_run(server, api, answer):
    server.answer = lambda _: answer(status=503, headers={"Retry-After": "86400"})
    with pytest.raises(SourceUnavailableError, match="asks to wait for 86400 s"):
        api().rows()
    assert len(server.requests) == 1


WRONG = [
    ({"status": 401}, {}, r"the login was refused \(401\)"),
    ({"status": 403}, {}, "status 403"),
    ({"status": 404}, {}, "status 404"),
    ({"headers": {"Content-Type": "text/html"}, "body": b"<p>hunter2"}, {}, "expected JSON, got text/html"),
    ({"body": b'[{"id": "hunter2"}, {"id'}, {}, "not JSON: Unterminated string"),
    ({"json": {"data": {}}}, {"records": "dta.items"}, "did you mean 'data'"),
    ({"json": {"items": {"a": 1}}}, {"records": "items"}, "no list at 'items'"),
    ({"json": {"error": "hunter2"}}, {"error_path": "error"}, "status 200 with an error at 'error'"),
    ({"status": 302, "headers": {"Location": "http://evil.example.com/"}}, {}, "redirects to another host"),
    ({"status": 302, "headers": {"Location": "/v1/tickets"}}, {}, "redirects in a circle"),
    (
        {"json": {"n": "http://evil.example.com/", "i": []}},
        {"records": "i", "paging": {"type": "next_url", "path": "n"}},
        "another host",
    ),
    ({"json": [1] * 100}, {}, r"more than max_bytes \(200\)"),
]


@pytest.mark.parametrize(("given", "read", "message"), WRONG)
def test_what_retrying_cannot_help_is_told_at_once_without_values(server, api, answer, given, read, message):
    server.answer = lambda _: answer(**given)
    with pytest.raises(SourceProtocolError, match=message) as caught:
        api({"max_bytes": 200}, **read).rows()
    assert "hunter2" not in str(caught.value)
    assert len(server.requests) <= 5


def test_a_wrong_total_is_told(server, api, answer):
    server.answer = lambda _: answer({"items": [{"id": 1}], "total": 3})
    tickets = api(records="items", total_path="total")
    assert tickets.rows() == [{"id": 1}]
    assert tickets.connector.warnings == ["tickets: the API claims 3 records and gave 1"]


def test_redirects_on_the_same_host_are_followed(server, api, answer):
    moved = answer(status=307, headers={"Location": "/v2/tickets?a=1"})
    server.answer = lambda request: (
        moved if request.path == "/v1/tickets" else answer([{"id": request.query["a"]}])
    )
    assert api().rows() == [{"id": "1"}]


def test_compressed_replies_are_read_and_an_empty_one_has_no_records(server, api, answer):
    server.answer = lambda _: answer(body=gzip.compress(b'[{"id": 1}]'), headers={"Content-Encoding": "gzip"})
    assert api().rows() == [{"id": 1}]
    server.answer = lambda _: answer(status=204, body=b"")
    assert api().rows() == []


BASIC = "Basic " + base64.b64encode(b"me:hunter2").decode()


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"type": "bearer", "token": {"env": "SECRET"}}, "authorization", "Bearer hunter2"),
        ({"type": "basic", "username": "me", "password": {"env": "SECRET"}}, "authorization", BASIC),
        (
            {"type": "api_key", "header": "X-Key", "prefix": "K ", "value": {"env": "SECRET"}},
            "x-key",
            "K hunter2",
        ),
    ],
)
def test_logins_travel_in_headers(server, api, answer, auth, name, value):
    server.answer = lambda request: answer([{"id": request.headers.get(name)}])
    assert api({"auth": auth}).rows() == [{"id": value}]


def test_logs_show_neither_keys_nor_queries(server, api, answer, caplog):
    caplog.set_level(logging.DEBUG)
    server.answer = flaky(
        answer, [answer(status=500)], answer({"items": [{"id": 1}], "n": "/v1/tickets?t=hunter3"})
    )
    auth = {"type": "api_key", "param": "key", "value": {"env": "SECRET"}}
    paging = {"type": "next_url", "path": "n"}
    with pytest.raises(SourceProtocolError):
        api({"auth": auth}, params={"email": "anne@example.com"}, records="items", paging=paging).rows()
    assert server.requests[0].query == {"email": "anne@example.com", "key": "hunter2"}
    assert server.requests[2].query == {"t": "hunter3", "key": "hunter2"}
    assert "/v1/tickets" in caplog.text
    assert not any(word in caplog.text for word in ("hunter", "anne", "example.com"))


def oauth(answer, server, tokens, expires=3600):
    """A server that gives `tokens` in turn and accepts the last given."""
    given = []

    def give(request):
        if request.path == "/token":
            given.append(tokens[len(given)])
            return answer({"access_token": given[-1], "expires_in": expires})
        good = request.headers.get("authorization") == f"Bearer {given[-1]}" and given[-1] != "stale"
        return (
            answer([{"id": request.query.get("page")}] if request.query.get("page") != "4" else [])
            if good
            else answer(status=401)
        )

    server.answer = give
    secret = {"client_id": {"env": "USER"}, "client_secret": {"env": "SECRET"}}
    return {"type": "oauth2", "token_url": server.url + "/token", "scope": "read", **secret}


def test_oauth_fetches_one_token_and_keeps_it(server, api, answer):
    auth = oauth(answer, server, ["one", "two"])
    assert len(api({"auth": auth}, paging={"type": "page"}).rows()) == 3
    asked = [request for request in server.requests if request.path == "/token"]
    assert [(request.method, request.body, request.headers["authorization"]) for request in asked] == [
        ("POST", "grant_type=client_credentials&scope=read", BASIC)
    ]


def test_oauth_renews_a_token_that_is_refused_or_expires(server, api, answer):
    auth = oauth(answer, server, ["stale", "good"])
    assert len(api({"auth": {**auth, "send_in": "body"}}, paging={"type": "page"}).rows()) == 3
    assert server.requests[0].body.endswith("client_id=me&client_secret=hunter2")
    auth = oauth(answer, server, ["a", "b", "c", "d", "e"], expires=1)
    assert len(api({"auth": auth}, paging={"type": "page"}).rows()) == 3


def test_oauth_refused_is_told(server, api, answer):
    auth = oauth(answer, server, ["stale", "stale"])
    with pytest.raises(SourceProtocolError, match=r"login was refused \(401\)"):
        api({"auth": auth}).rows()
    server.answer = lambda _: answer({"error": "hunter2"}, status=400)
    with pytest.raises(SourceProtocolError, match=r"token address refused the client \(400\)"):
        api({"auth": auth}).rows()


def test_a_missing_secret_is_named(api):
    with pytest.raises(ConfigurationError, match="shop: environment variable GONE is not set"):
        api({"auth": {"type": "bearer", "token": {"env": "GONE"}}}).rows()


def test_the_rate_limit_is_kept(server, api, answer):
    server.answer = lambda request: answer(
        [{"id": 1, "p": request.query["page"]}] if int(request.query["page"]) < 4 else []
    )
    began = time.monotonic()
    api({"requests_per_second": 20}, paging={"type": "page"}).rows()
    assert time.monotonic() - began > 0.14


ORDERS = {"o/1": [{"line": 1}, {"line": 2}], "..x": [], "3": [{"line": 3}]}


def test_substreams_are_read_for_each_parent(server, api, answer):
    def give(request):
        if request.path == "/v1/orders":
            return answer([{"id": key, "shop": {"no": 7}} for key in ORDERS])
        return answer(
            [{"seen": request.path, **line, "q": request.query} for line in ORDERS[request.query["order"]]]
        )

    server.answer = give
    lines = api(
        path="orders/{parent.id}/lines",
        params={"order": "{parent.id}", "all": True},
        for_each={"path": "orders"},
        parent_fields={"order_id": "id", "shop": "shop.no"},
    )
    query = {"all": "true", "order": "o/1"}
    assert lines.rows()[0] == {
        "seen": "/v1/orders/o%2F1/lines",
        "line": 1,
        "q": query,
        "order_id": "o/1",
        "shop": 7,
    }
    assert [row["line"] for row in lines.rows()] == [1, 2, 3]
    assert lines.batches()[0].records[2].position == "parent 3 page 1 item 1"


@pytest.mark.parametrize("parent", [{}, {"id": None}, {"id": ".."}, {"id": ""}, {"id": {"a": 1}}])
def test_a_parent_without_a_usable_value_is_told(server, api, answer, parent):
    server.answer = lambda _: answer([parent])
    with pytest.raises(SourceProtocolError, match="a parent's record has no usable 'id'"):
        api(path="orders/{parent.id}", for_each={"path": "orders"}).rows()


HOUR = timedelta(hours=1)
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def changes(answer, server, marks, param="since"):
    """A server that gives, three a page, the records changed at or after `since`."""

    def give(request):
        since, at = request.query.get(param, ""), int(request.query.get("offset", 0))
        found = [
            {"id": number, "at": mark} for number, mark in enumerate(marks) if mark is None or mark >= since
        ]
        return answer(found[at : at + 3])

    server.answer = give
    return {"paging": {"type": "offset"}, "incremental": {"param": param}}


def iso(hours):
    return (LONG_AGO + hours * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")


@settings(max_examples=15, deadline=None)
@given(
    hours=st.lists(st.none() | st.integers(0, 4), max_size=9), size=st.integers(1, 4), ordered=st.booleans()
)
def test_resuming_from_any_cursor_loses_nothing(server, api, answer, hours, size, ordered):
    if ordered:
        hours = sorted(hour for hour in hours if hour is not None)
    read = changes(answer, server, [None if hour is None else iso(hour) for hour in hours])
    tickets = api(cursor="at", **{**read, "incremental": {"param": "since", "ordered": ordered}})
    whole = set(range(len(hours)))
    for read_ids in tickets.every_resumption(size):
        assert {row["id"] for row in read_ids} == whole
    for batch in tickets.batches(size=size):
        assert json.loads(json.dumps(batch.cursor)) == batch.cursor


def test_a_second_run_asks_for_changes_with_an_overlap(server, api, answer):
    tickets = api(cursor="at", **changes(answer, server, [iso(2), iso(1), None]))
    cursor = tickets.batches()[-1].cursor
    assert "since" not in server.requests[0].query
    server.requests.clear()
    assert [row["id"] for row in tickets.rows(cursor)] == [0, 2]
    assert server.requests[0].query["since"] == "2024-01-01T01:59:00Z"


def test_the_cursor_does_not_pass_the_beginning_of_the_run(server, api, answer):
    ahead = (datetime.now(UTC) + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    tickets = api(cursor="at", **changes(answer, server, [iso(1), ahead]))
    kept = tickets.batches()[-1].cursor["watermark"][1]
    assert iso(1) < kept <= datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("incremental", "mark", "expected"),
    [
        ({"format": "iso"}, "2024-01-01T10:00:00+02:00", "2024-01-01T07:59:00Z"),
        ({"format": "date"}, "2024-01-02T00:00:30Z", "2024-01-01"),
        ({"format": "epoch_s"}, "2024-01-01T00:01:00Z", "1704067200"),
        ({"format": "epoch_ms"}, "2024-01-01T00:01:00Z", "1704067200000"),
        ({"format": "epoch_s"}, 1704067260, "1704067200"),
        ({"format": "epoch_ms"}, 1704067260000, "1704067200000"),
        ({"overlap_s": 0}, 42, "42"),
        ({"template": "updated>='{cursor}'"}, "A17", "updated>='A17'"),
    ],
)
def test_watermarks_are_written_as_the_api_wants_them(server, api, answer, incremental, mark, expected):
    server.answer = lambda _: answer([{"id": 1, "at": mark}])
    tickets = api(cursor="at", incremental={"param": "since", "initial": "first", **incremental})
    cursor = tickets.batches()[-1].cursor
    tickets.batches(json.loads(json.dumps(cursor)))
    assert [request.query["since"] for request in server.requests] == ["first", expected]


@pytest.mark.parametrize("marks", [[{"a": 1}], ["2024-01-01", 5], ["x", "2024-01-01"], [True, "a"]])
def test_watermarks_without_one_order_are_told(server, api, answer, marks):
    server.answer = lambda _: answer([{"id": 1, "at": mark} for mark in marks])
    with pytest.raises(SourceProtocolError, match="watermark"):
        api(cursor="at", incremental={"param": "since"}).rows()


def test_each_parent_is_asked_from_where_the_run_began(server, api, answer):
    """What one shop has sold since tells nothing of what another has: its older changes were never read."""

    def give(request):
        if request.path == "/v1/shops":
            return answer([{"id": "a"}, {"id": "b"}])
        return answer([{"id": request.path[-1], "at": iso(9 if request.path[-1] == "a" else 2)}])

    server.answer = give
    tickets = api(
        cursor="at", path="sold/{parent.id}", for_each={"path": "shops"}, incremental={"param": "since"}
    )
    cursor = tickets.batches({"watermark": ["text", iso(1)]})[-1].cursor
    assert [request.query.get("since") for request in server.requests[1:]] == ["2024-01-01T00:59:00Z"] * 2
    assert cursor == {"watermark": ["text", iso(9)]}


def capped(answer, server, marks):
    """A server that gives, two a page, no more than four records for one question."""

    def give(request):
        since, at = request.query.get("since", ""), int(request.query.get("offset", 0))
        if at >= 4:
            return answer(status=400)
        found = [{"id": number, "at": mark} for number, mark in enumerate(marks) if mark >= since]
        return answer(found[at : at + 2])

    server.answer = give
    incremental = {"param": "since", "ordered": True, "restart_after": 4, "overlap_s": 0}
    return {"paging": {"type": "offset"}, "incremental": incremental}


@pytest.mark.parametrize("count", [3, 4, 5, 11])
def test_an_api_that_ends_a_question_early_is_asked_anew_from_where_it_came_to(server, api, answer, count):
    tickets = api(cursor="at", **capped(answer, server, [iso(number) for number in range(count)]))
    assert {row["id"] for row in tickets.rows()} == set(range(count))
    assert tickets.connector.warnings == []


def test_a_question_that_cannot_be_divided_ends_the_run(server, api, answer):
    tickets = api(cursor="at", **capped(answer, server, [iso(1)] * 6))
    with pytest.raises(SourceProtocolError, match="leads no further"):
        tickets.rows()


def test_incremental_needs_a_cursor(api):
    with pytest.raises(SourceProtocolError, match="incremental needs the stream's cursor"):
        api(incremental={"param": "since"}).rows()


@pytest.mark.parametrize(
    "read",
    [
        {"records": "a["},
        {"paging": {"type": "pages"}},
        {"paging": {"type": "cursor"}},
        {"incremental": {"param": "s", "template": "x"}},
        {"incremental": {"param": "s", "restart_after": 9}},
        {"parent_fields": {"a": "b"}},
        {"params": {"api_key": "hunter2"}},
        {"for_each": {"path": "p"}, "incremental": {"param": "s", "ordered": True}},
        {"for_each": {"path": "p", "incremental": {"param": "s"}}},
    ],
)
def test_a_read_that_cannot_work_is_refused(read):
    with pytest.raises(ValidationError):
        RestRead.model_validate({"path": "x", **read})


@pytest.mark.parametrize(
    "config",
    [
        {"auth": {"type": "bearer", "token": "hunter2"}},
        {"auth": {"type": "api_key", "value": {"env": "A"}}},
        {"auth": {"type": "oauth2", "token_url": "u", "client_id": "c", "client_secret": "hunter2"}},
        {"url": "https://me:hunter2@example.com"},
        {"headers": {"Authorization": "hunter2"}},
    ],
)
def test_a_login_in_plain_text_is_refused(config):
    with pytest.raises(ValidationError) as caught:
        RestConfig.model_validate({"type": "rest", "url": "http://x", **config})
    assert "hunter2" not in str(caught.value)


def test_a_blank_in_the_query_is_written_as_all_servers_understand_it(server, api, answer):
    server.answer = lambda _: answer([])
    api(params={"$filter": "changed ge 1+1"}).rows()
    assert server.requests[0].written == "%24filter=changed%20ge%201%2B1"
