"""Whatever a hostile API does, no run loses a record in silence: it fails, says suspect, or has every stable row."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from hub.adapters import Sources, Syncer, load_sources
from hub.adapters.connectors.rest_cursor import Increment
from hub.adapters.connectors.rest_models import Incremental
from hub.adapters.kit.hostile import FAULTS, HostileApi
from hub.adapters.records import RawRecord
from hub.ontology import load_ontology
from hub.store import Store
from tests.databases import sqlite_store

ONTOLOGY = load_ontology()
ROWS = [{"id": key, "name": f"Row {key}"} for key in range(1, 8)]

PAGINGS = {
    "page": "{type: page}",
    "offset": "{type: offset}",
    "cursor": "{type: cursor, param: after, path: token}",
    "next_url": "{type: next_url, path: next}",
    "link": "{type: link}",
    "header": "{type: cursor, param: after, header: X-Next}",
    "continue": "{type: continue}",
}
YAML = """
source: shop
max_bad_share: 0.5
connector: {type: rest, url: "https://api.example.com", max_bytes: 20000000}
streams:
  rows:
    read: {path: rows, records: rows, PAGING, TOTAL}
    key: id
    deletes: full_scan
    entities: [{type: Product, properties: {name: name}}]
"""


class World:
    """A hub that reads the hostile API, and what it holds of it."""

    numbers = itertools.count()

    def __init__(self, folder: Path, api: HostileApi, *, total: bool = True, recheck: bool = False) -> None:
        self.api, self.folder = api, folder / f"world{next(self.numbers)}"
        self.folder.mkdir()
        paging = PAGINGS[api.style]
        if recheck:
            paging = paging.replace("}", ", recheck: true}")
        yaml = YAML.replace("PAGING", f"paging: {paging}")
        yaml = yaml.replace("TOTAL", "total_path: total" if total else "headers: {}")
        (self.folder / "shop.yaml").write_text(yaml)
        self.store = Store.open(sqlite_store(self.folder / "hub.sqlite"), ONTOLOGY)
        sources = Sources(load_sources(self.folder, ONTOLOGY), ONTOLOGY, {}, self.folder, wire=lambda: api)
        self.syncer = Syncer(self.store, sources, batch_size=3)

    def sync(self, *faults: str):
        """The report of a run that meets the faults, which has kept the promise."""
        self.api.begin(faults)
        report = self.syncer.sync("shop")
        assert report.state in ("ok", "suspect", "failed")
        assert report.state == "ok" or report.doubts
        assert all(counts.reconciles for counts in report.streams.values())
        if report.state == "ok":
            held, stable = self.held(), self.api.stable()
            assert self.waiting() or stable.keys() <= held.keys(), faults
            if not ODD & set(faults) and not self.waiting():
                assert {key: held[key] for key in stable} == stable, faults
        return report

    def held(self) -> dict[int, dict]:
        sql = (
            "SELECT r.payload FROM record_head h JOIN record r ON r.id = h.record_id"
            " WHERE h.state = 'accepted'"
        )
        with self.store.read() as connection:
            rows = [json.loads(payload) for (payload,) in connection.execute(text(sql))]
        return {row["id"]: row for row in rows}

    def waiting(self) -> int:
        """Records in quarantine: set aside, but not lost in silence."""
        with self.store.read() as connection:
            return connection.execute(text("SELECT count(*) FROM quarantine")).scalar()

    def close(self) -> None:
        self.store.close()


@pytest.fixture
def world(tmp_path):
    opened = []

    def make(style="page", rows=ROWS, **settings):
        opened.append(World(tmp_path, HostileApi(rows, style), **settings))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


HEALED = {"reset", "refused", "cut", "slow drip", "500", "503", "429", "429 with Retry-After"}
"""What trying again makes good."""
HARMLESS = {"clock ahead", "clock behind", "gigantic field", "changed schema", "duplicate row"}
"""What is read as it comes: nothing is missing."""
ODD = {"gigantic field", "changed schema"}
"""What states rows otherwise than they are."""
SET_ASIDE = {"no object", "no key"}
"""What waits in quarantine."""
ENDS = {
    "429 for an hour": "asks to wait for 3600 s",
    "401": "the login was refused",
    "404": "status 404",
    "truncated JSON": "not JSON",
    "login page": "expected JSON, got text/html",
    "login page as JSON": "not JSON",
    "wrong content type": "expected JSON, got text/plain",
    "no list": "no list at 'rows'",
    "repeated page": "paging goes in a circle",
}
"""What ends the run, with what it says."""
DOUBTED = {
    "total too large": "different numbers",
    "total too small": "different numbers",
    "row deleted": "different numbers",
    "row inserted": "different numbers",
    "duplicate key": "repeat a key with other content",
    "empty page": "claims 7 records and gave",
}
"""What makes the run suspect, with what it says."""
SOUND = {"", "no total", "row changed"}


def test_every_fault_is_told_of_here():
    told = [HEALED, HARMLESS, SET_ASIDE, ENDS.keys(), DOUBTED.keys(), SOUND - {""}, {"skipped page"}]
    assert sorted(itertools.chain(*told)) == sorted(FAULTS)


@pytest.mark.parametrize("style", PAGINGS)
@pytest.mark.parametrize("fault", sorted(HEALED | SOUND))
def test_what_can_be_healed_is_read_in_whole(world, style, fault):
    report = world(style).sync("", fault, "")
    assert report.state == "ok", report.doubts


@pytest.mark.parametrize("style", PAGINGS)
@pytest.mark.parametrize("fault", sorted(ENDS))
def test_what_no_patience_helps_ends_the_run(world, style, fault):
    report = world(style).sync("", fault)
    assert report.state == "failed"
    assert ENDS[fault] in report.doubts[0]


@pytest.mark.parametrize("style", ["page", "offset"])
@pytest.mark.parametrize("fault", sorted(DOUBTED))
def test_what_is_doubtful_is_said(world, style, fault):
    report = world(style).sync("", fault)
    assert report.state == "suspect"
    assert DOUBTED[fault] in " ".join(report.doubts)


@pytest.mark.parametrize("style", PAGINGS)
def test_a_page_passed_over_is_never_an_ok_run(world, style):
    assert world(style).sync("", "skipped page").state in ("suspect", "failed")


@pytest.mark.parametrize("fault", sorted(SET_ASIDE))
def test_what_cannot_be_kept_waits_in_quarantine(world, fault):
    here = world()
    assert here.sync("", fault).total.quarantined > 0
    assert here.waiting() > 0


@pytest.mark.parametrize("style", PAGINGS)
@pytest.mark.parametrize("fault", sorted(HARMLESS))
def test_what_only_looks_odd_is_kept(world, style, fault):
    here = world(style, total=fault != "duplicate row")
    slides = fault == "duplicate row" and style in ("page", "offset")
    assert here.sync("", fault).state == ("suspect" if slides else "ok")
    assert slides or here.held().keys() == {row["id"] for row in ROWS}


def test_a_gigantic_reply_ends_the_run(world):
    here = world(rows=ROWS * 1)
    here.api.size = 7
    config = here.folder / "shop.yaml"
    assert "max_bytes: 20000000" in config.read_text()
    report = here.sync("gigantic field")
    assert report.state == "failed"
    assert "more than max_bytes (20000000); ask for smaller pages" in report.doubts[0]


def test_a_changed_schema_is_told_as_drift(world):
    from hub.adapters import source_statuses

    here = world()
    here.sync()
    assert here.sync("changed schema", "changed schema", "changed schema", "changed schema").state == "ok"
    [status] = source_statuses(here.store, here.syncer.sources.configs)
    assert {(drift.field, drift.kind) for _, drift, _ in status.drift} == {
        ("name", "missing"),
        ("title", "new"),
    }


@pytest.mark.parametrize("style", ["page", "offset"])
def test_without_a_total_only_a_second_look_notices_that_pages_shifted(world, style):
    assert world(style, total=False, recheck=True).sync("", "row deleted").state == "suspect"
    assert world(style, total=False, recheck=True).sync().state == "ok"


def test_a_doubtful_reading_deletes_nothing(world):
    here = world()
    here.sync()
    assert here.sync("", "", "", "empty page").state == "suspect"
    assert here.held().keys() == {row["id"] for row in ROWS}
    here.api.delete()
    assert here.sync().total.deleted == 1


def test_a_clock_that_is_ahead_loses_no_change_of_the_meantime():
    """What changes behind the reader's back while it reads has a time after the run's true begin."""
    began = datetime.now(UTC)
    incremental = Incremental(param="since", overlap_s=0)
    increment = Increment(incremental, "at", None)
    increment.began(began + timedelta(hours=5))
    increment.see(RawRecord({"at": (began + timedelta(minutes=9)).isoformat()}, "page 2 item 1"))
    kept = datetime.fromisoformat(increment.cursor_at_end()["watermark"][1])
    assert began - timedelta(seconds=2) <= kept <= datetime.now(UTC)


RARE = sorted(set(FAULTS) - ODD)
"""Faults of random sequences, without those by which the API itself states other rows than it holds."""
sequences = st.lists(st.lists(st.sampled_from(["", "", *RARE]), max_size=12), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(style=st.sampled_from(sorted(PAGINGS)), size=st.integers(1, 4), runs=sequences)
@example(style="page", size=2, runs=[["", "row deleted", "", "row inserted"]])
@example(style="offset", size=3, runs=[["row deleted"], ["", "skipped page", "no total"]])
def test_after_any_faults_a_run_that_says_ok_has_what_the_source_has(tmp_path, style, size, runs):
    here = World(tmp_path, HostileApi(ROWS, style, size), recheck=style in ("page", "offset"))
    try:
        for faults in runs:
            here.sync(*faults)
        report = here.sync()
        assert report.state == "ok", report.doubts
        assert here.held() == here.api.rows
    finally:
        here.close()
