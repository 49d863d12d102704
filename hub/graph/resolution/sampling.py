"""Profiles out of the store to learn from: all of them, or those of some whole customers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

import orjson
from sqlalchemy import Connection, func, select

from hub.graph.resolution.bulk import PAGE
from hub.graph.resolution.profiles import Kind, Profile
from hub.store import fixed


@dataclass(frozen=True, slots=True)
class Sample:
    """Profiles with the customers that they are of now."""

    profiles: list[Profile] = field(repr=False)
    customers: list[str] = field(repr=False)
    share: float
    """Of all that there are: pairs of one customer are in it by this share, other pairs by its square."""


def sampled(connection: Connection, kind: Kind, about: int, seed: int) -> Sample:
    """All profiles of this kind, or about so many: whole customers, the same for the same seed."""
    profile, membership = fixed.profile.c, fixed.membership.c
    held = connection.execute(
        select(func.count()).select_from(fixed.profile).where(profile.kind == kind)
    ).scalar_one()
    share = min(1.0, about / max(held, 1))
    found = Sample([], [], share)
    query = (
        select(membership.customer_id, profile.content)
        .join(fixed.membership, membership.party_id == profile.party_id)
        .where(profile.kind == kind)
        .order_by(profile.party_id)
    )
    rows: Iterator[tuple[str, str]] = iter(connection.execute(query, execution_options={"yield_per": PAGE}))
    for customer, content in rows:
        if _place(customer, seed) < share:
            found.profiles.append(orjson.loads(content)["columns"])
            found.customers.append(customer)
    return found


def _place(customer: str, seed: int) -> float:
    """From 0 to 1, the same for the same customer and seed."""
    digest = blake2b(f"{seed} {customer}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
