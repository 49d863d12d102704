"""The tables that do not depend on the ontology. Alembic migrations make them; a test compares the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

NAMING = {"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}

metadata = MetaData(naming_convention=NAMING)

_Serial = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the key is spelt INTEGER."""


def _serial() -> Column[int]:
    return Column("id", _Serial, primary_key=True, autoincrement=True)


_OF_PHONES: dict[str, Any] = {
    f"{dialect}_where": text("scheme = 'phone'") for dialect in ("sqlite", "postgresql")
}

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

run = Table(
    "run",
    metadata,
    _serial(),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Index(None, "source", "id"),
    sqlite_autoincrement=True,
)
"""One pass over a source. `kind` is sync, replay, remap, reproject, resolve, forget or command; `state` is running, ok,
suspect, failed or interrupted."""

run_stream = Table(
    "run_stream",
    metadata,
    Column("run_id", _Serial, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    Column("stream", Text, nullable=False),
    *(
        Column(name, BigInteger, nullable=False, server_default="0")
        for name in (
            "read",
            "unchanged",
            "accepted",
            "quarantined",
            "deleted",
            "entities_written",
            "entities_removed",
            "suppressed",
        )
    ),
    Column("mapping_version", Text),
    PrimaryKeyConstraint("run_id", "stream"),
)
"""A run's counts for one stream; read = unchanged + accepted + quarantined + suppressed, or the run is suspect.

`mapping_version` is that of the mapping which the run's rows were made by.
"""

mapping = Table(
    "mapping",
    metadata,
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("since_run_id", BigInteger, nullable=False),
    Column("since", Text, nullable=False),
    PrimaryKeyConstraint("source", "stream", "version"),
)
"""Every mapping that rows were made by, as JSON of what the stream's YAML said."""

stream_state = Table(
    "stream_state",
    metadata,
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("cursor", Text),
    Column("mapping_version", Text),
    Column("fields", Text),
    Column("last_run_id", BigInteger),
    Column("last_success_at", Text),
    PrimaryKeyConstraint("source", "stream"),
)
"""Where the next pass goes on, which mapping the rows were made with, and the fields seen (for drift)."""

record = Table(
    "record",
    metadata,
    _serial(),
    Column("head_id", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("observed_at", Text, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("landed_at", Text, nullable=False),
    Index(None, "head_id"),
    sqlite_autoincrement=True,
)
"""Source records as they came, one row a version, never changed. `observed_at` is empty where none is stated."""

record_head = Table(
    "record_head",
    metadata,
    _serial(),
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("record_id", BigInteger),
    Column("hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("observed_at", Text, nullable=False),
    UniqueConstraint("source", "stream", "key"),
    sqlite_autoincrement=True,
)
"""The newest version of each source record; `state` is accepted, quarantined, discarded or deleted.

`record_id` is the newest accepted version: a record whose newest version waits in quarantine keeps serving the last
good one.
"""

quarantine = Table(
    "quarantine",
    metadata,
    _serial(),
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("key", Text),
    Column("payload", Text, nullable=False),
    Column("parsed", Boolean, nullable=False),
    Column("position", Text, nullable=False),
    Column("entity", Text),
    Column("field", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("first_run_id", BigInteger, nullable=False),
    Column("last_run_id", BigInteger, nullable=False),
    Column("first_seen_at", Text, nullable=False),
    Column("last_seen_at", Text, nullable=False),
    UniqueConstraint("source", "stream", "hash"),
    Index(None, "source", "stream", "key"),
    sqlite_autoincrement=True,
)
"""Records that could not be accepted, with the raw payload and the reason; a replayed one leaves the table."""

drift = Table(
    "drift",
    metadata,
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("since_run_id", BigInteger, nullable=False),
    Column("since", Text, nullable=False),
    PrimaryKeyConstraint("source", "stream", "field"),
)
"""What changed in a source's fields: `kind` is new, missing or retyped."""

identifier = Table(
    "identifier",
    metadata,
    Column("scheme", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("strong", Boolean, nullable=False),
    PrimaryKeyConstraint("scheme", "value", "entity_id", "property"),
    Index(None, "entity_id"),
    Index("ix_identifier_tail", text("substr(value, length(value) - 6)"), **_OF_PHONES),
)
"""Values that identify entities, in normal form, by scheme. Phone numbers are found by their last 7 digits too."""

identifier_ref = Table(
    "identifier_ref",
    metadata,
    Column("entity_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("entity_id", "property"),
    Index(None, "scheme", "value"),
)
"""References stated by an identifier instead of a key; tied when a holder of the identifier arrives."""

contribution = Table(
    "contribution",
    metadata,
    Column("entity_id", Text, nullable=False),
    Column("head_id", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("rank", Text, nullable=False),
    PrimaryKeyConstraint("entity_id", "head_id"),
    Index(None, "head_id"),
)
"""The records that state a shared entity; the greatest rank (time observed, then content) is served."""

former = Table(
    "former",
    metadata,
    Column("party_id", Text, nullable=False),
    Column("head_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("party_id", "head_id"),
    Index(None, "head_id"),
)
"""Records that stated something of a party, or the party itself, in a version before the one that is served.

What belongs to no customer stands here by its own id.
"""

former_party = Table(
    "former_party",
    metadata,
    Column("party_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Index(None, "customer_id"),
)
"""Parties that were gone at some time, and whose they were then; one that is back belongs to whom `membership` says."""

membership = Table(
    "membership",
    metadata,
    Column("party_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Index(None, "customer_id"),
)
"""Which customer each party belongs to."""

standing = Table(
    "standing",
    metadata,
    Column("party_id", Text, nullable=False),
    Column("bar", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    PrimaryKeyConstraint("party_id", "bar"),
    Index(None, "customer_id", "bar"),
)
"""What keeps customers from purposes, for each of their parties; most customers have none.

`bar` is `restriction` (GDPR Art. 18), or the data use that was objected to (Art. 21), `*` for all of them.
"""

home = Table(
    "home",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("stated_at", Text, nullable=False),
)
"""What of each customer who is a person says with whom they live, in normal form as JSON, and when it was stated."""

home_key = Table(
    "home_key",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("customer_id", Text, nullable=False),
    PrimaryKeyConstraint("key", "customer_id"),
    Index(None, "customer_id"),
    sqlite_with_rowid=False,
)
"""What customers' homes may have in common. Keys are keyed hashes."""

housemate = Table(
    "housemate",
    metadata,
    Column("customer_id", Text, nullable=False),
    Column("other_id", Text, nullable=False),
    *(Column(kind, Boolean, nullable=False) for kind in ("address", "family_name", "contact", "account")),
    PrimaryKeyConstraint("customer_id", "other_id"),
)
"""Each two customers of one household, in both directions, and the kinds of evidence for it."""

registration = Table(
    "registration",
    metadata,
    Column("customer_id", Text, nullable=False),
    Column("key", BigInteger, nullable=False),
    Column("is_head", Boolean, nullable=False),
    Column("stated_at", Text, nullable=False),
    PrimaryKeyConstraint("customer_id", "key"),
    Index(None, "key"),
)
"""Companies whose registry number a customer has, its own (`is_head`) or that of a branch. Keys are keyed hashes."""

parent = Table(
    "parent",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("parent_id", Text, nullable=False),
    Column("declared", Boolean, nullable=False),
    Column("registered", Boolean, nullable=False),
    Column("stated_at", Text, nullable=False),
    Index(None, "parent_id"),
)
"""The organisation that stands directly above a customer: as a source declares, or as registry numbers say."""

ancestor = Table(
    "ancestor",
    metadata,
    Column("customer_id", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("ancestor_id", Text, nullable=False),
    Column("declared", Boolean, nullable=False),
    PrimaryKeyConstraint("customer_id", "level"),
    Index(None, "ancestor_id", "level"),
)
"""All who stand above a customer, the parent at level 1; `declared` where sources declare the whole way up."""

customer_redirect = Table(
    "customer_redirect",
    metadata,
    Column("old_id", Text, primary_key=True),
    Column("new_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index(None, "new_id"),
)
"""Retired customer ids and where they lead now."""

tombstone = Table(
    "tombstone",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("erasure_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index(None, "erasure_id"),
)
"""Customers who were erased, by every id that they had."""

suppression = Table(
    "suppression",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("erasure_id", Text, nullable=False),
    Index(None, "erasure_id"),
)
"""What must not come back: keyed hashes of the erased records' keys, parties and identifiers."""

anchor = Table(
    "anchor",
    metadata,
    Column("party_id", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("anchor_id", Text, nullable=False),
    PrimaryKeyConstraint("party_id", "place"),
    Index(None, "anchor_id"),
)
"""Parties that are one customer with another by somebody's word: with the first of its anchors that there is."""

profile = Table(
    "profile",
    metadata,
    _serial(),
    Column("party_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("content", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Parties in the normal form that matching compares. `content` is JSON: columns, proofs (strong identifiers), and which
of these values too many share."""

blocking_key = Table(
    "blocking_key",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("profile_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("key", "profile_id"),
    sqlite_with_rowid=False,
)
"""Which profiles are compared with which: those that share a key. Keys are keyed hashes."""

edge = Table(
    "edge",
    metadata,
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("weight", Double, nullable=False),
    Column("joins", Boolean, nullable=False),
    PrimaryKeyConstraint("low", "high"),
    Index(None, "high"),
    sqlite_with_rowid=False,
)
"""Pairs of profiles that may be the same, the lower number first, with their match weight in bits.

`joins` where the weight alone is enough to make them one customer.
"""

decision = Table(
    "decision",
    metadata,
    Column("id", Text, primary_key=True),
    Column("act", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("left_id", Text, nullable=False),
    Column("right_id", Text, nullable=False),
    Column("holds_to", Double),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("undone_at", Text),
    Column("undone_by", Text),
    Index(None, "left_id"),
    Index(None, "right_id"),
    Index(None, "act"),
)
"""What stewards decided of pairs of parties, the lesser id first; `verdict` is same or not_same.

Decisions of one `act` were made at once. One of not_same gives way to a match weight above `holds_to` bits.
"""

command = Table(
    "command",
    metadata,
    Column("id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("result", Text),
    Column("at", Text, nullable=False),
    Index(None, "at"),
)
"""Commands that were given lately, so that one that is sent again has no second effect.

`id` is a keyed hash of who gave it and its idempotency key, `content` one of what it says. `result` is JSON with ids
only, null until a command that goes on by itself has begun.
"""

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("department", Text),
    Column("purpose", Text, nullable=False),
    Column("categories", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("stopped_at", Text),
    Column("stopped_by", Text),
    Column("uses", BigInteger, nullable=False, server_default="0"),
    Column("notified_at", Text),
    Column("notices", BigInteger, nullable=False, server_default="0"),
    Column("notice_after", Text),
    Column("reviewed_at", Text),
    Column("reviewed_by", Text),
    Column("outcome", Text),
    Column("note", Text),
    Index(None, "stopped_at", "expires_at"),
    Index(None, "reviewed_at", "started_at"),
)
"""Glasses that were broken: who opened what of which customer, why, and what came of it.

`stopped_by` is empty where its time ran out. `roles` and `categories` are JSON lists. `notices` counts the attempts to
tell of it, the next of which is due at `notice_after`.
"""

call = Table(
    "call",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pbx", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("number", Text),
    Column("extension", Text),
    Column("facts", Text, nullable=False),
    Column("began_at", Text, nullable=False),
    Column("answered_at", Text),
    Column("ended_at", Text),
    Column("cause", Text),
    Column("customer_id", Text),
    Column("level", Integer, nullable=False, server_default="0"),
    Column("method", Text),
    Column("verified_by", Text),
    Column("party_id", Text),
    Column("wrapped_at", Text),
    Column("seq", BigInteger, nullable=False),
    UniqueConstraint("pbx", "key"),
    Index(None, "seq"),
    Index(None, "number"),
    Index(None, "customer_id"),
    Index(None, "began_at"),
)
"""Calls, one row each, by what their PBX calls them (`pbx`, `key`).

`number` is the other side's in E.164, `extension` ours that rings or answered, `facts` JSON of what else came with the
call. `customer_id` is whom it was with, as far as somebody or a single match says so; `level` and `method` how sure it
is. `party_id` is the desk's party that its touchpoint is tied to. `seq` rises with each change.
"""

call_pick = Table(
    "call_pick",
    metadata,
    _serial(),
    Column("number_key", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("picked_by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("undone_at", Text),
    Index(None, "number_key"),
    Index(None, "customer_id"),
    sqlite_autoincrement=True,
)
"""Whom agents picked for calls from a number; `number_key` is a keyed hash of it."""

change = Table(
    "change",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("run_id", BigInteger),
    Column("at", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""The change feed, written in the data's own transaction; `kind` is upsert, delete, or create for a new customer."""

audit_outbox = Table(
    "audit_outbox", metadata, _serial(), Column("event", Text, nullable=False), sqlite_autoincrement=True
)
"""Audit events on their way to the log, written in the data's own transaction."""
