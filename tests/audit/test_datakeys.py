"""Data keys and the master key that wraps them: made once, wrapped anew, never opened by the wrong key or row."""

from __future__ import annotations

import base64
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from hub.audit import (
    AuditEvent,
    AuditLog,
    DataKeys,
    LocalMasterKeys,
    Payload,
    Retention,
    Sealer,
    keep_master_key,
    new_master_key,
)
from hub.audit.datakeys import CACHED, DataKey
from hub.errors import AuditError, AuditIntegrityError, ConfigurationError, MasterKeyError
from tests.audit.conftest import MASTER
from tests.processes import Child

MakeEvent = Callable[..., AuditEvent]

OTHER = bytes(range(32, 64))
NAMES = [f"customer-of-test-{number}" for number in range(3)]
HOLDERS = [(name, retention) for name in NAMES for retention in (Retention.CUSTOMER, Retention.SEARCH)]


def change(url: str, sql: str, **values: Any) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        assert connection.execute(text(sql), values).rowcount > 0
    engine.dispose()


def test_each_subject_and_class_has_one_key_of_its_own(keys: DataKeys, keys_url: str) -> None:
    made = keys.for_sealing(HOLDERS)
    assert len({key.id for key in made.values()}) == len(HOLDERS)
    assert len({key.pid for key in made.values()}) == len(NAMES)
    again = DataKeys.open(keys_url, LocalMasterKeys.of([MASTER]))
    assert {each: key.id for each, key in again.for_sealing(HOLDERS).items()} == {
        each: key.id for each, key in made.items()
    }
    assert keys.held_by(NAMES[1]) == {each[1]: made[each].id for each in HOLDERS if each[0] == NAMES[1]}
    again.close()


def test_many_keys_are_made_at_once_and_few_are_kept(keys: DataKeys) -> None:
    holders = [(f"customer-of-test-{number}", Retention.CUSTOMER) for number in range(CACHED + 10)]
    made = keys.for_sealing(holders)
    assert len(made) == len(holders)
    assert keys.for_sealing(holders[:5])[holders[0]].id == made[holders[0]].id


MAKING = """
import sys
from hub.audit import DataKeys, LocalMasterKeys, Retention
from tests.processes import Child
keys = DataKeys.open(sys.argv[1], LocalMasterKeys.of([bytes(range(32))]))
names = [(f"customer-of-test-{n}", Retention.CUSTOMER) for n in range(40)]
print(*(keys.for_sealing([each])[each].id for each in names))
"""


def test_processes_that_need_a_key_at_once_get_the_same(keys_url: str, log: AuditLog) -> None:
    processes = [Child.of_script(MAKING, keys_url) for _ in range(3)]
    outputs = [process.rest().split() for process in processes]
    assert outputs[0] == outputs[1] == outputs[2]
    assert len(set(outputs[0])) == 40


# the master key


def test_a_wrong_master_key_is_told_by_its_id(keys: DataKeys, keys_url: str) -> None:
    keys.for_sealing(HOLDERS)
    current, other = LocalMasterKeys.of([MASTER]).current, LocalMasterKeys.of([OTHER]).current
    with pytest.raises(MasterKeyError, match=f"wrapped by master key {current}, and given is {other}: give"):
        DataKeys.open(keys_url, LocalMasterKeys.of([OTHER]))
    with pytest.raises(MasterKeyError, match=f"wrapped by master key {current}, and given is none: give"):
        DataKeys.open(keys_url, LocalMasterKeys.none())
    DataKeys.open(keys_url, LocalMasterKeys.of([OTHER, MASTER])).close()


def test_rotation_wraps_all_anew_and_the_former_key_may_go(
    keys: DataKeys, keys_url: str, log: AuditLog, make_event: MakeEvent
) -> None:
    payload = Payload(NAMES[0], Retention.CUSTOMER, {"reason": "told by letter"})
    log.append([Sealer(keys).sealed(make_event(), [payload])])
    keys.for_sealing([(f"customer-of-test-{number}", Retention.CUSTOMER) for number in range(1_000)])
    both = DataKeys.open(keys_url, LocalMasterKeys.of([OTHER, MASTER]))
    assert Sealer(both).unsealed(log, 0)[0].content == payload.content
    assert both.rewrap() == 1_000
    assert both.rewrap() == 0
    both.close()
    rotated = DataKeys.open(keys_url, LocalMasterKeys.of([OTHER]))
    assert Sealer(rotated).unsealed(log, 0)[0].content == payload.content
    rotated.close()
    with pytest.raises(MasterKeyError):
        keys.require_master()


def test_a_master_key_is_base64_of_32_bytes_and_shown_nowhere() -> None:
    first, second = new_master_key(), new_master_key()
    parsed = LocalMasterKeys.parse(f"{first}\n{second}\n", "environment")
    assert parsed.current == LocalMasterKeys.parse(first, "environment").current
    assert parsed.known == {parsed.current, LocalMasterKeys.parse(second, "environment").current}
    assert first not in repr(parsed)
    wrapped = parsed.wrap(OTHER, b"here")
    assert parsed.unwrap(wrapped, parsed.current, b"here") == OTHER
    assert parsed.unwrap(wrapped, parsed.current, b"there") is None
    assert parsed.unwrap(b"short", parsed.current, b"here") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "hunter2-hunter2",
        base64.b64encode(bytes(16)).decode(),
        f"{base64.b64encode(OTHER).decode()} x",
    ],
)
def test_what_is_no_master_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigurationError, match="HUB_MASTER_KEY: is no master key") as refused:
        LocalMasterKeys.parse(text, "environment")
    assert not [word for word in text.split() if len(word) > 1 and word in str(refused.value)]


def test_a_file_of_a_master_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master"
    keep_master_key(path)
    made = path.read_text()
    keep_master_key(path)
    assert path.read_text() == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["master"]
    assert len(LocalMasterKeys.parse(made, str(path)).known) == 1


def test_an_unknown_url_names_the_keys_database() -> None:
    with pytest.raises(AuditError, match="the database of the audit keys needs a file"):
        DataKeys.open("sqlite://", LocalMasterKeys.of([MASTER]))


# rows that were altered

OF_THE_KEY = "WHERE pid = (SELECT pid FROM audit_data_key WHERE id = :id AND id <> :other)"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_data_key SET wrapped = (SELECT wrapped FROM audit_data_key WHERE id = :other) WHERE id = :id",
        "UPDATE audit_data_key SET retention = 'search' WHERE id = :id AND id <> :other",
        "UPDATE audit_data_key SET pid = 'x' WHERE id = :id AND id <> :other",
        f"UPDATE audit_subject SET name = 'x' {OF_THE_KEY}",
        "DELETE FROM audit_data_key WHERE id = :id AND id <> :other",
        f"UPDATE audit_data_key SET wrapped = NULL, destroyed_at = '2026-01-31T12:00:00+00:00' {OF_THE_KEY}",
    ],
)
def test_a_row_of_a_key_that_was_altered_is_named_by_the_first_event_it_seals(
    keys: DataKeys, keys_url: str, log: AuditLog, make_event: MakeEvent, sql: str
) -> None:
    sealer = Sealer(keys)
    payloads = [Payload(name, Retention.CUSTOMER, {"reason": "told by letter"}) for name in NAMES]
    events = [sealer.sealed(make_event(at), [payload]) for at, payload in enumerate(payloads * 2)]
    log.append(events)
    sealer.require_keys(log)
    change(keys_url, sql, id=events[1].keys[0], other=events[2].keys[0])
    assert log.verify().ok
    with pytest.raises(AuditIntegrityError, match="event 1: the data key of a payload") as found:
        sealer.require_keys(log)
    assert found.value.index == 1


def test_a_key_moved_to_another_row_opens_nothing(keys: DataKeys, keys_url: str) -> None:
    one, other = (keys.for_sealing([each])[each] for each in HOLDERS[:2])
    sql = (
        "UPDATE audit_data_key SET wrapped = (SELECT wrapped FROM audit_data_key WHERE id = :b) WHERE id = :a"
    )
    change(keys_url, sql, a=one.id, b=other.id)
    with pytest.raises(AuditIntegrityError, match=f"data key {one.id} was altered"):
        keys.for_opening(one.id)
    assert isinstance(keys.for_opening(other.id), DataKey)


def test_a_key_that_is_missing_is_told(keys: DataKeys) -> None:
    with pytest.raises(AuditIntegrityError, match="data key no-such-key is missing"):
        keys.for_opening("no-such-key")
