"""Brings the events of writes from the data's own database into the log, exactly once and in order.

A write puts its events into an outbox table in its own transaction, so that neither exists without the other.
They are removed from there only after they are on disk in the log; killed between the two, the next drain finds
them in the log by their ids and only removes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hub.audit.log import AuditLog


class Outbox(Protocol):
    """Events, as `AuditEvent.pack` wrote them, that wait in the database of the data they are about."""

    def pending(self, limit: int) -> Sequence[tuple[int, str]]:
        """Up to `limit` rows (id, event) that are committed, lowest id first."""

    def forget(self, ids: Sequence[int]) -> None:
        """Removes these rows, committed when the call returns; ids that are gone already are no error."""


def drain(outbox: Outbox, log: AuditLog, *, batch: int = 1_000) -> int:
    """The number of events that this call brought into the log, until the outbox was empty.

    Ids may become visible out of order, as transactions of a store overlap: each is taken when it is seen, and
    none is passed over because a higher one was seen. Several drains may run at once.

    Raises:
        AuditError: the log cannot be written, or a row holds no event; what waits stays where it is.
    """
    drained = 0
    while rows := outbox.pending(batch):
        drained += len(log.append_outbox(rows))
        outbox.forget([outbox_id for outbox_id, _ in rows])
    return drained
