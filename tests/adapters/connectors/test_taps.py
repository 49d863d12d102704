"""Programs that read sources: every message is a record, a state or a doubt, and none that fails does so unnoticed."""

from __future__ import annotations

import json
import os
import stat
import sys
import textwrap
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.adapters.connectors import AirbyteConfig, SingerConfig
from hub.adapters.connectors.taps import TapConnector, TapRead
from hub.adapters.records import BadRecord, Batch, ConnectorContext, StreamRead
from hub.errors import ConfigurationError, SourceProtocolError, SourceUnavailableError

SINGER_CATALOG = {
    "streams": [
        {
            "tap_stream_id": "public-people",
            "stream": "people",
            "schema": {"properties": {"id": {}, "name": {}, "at": {}, "blob": {}}},
            "metadata": [
                {"breadcrumb": [], "metadata": {"table-key-properties": ["id"]}},
                {"breadcrumb": ["properties", "blob"], "metadata": {"inclusion": "unsupported"}},
            ],
        },
        {"tap_stream_id": "public-orders", "stream": "orders", "schema": {"properties": {"id": {}}}},
    ]
}
AIRBYTE_CATALOG = {
    "type": "CATALOG",
    "catalog": {
        "streams": [
            {
                "name": "people",
                "json_schema": {"properties": {"id": {}, "at": {}}},
                "supported_sync_modes": ["full_refresh", "incremental"],
                "default_cursor_field": [],
                "source_defined_primary_key": [["id"]],
            }
        ]
    },
}

Tap = Callable[..., TapConnector]


def program(folder: Path, catalog: Any, body: str) -> Path:
    """A program that tells of the catalog, and else does what the body says with `argv` and `say`."""
    path = folder / "tap"
    path.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys, time\n"
        "argv = sys.argv[1:]\n"
        "def given(name):\n"
        "    return json.load(open(argv[argv.index(name) + 1])) if name in argv else None\n"
        "def say(*messages):\n"
        "    for each in messages: print(json.dumps(each), flush=True)\n"
        "if '--discover' in argv or argv[0] == 'discover':\n"
        f"    print({json.dumps(json.dumps(catalog))}); sys.exit()\n" + textwrap.dedent(body)
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def singer(tmp_path: Path) -> Tap:
    def opened(body: str, catalog: Any = SINGER_CATALOG, **more: Any) -> TapConnector:
        program(tmp_path, catalog, body)
        config = SingerConfig.model_validate({"type": "singer", "tap": "./tap", **more})
        return config.connect(ConnectorContext("erp", {"SECRET": "hunter2"}, tmp_path))

    return opened


@pytest.fixture
def airbyte(tmp_path: Path) -> Tap:
    def opened(body: str, **more: Any) -> TapConnector:
        program(tmp_path, AIRBYTE_CATALOG, body)
        config = AirbyteConfig.model_validate({"type": "airbyte", "program": "./tap", **more})
        return config.connect(ConnectorContext("erp", {"SECRET": "hunter2"}, tmp_path))

    return opened


def read(connector: TapConnector, cursor: Any = None, size: int = 1000, **said: Any) -> list[Batch]:
    stream = StreamRead("people", TapRead.model_validate({"stream": "public-people", **said}), ("id",))
    return list(connector.batches(stream, cursor, size))


def rows(batches: list[Batch]) -> list[Any]:
    return [
        each.reason if isinstance(each, BadRecord) else each.payload
        for batch in batches
        for each in batch.records
    ]


RECORDS = """
for n in range(1, 6):
    say({"type": "RECORD", "stream": "people", "record": {"id": n}})
    if n % 2 == 0: say({"type": "STATE", "value": {"upto": n}})
"""


def test_records_come_with_the_last_state_before_them(singer: Tap) -> None:
    batches = read(singer(RECORDS), size=2)
    assert [[each.payload["id"] for each in batch.records] for batch in batches] == [[1, 2], [3, 4], [5]]
    states = [batch.cursor and json.loads(batch.cursor["state"])["upto"] for batch in batches]
    assert states == [None, 2, 4]


def test_the_cursor_is_handed_back_as_it_came(singer: Tap) -> None:
    said = '{"a":{"b":1.10},"c":12345678901234567890123}'
    echo = """
    state = open(argv[argv.index("--state") + 1]).read()
    say({"type": "RECORD", "stream": "people", "record": {"state": state}})
    """
    [row] = rows(read(singer(echo), {"state": said}))
    assert row["state"] == said
    first = f'print(\'{{"type": "STATE", "value": {said}}}\')'
    assert read(singer(first))[-1].cursor == {"state": said}


def test_without_a_new_state_the_cursor_stays(singer: Tap) -> None:
    cursor = {"state": '{"upto":7}'}
    assert read(singer("pass"), cursor)[-1].cursor == cursor


def test_numbers_keep_every_digit(singer: Tap) -> None:
    line = 'print(\'{"type": "RECORD", "stream": "people", "record": {"total": 10.10, "id": 1}}\')'
    [row] = rows(read(singer(line)))
    assert row == {"total": Decimal("10.10"), "id": 1}
    assert str(row["total"]) == "10.10"


def test_the_catalog_selects_the_stream_alone_with_what_can_be_read(singer: Tap) -> None:
    echo = 'say({"type": "RECORD", "stream": "people", "record": given("--catalog")})'
    [row] = rows(read(singer(echo), replication_key="at"))
    [stream] = row["streams"]
    metadata = {tuple(each["breadcrumb"]): each["metadata"] for each in stream["metadata"]}
    assert stream["tap_stream_id"] == "public-people"
    assert metadata[()] == {
        "table-key-properties": ["id"],
        "selected": True,
        "replication-method": "INCREMENTAL",
        "replication-key": "at",
    }
    assert metadata["properties", "name"]["selected"] is True
    assert "selected" not in metadata["properties", "blob"]


def test_secrets_are_in_a_file_of_the_hubs_user_and_nowhere_else(singer: Tap, monkeypatch: Any) -> None:
    monkeypatch.setenv("HUB_MASTER_KEY", "of-the-hub")
    body = """
    path = argv[argv.index("--config") + 1]
    say({"type": "RECORD", "stream": "people", "record": {"config": given("--config"), "argv": argv,
      "environ": dict(os.environ), "mode": os.stat(path).st_mode, "folder": os.path.dirname(path)}})
    """
    config = {
        "host": "db.example.com",
        "password": {"env": "SECRET"},
        "deep": [{"api_key": {"env": "SECRET"}}],
    }
    [row] = rows(read(singer(body, config=config)))
    assert row["config"] == {
        "host": "db.example.com",
        "password": "hunter2",
        "deep": [{"api_key": "hunter2"}],
    }
    assert "hunter2" not in str(row["argv"])
    assert "hunter2" not in str(row["environ"])
    assert "of-the-hub" not in str(row["environ"])
    assert stat.S_IMODE(row["mode"]) == 0o600
    assert not Path(row["folder"]).exists()


@pytest.mark.parametrize(
    "config", [{"password": "hunter2"}, {"deep": {"api_key": "hunter2"}}, {"list": [{"secret": "hunter2"}]}]
)
def test_a_plain_secret_is_refused_however_deep(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a secret is not written here"):
        SingerConfig.model_validate({"type": "singer", "tap": "x", "config": config})


def test_a_secret_that_is_not_there_is_named(singer: Tap) -> None:
    with pytest.raises(ConfigurationError, match="NOWHERE is not set"):
        read(singer("pass", config={"password": {"env": "NOWHERE"}}))


# what goes wrong


def test_a_crash_fails_the_run_though_records_came(singer: Tap) -> None:
    body = RECORDS + "raise KeyError('Zanzibar')"
    with pytest.raises(SourceUnavailableError) as caught:
        read(singer(body))
    assert "tap ended with code 1, after KeyError" in str(caught.value)
    assert "Zanzibar" not in str(caught.value)


def test_what_it_logs_is_in_a_file_for_the_hubs_user_alone(singer: Tap, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match="its log is"):
        read(singer("raise KeyError('Zanzibar')", log="tap.log"))
    log = tmp_path / "tap.log"
    assert "KeyError: 'Zanzibar'" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_silence_ends_it_with_all_that_it_began(singer: Tap, tmp_path: Path) -> None:
    body = f"""
    import subprocess
    child = subprocess.Popen(["sleep", "300"])
    open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
    time.sleep(300)
    """
    began = time.monotonic()
    with pytest.raises(SourceUnavailableError, match="was silent for 1 s"):
        read(singer(body, silence_s=1))
    assert time.monotonic() - began < 60
    assert is_gone(int((tmp_path / "child").read_text()))


def test_whoever_stops_reading_ends_it(singer: Tap, tmp_path: Path) -> None:
    body = f"""
    open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
    while True: say({{"type": "RECORD", "stream": "people", "record": {{"id": 1}}}})
    """
    stream = StreamRead("people", TapRead(stream="public-people"), ("id",))
    batches = singer(body).batches(stream, None, 10)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert is_gone(int((tmp_path / "pid").read_text()))


def is_gone(pid: int) -> bool:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_broken_message_is_a_bad_record_and_the_rest_is_read(singer: Tap) -> None:
    body = """
    print('{"type": "RECORD", "stream": "people", "record": {"id": 1')
    say({"type": "RECORD", "stream": "people", "record": {"id": 2}})
    """
    [bad, good] = rows(read(singer(body)))
    assert bad.startswith("not JSON")
    assert good == {"id": 2}


@pytest.mark.parametrize(
    ("body", "doubt"),
    [
        ("print('Connecting ...')", "people: ./tap wrote lines that are no messages"),
        (
            'say({"type": "RECORD", "stream": "orders", "record": {"id": 1}})',
            "people: records of other streams were passed over",
        ),
        (
            'say({"type": "BATCH", "stream": "people", "manifest": []})',
            "people: a message of type BATCH was passed over",
        ),
        ('say({"type": "Zan zibar"})', "people: a message of type that is unknown was passed over"),
        ("say({})", "people: a message of type that is unknown was passed over"),
    ],
)
def test_what_is_passed_over_is_a_doubt(singer: Tap, body: str, doubt: str) -> None:
    connector = singer(body)
    assert rows(read(connector)) == []
    assert connector.warnings == [doubt]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"stream": "public-poeple"}, "has no stream 'public-poeple'; did you mean 'public-people'?"),
        ({"replication_key": "changed"}, "has no field 'changed' to tell by what is new"),
    ],
)
def test_what_the_catalog_does_not_have_is_named(singer: Tap, said: dict[str, str], message: str) -> None:
    with pytest.raises(SourceProtocolError) as caught:
        read(singer("pass"), **said)
    assert message in str(caught.value)


def test_no_catalog_and_no_program_are_told(singer: Tap, tmp_path: Path) -> None:
    with pytest.raises(SourceProtocolError, match="gave no catalog"):
        read(singer("pass", catalog=[1]))
    config = SingerConfig.model_validate({"type": "singer", "tap": "tap-nothing"})
    with pytest.raises(SourceUnavailableError, match="`hub adapter install tap-nothing`"):
        read(config.connect(ConnectorContext("erp", {}, tmp_path)))


def test_a_program_that_is_none_is_told(singer: Tap, tmp_path: Path) -> None:
    connector = singer("pass")
    (tmp_path / "tap").chmod(0o644)
    with pytest.raises(SourceUnavailableError, match="cannot be begun"):
        read(connector)


def test_a_message_that_is_too_long_ends_the_run(singer: Tap, monkeypatch: Any) -> None:
    monkeypatch.setattr("hub.adapters.connectors.subprocesses.MAX_LINE", 1000)
    body = 'say({"type": "RECORD", "stream": "people", "record": {"id": "x" * 2000}})'
    catalog = {"streams": [{"tap_stream_id": "public-people", "stream": "people"}]}
    with pytest.raises(SourceProtocolError, match="longer than 1000 bytes"):
        read(singer(body, catalog=catalog))


# Airbyte

AIRBYTE_RECORDS = """
for n in range(1, 4):
    say({"type": "RECORD", "record": {"stream": "people", "data": {"id": n}, "emitted_at": 1}})
say({"type": "STATE", "state": {"type": "STREAM", "stream": {"stream_state": {"at": 3}}}})
say({"type": "LOG", "log": {"level": "INFO", "message": "x"}})
"""


def test_an_airbyte_source_gives_records_and_states(airbyte: Tap) -> None:
    [batch] = read(airbyte(AIRBYTE_RECORDS), stream="people")
    assert rows([batch]) == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert batch.cursor is not None
    assert json.loads(batch.cursor["state"])["stream"] == {"stream_state": {"at": 3}}


def test_an_airbyte_source_gets_its_state_in_a_list(airbyte: Tap) -> None:
    echo = 'say({"type": "RECORD", "record": {"stream": "people", "data": {"state": given("--state")}}})'
    [row] = rows(read(airbyte(echo), {"state": '{"type":"STREAM"}'}, stream="people"))
    assert row == {"state": [{"type": "STREAM"}]}


@pytest.mark.parametrize(("key", "mode"), [("at", "incremental"), (None, "full_refresh")])
def test_an_airbyte_source_goes_on_where_it_can_tell_what_is_new(
    airbyte: Tap, key: str | None, mode: str
) -> None:
    echo = 'say({"type": "RECORD", "record": {"stream": "people", "data": given("--catalog")}})'
    [row] = rows(read(airbyte(echo), stream="people", replication_key=key))
    [chosen] = row["streams"]
    assert (chosen["sync_mode"], chosen["cursor_field"]) == (mode, [key] if key else [])


def test_an_error_that_an_airbyte_source_tells_of_is_a_doubt_and_its_code_fails_the_run(airbyte: Tap) -> None:
    trace = 'say({"type": "TRACE", "trace": {"type": "ERROR", "error": {"message": "Zanzibar"}}})'
    connector = airbyte(trace)
    assert rows(read(connector, stream="people")) == []
    assert connector.warnings == ["people: it told of an error"]
    with pytest.raises(SourceUnavailableError, match="ended with code 1"):
        read(airbyte(trace + "\nsys.exit(1)"), stream="people")
