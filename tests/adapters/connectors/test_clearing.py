"""What was read is put away with what lies beside it, whenever the run that does it is killed."""

from __future__ import annotations

import pytest
from fsspec.implementations.local import LocalFileSystem

from hub.adapters.connectors.files import FilesConfig, FilesRead
from hub.adapters.records import StreamRead
from tests.adapters.formats.test_dbf import table

DBASE = {"glob": "in/*.dbf", "format": {"type": "dbf"}}


class Killed(BaseException):
    """Ends a run as a signal does: nothing after it is done."""


@pytest.fixture
def killing(monkeypatch):
    """Let the run be killed before its nth step of moving and deleting, from 0, or after it; None lets it live."""
    left = []

    def counted(name):
        real = getattr(LocalFileSystem, name)

        def step(self, *paths, **options):
            if left and left[0] is not None:
                (at, when) = left[0]
                left[0] = (at - 1, when)
                if at == 0 and when == "before":
                    raise Killed
                real(self, *paths, **options)
                if at == 0:
                    raise Killed
                return
            real(self, *paths, **options)

        monkeypatch.setattr(LocalFileSystem, name, step)

    counted("mv")
    counted("rm_file")

    def set_to(step):
        left[:] = [step]

    return set_to


@pytest.fixture
def run(context):
    """A run as the sync makes it: reads from the cursor on, then puts away. The memos read, and the cursor."""

    def run(cursor=None, **read):
        connector = FilesConfig(type="files").connect(context)
        stream = StreamRead("notes", FilesRead.model_validate({**DBASE, **read}))
        batches = list(connector.batches(stream, cursor, 10))
        cursor = batches[-1].cursor if batches else cursor
        run.cursor = cursor
        rows = [record.payload["V"] for batch in batches for record in batch.records]
        run.rows += rows
        connector.committed(stream, cursor)
        return rows

    run.rows, run.cursor = [], None
    return run


def upload(folder, text, *names, rows=1):
    """A table whose rows have one memo; only these of its files."""
    folder.mkdir(exist_ok=True)
    files = {
        "notes.DBT": bytes(512) + text.encode() + b"\x1a\x1a",
        "notes.dbf": table([("V", "M", 10, 0)], [b"          1".rjust(11)] * rows, version=0x83),
    }
    for name in names or files:
        (folder / name).write_bytes(files[name])


def there(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "after", [{"after": "delete"}, {"after": "move", "archive": "read"}], ids=["delete", "move"]
)
@pytest.mark.parametrize("changed_by", ["stat", "content"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(4))
def test_a_table_goes_with_its_memo_file_whenever_the_run_is_killed(
    tmp_path, run, killing, after, changed_by, when, at
):
    upload(tmp_path / "in", "A memo")
    killing((at, when))
    try:
        run(changed_by=changed_by, **after)
    except Killed:
        assert at < 3
    killing(None)
    run(run.cursor, changed_by=changed_by, **after)
    assert run.rows == ["A memo"], "read once"
    assert there(tmp_path) == (["read/in/notes.DBT", "read/in/notes.dbf"] if "archive" in after else [])


@pytest.mark.parametrize("come", [("notes.DBT",), ("notes.DBT", "notes.dbf")], ids=["its memos", "all of it"])
def test_a_table_that_came_since_keeps_its_own_memo_file(tmp_path, run, killing, come):
    """The run was killed once the first table had been claimed; then another one came in the same name."""
    after = {"after": "move", "archive": "read"}
    upload(tmp_path / "in", "A memo")
    killing((0, "after"))
    with pytest.raises(Killed):
        run(**after)
    killing(None)
    upload(tmp_path / "in", "Another memo", *come)
    run(run.cursor, **after)
    if "notes.dbf" not in come:
        upload(tmp_path / "in", "Another memo", "notes.dbf")
    run(run.cursor, **after)
    assert run.rows == ["A memo", "Another memo"]
    assert not there(tmp_path / "in")
    assert len(there(tmp_path / "read")) == 3, "the first memo file was written over by who sent the second"


def test_a_table_that_came_since_with_the_same_memos_keeps_them(tmp_path, run, killing):
    upload(tmp_path / "in", "A memo")
    killing((0, "after"))
    with pytest.raises(Killed):
        run(after="delete", changed_by="content")
    killing((1, "before"))  # before anything is taken away but what was claimed
    upload(tmp_path / "in", "A memo", rows=2)
    with pytest.raises(Killed):
        run(run.cursor, after="delete", changed_by="content")
    killing(None)
    assert there(tmp_path / "in") == ["notes.DBT", "notes.dbf"]
    run(run.cursor, after="delete", changed_by="content")
    assert (run.rows, there(tmp_path)) == (["A memo"] * 3, [])


def test_in_the_archive_a_table_and_its_memo_file_go_on_belonging_together(tmp_path, run):
    after = {"after": "move", "archive": "read"}
    for text in ("A memo", "Another memo"):
        upload(tmp_path / "in", text)
        run(run.cursor, **after)
    names = [name.rpartition(".")[0] for name in there(tmp_path / "read")]
    assert len(names) == 4
    assert sorted(map(names.count, set(names))) == [2, 2]
    assert run.rows == ["A memo", "Another memo"]


@pytest.mark.parametrize("at", range(3))
def test_a_file_whose_marker_has_gone_already_is_put_away_by_the_next_run(tmp_path, run, killing, at):
    upload(tmp_path / "in", "A memo")
    (tmp_path / "in" / "notes.dbf.done").touch()
    killing((at, "after"))
    with pytest.raises(Killed):
        run(after="delete", done=".done")
    assert not (tmp_path / "in" / "notes.dbf.done").exists()
    killing(None)
    run(run.cursor, after="delete", done=".done")
    assert (run.rows, there(tmp_path)) == (["A memo"], [])


def test_what_is_claimed_is_read_by_nobody(tmp_path, run, killing):
    upload(tmp_path / "in", "A memo")
    killing((0, "after"))
    with pytest.raises(Killed):
        run(after="delete")
    assert any(".put-away-" in name for name in there(tmp_path))
    killing(None)
    assert run(None, glob=["in/*.dbf", "in/.*dbf*"], ignore=[]) == []
