"""Audit events of a batch: its counts, what the graph tells of customers, and whose golden records changed.

What golden values were and are is sealed, by customer and retention class; the event tells whose and of which data
categories.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from hub.adapters import runs
from hub.adapters.runs import Counts
from hub.adapters.staff import spelled
from hub.audit import Action, AuditEvent, Payload, Retention, Sealer, retention_of
from hub.audit.events import MAX_PAYLOADS
from hub.graph import Applied, GoldenChange
from hub.ontology import Ontology


@dataclass(frozen=True, slots=True)
class BatchEvents:
    """Makes the events and posts them, in the transaction of the data."""

    sealer: Sealer
    ontology: Ontology

    def post_batch(
        self, connection: Connection, run_id: int, source: str, stream: str, counts: Counts, applied: Applied
    ) -> None:
        """Post what a batch did to the graph."""
        numbers = {name: getattr(counts, name) for name in ("accepted", "quarantined", "deleted")}
        numbers["entities"] = counts.entities_written
        batch = runs.run_event(Action.BATCH_APPLIED, source, run_id, stream=stream, counts=numbers)
        runs.post(connection, [batch])
        self.post_facts(connection, run_id, source, applied)
        self.post_changes(connection, run_id, source, applied.golden, stream)

    def post_facts(self, connection: Connection, run_id: int, source: str, applied: Applied) -> None:
        """Post which customers came, merged and split."""
        made = (
            AuditEvent(actor="system", source=source, run_id=str(run_id), **fact) for fact in applied.audit
        )
        runs.post(connection, list(made))

    def post_changes(
        self,
        connection: Connection,
        run_id: int,
        source: str,
        changes: Sequence[GoldenChange],
        stream: str | None = None,
    ) -> None:
        """Post whose golden records are others now."""
        changed = partial(runs.run_event, Action.CUSTOMER_CHANGED, source, run_id, stream=stream)
        runs.post(connection, self.of(changes, changed))

    def of(self, changes: Sequence[GoldenChange], make: Callable[..., AuditEvent]) -> list[AuditEvent]:
        """The events of these changes, several customers to one; `make` makes one, in the name of who changed them.

        Each customer has a payload of its own, under a key of its own.
        """
        return self.sealer.sealed_all([self._event(some, make) for some in self._together(changes)])

    def payloads(self, change: GoldenChange) -> list[Payload]:
        """What the values were and are, by retention class."""
        by_class: dict[Retention, dict[str, Any]] = defaultdict(dict)
        for name in change.values:
            by_class[retention_of(self._category(name))][name] = told(change, name)
        return [Payload(change.customer, each, {"changes": said}) for each, said in sorted(by_class.items())]

    def _together(
        self, changes: Sequence[GoldenChange]
    ) -> Iterator[list[tuple[GoldenChange, list[Payload]]]]:
        together: list[tuple[GoldenChange, list[Payload]]] = []
        count = 0
        for change in changes:
            payloads = self.payloads(change) if self.sealer.keeps else []
            if count + len(payloads) > MAX_PAYLOADS:
                yield together
                together, count = [], 0
            together.append((change, payloads))
            count += len(payloads)
        if together:
            yield together

    def _event(
        self, some: Sequence[tuple[GoldenChange, list[Payload]]], make: Callable[..., AuditEvent]
    ) -> tuple[AuditEvent, list[Payload]]:
        names = {name for change, _ in some for name in change.values}
        event = make(
            entity_types=("Customer",),
            data_categories=tuple(sorted({self._category(name) for name in names})),
            customers=tuple(change.customer for change, _ in some),
            counts={"customers": len(some), "fields": sum(len(change.values) for change, _ in some)},
        )
        return event, [payload for _, payloads in some for payload in payloads]

    def _category(self, name: str) -> str:
        return self.ontology.customer_properties[name].category


def told(change: GoldenChange, name: str) -> Mapping[str, Any]:
    """What became of one property: its value before and after, and the party that the new one comes from."""
    before, after = change.values[name]
    return {"before": spelled(before), "after": spelled(after), "party": change.parties.get(name)}
