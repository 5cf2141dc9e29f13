"""What api shows to Prometheus; every name is made here. The database is asked when someone asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.context import Context
from api.parts import Watch
from storage.read_health import (
    health_states,
    jobs,
    positions,
    promises,
    ticket_states,
    totals,
    waiting_deliveries,
    webhook_states,
)
from telemetry.clock import MICROS

_TOTALS = {
    "devices": "Registered devices",
    "findings": "Findings",
    "lost_messages": "Messages that devices declared lost",
    "dead_letters": "Messages that could not be taken in and were not replayed",
    "detector_errors": "Devices and readings at which a detector failed",
    "waiting_controls": "Control entries that have not taken effect",
    "waiting_notices": "Notices that were not handed over yet",
    "held_readings": "Readings of devices without a spool that wait for those before them",
    "overdue": "Due things whose fleet time has passed",
}


class Meters:
    """What is measured of requests, and of the database whenever someone asks.

    Args:
        context: gives clock and database.
        watch: gives the parts.
    """

    def __init__(self, context: Context, watch: Watch) -> None:
        # A second series for each, which nobody asked for; the library leaves this function untyped.
        disable_created_metrics()  # type: ignore[no-untyped-call]
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
        self.registry.register(_Product(context, watch))
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
    def __init__(self, context: Context, watch: Watch) -> None:
        self._context = context
        self._watch = watch

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        parts = self._watch.parts()
        ready = GaugeMetricFamily("wellkept_ready", "Whether a part does its work", labels=["part"])
        for part in parts:
            ready.add_metric([part.name], int(part.ready))
        yield ready
        if all(part.ready for part in parts if part.name == "database"):
            yield from self._database()

    def _database(self) -> Iterator[Metric]:
        with self._context.begin() as tx:
            counted, states, standing = totals(tx.conn, tx.now), ticket_states(tx.conn), positions(tx.conn)
            waiting, now = jobs(tx.conn), tx.wall
            healths, promised = health_states(tx.conn), promises(tx.conn)
            hooks, undelivered = webhook_states(tx.conn), waiting_deliveries(tx.conn)
        for name, text in _TOTALS.items():
            yield GaugeMetricFamily(f"wellkept_{name}", text, value=getattr(counted, name))
        for name, text, label, counts in (
            ("tickets", "Tickets by state", "state", states),
            ("jobs", "Jobs of the service desk by status", "status", waiting),
            ("health", "Devices by health", "health", healths),
            ("webhooks", "Endpoints of other systems by state", "state", hooks),
            ("promises", "Running promises of open tickets by how they stand", "stands", promised),
        ):
            yield _by(f"wellkept_{name}", text, label, counts)
        text = "Messages to endpoints of other systems that were not taken yet"
        yield GaugeMetricFamily("wellkept_waiting_deliveries", text, value=undelivered)
        age = GaugeMetricFamily("wellkept_position_age_seconds", "Since a partition last moved", labels=["partition"])
        for each in standing:
            if each.moved is not None:
                age.add_metric([str(each.partition)], max(0.0, (now - each.moved).total_seconds()))
        yield age


def _by(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
