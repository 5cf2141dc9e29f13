"""What devices say in a world: quiet readings, spells of high power, events, now and then something unfit."""

from __future__ import annotations

import random
from dataclasses import dataclass

from firmware_sim.firmware import Body
from stack.world.chronicle import FAREWELL, FAULTY
from telemetry.clock import MICROS

_QUIET = (5.0, 300.0)
_LOUD = (950.0, 2_000.0)
_IMPLAUSIBLE = 90_000.0


@dataclass(slots=True)
class Voice:
    """One device's.

    Args:
        rng: its own.
        fails: whether it will say what its detector fails on.
    """

    rng: random.Random
    fails: bool = False
    loud: bool = False
    count: int = 0

    def next(self, t: int, done: int) -> Body:
        """The next message, its readings before `t` (event time); every call draws, whether it is used or not."""
        rng = self.rng
        self.count += 1
        if rng.random() < 0.12:  # noqa: PLR2004  (a share, likewise below)
            self.loud = not self.loud
        draw, n = rng.random(), rng.choice((1, 1, 2, 4))
        powers: list[float | None] = [round(rng.uniform(*(_LOUD if self.loud else _QUIET)), 3) for _ in range(n)]
        if draw < 0.03:  # noqa: PLR2004
            powers[0] = None
        elif draw < 0.05:  # noqa: PLR2004
            powers[-1] = _IMPLAUSIBLE
        phase = rng.choice(("on", "on", None))
        if self.fails and self.count == 9:  # noqa: PLR2004
            return Body(device=0, done=done, t=t, q={}, events=(FAULTY,))
        if draw > 0.95:  # noqa: PLR2004
            return Body(device=0, done=done, t=t, q={}, events=(f"e{self.count}", "door"))
        if draw > 0.93:  # noqa: PLR2004
            return Body(device=0, done=done, t=t, q={"colour": 1.0})
        dt = MICROS // 4
        if n == 1:
            return Body(device=0, done=done, t=t, q={"power": powers[0]}, phase=phase)
        return Body(device=0, done=done, t=t - (n - 1) * dt, q={"power": powers}, dt=dt, phase=phase)

    def farewell(self, t: int, done: int) -> Body:
        """A message that makes the detector say its digest."""
        return Body(device=0, done=done, t=t, q={}, events=(FAREWELL,))
