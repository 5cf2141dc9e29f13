"""Thresholds for a plug, whose load is unknown: learned from its first day, then fixed."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.clock import MICROS

_BINS = 256
_TOP = 8192.0
_SCALE = _BINS / np.log(_TOP)
_RARE = 0.001
_IDLE_SHARE = 0.02
_IDLE_POWER = 5.0
_LEAST_WORK = 1800 * MICROS
_AGAIN = 600 * MICROS


class LevelState(msgspec.Struct):
    """Time spent at each power, on a logarithmic scale, while learning.

    Attributes:
        time: microseconds a bin.
        observed: microseconds in all.
        last_t: time of the last reading.
        work: median working power once learned, W.
    """

    time: list[int] = msgspec.field(default_factory=lambda: [0] * _BINS)
    observed: int = 0
    last_t: int | None = None
    work: float | None = None


def learn(state: LevelState, t: NDArray[np.int64], power: NDArray[np.float32], longest: int, enough: int) -> int | None:
    """Add readings to a state that is still learning, up to the one with which the level is known.

    Working power is the median over the time spent above 2 % of the highest common power: a lamp behind a door
    or a standby does not move it, and everything scales with the appliance. It is asked for once enough time was
    observed, and every ten minutes from then on, whatever the division into messages.

    Args:
        state: changed.
        t: event times, microseconds.
        power: at those times, W; NaN where unknown.
        longest: a longer step counts for nothing, microseconds.
        enough: time to observe, microseconds.

    Returns:
        How many readings were used when the level became known; None while it is not.
    """
    rows = np.flatnonzero(np.isfinite(power))
    if len(rows) == 0:
        return None
    t, power = t[rows], power[rows]
    step = np.diff(t, prepend=int(t[0]) if state.last_t is None else state.last_t)
    step = np.where((step > 0) & (step <= longest), step, 0)
    at = np.clip((np.log(np.maximum(power, 1.0)) * _SCALE).astype(np.int64), 0, _BINS - 1)
    asked = np.maximum((state.observed + np.cumsum(step) - enough) // _AGAIN, -1)
    begun = max((state.observed - enough) // _AGAIN, -1)
    ends = (np.flatnonzero(np.diff(asked, prepend=begun)) + 1).tolist()
    for low, high in pairwise(dict.fromkeys([0, *ends, len(t)])):
        for index, length in zip(at[low:high].tolist(), step[low:high].tolist(), strict=True):
            state.time[index] += length
            state.observed += length
        state.last_t = int(t[high - 1])
        if high in ends and _known(state):
            return int(rows[high - 1]) + 1
    return None


def _known(state: LevelState) -> bool:
    time = np.array(state.time, np.int64)
    centres = np.exp((np.arange(_BINS) + 0.5) / _SCALE)
    above = np.cumsum(time[::-1])[::-1]
    top = float(centres[int(np.flatnonzero(above >= _RARE * state.observed)[-1])])
    working = np.where(centres > max(_IDLE_POWER, _IDLE_SHARE * top), time, 0)
    total = int(working.sum())
    if total < _LEAST_WORK:
        return False
    state.work = float(centres[int(np.searchsorted(np.cumsum(working), total / 2))])
    state.time = []
    return True
