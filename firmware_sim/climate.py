"""The climate of a scenario: numbers only; `firmware_sim.homes` makes weather of them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Temperature = Annotated[float, msgspec.Meta(ge=-60, le=60)]
_COLDEST = {"north": 20.0, "south": 202.0}


class Climate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[climate]`; temperatures in Celsius, swings and deviations in kelvin.

    Attributes:
        mean: of the outdoor temperature over a year.
        season: how far the middle of summer lies above that mean, and the middle of winter below.
        daily: how far the warmest hour of a day lies above that day's mean, and the coldest below.
        weather: factor on how much the days differ from each other; 0: every day is as its season.
        room: mean of the rooms in which appliances stand.
        inlet_mean: mean of the tap water over a year.
        inlet_season: how far it is above that mean in late summer, and below in late winter.
        hemisphere: `north`, where July is warm, or `south`.
    """

    mean: Temperature = 16.5
    season: NotNegative = 11.5
    daily: NotNegative = 3.5
    weather: NotNegative = 1.0
    room: Temperature = 23.0
    inlet_mean: Annotated[float, msgspec.Meta(ge=1, le=35)] = 16.0
    inlet_season: NotNegative = 6.0
    hemisphere: Literal["north", "south"] = "north"

    @property
    def coldest_day(self) -> float:
        """Day of the year around which it is coldest."""
        return _COLDEST[self.hemisphere]
