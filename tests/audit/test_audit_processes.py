"""Several processes at one log, and processes that are killed while they write."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hub.audit import AuditEvent, AuditLog, DataKeys, EventFilter, Sealer
from hub.audit.checkpoints import parse_text
from hub.audit.notes import Note
from tests.audit.published import checkpoints_of
from tests.processes import Child

MakeEvent = Callable[..., AuditEvent]

APPENDING = """
import sys
from hub.audit import Action, AuditEvent, AuditLog

url, name, groups = sys.argv[1], sys.argv[2], int(sys.argv[3])
with AuditLog.open(url) as log:
    print("ready", flush=True)
    for group in range(groups):
        events = [AuditEvent(Action.READ, name, counts={"results": group * 10 + each}) for each in range(10)]
        print(*log.append(events), flush=True)
"""

DRAINING = """
import sqlite3, sys
from hub.audit import AuditLog, drain

class FileOutbox:
    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
    def pending(self, limit):
        return self.db.execute("SELECT id, event FROM audit_outbox ORDER BY id LIMIT ?", [limit]).fetchall()
    def forget(self, ids):
        self.db.execute(f"DELETE FROM audit_outbox WHERE id IN ({','.join(map(str, ids))})")

with AuditLog.open(sys.argv[1]) as log:
    print("ready", flush=True)
    drain(FileOutbox(sys.argv[2]), log, batch=5)
"""


SEALING = """
import sys
from hub.audit import Action, AuditEvent, AuditLog, DataKeys, LocalMasterKeys, Payload, Retention, Sealer

url, keys_url, name = sys.argv[1:]
sealer = Sealer(DataKeys.open(keys_url, LocalMasterKeys.of([bytes(range(32))])))
with AuditLog.open(url) as log:
    print("ready", flush=True)
    for number in range(100_000):
        payload = Payload(f"customer-of-test-{number % 40}", Retention.CUSTOMER, {"reason": number})
        log.append([sealer.sealed(AuditEvent(Action.CORRECTION, name), [payload]) for _ in range(5)])
"""

PUBLISHING = """
import sys
from pathlib import Path
from hub.audit import Action, AuditEvent, AuditLog
from tests.audit.published import checkpoints_of

url, name, folder = sys.argv[1:]
with AuditLog.open(url) as log:
    checkpoints = checkpoints_of(log, Path(folder))
    print("ready", flush=True)
    for group in range(100_000):
        events = [AuditEvent(Action.READ, name, counts={"results": group * 3 + each}) for each in range(3)]
        print("appended", *log.append(events), flush=True)
        head = checkpoints.publish().head
        print("published", head.size, head.root.hex(), flush=True)
"""

KILLS = 30 if os.environ.get("HUB_TEST_PROFILE") == "thorough" else 4
"""Of each of the processes below."""


def kill_after(process: Child, delay_s: float) -> list[str]:
    """The lines that the process had written when it was killed, that long after it was ready."""
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay_s)
    process.kill()
    return process.rest().split("\n")[:-1]  # what follows the last line end was cut off


def test_two_processes_append_to_one_log(log: AuditLog, log_url: str) -> None:
    processes = [Child.of_script(APPENDING, log_url, name, "15") for name in ("u-1", "u-2")]
    for process in processes:
        process.rest()
        assert process.ended() == 0
    found = log.events(limit=1_000)
    assert [each.seq for each in found] == list(range(300))
    for name in ("u-1", "u-2"):
        own = [each.event.counts["results"] for each in found if each.event.actor == name]
        assert own == list(range(150))
    assert log.verify().ok


def test_processes_that_open_a_new_log_at_once_make_one(log_url: str) -> None:
    processes = [Child.of_script(APPENDING, log_url, f"u-{number}", "1") for number in range(3)]
    for process in processes:
        process.rest()
        assert process.ended() == 0
    with AuditLog.open(log_url) as log:
        assert log.size() == 30
        assert log.verify().ok


def test_no_event_that_was_acknowledged_is_lost_by_kill(log: AuditLog, log_url: str) -> None:
    chance = random.Random(20250601)
    for number in range(KILLS):
        before = log.head()
        lines = kill_after(
            Child.of_script(APPENDING, log_url, f"u-{number}", "100000"), chance.uniform(0, 0.1)
        )
        acknowledged = [int(seq) for line in lines for seq in line.split()]
        assert acknowledged == list(range(before.size, before.size + len(acknowledged)))
        log.append([])  # waits for the lock, which a server may hold on behalf of the dead until it commits
        assert log.size() in (before.size + len(acknowledged), before.size + len(acknowledged) + 10)
        assert log.verify(before).ok
    assert log.verify().ok


def test_of_an_event_and_its_payload_a_kill_leaves_both_or_neither(
    log: AuditLog, log_url: str, keys: DataKeys, keys_url: str
) -> None:
    chance, sealer = random.Random(20250601), Sealer(keys)
    for number in range(10):
        before = log.size()
        kill_after(Child.of_script(SEALING, log_url, keys_url, f"u-{number}"), chance.uniform(0, 0.05))
        log.append([])
        assert (log.size() - before) % 5 == 0
    assert log.size() > 0
    assert log.verify().ok
    sealer.require_keys(log)
    assert all(len(sealer.unsealed(log, seq)) == 1 for seq in range(log.size()))


def test_no_checkpoint_that_was_published_is_contradicted_after_a_kill(
    log: AuditLog, log_url: str, tmp_path: Path
) -> None:
    chance, outside = random.Random(20250601), tmp_path / "outside"
    published: dict[int, str] = {}
    expected: dict[str, int] = {}
    for number in range(KILLS):
        name = f"u-{number}"
        lines = kill_after(Child.of_script(PUBLISHING, log_url, name, str(outside)), chance.uniform(0, 0.15))
        appended = [int(seq) for line in lines if line.startswith("appended") for seq in line.split()[1:]]
        expected[name] = len(appended)
        published |= {int(line.split()[1]): line.split()[2] for line in lines if line.startswith("published")}
        log.append([])  # waits for the lock, which a server may hold on behalf of the dead until it commits
        report = checkpoints_of(log, outside).verify()
        assert report.ok, report.fault
    assert {size: log.root(size).hex() for size in published} == published
    for name, acknowledged in expected.items():
        own = [each.event.counts["results"] for each in log.events(EventFilter(actor=name), limit=100_000)]
        assert own == list(range(len(own))), "none is lost or doubled"
        assert len(own) - acknowledged in (0, 3)
    assert checkpoints_of(log, outside).publish().head == log.head()
    told = [
        parse_text(Note.parse(json.loads(line)).text)[1]
        for line in (outside / "history.jsonl").read_text().splitlines()
    ]
    assert [head.size for head in told] == sorted({head.size for head in told}), (
        "each was published once, in order"
    )
    assert published.items() <= {head.size: head.root.hex() for head in told}.items()


def test_two_processes_publish_one_history(log: AuditLog, log_url: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    processes = [Child.of_script(PUBLISHING, log_url, name, str(outside)) for name in ("u-1", "u-2")]
    for process in processes:
        kill_after(process, 0.3)
    log.append([])
    checkpoints = checkpoints_of(log, outside)
    checkpoints.publish()
    report = checkpoints.verify()
    assert report.ok, report.fault
    assert report.checkpoints == len((outside / "history.jsonl").read_text().splitlines())


def test_draining_that_is_killed_loses_and_doubles_nothing(
    log: AuditLog, log_url: str, make_event: MakeEvent, tmp_path: Path
) -> None:
    chance, path, total = random.Random(20250601), tmp_path / "store.sqlite", 600
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("CREATE TABLE audit_outbox (id INTEGER PRIMARY KEY, event TEXT NOT NULL)")
        rows = [(number, make_event(number).encode().decode()) for number in range(total)]
        store.executemany("INSERT INTO audit_outbox VALUES (?, ?)", rows)
    for _ in range(KILLS):
        kill_after(Child.of_script(DRAINING, log_url, str(path)), chance.uniform(0, 0.1))
    process = Child.of_script(DRAINING, log_url, str(path))
    process.rest()
    assert process.ended() == 0
    results = [found.event.counts["results"] for found in log.events(limit=total + 1)]
    assert results == list(range(total)), Counter(results).most_common(3)
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("SELECT count(*) FROM audit_outbox").fetchone() == (0,)
    assert log.verify().ok
