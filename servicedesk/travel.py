"""How long the way from one place to another takes; a road router may stand in for the estimate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth (IUGG)."""
Legs = tuple[tuple[int, ...], ...]
"""Seconds from each place (row) to each place (column)."""


class Place(NamedTuple):
    """A point on the Earth, in degrees (WGS 84)."""

    latitude: float
    longitude: float


class TravelTimes(Protocol):
    """Where travel times come from. A road router (OSRM, Valhalla) fits behind it."""

    def between(self, start: Place | None, end: Place | None) -> int:
        """Seconds from one place to another; None is a place that nobody knows."""
        ...

    def matrix(self, places: Sequence[Place | None]) -> Legs:
        """Seconds between all of them; the diagonal is zero."""
        ...


@dataclass(frozen=True, slots=True)
class CrowFlies:
    """Great-circle distance x detour / speed, and a little time for each start.

    The defaults are those of a large city by day; roads are about 1.3 times as long as the straight line
    (Boscoe, Henry, Zdeb, "A Nationwide Comparison of Driving Distance Versus Straight-Line Distance to Hospitals",
    The Professional Geographer 64 (2012): 1.4 on average, less in cities).

    Attributes:
        detour: length of the road over that of the straight line.
        speed: on the road, in km/h.
        start: seconds to park and to set off, for each leg between two different places.
        unknown: seconds to or from a place without coordinates.
    """

    detour: float = 1.3
    speed: float = 30.0
    start: int = 120
    unknown: int = 25 * 60

    def between(self, start: Place | None, end: Place | None) -> int:
        """See `TravelTimes`; the same both ways."""
        if start is None or end is None:
            return self.unknown
        if start == end:
            return 0
        return self.start + round(_distance_km(start, end) * self.detour / self.speed * 3600)

    def matrix(self, places: Sequence[Place | None]) -> Legs:
        """See `TravelTimes`."""
        known = [place is not None for place in places]
        points = np.radians(np.array([place or (0.0, 0.0) for place in places], dtype=float).reshape(-1, 2))
        lat, lon = points[:, 0], points[:, 1]
        half = (
            np.sin((lat[:, None] - lat) / 2) ** 2
            + np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
        )
        km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
        seconds = np.rint(km * self.detour / self.speed * 3600).astype(int) + self.start * (half > 0)
        mask = np.array(known, dtype=bool)
        seconds[~mask, :] = self.unknown
        seconds[:, ~mask] = self.unknown
        np.fill_diagonal(seconds, 0)
        return tuple(map(tuple, seconds.tolist()))


CITY = CrowFlies()
"""The estimate that is used unless another one is given."""


def _distance_km(start: Place, end: Place) -> float:
    """Haversine formula (Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984))."""
    a, b = math.radians(start.latitude), math.radians(end.latitude)
    turn = math.radians(end.longitude - start.longitude)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(turn / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))
