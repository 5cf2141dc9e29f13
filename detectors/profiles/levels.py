"""Each channel's smoothed level against a centre that follows slow drift: the loop over rows."""
# ruff: noqa: PLR0917  (compiled functions take their arguments by position)

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@compiled
def follow(
    x: Array,
    noise: Array,
    least: Array,
    rules: Array,
    state: Array,
    waiting: Array,
    out: Flags,
    ratio: Array,
    alarm: Flags,
) -> None:
    """Take rows; `state`, `waiting` and `out` are what is known of each channel, and change.

    A channel goes out of bounds when its level is more than `enter` scales from its centre. While it is out its centre
    stands still and nothing is learned: not from what is called a fault. It is back when the level was for `hold` rows
    within `leave` scales, or within `share` of the farthest it had been; then the centre is where the level is.

    A channel within bounds teaches its scale: squared distances wait in a ring until so many rows behind them were
    within bounds as well, so that the beginning of a fault does not hide the rest of it.

    Args:
        x: shape (n, channels), NaN where absent.
        noise: standard deviation of a row, shape (channels,).
        least: scale that the healthy rows taught, the least there is, shape (channels,); 0: takes no part.
        rules: gain, drift, enter, leave, share, hold, slew, reach, times, memory; see
            `detectors.profiles.multichannel.Rules`.
        state: rows level, centre, scale, peak (greatest distance since it went out, in scales), calm (rows within the
            bounds of return), square (mean squared distance), weight (rows it stands for), told (rows put into the
            ring since it was last empty); shape (8, channels).
        waiting: the ring, shape (rows, channels).
        out: which channels are out of bounds, shape (channels,).
        ratio: written: the greatest distance over its bound of any channel, shape (n,).
        alarm: written: any channel is out, shape (n,).
    """
    gain, drift, enter, leave, share, hold, slew, reach, times, memory = rules
    level, centre, scale, peak, calm, square, weight, told = state
    for i in range(len(x)):
        worst = 0.0
        any_out = False
        for c in range(x.shape[1]):
            if least[c] <= 0.0:
                continue
            value = x[i, c]
            if math.isfinite(value):
                step = min(max(value - level[c], -slew * noise[c]), slew * noise[c])
                far = reach * noise[c]
                level[c] = min(max(level[c] + gain * step, centre[c] - far), centre[c] + far)
            away = level[c] - centre[c]
            distance = abs(away) / scale[c]
            bound = enter
            if out[c]:
                peak[c] = max(peak[c], distance)
                bound = max(leave, share * peak[c])
                calm[c] = calm[c] + 1.0 if distance < bound else 0.0
                if calm[c] >= hold:
                    out[c] = False
                    centre[c] = level[c]
            elif distance > enter:
                out[c] = True
                peak[c] = distance
                calm[c] = 0.0
                told[c] = 0.0
            else:
                centre[c] += drift * min(max(away, -scale[c]), scale[c])
                place = int(told[c]) % len(waiting)
                if told[c] >= len(waiting):
                    weight[c] = min(weight[c] + 1.0, memory)
                    square[c] += (waiting[place, c] - square[c]) / weight[c]
                    scale[c] = max(least[c], math.sqrt(times * square[c]))
                waiting[place, c] = away * away
                told[c] += 1.0
            any_out = any_out or out[c]
            worst = max(worst, distance / bound)
        ratio[i] = worst
        alarm[i] = any_out
