"""Signed notes: the published vectors, and every rule of the specification by a case that breaks it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hub.audit.notes import COSIGNATURE, MAX_SIGNATURES, Note, Signer, Verifier
from hub.errors import AuditError
from tests.audit.published import MALLORY, ORIGIN, SIGNER, FakeWitness

TEXT = f"{ORIGIN}\n3\nAAAA\n"
NOTE = str(SIGNER.sign(TEXT))
LINE = NOTE.rpartition("\n\n")[2]


def test_the_published_notes_verify(shared: Path) -> None:
    vectors = json.loads((shared / "data/audit/signed_notes.json").read_text("utf-8"))
    assert len(vectors) == 3
    for vector in vectors:
        verifiers = [Verifier.parse(vkey) for vkey in vector["vkey"]]
        assert [str(each) for each in verifiers] == vector["vkey"]
        note = Note.parse(vector["note"])
        assert str(note) == vector["note"]
        assert [each for each, _ in note.verified(verifiers)] == verifiers, vector["desc"]


def test_the_published_signatures_are_made_to_the_byte(shared: Path) -> None:
    log, cosigned, _ = json.loads((shared / "data/audit/signed_notes.json").read_text("utf-8"))
    seed = bytes.fromhex(log["seed_hex"])
    signer = Signer(Verifier.parse(log["vkey"][0]).name, seed)
    assert str(signer.sign(Note.parse(log["note"]).text)) == log["note"]
    witness = Verifier.parse(cosigned["vkey"][0])
    assert witness.public == Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert witness.algorithm == COSIGNATURE


def test_a_changed_byte_of_a_published_note_is_refused(shared: Path) -> None:
    for vector in json.loads((shared / "data/audit/signed_notes.json").read_text("utf-8")):
        verifiers = [Verifier.parse(vkey) for vkey in vector["vkey"]]
        for at in range(len(vector["note"])):
            changed = vector["note"][:at] + chr(ord(vector["note"][at]) ^ 1) + vector["note"][at + 1 :]
            assert not verifies(changed, verifiers), at


def verifies(note: str, verifiers: list[Verifier]) -> bool:
    try:
        return len(Note.parse(note).verified(verifiers)) == len(verifiers)
    except AuditError:
        return False


def test_signatures_by_unknown_keys_are_passed_over() -> None:
    other = Signer("other.example.com", SIGNER.seed)
    note = Note.parse(NOTE + other.sign(TEXT).signatures[0].line + MALLORY.sign(TEXT).signatures[0].line)
    assert [verifier for verifier, _ in note.verified([SIGNER.verifier])] == [SIGNER.verifier]
    assert note.verified([]) == ()


def test_a_false_signature_by_a_known_key_rejects_the_note_even_beside_a_good_one() -> None:
    false = SIGNER.sign("another text\n").signatures[0].line
    for note in (NOTE + false, f"{TEXT}\n{false}{LINE}"):
        with pytest.raises(AuditError, match="not its own over this text"):
            Note.parse(note).verified([SIGNER.verifier])


def test_a_key_that_signs_twice_counts_once() -> None:
    assert len(Note.parse(NOTE + LINE).verified([SIGNER.verifier])) == 1


def test_as_many_signatures_are_taken_as_the_specification_asks_for_and_not_without_end() -> None:
    witnesses = [FakeWitness(f"w{number}.example.com") for number in range(16)]
    note = NOTE + "".join(witness.cosignature(TEXT) for witness in witnesses)
    assert len(Note.parse(note).verified([SIGNER.verifier, *(each.verifier for each in witnesses)])) == 17
    with pytest.raises(AuditError, match="signatures, more than"):
        Note.parse(f"{TEXT}\n" + LINE * (MAX_SIGNATURES + 1))


def test_a_cosignature_is_over_its_time_too() -> None:
    witness = FakeWitness()
    line = witness.cosignature(TEXT, 7)
    assert Note.parse(f"{TEXT}\n{line}").verified([witness.verifier])
    name, data = line[2:].rsplit(" ", 1)
    blob = bytearray(base64.b64decode(data))
    blob[11] ^= 1
    changed = f"{TEXT}\n\N{EM DASH} {name} {base64.b64encode(blob).decode()}\n"
    with pytest.raises(AuditError, match="not its own"):
        Note.parse(changed).verified([witness.verifier])
    short = f"{TEXT}\n\N{EM DASH} {name} {base64.b64encode(blob[:8]).decode()}\n"
    with pytest.raises(AuditError, match="too short"):
        Note.parse(short).verified([witness.verifier])


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ("", "no signatures"),
        (TEXT, "no signatures"),
        (f"{TEXT}\n", "does not end with a newline"),
        (NOTE[:-1], "does not end with a newline"),
        (NOTE.replace("\n3\n", "\n3\t\n"), "control characters"),
        (NOTE.replace("\n3\n", "\r\n3\r\n"), "control characters"),
        (NOTE.replace("3", "\ud800"), "not UTF-8"),
        (f"{TEXT}\nsigned\n", "no signature"),
        (NOTE.replace("\N{EM DASH} ", "\N{EN DASH} "), "no signature"),
        (NOTE.replace("\N{EM DASH} ", "\N{EM DASH}"), "no signature"),
        (f"{TEXT}\n\N{EM DASH} {ORIGIN}\n", "no signature"),
        (NOTE.replace("=\n", "\n").replace("AAAA", "AAA="), "not base64"),
        (f"{TEXT}\n\N{EM DASH} {ORIGIN} AAAAAAB=\n", "not base64"),
        (f"{TEXT}\n\N{EM DASH} {ORIGIN} AAAAAA==\n", "too short"),
        (f"{TEXT}\n\N{EM DASH} a+b AAAAAAAA\n", "name of a key"),
        (f"{TEXT}\n\N{EM DASH} a\u2003b AAAAAAAA\n", "name of a key"),
        (f"{TEXT}\n\N{EM DASH}  AAAAAAAA\n", "name of a key"),
    ],
)
def test_a_malformed_note_is_refused_without_being_quoted(note: str, says: str) -> None:
    with pytest.raises(AuditError, match=says) as refused:
        Note.parse(note)
    assert ORIGIN not in str(refused.value)


VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
"""Of the specification's example."""


@pytest.mark.parametrize(
    ("vkey", "says"),
    [
        ("example.com/foo", "not of the form"),
        (VKEY[:-1], "not of the form"),
        (VKEY.replace("+", " "), "not of the form"),
        (VKEY[:-4], "has not 32 bytes"),
        (VKEY.replace("example.com/foo", ""), "name of a key"),
        (VKEY.replace("530d903a", "530d903b"), "not that of its name and key"),
        (VKEY.replace("foo", "bar"), "not that of its name and key"),
        (VKEY.replace("+Ae", "+Be"), "of type 5"),
    ],
)
def test_a_malformed_vkey_is_refused(vkey: str, says: str) -> None:
    assert str(Verifier.parse(VKEY)) == VKEY
    with pytest.raises(AuditError, match=says):
        Verifier.parse(vkey)


def test_a_signing_key_is_written_and_read_in_gos_form() -> None:
    signer = Signer.generate("hub.example.com/audit")
    text = signer.private_form()
    assert text.startswith("PRIVATE+KEY+hub.example.com/audit+")
    assert Signer.parse(f"{text}\n") == signer
    assert signer.seed.hex() not in repr(signer)
    assert repr(signer.seed) not in repr(signer)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (VKEY, "does not begin with"),
        ("PRIVATE+KEY+", "not of the form"),
        (SIGNER.private_form().replace("+A", "+B"), "not of Ed25519"),
        (SIGNER.private_form()[:-4], "32 bytes"),
        (SIGNER.private_form().replace(ORIGIN, "other"), "not that of its name"),
    ],
)
def test_a_malformed_signing_key_is_refused_without_being_quoted(text: str, says: str) -> None:
    with pytest.raises(AuditError, match=says) as refused:
        Signer.parse(text)
    assert text[-20:] not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b"])
def test_a_name_that_would_not_stand_in_a_note_makes_no_key(name: str) -> None:
    with pytest.raises(AuditError, match="name of a key"):
        Signer.generate(name)


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"])), min_size=1).map("\n".join))
def test_any_text_that_is_signed_is_read_back(text: str) -> None:
    note = SIGNER.sign(f"{text}\n")
    assert Note.parse(str(note)) == note
    assert len(note.verified([SIGNER.verifier])) == 1
