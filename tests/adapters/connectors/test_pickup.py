"""Each file once: also renamed, half-written, changed while it is read, or put away by a run that was killed."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.adapters.connectors import files as files_module
from hub.adapters.connectors.files import FilesConfig, FilesRead
from hub.adapters.connectors.pickup import REMEMBERED
from hub.adapters.connectors.unpacking import Hashed, content_hash
from hub.adapters.formats import CsvFormat
from hub.adapters.records import ConnectorContext, StreamRead
from hub.errors import SourceProtocolError


def stream(**read):
    return StreamRead(
        "orders", FilesRead.model_validate({"glob": "*.csv", "format": {"type": "csv"}, **read})
    )


@pytest.fixture
def open_files(reader, context):
    def opened(**read):
        return reader(FilesConfig.model_validate({"type": "files"}).connect(context), stream(**read))

    return opened


def write(folder, name, *ids, at=None):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("id\n" + "".join(f"{number}\n" for number in ids))
    if at is not None:
        os.utime(path, (at, at))
    return path


def ids(rows):
    return [int(row["id"]) for row in rows]


# renamed


def test_a_renamed_file_is_not_read_again(tmp_path, open_files):
    path = write(tmp_path, "a.csv", 1)
    cursor = open_files().batches()[-1].cursor
    path.rename(tmp_path / "b.csv")
    [batch] = open_files().batches(cursor)
    assert not batch.records
    assert list(batch.cursor["files"]) == ["b.csv"]
    assert open_files().batches(batch.cursor) == []


def test_a_file_that_comes_back_under_another_name_after_some_runs_is_known(tmp_path, open_files):
    path = write(tmp_path, "a.csv", 1)
    write(tmp_path, "other.csv", 2)
    cursor = open_files().batches()[-1].cursor
    path.rename(tmp_path / "elsewhere")
    cursor = open_files().batches(cursor)[-1].cursor
    assert open_files().batches(cursor) == []
    (tmp_path / "elsewhere").rename(tmp_path / "z.csv")
    assert open_files().rows(cursor) == []


@pytest.mark.parametrize("what", ["a copy", "other content", "another time"])
def test_what_only_looks_like_a_file_that_was_read_is_read(tmp_path, open_files, what):
    path = write(tmp_path, "a.csv", 1, at=1000)
    cursor = open_files().batches()[-1].cursor
    if what != "a copy":
        path.unlink()
    write(tmp_path, "b.csv", 2 if what == "other content" else 1, at=1001 if what == "another time" else 1000)
    assert len(open_files().rows(cursor)) == 1


def test_by_content_a_state_that_comes_back_later_is_read(tmp_path, open_files):
    """10 in stock, then 9, then 10 again: the third file is no rename of the first."""
    by_content = {"changed_by": "content"}
    write(tmp_path, "monday.csv", 10)
    cursor = open_files(**by_content).batches()[-1].cursor
    (tmp_path / "monday.csv").unlink()
    write(tmp_path, "tuesday.csv", 9)
    cursor = open_files(**by_content).batches(cursor)[-1].cursor
    write(tmp_path, "wednesday.csv", 10)
    assert ids(open_files(**by_content).rows(cursor)) == [10]
    (tmp_path / "tuesday.csv").rename(tmp_path / "thursday.csv")
    assert ids(open_files(**by_content).rows(cursor)) == [10]


def test_with_paths_as_fields_a_renamed_file_says_something_else(tmp_path, open_files):
    path = write(tmp_path, "a.csv", 1)
    cursor = open_files(path_field="_file").batches()[-1].cursor
    path.rename(tmp_path / "b.csv")
    assert open_files(path_field="_file").rows(cursor) == [{"id": "1", "_file": "b.csv"}]


def test_the_cursor_is_bounded(tmp_path, open_files):
    cursor = None
    for day in range(3):
        for number in range(400):
            write(tmp_path, f"{day}-{number}.csv", day * 1000 + number)
        cursor = open_files().batches(cursor)[-1].cursor
        for path in tmp_path.glob("*.csv"):
            path.unlink()
    cursor = open_files().batches(cursor)[-1].cursor
    assert cursor["files"] == {}
    assert len(cursor["gone"]) == REMEMBERED
    assert len(json.dumps(cursor)) < 40_000


def test_more_files_than_can_be_remembered_are_refused(tmp_path, open_files):
    for number in range(3):
        write(tmp_path, f"{number}.csv", number)
    with pytest.raises(SourceProtocolError, match=r"3 files match, more than max_files \(2\)"):
        open_files(max_files=2).batches()


def test_a_cursor_of_before_contents_were_remembered_goes_on(tmp_path, open_files):
    write(tmp_path, "a.csv", 1)
    cursor = open_files().batches()[-1].cursor
    before = {"files": {path: entry.partition(":")[0] for path, entry in cursor["files"].items()}}
    assert open_files().rows(before) == []
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    assert ids(open_files().rows(before)) == [1]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    by=st.sampled_from(["stat", "content"]),
    steps=st.lists(
        st.tuples(st.sampled_from(["write", "rename", "remove"]), st.integers(0, 3), st.integers(0, 5)),
        max_size=12,
    ),
)
def test_whatever_happens_between_runs_the_last_state_of_every_file_was_read(
    tmp_path_factory, reader, by, steps
):
    """No rename may hide content that was never read."""
    folder = tmp_path_factory.mktemp("steps")
    connector = FilesConfig(type="files").connect(ConnectorContext("shop", {}, folder))
    files = reader(connector, stream(changed_by=by))
    cursor, read = None, set()
    for clock, (what, name, value) in enumerate(steps):
        path = folder / f"{name}.csv"
        if what == "write":
            write(folder, path.name, value, at=1000 if by == "content" else 1000 + clock)
        elif path.exists() and what == "remove":
            path.unlink()
        elif path.exists():
            path.rename(folder / f"{value}.csv")
        batches = files.batches(cursor)
        cursor = batches[-1].cursor if batches else cursor
        read |= {int(record.payload["id"]) for batch in batches for record in batch.records}
        there = {int(path.read_text().split()[1]) for path in folder.glob("*.csv")}
        assert there <= read


# half-written


@pytest.mark.parametrize("name", ["a.csv.part", "a.csv.filepart", "a.csv.TMP", ".a.csv.x1Y2z3", "a.csv~"])
def test_what_programs_still_write_is_passed_over(tmp_path, open_files, name):
    write(tmp_path, name, 1)
    assert open_files(glob=["*", ".*"]).rows() == []
    (tmp_path / name).rename(tmp_path / "a.csv")
    assert ids(open_files(glob="*").rows()) == [1]
    write(tmp_path, name, 2)
    assert ids(open_files(glob=["*", ".*"], ignore=[]).rows()) in ([1, 2], [2, 1])


def test_a_file_that_grows_between_two_looks_waits(tmp_path, open_files, monkeypatch):
    write(tmp_path, "a.csv", 1)
    write(tmp_path, "b.csv", 2)
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        write(tmp_path, "a.csv", 1, 11)

    monkeypatch.setattr(files_module.time, "sleep", sleep)
    files = open_files(look_twice_s=5)
    [batch] = files.batches()
    assert ids(record.payload for record in batch.records) == [2]
    monkeypatch.setattr(files_module.time, "sleep", slept.append)
    cursor = files.batches(batch.cursor)[-1].cursor
    assert files.batches(cursor) == []
    assert slept == [5, 5], "where nothing is new there is no second look"


# changed while it is read


def growing(monkeypatch, path, times):
    """Let the file grow each time when its first record has been read, `times` times."""
    whole, grown = CsvFormat.read_file, []

    def read(self, content, name, beside):
        for record in whole(self, content, name, beside):
            if name == path.name and len(grown) < times and record.position.endswith(":2"):
                grown.append(1)
                with path.open("a") as file:
                    file.write(f"{100 + len(grown)}\n")
            yield record

    monkeypatch.setattr(CsvFormat, "read_file", read)


def test_a_file_that_grows_while_it_is_read_is_read_again(tmp_path, open_files, monkeypatch):
    path = write(tmp_path, "a.csv", 1)
    write(tmp_path, "b.csv", 2)
    growing(monkeypatch, path, 1)
    files = open_files()
    rows = ids(files.rows())
    assert rows[-3:] == [1, 101, 2]
    assert files.connector.warnings == []
    assert files.rows(files.batches()[-1].cursor) == []


def test_a_file_that_goes_on_growing_is_doubtful_and_read_by_the_next_run(tmp_path, open_files, monkeypatch):
    path = write(tmp_path, "a.csv", 1)
    write(tmp_path, "b.csv", 2)
    growing(monkeypatch, path, 2)
    files = open_files()
    batches = files.batches()
    assert files.connector.warnings == [
        "orders: a.csv changed while it was read; the next run reads it again"
    ]
    assert list(batches[-1].cursor["files"]) == ["b.csv"]
    assert ids(open_files().rows(batches[-1].cursor)) == [1, 101, 102]


def test_a_packed_file_that_is_still_written_is_doubtful_and_not_damaged(tmp_path, open_files, monkeypatch):
    path = tmp_path / "a.csv.gz"
    whole = gzip.compress(b"id\n" + b"".join(b"%d\n" % number for number in range(50_000)))
    path.write_bytes(whole[:-20_000])
    unpacked, written = files_module.unpacked, []

    def slow(raw, *args):
        written.append(len(written))
        path.write_bytes(whole[: len(whole) - 20_000 + 10 * len(written)])
        return unpacked(raw, *args)

    monkeypatch.setattr(files_module, "unpacked", slow)
    files = open_files(glob="*.gz")
    batches = files.batches()
    assert "changed while it was read" in files.connector.warnings[0]
    assert batches[-1].cursor["files"] == {}
    monkeypatch.setattr(files_module, "unpacked", unpacked)
    path.write_bytes(whole)
    assert len(open_files(glob="*.gz").rows(batches[-1].cursor)) == 50_000


# put away


def test_files_are_put_away_only_when_the_hub_has_them(tmp_path, open_files):
    write(tmp_path, "a.csv", 1)
    files = open_files(after="move", archive="read")
    cursor = files.batches()[-1].cursor
    assert (tmp_path / "a.csv").exists()
    files.connector.committed(files.stream, cursor)
    assert not (tmp_path / "a.csv").exists()
    assert (tmp_path / "read" / "a.csv").exists()
    assert open_files(glob="**/*.csv", after="move", archive="read").rows() == []


def test_files_are_deleted_with_their_markers(tmp_path, open_files):
    write(tmp_path, "a.csv", 1)
    (tmp_path / "a.csv.done").touch()
    files = open_files(after="delete", done=".done")
    files.connector.committed(files.stream, files.batches()[-1].cursor)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_put_away_by_the_next(tmp_path, open_files):
    write(tmp_path, "a.csv", 1)
    cursor = open_files(after="delete").batches()[-1].cursor
    files = open_files(after="delete")
    assert files.batches(cursor) == []
    files.connector.committed(files.stream, cursor)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_written_over_since_is_not_put_away(tmp_path, open_files):
    write(tmp_path, "a.csv", 1)
    files = open_files(after="delete")
    cursor = files.batches()[-1].cursor
    write(tmp_path, "a.csv", 1, 2)
    files.connector.committed(files.stream, cursor)
    assert ids(open_files().rows(cursor)) == [1, 2]


def test_the_archive_keeps_what_it_has(tmp_path, open_files):
    for number in (1, 22):
        write(tmp_path, "a.csv", number)
        files = open_files(after="move", archive="read")
        files.connector.committed(files.stream, files.batches()[-1].cursor)
    assert sorted(path.read_text() for path in (tmp_path / "read").iterdir()) == ["id\n1\n", "id\n22\n"]


def test_a_file_that_cannot_be_put_away_is_told(tmp_path, open_files, monkeypatch):
    write(tmp_path, "a.csv", 1)
    files = open_files(after="delete")
    cursor = files.batches()[-1].cursor

    def refused(self, path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.rm_file", refused)
    files.connector.committed(files.stream, cursor)
    [warning] = files.connector.warnings
    assert "was read, but not put away" in warning
    assert "a.csv" in warning


@pytest.mark.parametrize(
    "read",
    [
        {"after": "move"},
        {"archive": "x"},
        {"after": "move", "archive": "/x"},
        {"after": "move", "archive": "../x"},
    ],
)
def test_an_archive_is_a_folder_below_the_root(read):
    with pytest.raises(ValidationError):
        stream(**read)


# what unpacks to more than can be


@pytest.mark.parametrize("suffix", ["gz", "zip"])
def test_a_bomb_is_stopped_at_the_bound(tmp_path, open_files, suffix):
    data = b"id\n" + b"0" * 4_000_000 + b"\n"
    path = tmp_path / f"a.csv.{suffix}"
    if suffix == "gz":
        path.write_bytes(gzip.compress(data))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", data)
    with pytest.raises(SourceProtocolError, match=r"unpacks to more than max_unpacked_mb \(1\)"):
        open_files(glob="*.csv.*", max_unpacked_mb=1).batches()
    assert open_files(glob="*.csv.*").batches()


@given(data=st.binary(max_size=300), steps=st.lists(st.integers(1, 50), max_size=8), back=st.booleans())
def test_what_is_hashed_on_its_way_has_the_hash_of_the_whole(data, steps, back):
    hashed = Hashed(io.BytesIO(data))
    for size in steps:
        hashed.read(size)
    if back:
        hashed.seek(0)
    assert hashed.content() == content_hash(io.BytesIO(data))
