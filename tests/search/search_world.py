"""A small company with people whose names are hard to type, in a store, and what each search must find in it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from hub.access import WHOLE_REACH, Decision, Effect
from hub.graph import Entity, GraphWriter, Reference, Statement
from hub.ontology import Ontology, load_ontology
from hub.search import Catalogue, Indexer, Narrowing, SearchService, open_engine
from hub.store import Store
from hub.values import Instant, entity_id

ENGINES = ("tantivy", "whoosh", "postgres")
"""Every engine: each must pass the conformance suite."""

ALLOW = Decision(Effect.ALLOW, None, "all")
MASK = Decision(Effect.MASK, "initial", "mask")
DENY = Decision(Effect.DENY, None, "no")


class Access:
    """Decisions by category: `default` for all that is not named."""

    def __init__(self, default: Decision = ALLOW) -> None:
        self.default = default
        self.named: dict[str, Decision] = {}
        self.reach = WHOLE_REACH

    def but(self, decision: Decision, *categories: str) -> Access:
        self.named |= dict.fromkeys(categories, decision)
        return self

    def decide(self, category: str) -> Decision:
        return self.named.get(category, self.default)


def day(number: int, month: int = 1) -> Instant:
    return Instant(datetime(2026, month, number, tzinfo=UTC), "UTC")


def party(source: str, key: str, type_: str = "Person", **values: Any) -> Entity:
    return Entity(entity_id(source, "Party", key), type_, key, values)


def thing(type_: str, key: str, owner: Entity | None = None, source: str = "erp", **values: Any) -> Entity:
    own = {"customer": Reference(owner.id)} if owner else {}
    return Entity(entity_id(source, type_, key), type_, key, {**values, **own})


def says(source: str, *entities: Entity) -> Statement:
    """One record that states these entities; named by the first, so that another statement of it replaces this one."""
    head = zlib.crc32(f"{source}/{entities[0].id}".encode())
    at = "2026-02-01T00:00:00.000000Z"
    return Statement(source, "records", entities[0].key, head, head, at, entities)


def gone(source: str, entity: Entity) -> Statement:
    said = says(source, entity)
    return Statement(source, said.stream, said.record_key, said.head_id, said.record_id, said.observed_at, ())


@cache
def hub_ontology() -> Ontology:
    return load_ontology()


class World:
    """One store with its graph, and an index of it."""

    def __init__(
        self, url: str, index: Path, engine: str = "tantivy", ontology: Ontology | None = None
    ) -> None:
        self.ontology = ontology or hub_ontology()
        self.store = Store.open(url, self.ontology)
        self.catalogue = Catalogue(self.ontology)
        self.index = index
        self.engine = open_engine(engine, index, self.store)
        self.indexer = Indexer(self.store, self.engine)
        self.service = SearchService(self.store, self.engine, self.ontology)
        self.landed: dict[int, Statement] = {}
        self._writer = GraphWriter(self.store, {"erp": 90, "pos": 50}, restate=self._restate)

    def _restate(self, _connection: Connection, heads: Sequence[int]) -> list[Statement]:
        return [self.landed[head] for head in heads]

    def apply(self, *statements: Statement) -> None:
        self.landed |= {statement.head_id: statement for statement in statements}
        with self.store.write() as connection:
            self._writer.apply(connection, 1, statements)

    def customer_of(self, entity: Entity) -> str:
        sql = text("SELECT customer_id FROM membership WHERE party_id = :id")
        with self.store.read() as connection:
            return str(connection.execute(sql, {"id": entity.id}).scalar_one())

    def find(self, asked: str, access: Access | None = None, **more: Any) -> list[tuple[str, str]]:
        """Type and id of all hits, best first."""
        first = more.pop("first", 100)
        answer = self.service.search(asked, within=Narrowing(**more), first=first, access=access or Access())
        return [(hit.type, hit.id) for hit in answer.hits]

    def generations(self) -> int:
        """How many indexes there are: the one that is served, and former ones."""
        if self.engine.name != "postgres":
            return len([folder for folder in self.index.iterdir() if folder.is_dir()])
        sql = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'hub\\_search%'"
        with self.store.read() as connection:
            return int(connection.execute(text(sql)).scalar_one())

    def damage(self) -> None:
        """Make the index unusable."""
        self.engine.close()
        if self.engine.name == "postgres":
            with self.store.aside() as connection:
                connection.execute(text("ALTER TABLE hub_search.state DROP COLUMN seq"))
            return
        for generation in self.index.iterdir():
            for file in generation.iterdir() if generation.is_dir() else ():
                file.write_text("{")

    def close(self) -> None:
        self.engine.close()
        self.store.close()


def people() -> dict[str, Entity]:
    """Parties by label."""
    return {
        "anna": party("erp", "1", name="Anna Maria Kowalska", givenName="Anna", familyName="Kowalska",
                      email="anna.kowalska@example.com", telephone="+442079460123", customerNumber="CU-000101",
                      streetAddress="12 Harbour Road", postalCode="N1 7AA", notes="prefers to be called at noon"),
        "anna_pos": party("pos", "9", name="Anna Schmidt", familyName="Schmidt", customerNumber="CU-000101",
                          mobile="+447700900456"),
        "lukasz": party("erp", "2", name="Łukasz Nowak", givenName="Łukasz", familyName="Nowak",
                        email="l.nowak@example.org", telephone="+48221234567"),
        "mueller": party("erp", "3", name="Jürgen Müller", givenName="Jürgen", familyName="Müller",
                         telephone="+4930901820", loyaltyCard="2900000000017"),
        "andrej": party("erp", "4", name="Андрей Иванов", givenName="Андрей", familyName="Иванов"),
        "obrien": party("erp", "5", name="Siobhán O'Brien", givenName="Siobhán", familyName="O'Brien"),
        "smithjones": party("erp", "6", name="Peter Smith-Jones", givenName="Peter", familyName="Smith-Jones",
                            telephone="+15550100123;ext=77"),
        "wang": party("erp", "7", name="王伟", email="wei@example.net"),
        "soren": party("erp", "8", name="Søren Æbelø", alternateName="Soren the Dane"),
        "acme": party("erp", "20", "Organization", name="Harbour & Pine Trading Ltd", legalName="H.P. Trading Limited",
                      email="office@harbour.example.com", vatID="GB123456789"),
        "liz": party("erp", "22", name="Liz Whitfield", givenName="Liz", familyName="Whitfield", segment="retail",
                     tier="gold", telephone="+441632960101"),
        "stephen": party("erp", "23", name="Stephen Catherwood", givenName="Stephen", familyName="Catherwood",
                         segment="retail", email="steve.c@example.org"),
        "margaret": party("erp", "24", name="Margaret Philips", givenName="Margaret", familyName="Philips",
                          segment="trade", customerNumber="CU-000777"),
        "goebel": party("erp", "25", name="Kaethe Goebel", familyName="Goebel", mobile="+491512345678"),
        "yuri": party("erp", "26", name="Юрий Шевченко", email="yu.sh@example.net"),
        "robert": party("erp", "21", name="Robert Tables <b>", givenName="Robert", notes="called about <script> & co"),
    }  # fmt: skip


def things(who: Mapping[str, Entity]) -> dict[str, Entity]:
    """Entities by label."""
    return {
        "order": thing("Order", "o1", who["anna"], orderNumber="SO-2026-00123", orderDate=day(3), status="shipped",
                       deliveryName="Tom Brown"),
        "order2": thing("Order", "o2", who["mueller"], source="pos", orderNumber="10248", orderDate=day(4)),
        "ticket": thing("Ticket", "t1", who["anna"], ticketNumber="T-555", subject="Lamp arrived broken",
                        status="open", handledByTeam="Returns", tags=["damage", "lamp"],
                        openedAt=day(5), body="The oak lamp arrived with a broken shade; Łukasz Nowak took the call."),
        "ticket2": thing("Ticket", "t2", who["lukasz"], ticketNumber="T-556", subject="Refund wanted", openedAt=day(6),
                         status="closed", handledByTeam="Returns", tags=["damage"],
                         body="Please refund the broken chair."),
        "chat": thing("Interaction", "i1", who["smithjones"], interactionNumber="I-1", summary="Wants opening hours",
                      startTime=day(7), contactEmail="peter@jones.example.com"),
        "invoice": thing("Invoice", "v1", who["anna"], invoiceNumber="INV/2026/77", invoiceDate="2026-01-09"),
        "shipment": thing("Shipment", "s1", who["anna"], shipmentNumber="SH-9", trackingNumber="JD014600006281230701"),
        "manual": thing("Document", "d1", documentNumber="DOC-1", title="Assembly manual",
                        text="How to assemble the Bodø shelf"),
        "lamp": thing("Product", "p1", sku="LMP-001", gtin="05012345678900", name="Oak lamp",
                      description="A lamp of solid oak"),
    }  # fmt: skip


WHO = people()
THINGS = things(WHO)
LABELS: Mapping[str, Entity] = {**WHO, **THINGS}


def fill(world: World) -> None:
    """State everything, one record an entity."""
    statements = [says("pos" if label == "anna_pos" else "erp", entity) for label, entity in WHO.items()]
    statements += [says("pos" if label == "order2" else "erp", entity) for label, entity in THINGS.items()]
    world.apply(*statements)


def key_of(world: World, label: str) -> tuple[str, str]:
    """Type and id of the document that a label's entity is found by."""
    entity = LABELS[label]
    if entity.type in world.catalogue.parties:
        return "Customer", world.customer_of(entity)
    return entity.type, entity.id


LABELLED: Sequence[tuple[str, Sequence[str]]] = (
    # names: in any order, their beginnings, one typo
    ("Anna Kowalska", ["anna"]),
    ("kowalska anna", ["anna"]),
    ("KOWALSKA, ANNA", ["anna"]),
    ("kowalska maria anna", ["anna"]),
    ("anna kow", ["anna"]),
    ("kowalksa", ["anna"]),
    ("kowalka", ["anna"]),
    ("kowalskaa", ["anna"]),
    ("Anna Schmitd", ["anna"]),
    ("anna nowak", []),
    ("nowak", ["lukasz", "ticket"]),
    # letters with marks, other alphabets
    ("Łukasz", ["lukasz", "ticket"]),
    ("lukasz nowak", ["lukasz", "ticket"]),
    ("Müller", ["mueller"]),
    ("muller", ["mueller"]),
    ("Mueller", ["mueller"]),
    ("Jurgen Muller", ["mueller"]),
    ("Андрей", ["andrej"]),
    ("Andrey Ivanov", ["andrej"]),
    ("andrei", ["andrej"]),
    ("obrien", ["obrien"]),
    ("o'brien", ["obrien"]),
    ("O’Brien Siobhan", ["obrien"]),
    ("smith-jones", ["smithjones"]),
    ("smith jones peter", ["smithjones"]),
    ("smithjones", ["smithjones"]),
    ("王伟", ["wang"]),
    ("wang wei", ["wang"]),
    ("Sören", ["soren"]),
    ("aebelo", ["soren"]),
    ("harbour pine", ["acme"]),
    ("HP Trading", ["acme"]),
    # phones, in whatever form and by fragments
    ("+44 20 7946 0123", ["anna"]),
    ("020 7946 0123", ["anna"]),
    ("(020) 7946-0123", ["anna"]),
    ("+44 (0)20 7946 0123", ["anna"]),
    ("0044 20 7946 0123", ["anna"]),
    ("79460123", ["anna"]),
    ("946 01", ["anna"]),
    ("07700 900456", ["anna"]),
    ("030 90 18 20", ["mueller"]),
    ("555 0100", ["smithjones"]),
    ("kowalska 7946", ["anna"]),
    ("nowak 7946", []),
    # e-mail addresses and their parts
    ("anna.kowalska@example.com", ["anna"]),
    ("l.nowak@example.org", ["lukasz"]),
    ("nowak@example", ["lukasz"]),
    ("office@harbour", ["acme"]),
    ("wei@example.net", ["wang"]),
    ("peter@jones.example.com", ["chat"]),
    # numbers
    ("SO-2026-00123", ["order"]),
    ("so 2026 00123", ["order"]),
    ("so202600123", ["order"]),
    ("so-2026", ["order"]),
    ("10248", ["order2"]),
    ("T-555", ["ticket"]),
    ("t555", ["ticket"]),
    ("INV/2026/77", ["invoice"]),
    ("JD0146", ["shipment"]),
    ("cu-000101", ["anna"]),
    ("CU101", []),
    ("2900000000017", ["mueller"]),
    ("GB123456789", ["acme"]),
    # free text
    ("broken lamp", ["ticket"]),
    ("broken", ["ticket", "ticket2"]),
    ("refund chair", ["ticket2"]),
    ("opening hours", ["chat"]),
    ("bodo shelf", ["manual"]),
    ("oak lamp", ["lamp", "ticket"]),
    ("solid oak", ["lamp"]),
    ("tom brown", ["order"]),
    ("script", ["robert"]),
    # short forms of given names, and names by their sound
    ("bob tables", ["robert"]),
    ("Bobby", ["robert"]),
    ("rob tables", ["robert"]),
    ("elizabeth whitfield", ["liz"]),
    ("Betty Whitfield", ["liz"]),
    ("lizzie", ["liz"]),
    ("steve catherwood", ["stephen"]),
    ("Steven Catherwood", ["stephen"]),
    ("peggy philips", ["margaret"]),
    ("Maggie Phillips", ["margaret"]),
    ("meg philips", ["margaret"]),
    ("pete smith", ["smithjones"]),
    ("katherwood", ["stephen"]),
    ("Katherwoode", ["stephen"]),
    ("filips", ["margaret"]),
    ("Fillipps", ["margaret"]),
    ("Witfeild", ["liz"]),
    ("Whitefield", ["liz"]),
    ("bob philips", []),
    # the two ways to write an umlaut, and Cyrillic
    ("Käthe Göbel", ["goebel"]),
    ("goebel", ["goebel"]),
    ("Göbel", ["goebel"]),
    ("gobel", ["goebel"]),
    ("Juergen Mueller", ["mueller"]),
    ("Jürgen Mueller", ["mueller"]),
    ("Юрий", ["yuri"]),
    ("Shevchenko", ["yuri"]),
    ("yuriy shevchenko", ["yuri"]),
    ("Шевченко Юрий", ["yuri"]),
    ("иванов", ["andrej"]),
    ("Soeren", ["soren"]),
    ("SØREN", ["soren"]),
    ("Sœren", ["soren"]),
    # more typos: a letter too many, one missing, one wrong, two swapped
    ("nowakk", ["lukasz"]),
    ("nwoak lukasz", ["lukasz"]),
    ("Whitfeld", ["liz"]),
    ("Catherwoof", ["stephen"]),
    ("Catehrwood", ["stephen"]),
    ("Margarte", ["margaret"]),
    ("shevchenco", ["yuri"]),
    ("Kowalsak Anna", ["anna"]),
    ("harbuor pine", ["acme"]),
    # more fragments
    ("0151 2345678", ["goebel"]),
    ("+49 151 234-5678", ["goebel"]),
    ("345678", ["goebel"]),
    ("01632 960101", ["liz"]),
    ("960 101", ["liz"]),
    ("22 123 45 67", ["lukasz"]),
    ("steve.c", ["stephen"]),
    ("yu.sh@example.net", ["yuri"]),
    ("cu000777", ["margaret"]),
    ("CU-000777", ["margaret"]),
    ("inv 2026 77", ["invoice"]),
    ("SH-9", ["shipment"]),
    ("harbour road", ["anna"]),
    ("noon", ["anna"]),
    ("assemble", ["manual"]),
    ("LMP-001", ["lamp"]),
    # nothing
    ("", []),
    ("  -- ", []),
    ("zzzz", []),
)
"""Texts with all that they must find, in any order."""
