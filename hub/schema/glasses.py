"""Requests that name a broken glass: what they see, that they change nothing, and that they end with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import TypeVar

from graphql import OperationType
from graphql.execution.collect_fields import collect_fields

from hub.access import AccessMap, Glass, PlanAccess, Requester, plan_access
from hub.commands import access_through, expire_glasses, is_open, use_glass
from hub.errors import AccessDeniedError
from hub.schema.breaking import STOP
from hub.schema.catalogue import Catalogue
from hub.schema.planner import Planned
from hub.schema.waiting import Waiting
from hub.services import Services

T = TypeVar("T")


class Glasses:
    """The broken glasses of the store, as requests look through them."""

    def __init__(self, services: Services, catalogue: Catalogue, pool: Executor) -> None:
        self._services, self._catalogue, self._pool = services, catalogue, pool

    async def access(self, policy: AccessMap, requester: Requester, waiting: Waiting) -> PlanAccess:
        """What the requester sees: under the policy alone, or through the glass that they name.

        Raises:
            AccessDeniedError: it is not open for them.
        """
        if requester.break_glass is None:
            return plan_access(policy, requester)
        return await waiting.result(self._pool, lambda: access_through(self._services, requester, policy))

    async def use(
        self, policy: AccessMap, requester: Requester, access: PlanAccess, planned: Planned, waiting: Waiting
    ) -> None:
        """Record that the glass is looked through, where there is one, before it is.

        Raises:
            AccessDeniedError: it has ended meanwhile, or the request would change something.
        """
        glass = access.glass
        if glass is None:
            return
        if planned.operation.kind is OperationType.MUTATION:
            self._refuse_changes(planned)
            return
        await waiting.finished(self._pool, lambda: use_glass(self._services, requester, policy, glass))

    def _refuse_changes(self, planned: Planned) -> None:
        schema, operation = self._catalogue.graphql, planned.operation.node
        root = schema.mutation_type
        fragments, variables = dict(planned.document.fragments), dict(planned.variables)
        asked = collect_fields(schema, fragments, variables, root, operation.selection_set) if root else {}
        names = {node.name.value for nodes in asked.values() for node in nodes}
        if names != {STOP}:
            raise AccessDeniedError(f"under break-glass nothing is changed; only {STOP} may be asked for")

    async def while_open(self, happenings: AsyncIterator[T], glass: Glass | None) -> AsyncGenerator[T]:
        """What happens, as long as the glass is open; where there is none, all that happens.

        Raises:
            AccessDeniedError: it has ended.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(_left_s(glass)):
                    happening = await anext(happenings)
            except StopAsyncIteration:
                return
            except TimeoutError:
                await loop.run_in_executor(self._pool, expire_glasses, self._services)
                raise AccessDeniedError("the break-glass has run out") from None
            # What was read before it ended is told only if it has not ended since.
            if glass and not await loop.run_in_executor(self._pool, is_open, self._services, glass):
                raise AccessDeniedError("the break-glass has ended")
            yield happening


def _left_s(glass: Glass | None) -> float | None:
    return None if glass is None else max((glass.expires_at - datetime.now(UTC)).total_seconds(), 0)
