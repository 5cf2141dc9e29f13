"""The climate of a scenario: numbers only; `firmware_sim.homes` makes weather of them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Temperature = Annotated[float, msgspec.Meta(ge=-60, le=60)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Climate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[climate]`; temperatures in Celsius, swings and deviations in kelvin.

    Attributes:
        mean: of the outdoor temperature over a year.
        seasonal: how far the middle of summer lies above that mean, and the middle of winter below.
        daily: how far the warmest hour of a day lies above that day's mean, and the coldest below.
        weather: standard deviation of a day's mean from one day to the next.
        room: mean of the rooms in which appliances stand.
        room_follows: which share of the outdoor temperature's deviation from its mean reaches the rooms.
        inlet: mean of the tap water over a year.
        inlet_seasonal: how far it is above that mean in late summer, and below in late winter.
        hemisphere: `north`, where July is warm, or `south`.
    """

    mean: Temperature = 16.5
    seasonal: NotNegative = 11.5
    daily: NotNegative = 3.5
    weather: NotNegative = 2.5
    room: Temperature = 23.0
    room_follows: Share = 0.08
    inlet: Annotated[float, msgspec.Meta(ge=1, le=35)] = 16.0
    inlet_seasonal: NotNegative = 6.0
    hemisphere: Literal["north", "south"] = "north"
