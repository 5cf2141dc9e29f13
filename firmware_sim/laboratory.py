"""A plain day in the laboratory: surroundings that are the same whenever and for whomever they are asked for.

A fault's signature is told from two appliances on the same day; weather and habits of a scenario would blur it. Drives
as in `firmware_sim.homes.DRIVES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_sim.physics.base import Floats

INLET = 12.0
ROOM = 22.0
_DAY_SECONDS = 86_400.0
_DOORS = [(hour * 3600.0, 18.0, 1.0) for hour in np.linspace(7.0, 22.0, 26)]
"""Begin, seconds, 1."""
_SHOWERS = [(hour * 3600.0, 360.0, 6.0) for hour in (6.75, 7.25, 21.0)]
_TAPS = [(hour * 3600.0, 45.0, 3.0) for hour in np.linspace(8.0, 22.0, 9)]
"""Begin, seconds, L/min."""


def laboratory(names: Sequence[str], seconds: Floats, step: float) -> dict[str, Floats]:
    """Drives at times of the day.

    Args:
        names: which are wanted.
        seconds: begins of the steps, counted from some midnight; shape (steps,).
        step: their length, seconds.

    Raises:
        KeyError: no such drive.
    """
    return {name: np.asarray(_DRIVES[name](seconds % _DAY_SECONDS, step), dtype=np.float64) for name in names}


def _wave(mean: float, swing: float, peak: float) -> Callable[[Floats, float], Floats]:
    return lambda seconds, _step: mean + swing * np.cos((seconds / 3600.0 - peak) * (np.pi / 12.0))


def _level(value: float) -> Callable[[Floats, float], Floats]:
    return lambda seconds, _step: np.full(len(seconds), value)


def _events(events: Sequence[tuple[float, float, float]]) -> Callable[[Floats, float], Floats]:
    def spread(seconds: Floats, step: float) -> Floats:
        found = np.zeros(len(seconds))
        for begin, last, rate in events:
            inside = np.minimum(seconds + step, begin + last) - np.maximum(seconds, begin)
            found += rate * np.clip(inside, 0.0, step) / step
        return found

    return spread


def _at_home(seconds: Floats, _step: float) -> NDArray[np.float64]:
    hour = seconds / 3600.0
    return np.asarray((hour < 8.5) | (hour > 17.5), dtype=np.float64)  # noqa: PLR2004  (out from half past eight to half past five)


def _awake(seconds: Floats, _step: float) -> NDArray[np.float64]:
    hour = seconds / 3600.0
    return np.asarray((hour >= 6.5) & (hour < 22.5), dtype=np.float64)  # noqa: PLR2004  (up at half past six, to bed at half past ten)


_DRIVES: Mapping[str, Callable[[Floats, float], Floats]] = {
    "ambient": _wave(ROOM, 1.2, 16.0),
    "outdoor": _wave(6.0, 4.0, 15.0),
    "door": _events(_DOORS),
    "inlet": _level(INLET),
    "draw": _events([*_SHOWERS, *_TAPS]),
    "supply": _level(1.0),
    "presence": _at_home,
    "awake": _awake,
}
