"""How ingest is and what it shows to Prometheus; every name is made here. Nothing is done on the way of a message."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.core import Counts
from stream.pulse import Pulse
from telemetry.meters import serve

_COUNTS = (
    ("messages", "messages", "Messages taken from the broker, repeats included"),
    ("rejects", "rejects", "Messages that go on as dead letters"),
    ("ignored", "ignored", "Payloads of other grammars that said nothing of interest"),
    ("blocks", "blocks", "Blocks closed for the stream"),
    ("retries", "block_retries", "Blocks given to the stream once more"),
    ("stale_acknowledgements", "stale_acknowledgements", "Acknowledgements dropped: their connection is gone"),
)
# As nats-server writes them; it counts none of these in its monitoring pages.
_FORBIDDEN = re.compile(rb"\[ERR\].*(Publish Violation|Subscription Violation|authentication error - )")
_WHAT = {b"Publish Violation": "publish", b"Subscription Violation": "subscribe", b"authentication error - ": "login"}


@dataclass(frozen=True, slots=True)
class State:
    """How ingest is at a moment.

    Attributes:
        connected: whether the broker answers.
        clock: whether the fleet clock was heard; nothing is read before.
        queued: messages that wait for the core.
        limit: of them; at it ingest stops reading.
        in_flight: messages taken and not yet acknowledged.
    """

    connected: bool = False
    clock: bool = False
    queued: int = 0
    limit: int = 0
    in_flight: int = 0

    def pulse(self, name: str) -> Pulse:
        """What it says to those who watch."""
        why = "" if self.connected else "the broker does not answer"
        if not self.clock:
            why = "the fleet clock was not heard yet"
        return Pulse("ingest", name, ok=not why, why=why)


class Forbidden:
    """Counts what the embedded broker forbids, from its log, each line once.

    Args:
        log: of the server; counted from its present end on.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._at = log.stat().st_size if log.exists() else 0
        self._rest = b""
        self._counts: Counter[str] = Counter(dict.fromkeys(_WHAT.values(), 0))

    def counts(self) -> dict[str, int]:
        """By what was tried, since this was made."""
        try:
            with self._log.open("rb") as file:
                if file.seek(0, 2) < self._at:
                    self._at, self._rest = 0, b""  # the log was begun anew
                file.seek(self._at)
                fresh = file.read()
        except OSError:
            return dict(self._counts)
        self._at += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            found = _FORBIDDEN.search(line)
            if found is not None:
                self._counts[_WHAT[found[1]]] += 1
        return dict(self._counts)


class IngestMeters(Collector):
    """Collects from the process.

    Args:
        counts: gives its counts.
        state: gives its state, at most half a second old.
        forbidden: counts what the broker forbids, where its log can be read.
    """

    def __init__(
        self, counts: Callable[[], Counts], state: Callable[[], State], forbidden: Forbidden | None = None
    ) -> None:
        self._counts = counts
        self._state = state
        self._forbidden = forbidden

    def describe(self) -> list[Metric]:
        """Nothing is known before it is asked."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All of it, now."""
        counts, state = self._counts(), self._state()
        for field, name, text in _COUNTS:
            yield CounterMetricFamily(f"wellkept_ingest_{name}", text, value=getattr(counts, field))
        for name, text, value in (
            ("broker_connected", "Whether the broker answers", int(state.connected)),
            ("queue", "Messages that wait for the core", state.queued),
            ("queue_limit", "Messages at which ingest stops reading", state.limit),
            ("in_flight", "Messages taken and not yet acknowledged", state.in_flight),
        ):
            yield GaugeMetricFamily(f"wellkept_ingest_{name}", text, value=value)
        if self._forbidden is not None:
            forbidden = CounterMetricFamily(
                "wellkept_broker_forbidden", "What the embedded broker forbade", labels=["what"]
            )
            for what, count in sorted(self._forbidden.counts().items()):
                forbidden.add_metric([what], count)
            yield forbidden


def show(counts: Callable[[], Counts], state: Callable[[], State], broker_log: Path | None) -> CollectorRegistry:
    """Open ingest's measurements."""
    registry = CollectorRegistry()
    registry.register(IngestMeters(counts, state, Forbidden(broker_log) if broker_log is not None else None))
    serve(registry)
    return registry
