"""Legal holds, what retention has erased, and the register of incidents."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from hub.store.fixed.base import metadata

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("id", Text, primary_key=True),
    Column("matter", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("until", Text, nullable=False),
    Column("placed_at", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("released_at", Text),
    Column("released_by", Text),
    Index(None, "released_at"),
)
"""Why customers may not be erased; `until` is the day of review, after which it goes on to hold."""

held_party = Table(
    "held_party",
    metadata,
    Column("hold_id", Text, nullable=False),
    Column("party_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    PrimaryKeyConstraint("hold_id", "party_id"),
    Index(None, "party_id"),
)
"""The parties that a hold is on, so that it follows them through merges; `customer_id` is whose they were then."""

retirement = Table(
    "retirement",
    metadata,
    Column("erasure_id", Text, primary_key=True),
    Column("at", Text, nullable=False),
)
"""Batches of source records that retention erased, of customers who stay."""

past_activity = Table(
    "past_activity",
    metadata,
    Column("party_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("party_id", "type", "property"),
)
"""The latest times of rows that retention erased of parties who stay: without them a customer would seem never to have
bought, or to have been silent for longer than they were. `property` is empty, and `at`, where a type has no time."""

emptied = Table(
    "emptied",
    metadata,
    Column("head_id", BigInteger, nullable=False),
    Column("field", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("cause", Text, nullable=False),
    PrimaryKeyConstraint("head_id", "field", "hash"),
)
"""What retention emptied in records that stay: the field of the record, and a keyed hash of what it said there, so that
the next import does not bring it back. `cause` is the id of the event that the run began with."""

incident = Table(
    "incident",
    metadata,
    Column("id", Text, primary_key=True),
    Column("opened_at", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("aware_at", Text, nullable=False),
    Column("nature", Text, nullable=False),
    Column("consequences", Text, nullable=False),
    Column("measures", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("found", Text, nullable=False),
    Index(None, "aware_at"),
)
"""Personal data breaches (GDPR Art. 33(5)). `scope` is JSON of what was asked, `found` of counts; no values."""

incident_customer = Table(
    "incident_customer",
    metadata,
    Column("incident_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    PrimaryKeyConstraint("incident_id", "customer_id"),
    Index(None, "customer_id"),
)
"""Whom an incident affects, as was found when it was recorded."""

incident_step = Table(
    "incident_step",
    metadata,
    Column("incident_id", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("noted_at", Text, nullable=False),
    Column("noted_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    PrimaryKeyConstraint("incident_id", "place"),
)
"""What was done about an incident, in the order in which it was noted."""
