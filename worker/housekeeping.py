"""What a worker does beside blocks: mirrors the clock's row to the stream and publishes control entries."""

from __future__ import annotations

import threading

import psycopg
import structlog

from storage.clock_store import read_clock, write_clock
from storage.control_store import mark_published, waiting_controls
from storage.pool import connect
from stream.nats_client import NatsStream
from stream.port import StreamError
from telemetry.block import BlockBuilder
from telemetry.clock import ClockTrack, FleetClock, production_clock, system_wall
from telemetry.identity import partition_of

log = structlog.get_logger()

_EVERY = 0.2
_RETRY = 0.5
_ANSWER = 6.0


class Housekeeping:
    """One thread with a connection of its own."""

    def __init__(self, stream: NatsStream, database_url: str) -> None:
        self._stream = stream
        self._url = database_url
        self._track = ClockTrack()
        self._known = threading.Event()
        self._mirrored: FleetClock | None = None

    def fleet_now(self) -> int:
        """Fleet time, microseconds; waits until the clock was read for the first time."""
        self._known.wait()
        wall = system_wall()
        return (self._track.in_force(wall) or production_clock()).fleet_at(wall)

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop."""
        while not stop.is_set():
            try:
                with connect(self._url, application="wellkept-housekeeping", autocommit=True) as conn:
                    self._mirrored = None
                    while not stop.wait(_EVERY):
                        self._step(conn)
            except (psycopg.Error, StreamError) as error:
                log.warning("housekeeping starts anew", error=repr(error))
                stop.wait(_RETRY)

    def _step(self, conn: psycopg.Connection[tuple[object, ...]]) -> None:
        clock = read_clock(conn)
        if clock is None:
            # A product that nobody gave a fleet clock runs on wall time.
            write_clock(conn, production_clock())
            return
        if clock != self._mirrored:
            self._stream.put_clock(clock)
            self._track.hear(clock, system_wall())
            self._mirrored = clock
            self._known.set()
        self._publish_controls(conn)

    def _publish_controls(self, conn: psycopg.Connection[tuple[object, ...]]) -> None:
        for entry in waiting_controls(conn):
            builder = BlockBuilder()
            builder.control(entry)
            answered = threading.Event()
            failures: list[Exception] = []

            def done(error: Exception | None, at: threading.Event = answered, to: list[Exception] = failures) -> None:
                if error is not None:
                    to.append(error)
                at.set()

            # Without an id of its own: a repeat must pass, and takes effect once by the entry's id.
            self._stream.publish(partition_of(entry.device, self._stream.partitions), "", builder.encode(), done)
            if not answered.wait(_ANSWER) or failures:
                log.warning("a control entry was not published; repeating", entry=entry.id, error=repr(failures))
                return
            mark_published(conn, entry)
