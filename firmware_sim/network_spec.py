"""How badly the devices of a scenario are connected: numbers only; `firmware_sim.network` acts on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from firmware_sim.chance import generator
from firmware_sim.where import Described, Share, Where, Words

NotNegative = Annotated[float, msgspec.Meta(ge=0)]
DayHours = Annotated[float, msgspec.Meta(ge=0, le=24)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The link of one device; the default is a perfect one.

    Attributes:
        offline_hours: mean hours a day without a connection; the readings of that time come later, from the spool.
        outage_hours: mean length of one outage, exponentially distributed.
        duplicates: share of messages that are sent twice.
        reorder: share of messages that are overtaken by later ones.
        reorder_seconds: how late such a message is at most.
        loss: share of publishes that never arrive and are sent again when no receipt comes.
        clock_offset_s: standard deviation over devices of the clock's error at the start, seconds.
        clock_drift_ppm: standard deviation over devices of the clock's rate error, parts per million.
        ntp_days: days between the steps that set the clock right again; 0: it is never set right.
        reboots: mean reboots a day.
        reboot_s: seconds one reboot takes.
        reconnect_jitter_s: a reconnect happens within so many seconds, drawn evenly.
    """

    offline_hours: float = 0.0
    outage_hours: float = 3.0
    duplicates: float = 0.0
    reorder: float = 0.0
    reorder_seconds: float = 60.0
    loss: float = 0.0
    clock_offset_s: float = 0.0
    clock_drift_ppm: float = 0.0
    ntp_days: float = 1.0
    reboots: float = 0.0
    reboot_s: float = 45.0
    reconnect_jitter_s: float = 2.0


class NetworkPart(Where, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is different for some of the devices; see `Link` for the fields, `Where` for the choice of devices."""

    offline_hours: DayHours | None = None
    outage_hours: Annotated[float, msgspec.Meta(gt=0)] | None = None
    duplicates: Share | None = None
    reorder: Share | None = None
    reorder_seconds: NotNegative | None = None
    loss: Share | None = None
    clock_offset_s: NotNegative | None = None
    clock_drift_ppm: NotNegative | None = None
    ntp_days: NotNegative | None = None
    reboots: NotNegative | None = None
    reboot_s: NotNegative | None = None
    reconnect_jitter_s: NotNegative | None = None


class NetworkSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[network]` of a scenario; see `Link` for the fields.

    Attributes:
        kept_sessions: firmware versions that keep their session with the broker (MQTT's clean session off) where a
            device has a connection of its own: the broker holds what is asked of it while it is away.
        part: overrides for some devices, `[[network.part]]`; where several hold, the later one wins field by field.
    """

    offline_hours: DayHours = 0.0
    outage_hours: Annotated[float, msgspec.Meta(gt=0)] = 3.0
    duplicates: Share = 0.0
    reorder: Share = 0.0
    reorder_seconds: NotNegative = 60.0
    loss: Share = 0.0
    clock_offset_s: NotNegative = 0.0
    clock_drift_ppm: NotNegative = 0.0
    ntp_days: NotNegative = 1.0
    reboots: NotNegative = 0.0
    reboot_s: NotNegative = 45.0
    reconnect_jitter_s: NotNegative = 2.0
    kept_sessions: Words = ()
    part: tuple[NetworkPart, ...] = ()

    def link(self, seed: int, index: int, appliance: Described) -> Link:
        """The link of one device, a function of (seed, index).

        Args:
            seed: of the fleet.
            index: of the device, the key of its draws.
            appliance: its description.
        """
        values = {name: getattr(self, name) for name in _FIELDS}
        for number, part in enumerate(self.part):
            if not part.holds(appliance) or generator(seed, index, "network_part", number).random() >= part.share:
                continue
            values |= {name: value for name in _FIELDS if (value := getattr(part, name)) is not None}
        return Link(**values)

    @property
    def perfect(self) -> bool:
        """Whether nothing at all happens on any link."""
        quiet = ("offline_hours", "duplicates", "reorder", "loss", "clock_offset_s", "clock_drift_ppm", "reboots")
        return not any(getattr(one, name) for one in (self, *self.part) for name in quiet)


_FIELDS = tuple(Link.__dataclass_fields__)
