"""A child process that is started again when it ends: the decision apart from the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack.process import Identity, end_child, identify

_FIRST_S = 0.2
_LONGEST_S = 10.0
_HEALTHY_S = 30.0


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next start: doubles with each early end, forgotten after a healthy life.

    Attributes:
        failures: early ends in a row.
        due: monotonic time of the next start, None while running.
    """

    failures: int = 0
    due: float | None = None
    _born: float = 0.0

    def started(self, now: float) -> None:
        """A process was started."""
        self._born, self.due = now, None

    def ended(self, now: float) -> float:
        """It ended on its own. Returns the seconds until the next start."""
        self.failures = 0 if now - self._born >= _HEALTHY_S else self.failures + 1
        wait = min(_LONGEST_S, _FIRST_S * 2.0 ** max(0, self.failures - 1))
        self.due = now + wait
        return wait


@dataclass(slots=True)
class Child:
    """One process of the product.

    Attributes:
        name: as in `wellkept status`, e.g. `worker-1`.
        arguments: after the interpreter, e.g. `-m worker`.
        environment: added to our own.
        log: where it writes.
        restarts: how often it was started again.
        exit_status: of its last end.
        finite: it may end with status 0 for good.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    restarts: int = 0
    exit_status: int | None = None
    finite: bool = False
    finished: bool = False
    identity: Identity | None = None
    _process: subprocess.Popen[bytes] | None = None
    _backoff: Backoff = field(default_factory=Backoff)

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it now."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the supervisor only, which drains parts in order.
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and modules)
                [sys.executable, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        self.identity = identify(self._process.pid)
        self._backoff.started(time.monotonic())

    def tend(self, told: Callable[[str], None]) -> bool:
        """Start it again when it has ended and its time has come. Returns whether something changed."""
        if self.running or self._process is None or self.finished:
            return False
        now = time.monotonic()
        if self._backoff.due is None:
            self.exit_status = self._process.returncode
            if self.finite and self.exit_status == 0:
                self.finished = True
                return True
            wait = self._backoff.ended(now)
            told(f"{self.name} ended with status {self.exit_status}; next start in {wait:.1f} s, see {self.log}")
            return True
        if now < self._backoff.due:
            return False
        self.restarts += 1
        self.start()
        return True

    def ask(self) -> None:
        """Let it begin to end; `stop` waits for it."""
        if self.running and self._process is not None:
            self.finished = True
            self._process.send_signal(signal.SIGTERM)

    def stop(self, patience: float = 15.0, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to finish what it has begun; after `patience` seconds it is killed."""
        if self._process is not None:
            self.exit_status = end_child(self._process, by=by, patience=patience)
            self.finished = True

    def kill(self) -> None:
        """End it as a crash would; `tend` starts it again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
