"""Interchanges of trading partners are answered once, whatever is repeated or broken off, on both databases."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.adapters.answerbook import AnswerBook
from hub.adapters.connectors.answering import Answering
from hub.adapters.connectors.files import FilesConfig, FilesRead
from hub.adapters.records import ConnectorContext, StreamRead
from hub.ontology import load_ontology
from hub.store import Store
from tests.adapters.formats.test_edi import order, x12

READ = {"glob": "**/*.edi", "format": {"type": "edi"}, "acknowledge": {"to": "out"}}


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = Store.open(store_url, load_ontology())
    yield opened
    opened.close()


class Partner:
    """A folder where a partner's interchanges arrive and answers lie; each run is one of a process of its own."""

    def __init__(self, store: Store, folder: Path, **read: object) -> None:
        self.store, self.folder, self.cursor = store, folder, None
        self.source = f"s{uuid4().hex[:12]}"
        self.stream = StreamRead("orders", FilesRead.model_validate({**READ, **read}))

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def run(self, commits: int = 1) -> list[str]:
        """Read and commit; the warnings."""
        context = ConnectorContext(self.source, {}, self.folder, answers=AnswerBook(self.store, self.source))
        connector = FilesConfig(type="files").connect(context)
        try:
            for batch in connector.batches(self.stream, self.cursor, 2):
                self.cursor = batch.cursor
            for _ in range(commits):
                connector.committed(self.stream, self.cursor)
            return connector.warnings
        finally:
            connector.close()

    def answers(self) -> list[str]:
        out = self.folder / "out"
        return [path.read_text() for path in sorted(out.iterdir(), key=number_of)] if out.exists() else []


def number_of(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def control(text: str) -> int:
    return int(text.split("*")[13])


@pytest.fixture
def partner(store: Store, tmp_path: Path) -> Partner:
    return Partner(store, tmp_path)


def numbered(number: int) -> str:
    return x12(order("1"), control=f"{number:09}")


def test_each_interchange_is_answered_once_under_rising_numbers(partner: Partner) -> None:
    partner.put("a.edi", numbered(1) + numbered(2))
    assert partner.run(commits=2) == []
    partner.put("b.edi", numbered(3))
    partner.run()
    partner.run()
    told = partner.answers()
    assert [text.split("AK1")[1][:6] for text in told] == ["*PO*7~"] * 3
    assert [control(text) for text in told] == [1, 2, 3]
    names = sorted(path.name for path in (partner.folder / "out").iterdir())
    assert [name.rsplit("_", 1)[0] for name in names] == [
        f"{partner.source}_SENDER_00000000{at}" for at in (1, 2, 3)
    ]


def test_a_number_that_comes_again_is_a_duplicate_unless_it_was_refused(partner: Partner) -> None:
    partner.put("a.edi", x12(order("1"), end=False))
    partner.run()
    partner.put("b.edi", numbered(1))
    partner.run()
    partner.put("c.edi", numbered(1))
    partner.put("d.edi", x12(order("2"), control="000000001"))
    partner.run()
    refused, taken, again, changed = partner.answers()
    assert "*R*023~" in refused
    assert "TA1" not in taken
    assert "*R*025~" in again
    assert "*E*025~" in changed
    assert "AK9*A*1*1*1" in changed


def test_a_renamed_file_is_no_duplicate(partner: Partner) -> None:
    partner.put("a.edi", numbered(1))
    partner.run()
    (partner.folder / "a.edi").rename(partner.folder / "b.edi")
    partner.run()
    assert len(partner.answers()) == 1


def test_what_was_read_before_is_not_answered(partner: Partner) -> None:
    partner.put("a.edi", numbered(1))
    wanted, partner.stream = (
        partner.stream,
        StreamRead("orders", FilesRead.model_validate({**READ, "acknowledge": None})),
    )
    partner.run()
    partner.stream = wanted
    partner.put("b.edi", numbered(2))
    partner.run()
    assert [control(text) for text in partner.answers()] == [1]
    assert "_000000002_" in next((partner.folder / "out").iterdir()).name


def test_a_file_is_put_away_only_when_it_is_answered(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = Partner(store, tmp_path, after="delete")
    partner.put("a.edi", numbered(1))

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(Answering, "_write", full)
        [warning] = partner.run()
    assert "not answered" in warning
    assert (tmp_path / "a.edi").exists()
    assert partner.run() == []
    assert not (tmp_path / "a.edi").exists()
    assert len(partner.answers()) == 1


def test_answers_are_of_edi_and_below_the_root() -> None:
    for wrong in (
        {"format": {"type": "csv"}},
        {"acknowledge": {"to": "../out"}},
        {"acknowledge": {"to": "/"}},
    ):
        with pytest.raises(ValidationError):
            FilesRead.model_validate({**READ, **wrong})


class Killed(BaseException):
    """The process ends here."""


STEPS = ((AnswerBook, "claim"), (Answering, "_write"), (AnswerBook, "wrote"), (AnswerBook, "finish"))


@settings(max_examples=20)
@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 4), st.booleans()), max_size=3),
)
def test_killed_at_any_step_each_is_answered_once(
    store: Store, files: list[int], kills: list[tuple[tuple[type, str], int, bool]]
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        partner = Partner(store, folder)
        number = 0
        for at, count in enumerate(files):
            partner.put(f"{at}.edi", "".join(numbered(number + one) for one in range(1, count + 1)))
            number += count
        for (owner, name), calls, after in kills:
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(owner, name, killing(getattr(owner, name), calls, after=after))
                with contextlib.suppress(Killed):
                    partner.run()
        partner.run(commits=2)
        assert [control(text) for text in partner.answers()] == list(range(1, number + 1))
        assert len({path.name.split("_")[2] for path in (folder / "out").iterdir()}) == number
    finally:
        shutil.rmtree(folder)


def killing(real, calls: int, *, after: bool):
    """The function, whose call after so many ends the process, before or after what it does."""
    made = 0

    def call(*args):
        nonlocal made
        made += 1
        if made > calls and not after:
            raise Killed
        result = real(*args)
        if made > calls:
            raise Killed
        return result

    return call
