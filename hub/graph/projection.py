"""The customer table: golden records of the customers that a batch touched.

A customer is a PERSON or an ORGANIZATION as most of its parties are; where they are equally many, an ORGANIZATION,
because a company's contact is more often filed as its own customer than the other way round. What staff recorded says
nothing of that, as long as a source has a party of the customer.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from hub.graph.entities import STAFF, STEWARD
from hub.graph.golden import PartyValues, Rule, Source, choose, rules_of
from hub.graph.resolution.identity import created_at
from hub.ontology import EntityType, Property
from hub.ontology.model import Survivorship
from hub.store import CUSTOMER_COLUMNS, Store, decode, iso_utc, quoted

PERSON = "PERSON"
ORGANIZATION = "ORGANIZATION"

_OWN = 2
"""Where the golden values begin in what is compared: after kind and provenance."""


@dataclass(frozen=True, slots=True)
class GoldenChange:
    """What became of the golden values of a customer that was there before."""

    customer: str
    values: Mapping[str, tuple[Any, Any]] = field(repr=False)
    """By property that is another one now: before and after, None where there was or is none."""
    parties: Mapping[str, str]
    """By such a property that has a value, the party that it comes from."""


@dataclass(frozen=True, slots=True)
class Projected:
    """What came of a projection."""

    written: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    changes: tuple[GoldenChange, ...] = ()


@dataclass(frozen=True, slots=True)
class _Party:
    kind: str
    by_staff: bool
    golden: PartyValues


class Customers:
    """Writes the golden records."""

    def __init__(self, store: Store, trust: Mapping[str, int], overrides: Mapping[str, Survivorship]) -> None:
        self._store = store
        self._trust = dict(trust)
        properties = store.ontology.customer_properties
        self._properties = list(properties.values())
        self._empty = [(prop.name, (None,) * len(prop.columns)) for prop in self._properties]
        self._rules: tuple[Rule, ...] = rules_of(properties, overrides)
        own = [column for prop in self._properties for column in prop.columns]
        self._columns = (*CUSTOMER_COLUMNS, *own)
        self._selects = {type_.name: self._party_sql(type_) for type_ in store.ontology.parties}

    @property
    def rules_digest(self) -> str:
        """Changes with the survivorship rules."""
        rules = [(rule.properties, rule.survivorship) for rule in self._rules]
        return hashlib.blake2b(orjson.dumps(rules), digest_size=16).hexdigest()

    def project(
        self, connection: Connection, touched: Collection[str], membership_changed: Collection[str], now: str
    ) -> Projected:
        """Bring the golden records of the `touched` customers up to date.

        A row that would stay as it is is not written, unless the customer gained or lost a party.
        """
        parties = self._parties(connection, touched)
        before = self._rows(connection, touched)
        removed = before.keys() - parties.keys()
        self._store.rows_in(connection, "DELETE FROM customer WHERE {in:id}", sorted(removed))
        written: dict[str, tuple[Any, ...]] = {}
        changes: list[GoldenChange] = []
        for customer_id, members in parties.items():
            kind, provenance, own = self._golden(members)
            old = before.get(customer_id)
            if old is None or customer_id in membership_changed or old != (kind, provenance, *own):
                created = iso_utc(created_at(customer_id))
                written[customer_id] = (customer_id, kind, None, created, now, provenance, *own)
            if old is not None and old[_OWN:] != own:
                changes.append(self._change(customer_id, old[_OWN:], own, provenance))
        self._store.dialect.upsert(
            connection,
            self._store.tables.customer,
            self._columns,
            list(written.values()),
            keep=("created_at", "household_id"),
        )
        return Projected(frozenset(written), frozenset(removed), tuple(changes))

    def _change(
        self, customer_id: str, before: Sequence[Any], after: Sequence[Any], provenance: str
    ) -> GoldenChange:
        values, dialect, at = {}, self._store.dialect.name, 0
        for prop in self._properties:
            end = at + len(prop.columns)
            was, now = tuple(before[at:end]), tuple(after[at:end])
            if was != now:
                values[prop.name] = (decode(prop, was, dialect), decode(prop, now, dialect))
            at = end
        said = orjson.loads(provenance)
        return GoldenChange(
            customer_id, values, {name: said[name]["party"] for name in values if name in said}
        )

    def _golden(self, members: Sequence[_Party]) -> tuple[str, str, tuple[Any, ...]]:
        values, provenance = choose([party.golden for party in members], self._rules)
        voters = [party for party in members if not party.by_staff] or members
        people = sum(party.kind == PERSON for party in voters)
        kind = PERSON if people * 2 > len(voters) else ORGANIZATION
        own: list[Any] = []
        for name, empty in self._empty:
            value = values.get(name)
            own += empty if value is None else value if isinstance(value, tuple) else (value,)
        return kind, _provenance_json(provenance), tuple(own)

    def _parties(self, connection: Connection, customers: Collection[str]) -> dict[str, list[_Party]]:
        found: dict[str, list[_Party]] = defaultdict(list)
        for type_ in self._store.ontology.parties:
            slots = _slots(self._shared(type_))
            kind = _kind(type_)
            for customer_id, id_, source, observed_at, *cells in self._store.rows_in(
                connection, self._selects[type_.name], sorted(customers)
            ):
                values = {
                    name: _cell(cells[at : at + width], many)
                    for name, at, width, many in slots
                    if cells[at] is not None
                }
                trust, decided = self._trust.get(source, 0), source == STEWARD
                golden = PartyValues(id_, trust, observed_at, values, decided)
                found[customer_id].append(_Party(kind, source in STAFF, golden))
        return found

    def _rows(self, connection: Connection, customers: Collection[str]) -> dict[str, tuple[Any, ...]]:
        """What stands in the table: kind, provenance and own columns."""
        own = self._columns[len(CUSTOMER_COLUMNS) :]
        sql = f"SELECT {quoted(('id', 'kind', 'provenance', *own))} FROM customer WHERE {{in:id}}"
        slots = _slots(self._properties)
        rows: dict[str, tuple[Any, ...]] = {}
        for id_, kind, provenance, *cells in self._store.rows_in(connection, sql, sorted(customers)):
            for _, at, _, many in slots:
                if many:
                    cells[at] = _json_text(cells[at])
            rows[id_] = (kind, provenance, *cells)
        return rows

    def _shared(self, type_: EntityType) -> list[Property]:
        golden = self._store.ontology.customer_properties
        return [prop for prop in type_.properties.values() if prop.name in golden]

    def _party_sql(self, type_: EntityType) -> str:
        own = "".join(f', t."{column}"' for prop in self._shared(type_) for column in prop.columns)
        return (
            f"SELECT m.customer_id, t.id, t.source, t.observed_at{own}"
            f' FROM membership m JOIN "{type_.table}" t ON t.id = m.party_id WHERE {{in:m.customer_id}}'
        )


def _slots(properties: Sequence[Property]) -> list[tuple[str, int, int, bool]]:
    """Name, first column, number of columns and `many` of each property in a row of their columns."""
    slots, at = [], 0
    for prop in properties:
        slots.append((prop.name, at, len(prop.columns), prop.many))
        at += len(prop.columns)
    return slots


def _cell(cells: Sequence[Any], many: bool) -> Hashable:
    value: Hashable = tuple(cells) if len(cells) > 1 else _json_text(cells[0]) if many else cells[0]
    return value


def _json_text(value: Any) -> Any:
    """A list as the text that the codec writes; PostgreSQL hands JSON out parsed."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def _kind(type_: EntityType) -> str:
    return PERSON if "Person" in (type_.schema_org, type_.name) else ORGANIZATION


def _provenance_json(provenance: Mapping[str, Source]) -> str:
    """JSON: for each property the party whose value it is, and the rule by which that party won."""
    said = {name: {"party": source.party, "rule": source.rule} for name, source in provenance.items()}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
