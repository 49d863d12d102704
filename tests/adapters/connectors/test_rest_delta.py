"""Places that an API names itself: the next page in a header or an object, and where the next run goes on."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.adapters.connectors.rest import RestConfig
from hub.adapters.connectors.rest_models import RestRead
from hub.adapters.records import StreamRead
from hub.errors import SourceProtocolError

LINK = {"path": '"@odata.deltaLink"'}
PAGES = {"type": "next_url", "path": '"@odata.nextLink"'}


@pytest.fixture
def api(server, reader, context):
    def opened(**read):
        made = RestConfig.model_validate({"type": "rest", "url": server.url + "/v1"})
        stream = StreamRead("mails", RestRead.model_validate({"path": "mails", **read}), ("id",))
        opened.connectors.append(made.connect(context))
        return reader(opened.connectors[-1], stream)

    opened.connectors = []
    yield opened
    for connector in opened.connectors:
        connector.close()


class Feed:
    """A log of changes, two a page, that names the place after its end by a link, a token and a header."""

    def __init__(self, server, answer) -> None:
        self.log: list[dict] = []
        self.known_from = 0
        server.answer = self.give
        self.url, self.answer = server.url, answer

    def give(self, request):
        at = int(request.query.get("at") or request.query.get("page") or 0)
        if at < self.known_from and "at" in request.query:
            return self.answer({"error": "gone"}, status=410)
        part, after = self.log[at : at + 2], at + 2
        if after < len(self.log):
            return self.answer({"value": part, "@odata.nextLink": f"{self.url}/v1/mails?page={after}"})
        end = str(len(self.log))
        place = {"@odata.deltaLink": f"{self.url}/v1/mails?at={end}", "token": end}
        return self.answer({"value": part, **place}, headers={"X-Place": end})


@pytest.fixture
def feed(server, answer):
    return Feed(server, answer)


WAYS = [LINK, {"path": "token", "param": "at"}, {"header": "X-Place", "param": "at"}]


@pytest.mark.parametrize("delta", WAYS)
def test_a_run_goes_on_where_the_last_reply_of_the_one_before_said(server, feed, api, delta):
    feed.log = [{"id": number} for number in range(5)]
    mails = api(records="value", paging=PAGES, delta=delta)
    cursor = json.loads(json.dumps(mails.batches(size=2)[-1].cursor))
    feed.log += [{"id": 5}, {"id": 6}, {"id": 7}]
    server.requests.clear()
    batches = mails.batches(cursor)
    assert [record.payload["id"] for batch in batches for record in batch.records] == [5, 6, 7]
    assert server.requests[0].query == {"at": "5"}
    assert mails.rows(batches[-1].cursor) == []
    assert mails.connector.warnings == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(0, 9), more=st.integers(0, 5), size=st.integers(1, 4))
def test_whenever_a_run_is_killed_the_next_one_has_every_change(feed, api, count, more, size):
    feed.log = [{"id": number} for number in range(count)]
    mails = api(records="value", paging=PAGES, delta=LINK)
    killed = [None, *(batch.cursor for batch in mails.batches(size=size))]
    read = [record.payload["id"] for batch in mails.batches(size=size) for record in batch.records]
    assert read == list(range(count))
    feed.log += [{"id": number} for number in range(count, count + more)]
    for number, cursor in enumerate(killed):
        before = set(read[: number * size])
        assert before | {row["id"] for row in mails.rows(cursor)} == set(range(count + more))


def test_a_run_that_is_killed_in_its_changes_goes_on_where_it_had_begun(feed, api):
    feed.log = [{"id": number} for number in range(3)]
    mails = api(records="value", paging=PAGES, delta=LINK)
    first = mails.batches()[-1].cursor
    feed.log += [{"id": number} for number in range(3, 9)]
    assert [batch.cursor == first for batch in mails.batches(first, size=2)] == [True, True, True, False]


def test_a_place_that_is_forgotten_is_told_and_everything_is_read_again(feed, api):
    feed.log = [{"id": number} for number in range(3)]
    mails = api(records="value", paging=PAGES, delta=LINK)
    cursor = mails.batches()[-1].cursor
    feed.log.append({"id": 3})
    feed.known_from = 4
    batches = mails.batches(cursor, size=2)
    assert [record.payload["id"] for batch in batches for record in batch.records] == [0, 1, 2, 3]
    assert batches[0].cursor is None
    assert "forgotten where the last run ended" in mails.connector.warnings[0]
    assert mails.rows(batches[-1].cursor) == []


def test_another_question_is_asked_from_the_beginning(feed, api):
    feed.log = [{"id": number} for number in range(3)]
    cursor = api(records="value", paging=PAGES, delta=LINK).batches()[-1].cursor
    other = api(records="value", paging=PAGES, delta=LINK, params={"$select": "id,subject"})
    assert len(other.rows(cursor)) == 3


def test_a_stream_that_had_a_watermark_begins_anew(feed, api):
    feed.log = [{"id": 0}]
    mails = api(records="value", paging=PAGES, delta=LINK)
    assert mails.rows({"watermark": ["text", "2026-01-01"]}) == [{"id": 0}]


def test_a_last_reply_without_a_place_is_told_and_loses_nothing(server, answer, api):
    server.answer = lambda _: answer({"value": [{"id": 1}]})
    mails = api(records="value", paging=PAGES, delta=LINK)
    assert [batch.cursor for batch in mails.batches()] == [None]
    assert "does not tell at" in mails.connector.warnings[0]


@pytest.mark.parametrize("said", ["http://elsewhere.example.com/mails?at=1", {"at": 1}])
def test_a_place_elsewhere_is_not_followed(server, answer, api, said):
    server.answer = lambda _: answer({"value": [], "@odata.deltaLink": said})
    mails = api(records="value", paging=PAGES, delta=LINK)
    with pytest.raises(SourceProtocolError, match=r"another host|an object or a list"):
        mails.rows(mails.batches()[-1].cursor)


def test_the_next_page_may_stand_in_a_header(server, answer, api):
    def give(request):
        at = int(request.query.get("page_info", 0))
        return answer([{"id": at}], headers={"X-Next-Page": str(at + 1)} if at < 2 else {})

    server.answer = give
    paging = {"type": "cursor", "param": "page_info", "header": "X-Next-Page"}
    assert [row["id"] for row in api(paging=paging).rows()] == [0, 1, 2]
    server.answer = lambda request: answer(
        [{"id": request.path}], headers={"X-Next": "/v1/more"} if request.path == "/v1/mails" else {}
    )
    paging = {"type": "next_url", "header": "X-Next"}
    assert [row["id"] for row in api(paging=paging).rows()] == ["/v1/mails", "/v1/more"]


def test_an_object_to_continue_with_is_added_to_the_first_request(server, answer, api):
    """What the request before had of its own is not sent again: MediaWiki ends one list, and goes on with another."""
    steps = [{"apcontinue": "B", "continue": "-||"}, {"rvcontinue": "2|7", "continue": "||", "deep": True}]
    server.answer = lambda _: answer(
        {"pages": [{"id": len(server.requests)}], **({"continue": steps.pop(0)} if steps else {})}
    )
    rows = api(params={"action": "query"}, records="pages", paging={"type": "continue"}).rows()
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert [request.query for request in server.requests] == [
        {"action": "query"},
        {"action": "query", "apcontinue": "B", "continue": "-||"},
        {"action": "query", "rvcontinue": "2|7", "continue": "||", "deep": "true"},
    ]


@pytest.mark.parametrize("said", [["a"], "a", {"a": {"b": 1}}])
def test_what_is_no_object_of_parameters_is_told_without_its_value(server, answer, api, said):
    server.answer = lambda _: answer({"pages": [], "continue": said})
    with pytest.raises(SourceProtocolError, match="'continue' is no object of texts and numbers"):
        api(records="pages", paging={"type": "continue"}).rows()


@pytest.mark.parametrize(
    "read",
    [
        {"paging": {"type": "cursor", "path": "a", "header": "B"}},
        {"paging": {"type": "next_url"}},
        {"delta": {}},
        {"delta": LINK, "incremental": {"param": "since"}},
        {"delta": LINK, "for_each": {"path": "x"}},
        {"for_each": {"path": "x", "delta": LINK}},
        {"delta": {"path": "token", "param": "at"}, "body": {"size": 1}},
    ],
)
def test_places_that_cannot_work_are_refused(read):
    with pytest.raises(ValidationError):
        RestRead.model_validate({"path": "x", **read})
