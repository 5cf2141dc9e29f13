"""What a worker does beside blocks: the clock's mirror, control entries for the stream, commands for devices."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import psycopg
import structlog

from storage.clock_store import read_clock, write_clock
from storage.control_store import claim_controls, give_back_controls, note_sent, open_self_tests, silent_self_tests
from storage.pool import Connection, connect
from stream.port import BlockSink, ClockMirror, Outbox, StreamError
from telemetry.block import BlockBuilder
from telemetry.clock import ClockTrack, FleetClock, production_clock, system_wall, to_datetime
from telemetry.command import Name, new_command
from telemetry.identity import DeviceKey, partition_of
from telemetry.topics import Channel

log = structlog.get_logger()

_EVERY = 0.2
_IDLE = 5.0
_COMPARE = 1.0
_RETRY = 0.5
_ANSWER = 6.0
_ASK_AGAIN = 20.0
_AWAY = timedelta(days=7)
"""A device that was away when it was asked is asked again for so long, fleet time: it answers when it is back."""


class Stream(BlockSink, ClockMirror, Outbox, Protocol):
    """What is asked of the stream here."""

    @property
    def partitions(self) -> int:
        """How many it has."""
        ...


class Housekeeping:
    """One thread with a connection of its own; several workers do the same, and each thing is done once."""

    def __init__(self, stream: Stream, database_url: str) -> None:
        self._stream = stream
        self._url = database_url
        self._track = ClockTrack()
        self._known = threading.Event()
        self._clock: FleetClock | None = None
        self._compare = 0.0
        self._asked: dict[UUID, float] = {}
        self._silent: list[tuple[UUID, DeviceKey]] = []
        self._look_for_silent = 0.0

    def fleet_now(self) -> int:
        """Fleet time, microseconds; waits until the clock was read for the first time."""
        self._known.wait()
        wall = system_wall()
        return (self._track.in_force(wall) or production_clock()).fleet_at(wall)

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop."""
        while not stop.is_set():
            try:
                with connect(self._url, application="wellkept-housekeeping", autocommit=True, idle=_IDLE) as conn:
                    while not stop.wait(_EVERY):
                        self._step(conn, time.monotonic())
            except (psycopg.Error, StreamError) as error:
                log.warning("housekeeping starts anew", error=repr(error))
                stop.wait(_RETRY)

    def _step(self, conn: Connection, now: float) -> None:
        clock = read_clock(conn)
        if clock is None:
            # A product that nobody gave a fleet clock runs on wall time.
            write_clock(conn, production_clock())
            return
        if clock != self._clock:
            self._clock = clock
            self._track.hear(clock, system_wall())
            self._known.set()
            self._compare = now
        if now >= self._compare:
            self._compare = now + _COMPARE
            self._mirror(conn)
        self._publish_controls(conn)
        self._ask_self_tests(conn, now)

    def _ask_self_tests(self, conn: Connection, now: float) -> None:
        """Send devices the commands that they have not answered; under the same id a repeat is carried out once."""
        tests = open_self_tests(conn)
        if now >= self._look_for_silent:
            self._look_for_silent = now + _ASK_AGAIN
            self._silent = silent_self_tests(conn, to_datetime(self.fleet_now()) - _AWAY)
        tests += self._silent
        self._asked = {ident: at for ident, at in self._asked.items() if ident in dict(tests)}
        due = [(ident, key) for ident, key in tests if now >= self._asked.get(ident, -_ASK_AGAIN) + _ASK_AGAIN]
        for ident, key in due:
            self._stream.send(key, Channel.COMMAND, new_command(str(ident), Name.SELF_TEST))
            self._asked[ident] = now
        if due:
            note_sent(conn, [ident for ident, _ in due], to_datetime(self.fleet_now()))

    def _mirror(self, conn: Connection) -> None:
        """Make the mirror agree with the row, however many workers do so at once.

        The row is read after the mirror: when the mirror did not change since, what is written is at least as new.
        """
        mirrored, revision = self._stream.mirrored()
        clock = read_clock(conn)
        if clock is not None and clock != mirrored and not self._stream.replace_clock(clock, revision):
            self._compare = 0.0

    def _publish_controls(self, conn: Connection) -> None:
        entries = claim_controls(conn)
        answered = threading.Semaphore(0)
        taken: list[str] = []
        for entry in entries:

            def done(error: Exception | None, entry: str = entry.id) -> None:
                if error is None:
                    taken.append(entry)
                answered.release()

            builder = BlockBuilder()
            builder.control(entry)
            # Without an id of its own: a repeat must pass, and takes effect once by the entry's id.
            self._stream.publish(partition_of(entry.device, self._stream.partitions), "", builder.encode(), done)
        deadline = time.monotonic() + _ANSWER
        for _ in entries:
            answered.acquire(timeout=max(0.0, deadline - time.monotonic()))
        failed = [entry for entry in entries if entry.id not in taken]
        if failed:
            log.warning("control entries were not published; repeating", entries=[entry.id for entry in failed])
            give_back_controls(conn, failed)
