"""Figures for Prometheus: how the sources are, and how this process answers. Names and counts only, of nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.access import plan_access
from hub.adapters import source_statuses
from hub.adapters.runs import COUNT_NAMES
from hub.adapters.turns import past_of
from hub.api.admission import Admission
from hub.api.http import JSON, Reply, status_of
from hub.errors import AccessDeniedError
from hub.schema import GraphQLService
from hub.schema.queries import require_sources
from hub.services import Services

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
STATES = ("never", "running", "ok", "suspect", "failed", "interrupted", "removed")


class Requests:
    """Counts what this process answers, and times it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (GCCollector, PlatformCollector, ProcessCollector):
            collector(registry=self.registry)
        self._seconds = Histogram(
            "hub_request_seconds",
            "Seconds that requests took; of sockets and streams, how long they were open.",
            ("method", "path"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._answers = Counter(
            "hub_requests", "Requests by status.", ("method", "path", "status"), registry=self.registry
        )

    def note(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._seconds.labels(method, path).observe(seconds)
        self._answers.labels(method, path, str(status)).inc()


class _Sources(Collector):
    """The state of the sources as the store tells it at this moment, whoever read them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """The families of figures."""
        state = GaugeMetricFamily(
            "hub_source_state", "1 for the state of its newest run.", None, ("source", "state")
        )
        lag = GaugeMetricFamily(
            "hub_source_lag_seconds", "Age of its data: since its newest good run.", None, ("source",)
        )
        waiting = GaugeMetricFamily(
            "hub_source_quarantined", "Records that wait in quarantine.", None, ("source",)
        )
        held = GaugeMetricFamily("hub_source_records", "Records held.", None, ("source",))
        failures = GaugeMetricFamily("hub_source_failures", "Runs in a row that failed.", None, ("source",))
        drift = GaugeMetricFamily(
            "hub_source_drifted_fields", "Fields that are not as they were.", None, ("source",)
        )
        last = GaugeMetricFamily(
            "hub_source_last_run_records",
            "Records of its newest run by what became of them.",
            None,
            ("source", "outcome"),
        )
        brought = GaugeMetricFamily(
            "hub_source_deliveries_waiting",
            "Deliveries of its webhook that no run has taken in.",
            None,
            ("source",),
        )
        for name, backlog in self._services.inbox.backlogs().items():
            brought.add_metric((name,), backlog.waiting)
        store = self._services.store
        for each in source_statuses(store, self._services.sources.configs, datetime.now(UTC)):
            for name in STATES:
                state.add_metric((each.name, name), float(each.state == name))
            if each.lag_s is not None:
                lag.add_metric((each.name,), each.lag_s)
            waiting.add_metric((each.name,), each.waiting)
            held.add_metric((each.name,), each.records)
            drift.add_metric((each.name,), len(each.drift))
            with store.read() as connection:
                failures.add_metric((each.name,), past_of(connection, each.name).failures)
            for name in COUNT_NAMES:
                last.add_metric((each.name, name), getattr(each.last_counts, name))
        yield from (state, lag, waiting, held, failures, drift, last, brought)


class MetricsPage:
    """Answers those who may know the state of the sources."""

    def __init__(
        self, service: GraphQLService, admission: Admission, services: Services, requests: Requests
    ) -> None:
        self._service, self._admission, self._services = service, admission, services
        self._requests = requests
        self._sources = CollectorRegistry()
        self._sources.register(_Sources(services))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> ASGIApp:
        caller = await self._admission.caller(request.headers)
        if isinstance(caller, Reply):
            return caller
        try:
            require_sources(plan_access(self._services.access, caller.requester))
        except AccessDeniedError as error:
            answer = await self._service.turn_away(error, caller.requester)
            return Reply(answer.body, status_of(answer, JSON))
        sources = await asyncio.to_thread(generate_latest, self._sources)
        return Response(sources + generate_latest(self._requests.registry), media_type=CONTENT_TYPE)
