"""Start, background publishing and stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from hub.api import create_app, serve
from hub.audit import Action, AuditEvent, configured_keys, open_checkpoints, write_key
from hub.audit.checkpoints import parse_text
from hub.audit.notes import Note
from hub.errors import AuditError, ConfigurationError
from hub.services import Services, load_configuration, open_services
from hub.settings import Settings
from hub.store import fixed
from tests.api.api_world import POLICY, World, asking, fill, make_services
from tests.databases import sqlite_store


def posted(services: Services) -> None:
    """An audit event in the outbox, as a sync in another process leaves one."""
    event = AuditEvent(Action.SYNC_STARTED, "system", source="till", run_id="1")
    with services.store.write() as connection:
        connection.execute(fixed.audit_outbox.insert().values(event=event.encode().decode()))


def test_publishing_brings_events_into_the_log_and_rows_into_the_index(services: Services) -> None:
    fill(services)
    posted(services)
    published = services.publish()
    assert published.events == 1
    assert published.changes > 0
    assert (services.publish().events, services.publish().changes) == (0, 0)


def test_the_index_is_checked_and_put_right_in_the_background(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    fill(services)
    services.publish()
    engine = services.search.engine
    (lost, _), *_ = engine.stamps()
    engine.apply([], [lost], engine.cursor() or 0)
    engine.release()
    often = replace(services, settings=services.settings.model_copy(update={"search_check_s": 0.05}))
    with asking(often):
        wait_for(lambda: services.indexer.drift == 1)
        wait_for(lambda: lost in dict(engine.stamps()))
    assert "1 put right" in caplog.text


def wait_for(condition: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_the_application_publishes_in_the_background_also_what_others_wrote(services: Services) -> None:
    with asking(services) as world:
        fill(services)
        posted(services)
        wait_for(lambda: services.audit.size() == 2)  # the policy's event before it

        def found() -> bool:
            return bool(World.ask(world, '{ search(text: "archer") { total } }').data["search"]["total"])

        wait_for(lambda: services.indexer.lag() == 0)
        assert found()


def test_publishing_goes_on_after_a_failure(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    with services.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_outbox RENAME TO away")
    with asking(services):
        wait_for(lambda: "publishing failed" in caplog.text)
        with services.store.write() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO audit_outbox")
        posted(services)
        wait_for(lambda: services.audit.size() == 2)  # the policy's event before it


@contextmanager
def signing(services: Services, interval_s: float) -> Iterator[tuple[Services, Path]]:
    """The services with a key that signs checkpoints as often, and the folder where they are kept outside."""
    folder = services.settings.data_dir
    write_key(folder / "audit.key", "log.example.com/audit")
    settings = Settings(data_dir=folder, audit_checkpoint_s=interval_s)
    keys = configured_keys(settings)
    assert keys is not None
    changed = services.settings.model_copy(update={"audit_checkpoint_s": interval_s})
    checkpoints = open_checkpoints(settings, services.audit, keys)
    yield (
        replace(services, settings=changed, checkpoints=checkpoints),
        folder / "checkpoints" / "history.jsonl",
    )


def sizes(history: Path) -> list[int]:
    """Those of the checkpoints that were published."""
    lines = history.read_text().splitlines() if history.exists() else []
    return [parse_text(Note.parse(json.loads(line)).text)[1].size for line in lines]


def test_checkpoints_are_published_as_the_log_grows_and_at_the_end(services: Services) -> None:
    with signing(services, 0.02) as (changed, history), asking(changed):
        wait_for(lambda: sizes(history))
        grown = len(sizes(history))
        changed.audit.append([AuditEvent(Action.READ, "u-1")])
        wait_for(lambda: len(sizes(history)) > grown)
        posted(changed)
    assert sizes(history)[-1] == services.audit.size(), (
        "the last holds what was brought into the log at the end"
    )
    assert sizes(history) == sorted(set(sizes(history))), "none while the log does not grow"
    assert changed.checkpoints is not None
    assert changed.checkpoints.verify().ok


def test_no_checkpoint_is_published_where_the_interval_is_0(services: Services) -> None:
    with signing(services, 0) as (changed, history), asking(changed):
        changed.audit.append([AuditEvent(Action.READ, "u-1")])
    assert not history.exists()


def test_a_log_that_is_not_the_published_one_is_told_and_gets_no_checkpoint(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    with signing(services, 0.02) as (changed, history):
        assert changed.checkpoints is not None
        services.audit.append([AuditEvent(Action.READ, "u-1")])
        changed.checkpoints.publish()
        history.write_text(history.read_text().replace("log.example.com", "lag.example.com"))
        with asking(changed):
            wait_for(lambda: "publishing a checkpoint of the audit log failed: no checkpoint" in caplog.text)
    assert len(history.read_text().splitlines()) == 1


def test_without_an_issuer_of_tokens_there_is_no_application(services: Services) -> None:
    with pytest.raises(ConfigurationError, match="no issuer of tokens"):
        create_app(replace(services, authenticator=None))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "hub.example.com"])
def test_demo_tokens_are_not_taken_on_an_open_address(host: str, tmp_path: Path) -> None:
    settings = Settings(demo=True, host=host, data_dir=tmp_path)
    with pytest.raises(ConfigurationError, match="HUB_HOST"):
        serve(settings)


def test_all_faults_of_all_files_are_in_one_report_and_nothing_is_opened(tmp_path: Path) -> None:
    types, config = tmp_path / "types", tmp_path / "config"
    types.mkdir()
    config.mkdir()
    (types / "Berth.yaml").write_text(
        "type: Berth\nproperties: {depth: {type: decimal, label: Depth, category: nope}}\n"
    )
    (config / "till.yaml").write_text("source: till\nconnector: {type: fles}\nstreams: {}\n")
    (tmp_path / "policy.yaml").write_text(POLICY.read_text().replace("effect: allow", "effect: alow", 1))
    settings = Settings(
        data_dir=tmp_path / "var",
        ontology_dirs=(types,),
        config_dir=config,
        policy_file=tmp_path / "policy.yaml",
        demo=True,
    )
    with pytest.raises(ConfigurationError) as refused:
        open_services(settings, {})
    report = str(refused.value)
    for part in ("Berth.yaml:2:", "'nope'", "till.yaml:2:", "'fles'", "policy.yaml:", "alow"):
        assert part in report
    assert not (tmp_path / "var").exists()


def test_what_is_closed_stays_closed(tmp_path: Path) -> None:
    services = make_services(tmp_path, sqlite_store(tmp_path / "hub.sqlite"))
    services.close()
    services.close()
    with pytest.raises(AuditError, match="closed"):
        services.recorder.record(AuditEvent(Action.READ, "u-1"))


def test_configuration_can_be_checked_without_opening_anything(services: Services) -> None:
    found = load_configuration(services.settings)
    assert list(found.sources) == ["till"]


def test_repr_of_services_shows_no_address(services: Services) -> None:
    assert "HUB_STORE_URL" not in repr(services.settings)
    assert "hub.sqlite" not in repr(services.settings)


@contextmanager
def served(folder: Path, policy: Path = POLICY) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, without a terminal, and its address."""
    make_services(folder, sqlite_store(folder / "hub.sqlite")).close()
    program = (
        "import sys, json; from pathlib import Path; from hub.settings import Settings; from hub.api import serve\n"
        "s = Settings(**json.loads(sys.argv[1]))\n"
        "serve(s, lambda address: print(address, flush=True))\n"
        "print('ended', flush=True)"
    )
    settings = {
        "data_dir": str(folder / "var"),
        "store_url": f"sqlite:///{folder / 'hub.sqlite'}",
        "config_dir": str(folder / "config"),
        "policy_file": str(policy),
        "demo": True,
        "port": 0,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", program, json.dumps(settings)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        cwd=POLICY.parent,
        env={**os.environ, "PYTHONPATH": str(POLICY.parent)},
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_answers_and_ends_on_ctrl_c_in_order(number: signal.Signals, tmp_path: Path) -> None:
    with served(tmp_path) as (process, address):
        assert httpx.get(f"{address}/healthz").text == "ok"
        process.send_signal(number)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ended"
        assert process.wait(15) == 0


def test_a_hangup_has_the_policy_read_again(tmp_path: Path) -> None:
    """Also where the file system does not tell that it has changed."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.read_text())
    with served(tmp_path, policy) as (process, address):
        found = policy.stat()
        policy.write_text(policy.read_text().replace("effect: mask:year", "effect: mask:yaer"))
        os.utime(policy, ns=(found.st_atime_ns, found.st_mtime_ns))
        time.sleep(2)
        assert httpx.get(f"{address}/healthz").text == "ok"
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: httpx.get(f"{address}/healthz").text.startswith("ok, by an older policy"))
