"""What the hub keeps about itself for those who supervise it: configurations in force, grants looked at."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from hub.store.fixed.base import metadata, serial

configuration = Table(
    "configuration",
    metadata,
    serial(),
    Column("kind", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("since", Text, nullable=False),
    Index(None, "kind", "id"),
    sqlite_autoincrement=True,
)
"""What was in force, from when on: a row each time that it became another.

`kind` is `policy`, whose hash is that of audit events, `ontology` or `sources`; `content` is JSON of names and
structure, without addresses, secrets and values. One that came back into force has two rows.
"""

attestation = Table(
    "attestation",
    metadata,
    serial(),
    Column("grant_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("policy_sha256", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index(None, "grant_id", "id"),
    sqlite_autoincrement=True,
)
"""Who looked at which grant of the policy, and what they found: `keep`, `narrow` or `revoke`."""
