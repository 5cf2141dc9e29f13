"""One thread that numbers committed changes and wakes the streams; and how many streams there may be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType

import structlog

from api.context import Context
from storage.api_events import Ear, forget, listening, number, standing
from storage.failures import ALL
from telemetry.clock import to_datetime

_log = structlog.get_logger(__name__)
_LOOK_S = 2.0
_PATIENCE_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_TIDY_EVERY = timedelta(minutes=10)


class Feed:
    """The feed of one process.

    Args:
        context: its clock, settings and pool.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._wakers: set[Callable[[], None]] = set()
        self._open = 0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._ear: Ear | None = None
        self._tidied: datetime | None = None
        self._newest = -1

    @property
    def closed(self) -> bool:
        """Whether streams shall end."""
        return self._ending.is_set()

    @property
    def open(self) -> int:
        """How many streams are open."""
        return self._open

    def start(self) -> None:
        """Begin to number and to wake."""
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def end_streams(self) -> None:
        """Have all streams end; readers come back to another process, or to this one's successor."""
        self._ending.set()
        if self._ear is not None:
            self._ear.rouse()
        self._wake()

    def close(self) -> None:
        """End the streams and the thread."""
        self.end_streams()
        if self._thread is not None:
            self._thread.join(_LOOK_S + 1)

    def place(self) -> Place | None:
        """A place for one stream, or None when all are taken."""
        with self._lock:
            if self._open >= self._context.settings.streams_most:
                return None
            self._open += 1
        return Place(self)

    def leave(self) -> None:
        """Give a place back."""
        with self._lock:
            self._open -= 1

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Have a function called, from the feed's thread, whenever there is something new."""
        with self._lock:
            self._wakers.add(wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers.discard(wake)

    def catch_up(self) -> None:
        """Number all that is committed, and wake the streams when the feed has grown, whoever numbered it."""
        while True:
            with self._context.begin() as tx:
                if not number(tx.conn, tx.wall):
                    newest = standing(tx.conn).newest
                    break
        if newest != self._newest:
            self._newest = newest
            self._wake()
        self._tidy()

    def _run(self) -> None:
        failures = 0
        while not self.closed:
            try:
                with listening(self._context.settings.database_url) as ear:
                    self._ear = ear
                    while not self.closed:
                        self.catch_up()
                        failures = 0
                        ear.wait(_LOOK_S)
            except ALL as cause:
                _log.warning("the feed of changes waits for the database", why=str(cause)[:200])
                self._ending.wait(_PATIENCE_S[min(failures, len(_PATIENCE_S) - 1)])
                failures += 1

    def _tidy(self) -> None:
        now = to_datetime(self._context.wall())
        if self._tidied is not None and now - self._tidied < _TIDY_EVERY:
            return
        more = True
        while more and not self.closed:
            with self._context.begin() as tx:
                more = forget(tx.conn, now)
        self._tidied = now

    def _wake(self) -> None:
        with self._lock:
            wakers = list(self._wakers)
        for wake in wakers:
            try:
                wake()
            except RuntimeError:  # its event loop has ended
                continue


class Place:
    """A place among the streams, taken; entering and leaving it gives it back once."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._given_back = False

    def __enter__(self) -> None:
        """Taken already."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def __del__(self) -> None:
        # A stream whose reader left before its first byte is never entered.
        self.give_back()

    def give_back(self) -> None:
        """Give it back; twice is the same as once."""
        if not self._given_back:
            self._given_back = True
            self._feed.leave()
