"""Runs that are asked for: they go on by themselves, one of a source at a time, and end when the hub does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.adapters import Counts, RunReport, load_sources
from hub.audit import Action
from hub.commands import ReplayQuarantine, RunBegun, SyncSource, replay_quarantine, sync_source
from hub.errors import ConfigurationError, NotFoundError, QueryError, RequestError, SourceError
from tests.commands.command_world import ANN, BEN, SOURCE, Shop, fresh_key

ADDRESS = "ann@example.com"
MANY = [{**ANN, "key": str(n), "card": f"9{n:04}", "email": f"p{n}@example.com"} for n in range(1, 400)]


def ask(shop: Shop, source: str = "club", key: str | None = None) -> RunBegun:
    return sync_source(shop.services, shop.author("it"), SyncSource(source, key or fresh_key()))


def ended(begun: RunBegun) -> RunReport:
    return begun.outcome()


class Held:
    """A sync that waits after its first batch until it is let go."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, _stream: str, _counts: Counts) -> None:
        self.reached.set()
        assert self.go_on.wait(60)


def begin_held(shop: Shop, held: Held) -> RunBegun:
    begun = sync_source(shop.services, shop.author("it"), SyncSource("club", fresh_key()), held)
    assert held.reached.wait(60)
    return begun


def test_a_sync_is_begun_and_ends_by_itself(shop: Shop) -> None:
    shop.write("club", [ANN, BEN, {**BEN, "key": "3", "card": "7003"}])
    known = len(shop.events())
    begun = ask(shop)
    assert (begun.source, begun.state) == ("club", "running")
    report = ended(begun)
    assert (report.run_id, report.state, report.total.accepted) == (begun.run_id, "ok", 1)
    [asked] = [event for event in shop.events()[known:] if event.actor != "system"]
    assert (asked.action, asked.actor, asked.source) == (Action.SYNC_REQUESTED, "u-it", "club")


def test_while_a_source_is_synced_another_sync_of_it_says_so(shop: Shop) -> None:
    held = Held()
    begun = begin_held(shop, held)
    second = ask(shop, key="second")
    assert (second.state, second.run_id) == ("already_running", None)
    assert ask(shop, "till").state == "running"
    held.go_on.set()
    assert ended(begun).state == "ok"
    repeated = ask(shop, key="second")
    assert (repeated.state, repeated.job) == ("already_running", None)


def test_a_repeated_sync_is_not_begun_again(shop: Shop) -> None:
    first = ask(shop, key="one")
    ended(first)
    again = ask(shop, key="one")
    assert (again.run_id, again.job) == (first.run_id, None)
    assert len(shop.rows("SELECT id FROM run WHERE source = 'club'")) == 2
    with pytest.raises(QueryError, match="another command"):
        ask(shop, "till", key="one")


def test_the_end_of_the_hub_ends_a_run_between_two_batches(shop: Shop) -> None:
    shop.write("club", MANY)
    shop.reopen(batch_size=100)
    held = Held()
    begun = begin_held(shop, held)
    closing = threading.Thread(target=shop.services.close)
    closing.start()
    while not shop.services.jobs.is_closing:
        time.sleep(0.01)
    held.go_on.set()
    closing.join(60)
    assert not closing.is_alive()
    with pytest.raises(SourceError, match="was broken off"):
        ended(begun)
    shop.reopen()
    [run] = shop.rows("SELECT state FROM run WHERE id = $id", id=begun.run_id)
    assert run["state"] == "interrupted"
    held_now = shop.rows("SELECT id FROM e_person WHERE source = 'club'")
    assert len(held_now) == 100
    shop.sync("club")
    assert len(shop.rows("SELECT id FROM e_person WHERE source = 'club'")) == len(MANY)


def test_no_run_begins_once_the_hub_ends(shop: Shop) -> None:
    shop.services.jobs.close()
    with pytest.raises(SourceError, match="the hub is ending"):
        shop.services.jobs.sync("club")


def test_what_waits_in_quarantine_is_replayed_all_or_by_number(shop: Shop) -> None:
    shop.write("club", [ANN, BEN, {**BEN, "key": "3", "email": "none"}, {**BEN, "key": "4", "email": "none"}])
    shop.sync()
    waiting = [row["id"] for row in shop.rows("SELECT id FROM quarantine ORDER BY id")]
    path = shop.folder / "sources" / "club.yaml"
    path.write_text(path.read_text().replace("          email: email\n", ""))
    shop.reopen()

    def replay(*numbers: int, key: str | None = None) -> RunBegun:
        order = ReplayQuarantine("club", numbers, key or fresh_key())
        return replay_quarantine(shop.services, shop.author("steward"), order)

    with pytest.raises(NotFoundError, match="waits in quarantine under the number 999"):
        replay(waiting[0], 999)
    first = replay(waiting[0], key="once")
    assert ended(first).total.accepted == 1
    assert replay(waiting[0], key="once").run_id == first.run_id
    assert ended(replay()).total.accepted == 1
    assert shop.rows("SELECT id FROM quarantine") == []
    asked = [event for event in shop.events() if event.action is Action.QUARANTINE_REPLAYED]
    assert [event.reason_code for event in asked] == ["requested", "requested"]


def _no_source(shop: Shop) -> None:
    ask(shop, "clbu")


def _no_source_to_replay(shop: Shop) -> None:
    replay_quarantine(shop.services, shop.author("it"), ReplayQuarantine("clbu", (), fresh_key()))


@pytest.mark.parametrize("asked", [_no_source, _no_source_to_replay])
def test_a_source_that_is_not_there_is_not_found(shop: Shop, asked: Callable[[Shop], None]) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'club'"):
        asked(shop)


def test_the_hub_s_own_sources_can_be_neither_described_nor_forgotten(shop: Shop) -> None:
    shop.consent(shop.customer("club", "1"))
    (shop.folder / "others").mkdir()
    (shop.folder / "others" / "steward.yaml").write_text(SOURCE.format(name="steward", trust=1))
    with pytest.raises(ConfigurationError, match="'steward' is a source of the hub's own"):
        load_sources(shop.folder / "others", shop.services.ontology)
    with pytest.raises(RequestError, match="holds what staff recorded"):
        shop.services.syncer.forget("desk")
    assert ended(ask(shop, "desk")).state == "ok"
    assert len(shop.rows("SELECT id FROM e_consent")) == 1


def test_a_run_that_fails_unforeseen_is_told_by_its_kind_only(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object, **_more: object) -> RunReport:
        raise KeyError(ADDRESS)

    monkeypatch.setattr(shop.services.syncer, "sync", fail)
    with pytest.raises(SourceError, match="failed: KeyError") as told:
        ask(shop)
    assert ADDRESS not in str(told.value) + caplog.text
    assert "a run of club failed: KeyError" in caplog.text
