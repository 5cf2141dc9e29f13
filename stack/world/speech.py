"""What devices say in a world: quiet readings, spells of high power, events, now and then something unfit."""

from __future__ import annotations

import random
from dataclasses import dataclass

from firmware_sim.firmware import Body
from stack.world.chronicle import FAREWELL, FAULTY
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

_POWER = "power"
_QUIET = (5.0, 300.0)
_LOUD = (950.0, 2_000.0)
_IMPLAUSIBLE = 90_000.0


@dataclass(slots=True)
class Voice:
    """One device's.

    Args:
        rng: its own.
        kind: of the device; its channels beside power are filled within their ranges.
        fails: whether it will say what its detector fails on.
    """

    rng: random.Random
    kind: KindSpec
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
        phases = tuple(self.kind.phases) or ("on",)
        phase = rng.choice((*phases, phases[0], None))
        if self.fails and self.count == 9:  # noqa: PLR2004
            return Body(device=0, done=done, t=t, q={}, events=(FAULTY,))
        if draw > 0.95:  # noqa: PLR2004
            return Body(device=0, done=done, t=t, q={}, events=(f"e{self.count}", "door"))
        if draw > 0.93:  # noqa: PLR2004
            return Body(device=0, done=done, t=t, q={"colour": 1.0})
        dt = MICROS // 4
        columns = self._columns(powers)
        if n == 1:
            return Body(device=0, done=done, t=t, q={name: cells[0] for name, cells in columns.items()}, phase=phase)
        return Body(device=0, done=done, t=t - (n - 1) * dt, q=dict(columns), dt=dt, phase=phase)

    def _columns(self, powers: list[float | None]) -> dict[str, list[float | None]]:
        """Cells by channel; all but the first may be left out."""
        found: dict[str, list[float | None]] = {}
        for number, (name, channel) in enumerate(self.kind.channels.items()):
            cells = [round(self.rng.uniform(channel.low, channel.high), 3) for _ in powers]
            if name == _POWER:
                found[name] = powers
            elif number == 0 or self.rng.random() < 0.9:  # noqa: PLR2004
                found[name] = list(cells)
        return found

    def farewell(self, t: int, done: int) -> Body:
        """A message that makes the detector say its digest."""
        return Body(device=0, done=done, t=t, q={}, events=(FAREWELL,))
