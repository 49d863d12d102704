"""APIs that are asked by POST, with JSON that says which page and which changes; and values written as objects."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.adapters.connectors.rest import RestConfig
from hub.adapters.connectors.rest_body import filled, named
from hub.adapters.connectors.rest_models import RestRead
from hub.adapters.connectors.typed_json import plain
from hub.adapters.records import StreamRead
from hub.errors import SourceProtocolError

ITEMS = [{"id": number, "changed": f"2026-01-0{number + 1}T00:00:00Z"} for number in range(5)]
OFFSETS = {
    "body": {"skip": "{offset}", "take": "{limit}", "fields": ["id", "changed"]},
    "paging": {"type": "offset", "size_param": "limit", "size": 2},
}
TOKENS = {
    "body": {"cursor": "{next}", "query": {"sort": "id"}},
    "paging": {"type": "cursor", "param": "next", "path": "next"},
}
SINCE = {
    "body": {
        "domain": [["changed", ">=", {"year": "{since.year}", "day": "{since.day}"}]],
        "text": "after {since}",
    },
    "incremental": {"param": "since", "format": "iso", "initial": "2026-01-01T00:00:00Z", "overlap_s": 0},
}


@pytest.fixture
def api(server, reader, context):
    def opened(config=None, *, cursor=None, **read):
        made = RestConfig.model_validate({"type": "rest", "url": server.url + "/v1", **(config or {})})
        stream = StreamRead("tickets", RestRead.model_validate({"path": "search", **read}), ("id",), cursor)
        connector = made.connect(context)
        opened.connectors.append(connector)
        return reader(connector, stream)

    opened.connectors = []
    yield opened
    for connector in opened.connectors:
        connector.close()


def test_pages_are_asked_for_in_the_body_and_not_in_the_query(server, api, answer):
    def give(request):
        said = json.loads(request.body)
        return answer(ITEMS[said["skip"] : said["skip"] + said["take"]])

    server.answer = give
    assert [row["id"] for row in api(**OFFSETS).rows()] == [0, 1, 2, 3, 4]
    assert {request.method for request in server.requests} == {"POST"}
    assert {tuple(request.query) for request in server.requests} == {()}
    assert json.loads(server.requests[0].body) == {"skip": 0, "take": 2, "fields": ["id", "changed"]}


def test_the_first_page_has_no_token_and_the_others_that_of_the_page_before(server, api, answer):
    def give(request):
        at = int(json.loads(request.body).get("cursor", 0))
        return answer({"items": ITEMS[at : at + 2], "next": str(at + 2) if at + 2 < len(ITEMS) else None})

    server.answer = give
    assert len(api(**TOKENS, records="items").rows()) == len(ITEMS)
    assert [json.loads(request.body).get("cursor") for request in server.requests] == [None, "2", "4"]


def test_changes_are_asked_for_by_the_parts_of_a_time(server, api, answer):
    server.answer = lambda request: answer(ITEMS)
    stream = api(cursor="changed", **SINCE)
    (batch,) = stream.batches()
    stream.batches(batch.cursor)
    first, second = (json.loads(request.body) for request in server.requests)
    assert first == {
        "domain": [["changed", ">=", {"year": 2026, "day": 1}]],
        "text": "after 2026-01-01T00:00:00Z",
    }
    assert second["domain"][0][2] == {"year": 2026, "day": 5}


def test_a_question_is_not_asked_again_without_its_body(server, api, answer):
    server.answer = lambda request: answer(status=302, headers={"Location": "/v1/other"})
    with pytest.raises(SourceProtocolError, match="status 302"):
        api(**OFFSETS).rows()
    server.answer = lambda request: (
        answer(status=307, headers={"Location": "/v1/other"}) if "search" in request.path else answer([])
    )
    assert api(**OFFSETS).rows() == []
    assert json.loads(server.requests[-1].body)["take"] == 2


@pytest.mark.parametrize(
    ("read", "message"),
    [
        ({**OFFSETS, "body": {"take": "{limit}"}}, "body has no {offset}"),
        ({**TOKENS, "body": {"query": {}}}, "body has no {next}"),
        ({**SINCE, "body": {}}, "body has no {since}"),
    ],
)
def test_a_body_without_a_place_for_what_must_go_there_is_refused(read, message):
    with pytest.raises(ValidationError, match=message):
        RestRead.model_validate({"path": "search", **read})


def test_a_list_without_the_value_that_it_needs_is_told(server, api):
    read = {"body": [["changed", "{since}"]], "incremental": {"param": "since"}}
    with pytest.raises(SourceProtocolError, match="needs a value for 'since', such as `initial`"):
        api(cursor="changed", **read).rows()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("abc {}."),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
    )
)
def test_a_body_without_places_stays_as_it_is(template):
    if not named(template):
        assert filled(template, {}) == template


# values written as objects


def test_tryton_s_objects_are_exact_numbers_dates_and_times_of_utc(server, api, answer):
    row = {
        "id": 1,
        "total": {"__class__": "Decimal", "decimal": "10.10"},
        "on": {"__class__": "date", "year": 2026, "month": 2, "day": 3},
        "write_date": {"__class__": "datetime", "year": 2026, "month": 2, "day": 3, "hour": 4, "minute": 5,
                       "second": 6, "microsecond": 7},
        "lines": [{"__class__": "timedelta", "seconds": 90.5}],
    }  # fmt: skip
    server.answer = lambda request: answer({"result": [row]})
    assert api({"typed": "tryton"}, body={}, records="result").rows() == [
        {
            "id": 1,
            "total": Decimal("10.10"),
            "on": "2026-02-03",
            "write_date": "2026-02-03T04:05:06.000007Z",
            "lines": [Decimal("90.5")],
        }
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"__class__": "Decimal", "decimal": "ten"},
        {"__class__": "Decimal"},
        {"__class__": "date", "year": 2026, "month": 13, "day": 1},
        {"__class__": "datetime", "year": "soon"},
        {"__class__": "Widget"},
        {"__class__": ["date"]},
    ],
)
def test_an_object_that_is_none_of_its_class_is_refused_without_its_value(value):
    with pytest.raises(ValueError, match="a value") as caught:
        plain([value], "tryton")
    assert "ten" not in str(caught.value)


def test_an_error_in_a_reply_of_status_200_ends_the_run(server, api, answer):
    server.answer = lambda request: answer({"id": 1, "error": ["UserError", ["no access"]]})
    with pytest.raises(SourceProtocolError, match="with an error at 'error'") as caught:
        api({"typed": "tryton"}, body={}, records="result", error_path="error").rows()
    assert "no access" not in str(caught.value)


def test_a_refresh_token_is_changed_for_an_access_token(server, api, answer):
    def give(request):
        if request.path.endswith("token"):
            return answer({"access_token": "fresh", "expires_in": 60})
        return answer([{"id": 1}])

    server.answer = give
    auth = {"type": "oauth2", "token_url": f"{server.url}/token", "client_id": "me", "client_secret": {"env": "SECRET"},
            "refresh_token": {"env": "USER"}, "send_in": "body"}  # fmt: skip
    assert len(api({"auth": auth}).rows()) == 1
    assert "grant_type=refresh_token&refresh_token=me" in server.requests[0].body
    assert server.requests[1].headers["authorization"] == "Bearer fresh"


def test_times_of_odata_2_are_iso_text_and_what_describes_itself_goes():
    read = plain(
        {
            "d": {
                "results": [
                    {"__metadata": {"uri": "x"}, "at": "/Date(-1)/", "more": {"__deferred": {"uri": "x"}}}
                ]
            }
        },
        "odata2",
    )
    assert read == {"d": {"results": [{"at": "1969-12-31T23:59:59.999000", "more": None}]}}
    assert plain(["/Date(1772352002123+0060)/"], "odata2") == ["2026-03-01T09:00:02.123000+01:00"]
    assert plain("a note on /Date(0)/", "odata2") == "a note on /Date(0)/"


@pytest.mark.parametrize("value", ["/Date(999999999999999)/", "/Date(0+9999)/"])
def test_a_time_of_odata_2_that_is_none_is_refused_without_being_told(value):
    with pytest.raises(ValueError, match="no time") as refused:
        plain([value], "odata2")
    assert "999" not in str(refused.value)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))
def test_every_time_of_odata_2_comes_back(at):
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    milliseconds = (at - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    assert datetime.fromisoformat(plain(f"/Date({milliseconds})/", "odata2")) == at
