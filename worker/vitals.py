"""Says how this worker is: twice a second a pulse, every other second a look at how far it is behind."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import structlog

from stream.heads import Behind, Fill, read_behind, read_fill
from stream.nats_client import NatsStream
from stream.port import Position, StreamError
from stream.pulse import EVERY, Pulse, send_pulse
from telemetry.clock import MICROS, WallClock, system_wall
from worker.pipeline import Pipeline

log = structlog.get_logger()

_LOOK = 2.0
_STILL = 3.0
_STUCK = 6.0


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a partition is behind.

    Attributes:
        blocks: sequence numbers of the stream between position and head; other partitions share them.
        seconds: since the stream took the oldest entry that is not committed; 0 when there is none.
    """

    blocks: int
    seconds: float


class Vitals:
    """One thread beside the pipeline, which it only watches.

    Args:
        name: of the worker.
        stream: where pulses go and lags are asked.
        pipeline: watched.
        wall: wall clock, compared with the stream's times.
    """

    def __init__(self, name: str, stream: NatsStream, pipeline: Pipeline, wall: WallClock = system_wall) -> None:
        self._name = name
        self._stream = stream
        self._pipeline = pipeline
        self._wall = wall
        self._moved: dict[int, tuple[Position, float]] = {}
        self._stuck: set[int] = set()
        self.lags: dict[int, Lag] = {}
        self.fill: Fill | None = None

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop."""
        looked = 0.0
        while not stop.wait(EVERY):
            now = time.monotonic()
            if now - looked >= _LOOK:
                looked = now
                try:
                    self._look(now)
                except StreamError as error:
                    log.debug("no look at the stream", error=str(error))
                except Exception as error:  # noqa: BLE001  (without pulses nobody would know that the worker works)
                    log.warning("a look at the stream failed", error=repr(error))
            send_pulse(self._stream, self.pulse(now))

    def pulse(self, now: float) -> Pulse:
        """How it is at a monotonic time."""
        still = now - self._pipeline.totals.passed
        standing = self._pipeline.standing
        total = self._stream.partitions
        if still > _STILL:
            why = f"the pipeline has stood still for {still:.0f} s"
            return Pulse("worker", self._name, ok=False, why=why, total=total)
        moving = tuple(sorted(standing.keys() - self._stuck))
        why = f"partitions {sorted(self._stuck & standing.keys())} do not move" if self._stuck & standing.keys() else ""
        return Pulse("worker", self._name, ok=True, why=why, partitions=moving, total=total)

    def _look(self, now: float) -> None:
        standing = self._pipeline.standing
        self.fill = read_fill(self._stream)
        behind = read_behind(self._stream, standing)
        wall = self._wall()
        self.lags = {p: _lag(standing[p], self.fill, each, wall) for p, each in behind.items()}
        for partition, position in standing.items():
            before = self._moved.get(partition)
            if before is None or before[0] != position or behind[partition].oldest is None:
                self._moved[partition] = (position, now)
        self._moved = {p: at for p, at in self._moved.items() if p in standing}
        self._stuck = {p for p, (_, since) in self._moved.items() if now - since > _STUCK}


def _lag(position: Position, fill: Fill, behind: Behind, wall: int) -> Lag:
    at = position.seq if position.incarnation == fill.incarnation else 0
    seconds = 0.0 if behind.oldest is None else max(0.0, (wall - behind.oldest) / MICROS)
    return Lag(max(0, behind.head - at), seconds)
