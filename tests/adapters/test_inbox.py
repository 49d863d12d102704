"""The inbox of webhooks: what was said to be kept is there until it is taken, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.adapters.inbox import REMEMBERED, Delivery, Inbox, InboxFullError
from hub.errors import StoreError, StoreUnavailableError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOST = 1000


@pytest.fixture
def inbox(empty_url: str) -> Iterator[Inbox]:
    opened = Inbox.open(empty_url)
    yield opened
    opened.close()


def delivery(body: bytes = b"{}", stream: str = "people", **more: object) -> Delivery:
    return Delivery(stream, False, NOW, body, **more)  # type: ignore[arg-type]


def bodies(inbox: Inbox, stream: str = "people") -> list[bytes]:
    return [each.delivery.body for each in inbox.waiting("shop", stream)]


def test_what_is_kept_waits_in_its_order_until_it_is_taken(inbox: Inbox, empty_url: str) -> None:
    for number in range(3):
        assert inbox.put("shop", [delivery(b"%d" % number), delivery(stream="orders")], MOST, NOW) == 2
    again = Inbox.open(empty_url)
    waiting = list(again.waiting("shop", "people"))
    assert [each.delivery.body for each in waiting] == [b"0", b"1", b"2"]
    again.taken([each.number for each in waiting[:2]], NOW)
    again.close()
    assert bodies(inbox) == [b"2"]
    assert bodies(inbox, "orders") == [b"{}"] * 3
    assert inbox.sources_waiting() == {"shop"}
    found = inbox.backlogs()["shop"]
    assert (found.waiting, found.oldest, found.newest) == (4, NOW, NOW)


def test_more_than_a_page_waits(inbox: Inbox) -> None:
    inbox.put("shop", [delivery(b"%d" % number) for number in range(1201)], MOST * 2, NOW)
    assert bodies(inbox) == [b"%d" % number for number in range(1201)]


@pytest.mark.parametrize("what", ["id", "seal"])
def test_a_repetition_is_known_also_when_the_first_was_taken(inbox: Inbox, what: str) -> None:
    given = {"id": "msg_1"} if what == "id" else {"seal": b"1" * 32}
    assert inbox.put("shop", [delivery(b"1", **given)], MOST, NOW) == 1
    assert inbox.put("shop", [delivery(b"2", **given)], MOST, NOW) == 0
    inbox.taken([each.number for each in inbox.waiting("shop", "people")], NOW)
    assert inbox.put("shop", [delivery(b"3", **given)], MOST, NOW) == 0
    assert inbox.put("other", [delivery(b"4", **given)], MOST, NOW) == 1
    assert bodies(inbox) == []


def test_nothing_is_dropped_where_the_sender_names_nothing(inbox: Inbox) -> None:
    for _ in range(3):
        assert inbox.put("shop", [delivery()], MOST, NOW) == 1
    assert len(bodies(inbox)) == 3


def test_repetitions_are_forgotten_in_time_and_what_waits_never(inbox: Inbox) -> None:
    inbox.put("shop", [delivery(id="taken"), delivery(id="waits")], MOST, NOW)
    first, _ = inbox.waiting("shop", "people")
    late = NOW + REMEMBERED + timedelta(seconds=1)
    inbox.taken([first.number], late)
    assert inbox.put("shop", [delivery(id="taken"), delivery(id="waits")], MOST, late) == 1


def test_a_full_inbox_says_so_and_keeps_what_it_has(inbox: Inbox) -> None:
    inbox.put("shop", [delivery(), delivery(), delivery()], 3, NOW)
    with pytest.raises(InboxFullError, match="3 deliveries of shop wait"):
        inbox.put("shop", [delivery()], 3, NOW)
    inbox.put("other", [delivery()], 3, NOW)
    inbox.taken([next(inbox.waiting("shop", "people")).number], NOW)
    inbox.put("shop", [delivery()], 3, NOW)


def test_many_deliver_at_once_and_one_takes(empty_url: str) -> None:
    inbox, taken = Inbox.open(empty_url), list[bytes]()

    def deliver(sender: int) -> None:
        for number in range(20):
            inbox.put("shop", [delivery(b"%d-%d" % (sender, number), id=f"{sender}-{number}")], MOST, NOW)

    def take() -> None:
        waiting = list(inbox.waiting("shop", "people"))
        taken.extend(each.delivery.body for each in waiting)
        inbox.taken([each.number for each in waiting], NOW)

    threads = [threading.Thread(target=deliver, args=(sender,)) for sender in range(4)]
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads):
        take()
    take()
    inbox.close()
    assert sorted(taken) == sorted(b"%d-%d" % (sender, n) for sender in range(4) for n in range(20))


def test_a_stream_can_be_forgotten(inbox: Inbox) -> None:
    inbox.put("shop", [delivery(id="1"), delivery(stream="orders")], MOST, NOW)
    inbox.forget("shop", "people")
    assert (bodies(inbox), len(bodies(inbox, "orders"))) == ([], 1)


def test_no_byte_of_what_was_taken_is_left_in_the_file(tmp_path: Path) -> None:
    inbox = Inbox.open(f"sqlite:///{tmp_path / 'inbox.sqlite'}")
    inbox.put("shop", [delivery(b"Zebedee" * 2000, id="Zebedee-id")], MOST, NOW)
    inbox.taken([each.number for each in inbox.waiting("shop", "people")], NOW)
    inbox.scrub()
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    inbox.close()
    assert b"Zebedee" not in held


def test_a_thorough_scrub_leaves_what_waits(inbox: Inbox) -> None:
    inbox.put("shop", [delivery(b"waits")], MOST, NOW)
    inbox.scrub(thorough=True)
    assert bodies(inbox) == [b"waits"]


def test_an_inbox_out_of_reach_is_told_without_its_address(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="the inbox of webhooks cannot be used") as caught:
        Inbox.open("postgresql://hub:hunter2@127.0.0.1:1/hub")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(StoreError, match="needs sqlite or postgresql"):
        Inbox.open("mysql://hub:hunter2@127.0.0.1/hub")
    with pytest.raises(StoreError, match="needs a file"):
        Inbox.open("sqlite://")
