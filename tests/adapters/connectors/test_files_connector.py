"""The files connector: each file once, in order, whatever interrupts; changed files again."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import time
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.adapters.connectors.files import FilesConfig, FilesRead
from hub.adapters.records import BadRecord, ConnectorContext, StreamRead
from hub.errors import ConfigurationError, SourceProtocolError, SourceUnavailableError

CSV = {"type": "csv"}


def stream(**read):
    return StreamRead("orders", FilesRead.model_validate({"glob": "*.csv", "format": CSV, **read}), ("id",))


@pytest.fixture
def open_files(reader, context):
    def opened(config=None, **read):
        connector = FilesConfig.model_validate({"type": "files", **(config or {})}).connect(context)
        return reader(connector, stream(**read))

    return opened


def write(folder, name, *ids):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("id\n" + "".join(f"{number}\n" for number in ids))
    return path


def ids(rows):
    return [int(row["id"]) for row in rows]


def test_files_are_read_in_order_across_batches(tmp_path, open_files):
    write(tmp_path, "b.csv", 3, 4, 5)
    write(tmp_path, "a.csv", 1, 2)
    write(tmp_path, "c.txt", 9)
    batches = open_files().batches(size=2)
    assert [[record.position for record in batch.records] for batch in batches] == [
        ["a.csv:2", "a.csv:3"],
        ["b.csv:2", "b.csv:3"],
        ["b.csv:4"],
    ]
    assert batches[1].cursor["current"]["records"] == 2
    assert "current" not in batches[2].cursor


def test_a_second_run_reads_only_what_is_new_or_changed(tmp_path, open_files):
    write(tmp_path, "a.csv", 1)
    write(tmp_path, "b.csv", 2)
    files = open_files()
    cursor = files.batches()[-1].cursor
    assert files.batches(cursor) == []
    write(tmp_path, "b.csv", 2, 3)
    write(tmp_path, "c.csv", 4)
    assert ids(files.rows(cursor)) == [2, 3, 4]


def test_a_file_that_is_gone_is_forgotten(tmp_path, open_files):
    gone = write(tmp_path, "a.csv", 1)
    write(tmp_path, "b.csv", 2)
    files = open_files()
    cursor = files.batches()[-1].cursor
    gone.unlink()
    [batch] = files.batches(cursor)
    assert list(batch.cursor["files"]) == ["b.csv"]
    assert not batch.records


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=st.lists(st.integers(0, 4), max_size=5), size=st.integers(1, 5))
def test_resuming_from_any_cursor_loses_nothing_and_doubles_nothing(tmp_path_factory, reader, counts, size):
    folder = tmp_path_factory.mktemp("files")
    for number, count in enumerate(counts):
        write(folder, f"{number}.csv", *range(number * 10, number * 10 + count))
    connector = FilesConfig(type="files").connect(ConnectorContext("shop", {}, folder))
    files = reader(connector, stream())
    whole = ids(files.rows())
    assert whole == [number * 10 + item for number, count in enumerate(counts) for item in range(count)]
    for read in files.every_resumption(size):
        assert ids(read) == whole
    assert all(json.loads(json.dumps(batch.cursor)) == batch.cursor for batch in files.batches(size=size))


def test_a_file_that_changed_while_in_progress_is_read_from_its_beginning(tmp_path, open_files):
    write(tmp_path, "a.csv", 1, 2, 3)
    files = open_files()
    cursor = files.batches(size=2)[0].cursor
    write(tmp_path, "a.csv", 1, 22, 3, 4)
    assert ids(files.rows(cursor)) == [1, 22, 3, 4]


def test_content_decides_where_times_are_touched(tmp_path, open_files):
    path = write(tmp_path, "a.csv", 1)
    by_content, by_time = open_files(changed_by="content"), open_files()
    cursors = [files.batches()[-1].cursor for files in (by_content, by_time)]
    os.utime(path, (1, 1))
    assert by_content.rows(cursors[0]) == []
    assert ids(by_time.rows(cursors[1])) == [1]


def zipped(path, data, members=1):
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(members):
            archive.writestr(f"{number}.csv", data)


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("gz", lambda path, data: path.write_bytes(gzip.compress(data))),
        ("bz2", lambda path, data: path.write_bytes(bz2.compress(data))),
        ("xz", lambda path, data: path.write_bytes(lzma.compress(data))),
        ("zip", zipped),
    ],
)
def test_compressed_files_are_unpacked_and_damaged_ones_named(tmp_path, open_files, suffix, pack):
    path = tmp_path / f"a.csv.{suffix}"
    pack(path, b"id\n" + b"".join(b"%d\n" % number for number in range(5000)))
    files = open_files(glob="*.csv.*")
    assert len(files.rows()) == 5000
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SourceProtocolError, match=rf"shop\.orders: a\.csv\.{suffix}: damaged"):
        files.batches()
    path.write_bytes(b"id\n1\n")
    with pytest.raises(SourceProtocolError, match=rf"a\.csv\.{suffix}"):
        files.batches()


def test_a_zip_file_with_several_members_is_refused(tmp_path, open_files):
    zipped(tmp_path / "a.zip", b"id\n1\n", members=2)
    with pytest.raises(SourceProtocolError, match=r"a\.zip: a zip file must hold one file; this one holds 2"):
        open_files(glob="*.zip").batches()


def test_what_was_read_before_a_damaged_file_is_kept(tmp_path, open_files):
    write(tmp_path, "a.csv", 1, 2)
    (tmp_path / "b.csv").write_text("id,id\n1,2\n")
    files = open_files()
    batches = files.connector.batches(files.stream, None, 1000)
    first = next(batches)
    assert ids([record.payload for record in first.records]) == [1, 2]
    assert list(first.cursor["files"]) == ["a.csv"]
    with pytest.raises(SourceProtocolError, match=r"b\.csv: the header \(line 1\) names twice: id"):
        next(batches)


def test_files_still_being_written_wait(tmp_path, open_files):
    path = write(tmp_path, "a.csv", 1)
    settled, marked = open_files(settle_s=60), open_files(done=".done")
    assert settled.rows() == marked.rows() == []
    old = time.time() - 120
    os.utime(path, (old, old))
    (tmp_path / "a.csv.done").touch()
    assert ids(settled.rows()) == ids(marked.rows()) == [1]


def test_an_unreadable_file_is_named(tmp_path, open_files):
    (tmp_path / "a.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SourceUnavailableError, match=r"shop\.orders: a\.csv: is gone"):
        open_files().batches()


def test_a_missing_root_is_no_empty_folder(open_files):
    with pytest.raises(SourceUnavailableError, match="there is no such folder"):
        open_files({"root": "gone"}).batches()


def test_a_glob_without_files_is_told(open_files):
    files = open_files()
    assert files.batches()[-1].records == []
    assert files.connector.warnings == ["orders: no file matches *.csv"]


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"root": "nosuch://x"}, SourceProtocolError, "root cannot be opened"),
        ({"root": {"env": "MISSING"}}, ConfigurationError, "MISSING is not set"),
    ],
)
def test_a_root_that_cannot_be_opened_says_why(open_files, config, error, message):
    with pytest.raises(error, match=message):
        open_files(config).batches()


def test_other_file_systems_go_by_their_url(open_files):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/hub-test/a.csv", b"id\n1\n")
    try:
        files = open_files({"root": "memory://hub-test"})
        assert ids(files.rows()) == [1]
        assert files.batches(files.batches()[-1].cursor) == []
    finally:
        memory.rm("/hub-test", recursive=True)


def test_bad_records_count_for_resuming_and_paths_can_be_fields(tmp_path, open_files):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "7.csv").write_text("id,x\n1,1\nbad\n2,2\n")
    files = open_files(glob=["**/*.csv", "store/*.csv"], path_field="_file")
    assert files.rows()[0] == {"id": "1", "x": "1", "_file": "store/7.csv"}
    first, _ = files.batches(size=2)
    assert isinstance(first.records[1], BadRecord)
    assert ids(files.rows(first.cursor)) == [2]


def test_options_go_to_the_file_system_and_secrets_among_them_are_references(tmp_path, open_files):
    write(tmp_path, "a.csv", 1)
    assert ids(open_files({"options": {"auto_mkdir": False}}).rows()) == [1]
    with pytest.raises(ValidationError) as caught:
        FilesConfig.model_validate({"type": "files", "options": {"password": "hunter2"}})
    assert "hunter2" not in str(caught.value)


def test_brackets_in_the_root_are_no_pattern(tmp_path, open_files):
    write(tmp_path / "in[1]", "a.csv", 1)
    assert ids(open_files({"root": "in[1]"}).rows()) == [1]


@pytest.mark.parametrize(
    "read", [{"glob": []}, {"format": {"type": "nope"}}, {"settle_s": -1}, {"globb": "x"}]
)
def test_a_configuration_that_cannot_work_is_refused(read):
    with pytest.raises(ValidationError):
        stream(**read)
