"""Whose a document is, as far as row scopes and standing go: it is found by those who reach its customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from hub.access import SUBJECT
from hub.ontology.model import ScopeFact
from hub.search.protocol import NO_FACTS, Document
from hub.store import Store


@dataclass(frozen=True, slots=True, repr=False)
class Facts:
    """What row scopes compare, and what keeps from purposes, by customer."""

    scopes: Mapping[str, Mapping[str, tuple[str, ...]]]
    bars: Mapping[str, tuple[str, ...]]

    def on(self, document: Document) -> Document:
        """The document with the facts of its customer."""
        customer = document.customer_id
        if not customer:
            return document
        facts = {**self.scopes.get(customer, NO_FACTS), SUBJECT: (customer,)}
        return replace(document, facts=facts, bars=self.bars.get(customer, ()))


class CustomerFacts:
    """Reads the facts of customers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._statements = [
            (scope, sql) for scope, fact in store.ontology.scopes.items() for sql in self._selects(fact)
        ]

    def of(self, connection: Connection, customers: Collection[str]) -> Facts:
        """The facts of these customers."""
        wanted = sorted(customers)
        scopes: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for scope, sql in self._statements:
            for customer, value in self._store.rows_in(connection, sql, wanted):
                scopes[customer][scope].add(value)
        bars: defaultdict[str, set[str]] = defaultdict(set)
        standing = "SELECT customer_id, bar FROM standing WHERE {in:customer_id}"
        for customer, bar in self._store.rows_in(connection, standing, wanted):
            bars[customer].add(bar)
        return Facts(
            {
                id_: {scope: tuple(sorted(held)) for scope, held in each.items()}
                for id_, each in scopes.items()
            },
            {id_: tuple(sorted(held)) for id_, held in bars.items()},
        )

    def _selects(self, fact: ScopeFact) -> Iterator[str]:
        ontology = self._store.ontology
        if fact.of == "customer":
            column = ontology.customer_properties[fact.property].column
            yield f'SELECT id, "{column}" FROM customer WHERE {{in:id}} AND "{column}" IS NOT NULL'
            return
        for type_ in ontology.parties:
            if fact.property in type_.properties:
                column = type_.properties[fact.property].column
                yield (
                    f'SELECT m.customer_id, p."{column}" FROM membership m JOIN "{type_.table}" p ON p.id = m.party_id'
                    f' WHERE {{in:m.customer_id}} AND p."{column}" IS NOT NULL'
                )
