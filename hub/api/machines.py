"""PBXs at the door: who they are by their API key, how often they may ask, what their lookups leave in the log.

A key comes as a bearer token, in the header `X-Api-Key`, or as `key` in the query, for PBXs that can send nothing else.
The query is neither logged nor handed on.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from hub.access import Authenticator, Caller, PlanAccess, Requester, plan_access
from hub.audit import Action, AuditEvent, Outcome
from hub.buckets import Buckets
from hub.calls import Asked
from hub.commands import Author
from hub.errors import AuthenticationError, LimitError, RateLimitError, RequestError
from hub.schema import GraphQLService
from hub.services import Services
from hub.settings import PbxSettings

THREADS = 8
MOST_WAITING = 64
"""Lookups that may be under way: while the database hangs, no more are begun."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Machine:
    """A PBX, or whoever else looks callers up, as this request has it."""

    requester: Requester
    author: Author
    access: PlanAccess
    pbx: PbxSettings

    @property
    def label(self) -> str:
        """What its calls are told apart by: the label of its key."""
        return self.requester.client


class Machines:
    """Lets machines in, and works for them in threads of its own: a database that hangs holds nobody else up."""

    def __init__(self, services: Services, service: GraphQLService, authenticator: Authenticator) -> None:
        self._services, self._service, self._authenticator = services, service, authenticator
        self._requests = Buckets(services.settings.pop_requests)
        self._pool = ThreadPoolExecutor(THREADS, "cti")
        self.under_way = 0
        """How much is being done in threads."""

    def close(self) -> None:
        """Begin no more; what is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def let_in(self, credential: str | None, purpose: str | None = None) -> Machine:
        """Who the key or token proves to be asking.

        Raises:
            RequestError: nobody, or one without a role or a purpose, or one who asks too often; that is on record.
        """
        caller: Caller | None = None
        try:
            if not credential:
                raise AuthenticationError(
                    "send an API key: as a bearer token, in X-Api-Key, or as key in the query"
                )
            caller = await self._authenticator.caller(credential)
            self._count(caller)
            requester = self._authenticator.requester(caller, purpose)
        except RequestError as error:
            await self._service.refuse(error, caller)
            raise
        access = self._services.access
        author = Author.of(requester, access)
        return Machine(
            requester,
            author,
            plan_access(access, requester),
            self._services.settings.pbx_of(requester.client),
        )

    def _count(self, caller: Caller) -> None:
        who = (caller.client, caller.subject)
        if wait_s := self._requests.seconds_until(who, 1):
            most = self._requests.most
            raise RateLimitError(
                f"too many lookups; the limit pop_requests is {most} a minute", math.ceil(wait_s)
            )
        self._requests.take(who, 1)

    async def work(self, work: Callable[[], T]) -> T:
        """What the work comes to in a thread.

        Raises:
            LimitError: too much is under way already.
        """
        if self.under_way >= MOST_WAITING:
            raise LimitError("too many lookups are under way; try again later")
        self.under_way += 1
        working = asyncio.get_running_loop().run_in_executor(self._pool, work)
        working.add_done_callback(self._done)
        return await asyncio.shield(working)

    def _done(self, working: asyncio.Future[T]) -> None:
        self.under_way -= 1
        if not working.cancelled():
            working.exception()  # nobody may be waiting for it any more

    async def recorded(self, machine: Machine, asked: Asked) -> None:
        """Have on record what was read for the machine, before it is answered.

        Raises:
            AuditError: the log cannot take it; then nothing may be answered.
        """
        await self._services.recorder.recorded(read_event(machine.author, asked))


def read_event(author: Author, asked: Asked) -> AuditEvent:
    """The audit event of a card."""
    seen = asked.seen
    return author.event(
        Action.READ,
        outcome=Outcome.PARTIAL if seen.masked or seen.denied else Outcome.OK,
        entity_types=tuple(sorted(seen.types)),
        data_categories=tuple(sorted(seen.categories)),
        customers=tuple(seen.customers),
        counts={
            "customers": len(seen.customers),
            "fields": len(seen.properties),
            "masked": seen.masked,
            "denied": seen.denied,
        },
    )


def credential_of(request: Request) -> str | None:
    """The key or token that comes with the request."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key") or request.query_params.get("key")
