"""Where the store holds something of people: what each table is, how many rows it has, and which are of one customer.

Every fixed table is either in `TABLES` or in `IMPERSONAL`; the tables of entity types follow from the ontology.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection

from hub.adapters.drift import load_fields
from hub.adapters.footprint import Search
from hub.detection import leaves_of
from hub.errors import NotFoundError
from hub.store import Store
from hub.store.fixed.sources import GONE

EVERYTHING: Final = "*"
"""Stands for all categories that the sources bring."""
PSEUDONYM: Final = "user.unique_id.pseudonymous"


@dataclass(frozen=True, slots=True)
class TableNote:
    """What a fixed table is."""

    label: str
    categories: tuple[str, ...]
    made_from: tuple[str, ...]
    """The tables that its rows are made from."""


def _note(label: str, *made_from: str, categories: tuple[str, ...] = (PSEUDONYM,)) -> TableNote:
    return TableNote(label, categories, made_from)


_UNIQUE = ("user.unique_id",)
_HOME = ("user.contact.address", "user.household")

TABLES: Final[Mapping[str, TableNote]] = MappingProxyType(
    {
        "record": _note("Landing: records as they came", categories=(EVERYTHING,)),
        "record_head": _note("Keys of records", "record", categories=_UNIQUE),
        "quarantine": _note("Quarantine: records that wait", categories=(EVERYTHING,)),
        "contribution": _note("Records of shared entities", "record_head", categories=_UNIQUE),
        "identifier": _note("Identifiers", "record", categories=("user.contact", "user.unique_id")),
        "identifier_ref": _note(
            "References by identifier", "record", categories=("user.contact", "user.unique_id")
        ),
        "former": _note("Earlier statements", "record_head"),
        "former_party": _note("Parties that went", "membership"),
        "membership": _note("Which customer a party is", "identifier", "edge"),
        "anchor": _note("Parties tied by somebody's word", "record"),
        "standing": _note(
            "Restrictions and objections", "record", categories=("user.privacy_preferences", PSEUDONYM)
        ),
        "customer": _note("Golden record", categories=(EVERYTHING,)),
        "customer_redirect": _note("Retired customer ids", "membership"),
        "tombstone": _note("Ids of erased customers", "customer"),
        "suppression": _note("Keyed hashes of what was erased", "record"),
        "profile": _note(
            "Profiles for matching",
            "record",
            categories=("user.name", "user.contact", "user.demographic.date_of_birth", "user.unique_id"),
        ),
        "blocking_key": _note("Keyed hashes for matching", "profile"),
        "edge": _note("Weights of pairs", "profile"),
        "decision": _note("Stewards' decisions", categories=(PSEUDONYM, "user.content.private")),
        "home": _note("What says who lives together", "customer", categories=_HOME),
        "home_key": _note("Keyed hashes of homes", "home"),
        "housemate": _note("Households", "home", categories=("user.household", PSEUDONYM)),
        "registration": _note("Keyed hashes of registry numbers", "customer"),
        "parent": _note("Parents of organisations", "registration"),
        "ancestor": _note("Groups of organisations", "parent"),
        "call": _note("Call journal", categories=("user.contact.phone_number", "user.behavior", PSEUDONYM)),
        "call_pick": _note("Whom agents picked for a number", "call"),
        "break_glass": _note("Broken glasses", categories=(PSEUDONYM, "user.content.private")),
        "frozen_source": _note("Frozen sources: which of our people froze them"),
        "attestation": _note("Rules of the policy: which of our people looked at them"),
        "legal_hold": _note("Legal holds", categories=(PSEUDONYM, "user.content.private")),
        "held_party": _note("Parties under a legal hold", "legal_hold"),
        "past_activity": _note(
            "Last times of what retention erased", "record", categories=("user.behavior", PSEUDONYM)
        ),
        "privacy_request": _note(
            "Privacy requests", categories=("user.contact", "user.content.private", PSEUDONYM)
        ),
        "privacy_step": _note("Steps of privacy requests", "privacy_request"),
        "privacy_retained": _note("What a law has kept of the erased", "record", categories=(EVERYTHING,)),
        "rectified": _note("Keyed hashes of what was corrected", "privacy_request"),
        "emptied": _note("Keyed hashes of values that retention emptied", "record"),
        "retirement": _note("Batches that retention erased", "tombstone"),
        "incident": _note("Register of incidents", categories=(PSEUDONYM, "user.content.private")),
        "incident_customer": _note("Customers whom an incident affects", "incident"),
        "incident_step": _note(
            "What was done about incidents", "incident", categories=(PSEUDONYM, "user.content.private")
        ),
        "identifier_bar": _note(
            "Keyed hashes of what is not to be contacted", categories=("user.privacy_preferences", PSEUDONYM)
        ),
        "registered_number": _note(
            "Keyed hashes of numbers in do-not-call registers",
            categories=("user.privacy_preferences", PSEUDONYM),
        ),
        "command": _note("Commands given lately: keyed hashes and ids"),
        "change": _note("Change feed: ids", "customer"),
        "audit_outbox": _note("Audit events on their way", categories=(EVERYTHING,)),
    }
)
"""The tables that hold something of people, beside those of entity types."""

IMPERSONAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "meta": "settings of the store",
        "run": "when sources were read",
        "run_stream": "counts",
        "mapping": "what the YAML of the sources says",
        "stream_state": "names of fields, and a cursor: a time, a page, a file",
        "backfill": "a cursor: a time, a page, a file",
        "drift": "names of fields",
        "edi_answer": "names of files, control numbers and identifications of trading partners, which are companies",
        "finding": "counts and names of fields",
        "privacy_pause": "times",
        "resurrection": "counts",
        "call_register": "names, times and counts of do-not-call registers",
        "suppression_export": "which system took which list when",
        "configuration": "policies, names of properties and of fields",
    }
)
"""The other fixed tables, with what they hold instead."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is held of a stream."""

    records: int
    waiting: int
    last_seen_at: str | None
    fields: frozenset[str]
    """All top-level fields that it was ever seen with."""


def stream_facts(connection: Connection) -> Mapping[tuple[str, str], StreamFacts]:
    """What is held of each stream that was ever read, by source and stream."""
    # A count of all is answered by the unique index, of those gone by theirs: neither looks at the rows.
    gone = _grouped(connection, "record_head", f"WHERE {GONE}")
    records = {
        each: count - gone.get(each, 0) for each, count in _grouped(connection, "record_head", "").items()
    }
    waiting = _grouped(connection, "quarantine", "")
    states = connection.exec_driver_sql("SELECT source, stream, fields, last_success_at FROM stream_state")
    kept = {(row[0], row[1]): (row[2], row[3]) for row in states}
    return {
        each: StreamFacts(
            records.get(each, 0),
            waiting.get(each, 0),
            kept.get(each, (None, None))[1],
            frozenset(load_fields(kept.get(each, (None, None))[0])),
        )
        for each in sorted({*(each for each, count in records.items() if count), *waiting, *kept})
    }


def _grouped(connection: Connection, table: str, where: str) -> dict[tuple[str, str], int]:
    sql = f"SELECT source, stream, count(*) FROM {table} {where} GROUP BY source, stream"
    return {(row[0], row[1]): row[2] for row in connection.exec_driver_sql(sql)}


def table_counts(store: Store, connection: Connection) -> Mapping[str, int]:
    """The rows of each table that may hold something of people."""
    names = [*TABLES, *(type_.table for type_ in store.ontology.types.values())]
    sql = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in names)
    return {row[0]: row[1] for row in connection.exec_driver_sql(sql)}


# one customer


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A source record of a customer's, or one that waits; no value of it."""

    reference: str
    """The hub's own number for it, of which the record's key does not follow."""
    source: str
    stream: str
    key: str | None
    state: str
    observed_at: str
    landed_at: str
    versions: int
    types: frozenset[str]
    """The entity types that it states; none where it states nothing now."""
    fields: frozenset[str]
    """Names of the fields that have a value in any version held, those within others after a dot."""


@dataclass(frozen=True, slots=True)
class Held:
    """All that the store holds of a customer."""

    customers: tuple[str, ...]
    parties: tuple[str, ...]
    records: tuple[HeldRecord, ...]
    rows: Mapping[str, int]
    """Rows by table; tables with none are left out."""


def held_of(store: Store, connection: Connection, customers: Sequence[str]) -> Held:
    """What is held of the customer with these ids, the current one first.

    Raises:
        NotFoundError: nobody has such an id.
    """
    search = Search(store, connection)
    parties = search.parties(customers)
    if not parties:
        raise NotFoundError("there is no customer with this id")
    found = search.footprint(customers, parties)
    heads = found.heads | found.trimmed
    records = [*_records(store, connection, heads), *_waiting(store, connection, found.waiting)]
    rows = Counter(search.counts(found))
    rows.update(_surroundings(store, connection, customers, parties))
    kept = {table: count for table, count in sorted(rows.items()) if count}
    return Held(tuple(customers), tuple(sorted(parties)), tuple(records), kept)


_OF_CUSTOMERS = (
    ("home", "customer_id"),
    ("home_key", "customer_id"),
    ("housemate", "customer_id"),
    ("registration", "customer_id"),
    ("parent", "customer_id"),
    ("ancestor", "customer_id"),
    ("privacy_request", "customer_id"),
    ("incident_customer", "customer_id"),
)
_OF_PARTIES = (("held_party", "party_id"), ("past_activity", "party_id"), ("rectified", "party_id"))
_OF_PROFILES = (("edge", "low"), ("edge", "high"))
"""Blocking keys are found by their value alone; there are some wherever there is a profile."""


def _surroundings(
    store: Store, connection: Connection, customers: Collection[str], parties: Collection[str]
) -> Counter[str]:
    """Rows that were made of the customer, which an erasure takes along without counting them."""
    rows: Counter[str] = Counter()
    sql = "SELECT id FROM profile WHERE {in:party_id}"
    profiles = [row[0] for row in _of(store, connection, sql, parties)]
    tables = ((_OF_CUSTOMERS, customers), (_OF_PARTIES, parties), (_OF_PROFILES, profiles))
    for pairs, ids in tables:
        for table, column in pairs:
            sql = f"SELECT 1 FROM {table} WHERE {{in:{column}}}"
            rows[table] += len(_of(store, connection, sql, ids))
    return rows


def _records(store: Store, connection: Connection, heads: Collection[int]) -> Iterator[HeldRecord]:
    versions: dict[int, list[tuple[str, str]]] = defaultdict(list)
    sql = "SELECT head_id, payload, landed_at FROM record WHERE {in:head_id}"
    for head_id, payload, landed_at in _of(store, connection, sql, heads):
        versions[head_id].append((payload, landed_at))
    types = _types(store, connection, heads)
    sql = "SELECT id, source, stream, key, state, observed_at FROM record_head WHERE {in:id}"
    for id_, source, stream, key, state, observed in _of(store, connection, sql, heads):
        kept = versions.get(id_, [])
        fields = frozenset(name for payload, _ in kept for name in _fields(payload))
        landed = max((at for _, at in kept), default="")
        stated = frozenset(types.get(id_, ()))
        name = f"record:{id_}"
        yield HeldRecord(name, source, stream, key, state, observed, landed, len(kept), stated, fields)


def _types(store: Store, connection: Connection, heads: Collection[int]) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for type_ in store.ontology.types.values():
        sql = f'SELECT head_id FROM "{type_.table}" WHERE {{in:head_id}}'
        for (head_id,) in _of(store, connection, sql, heads):
            found[head_id].add(type_.name)
    return found


def _waiting(store: Store, connection: Connection, rows: Collection[int]) -> Iterator[HeldRecord]:
    sql = "SELECT id, source, stream, key, first_seen_at, payload FROM quarantine WHERE {in:id}"
    for id_, source, stream, key, seen, payload in _of(store, connection, sql, rows):
        fields = frozenset(_fields(payload))
        yield HeldRecord(
            f"quarantine:{id_}", source, stream, key, "quarantined", "", seen, 1, frozenset(), fields
        )


def _fields(payload: str) -> Iterator[str]:
    """The names of the fields with a value; of an unreadable record none can be told."""
    try:
        record = json.loads(payload)
    except ValueError:
        return
    for name, value in record.items() if isinstance(record, dict) else ():
        for leaf, _ in leaves_of(value, name):
            yield name
            if leaf != name:
                yield f"{name}.{leaf}"


def _of(store: Store, connection: Connection, sql: str, values: Collection[Any]) -> list[Sequence[Any]]:
    """The rows of a SELECT, in the order of their first columns."""
    return sorted(store.rows_in(connection, sql, sorted(values)), key=lambda row: row[0])
