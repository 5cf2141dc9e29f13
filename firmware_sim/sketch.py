"""Curves as text: braille plots and sparklines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLANK = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell by row and column."""
_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], low: float | None = None, high: float | None = None) -> str:
    """One character a value; what is absent is a blank, and equal values are a low line."""
    known = [value for value in values if np.isfinite(value)]
    if not known:
        return " " * len(values)
    bottom, top = min(known) if low is None else low, max(known) if high is None else high
    span = top - bottom
    return "".join(
        " " if not np.isfinite(value) else _BARS[_level(value, bottom, span, len(_BARS))] for value in values
    )


def braille(t: Floats, values: Floats, *, width: int, height: int, low: float, high: float) -> list[str]:
    """A curve in braille dots, the top line first.

    Args:
        t: ascending, shape (n,); the curve spans all of it.
        values: shape (n,); NaN where absent.
        width: characters a line; each holds two dots.
        height: lines; each holds four dots.
        low: value of the lowest dot.
        high: value of the highest.
    """
    columns, rows = 2 * width, 4 * height
    cells = np.full((height, width), _BLANK, dtype=np.int64)
    known = np.isfinite(values)
    t, values = t[known], values[known]
    if len(t) == 0:
        return [chr(_BLANK) * width] * height
    span = max(float(t[-1] - t[0]), 1e-9)
    column = np.minimum(((t - t[0]) / span * columns).astype(np.int64), columns - 1)
    row = np.array([_level(float(value), low, high - low, rows) for value in values])
    last = row[0]
    for at in range(columns):
        here = row[column == at]
        if len(here) == 0:
            continue
        # The stroke goes from where the curve was to all the places that it visits in this column.
        bottom, top = min(int(here.min()), int(last)), max(int(here.max()), int(last))
        for dot in range(bottom, top + 1):
            line = rows - 1 - dot
            cells[line // 4, at // 2] |= _DOTS[line % 4][at % 2]
        last = here[-1]
    return ["".join(map(chr, line)) for line in cells.tolist()]


def _level(value: float, low: float, span: float, levels: int) -> int:
    if span <= 0:
        return 0
    return int(np.clip((value - low) / span * levels, 0, levels - 1))
