"""What leaves the hub for auditors, tiles and receipts: as the specifications have it, and checked without the hub."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.audit import AuditEvent, AuditLog, event_lines, export_tiles, inclusion_holds, leaf_hash
from hub.audit.checkpoints import parse_text, sign_checkpoint
from hub.audit.export import tile_path
from hub.audit.merkle import TreeHead
from hub.audit.notes import Note, Signer
from hub.audit.tiles import tile_widths
from hub.errors import AuditError, AuditIntegrityError
from tests.audit.auditor import SCRIPT, audited, script, wrong
from tests.audit.published import MALLORY, ORIGIN, SIGNER, FakeWitness, checkpoints_of

MakeEvent = Callable[..., AuditEvent]

SIZE = 600
"""Two whole tiles and a partial one, and one above."""


def filled(log: AuditLog, folder: Path, make_event: MakeEvent, size: int = SIZE) -> FakeWitness:
    """Exports a log of so many events whose history, latest and tiles lie in the folder; cosigned."""
    witness = FakeWitness()
    checkpoints = checkpoints_of(log, folder / "outside", [witness])
    for start in range(0, size, 200):
        log.append([make_event(number) for number in range(start, min(start + 200, size))])
        newest = checkpoints.have_cosigned(checkpoints.publish())
    export_tiles(log, newest, folder / "tiles")
    return witness


@pytest.fixture
def file_log(tmp_path: Path) -> Iterator[AuditLog]:
    """A log in a file, for what is the same on each database: the script reads none."""
    with AuditLog.open(f"sqlite:///{tmp_path / 'file.sqlite'}") as opened:
        yield opened


def trusting(*witnesses: FakeWitness, quorum: int = 0, signer: Signer = SIGNER) -> Any:
    """What the script trusts in."""
    keys = script().Key
    others = tuple(keys.parse(str(each.verifier)) for each in witnesses)
    return script().Trust((keys.parse(str(signer.verifier)),), others, quorum, ORIGIN)


# tiles


@pytest.mark.parametrize(
    ("level", "position", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 273, 112, "tile/0/273.p/112"),
        (1, 1, 17, "tile/1/001.p/17"),
        (2, 0, 1, "tile/2/000.p/1"),
        (0, 1_234_067, 256, "tile/0/x001/x234/067"),
        ("entries", 999_000, 8, "tile/entries/x999/000.p/8"),
    ],
)
def test_tiles_stand_where_the_specification_says(
    level: int | str, position: int, width: int, path: str
) -> None:
    assert tile_path(level, position, width) == Path(path)


def test_an_export_holds_each_tile_each_event_and_the_checkpoint(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    filled(log, tmp_path, make_event)
    found = {
        str(path.relative_to(tmp_path / "tiles"))
        for path in (tmp_path / "tiles").rglob("*")
        if path.is_file()
    }
    tiles = {str(tile_path(each.level, each.position, width)) for each, width in tile_widths(SIZE)}
    entries = {
        str(tile_path("entries", each.position, width)) for each, width in tile_widths(SIZE) if not each.level
    }
    assert found == {"checkpoint", *tiles, *entries}
    data = (tmp_path / "tiles" / "tile/entries/002.p/88").read_bytes()
    length = int.from_bytes(data[:2], "big")
    assert data[2 : 2 + length] == log.entry(512)
    assert (tmp_path / "tiles" / "tile/0/002.p/88").read_bytes()[:32] == leaf_hash(log.entry(512))


def test_a_later_export_adds_to_an_earlier(log: AuditLog, make_event: MakeEvent, tmp_path: Path) -> None:
    filled(log, tmp_path, make_event, 300)
    whole = tmp_path / "tiles" / "tile/0/000"
    before = whole.stat().st_mtime_ns
    log.append([make_event(number) for number in range(300)])
    export_tiles(log, checkpoints_of(log, tmp_path / "outside").publish(), tmp_path / "tiles")
    assert whole.stat().st_mtime_ns == before
    assert wrong(script().check_tiles, trusting(), tmp_path / "tiles", [], []) == ""


def test_events_are_printed_with_their_numbers_and_their_very_bytes(
    log: AuditLog, make_event: MakeEvent
) -> None:
    log.append([make_event(number) for number in range(10)])
    lines = list(event_lines(log, 3, 6))
    assert [json.loads(line)["seq"] for line in lines] == [3, 4, 5]
    assert all(log.entry(json.loads(line)["seq"]) in line for line in lines)
    with pytest.raises(AuditIntegrityError, match="event 10: the event is missing"):
        list(event_lines(log, 8, 12))


def test_an_export_to_where_nothing_can_be_written_is_told(
    file_log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    file_log.append([make_event()])
    with pytest.raises(AuditError, match="cannot be written: Not a directory"):
        export_tiles(file_log, checkpoints_of(file_log, tmp_path / "outside").publish(), tmp_path / "file")


# receipts


def test_a_receipt_proves_each_event(log: AuditLog, make_event: MakeEvent, tmp_path: Path) -> None:
    log.append([make_event(number) for number in range(20)])
    witness = FakeWitness()
    checkpoints = checkpoints_of(log, tmp_path, [witness])
    checkpoints.have_cosigned(checkpoints.publish())
    for seq in range(20):
        (tmp_path / "receipt").write_text(checkpoints.receipt(seq))
        trust = trusting(witness, quorum=1)
        assert script().check_receipt(trust, tmp_path / "receipt").startswith(f"event {seq} of 20 is {{")
        header, _, note = checkpoints.receipt(seq).partition("\n\n")
        first, extra, index, *path = header.split("\n")
        assert (first, index) == ("c2sp.org/tlog-proof@v1", f"index {seq}")
        entry, proof = b64decode(extra.removeprefix("extra ")), [b64decode(each) for each in path]
        assert entry == log.entry(seq)
        _, head = parse_text(Note.parse(note).text)
        assert inclusion_holds(leaf_hash(entry), seq, head.size, proof, head.root)


def test_a_receipt_of_the_only_event_has_no_proof_lines(
    file_log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    file_log.append([make_event()])
    (tmp_path / "receipt").write_text(checkpoints_of(file_log, tmp_path).receipt(0))
    assert wrong(script().check_receipt, trusting(), tmp_path / "receipt") == ""


def test_a_receipt_takes_the_checkpoint_that_is_cosigned_and_else_the_newest(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    witness = FakeWitness()
    checkpoints = checkpoints_of(log, tmp_path, [witness])
    sizes = []
    for step in range(3):
        log.append([make_event(number) for number in range(2)])
        published = checkpoints.publish()
        if step == 1:
            checkpoints.have_cosigned(published)
    for seq in (0, 3, 4):
        note = checkpoints.receipt(seq).partition("\n\n")[2]
        sizes.append(checkpoints.read(note).head.size)
    assert sizes == [4, 4, 6]
    log.append([make_event(9)])
    assert "\n7\n" in checkpoints.receipt(6), "a checkpoint is published where none has the event"
    with pytest.raises(AuditError, match="no event 99"):
        checkpoints.receipt(99)


def test_no_changed_character_of_a_receipt_is_taken_for_true(
    file_log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    file_log.append([make_event(number) for number in range(7)])
    receipt, path = checkpoints_of(file_log, tmp_path).receipt(4), tmp_path / "receipt"
    for at in range(len(receipt)):
        path.write_text(receipt[:at] + chr(ord(receipt[at]) ^ 1) + receipt[at + 1 :])
        assert wrong(script().check_receipt, trusting(), path), at
    for length in range(len(receipt)):
        path.write_text(receipt[:length])
        assert wrong(script().check_receipt, trusting(), path), length


# the auditor's script


def test_the_script_needs_only_python_and_cryptography() -> None:
    nodes = list(ast.walk(ast.parse(SCRIPT.read_text("utf-8"))))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) == {"cryptography"}


def test_an_auditor_checks_tiles_checkpoints_and_receipts_without_the_hub(
    file_log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    witness = filled(file_log, tmp_path, make_event)
    outside, who = tmp_path / "outside", ("--key", str(SIGNER.verifier), "--witness", str(witness.verifier))
    history = outside / "history.jsonl"
    receipt = tmp_path / "event-5.tlog-proof"
    receipt.write_text(checkpoints_of(file_log, outside, [witness]).receipt(5))
    assert audited(
        *who,
        "tiles",
        tmp_path / "tiles",
        "--history",
        history,
        "--older",
        outside / "checkpoint",
        cwd=tmp_path,
    ) == (
        0,
        f"{SIZE} events are those of the checkpoint, and continue 4 older checkpoints; cosigned by {witness.name}\n",
    )
    root = file_log.root().hex()
    assert audited(*who, "--quorum", "1", "checkpoint", outside / "checkpoint", cwd=tmp_path) == (
        0,
        f"{outside / 'checkpoint'}: {SIZE} events, root {root}; cosigned by {witness.name}\n",
    )
    code, told = audited(*who, "receipt", receipt, cwd=tmp_path)
    assert (code, told.partition(" is ")[0]) == (0, f"event 5 of {SIZE}")
    code, told = audited("--key", str(MALLORY.verifier), "receipt", receipt, cwd=tmp_path)
    assert (code, told) == (1, "WRONG: the checkpoint is not signed by the log's key\n")


def test_the_script_names_the_first_bad_event_of_an_export(
    file_log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    filled(file_log, tmp_path, make_event)
    pristine, folder = tmp_path / "tiles", tmp_path / "tampered"
    for name, at, says in (
        ("tile/entries/001", 40, "event 256"),
        ("tile/entries/002.p/88", -2, "event 599"),
        ("tile/0/002.p/88", 87 * 32, "event 599"),
        ("tile/1/000.p/2", 40, "hash of level 1 1"),
        ("checkpoint", 30, "the checkpoint"),
    ):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(pristine, folder)
        data = bytearray((folder / name).read_bytes())
        data[at] ^= 1
        (folder / name).write_bytes(data)
        assert says in wrong(script().check_tiles, trusting(), folder, [], []), name
        (folder / name).write_bytes(data[:-1])
        assert wrong(script().check_tiles, trusting(), folder, [], [])
        (folder / name).unlink()
        assert "is missing" in wrong(script().check_tiles, trusting(), folder, [], [])


def test_the_script_finds_events_that_are_not_the_checkpoints(
    file_log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    """All files made anew to fit each other, but for what needs the key."""
    filled(file_log, tmp_path, make_event, 10)
    (tmp_path / "tiles" / "checkpoint").write_text(
        sign_checkpoint(SIGNER, ORIGIN, TreeHead(10, file_log.root(9)))
    )
    told = wrong(script().check_tiles, trusting(), tmp_path / "tiles", [], [])
    assert told == "the events are not those of the checkpoint of 10 events"
    (tmp_path / "tiles" / "checkpoint").write_text(
        sign_checkpoint(SIGNER, "other.example.com", file_log.head())
    )
    told = wrong(script().check_tiles, trusting(), tmp_path / "tiles", [], [])
    assert told == f"the checkpoint is of another log than {ORIGIN}"


def test_the_script_finds_what_stands_behind_the_last_event(
    file_log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    filled(file_log, tmp_path, make_event, 10)
    with (tmp_path / "tiles" / "tile/entries/000.p/10").open("ab") as file:
        file.write(b"\x00\x01x")
    assert "goes on behind its last event" in wrong(
        script().check_tiles, trusting(), tmp_path / "tiles", [], []
    )


def test_the_script_finds_an_export_that_does_not_continue_an_older_checkpoint(
    file_log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    filled(file_log, tmp_path, make_event, 200)
    older = tmp_path / "older"
    for size, root, says in (
        (150, file_log.root(149), "event 0 or a later one before 150"),
        (900, file_log.root(), "it is of 900 events, the export has 200"),
    ):
        older.write_text(sign_checkpoint(SIGNER, ORIGIN, TreeHead(size, root)))
        assert says in wrong(script().check_tiles, trusting(), tmp_path / "tiles", [], [older])
    (tmp_path / "history").write_text("{}\n")
    history = [tmp_path / "history"]
    assert "line 1: it is no checkpoint" in wrong(
        script().check_tiles, trusting(), tmp_path / "tiles", history, []
    )
    other = tmp_path / "other"
    older.write_text(sign_checkpoint(SIGNER, ORIGIN, TreeHead(200, file_log.root())))
    other.write_text(sign_checkpoint(SIGNER, ORIGIN, TreeHead(200, file_log.root(199))))
    assert "two logs" in wrong(script().check_checkpoints, trusting(), [older, other])


def test_the_script_counts_the_witnesses_that_it_knows(
    file_log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    witness, other = filled(file_log, tmp_path, make_event, 10), FakeWitness("other.example.com")
    path = [tmp_path / "outside" / "checkpoint"]
    assert wrong(script().check_checkpoints, trusting(witness, quorum=1), path) == ""
    few = "cosigned by 1 witnesses, not by 2"
    assert few in wrong(script().check_checkpoints, trusting(witness, other, quorum=2), path)
    assert "cosigned by 0" in wrong(script().check_checkpoints, trusting(other, quorum=1), path)


def test_the_script_passes_the_published_vectors(shared: Path) -> None:
    for path in sorted((shared / "data/audit/merkle/inclusion").rglob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        leaf, root = (b64decode(case[name] or "") for name in ("leafHash", "root"))
        proof = [b64decode(each) for each in case["proof"] or ()]
        if len(leaf) != 32 or any(len(each) != 32 for each in proof):
            assert case["wantErr"], path  # neither can come out of a receipt
            continue
        try:
            holds = script().root_of_path(leaf, case["leafIdx"], case["treeSize"], proof) == root
        except script().Wrong:
            holds = False
        assert holds is not case["wantErr"], path
    known = json.loads((shared / "data/audit/rfc6962_kat.json").read_text("utf-8"))
    leaves = [script().leaf_hash(bytes.fromhex(entry)) for entry in known["leaves_hex"]]
    assert [script().tree_root([leaves], size).hex() for size in range(9)] == known["roots_hex_by_size"]
    for vector in json.loads((shared / "data/audit/signed_notes.json").read_text("utf-8")):
        key = script().Key.parse(vector["vkey"][0])
        text, _, line = vector["note"].rpartition("\n\n")
        blob = b64decode(line.split(" ")[2])[4:]
        assert key.signed(f"{text}\n".encode(), blob)
        assert not key.signed(text.encode(), blob)
        bad = b64encode(bytes([5]) + key.public).decode()
        assert "has another id" in wrong(script().Key.parse, f"{key.name}+{key.id.hex()}+{bad}")
