"""A company of two source systems of which customers are erased: every way in which records can be somebody's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from hub.adapters import RunReport, Sources, Syncer, load_sources, runs
from hub.adapters.erasing import erase, plan_again, plan_erasure, remains
from hub.audit.erasures import Erasure
from hub.audit.events import new_event_id
from hub.ontology import Ontology
from hub.store import Store
from hub.values import entity_id

SECRET = b"the same in all stores, so that their ids can be compared"

SHOP = """\
source: shop
region: GB
currency: GBP
zone: UTC
max_bad_share: 1
max_delete_share: 1
connector: {type: files, root: {env: SHOP_DIR}}
streams:
  people:
    read: {glob: people.jsonl, format: {type: jsonl}}
    key: KEY
    deletes: full_scan
    entities:
      - type: Person
        key: no
        properties:
          customerNumber: no
          givenName: given
          familyName: family
          email: email
          mobile: phone
          loyaltyCard: card
          streetAddress: street
          postalCode: postcode
          notes: note
          birthDate: born
        links: {worksFor: boss}
  firms:
    read: {glob: firms.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - {type: Organization, key: no, properties: {customerNumber: no, legalName: name}}
  orders:
    read: {glob: "orders*.jsonl", format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - type: Order
        properties: {orderNumber: no, deliveryName: to, total: total}
        links: {customer: buyer}
      - {type: Product, key: sku, shared: true, properties: {sku: sku, name: title}}
  lines:
    read: {glob: "lines*.jsonl", format: {type: jsonl}}
    key: [no, line]
    deletes: full_scan
    entities:
      - type: OrderLine
        properties: {lineNumber: line, description: text}
        links: {order: no, product: sku}
  restrictions:
    read: {glob: restrictions.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - type: Restriction
        properties: {kind: {value: restriction}, state: {value: in_force}, ground: why}
        links: {customer: who}
"""
CRM = """\
source: crm
region: GB
zone: UTC
max_bad_share: 1
max_delete_share: 1
connector: {type: files, root: {env: SHOP_DIR}}
streams:
  calls:
    read: {glob: "calls*.jsonl", format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - type: Ticket
        properties: {ticketNumber: no, subject: subject}
        links: {customer: {identifier: loyalty_card, value: card}}
  parcels:
    read: {glob: "parcels*.jsonl", format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - type: Shipment
        properties: {shipmentNumber: no, deliveryName: to, deliveryStreetAddress: street}
        links: {order: {source: shop, key: order}}
  contacts:
    read: {glob: "contacts*.jsonl", format: {type: jsonl}}
    key: id
    observed_at: at
    deletes: full_scan
    entities:
      - {type: Person, key: id, properties: {name: name, email: email, loyaltyCard: card}}
  visits:
    read: {glob: "visits*.jsonl", format: {type: jsonl}}
    key: no
    entities:
      - {type: Person, key: card, shared: true, properties: {loyaltyCard: card, name: name}}
      - type: Interaction
        properties: {interactionNumber: no, kind: {value: visit}, summary: text}
        links: {customer: card}
"""

Row = dict[str, Any]
Files = Mapping[str, list[Row]]
"""Records by the stem of their file. Each says in `of` which person it is of; None is nobody's."""


def person(n: int, **more: Any) -> Row:
    """The record of a person of the shop; two after each other are a family with one telephone."""
    return {
        "of": n,
        "no": f"P-{n:05}",
        "given": f"Given{n:03}",
        "family": f"Family{n // 2:03}",
        "email": f"someone.{n:03}@example.com",
        "phone": f"01632 960{n // 2:03}",
        "card": f"26100{n:05}",
        "street": f"{n // 2 + 100} Larch Road",
        "postcode": "LS1 4AP",
        "note": f"remembered{n:03} as a regular",
        "boss": "F-00001",
    } | more


def order(n: int, of: int, **more: Any) -> Row:
    return {
        "of": of,
        "no": f"ORD-{n:05}",
        "buyer": f"P-{of:05}",
        "to": f"Doorbell{of:03}",
        "total": "12.50",
        "sku": f"SKU{n % 3}",
        "title": f"Title {n % 5}",
    } | more


def everything(people: Collection[int]) -> dict[str, list[Row]]:
    """All kinds of records of these people."""
    return {
        "people": [person(n) for n in people],
        "firms": [{"of": None, "no": "F-00001", "name": "Harbour Works"}],
        "orders": [order(n * 10 + m, n) for n in people for m in range(2)],
        "lines": [
            {"of": n, "no": f"ORD-{n * 10:05}", "line": 1, "sku": "SKU1", "text": f"engraved{n:03}"}
            for n in people
        ],
        "restrictions": [
            {"of": n, "no": f"R-{n}", "who": f"P-{n:05}", "why": f"lawyer{n:03} wrote"}
            for n in people
            if n % 3 == 0
        ],
        "calls": [
            {"of": n, "no": f"T-{n:05}", "card": f"26100{n:05}", "subject": f"asked{n:03} twice"}
            for n in people
        ],
        "parcels": [
            {
                "of": n,
                "no": f"S-{n:05}",
                "order": f"ORD-{n * 10:05}",
                "to": f"Porch{n:03}",
                "street": f"{n} Fjord",
            }
            for n in people
        ],
        "contacts": [
            {
                "of": n,
                "id": f"C-{n:05}",
                "name": f"Contact{n:03}",
                "email": f"work.{n:03}@example.com",
                "card": f"26100{n:05}",
                "at": "2026-01-02T00:00:00Z",
            }
            for n in people
        ],
        "visits": [
            {
                "of": n,
                "no": f"V-{n:05}",
                "card": f"26100{n:05}",
                "name": f"Till{n:03}",
                "text": f"smiled{n:03}",
            }
            for n in people
        ],
        # They wait in quarantine.
        "broken": [person(n, no=f"B-{n:05}", born="some day") for n in people],
    }


class World:
    """The folder of the sources, and one store that follows it."""

    def __init__(self, folder: Path, url: str, ontology: Ontology) -> None:
        self.folder, self.url, self.ontology = folder, url, ontology
        (folder / "config").mkdir(parents=True, exist_ok=True)
        self.configure()
        self.store = Store.open(url, ontology, SECRET)
        self.erasures: list[Erasure] = []

    def configure(self, *, key: str = "no", shop: str = SHOP) -> None:
        """Write the configuration; `key` is what the shop numbers its people by."""
        (self.folder / "config" / "shop.yaml").write_text(shop.replace("KEY", key))
        (self.folder / "config" / "crm.yaml").write_text(CRM)

    def write(self, files: Files, without: Collection[int] = ()) -> None:
        """Write the sources' files, without the records of some people."""
        for name, rows in files.items():
            kept = [row for row in rows if row["of"] not in without]
            lines = [json.dumps({k: v for k, v in row.items() if k != "of"}) for row in kept]
            stem = "people" if name == "broken" else name
            with (self.folder / f"{stem}.jsonl").open("a" if name == "broken" else "w") as file:
                file.write("".join(f"{line}\n" for line in lines))

    def raw(self, name: str, lines: list[str]) -> None:
        """Add lines to a file as they are."""
        with (self.folder / f"{name}.jsonl").open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def syncer(self, batch_size: int = 1000) -> Syncer:
        config = self.folder / "config"
        configs = load_sources(config, self.ontology)
        sources = Sources(configs, self.ontology, {"SHOP_DIR": str(self.folder)}, config)
        return Syncer(self.store, sources, batch_size)

    def sync(self, batch_size: int = 1000) -> dict[str, RunReport]:
        syncer = self.syncer(batch_size)
        reports = {source: syncer.sync(source) for source in ("shop", "crm")}
        for report in reports.values():
            assert report.state in ("ok", "suspect"), report.doubts
            assert report.total.reconciles
        return reports

    def customer(self, n: int) -> str:
        """The id of the customer who has this number in the shop."""
        party = entity_id("shop", "Party", f"P-{n:05}", SECRET)
        with self.store.read() as connection:
            found = connection.execute(
                text("SELECT customer_id FROM membership WHERE party_id = :id"), {"id": party}
            )
            return str(found.scalar_one())

    def erase(self, n: int) -> Erasure:
        """Erase a person in one transaction, and check that nothing remains."""
        return self.erase_customer(self.customer(n))

    def erase_customer(self, customer_id: str) -> Erasure:
        """Erase a customer, as `erase` does a person."""
        syncer = self.syncer()
        with self.store.write() as connection:
            plan = plan_erasure(self.store, connection, customer_id)
            erasure = Erasure(new_event_id(), datetime.now(UTC), plan.customers, plan.parties, plan.hashes)
            run_id = runs.note_command(connection, "erasure")
            counted = erase(self.store, syncer.graph, connection, run_id, plan, erasure)
        assert counted == plan.counts
        assert self.remains(erasure) == {}
        self.erasures.append(erasure)
        return erasure

    def erase_again(self, erasure: Erasure) -> Mapping[str, int]:
        """Do an erasure once more, as after a backup was restored."""
        syncer = self.syncer()
        with self.store.write() as connection:
            plan = plan_again(self.store, connection, erasure)
            run_id = runs.note_command(connection, "erasure")
            return erase(self.store, syncer.graph, connection, run_id, plan, erasure)

    def remains(self, erasure: Erasure) -> Mapping[str, int]:
        with self.store.read() as connection:
            return remains(self.store, connection, erasure)

    def values(self) -> str:
        """All that all tables hold, as one text."""
        return "\n".join(f"{table}\n{rows}" for table, rows in self.tables().items())

    def tables(self) -> dict[str, list[str]]:
        names = [*self.store.tables.metadata.tables, *fixed_tables()]
        engine = create_engine(self.url)
        with engine.connect() as connection:
            found = {
                name: [repr(tuple(row)) for row in connection.execute(text(f'SELECT * FROM "{name}"'))]
                for name in names
            }
        engine.dispose()
        return found

    def graph(self) -> dict[str, list[str]]:
        """What the store says, without what differs from run to run: numbers of rows and runs, customers' ids."""
        engine = create_engine(self.url)
        found: dict[str, list[str]] = {}
        with engine.connect() as connection:
            for name, table in self.store.tables.by_type.items():
                own = [
                    f'"{c.name}"' for c in table.columns if c.name not in ("head_id", "record_id", "run_id")
                ]
                found[name] = _rows(connection, f'SELECT {", ".join(own)} FROM "{table.name}"')
            columns = [
                f'"{c.name}"'
                for c in self.store.tables.customer.columns
                if c.name not in ("id", "created_at", "updated_at")
            ]
            found["golden"] = _rows(connection, f"SELECT {', '.join(columns)} FROM customer")
            members: dict[str, list[str]] = {}
            for party, customer in connection.execute(text("SELECT party_id, customer_id FROM membership")):
                members.setdefault(customer, []).append(party)
            found["customers"] = sorted(repr(sorted(parties)) for parties in members.values())
            for name, sql in QUERIES.items():
                found[name] = _rows(connection, sql)
        engine.dispose()
        return found

    def close(self) -> None:
        self.store.close()


HEAD = "record_head h ON h.id = t.head_id"
QUERIES = {
    "heads": "SELECT source, stream, key, hash, state, observed_at FROM record_head WHERE state <> 'deleted'",
    "records": f"SELECT h.source, h.stream, h.key, t.hash, t.payload FROM record t JOIN {HEAD}"
    " WHERE h.state <> 'deleted'",
    "quarantine": "SELECT source, stream, key, hash, payload, field, code FROM quarantine",
    "identifiers": "SELECT scheme, value, entity_id, type, property, source, strong FROM identifier",
    "references": "SELECT entity_id, type, property, scheme, value FROM identifier_ref",
    "contributions": f"SELECT t.entity_id, t.type, t.rank, h.key FROM contribution t JOIN {HEAD}",
    "anchors": "SELECT party_id, place, anchor_id FROM anchor",
    "standing": "SELECT party_id, bar FROM standing",
}


def _rows(connection: Any, sql: str) -> list[str]:
    return sorted(repr(tuple(row)) for row in connection.execute(text(sql)))


def fixed_tables() -> list[str]:
    from hub.store import fixed

    return list(fixed.metadata.tables)


def differences(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What is in one of two graphs only, by part."""
    return {
        name: sorted(
            [f"- {row}" for row in (Counter(one[name]) - Counter(other[name])).elements()]
            + [f"+ {row}" for row in (Counter(other[name]) - Counter(one[name])).elements()]
        )
        for name in one
        if one[name] != other[name]
    }


def words(n: int) -> list[str]:
    """What only this person's records say."""
    return [
        *(f"P-{n:05}", f"Given{n:03}", f"someone.{n:03}@", f"26100{n:05}", f"remembered{n:03}"),
        *(f"ORD-{n * 10:05}", f"ORD-{n * 10 + 1:05}", f"Doorbell{n:03}", f"engraved{n:03}", f"lawyer{n:03}"),
        *(f"T-{n:05}", f"asked{n:03}", f"S-{n:05}", f"Porch{n:03}", f"C-{n:05}", f"Contact{n:03}"),
        *(f"work.{n:03}@", f"V-{n:05}", f"Till{n:03}", f"smiled{n:03}", f"B-{n:05}"),
    ]


@contextmanager
def opened(folder: Path, url: str, ontology: Ontology) -> Iterator[World]:
    world = World(folder, url, ontology)
    try:
        yield world
    finally:
        world.close()
