"""Watches the parts of the product for `/readyz`: database, stream, ingest, workers.

Threads look, and requests only read what was seen last: a part that hangs makes the answer false, never late. The
threads end when nobody has asked for a minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.pool import Connection, connect
from storage.read_health import OUTAGES, Position, migrations_applied, positions
from stream.heads import read_fill
from stream.nats_client import NatsStream
from stream.port import StreamError
from stream.pulse import Pulse, hear_pulses

log = structlog.get_logger()

_EVERY = 0.5
FRESH = 3.0
"""Seconds after which what was seen of a part counts no more."""
_UNASKED = 60.0
_FIRST = 3.0
_TICK = 0.05


class PartSettings(BaseSettings):
    """Which parts are watched.

    Attributes:
        nats_url: of the stream; without it only the database is.
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    nats_url: str = Field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """One part as last seen; `why` says what is missing."""

    name: str
    ready: bool
    why: str = ""


@dataclass(slots=True)
class _Seen:
    """What the threads saw; times are monotonic seconds."""

    database: float = -FRESH
    database_why: str = "not seen yet"
    migrations: int = 0
    standing: list[Position] = field(default_factory=list)
    stream: float = -FRESH
    stream_why: str = "not seen yet"
    pulses: dict[tuple[str, str], tuple[Pulse, float]] = field(default_factory=dict)


class Watch:
    """What the parts look like from here.

    Args:
        database_url: looked at on a connection of its own.
        nats_url: the same of the stream, or empty.
    """

    def __init__(self, database_url: str, nats_url: str) -> None:
        self._database_url = database_url
        self._nats_url = nats_url
        self._guard = threading.Lock()
        self._asked = 0.0
        self._threads: list[threading.Thread] = []
        self._seen = _Seen()

    @property
    def migrations(self) -> int:
        """How many the database has."""
        return self._seen.migrations

    @property
    def standing(self) -> list[Position]:
        """The partitions' positions as last read."""
        return self._seen.standing

    def parts(self) -> list[Part]:
        """All of them, now. The first question waits up to three seconds for an answer that is ready."""
        if self._wake():
            until = time.monotonic() + _FIRST
            while not all(part.ready for part in self._judge()) and time.monotonic() < until:
                time.sleep(_TICK)
                if not self._nats_url and self._seen.database_why != "not seen yet":
                    break
        return self._judge()

    def _judge(self) -> list[Part]:
        now, seen = time.monotonic(), self._seen
        fresh = now - seen.database <= FRESH
        parts = [Part("database", fresh, "" if fresh else seen.database_why or _silent(now - seen.database))]
        if not self._nats_url:
            return parts
        pulses = [pulse for pulse, at in seen.pulses.copy().values() if now - at <= FRESH]
        fresh = now - seen.stream <= FRESH
        parts.append(Part("stream", fresh, "" if fresh else seen.stream_why or _silent(now - seen.stream)))
        return [*parts, _ingest(pulses), _workers(pulses)]

    def _wake(self) -> bool:
        """Start looking where nobody does. Returns whether it had to."""
        with self._guard:
            self._asked = time.monotonic()
            if any(thread.is_alive() for thread in self._threads):
                return False
            self._seen = _Seen()
            looks: list[Callable[[], None]] = [self._look_at_database]
            if self._nats_url:
                looks.append(self._look_at_stream)
            self._threads = [threading.Thread(target=self._go_on, args=(look,), daemon=True) for look in looks]
            for thread in self._threads:
                thread.start()
            return True

    def _go_on(self, look: Callable[[], None]) -> None:
        while self._wanted():
            try:
                look()
            except Exception as error:  # noqa: BLE001  (whatever happens, somebody must go on looking)
                log.warning("a look at the parts failed", error=repr(error))
            time.sleep(_EVERY)

    def _wanted(self) -> bool:
        return time.monotonic() - self._asked < _UNASKED

    def _look_at_database(self) -> None:
        """Look again and again on one connection, until it breaks."""
        seen = self._seen
        try:
            with connect(self._database_url, application="wellkept-ready", autocommit=True) as conn:
                while self._wanted():
                    self._read(conn, seen)
                    time.sleep(_EVERY)
        except OUTAGES as error:
            seen.database = -FRESH
            seen.database_why = f"it does not answer or has no schema yet ({type(error).__name__})"

    def _read(self, conn: Connection, seen: _Seen) -> None:
        seen.migrations, seen.standing = migrations_applied(conn), positions(conn)
        seen.database, seen.database_why = time.monotonic(), ""

    def _look_at_stream(self) -> None:
        seen = self._seen
        stream: NatsStream | None = None
        try:
            stream = NatsStream(self._nats_url, name="api")
            hear_pulses(stream, lambda pulse: self._heard(seen, pulse))
            while self._wanted():
                with suppress(StreamError):
                    read_fill(stream)
                    seen.stream, seen.stream_why = time.monotonic(), ""
                time.sleep(_EVERY)
        except StreamError as error:
            seen.stream_why = str(error)
        finally:
            if stream is not None:
                stream.close()

    def _heard(self, seen: _Seen, pulse: Pulse) -> None:
        seen.pulses[pulse.part, pulse.name] = (pulse, time.monotonic())


def _ingest(pulses: list[Pulse]) -> Part:
    heard = [pulse for pulse in pulses if pulse.part == "ingest"]
    if any(pulse.ok for pulse in heard):
        return Part("ingest", ready=True)
    return Part("ingest", ready=False, why="; ".join(p.why for p in heard) or _silent(FRESH))


def _workers(pulses: list[Pulse]) -> Part:
    """Every partition owned and moving."""
    heard = [pulse for pulse in pulses if pulse.part == "worker"]
    if not heard:
        return Part("worker", ready=False, why=_silent(FRESH))
    missing = set(range(max(pulse.total for pulse in heard))).difference(*(p.partitions for p in heard if p.ok))
    whys = "; ".join(f"{pulse.name}: {pulse.why}" for pulse in heard if pulse.why)
    if missing:
        return Part(
            "worker", ready=False, why=f"nobody works on partitions {sorted(missing)}" + (whys and f" ({whys})")
        )
    return Part("worker", ready=True, why=whys)


def _silent(seconds: float) -> str:
    return f"no sign of life for {seconds:.0f} s"
