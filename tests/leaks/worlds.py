"""Two hubs side by side: one with the company, one with what a role's other world holds in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import orjson
from starlette.types import ASGIApp

from hub.access import DemoIssuer, PlanAccess, Requester, plan_access
from hub.access.scope import Attributes
from hub.api import app as app_module
from hub.api import create_app
from hub.audit import AuditEvent, Recorder
from hub.cache import BoundedCache
from hub.ontology import CUSTOMER
from hub.schema import GraphQLService
from hub.schema.planner import GraphQLRequest
from hub.schema.plans import Plans
from hub.search.service import KEPT
from hub.services import Services, open_services
from hub.settings import Settings
from tests.leaks.canaries import hidden_parts
from tests.leaks.company import fill
from tests.leaks.hiding import Hiding
from tests.leaks.landing import past_of
from tests.leaks.policies import REACHES, requester, write_policy
from tests.leaks.reaching import Reaching, attributes_of
from tests.leaks.seen_through import GlassRow, ThroughGlass, only
from tests.leaks.twins import Rows, Twin, read_rows, write_rows
from tests.leaks.ways import WAYS, Question
from tests.statements import noting


@dataclass
class _Kept:
    """A recorder that keeps the events where a test can read them."""

    events: list[AuditEvent] = field(default_factory=list)

    def record_sync(self, event: AuditEvent) -> int:
        self.events.append(event)
        return len(self.events)

    async def recorded(self, event: AuditEvent) -> int:
        return self.record_sync(event)


LONG_PATIENCE_S = 6.0
PATIENCE_S = 2.0
"""How long one waits for an event that should not be missing."""


@dataclass
class Told:
    """All that an observer of one request learns."""

    body: bytes
    """Several, for what is told as it happens; with status, headers and frames where it came by one of the ways."""
    events: list[dict[str, Any]]
    """As the audit log keeps them, without id and time, and without whose data it was: that the log must know."""
    statements: list[str]
    """What was asked of the database: the time that an answer takes follows from it."""
    answers: tuple[Any, ...]
    """The answers in it, read."""

    @property
    def tree(self) -> Any:
        """The first answer."""
        return self.answers[0]


@dataclass
class World:
    """One hub."""

    services: Services
    service: GraphQLService
    kept: _Kept
    runner: asyncio.Runner
    statements: list[str] = field(default_factory=list)
    expected: int | None = None
    """How many events are waited for, however long they take; what comes after them should not."""
    patience: float = 1.0
    """How many times as long as usual one waits."""
    attributes: Attributes = ()
    """What the tokens of those who ask say for row scopes."""
    glass: str | None = None
    """The broken glass that is looked through."""

    def ask(self, query: str, role: str, variables: dict[str, Any], way: str | None = None) -> Told:
        """The answer, and its event in the log; asked at the service itself, or by one of the ways to it."""
        return self.runner.run(self.asked(query, role, variables, way))

    async def asked(self, query: str, role: str, variables: dict[str, Any], way: str | None) -> Told:
        """As `ask`, on the event loop that it runs."""
        request, question = GraphQLRequest(query, None, variables), self._question(query, variables, role)
        self.statements.clear()
        if way is not None:
            heard = await WAYS[way](self.app, question)
            body, answers = heard.wire, heard.answers
        elif query.startswith("subscription"):
            bodies = await self._listened(request, role)
            body, answers = b" ".join(bodies), tuple(map(orjson.loads, bodies))
        else:
            body = (await self.service.answer(request, self._who(role))).body
            answers = (orjson.loads(body),)
        if not query.startswith(("query", "{")):
            # Whoever listens looks again and again, and what is written is another matter.
            self.statements.clear()
        if "asOf:" in query and b'{"customer":null}' not in body:
            # How long it takes to make the past of a customer follows from all that there is of them.
            self.statements.clear()
        events = [_told(event) for event in self.kept.events]
        self.kept.events.clear()
        return Told(body, events, list(self.statements), answers)

    def _who(self, role: str) -> Requester:
        return requester(role, self.attributes, self.glass)

    @cached_property
    def app(self) -> ASGIApp:
        """The web application before this very service."""
        with patch.object(app_module, "GraphQLService", lambda _services: self.service):
            return create_app(self.services)

    def _question(self, query: str, variables: dict[str, Any], role: str) -> Question:
        issuer = DemoIssuer(self.services.settings.data_dir)
        asks = requester(role)
        token = issuer.issue(asks.subject, asks.department, sorted(asks.roles), list(asks.purposes))
        return Question(query, variables, token, asks.purpose, self.changes, self.glass)

    async def _listened(self, request: GraphQLRequest, role: str) -> list[bytes]:
        """What is told of all that has happened."""
        bodies: list[bytes] = []
        who = self._who(role)
        usual = PATIENCE_S if self.expected is None else LONG_PATIENCE_S
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(usual * self.patience) as patience,
                aclosing(self.service.stream(request, who, lambda: who)) as told,
            ):
                most = self.changes
                async for answer in told:
                    bodies.append(answer.body)
                    if len(bodies) == most:
                        break
                    if len(bodies) == self.expected:
                        patience.reschedule(asyncio.get_running_loop().time() + PATIENCE_S / 4)
        return bodies

    @property
    def changes(self) -> int:
        """How often customers have changed."""
        with self.services.store.read() as connection:
            return connection.exec_driver_sql(
                f"SELECT count(*) FROM change WHERE type = '{CUSTOMER}'"
            ).scalar_one()


def _told(event: AuditEvent) -> dict[str, Any]:
    kept = orjson.loads(event.encode())
    counts = {name: count for name, count in kept.get("counts", {}).items() if name != "customers"}
    # Each world, and each way, has tokens of its own.
    own = {"id", "at", "customers", "counts", "credential"}
    return {name: kept[name] for name in kept.keys() - own} | counts


class Pair:
    """The two hubs; `become` makes the second a role's other world."""

    def __init__(self, one: World, other: World) -> None:
        self.one, self.other = one, other
        self.rows = read_rows(one.services.store)
        self.other_rows: Rows = {}
        self.secrets: frozenset[str] = frozenset()
        """Parts of the texts that the role may not see, of either world."""
        self._other: tuple[str, bool, bool] | None = None
        """Which world the second hub holds: whose, with the same parties or not, hostile or not."""

    @property
    def services(self) -> Services:
        """The first hub's."""
        return self.one.services

    @property
    def catalogue(self) -> Any:
        return self.one.service.catalogue

    def access(self, role: str) -> PlanAccess:
        """The role's access."""
        return plan_access(self.services.access, requester(role, self.one.attributes))

    def hiding(self, role: str) -> Hiding:
        """What the role may not see."""
        return Hiding(self.services.ontology, self.access(role))

    def become(self, role: str, same_parties: bool = False, *, hostile: bool = False) -> None:
        """Make the second hub the role's other world, with values that break things where it is `hostile`."""
        wanted = (role, same_parties, hostile)
        if wanted == self._other:
            return
        self._other = None
        self.one.expected = self.other.expected = None
        self.one.attributes = self.other.attributes = ()
        self.one.glass = self.other.glass = None
        twin = Twin(self.services.store, self.rows, self.hiding(role), role, same_parties, hostile=hostile)
        self.other_rows = twin.rows()
        write_rows(self.other.services.store, self.other_rows)
        self.other.services.indexer.rebuild()
        self.secrets = hidden_parts(self.services.store, (self.rows, self.other_rows), self.hiding(role))
        self._other = wanted

    def become_without(self, role: str) -> None:
        """Make the second hub one without the customers that the role does not reach."""
        self._other = None
        attributes = () if role == "without_attributes" else attributes_of(self.services.store, self.rows)
        self.one.attributes = self.other.attributes = attributes
        self.one.glass = self.other.glass = None
        reaching = Reaching(self.services.store, self.rows, self.access(role).reach, REACHES[role][1])
        self.other_rows = reaching.rows()
        write_rows(self.other.services.store, self.other_rows)
        self.other.services.indexer.rebuild()
        self.one.expected = self.other.expected = self.other.changes
        self.secrets = frozenset()

    def become_under(self, role: str, subject: str) -> ThroughGlass:
        """Make the second hub one with nobody but the subject, and of them with other values wherever the role may not
        see them even through the glass; and have that glass broken in both.
        """
        self._other = None
        self.one.attributes = self.other.attributes = ()
        glass = GlassRow.drawn(self.services.access, role, subject)
        through = ThroughGlass(self.services.access, self.services.ontology.taxonomy, glass)
        hiding = Hiding(self.services.ontology, through)
        self.rows["break_glass"] = []
        twin = Twin(self.services.store, self.rows, hiding, f"{role} {subject}", same_parties=False)
        self.other_rows = only(self.services.store, twin.rows(), subject)
        self.rows["break_glass"] = self.other_rows["break_glass"] = [glass.row]
        write_rows(self.one.services.store, self.rows)
        write_rows(self.other.services.store, self.other_rows)
        for world in (self.one, self.other):
            world.services.indexer.rebuild()
            world.glass = glass.id
        self.one.expected = self.other.expected = self.other.changes
        self.secrets = frozenset()
        return through

    def ask(
        self, query: str, role: str, variables: dict[str, Any], way: str | None = None
    ) -> tuple[Told, Told]:
        """What the two hubs tell; they are listened to at once, for that is mostly waiting."""
        if query.startswith("subscription"):
            return self.one.runner.run(self._listened(query, role, variables, way))
        return self.one.ask(query, role, variables, way), self.other.ask(query, role, variables, way)

    async def _listened(
        self, query: str, role: str, variables: dict[str, Any], way: str | None
    ) -> tuple[Told, Told]:
        return await asyncio.gather(
            self.one.asked(query, role, variables, way), self.other.asked(query, role, variables, way)
        )

    @contextmanager
    def patient(self) -> Iterator[None]:
        """While inside, what happens has five times as long to be told."""
        self.one.patience = self.other.patience = 5.0
        try:
            yield
        finally:
            self.one.patience = self.other.patience = 1.0

    def restore(self) -> None:
        """Undo what was written into the hubs."""
        write_rows(self.one.services.store, self.rows)
        self._other = None

    def forget_plans(self) -> None:
        """Compile everything anew, and what searches admit, for when a guard is another one now."""
        settings = self.services.settings
        planner = self.one.service.planner
        planner.plans = Plans(
            self.catalogue, self.services.store.dialect.name, settings.max_page, settings.max_cost
        )
        for world in (self.one, self.other):
            world.services.search._admissions = BoundedCache(KEPT)


@contextmanager
def make_pair(folder: Path, urls: tuple[str, str], roles: int) -> Iterator[Pair]:
    """Two hubs on these databases, with a policy of so many roles; plans and schema are shared."""
    with ExitStack() as open_:
        runner = open_.enter_context(asyncio.Runner())
        services = [
            open_.enter_context(_services(folder / name, url, roles))
            for name, url in zip(("one", "other"), urls, strict=True)
        ]
        fill(services[0].store)
        write_rows(services[0].store, read_rows(services[0].store))
        services[0].indexer.rebuild()
        one = _world(services[0], runner, open_)
        other = _world(services[1], runner, open_)
        other.service.planner = one.service.planner
        yield Pair(one, other)


def _services(folder: Path, url: str, roles: int) -> Services:
    from hub.ontology import load_ontology

    folder.mkdir()
    (folder / "config").mkdir()
    settings = Settings(
        data_dir=folder / "var",
        store_url=url,  # type: ignore[arg-type]  # pydantic makes a secret of it
        config_dir=folder / "config",
        queries_dir=folder / "config",
        policy_file=write_policy(folder / "policy.yaml", load_ontology(), roles),
        demo=True,
        max_cost=10**8,
        max_preparing_s=60,
    )
    return open_services(settings, {})


def _world(services: Services, runner: asyncio.Runner, open_: ExitStack) -> World:
    kept = _Kept()
    past = past_of(services.store)
    open_.callback(past.close)
    service = GraphQLService(replace(services, recorder=cast(Recorder, kept), past=past))
    open_.callback(service.close)
    world = World(services, service, kept, runner)
    open_.enter_context(noting(services.store, world.statements.append))
    return world
