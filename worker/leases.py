"""Keeps this worker's leases: a thread that looks at the bucket, lets `Ownership` decide and carries out its writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from stream.port import LeaseStore, StreamError
from telemetry.errors import WellkeptError
from worker.ownership import Ownership
from worker.settlement import Holdings

log = structlog.get_logger()

_LOOK = 0.4
_JOIN = 5.0


class LeaseLostError(WellkeptError):
    """The lease of a partition in work has lapsed or is another's: what was done must not count."""


class LeaseKeeper:
    """Thread-safe shell of `Ownership`.

    Args:
        ownership: decides.
        store: the bucket.
        ended: called when the leases are kept no more: another process runs under this worker's name, or an error.
    """

    def __init__(self, ownership: Ownership, store: LeaseStore, ended: Callable[[], None]) -> None:
        self._ownership = ownership
        self._store = store
        self._ended = ended
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._changed = threading.Event()
        self._silent = False
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def start(self) -> None:
        """Join and keep what is ours."""
        self._thread.start()

    def holdings(self) -> Holdings:
        """What is held now."""
        with self._lock:
            return Holdings(self._ownership.holdings(), time.monotonic())

    def wait(self, timeout: float) -> None:
        """Wait until something about the holdings may have changed."""
        self._changed.wait(timeout)
        self._changed.clear()

    def check(self, terms: Mapping[int, int], patience: float) -> None:
        """Make sure that a transaction on partitions may commit; wait a moment for a renewal that is late.

        Args:
            terms: of the partitions in work.
            patience: seconds.

        Raises:
            LeaseLostError: it may not.
        """
        deadline = time.monotonic() + patience
        while True:
            now = self.holdings()
            lost = [p for p, term in terms.items() if now.lost(p, term)]
            lapsed = [p for p, term in terms.items() if now.lapsed(p, term)]
            if not lapsed:
                return
            if lost or now.at >= deadline:
                raise LeaseLostError(f"the leases of partitions {lost or lapsed} are lost")
            self.wait(deadline - now.at)

    def released(self, partition: int, term: int) -> None:
        """A partition was handed over."""
        with self._lock:
            self._ownership.released(partition, term)
        self._hurry.set()

    def leave(self) -> None:
        """Free everything and say good-bye; nothing is committed any more."""
        self._stop.set()
        self._hurry.set()
        self._thread.join(_JOIN)
        with self._lock:
            effects = self._ownership.leave()
        try:
            self._store.write_records([effect.write for effect in effects])
        except StreamError as error:
            log.info("left without a word; the leases will expire", error=str(error))

    def _run(self) -> None:
        try:
            self._keep()
        finally:
            self._changed.set()
            if not self._stop.is_set():
                log.error("the leases are kept no more; the worker ends")
                self._ended()

    def _keep(self) -> None:
        while not self._stop.is_set():
            self._hurry.clear()
            try:
                again = self._go_round()
                if self._silent:
                    log.info("the leases can be reached again")
                self._silent = False
            except StreamError as error:
                if not self._silent:
                    log.warning("the leases cannot be reached; nothing is committed without them", error=str(error))
                self._silent, again = True, False
            if not again:
                self._hurry.wait(_LOOK)

    def _go_round(self) -> bool:
        """Look, decide, write. Returns whether there may be more to do at once."""
        records = self._store.read_records()
        with self._lock:
            self._ownership.observe(records, time.monotonic())
            replaced = self._ownership.replaced
            effects = self._ownership.step(time.monotonic())
            before = self._ownership.joined
        if replaced:
            log.error("another process runs under this worker's name; this one ends", name=self._ownership.name)
            self._stop.set()
            self._ended()
            return False
        sent = time.monotonic()
        revisions = self._store.write_records([effect.write for effect in effects])
        with self._lock:
            for effect, revision in zip(effects, revisions, strict=True):
                self._ownership.wrote(effect, revision, sent)
            joined = self._ownership.joined and not before
        self._changed.set()
        return joined
