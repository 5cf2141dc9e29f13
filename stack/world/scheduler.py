"""Virtual time: a queue of events, and parties that can be killed, frozen and woken between any two of them."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable
from typing import Any

Action = Callable[..., None]


def generator(seed: int, name: str) -> random.Random:
    """A generator of its own for each purpose, so that one purpose's draws do not move another's."""
    return random.Random(f"{seed}/{name}")  # noqa: S311  (a simulation must repeat itself)


class Scheduler:
    """Runs actions in order of time; those of one moment in the order in which they were planned.

    Args:
        start: wall time at which the world begins, microseconds.
        keep: whether the trace is kept line by line, or its hash alone.
    """

    def __init__(self, start: int, *, keep: bool = False) -> None:
        self.now = start
        self.start = start
        self.events = 0
        self.lines: list[str] = []
        self._keep = keep
        self._hash = hashlib.blake2b(digest_size=16)
        self._queue: list[tuple[int, int, Action, tuple[Any, ...]]] = []
        self._count = 0

    def at(self, when: int, action: Action, *args: Any) -> None:  # noqa: ANN401  (whatever the action takes)
        """Plan an action; a time that is past means now."""
        self._count += 1
        heapq.heappush(self._queue, (max(when, self.now), self._count, action, args))

    def after(self, delay: int, action: Action, *args: Any) -> None:  # noqa: ANN401  (likewise)
        """Plan an action so many microseconds from now."""
        self.at(self.now + delay, action, *args)

    def run(self, until: int) -> None:
        """Run everything that is planned up to a time, then stand there."""
        while self._queue and self._queue[0][0] <= until:
            self.now, _, action, args = heapq.heappop(self._queue)
            self.events += 1
            action(*args)
        self.now = max(self.now, until)

    def trace(self, who: str, what: str, *details: object) -> None:
        """Write a line of the trace: time, party, what happened. Two runs of one seed write the same bytes."""
        line = f"{(self.now - self.start) / 1e6:11.6f} {who:<10} {what} {' '.join(map(str, details))}".rstrip()
        self._hash.update(line.encode() + b"\n")
        if self._keep:
            self.lines.append(line)

    def digest(self) -> str:
        """Hash of the whole trace so far."""
        return self._hash.hexdigest()


class Party:
    """A process of the world. What was planned for a life that ended never happens; a frozen one makes up for it.

    Args:
        time: the world's.
        name: as the trace calls it.
    """

    def __init__(self, time: Scheduler, name: str) -> None:
        self.time = time
        self.name = name
        self.alive = False
        self.life = 0
        self._frozen = False
        self._missed: list[tuple[Action, tuple[Any, ...]]] = []

    @property
    def frozen(self) -> bool:
        """Whether it was stopped and not yet woken."""
        return self._frozen

    def begin(self) -> None:
        """Start; what a start means is the subclass's to add."""
        self.life += 1
        self.alive = True
        self._frozen = False
        self.time.trace(self.name, "starts")

    def kill(self) -> None:
        """End at once: nothing that was planned happens any more."""
        self.alive = False
        self._frozen = False
        self._missed.clear()
        self.time.trace(self.name, "is killed")

    def freeze(self) -> None:
        """Stop between two events, as SIGSTOP does."""
        if self.alive and not self._frozen:
            self._frozen = True
            self.time.trace(self.name, "is frozen")

    def wake(self) -> None:
        """Go on with all that came meanwhile, in its order."""
        if not self._frozen:
            return
        self._frozen = False
        self.time.trace(self.name, "wakes")
        missed, self._missed = self._missed, []
        life = self.life
        for action, args in missed:
            self._act(life, action, args)

    def later(self, delay: int, action: Action, *args: Any) -> None:  # noqa: ANN401  (whatever the action takes)
        """Plan an action of this life."""
        self.time.at(self.time.now + delay, self._act, self.life, action, args)

    def later_at(self, when: int, action: Action, *args: Any) -> None:  # noqa: ANN401  (likewise)
        """Likewise, at a time."""
        self.time.at(when, self._act, self.life, action, args)

    def hear(self, action: Action, *args: Any) -> None:  # noqa: ANN401  (likewise)
        """Something arrives now."""
        self._act(self.life, action, args)

    def _act(self, life: int, action: Action, args: tuple[Any, ...]) -> None:
        if not self.alive or life != self.life:
            return
        if self._frozen:
            self._missed.append((action, args))
            return
        action(*args)
