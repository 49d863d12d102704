"""Commands, glasses, calls; what is to be told to followers and to the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, UniqueConstraint

from hub.store.fixed.base import Serial, metadata, serial

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
    serial(),
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
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("run_id", BigInteger),
    Column("at", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""The change feed, written in the data's own transaction; `kind` is upsert, delete, or create for a new customer."""

audit_outbox = Table(
    "audit_outbox", metadata, serial(), Column("event", Text, nullable=False), sqlite_autoincrement=True
)
"""Audit events on their way to the log, written in the data's own transaction."""
