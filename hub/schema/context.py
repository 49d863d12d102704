"""What the resolvers of one request share."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub.access import PlanAccess, Requester
from hub.services import Services
from hub.store import Cancellation


@dataclass(slots=True)
class Touched:
    """What a request read so far, for its audit event."""

    types: set[str] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)
    properties: set[str] = field(default_factory=set)
    customers: dict[str, None] = field(default_factory=dict)
    searched: list[str] = field(default_factory=list, repr=False)
    """What was searched for."""
    masked: int = 0
    denied: int = 0
    """Properties that the policy let be seen in part, and not at all."""

    def add(
        self,
        types: Iterable[str] = (),
        categories: Iterable[str] = (),
        properties: Iterable[str] = (),
        customers: Iterable[str] = (),
    ) -> None:
        """Add what was read; it goes into the event before the answer leaves."""
        self.types.update(types)
        self.categories.update(categories)
        self.properties.update(properties)
        self.customers.update(dict.fromkeys(customers))


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The context of one request: who asks, what for, and what was read."""

    services: Services
    requester: Requester
    access: PlanAccess
    cancellation: Cancellation
    """Ends what is read for the request when nobody waits for it any more."""
    touched: Touched = field(default_factory=Touched)

    def read(self) -> AbstractContextManager[Connection]:
        """A connection to the store for this request."""
        return self.services.store.read(self.cancellation)
