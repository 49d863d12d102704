"""The company behind the API, with a policy file that tests may change, as officers look at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.access import Requester
from hub.audit import Action, AuditEvent
from hub.commands import Author
from hub.services import Services
from tests.api.api_world import POLICY, World, asking, fill, make_services

NOW = datetime.now(UTC)


@dataclass
class Office:
    world: World
    policy: Path

    @property
    def services(self) -> Services:
        return self.world.services

    def author(self, role: str = "compliance", purpose: str | None = None, subject: str = "") -> Author:
        known = self.services.access.roles[role]
        stated = purpose or known.default_purpose
        asks = Requester(
            subject or f"u-{role}", frozenset({role}), known.department, stated, "tests", (stated,)
        )
        return Author.of(asks, self.services.access)

    def change(self, old: str, new: str) -> None:
        """Put another policy in the place of the file, and have the hub look at it twice, as it does."""
        text = self.policy.read_text()
        assert old in text
        self.policy.write_text(text.replace(old, new, 1))
        for _ in range(2):
            self.services.follow_policy()

    def read(
        self,
        customers: Sequence[str] = (),
        *,
        role: str = "support",
        purpose: str = "customer_service",
        categories: Sequence[str] = ("user.contact.email",),
        subject: str = "",
        days_ago: float = 0,
        **more: Any,
    ) -> int:
        """Write a read into the log, as it would have been recorded; gives its number."""
        event = AuditEvent(
            **{
                "action": Action.READ,
                "actor": subject or f"u-{role}",
                "roles": (role,),
                "purpose": purpose,
                "policy_sha256": self.services.access.sha256,
                "data_categories": tuple(categories),
                "customers": tuple(customers),
                "at": datetime.now(UTC) - timedelta(days=days_ago),
                **more,
            }
        )
        return self.services.recorder.record_sync(event)


@contextmanager
def officing(folder: Path, url: str) -> Iterator[Office]:
    policy = folder / "policy.yaml"
    policy.write_text(POLICY.read_text())
    with make_services(folder, url, policy_file=policy) as services:
        fill(services)
        with asking(services) as world:
            yield Office(world, policy)


def someone(number: int) -> str:
    """The id of a customer of whom the log may tell."""
    return f"customer-of-test-{number:04}"
