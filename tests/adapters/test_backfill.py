"""Streams that are read again from their beginning, while syncs follow their changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select, text

from hub.adapters import Sources, Syncer, load_sources
from hub.adapters.backfill import backfills
from hub.adapters.backfilling import Backfiller
from hub.adapters.frozen import freeze
from hub.adapters.records import Batch, Cursor, RawRecord, StreamRead
from hub.adapters.runs import Counts
from hub.errors import NotFoundError, RequestError, SourceUnavailableError
from hub.ontology import load_ontology
from hub.store import Store, fixed
from tests.adapters.shop import numbers

YAML = """source: club
connector: {type: files, root: exports}
streams:
  members:
    read: {glob: members.csv, format: {type: csv}}
    key: card
    entities:
      - {type: Person, properties: {name: name}}
  visits:
    read: {glob: visits.csv, format: {type: csv}}
    key: card
    deletes: full_scan
    entities:
      - {type: Person, properties: {name: name}}
"""


@dataclass
class Source:
    """A source that tells all it has to who comes without a cursor, and to others what changed after it."""

    rows: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By card when it changed, and the name."""
    bad: bool = False
    """Whether it has lost the keys."""
    warnings: list[str] = field(default_factory=list)

    def batches(self, stream: StreamRead[Any], cursor: Cursor | None, batch_size: int) -> Iterator[Batch]:
        if stream.name != "members":
            return
        after = cursor["after"] if cursor else (0, "")
        # All of it is read before the first batch is given: what changes meanwhile is not seen.
        read = sorted((at, card, name) for card, (at, name) in self.rows.items())
        left = [(at, card, name) for at, card, name in read if (at, card) > tuple(after)]
        for start in range(0, len(left), batch_size):
            part = left[start : start + batch_size]
            key = "lost" if self.bad else "card"
            records = [RawRecord({key: card, "name": name}, f"row {card}") for _, card, name in part]
            yield Batch(records, {"after": part[-1][:2]})

    def close(self) -> None:
        """Nothing was opened."""


@dataclass(frozen=True)
class _Fake(Sources):
    source: Source = field(default_factory=Source)

    def connect(self, config: Any, context: Any = None) -> Any:
        del config
        return self.source


@dataclass
class Club:
    """The source, and a hub that has read its six members."""

    store: Store
    source: Source
    syncer: Syncer

    def names(self) -> dict[str, str]:
        with self.store.read() as connection:
            rows = connection.execute(text("SELECT record_key, name FROM e_person"))
            return {row[0]: row[1] for row in rows}

    def cursor(self) -> str:
        table = fixed.stream_state
        with self.store.read() as connection:
            return str(
                connection.execute(select(table.c.cursor).where(table.c.stream == "members")).scalar_one()
            )

    def runs(self) -> list[tuple[str, str]]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(text("SELECT kind, state FROM run ORDER BY id"))]

    def left(self) -> list[str]:
        with self.store.read() as connection:
            return list(backfills(connection, "club"))

    def backfill(self, *streams: str, told: Any = None, anew: bool = False) -> Any:
        def progress(_stream: str, counts: Counts) -> None:
            if told is not None:
                told(counts.read)

        return Backfiller(self.syncer).run("club", streams, anew=anew, progress=progress)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = Store.open(store_url, load_ontology())
    yield opened
    opened.close()


@pytest.fixture
def club(store: Store, tmp_path: Path) -> Club:
    ontology = store.ontology
    (tmp_path / "club.yaml").write_text(YAML)
    source = Source({f"m{at}": (at, f"Member {at}") for at in range(1, 7)})
    sources = _Fake(load_sources(tmp_path, ontology), ontology, {}, tmp_path, source=source)
    made = Club(store, source, Syncer(store, sources, batch_size=2))
    assert made.syncer.sync("club").state == "ok"
    return made


def test_what_syncs_have_missed_is_found_and_their_cursor_stays(club: Club) -> None:
    club.source.rows["m2"] = (2, "Renamed without a date")
    before = club.cursor()
    assert club.syncer.sync("club").total.read == 0
    report = club.backfill()
    assert report.state == "ok"
    assert numbers(report, "members") == {"read": 6, "unchanged": 5, "accepted": 1, "entities_written": 1}
    assert club.names()["m2"] == "Renamed without a date"
    assert (club.cursor(), club.left()) == (before, [])
    assert club.runs()[-1] == ("backfill", "ok")


def test_what_a_sync_writes_meanwhile_is_newer_than_what_was_read_before(club: Club) -> None:
    def meanwhile(read: int) -> None:
        if read == 2:
            club.source.rows["m6"] = (9, "Six by a sync")
            assert club.syncer.sync("club").state == "ok"

    report = club.backfill(told=meanwhile)
    assert report.state == "ok"
    assert club.names()["m6"] == "Six by a sync"
    assert ("backfill", "ok") in club.runs()


def test_a_backfill_that_is_cut_off_goes_on_from_there_unless_it_is_begun_anew(club: Club) -> None:
    class CutError(BaseException):
        pass

    def cut(read: int) -> None:
        if read == 4:
            raise CutError

    with pytest.raises(CutError):
        club.backfill(told=cut)
    assert club.runs()[-1] == ("backfill", "interrupted")
    assert club.left() == ["members"]
    assert club.backfill().total.read == 2
    assert club.left() == []
    with pytest.raises(CutError):
        club.backfill(told=cut)
    assert club.backfill(anew=True).total.read == 6


def test_syncs_and_a_backfill_go_on_side_by_side(club: Club) -> None:
    club.source.rows |= {f"n{at:03}": (at + 10, f"New {at}") for at in range(40)}
    reports = []
    thread = Thread(target=lambda: reports.append(club.backfill()))
    thread.start()
    states = []
    while thread.is_alive():
        states.append(club.syncer.sync("club").state)
    thread.join()
    assert set(states) == {"ok"}
    assert reports[0].state == "ok"
    assert reports[0].total.read == 46
    assert len(club.names()) == 46


def test_a_source_that_is_frozen_ends_it_and_it_goes_on_when_thawed(club: Club) -> None:
    def stop(read: int) -> None:
        if read == 2:
            with club.store.write() as connection:
                freeze(connection, "club", None, "CHG-17")

    report = club.backfill(told=stop)
    assert (report.state, report.total.read) == ("failed", 2)
    assert "is frozen" in report.doubts[0]
    assert club.left() == ["members"]


def test_two_backfills_of_a_source_are_not_under_way_at_once(club: Club) -> None:
    def another(_read: int) -> None:
        with pytest.raises(SourceUnavailableError, match="another backfill"):
            club.backfill()

    assert club.backfill(told=another).state == "ok"


def test_what_is_read_whole_by_each_sync_is_not_read_again(club: Club) -> None:
    with pytest.raises(RequestError, match="each sync reads club whole"):
        club.backfill("visits")
    with pytest.raises(NotFoundError, match="did you mean 'members'"):
        club.backfill("member")


def test_too_many_bad_records_stop_it_and_move_no_cursor(club: Club) -> None:
    before = club.cursor()
    club.source.rows |= {f"n{at:03}": (at, "Nobody") for at in range(60)}
    club.source.bad = True
    report = club.backfill()
    assert (report.state, report.total.quarantined, club.cursor()) == ("failed", 50, before)
    assert club.left() == ["members"]
