"""What the store keeps of calls: one row a call, and whom agents picked for calls from a number.

A number is kept as the PBX shows it only as long as its call is; what picks are remembered by is a keyed hash of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import func, select

from hub.store import Store, fixed

REMEMBERED = 20
"""Picks of one number that count, the newest ones."""


def number_key(store: Store, e164: str) -> str:
    """What stands for a number where nobody shall read it."""
    return hashlib.blake2b(f"number {e164}".encode(), digest_size=16, key=store.secret).hexdigest()


def picks_of(store: Store, e164: str) -> Mapping[str, int]:
    """How often each customer was picked for calls from the number, of the newest picks that stand."""
    table = fixed.call_pick
    newest = (
        select(table.c.customer_id)
        .where(table.c.number_key == number_key(store, e164), table.c.undone_at.is_(None))
        .order_by(table.c.id.desc())
        .limit(REMEMBERED)
        .subquery()
    )
    query = select(newest.c.customer_id, func.count()).group_by(newest.c.customer_id)
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
