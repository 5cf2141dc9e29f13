"""Ways of wearing out: units that end with other sensors off than their fellows, told apart by how they ended.

Of a fleet's engines some fail by the compressor, others by the fan. One health index for both is a compromise for
either; so where the units' last rows fall into groups that do not touch, each group has an index of its own. The groups
are found by dividing in two along the widest direction (principal direction divisive partitioning: D. Boley, Data
Mining and Knowledge Discovery 2, 1998) and moving each unit to the nearer mean until none moves. Whether two groups are
two is Ashman's D (K. Ashman, C. Bird, S. Zepf, Astronomical Journal 108, 1994): the distance of the means over the
spread within.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.rul.records import Floats

_END = 15
"""Rows before the failure by whose mean a unit's end is known."""
_APART = 8.0
"""Ashman's D from which two groups are two. Halves of one cloud have 2.7 to 4, and 2 is called clean of two clouds."""
_LEAST_UNITS = 5
_MOST_MODES = 4
_MOST_MOVES = 50


def modes(z: Sequence[Floats]) -> list[NDArray[np.intp]]:
    """Numbers of the units of each way of wearing out, at most four, the largest first; one where all end alike.

    Args:
        z: deviations of each unit that ran until it failed, shape (n, sensors) each.
    """
    ends = np.array([unit[-_END:].mean(axis=0) for unit in z])
    waiting, found = [np.arange(len(ends))], list[NDArray[np.intp]]()
    while waiting:
        group = waiting.pop()
        upper = _halves(ends[group])
        parts = group[upper], group[~upper]
        full = len(found) + len(waiting) + 2 > _MOST_MODES
        if full or min(map(len, parts)) < _LEAST_UNITS or _apart(*(ends[part] for part in parts)) < _APART:
            found.append(group)
        else:
            waiting += parts
    return sorted(found, key=lambda group: (-len(group), int(group[0])))


def _halves(ends: Floats) -> NDArray[np.bool_]:
    """Which of the units belong to the one of two groups."""
    centred = ends - ends.mean(axis=0)
    along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    upper = np.asarray(along > np.median(along), np.bool_)
    for _ in range(_MOST_MOVES):
        if upper.all() or not upper.any():
            break
        far = [((ends - ends[side].mean(axis=0)) ** 2).sum(axis=1) for side in (upper, ~upper)]
        moved = far[0] < far[1]
        if (moved == upper).all():
            break
        upper = moved
    return upper


def _apart(one: Floats, other: Floats) -> float:
    """Ashman's D of two groups along the line through their means; 0 where they lie on one another."""
    line = one.mean(axis=0) - other.mean(axis=0)
    length = float(np.linalg.norm(line))
    if length == 0.0:
        return 0.0
    spread = float(np.hypot(*(np.std(group @ line / length) for group in (one, other))))
    return np.sqrt(2.0) * length / spread if spread > 0.0 else np.inf
