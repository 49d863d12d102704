"""What sources were read, and what they state."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from hub.store.fixed.base import Serial, metadata, serial

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

run = Table(
    "run",
    metadata,
    serial(),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Index(None, "source", "id"),
    sqlite_autoincrement=True,
)
"""One pass over a source. `kind` is sync, backfill, replay, remap, reproject, resolve, forget or command; `state` is
running, ok, suspect, failed or interrupted."""

run_stream = Table(
    "run_stream",
    metadata,
    Column("run_id", Serial, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
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

backfill = Table(
    "backfill",
    metadata,
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("cursor", Text),
    Column("since", Text, nullable=False),
    PrimaryKeyConstraint("source", "stream"),
)
"""How far a stream is read again from its beginning, beside the syncs that follow its changes."""

record = Table(
    "record",
    metadata,
    serial(),
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

GONE = "state IN ('deleted', 'discarded')"
"""Which heads are of records that their source has no more, or that somebody threw away."""
_OF_GONE: dict[str, Any] = {f"{dialect}_where": text(GONE) for dialect in ("sqlite", "postgresql")}

record_head = Table(
    "record_head",
    metadata,
    serial(),
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("record_id", BigInteger),
    Column("hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("observed_at", Text, nullable=False),
    UniqueConstraint("source", "stream", "key"),
    Index("ix_record_head_gone", "source", "stream", **_OF_GONE),
    sqlite_autoincrement=True,
)
"""The newest version of each source record; `state` is accepted, quarantined, discarded or deleted.

`record_id` is the newest accepted version: a record whose newest version waits in quarantine keeps serving the last
good one.
"""

quarantine = Table(
    "quarantine",
    metadata,
    serial(),
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

frozen_source = Table(
    "frozen_source",
    metadata,
    Column("source", Text, primary_key=True),
    Column("since", Text, nullable=False),
    Column("until", Text),
    Column("reason", Text, nullable=False),
)
"""Sources that no sync may begin of, for as long as somebody works on them."""

edi_answer = Table(
    "edi_answer",
    metadata,
    serial(),
    Column("source", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("partner", Text, nullable=False),
    Column("control", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("taken", Boolean, nullable=False),
    Column("resent", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("numbers", Integer, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("written_at", Text),
    UniqueConstraint("source", "path", "state", "place"),
    Index(None, "source", "partner", "control"),
    sqlite_autoincrement=True,
)
"""Interchanges of trading partners that were answered: the file with its state, and which of its interchanges it was.

`number` is the first of `numbers` control numbers that the answer took of those of its source and partner; `resent` is
first, again or changed. The row at place 0 says that all of a file is answered, or was read before answers were wanted.
"""
