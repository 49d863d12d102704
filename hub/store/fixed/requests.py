"""Privacy requests, their steps, what a law has kept of an erased person, and who tried to come back."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, Table, Text

from hub.store.fixed.base import metadata, serial

privacy_request = Table(
    "privacy_request",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("law", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("customer_id", Text),
    Column("is_agent", Boolean, nullable=False, server_default="0"),
    Column("contact", Text),
    Column("details", Text),
    Column("method", Text),
    Column("verified_by", Text),
    Column("verified_at", Text),
    Column("agent_checked", Boolean, nullable=False, server_default="0"),
    Column("extended_at", Text),
    Column("fee", Text),
    Column("erasure_id", Text),
    Column("outcome", Text),
    Column("closed_at", Text),
    Column("closed_by", Text),
    Index(None, "state"),
    Index(None, "customer_id"),
)
"""What people asked for. `contact` and `details` are theirs, and are emptied when the request is closed."""

privacy_pause = Table(
    "privacy_pause",
    metadata,
    serial(),
    Column("request_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("until", Text),
    Index(None, "request_id"),
    sqlite_autoincrement=True,
)
"""Times at which the clock of a request stood."""

privacy_step = Table(
    "privacy_step",
    metadata,
    Column("request_id", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("place", Text, nullable=False),
    Column("place_kind", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("proof", Text),
    Column("done_by", Text),
    Column("done_at", Text),
    PrimaryKeyConstraint("request_id", "number"),
)
"""What is to be done for a request, one row a place: `way` is auto, source, task or notice."""

privacy_retained = Table(
    "privacy_retained",
    metadata,
    serial(),
    Column("request_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("until", Text, nullable=False),
    Index(None, "request_id"),
    sqlite_autoincrement=True,
)
"""What a law has kept of somebody who was erased, apart from all else that is served. `content` is JSON by property."""

resurrection = Table(
    "resurrection",
    metadata,
    Column("cause", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    PrimaryKeyConstraint("cause", "source", "stream"),
)
"""Records that a source brought of somebody who was erased, or with a value that was corrected.

`cause` is the id of the erasure, or of the request.
"""

rectified = Table(
    "rectified",
    metadata,
    Column("request_id", Text, nullable=False),
    Column("party_id", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("wrong", Text, nullable=False),
    Column("mended_at", Text),
    PrimaryKeyConstraint("request_id", "party_id", "property"),
    Index(None, "source"),
    Index(None, "party_id"),
)
"""What sources stated when it was corrected: `wrong` is a keyed hash of it."""
