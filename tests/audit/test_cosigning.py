"""Witnesses cosign what continues what they cosigned; what they give is verified, and what they refuse is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from hub.audit import AuditEvent, AuditLog, TreeHead
from hub.audit.checkpoints import sign_checkpoint
from hub.audit.notes import Note
from hub.audit.witness import Witness
from hub.errors import AuditError, AuditIntegrityError
from tests.audit.published import MALLORY, ORIGIN, SIGNER, FakeWitness, checkpoints_of

MakeEvent = Callable[..., AuditEvent]


def grow(log: AuditLog, make_event: MakeEvent, events: int = 5) -> None:
    log.append([make_event(number) for number in range(events)])


def test_each_checkpoint_is_cosigned_with_a_proof_of_what_came_since(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    witnesses = [FakeWitness(), FakeWitness("other.example.com")]
    checkpoints = checkpoints_of(log, tmp_path, witnesses)
    for _ in range(4):
        grow(log, make_event)
        cosigned = checkpoints.have_cosigned(checkpoints.publish())
        assert cosigned.cosigned == ("witness.example.com", "other.example.com")
        assert (tmp_path / "checkpoint").read_text() == cosigned.note
    assert [witness.asked for witness in witnesses] == [[200] * 4] * 2
    assert len((tmp_path / "cosigned.jsonl").read_text().splitlines()) == 8
    assert checkpoints.have_cosigned(cosigned) == cosigned
    assert [witness.head for witness in witnesses] == [log.head()] * 2
    assert len(witnesses[0].asked) == 4, "who has cosigned is not asked again"
    assert checkpoints.verify().ok


def test_a_hub_that_forgot_what_a_witness_has_is_told_by_it(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    witness = FakeWitness()
    for _ in range(2):
        grow(log, make_event)
        checkpoints = checkpoints_of(log, tmp_path, [witness])
        assert checkpoints.have_cosigned(checkpoints.publish()).cosigned
    assert witness.asked == [200, 409, 200]


def test_a_witness_that_has_a_newer_checkpoint_of_the_log_has_no_use_for_an_older(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    witness = FakeWitness()
    checkpoints = checkpoints_of(log, tmp_path, [witness])
    grow(log, make_event)
    older = checkpoints.publish()
    grow(log, make_event)
    checkpoints.have_cosigned(checkpoints.publish())
    fresh = checkpoints_of(log, tmp_path, [witness])
    assert fresh.have_cosigned(older).cosigned == ()
    assert witness.asked == [200, 409]


@pytest.mark.parametrize(
    ("size", "error", "says"),
    [
        (90, AuditIntegrityError, "has cosigned 90 events of this log, which has 5"),
        (5, AuditIntegrityError, "has cosigned another log of 5 events"),
        (3, AuditError, r"witness\.example\.com refuses with HTTP status 422"),
    ],
    ids=["longer", "of the same size", "shorter"],
)
def test_a_witness_that_saw_another_log_cosigns_nothing_and_what_it_says_is_told(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path, size: int, error: type[AuditError], says: str
) -> None:
    checkpoints = checkpoints_of(log, tmp_path, [FakeWitness(head=TreeHead(size, b"x" * 32))])
    grow(log, make_event)
    with pytest.raises(error, match=says):
        checkpoints.have_cosigned(checkpoints.publish())


def answering(status: int, text: str) -> Callable[[FakeWitness], Witness]:
    def made(witness: FakeWitness) -> Witness:
        transport = httpx.MockTransport(
            lambda _: httpx.Response(status, content=text.encode("utf-8", "replace"))
        )
        return Witness(witness.verifier, "http://witness.example.com", transport)

    return made


def failing(witness: FakeWitness) -> Witness:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("for secret reasons", request=request)

    return Witness(witness.verifier, "http://witness.example.com", httpx.MockTransport(fail))


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (failing, "cannot be asked: ConnectTimeout"),
        (answering(500, "boom"), "refuses with HTTP status 500"),
        (answering(302, ""), "refuses with HTTP status 302"),
        (answering(409, "many"), "a conflict without a size"),
        (answering(409, "１２\n"), "a conflict without a size"),
        (answering(409, "9" * 30), "a conflict without a size"),
        (answering(409, ""), "a conflict without a size"),
        (answering(200, "x" * 70_000), "answers too much"),
        (answering(200, "cosigned\n"), "a line that is no signature"),
        (answering(200, ""), "no cosignature of a witness"),
        (
            answering(200, FakeWitness("unknown.example.com").cosignature("x\n")),
            "no cosignature of a witness",
        ),
        (answering(200, FakeWitness().cosignature("another text\n")), "not its own over this text"),
    ],
)
def test_what_a_bad_witness_does_is_told_and_not_taken(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path, made: Callable[[FakeWitness], Witness], says: str
) -> None:
    bad, good = FakeWitness(), FakeWitness("other.example.com")
    checkpoints = checkpoints_of(log, tmp_path, [bad, good])
    checkpoints._witnesses = [made(bad), good.client()]
    grow(log, make_event)
    published = checkpoints.publish()
    with pytest.raises(AuditError, match=says) as refused:
        checkpoints.have_cosigned(published)
    assert "secret" not in str(refused.value)
    assert checkpoints.publish().cosigned == ("other.example.com",), "the good one's is kept"
    assert checkpoints.verify().ok


def test_a_witness_at_an_address_that_is_none_is_told(log: AuditLog, tmp_path: Path) -> None:
    checkpoints = checkpoints_of(log, tmp_path, [FakeWitness()])
    checkpoints._witnesses = [Witness(FakeWitness().verifier, "http://witness.example.com:port")]
    with pytest.raises(AuditError, match="cannot be asked: InvalidURL"):
        checkpoints.have_cosigned(checkpoints.publish())


# cosignatures that are brought


def test_a_cosignature_that_is_brought_is_kept_once(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    witness = FakeWitness()
    checkpoints = checkpoints_of(log, tmp_path, [witness])
    grow(log, make_event)
    published = checkpoints.publish()
    brought = published.note + witness.cosignature(published.text)
    assert checkpoints.cosign(brought).note == brought
    again = published.note + witness.cosignature(published.text, 9999)
    assert checkpoints.cosign(again).note == brought
    assert [json.loads(line) for line in (tmp_path / "cosigned.jsonl").read_text().splitlines()] == [
        brought
    ] * 2


def test_an_older_checkpoint_may_be_cosigned_later(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    witness = FakeWitness()
    checkpoints = checkpoints_of(log, tmp_path, [witness])
    grow(log, make_event)
    older = checkpoints.publish()
    grow(log, make_event)
    newer = checkpoints.publish()
    checkpoints.cosign(older.note + witness.cosignature(older.text))
    assert (tmp_path / "checkpoint").read_text() == newer.note
    assert checkpoints.verify().ok


def test_what_is_brought_must_be_a_checkpoint_that_was_published(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    witness = FakeWitness()
    checkpoints = checkpoints_of(log, tmp_path, [witness])
    grow(log, make_event)
    published = checkpoints.publish()
    with pytest.raises(AuditError, match="no cosignature of a witness"):
        checkpoints.cosign(published.note)
    with pytest.raises(AuditError, match="no cosignature of a witness"):
        checkpoints.cosign(published.note + FakeWitness("unknown.example.com").cosignature(published.text))
    forged = Note.parse(sign_checkpoint(MALLORY, ORIGIN, published.head))
    with pytest.raises(AuditError, match="no signature of the log's key"):
        checkpoints.cosign(str(forged) + witness.cosignature(forged.text))
    another = Note.parse(sign_checkpoint(SIGNER, ORIGIN, TreeHead(5, b"x" * 32)))
    with pytest.raises(AuditError, match="no such checkpoint of 5 events"):
        checkpoints.cosign(str(another) + witness.cosignature(another.text))
    grow(log, make_event)
    unpublished = Note.parse(sign_checkpoint(SIGNER, ORIGIN, log.head()))
    with pytest.raises(AuditError, match="no such checkpoint of 10 events"):
        checkpoints.cosign(str(unpublished) + witness.cosignature(unpublished.text))
