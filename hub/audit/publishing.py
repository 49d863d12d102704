"""Publishes checkpoints of a log, has them cosigned, and gives what others need to rely on them.

A checkpoint is signed while the head of the log is locked, so that it is of events that are on disk; it is kept in the
database, and then written outside. Killed in between, the next one makes up for it. Nothing is signed that does not
continue what was published last, in the database and outside: who has two checkpoints of a log can rely on that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.audit.attestation import Attestation, newest_checkpoints, signed_since
from hub.audit.checkpoints import Checkpoint, Trust, parse_text, sign_checkpoint
from hub.audit.database import Statements, checkpoint_table
from hub.audit.log import AuditLog
from hub.audit.merkle import TreeHead, tree_root
from hub.audit.notes import Note, Signer
from hub.audit.outside import Outside, Published
from hub.audit.receipts import receipt
from hub.audit.tiles import TileReader
from hub.audit.verification import VerificationReport
from hub.audit.witness import Witness
from hub.errors import AuditError, AuditIntegrityError

_NEWEST = f"SELECT size, note FROM {checkpoint_table.name} ORDER BY size DESC LIMIT 1"
_NOTE = f"SELECT note FROM {checkpoint_table.name} WHERE size = ?"
_ADD = f"INSERT INTO {checkpoint_table.name} (note, size) VALUES (?, ?)"
_REPLACE = f"UPDATE {checkpoint_table.name} SET note = ? WHERE size = ?"

_CANDIDATES = 100
"""Newest checkpoints among which a receipt takes the one with most cosignatures."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a log signs by, and whose signatures count."""

    signer: Signer
    trust: Trust


class Checkpoints:
    """The checkpoints of a log. Safe to use from several processes at once.

    Raises:
        AuditError: from every method, when the database or the folder outside cannot be reached.
    """

    def __init__(
        self, log: AuditLog, keys: Keys, outside: Outside, witnesses: Sequence[Witness] = ()
    ) -> None:
        self._log, self._witnesses = log, witnesses
        self._signer, self._trust, self._outside = keys.signer, keys.trust, outside

    @property
    def attestation(self) -> Attestation:
        """What `AuditLog.verify` checks them by, as it is outside now."""
        outside = self._outside
        return Attestation(self._trust, outside.history(), outside.cosigned(), outside.latest())

    def read(self, note: str) -> Checkpoint:
        """The checkpoint in a note that someone brings along.

        Raises:
            AuditError: it is none of this log, or a signature is false.
        """
        return self._trust.checkpoint(note)

    def publish(self) -> Checkpoint:
        """The checkpoint of the log as it is now, kept and outside; the same again as long as the log does not grow.

        Raises:
            AuditIntegrityError: the log does not continue what was published last; nothing was signed. Stop and
                investigate.
        """
        outside = self._outside.newest()  # before the lock: a slow disk there must not hold up who records
        with self._log.database.writing() as statements:
            checkpoint = self._signed(statements, outside)
        self._outside.follow(self._since, self._newest)
        return checkpoint

    def have_cosigned(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with the cosignatures of all witnesses that can be asked; those that it has are not asked.

        Raises:
            AuditError: some witnesses cannot be reached, refuse, or sign falsely; what the others gave is kept.
            AuditIntegrityError: one has cosigned another log under this name. Stop and investigate.
        """
        refusals: list[AuditError] = []
        for witness in self._witnesses:
            if witness.verifier.name in checkpoint.cosigned:
                continue
            try:
                note = witness.cosign(checkpoint, self._log)
                checkpoint = self.cosign(note) if note is not None else checkpoint
            except AuditIntegrityError:
                raise
            except AuditError as error:
                refusals.append(error)
        if refusals:
            raise AuditError("; ".join(map(str, refusals)))
        return checkpoint

    def cosign(self, note: str) -> Checkpoint:
        """The published checkpoint with the cosignatures in the note added to those that it has.

        Raises:
            AuditError: it is not a checkpoint that was published, a signature is false, or no known witness's is there.
        """
        brought = self._trust.checkpoint(note)
        if not brought.cosigned:
            raise AuditError("the checkpoint has no cosignature of a witness that is configured")
        with self._log.database.writing() as statements:
            rows = statements.rows(_NOTE, brought.head.size)
            if not rows or Note.parse(rows[0][0]).text != brought.text:
                raise AuditError(f"no such checkpoint of {brought.head.size} events was published")
            merged = _merged(rows[0][0], brought.note)
            statements.many(_REPLACE, [(merged, brought.head.size)])
        self._outside.add_cosigned(merged, self._newest)
        return self._trust.checkpoint(merged)

    def newest(self) -> Checkpoint | None:
        """The checkpoint of most events that was published and whose signatures verify; None before the first."""
        with self._log.database.reading() as connection:
            found = newest_checkpoints(connection, self._trust, 1)
        return found[0] if found else None

    def receipt(self, seq: int) -> str:
        """The file that proves an event to be in the log, by the checkpoint that most witnesses cosigned.

        Raises:
            AuditError: the log has no such event.
            AuditIntegrityError: as for `publish`, where no checkpoint has the event yet.
        """
        entry = self._log.entry(seq)
        with self._log.database.reading() as connection:
            newest = newest_checkpoints(connection, self._trust, _CANDIDATES)
        able = [each for each in newest if each.head.size > seq] or [self.publish()]
        chosen = max(able, key=lambda each: (len(each.cosigned), each.head.size))
        return receipt(entry, seq, self._log.inclusion_proof(seq, chosen.head.size), chosen.note)

    def verify(self, from_note: str | None = None) -> VerificationReport:
        """What checking the log and its checkpoints found; from the checkpoint in a note on, where one is given.

        Raises:
            AuditError: the note is no checkpoint of this log, or a signature is false.
        """
        start = self.read(from_note).head if from_note is not None else None
        return self._log.verify(start, self.attestation)

    def _signed(self, statements: Statements, outside: Sequence[Published]) -> Checkpoint:
        """The checkpoint of the head, in the database; a new one where there is none yet."""
        head, reader = statements.head(), TileReader(statements.tile)
        if tree_root(reader, head.size) != head.root:
            raise AuditIntegrityError(
                None, "no checkpoint is signed: the head's root is not that of the tree"
            )
        stored = [Published("in the database", note) for _, note in statements.rows(_NEWEST)]
        for published in [*stored, *outside]:
            self._require_continued(head, reader, published)
        newest = [self._trust.checkpoint(published.note) for published in stored]
        if newest and newest[0].head == head:
            return newest[0]
        if newest and not any(Note.parse(each.note).text == newest[0].text for each in outside):
            # A process was killed before it had that one outside. Two missing would look like a history cut short.
            self._outside.follow(self._since, self._newest)
        note = sign_checkpoint(self._signer, self._trust.origin, head)
        statements.many(_ADD, [(note, head.size)])
        return self._trust.checkpoint(note)

    def _require_continued(self, head: TreeHead, reader: TileReader, published: Published) -> None:
        refusal = f"no checkpoint of {head.size} events is signed"
        try:
            before = self._trust.checkpoint(published.note).head
        except AuditError as error:
            raise AuditIntegrityError(None, f"{refusal}: the last one, {published.where}: {error}") from None
        if before.size > head.size:
            raise AuditIntegrityError(
                None, f"{refusal}: one of {before.size} events was published ({published.where})"
            )
        if tree_root(reader, before.size) != before.root:
            raise AuditIntegrityError(
                None,
                f"{refusal}: the log does not continue the one of {before.size} events that was published"
                f" ({published.where})",
            )

    def _since(self, note: str | None) -> Sequence[str]:
        size = parse_text(Note.parse(note).text)[1].size if note is not None else -1
        with self._log.database.reading() as connection:
            return signed_since(connection, size)

    def _newest(self) -> str:
        with self._log.database.reading() as connection:
            (newest,) = newest_checkpoints(connection, self._trust)
        return newest.note


def _merged(kept: str, brought: str) -> str:
    note = Note.parse(kept)
    known = {(each.name, each.key_id) for each in note.signatures}
    new = (each for each in Note.parse(brought).signatures if (each.name, each.key_id) not in known)
    return str(Note(note.text, (*note.signatures, *new)))
