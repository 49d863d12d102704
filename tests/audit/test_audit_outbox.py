"""The outbox: whatever fails and whenever, each event reaches the log once, and in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit import AuditEvent, AuditLog, drain
from hub.errors import AuditError

MakeEvent = Callable[..., AuditEvent]


class CrashError(Exception):
    """Stands for the death of the process at this point."""


class MemoryOutbox:
    """An outbox in memory that dies where it is told to: before or after it forgets."""

    def __init__(self, crashes: Sequence[str] = ()) -> None:
        self.rows: dict[int, str] = {}
        self._crashes = iter(crashes)

    def put(self, outbox_id: int, event: AuditEvent) -> None:
        self.rows[outbox_id] = event.encode().decode()

    def pending(self, limit: int) -> list[tuple[int, str]]:
        return sorted(self.rows.items())[:limit]

    def forget(self, ids: Sequence[int]) -> None:
        crash = next(self._crashes, "")
        if crash == "before":
            raise CrashError
        for outbox_id in ids if crash != "amid" else ids[::2]:
            self.rows.pop(outbox_id, None)
        if crash:
            raise CrashError


def test_draining_empties_the_outbox_into_the_log_in_order(log: AuditLog, make_event: MakeEvent) -> None:
    outbox = MemoryOutbox()
    for number in range(25):
        outbox.put(number * 3, make_event(number))
    assert drain(outbox, log, batch=10) == 25
    assert outbox.rows == {}
    assert [found.event.counts["results"] for found in log.events()] == list(range(25))
    assert drain(outbox, log) == 0


@pytest.mark.parametrize("crash", ["before", "amid", "after"])
def test_a_crash_around_forgetting_doubles_nothing(log: AuditLog, make_event: MakeEvent, crash: str) -> None:
    outbox = MemoryOutbox([crash])
    for number in range(10):
        outbox.put(number, make_event(number))
    with pytest.raises(CrashError):
        drain(outbox, log)
    drain(outbox, log)
    assert [found.event.counts["results"] for found in log.events()] == list(range(10))


@given(
    st.lists(st.sampled_from(["", "before", "amid", "after"]), max_size=12),
    st.integers(1, 7),
    st.permutations(range(20)),
    st.lists(st.integers(1, 5), min_size=4, max_size=8),
)
def test_every_event_reaches_the_log_once_whatever_crashes_and_whenever_ids_appear(
    tmp_path_factory: pytest.TempPathFactory,
    make_event: MakeEvent,
    crashes: list[str],
    batch: int,
    appearing: list[int],
    steps: list[int],
) -> None:
    outbox, events = MemoryOutbox(crashes), [make_event(number) for number in range(20)]
    with AuditLog.open(f"sqlite:///{tmp_path_factory.mktemp('drained')}/a.sqlite") as log:
        while appearing or outbox.rows:
            step = steps.pop() if steps else len(appearing)
            for number in appearing[:step]:
                outbox.put(number, events[number])
            appearing = appearing[step:]
            try:
                drain(outbox, log, batch=batch)
            except CrashError:
                continue
        assert sorted(found.event.id for found in log.events()) == sorted(event.id for event in events)
        assert log.verify().ok


def test_a_row_that_holds_no_event_stays_and_is_named(log: AuditLog, make_event: MakeEvent) -> None:
    outbox = MemoryOutbox()
    outbox.put(1, make_event())
    outbox.rows[2] = "not an event"
    with pytest.raises(AuditError, match="outbox row 2: audit event: not JSON"):
        drain(outbox, log)
    assert sorted(outbox.rows) == [1, 2]
    assert log.size() == 0
