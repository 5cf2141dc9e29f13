"""Each channel's smoothed level against a centre that follows slow drift: the loop over rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@compiled
def follow(  # noqa: PLR0917  (a compiled loop takes arrays)
    x: Array,
    noise: Array,
    scale: Array,
    rules: Array,
    level: Array,
    centre: Array,
    peak: Array,
    calm: Array,
    out: Flags,
    ratio: Array,
    alarm: Flags,
) -> None:
    """Take rows; `level`, `centre`, `peak`, `calm` and `out` are the state of each channel and change.

    A channel goes out of bounds when its level is more than `enter` scales from its centre. While it is out its centre
    stands still: nothing is learned from what is called a fault. It is back when the level was for `hold` rows within
    `leave` scales or within `share` of the farthest it had been; then the centre is where the level is.

    Args:
        x: shape (n, channels), NaN where absent.
        noise: standard deviation of a row, shape (channels,).
        scale: of the level's usual distance from the centre, shape (channels,); 0: the channel takes no part.
        rules: gain, follow, enter, leave, share, hold, slew, reach; see `detectors.profiles.multichannel`.
        level: shape (channels,).
        centre: likewise.
        peak: greatest distance since a channel went out, in scales.
        calm: rows it has been within the bounds of return.
        out: which channels are out of bounds.
        ratio: written: the greatest distance over its bound of any channel, shape (n,).
        alarm: written: any channel is out, shape (n,).
    """
    gain, drift, enter, leave, share, hold, slew, reach = rules
    for i in range(len(x)):
        worst = 0.0
        any_out = False
        for c in range(x.shape[1]):
            if scale[c] <= 0.0:
                continue
            value = x[i, c]
            if math.isfinite(value):
                step = min(max(value - level[c], -slew * noise[c]), slew * noise[c])
                far = reach * noise[c]
                level[c] = min(max(level[c] + gain * step, centre[c] - far), centre[c] + far)
            distance = abs(level[c] - centre[c]) / scale[c]
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
            else:
                away = level[c] - centre[c]
                centre[c] += drift * min(max(away, -scale[c]), scale[c])
            any_out = any_out or out[c]
            worst = max(worst, distance / bound)
        ratio[i] = worst
        alarm[i] = any_out
