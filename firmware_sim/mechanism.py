"""How something from outside the physics (a fault's wear, an innocent spell) changes an appliance's parameters.

Wear and spells speak the same language: a table of targets and influences. A target is a parameter of the physics,
`sensor.CHANNEL`, `drive.NAME` or `habit.NAME`; an influence at level 1 is fully there, at level 0 not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telemetry.catalogue import Influence

Floats = NDArray[np.float64]
SENSOR, DRIVE, HABIT = "sensor.", "drive.", "habit."
_LEAST_FACTOR = 0.0
SHARES = frozenset({"door", "presence", "awake"})
"""Drives that are shares of a step."""


@dataclass(frozen=True, slots=True)
class Spell:
    """Something innocent that holds for a while on one appliance.

    Attributes:
        what: id of the confounder.
        begin: fleet time, microseconds.
        end: likewise.
        ramp: microseconds in which it comes and goes.
        influences: at full strength, by target.
    """

    what: str
    begin: int
    end: int
    ramp: int
    influences: Mapping[str, Influence]

    def level(self, at: NDArray[np.int64]) -> Floats:
        """How strongly it holds, 0 to 1, at fleet times."""
        if self.ramp <= 0:
            return np.asarray((at >= self.begin) & (at < self.end), dtype=np.float64)
        inside = np.minimum(at - self.begin, self.end - at) / self.ramp
        return np.asarray(np.clip(inside, 0.0, 1.0), dtype=np.float64)


def influence(value: Floats, what: Influence, level: Floats) -> Floats:
    """A quantity under an influence of some level; shapes broadcast."""
    if what.factor is not None or what.failed is not None:
        factor = 1.0 if what.factor is None else what.factor
        scale = np.maximum(1.0 + (factor - 1.0) * level, _LEAST_FACTOR)
        if what.failed is not None:
            scale = np.where(level >= 1.0, what.failed, scale)
        value = value * scale
    if what.add is not None:
        value = value + what.add * level
    return np.asarray(value, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Acting:
    """One influence on one appliance at a level.

    Attributes:
        row: of the appliance in its group.
        target: as in a mechanism.
        what: the influence.
        level: 0 to 1, or beyond functional failure.
    """

    row: int
    target: str
    what: Influence
    level: float


def effective(parameters: Mapping[str, Floats], acting: Sequence[Acting]) -> dict[str, Floats]:
    """Parameters with all that acts on them; targets that are no parameter are passed over.

    Args:
        parameters: name to one value an appliance.
        acting: in any order; factors multiply, then sums add, so that the order does not matter much and is kept.
    """
    found = dict(parameters)
    touched: set[str] = set()
    for one in acting:
        if one.target not in parameters:
            continue
        if one.target not in touched:
            found[one.target] = found[one.target].copy()
            touched.add(one.target)
        values = found[one.target]
        values[one.row] = influence(values[one.row : one.row + 1], one.what, np.array([one.level]))[0]
    return found


def steer(drives: Mapping[str, Floats], acting: Sequence[Acting]) -> None:
    """Change in place the drives that something acts on: a vent that lets warm air in, a valve that throttles.

    Args:
        drives: by name, shape (..., appliances); shares (door, presence) stay between 0 and 1.
        acting: what acts; other targets than drives are passed over.
    """
    for one in acting:
        values = drives.get(one.target.removeprefix(DRIVE)) if one.target.startswith(DRIVE) else None
        if values is not None:
            values[..., one.row] = influence(values[..., one.row], one.what, np.array(one.level))
            if one.target.removeprefix(DRIVE) in SHARES:
                np.clip(values[..., one.row], 0.0, 1.0, out=values[..., one.row])
