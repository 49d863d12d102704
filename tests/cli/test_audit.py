"""`hub audit`: from a key to checkpoints, cosignatures, receipts and exports; and that the log holds who read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent, AuditLog
from hub.audit.notes import Note, Signer, Verifier
from hub.cli import app
from hub.settings import load_settings
from tests.audit.auditor import audited
from tests.audit.published import FakeWitness
from tests.doc_blocks import ROOT

NAME = "hub.example.com/audit"
CUSTOMER = "cus_aaaaaaaaaaaaaaaaaaaa"


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources").mkdir()
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("HUB_CONFIG_DIR", str(tmp_path / "sources"))
    monkeypatch.setenv("HUB_POLICY_FILE", str(ROOT / "policy.yaml"))


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, words)], catch_exceptions=False)


def refused(*words: str | Path) -> str:
    result = run(*words)
    assert result.exit_code in (1, 2)
    return result.output


def events() -> list[AuditEvent]:
    with AuditLog.open(load_settings().audit_address) as log:
        return [recorded.event for recorded in log.events(limit=1_000)]


def append(*actions: Action) -> None:
    with AuditLog.open(load_settings().audit_address) as log:
        log.append(AuditEvent(action, "u-1", customers=(CUSTOMER,)) for action in actions)


@pytest.fixture
def vkey() -> str:
    """The public half of a key that `hub audit key new` made."""
    return run("key", "new", NAME).stdout.strip()


# the key


def test_a_new_key_is_its_owners_alone_and_prints_its_public_half(tmp_path: Path) -> None:
    result = run("key", "new", NAME)
    path = tmp_path / "var" / "audit.key"
    assert path.stat().st_mode & 0o777 == 0o600
    signer = Signer.parse(path.read_text())
    assert result.stdout == f"{signer.verifier}\n"
    assert Verifier.parse(result.stdout.strip()).name == NAME
    assert "is there already" in refused("key", "new", NAME)
    assert Signer.parse(path.read_text()) == signer


def test_the_keys_name_may_come_from_the_settings_and_must_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "set HUB_AUDIT_ORIGIN" in refused("key", "new")
    assert "name of a key" in refused("key", "new", "our hub")
    monkeypatch.setenv("HUB_AUDIT_ORIGIN", NAME)
    monkeypatch.setenv("HUB_AUDIT_KEY_FILE", str(tmp_path / "keys" / "log.key"))
    assert run("key", "new").stdout.startswith(f"{NAME}+")
    assert (tmp_path / "keys" / "log.key").exists()


def test_a_setting_of_checkpoints_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_AUDIT_KEY_FILE", "no-such-file")
    monkeypatch.setenv("HUB_AUDIT_FORMER_KEYS", '["x"]')
    result = run("checkpoint")
    assert result.exit_code == 2
    assert "HUB_AUDIT_KEY_FILE" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ["checkpoint"],
        ["verify", "--from", __file__],
    ],
)
def test_without_a_key_nothing_is_signed_and_the_way_to_one_is_told(words: list[str]) -> None:
    append(Action.READ)
    assert "`hub audit key new` makes one" in " ".join(refused(*words).split())


# verification


def test_verification_without_a_key_says_what_it_did_not_check() -> None:
    append(Action.READ)
    told = run("verify").output
    assert "1 events verify" in told
    assert "No checkpoint's signature was checked" in told


def test_verification_tells_of_checkpoints_and_is_an_event_itself(vkey: str, tmp_path: Path) -> None:
    append(Action.READ)
    run("checkpoint")
    told = run("verify").output
    assert "1 events verify" in told
    assert f"1 checkpoints verify, here and in {tmp_path / 'var' / 'checkpoints'}" in " ".join(told.split())
    assert [event.action for event in events()][1:] == [Action.AUDIT_VERIFIED]
    (tmp_path / "kept").write_bytes(b"\xff")
    assert "cannot be read as a checkpoint" in refused("verify", "--from", tmp_path / "kept")


def test_a_log_that_was_made_anew_fails_by_the_checkpoints_outside(
    vkey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_AUDIT_CHECKPOINTS", str(tmp_path / "elsewhere"))
    append(Action.READ, Action.SEARCH)
    assert run("checkpoint").exit_code == 0
    (tmp_path / "var" / "audit.sqlite").unlink()
    append(Action.READ)
    assert "the log has 1 events" in " ".join(refused("verify").split())
    told = " ".join(refused("checkpoint").split())
    assert "no checkpoint of 1 events is signed: one of 2 events was published" in told


# witnesses


@pytest.fixture
def witness(vkey: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWitness]:
    """A witness of the log over HTTP, and in the settings."""
    fake = FakeWitness(log=Verifier.parse(vkey))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, text = fake.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status if self.path == "/add-checkpoint" else 404)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_words: object) -> None:
            """Nothing on the screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = {"vkey": str(fake.verifier), "url": f"http://127.0.0.1:{server.server_port}"}
        monkeypatch.setenv("HUB_AUDIT_WITNESSES", json.dumps([address]))
        yield fake
        server.shutdown()


def test_a_checkpoint_is_cosigned_over_http(witness: FakeWitness, vkey: str, tmp_path: Path) -> None:
    append(Action.READ)
    run("checkpoint")
    append(Action.READ)
    note = run("checkpoint").stdout
    assert witness.asked == [200, 409, 200]
    trusted = [Verifier.parse(vkey), witness.verifier]
    assert [each for each, _ in Note.parse(note).verified(trusted)] == trusted
    assert (tmp_path / "var" / "checkpoints" / "checkpoint").read_text() == note


def test_a_witness_that_refuses_makes_an_exit_code_and_the_checkpoint_is_there(
    witness: FakeWitness, tmp_path: Path
) -> None:
    append(Action.READ)
    witness.log = FakeWitness("other.example.com").verifier
    assert "refuses with HTTP status 404" in " ".join(refused("checkpoint").split())
    assert (tmp_path / "var" / "checkpoints" / "checkpoint").exists()


def test_a_cosignature_may_be_brought_in_a_file(
    vkey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeWitness(log=Verifier.parse(vkey))
    monkeypatch.setenv("HUB_AUDIT_WITNESSES", json.dumps([{"vkey": str(fake.verifier)}]))
    append(Action.READ)
    note = run("checkpoint").stdout
    brought = tmp_path / "brought"
    brought.write_text(note)
    assert "no cosignature of a witness" in refused("cosign", brought)
    brought.write_text(note + fake.cosignature(Note.parse(note).text))
    assert run("cosign", brought).output == "The checkpoint of 1 events is cosigned by witness.example.com.\n"
    assert (tmp_path / "var" / "checkpoints" / "checkpoint").read_text() == brought.read_text()


# receipts


def test_a_receipt_of_a_number_and_of_an_id_is_checked_without_the_hub(vkey: str, tmp_path: Path) -> None:
    append(Action.READ, Action.CONSENT_CHANGED)
    made = run("prove", "0", events()[1].id, "--to", tmp_path / "receipts").output.split()
    paths = [tmp_path / "receipts" / f"event-{seq}.tlog-proof" for seq in (0, 1)]
    assert made == [str(path) for path in paths]
    code, told = audited("--key", vkey, "receipt", *paths, cwd=tmp_path)
    assert (code, "consent_changed" in told) == (0, True)
    assert [event.action for event in events()][2:] == [Action.AUDIT_READ]
    assert events()[2].counts == {"results": 2}


def test_what_customers_ask_a_proof_of_is_found_by_their_id(vkey: str, tmp_path: Path) -> None:
    append(Action.CONSENT_CHANGED, Action.READ, Action.BREAK_GLASS, Action.PRIVACY_REQUEST_OPENED)
    for options, found in (
        (("--customer", CUSTOMER), (0, 2, 3)),
        (("--customer", CUSTOMER, "--action", "read", "--action", "break_glass"), (1, 2)),
    ):
        made = run("prove", *options, "--to", tmp_path / "receipts").output.split()
        assert made == [str(tmp_path / "receipts" / f"event-{seq}.tlog-proof") for seq in found]
    assert events()[4].customers == (CUSTOMER,)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "which events?"),
        (("9" * 30,), "no event of this number"),
        (("00000000-0000-0000-0000-000000000000",), "no event of this id"),
        (("--customer", "cus_bbbbbbbbbbbbbbbbbbbb"), "no such event"),
    ],
)
def test_what_the_log_has_not_gets_no_receipt(vkey: str, words: tuple[str, ...], says: str) -> None:
    append(Action.READ)
    assert says in refused("prove", *words)
    assert len(events()) == 1


# exports


def test_tiles_are_exported_after_the_event_that_says_so(vkey: str, tmp_path: Path) -> None:
    append(*[Action.READ] * 5)
    assert "6 events written to" in run("export", "--tiles", tmp_path / "tiles").output
    assert (events()[5].action, events()[5].counts) == (Action.EXPORT, {"exported": 6})
    history = tmp_path / "var" / "checkpoints" / "history.jsonl"
    assert audited("--key", vkey, "tiles", tmp_path / "tiles", "--history", history, cwd=tmp_path) == (
        0,
        "6 events are those of the checkpoint, and continue 1 older checkpoints\n",
    )


def test_events_are_exported_as_lines_after_the_event_that_says_so() -> None:
    append(*[Action.READ] * 5)
    lines = run("export", "--events", "--start", "1", "--end", "3").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2]
    assert (events()[5].action, events()[5].counts) == (Action.EXPORT, {"exported": 2})
    assert run("export", "--events", "--start", "99").stdout == ""


@pytest.mark.parametrize("words", [(), ("--events", "--tiles", "x")])
def test_an_export_is_of_tiles_or_of_events(words: tuple[str, ...]) -> None:
    assert "either --tiles DIR or --events" in refused("export", *words)
