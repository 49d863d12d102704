"""Tells when golden records must be chosen anew because trust or rules have changed since, and chooses them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from hub.adapters.batch_events import BatchEvents
from hub.graph import GraphWriter
from hub.store import Store, fixed

_KEY = "survivorship"


@dataclass(frozen=True, slots=True)
class Choice:
    """What golden records are chosen by, beside the parties: the rules' digest and each source's trust."""

    rules: str
    trust: Mapping[str, int]

    def differs_from(self, before: Choice | None) -> bool:
        """Whether records chosen by `before` may be others by this. A source that is new has stated nothing yet."""
        if before is None or before.rules != self.rules:
            return True
        return any(self.trust.get(name, 0) != trust for name, trust in before.trust.items())

    def after(self, before: Choice | None) -> Choice:
        """This choice, with the sources that are configured no more: what they stated counts as trust 0."""
        gone = dict.fromkeys(before.trust if before else (), 0)
        return Choice(self.rules, {**gone, **self.trust})


def kept_choice(store: Store) -> Choice | None:
    """What the golden records of the store were chosen by, None before the first."""
    query = select(fixed.meta.c.value).where(fixed.meta.c.key == _KEY)
    with store.read() as connection:
        text = connection.execute(query).scalar()
    kept: dict[str, Any] | None = json.loads(text) if text else None
    return Choice(kept["rules"], kept["trust"]) if kept else None


def keep_choice(store: Store, choice: Choice) -> None:
    """Note what the golden records are chosen by from now on."""
    value = json.dumps({"rules": choice.rules, "trust": dict(sorted(choice.trust.items()))})
    with store.write() as connection:
        store.dialect.upsert(connection, fixed.meta, ("key", "value"), [(_KEY, value)])


def has_customers(store: Store) -> bool:
    """Whether there is any golden record."""
    with store.read() as connection:
        return connection.execute(select(store.tables.customer.c.id).limit(1)).first() is not None


def choose_anew(
    store: Store, graph: GraphWriter, events: BatchEvents, run_id: int, source: str, page: int
) -> None:
    """Choose all golden records again, a page in a transaction; broken off, it is begun again by the next run."""
    for customers in _customers(store, page):
        with store.write() as connection:
            changes = graph.reproject(connection, run_id, customers).changes
            events.post_changes(connection, run_id, source, changes)


def _customers(store: Store, page: int) -> Iterator[list[str]]:
    table = store.tables.customer
    query = select(table.c.id).order_by(table.c.id).limit(page)
    after = ""
    while True:
        with store.read() as connection:
            found = list(connection.execute(query.where(table.c.id > after)).scalars())
        if not found:
            return
        yield found
        after = found[-1]
