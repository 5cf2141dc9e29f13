"""Processes of a benchmark: the generator, and sinks that say how much they have; and the search for a rate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.errors import StackError

Told = Callable[[str], None]
ROOT = Path(__file__).resolve().parent.parent
_READY_S = 30.0
_UP, _DOWN, _NEAR = 1.15, 1.08, 1.05


class BenchError(StackError):
    """A benchmark cannot be run or one of its processes failed."""


class Program:
    """A module of `benchmarks` in a process of its own that says JSON lines.

    Args:
        module: e.g. `generator`.
        options: command line without dashes, None left out.
        heard: called with each line, on a thread of its own.

    Raises:
        BenchError: the package is not there.
    """

    def __init__(self, module: str, options: Mapping[str, object], heard: Callable[[dict[str, Any]], None]) -> None:
        if not (ROOT / "benchmarks" / f"{module}.py").exists():
            raise BenchError("the package `benchmarks` is not here; run the benchmark from a checkout of the product")
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._name = module
        self._heard = heard
        self.done: dict[str, Any] = {}
        self.process = subprocess.Popen(  # noqa: S603  (our own interpreter and modules)
            [sys.executable, "-m", f"benchmarks.{module}", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            text=True,
        )
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_ready(self, timeout: float = _READY_S) -> None:
        """Until it says that it is ready.

        Raises:
            BenchError: it ended or stays silent.
        """
        if not self._ready.wait(timeout) or self.process.poll() is not None:
            self.end()
            raise BenchError(f"benchmarks.{self._name} did not get ready; what it said stands above")

    def wait(self, timeout: float) -> dict[str, Any]:
        """Until it ends. Returns what it said last.

        Raises:
            BenchError: it failed or took longer.
        """
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise BenchError(f"benchmarks.{self._name} took longer than {timeout:g} s") from None
        self._reader.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()
        if status != 0:
            raise BenchError(f"benchmarks.{self._name} ended with status {status}; what it said stands above")
        return self.done

    def end(self) -> dict[str, Any]:
        """Ask it to end. Returns what it said last."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait(_READY_S)

    def _read(self) -> None:
        for line in self.process.stdout or ():
            said = json.loads(line)
            if "done" in said:
                self.done = said["done"]
            elif said.get("ready"):
                self._ready.set()
            else:
                self._heard(said)


class Sink:
    """A program that takes what the generator publishes: the reference, or the drain."""

    def __init__(self, module: str, options: Mapping[str, object]) -> None:
        self.taken = 0
        self._program = Program(module, options, self._hear)
        self._program.wait_ready()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._program.process.pid

    def settle(self, target: int, patience: float) -> bool:
        """Wait until it has taken so many."""
        until = time.monotonic() + patience
        pause = threading.Event()
        while self.taken < target:
            if time.monotonic() > until or self._program.process.poll() is not None:
                return False
            pause.wait(0.05)
        return True

    def end(self) -> None:
        """Stop it."""
        self._program.end()

    def _hear(self, said: dict[str, Any]) -> None:
        self.taken = int(said["taken"])


@dataclass(frozen=True, slots=True)
class Trial:
    """One offered rate.

    Attributes:
        rate: asked for, messages a second.
        carried: taken in, messages a second.
        kept_up: the backlog did not grow.
    """

    rate: float
    carried: float
    kept_up: bool


def search(trial: Callable[[float], Trial], first: float, told: Told, most: int = 12) -> float:
    """The highest rate that is kept up with, to 5 %: up by 15 % until one is not, then between the two.

    Returns:
        That rate, or the next one to try when none was kept up with.
    """
    rate, best, failed = first, 0.0, float("inf")
    for _ in range(most):
        done = trial(rate)
        verdict = "kept up" if done.kept_up else "fell behind"
        told(f"  offered {done.rate:,.0f}/s, carried {done.carried:,.0f}/s: {verdict}")
        if done.kept_up:
            best = max(best, rate)
        else:
            failed = min(failed, rate)
        if best and failed / best < _NEAR:
            break
        if best:
            rate = best * _UP if failed == float("inf") else (best + failed) / 2
        else:
            rate = min(rate / _DOWN, max(done.carried, rate / 2))
    return best or rate


def growing(backlog: list[int], rate: float) -> bool:
    """Whether a backlog grows or stands too high.

    The first fifth is the start. Over the rest it grows when a straight line through it rises by more than 1 % of what
    was published meanwhile, or a quarter of a second's worth in a short run; it stands too high above a second's worth.

    Args:
        backlog: messages published and not yet stored, once a second.
        rate: messages a second.
    """
    rest = backlog[len(backlog) // 5 :]
    if len(rest) < 3:  # noqa: PLR2004  (no line through less)
        return not rest or rest[-1] > rate
    middle = (len(rest) - 1) / 2
    slope = sum((i - middle) * value for i, value in enumerate(rest)) / sum((i - middle) ** 2 for i in range(len(rest)))
    risen = slope * len(rest)
    half = sorted(rest[len(rest) // 2 :])
    return risen > max(0.01 * rate * len(rest), 0.25 * rate) or half[len(half) // 2] > rate
