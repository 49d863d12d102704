"""Documents made from the rows as they stand in the store, many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from hub.ontology import CUSTOMER, EntityType, Property
from hub.search.belonging import CustomerFacts
from hub.search.catalogue import Catalogue, faceted, kind_of, searched
from hub.search.protocol import Document, Value, type_token
from hub.store import Store, decode

_NAME_ROLES = ("given_name", "family_name")


class DocumentLoader:
    """Reads what customers and entities are found by. A row of the store is all that a document follows from."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.catalogue = Catalogue(store.ontology)
        self._entities = {
            name: _EntityReader(store, store.ontology.type(name))
            for name in self.catalogue.types
            if name != CUSTOMER
        }
        self._customers = _CustomerReader(store)
        self._facts = CustomerFacts(store)

    def load(self, connection: Connection, type_: str, ids: Collection[str]) -> dict[str, Document]:
        """The documents of rows that exist and have something to be found by, by id."""
        reader = self._customers if type_ == CUSTOMER else self._entities[type_]
        found = [document for document in reader.read(connection, sorted(ids)) if document.values]
        facts = self._facts.of(
            connection, {document.customer_id for document in found if document.customer_id}
        )
        return {document.id: facts.on(document) for document in found}

    def rows_of(self, connection: Connection, customers: Collection[str]) -> dict[str, set[str]]:
        """The ids of all that belongs to the customers, by type: they are found by whose they are, too."""
        return {
            name: reader.ids_of(connection, sorted(customers))
            for name, reader in self._entities.items()
            if reader.has_customer
        }

    def customers_of(self, connection: Connection, parties: Collection[str]) -> set[str]:
        """The customers that the parties belong to."""
        sql = "SELECT DISTINCT customer_id FROM membership WHERE {in:party_id}"
        return {id_ for (id_,) in self._store.rows_in(connection, sql, sorted(parties))}

    def ids(self, connection: Connection, type_: str, after: str, limit: int) -> list[str]:
        """The next ids of the type after `after`, at most `limit`, in order."""
        table = CUSTOMER.lower() if type_ == CUSTOMER else self._store.ontology.type(type_).table
        given = self._store.dialect.param("after")
        sql = f'SELECT id FROM "{table}" WHERE id > {given} ORDER BY id LIMIT {limit:d}'
        return [id_ for (id_,) in connection.exec_driver_sql(sql, {"after": after})]


@dataclass(frozen=True, slots=True)
class _Slots:
    """Where the values of some properties stand among the cells of a row."""

    store: Store
    properties: tuple[Property, ...]

    @property
    def columns(self) -> list[str]:
        return [column for prop in self.properties for column in prop.columns]

    def values(self, cells: Sequence[Any]) -> Iterator[tuple[Property, Value]]:
        at = 0
        for prop in self.properties:
            own = tuple(cells[at : at + len(prop.columns)])
            at += len(prop.columns)
            if own[0] is None:
                continue
            value = decode(prop, own, self.store.dialect.name)
            for each in value if prop.many else (value,):
                if each is not None and each != "":
                    yield prop, Value(kind_of(prop), prop.category, str(each))

    def tags(self, type_: str, cells: Sequence[Any]) -> tuple[tuple[str, str], ...]:
        """The values as those of facets of the type."""
        return tuple(
            dict.fromkeys((f"{type_}.{prop.name}", value.text) for prop, value in self.values(cells))
        )


class _EntityReader:
    """Documents of one type that is no party."""

    def __init__(self, store: Store, type_: EntityType) -> None:
        self._store, self._type = store, type_
        self._values = _Slots(store, searched(type_))
        self._facets = _Slots(store, faceted(type_))
        title = type_.properties.get(type_.title or "")
        self._title = _Slots(store, (title,) if title else ())
        self._sql = self._statement()

    @property
    def has_customer(self) -> bool:
        return self._type.has_customer

    def ids_of(self, connection: Connection, customers: Sequence[str]) -> set[str]:
        """The ids of the customers' rows."""
        sql = (
            f'SELECT e.id FROM membership m JOIN "{self._type.table}" e ON e.party_id = m.party_id'
            " WHERE {in:m.customer_id}"
        )
        return {id_ for (id_,) in self._store.rows_in(connection, sql, customers)}

    @property
    def _columns(self) -> Iterator[str]:
        return chain(self._title.columns, self._facets.columns, self._values.columns)

    def _statement(self) -> str:
        type_ = self._type
        owner = "m.customer_id" if type_.customer else "NULL"
        join = " LEFT JOIN membership m ON m.party_id = e.party_id" if type_.customer else ""
        time = type_.properties.get(type_.time or "")
        when = f'e."{time.column}"' if time else "NULL"
        own = "".join(f', e."{name}"' for name in self._columns)
        return (
            f'SELECT e.id, e.source, e.observed_at, {when}, {owner}{own} FROM "{type_.table}" e{join}'
            " WHERE {in:e.id}"
        )

    def read(self, connection: Connection, ids: Sequence[str]) -> Iterator[Document]:
        titles = len(self._title.columns)
        facets = titles + len(self._facets.columns)
        for id_, source, observed, when, customer, *cells in self._store.rows_in(connection, self._sql, ids):
            title = next((value for _, value in self._title.values(cells[:titles])), None)
            yield Document(
                type=self._type.name,
                id=id_,
                sources=(source,),
                time=str(when or observed),
                observed=observed,
                tokens=(type_token(self._type.name),),
                values=_distinct(value for _, value in self._values.values(cells[facets:])),
                customer_id=customer,
                title=title,
                tags=self._facets.tags(self._type.name, cells[titles:facets]),
            )


class _CustomerReader:
    """Documents of customers: found by what any of their parties states, shown by the golden record."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parties = [(type_, _Slots(store, searched(type_))) for type_ in store.ontology.parties]
        golden = store.ontology.customer_properties
        titles = [golden[title] for type_ in store.ontology.parties if (title := type_.title or "") in golden]
        names = [prop for role in _NAME_ROLES for prop in golden.values() if prop.match == role]
        self._titles = frozenset(prop.name for prop in titles)
        self._golden = _Slots(store, tuple({prop.name: prop for prop in (*titles, *names)}.values()))
        self._facets = _Slots(store, tuple(prop for prop in golden.values() if prop.search == "facet"))
        shown = (*self._golden.columns, *self._facets.columns)
        columns = "".join(f', "{name}"' for name in shown)
        self._sql = f"SELECT id, updated_at{columns} FROM customer WHERE {{in:id}}"

    def read(self, connection: Connection, ids: Sequence[str]) -> Iterator[Document]:
        rows = self._store.rows_in(connection, self._sql, ids)
        stated = self._stated(connection, ids) if rows else {}
        for id_, updated, *cells in rows:
            golden = list(self._golden.values(cells[: len(self._golden.columns)]))
            facets = cells[len(self._golden.columns) :]
            sources, values = stated.get(id_, ((), ()))
            yield Document(
                type=CUSTOMER,
                id=id_,
                sources=sources,
                time=updated,
                observed=updated,
                tokens=(type_token(CUSTOMER),),
                values=values,
                customer_id=id_,
                title=next((value for prop, value in golden if prop.name in self._titles), None),
                names=tuple(value for prop, value in golden if prop.match in _NAME_ROLES),
                tags=self._facets.tags(CUSTOMER, facets),
            )

    def _stated(
        self, connection: Connection, ids: Sequence[str]
    ) -> Mapping[str, tuple[tuple[str, ...], tuple[Value, ...]]]:
        """Sources and values of all parties, by customer."""
        sources: dict[str, set[str]] = defaultdict(set)
        values: dict[str, list[Value]] = defaultdict(list)
        for type_, slots in self._parties:
            own = "".join(f', p."{name}"' for name in slots.columns)
            sql = (
                f"SELECT m.customer_id, p.source{own} FROM membership m"
                f' JOIN "{type_.table}" p ON p.id = m.party_id WHERE {{in:m.customer_id}} ORDER BY p.id'
            )
            for customer, source, *cells in self._store.rows_in(connection, sql, ids):
                sources[customer].add(source)
                values[customer] += (value for _, value in slots.values(cells))
        return {id_: (tuple(sorted(sources[id_])), _distinct(values[id_])) for id_ in sources}


def _distinct(values: Collection[Value] | Iterator[Value]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(values))
