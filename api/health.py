"""`/healthz`, `/readyz`, `/metrics`: for supervisors and Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.context import Context, InContext
from api.problems import ProblemError, problem_response
from storage.read_health import OUTAGES, migrations_applied, positions, ticket_states, totals
from telemetry.clock import MICROS

router = APIRouter(tags=["health"])


class Meters:
    """What is measured of requests, and of the database whenever someone asks."""

    def __init__(self, context: Context) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "wellkept_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "wellkept_http_seconds",
            "Time to answer",
            ["route"],
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
        )
        self.registry.register(_Product(context))
        self._wall = context.wall

    @contextmanager
    def timer(self) -> Iterator[Callable[[], float]]:
        """Gives a function that tells the seconds the block took."""
        start = self._wall()
        end = start

        def seconds() -> float:
            return max(0.0, (end - start) / MICROS)

        yield seconds
        end = self._wall()


class _Product(Collector):
    def __init__(self, context: Context) -> None:
        self._context = context

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        with self._context.begin() as tx:
            counted, states, standing = totals(tx.conn), ticket_states(tx.conn), positions(tx.conn)
            now = tx.wall
        for name in counted.__slots__:
            yield GaugeMetricFamily(f"wellkept_{name}", name.replace("_", " "), value=getattr(counted, name))
        tickets = GaugeMetricFamily("wellkept_tickets", "tickets by state", labels=["state"])
        for state, count in states.items():
            tickets.add_metric([state], count)
        yield tickets
        age = GaugeMetricFamily("wellkept_position_age_seconds", "since a partition last moved", labels=["partition"])
        for each in standing:
            if each.moved is not None:
                age.add_metric([str(each.partition)], max(0.0, (now - each.moved).total_seconds()))
        yield age


@router.get("/healthz")
def healthz(context: InContext) -> dict[str, str]:
    """The process lives."""
    return {"status": "ok", "version": context.settings.version}


@router.get("/readyz")
def readyz(context: InContext) -> Response:
    """The database answers and has the schema; the partitions' positions and how long ago they moved are told."""
    try:
        with context.begin() as tx:
            applied, standing, now = migrations_applied(tx.conn), positions(tx.conn), tx.wall
    except OUTAGES:
        problem = ProblemError(503, "not-ready", "Not ready", "the database does not answer or has no schema yet")
        return problem_response(problem, "/readyz")
    moved = [each.moved for each in standing if each.moved is not None]
    body: dict[str, Any] = {
        "status": "ready",
        "migrations": applied,
        "partitions": len(standing),
        "last_moved_s": round((now - max(moved)).total_seconds(), 3) if moved else None,
        "longest_still_s": round((now - min(moved)).total_seconds(), 3) if moved else None,
    }
    return JSONResponse(body)


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Prometheus text."""
    meters: Meters = request.app.state.meters
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)
