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
from api.parts import Watch
from api.problems import ProblemError, problem_response
from storage.read_health import positions, ticket_states, totals
from telemetry.clock import MICROS, to_datetime

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
def readyz(request: Request, context: InContext) -> Response:
    """Whether every part does its work: database, stream, ingest, and a worker on each partition."""
    watch: Watch = request.app.state.watch
    parts = watch.parts()
    said = [{"part": each.name, "ready": each.ready, **({"why": each.why} if each.why else {})} for each in parts]
    lost = [f"{each.name}: {each.why}" for each in parts if not each.ready]
    if lost:
        problem = ProblemError(503, "not-ready", "Not ready", "; ".join(lost), parts=said)
        return problem_response(problem, "/readyz")
    now = to_datetime(context.wall())
    moved = [each.moved for each in watch.standing if each.moved is not None]
    body: dict[str, Any] = {
        "status": "ready",
        "parts": said,
        "migrations": watch.migrations,
        "partitions": len(watch.standing),
        "last_moved_s": round((now - max(moved)).total_seconds(), 3) if moved else None,
        "longest_still_s": round((now - min(moved)).total_seconds(), 3) if moved else None,
    }
    return JSONResponse(body)


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Prometheus text."""
    meters: Meters = request.app.state.meters
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)
