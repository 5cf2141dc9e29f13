"""What a worker shows to Prometheus; every name is made here. Read when asked, never on the way of a message."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from telemetry.meters import serve
from worker.pipeline import Pipeline
from worker.totals import BOUNDS, Totals
from worker.vitals import Vitals

_COUNTS = (
    ("messages", "messages", "Messages taken from the stream, repeats included"),
    ("duplicates", "duplicates", "Messages that were stored before"),
    ("transactions", "transactions", "Committed transactions"),
    ("retries", "retries", "Transactions that failed, were in doubt or lost their lease"),
    ("errors", "detector_errors", "Detectors that failed on a device"),
    ("findings", "findings", "Revisions of findings written"),
)


class WorkerMeters(Collector):
    """Collects from the pipeline and its vitals.

    Args:
        pipeline: counts.
        vitals: lags and fill, at most two seconds old.
        data_dir: whose disk is watched.
    """

    def __init__(self, pipeline: Pipeline, vitals: Vitals, data_dir: Path) -> None:
        self._pipeline = pipeline
        self._vitals = vitals
        self._data_dir = data_dir

    def describe(self) -> list[Metric]:
        """Nothing is known before it is asked."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All of it, now."""
        totals = self._pipeline.totals
        for field, name, text in _COUNTS:
            yield CounterMetricFamily(f"wellkept_worker_{name}", text, value=getattr(totals, field))
        dead = CounterMetricFamily("wellkept_worker_dead_letters", "Messages dead-lettered", labels=["reason"])
        for reason, count in totals.dead_by_reason.copy().items():
            dead.add_metric([reason], count)
        yield dead
        yield _seconds(totals)
        yield GaugeMetricFamily("wellkept_worker_partitions", "Partitions owned", value=len(self._pipeline.standing))
        yield from self._lags()
        yield from self._stores()

    def _lags(self) -> Iterator[Metric]:
        blocks = GaugeMetricFamily(
            "wellkept_lag_blocks", "Stream head minus committed position, in sequence numbers", labels=["partition"]
        )
        seconds = GaugeMetricFamily(
            "wellkept_lag_seconds", "Since the stream took the oldest block not committed", labels=["partition"]
        )
        lags = self._vitals.lags
        for partition, lag in sorted(lags.items()):
            blocks.add_metric([str(partition)], lag.blocks)
            seconds.add_metric([str(partition)], lag.seconds)
        yield blocks
        yield seconds
        yield GaugeMetricFamily(
            "wellkept_oldest_unreceipted_seconds",
            "Age in the stream of the oldest reading without a receipt, over this worker's partitions",
            value=max((lag.seconds for lag in lags.values()), default=0.0),
        )

    def _stores(self) -> Iterator[Metric]:
        fill = self._vitals.fill
        if fill is not None:
            yield GaugeMetricFamily("wellkept_stream_blocks", "Blocks in the stream", value=fill.blocks)
            yield GaugeMetricFamily("wellkept_stream_bytes", "Bytes in the stream", value=fill.bytes)
            yield GaugeMetricFamily(
                "wellkept_stream_limit_bytes", "Bytes at which the stream refuses", value=fill.limit
            )
        free = shutil.disk_usage(self._data_dir).free
        yield GaugeMetricFamily("wellkept_disk_free_bytes", "Free at the data directory", value=free)


def show(pipeline: Pipeline, vitals: Vitals, data_dir: Path) -> CollectorRegistry:
    """Open the worker's measurements."""
    registry = CollectorRegistry()
    registry.register(WorkerMeters(pipeline, vitals, data_dir))
    serve(registry)
    return registry


def _seconds(totals: Totals) -> Metric:
    edges = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    return HistogramMetricFamily(
        "wellkept_worker_transaction_seconds",
        "From the first decision to COMMIT",
        buckets=list(zip(edges, map(float, accumulate(totals.buckets)), strict=True)),
        sum_value=totals.seconds,
    )
