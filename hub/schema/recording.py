"""The audit event of each request: who asked what for, what was read of whom, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from graphql import ExecutionResult

from hub.access import Requester
from hub.audit import Action, AuditEvent, Outcome, Payload, Retention, Sealer
from hub.commands import is_glass_id
from hub.errors import RequestError
from hub.graph.plans import PlanResult
from hub.schema.answers import Answer
from hub.schema.context import Touched
from hub.schema.documents import Document
from hub.schema.planner import Planned
from hub.schema.plans import OperationPlan, Reading
from hub.schema.refusals import Refused
from hub.schema.searching import SEARCH_FIELDS
from hub.store import iso_utc

_REQUESTERS = 1_000
"""Requesters whose part of the event is kept: it is the same in all of their requests."""


class Events:
    """Makes the events of requests."""

    def __init__(self) -> None:
        self.of = lru_cache(_REQUESTERS)(self._of)
        """`of(requester, policy_sha256)`: an event with what is known of the requester, to be made `again` for each
        request under the policy.

        Raises:
            AuditError: the requester's names have no place in the log.
        """

    def login_refused(self, refused: Refused, policy_sha256: str, attempts: int = 1) -> AuditEvent:
        """The event of those who were not let in, with their name where their token proves it.

        Raises:
            AuditError: the name has no place in the log.
        """
        return AuditEvent(
            Action.LOGIN_REFUSED,
            refused.subject or "anonymous",
            department=refused.department,
            outcome=Outcome.REFUSED,
            reason_code=refused.code,
            policy_sha256=policy_sha256,
            counts={"attempts": attempts},
        )

    def _of(self, requester: Requester, policy_sha256: str) -> AuditEvent:
        return AuditEvent(
            Action.READ,
            requester.subject,
            roles=tuple(sorted(requester.roles)),
            department=requester.department,
            purpose=requester.purpose,
            policy_sha256=policy_sha256,
            break_glass=requester.break_glass if is_glass_id(requester.break_glass) else None,
        )


def refused_event(event: AuditEvent, error: RequestError, document: Document | None) -> AuditEvent:
    """The event of a request that is not executed."""
    return event.again(
        action=Action.READ_REFUSED,
        outcome=Outcome.REFUSED,
        reason_code=error.code,
        query_sha256=document.recorded_as if document else None,
    )


def failed_event(event: AuditEvent, answer: Answer, document: Document | None) -> AuditEvent:
    """The event of a request that the hub could not answer."""
    return event.again(
        outcome=Outcome.FAILED,
        reason_code="UNAVAILABLE" if answer.unavailable else "INTERNAL_ERROR",
        query_sha256=document.recorded_as if document else None,
    )


def read_event(
    event: AuditEvent, planned: Planned, plan: OperationPlan, found: Sequence[PlanResult]
) -> AuditEvent:
    """The event of a query that plans answer."""
    reading = plan.reading
    customers = tuple(customer for each in found for customer in each.customers)
    return event.again(
        outcome=Outcome.PARTIAL if plan.notes else Outcome.OK,
        query_sha256=planned.document.recorded_as,
        as_of=_past_times(planned),
        entity_types=reading.types,
        data_categories=reading.categories,
        customers=customers,
        counts={
            "customers": len(set(customers)),
            "fields": len(reading.properties),
            "masked": reading.masked,
            "denied": reading.denied,
        },
    )


def found_event(event: AuditEvent, touched: Touched) -> AuditEvent:
    """The event of a query that plans answer, whose rows a search found: one of both."""
    customers = tuple(dict.fromkeys([*event.customers, *touched.customers]))
    return event.again(
        action=Action.SEARCH,
        entity_types=sorted({*event.entity_types, *touched.types}),
        data_categories=sorted({*event.data_categories, *touched.categories}),
        customers=customers,
        counts={**event.counts, "customers": len(customers)},
    )


def told_event(event: AuditEvent, planned: Planned, touched: Touched, result: ExecutionResult) -> AuditEvent:
    """The event of an operation that an executor answers."""
    plan = planned.plan
    asked = plan is not None and not SEARCH_FIELDS.isdisjoint(plan.others)
    searches = asked or bool(touched.searched)
    partial = (
        bool(result.errors)
        or (plan is not None and bool(plan.notes))
        or bool(touched.masked or touched.denied)
    )
    return event.again(
        action=Action.SEARCH if searches else Action.READ,
        outcome=Outcome.PARTIAL if partial else Outcome.OK,
        reason_code="field_errors" if result.errors else None,
        query_sha256=planned.document.recorded_as,
        as_of=_past_times(planned),
        entity_types=sorted(touched.types),
        data_categories=sorted(touched.categories),
        customers=tuple(touched.customers),
        counts={
            "customers": len(touched.customers),
            "fields": len(touched.properties),
            "masked": touched.masked + (plan.reading.masked if plan else 0),
            "denied": touched.denied + (plan.reading.denied if plan else 0),
        },
    )


def _past_times(planned: Planned) -> tuple[str, ...]:
    fields = planned.plan.fields if planned.plan else ()
    return tuple(iso_utc(each.as_of.at(planned.variables)) for each in fields if each.as_of is not None)


def with_searches(event: AuditEvent, touched: Touched, sealer: Sealer) -> AuditEvent:
    """The event with what was searched for, sealed by the key of its day: who was meant, nobody knows.

    Raises:
        AuditError: the key cannot be had.
    """
    if not touched.searched:
        return event
    content = {"searched": touched.searched}
    return sealer.sealed(event, [Payload(f"{event.at:%Y-%m-%d}", Retention.SEARCH, content)])


def stream_event(
    event: AuditEvent, document: Document, reading: Reading, customers: Sequence[str], *, partial: bool
) -> AuditEvent:
    """The event of a subscription that begins, or of what it tells of customers."""
    return event.again(
        outcome=Outcome.PARTIAL if partial else Outcome.OK,
        query_sha256=document.recorded_as,
        entity_types=reading.types,
        data_categories=reading.categories,
        customers=customers,
        counts={
            "customers": len(customers),
            "fields": len(reading.properties),
            "masked": reading.masked,
            "denied": reading.denied,
        },
    )
