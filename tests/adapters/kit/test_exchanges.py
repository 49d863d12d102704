"""Exchanges are recorded without secrets and people's values, read by people, and replayed as they were."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial

import httpx
import pytest

from hub.adapters.connectors.rest import RestConfig
from hub.adapters.connectors.rest_models import RestRead
from hub.adapters.kit.exchanges import Exchange, dump_exchanges, load_exchanges
from hub.adapters.kit.recording import MAX_EXCHANGES, Recorder
from hub.adapters.kit.replaying import Replayer, VirtualClock
from hub.adapters.kit.synthetic import Synthetic
from hub.adapters.records import ConnectorContext, StreamRead
from hub.errors import ConfigurationError, SourceProtocolError

PEOPLE = [
    {
        "id": number,
        "name": f"Anne Lovelace{letter}",
        "email": f"anne{letter}@analytical.org",
        "mobile": f"+44 7911 12345{number}",
        "city": "Marylebone",
        "state": "open",
        "spent": Decimal("12.50"),
        "updated_at": "2026-01-31T08:00:00Z",
        "note": "Call her husband William after six.",
    }
    for number, letter in enumerate("abc", 1)
]


def api(request: httpx.Request) -> httpx.Response:
    """People in two pages that lead from one to the other by an address with somebody's e-mail in it."""
    if request.url.path == "/token":
        return httpx.Response(200, json={"access_token": "t0ps3cret", "expires_in": 3600})
    assert request.headers["authorization"] == "Bearer t0ps3cret"
    after = request.url.params.get("after")
    page = PEOPLE[2:] if after else PEOPLE[:2]
    link = f"{request.url.copy_with(query=None)}?after={PEOPLE[1]['email']}&api_key=hunter2"
    body = {"people": page, "next": None if after else link}
    headers = {
        "Set-Cookie": "session=hunter2",
        "X-RateLimit-Remaining": "9",
        "Date": "Mon, 23 Nov 2026 00:00:00 GMT",
    }
    content = json.dumps(body, default=float).replace("12.5", "12.50").encode()
    return httpx.Response(200, headers={"Content-Type": "application/json", **headers}, content=content)


CONFIG = {
    "type": "rest",
    "url": "https://crm.example.com/v1",
    "auth": {
        "type": "oauth2",
        "token_url": "https://crm.example.com/token",
        "client_id": "hub",
        "client_secret": {"env": "SECRET"},
        "send_in": "body",
    },
}
READ = {"path": "people", "records": "people", "paging": {"type": "next_url", "path": "next"}}


def read(wire, secret="hunter2", config=CONFIG):
    context = ConnectorContext("crm", {"SECRET": secret}, wire=wire)
    connector = RestConfig.model_validate(config).connect(context)
    stream = StreamRead("people", RestRead.model_validate(READ), ("id",))
    return [record.payload for batch in connector.batches(stream, None, 100) for record in batch.records]


def recorded(**settings):
    recorder = Recorder("crm", httpx.MockTransport(api), Synthetic(secrets=["hunter2"], **settings))
    return read(lambda: recorder), recorder.exchanges


def test_a_recording_is_replayed_and_gives_the_same_records_each_time():
    first, exchanges = recorded()
    assert first == PEOPLE
    wire = partial(Replayer, "crm", exchanges)
    again = read(wire)
    assert again == read(wire, secret="another")
    assert [person["id"] for person in again] == [1, 2, 3]
    assert str(again[0]["spent"]) == "12.50"


def test_neither_secrets_nor_peoples_values_are_in_a_recording():
    _, exchanges = recorded()
    written = dump_exchanges(exchanges)
    for secret in ("hunter2", "t0ps3cret", "session"):
        assert secret not in written
    for value in ("Anne", "Lovelace", "analytical.org", "7911", "Marylebone", "husband", "crm.example.com"):
        assert value not in written
    for kept in ("12.50", "open", "2026-01-31T08:00:00Z", "X-Ratelimit-Remaining", "person-1@example.com"):
        assert kept in written


def test_values_are_kept_where_somebody_answers_for_them_but_secrets_never():
    _, exchanges = recorded(keeps=True)
    written = dump_exchanges(exchanges)
    assert "Anne Lovelacea" in written
    assert "hunter2" not in written
    assert "t0ps3cret" not in written
    assert read(partial(Replayer, "crm", exchanges)) == PEOPLE


def test_a_file_says_the_exchanges_exactly(tmp_path):
    _, exchanges = recorded()
    (tmp_path / "people.yaml").write_text(dump_exchanges(exchanges, "People of the CRM.\nTwo pages."))
    assert load_exchanges(tmp_path) == tuple(exchanges)
    assert (tmp_path / "people.yaml").read_text().startswith("# People of the CRM.\n# Two pages.\n- request:")


HAND_WRITTEN = """
- request: {path: /v1/people, query: {page: 1, active: true}}
  response: {status: 429, headers: {Retry-After: "5"}}
- request: {path: /v1/people, query: {page: 1, active: true}}
  response: {json: [{id: 1, born: 1990-02-01, spent: 7.10}]}
- request: {path: /v1/people, query: {page: 2, active: true}}
  response: {error: reset}
- request: {method: POST, path: /v1/search, json: {after: 7}}
  response: {text: <ok/>, headers: {Content-Type: text/xml}}
- request: {path: /v1/version}
  response: {json: 3}
  again: true
"""


@pytest.fixture
def by_hand(tmp_path):
    (tmp_path / "a.yaml").write_text(HAND_WRITTEN)
    return load_exchanges(tmp_path / "a.yaml")


def test_exchanges_written_by_hand_are_played_in_order(by_hand):
    replayer = Replayer("crm", by_hand)
    client = httpx.Client(transport=replayer, base_url="https://x.example")
    people = {"page": "1", "active": "true"}
    assert client.get("/v1/people", params=people).headers["retry-after"] == "5"
    assert client.get("/v1/people", params=people).text == '[{"id":1,"born":"1990-02-01","spent":7.10}]'
    with pytest.raises(httpx.ReadError):
        client.get("/v1/people", params=people | {"page": "2"})
    assert [str(each.request) for each in replayer.left] == ["POST /v1/search"]
    assert client.post("/v1/search", json={"after": 7, "password": "x"}).headers["content-type"] == "text/xml"
    assert [client.get("/v1/version").json() for _ in range(3)] == [3, 3, 3]
    assert replayer.left == ()


ASKED_OTHERWISE = [
    (
        ("GET", "/v1/people?page=3&active=true&email=anne@example.org"),
        "with page, active, email; expected GET ",
    ),
    (
        ("GET", "/v1/people?page=3&active=true"),
        r"expected GET /v1/people\?page=1&active=true, which differs in query page",
    ),
    (("GET", "/v1/persons?page=1&active=true"), "differs in path"),
    (("POST", "/v1/search"), "expected POST /v1/search, which differs in body"),
]


@pytest.mark.parametrize(("asked", "message"), ASKED_OTHERWISE)
def test_what_was_not_recorded_is_refused_with_what_was_expected(by_hand, asked, message):
    client = httpx.Client(transport=Replayer("crm", by_hand), base_url="https://x.example")
    with pytest.raises(SourceProtocolError, match=message) as caught:
        client.request(*asked)
    assert "anne" not in str(caught.value)


def test_what_was_asked_as_often_as_recorded_is_refused():
    once = Exchange.model_validate({"request": {"path": "/v1"}, "response": {"json": []}})
    client = httpx.Client(transport=Replayer("crm", [once]), base_url="https://x.example")
    client.get("/v1")
    with pytest.raises(SourceProtocolError, match="all that were recorded are used"):
        client.get("/v1")


FAULTY = [
    ("request: {}", "is no list of exchanges"),
    ("- request: {path: /v1}\n", "0.response: 'response' is missing"),
    ("- request: {path: /v1, qury: {}}\n  response: {}", "unknown key 'qury'.*did you mean 'query'"),
    ("- request: {path: /v1}\n  response: {json: 1, text: x}", "give one of json, text and error"),
    ("- request: {path: /v1}\n  response: {json: .nan}", "line 2: NaN and infinity are no JSON"),
]


@pytest.mark.parametrize(("text", "message"), FAULTY)
def test_a_faulty_file_is_refused_with_the_place(tmp_path, text, message):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        load_exchanges(tmp_path)


def test_a_connector_paces_its_requests_by_the_clock_that_it_is_given(by_hand):
    clock = VirtualClock()
    version = [by_hand[-1]]
    replayer = Replayer("crm", version, clock=clock)
    context = ConnectorContext("crm", {}, wire=lambda: replayer, clock=clock)
    config = {"type": "rest", "url": "https://x.example/v1", "requests_per_second": 2}
    connector = RestConfig.model_validate(config).connect(context)
    stream = StreamRead("v", RestRead.model_validate({"path": "version", "records": "[@]"}), ("id",))
    for _ in range(3):
        list(connector.batches(stream, None, 100))
    assert replayer.asked_at == [0.0, 0.5, 1.0]


def test_a_recording_ends_before_it_is_longer_than_anybody_reads():
    endless = Recorder("crm", httpx.MockTransport(lambda _: httpx.Response(204)), Synthetic())
    client = httpx.Client(transport=endless, base_url="https://x.example")
    for _ in range(MAX_EXCHANGES):
        client.get("/v1")
    with pytest.raises(SourceProtocolError, match="record a narrower reading"):
        client.get("/v1")


def test_xml_is_recorded_with_its_values_replaced():
    soap = b'<e xmlns="urn:x"><name id="7">Anne Lovelace</name><when>2026-01-31</when></e>'
    inner = httpx.MockTransport(
        lambda _: httpx.Response(200, headers={"Content-Type": "text/xml"}, content=soap)
    )
    recorder = Recorder("crm", inner, Synthetic(secrets=["hunter2"]))
    client = httpx.Client(transport=recorder, base_url="https://x.example")
    sent = {
        "content": b"<login><Password>hunter2</Password></login>",
        "headers": {"Content-Type": "text/xml"},
    }
    client.post("/soap", **sent)
    written = dump_exchanges(recorder.exchanges)
    assert "Lovelace" not in written
    assert "hunter2" not in written
    assert '<name id="7">Person A</name><when>2026-01-31</when>' in written
    replayed = httpx.Client(
        transport=Replayer("crm", recorder.exchanges, ["hunter2"]), base_url="https://y.example"
    )
    assert "Person A" in replayed.post("/soap", **sent).text
