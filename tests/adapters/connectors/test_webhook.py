"""What senders bring, from the inbox to the graph: each delivery once, in its order, and none lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.adapters import Inbox, Sources, Syncer, load_sources
from hub.adapters.connectors.webhook import WebhookConfig, WebhookRead, deliveries
from hub.adapters.inbox import Delivery
from hub.adapters.records import ConnectorContext, GoneRecord, StreamRead
from hub.adapters.signatures import Proven, Request
from hub.errors import ConfigurationError
from hub.ontology import load_ontology
from hub.store import Store
from tests.adapters.signing import SENDERS, URL

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CONFIG = {"type": "webhook", "signature": "standard", "secret": {"env": "SECRET"}}
TOPIC = {"header": "X-Topic", "equals": ["customers/update", "customers/delete"]}
YAML = """
source: shop
connector: {type: webhook, signature: standard, secret: {env: SECRET}}
streams:
  people:
    read:
      when: {header: X-Topic, equals: [customers/update, customers/delete]}
      gone: {header: X-Topic, equals: customers/delete}
    key: id
    observed_at: changed
    entities:
      - type: Person
        properties: {familyName: {path: name, required: true}, email: email}
"""


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox.open(f"sqlite:///{tmp_path / 'inbox.sqlite'}")
    yield opened
    opened.close()


def connector(inbox: Inbox) -> Any:
    context = ConnectorContext("shop", {"SECRET": "c2VjcmV0"}, inbox=inbox)
    return WebhookConfig.model_validate(CONFIG).connect(context)


def stream(**read: Any) -> StreamRead[WebhookRead]:
    return StreamRead("people", WebhookRead.model_validate(read), ("id",))


def put(inbox: Inbox, *bodies: object, gone: bool = False, name: str = "people") -> None:
    held = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in bodies]
    for body in held:
        inbox.put("shop", [Delivery(name, gone, NOW, body)], 1000, NOW)


def read(inbox: Inbox, given: StreamRead[WebhookRead], size: int = 100) -> list[Any]:
    return [record for batch in connector(inbox).batches(given, None, size) for record in batch.records]


def test_what_waits_is_read_in_batches_and_goes_when_it_is_committed(inbox: Inbox) -> None:
    put(inbox, *({"id": number} for number in range(5)))
    opened, given = connector(inbox), stream()
    batches = list(opened.batches(given, None, 2))
    assert [len(batch.records) for batch in batches] == [2, 2, 1]
    assert [record.payload["id"] for batch in batches for record in batch.records] == list(range(5))
    assert len(read(inbox, given)) == 5, "nothing is gone before it was committed"
    put(inbox, {"id": 5})
    opened.committed(given, batches[-1].cursor)
    opened.committed(given, batches[-1].cursor)
    assert [record.payload["id"] for record in read(inbox, given)] == [5]


def test_a_bounded_run_leaves_the_rest(inbox: Inbox) -> None:
    put(inbox, *({"id": number} for number in range(5)))
    opened, given = connector(inbox), stream(max_messages=3)
    batches = list(opened.batches(given, None, 100))
    opened.committed(given, batches[-1].cursor)
    assert [record.payload["id"] for record in read(inbox, stream())] == [3, 4]


def test_a_run_with_nothing_to_take_in_moves_no_cursor(inbox: Inbox) -> None:
    assert list(connector(inbox).batches(stream(), {"delivery": 7}, 100)) == []


def test_records_are_of_the_stream_by_their_fields(inbox: Inbox) -> None:
    events = [{"id": 1, "kind": "made"}, {"id": 2, "kind": "other"}, {"id": 3, "kind": "gone"}, {"id": 4}]
    put(inbox, events)
    given = stream(
        format={"type": "json", "records": "item"},
        when={"field": "kind", "equals": ["made", "gone"]},
        gone={"field": "kind", "equals": "gone"},
    )
    put(inbox, {"id": 9}, name="orders")
    [delivered] = inbox.waiting("shop", "people")
    inbox.taken([delivered.number], NOW)
    meant = deliveries({"people": given.read}, asked(events), Proven(None, None, None), NOW)
    inbox.put("shop", list(meant), 1000, NOW)
    first, second = read(inbox, given)
    assert (first.payload["id"], isinstance(first, GoneRecord)) == (1, False)
    assert (second.payload["id"], isinstance(second, GoneRecord)) == (3, True)


def test_poison_waits_for_nobody(inbox: Inbox) -> None:
    put(inbox, {"id": 1}, b"{broken", b"7", b"", {"id": 2})
    kinds = [type(record).__name__ for record in read(inbox, stream())]
    assert kinds[0] == kinds[-1] == "RawRecord"
    assert kinds.count("RawRecord") == 2
    assert "BadRecord" in kinds


def test_the_time_of_sending_can_be_a_field(inbox: Inbox) -> None:
    put(inbox, {"id": 1})
    [record] = read(inbox, stream(sent_field="sent"))
    assert record.payload == {"id": 1, "sent": "2026-11-23T12:00:00+00:00"}


def asked(body: object, **headers: str) -> Request:
    held = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Request("POST", URL, held, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("topic", "found"),
    [("customers/update", [False]), ("customers/delete", [True]), ("orders/create", []), (None, [])],
)
def test_headers_say_whose_a_delivery_is(topic: str | None, found: list[bool]) -> None:
    given = WebhookRead.model_validate({"when": TOPIC, "gone": {**TOPIC, "equals": "customers/delete"}})
    headers = {"X_Topic": topic} if topic else {}
    meant = deliveries({"people": given}, asked({}, **headers), Proven("1", None, None), NOW)
    assert [each.gone for each in meant] == found


@pytest.mark.parametrize(
    "wrong",
    [
        {"when": {"equals": "x"}},
        {"when": {"header": "X", "field": "x", "equals": "x"}},
        {"when": {"header": "X", "equals": []}},
        {"when": {"field": "a[", "equals": "x"}},
    ],
)
def test_conditions_that_say_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebhookRead.model_validate(wrong)


def test_a_secret_that_is_no_key_is_a_fault_of_the_configuration() -> None:
    config = WebhookConfig.model_validate(CONFIG)
    request = Request("POST", URL, SENDERS["standard"](b"{}", NOW, "1", URL), b"{}")
    with pytest.raises(ConfigurationError, match="not base64") as caught:
        config.proven(ConnectorContext("shop", {"SECRET": "hunter2!"}), request, NOW)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="SECRET is not set"):
        config.proven(ConnectorContext("shop", {}), request, NOW)


class Sender:
    """A sender whose deliveries a hub's syncer takes in."""

    def __init__(self, folder: Path, store: Store, inbox: Inbox) -> None:
        (folder / "config").mkdir()
        (folder / "config" / "shop.yaml").write_text(YAML)
        ontology = load_ontology()
        configs = load_sources(folder / "config", ontology)
        sources = Sources(configs, ontology, {"SECRET": "c2VjcmV0"}, folder, inbox=inbox)
        self.store, self.inbox, self.syncer = store, inbox, Syncer(store, sources)

    def bring(self, *people: dict[str, Any], gone: bool = False) -> None:
        put(self.inbox, *people, gone=gone)

    def people(self) -> list[tuple[str, str | None]]:
        sql = "SELECT family_name, email FROM e_person ORDER BY family_name"
        with self.store.read() as connection:
            return [(row[0], row[1]) for row in connection.exec_driver_sql(sql)]


@pytest.fixture
def sender(tmp_path: Path, store_url: str, inbox: Inbox) -> Iterator[Sender]:
    store = Store.open(store_url, load_ontology())
    yield Sender(tmp_path, store, inbox)
    store.close()


def person(key: int, name: str, day: int = 1) -> dict[str, Any]:
    return {
        "id": key,
        "name": name,
        "email": f"{name.lower()}@example.com",
        "changed": f"2026-11-{day:02}T10:00:00Z",
    }


def test_deliveries_become_customers_change_and_go(sender: Sender) -> None:
    sender.bring(person(1, "Ash"), person(2, "Birch"))
    report = sender.syncer.sync("shop")
    assert (report.state, report.total.accepted) == ("ok", 2)
    assert sender.people() == [("Ash", "ash@example.com"), ("Birch", "birch@example.com")]
    sender.bring(person(1, "Alder", 2))
    sender.bring(person(2, "Birch", 2), gone=True)
    assert sender.syncer.sync("shop").state == "ok"
    assert sender.people() == [("Alder", "alder@example.com")]
    assert sender.syncer.sync("shop").total.read == 0


def test_what_comes_out_of_its_order_puts_nothing_older_in_place(sender: Sender) -> None:
    sender.bring(person(1, "Alder", 2), person(1, "Ash", 1))
    sender.syncer.sync("shop")
    assert [name for name, _ in sender.people()] == ["Alder"]


def test_a_run_that_breaks_off_before_its_end_is_made_good_by_the_next(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.bring(person(1, "Ash"), person(2, "Birch"))
    with monkeypatch.context() as broken:
        broken.setattr(Inbox, "taken", _killed)
        with pytest.raises(KeyboardInterrupt):
            sender.syncer.sync("shop")
    assert len(sender.people()) == 2
    report = sender.syncer.sync("shop")
    assert (report.state, report.total.read, report.total.unchanged) == ("ok", 2, 2)
    assert sender.syncer.sync("shop").total.read == 0


def _killed(*_given: object) -> None:
    raise KeyboardInterrupt


def test_bad_deliveries_wait_in_quarantine_and_the_good_ones_load(sender: Sender) -> None:
    sender.bring(*(person(number, f"Ash{number}") for number in range(20)), {"id": 99, "email": "x"})
    report = sender.syncer.sync("shop")
    assert (report.total.accepted, report.total.quarantined) == (20, 1)
    assert sender.inbox.sources_waiting() == set()


def test_what_a_failed_run_could_not_take_in_is_still_there(sender: Sender) -> None:
    sender.bring(*({"id": number} for number in range(200)))
    assert sender.syncer.sync("shop").state == "failed"
    assert sender.inbox.backlogs()["shop"].waiting == 200


def test_what_came_for_a_stream_goes_with_it(sender: Sender) -> None:
    sender.bring(person(1, "Ash"))
    sender.syncer.sync("shop")
    sender.bring(person(2, "Birch"))
    left = replace(sender.syncer.sources, configs={})
    Syncer(sender.store, left).forget("shop")
    assert sender.inbox.sources_waiting() == set()


def test_a_window_is_by_the_sources_yaml() -> None:
    config = WebhookConfig.model_validate({**CONFIG, "window_s": 3600})
    late = NOW + timedelta(minutes=50)
    secret = {"SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    headers = {name.lower(): each for name, each in SENDERS["standard"](b"{}", NOW, "1", URL).items()}
    proven = config.proven(ConnectorContext("shop", secret), Request("POST", URL, headers, b"{}"), late)
    assert proven.sent_at == NOW
