"""What the life model is given: one record a unit, rows in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.errors import WellkeptError

Floats = NDArray[np.float64]

HORIZON = 1.2
"""Lives up to so many caps count alike: a unit passes through each of them once. Beyond, nothing is told apart."""


class LifeError(WellkeptError):
    """A record or a model file that cannot be used; says why and what would help."""


class Record(NamedTuple):
    """One unit's rows.

    Attributes:
        unit: its name.
        time: cycles or any other unit of time, rising, shape (n,).
        settings: operating settings, shape (n, settings).
        sensors: measurements, shape (n, sensors); NaN where absent.
    """

    unit: str
    time: Floats
    settings: Floats
    sensors: Floats


class Records(NamedTuple):
    """A table of units.

    Attributes:
        units: one record each.
        settings: names of the settings' columns.
        sensors: names of the sensors' columns.
    """

    units: Sequence[Record]
    settings: tuple[str, ...]
    sensors: tuple[str, ...]


def lives(records: Sequence[Record]) -> list[Floats]:
    """What remained at each row of units that were observed until they failed, in the unit of their time."""
    return [record.time[-1] - record.time for record in records]


def held(values: Floats) -> Floats:
    """Absent values repeat the last one of their column; NaN before the first. Looks at no later row."""
    rows = np.arange(len(values))[:, None]
    at = np.maximum.accumulate(np.where(np.isfinite(values), rows, -1), axis=0)
    found = np.take_along_axis(values, np.maximum(at, 0), axis=0)
    return np.where(at >= 0, found, np.nan)
