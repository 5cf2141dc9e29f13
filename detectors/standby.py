# ruff: noqa: PLR0917  (compiled functions take their arguments by position)
"""What a plug reads while its appliance stands still, hour by hour: the meter's own zero, and how unsteady it is.

An appliance that people start runs an hour a day; its plug reads the other twenty-three as well, and what they tell is
of the plug alone. An hour is divided into blocks of five minutes. Blocks in which nothing works are those whose mean is
small; the hour's power is their median, its unsteadiness the lower quartile of their mean steps from reading to
reading, so that a lamp or a fan that comes and goes is in neither.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

_HOUR = 3600 * MICROS
_BLOCK = 300 * MICROS
_LEAST_BLOCKS = 3
_DAY_HOURS = 24
_IDLE, _IDLE_SHARE = 10.0, 0.05
_NOISE = 6.0
_OWN = ("rest_power", "rest_flicker")
_EMPTY = (-1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0)


class StandbyState(msgspec.Struct):
    """What is remembered of a plug's rests.

    Attributes:
        hour: number of the hour under way; -1 before the first.
        block: of the block under way: number, readings, their sum, steps, their sum; last reading's time and value.
        means: of the hour's blocks that are complete, W.
        steps: mean step in each of them, W.
        least: hours of the last day in which the appliance stood still, and the power in each.
        unsteady: greatest hourly unsteadiness since the last run that was judged, W; NaN when there was no such hour.
    """

    hour: int = -1
    block: list[float] = msgspec.field(default_factory=lambda: list(_EMPTY))
    means: list[float] = msgspec.field(default_factory=list)
    steps: list[float] = msgspec.field(default_factory=list)
    least: list[tuple[int, float]] = msgspec.field(default_factory=list)
    unsteady: float = math.nan


class Standby:
    """The rests of one plug; of any other kind it divides nothing and tells nothing.

    Args:
        kind: its catalogue page.
        longest: a longer step from reading to reading counts for nothing, microseconds.
    """

    def __init__(self, kind: KindSpec, longest: int) -> None:
        names = list(kind.features)
        self._power = names.index("rest_power") if "rest_power" in names else -1
        self._flicker = names.index("rest_flicker") if "rest_flicker" in names else -1
        self._own = {i for i, name in enumerate(names) if name in _OWN}
        self._asked = kind.cycle is not None and kind.cycle.adaptive and self._power >= 0 and self._flicker >= 0
        self._channel = list(kind.channels).index(kind.cycle.channel) if kind.cycle is not None else 0
        self._longest = longest

    def parts(
        self, state: StandbyState, work: float | None, t: NDArray[np.int64], values: NDArray[np.float32]
    ) -> Iterator[tuple[int, int]]:
        """Take readings up to the end of each hour and say which they were, so that runs may be judged in between.

        Args:
            state: changed.
            work: working power of the appliance, W.
            t: event times (n,), microseconds.
            values: at those times (n, channels).
        """
        if not self._asked or work is None:
            yield 0, len(t)
            return
        hours = t // _HOUR
        cuts = [0, *(np.flatnonzero(np.diff(hours)) + 1).tolist(), len(t)] if hours[0] != hours[-1] else [0, len(t)]
        for low, high in pairwise(cuts):
            hour = int(hours[low])
            if hour != state.hour:
                self._close(state, work)
                state.hour = hour
            self._add(state, t[low:high], values[low:high, self._channel])
            yield low, high

    def told(self, state: StandbyState, values: list[float], usual: list[tuple[float, float]]) -> list[float]:
        """A run's features with what rests say: the day's least power, the unsteadiest hour since the last run.

        Where no hour tells the power, the minutes behind the run have to do. A plug that is unsteady at rest says
        nothing of its appliance: what looks like a short weak run may be the plug's own noise.

        Args:
            state: the unsteady hour is told once.
            values: of the run's features, by the run alone; changed.
            usual: centre and spread of the features' logarithms; empty before the reference stands.
        """
        if not self._asked:
            return values
        if state.least:
            values[self._power] = max(0.0, min(power for _, power in state.least)) + 1.0
        values[self._flicker] = state.unsteady + 1.0
        state.unsteady = math.nan
        if usual and math.log(values[self._flicker]) - usual[self._flicker][0] > _NOISE * usual[self._flicker][1]:
            return [value if i in self._own else math.nan for i, value in enumerate(values)]
        return values

    def _add(self, state: StandbyState, t: NDArray[np.int64], power: NDArray[np.float32]) -> None:
        means, steps = np.empty(len(t) + 1), np.empty(len(t) + 1)
        block = np.array(state.block)
        t, power = np.ascontiguousarray(t), np.ascontiguousarray(power)
        count = _blocks(t, power, _BLOCK, self._longest, block, means, steps)
        state.block = block.tolist()
        state.means += means[:count].tolist()
        state.steps += steps[:count].tolist()

    @staticmethod
    def _close(state: StandbyState, work: float) -> None:
        """An hour is over: keep what it says, if the appliance stood still for a quarter of it."""
        state.least = [one for one in state.least if one[0] > state.hour - _DAY_HOURS]
        most = max(_IDLE, _IDLE_SHARE * work)
        still = [(mean, step) for mean, step in zip(state.means, state.steps, strict=True) if mean <= most]
        if len(still) >= _LEAST_BLOCKS:
            means, steps = sorted(mean for mean, _ in still), sorted(step for _, step in still)
            state.least.append((state.hour, means[(len(means) - 1) // 2]))
            state.unsteady = max(steps[(len(steps) - 1) // 4], 0.0 if math.isnan(state.unsteady) else state.unsteady)
        state.means, state.steps = [], []


@compiled
def _blocks(
    t: NDArray[np.int64],
    power: NDArray[np.float32],
    width: int,
    longest: int,
    block: NDArray[np.float64],
    means: NDArray[np.float64],
    steps: NDArray[np.float64],
) -> int:
    """Means and mean steps of the blocks that readings complete; returns how many. `block` is the one under way."""
    count = 0
    for row in range(len(t)):
        x = float(power[row])
        if not math.isfinite(x):
            continue
        number = float(t[row] // width)
        if number != block[0]:
            if block[1] > 1.0 and block[3] > 0.0:
                means[count], steps[count] = block[2] / block[1], block[4] / block[3]
                count += 1
            block[0], block[1], block[2], block[3], block[4] = number, 0.0, 0.0, 0.0, 0.0
        step = float(t[row]) - block[5]
        if block[5] >= 0.0 and 0.0 < step <= longest:
            block[3] += 1.0
            block[4] += abs(x - block[6])
        block[1] += 1.0
        block[2] += x
        block[5], block[6] = float(t[row]), x
    return count


def warm() -> None:
    """Have the loop over readings compiled."""
    none = np.empty(0)
    _blocks(np.empty(0, np.int64), np.empty(0, np.float32), _BLOCK, _BLOCK, np.array(_EMPTY), none, none)
