"""Wear: when faults begin, how they grow, what a repair undoes, and the ground truth of it all.

A device has a fixed schedule of faults, drawn once from its own generator. A fault of the schedule is skipped when
its onset comes while the device still carries another one: an appliance here has one fault at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.clock import MICROS

DAY = 86_400 * MICROS
_SHAPE = 1.15
"""Wear grows a little faster towards the end: exponent of the elapsed share of the lead time."""
_MOST = 1.5


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of the ground truth; times in microseconds of fleet time.

    Attributes:
        device: `org/device`.
        family: fault family of the catalogue.
        fault: fault id of the catalogue.
        onset: when wear began.
        failure: when the appliance fails functionally if nobody repairs it.
        repaired: when it was mended, or None.
    """

    device: str
    family: str
    fault: str
    onset: int
    failure: int
    repaired: int | None = None

    def level(self, at: int) -> float:
        """Wear at a time: 0 before the onset and after the repair, 1 at functional failure."""
        if at <= self.onset or (self.repaired is not None and at >= self.repaired):
            return 0.0
        return min(float(((at - self.onset) / (self.failure - self.onset)) ** _SHAPE), _MOST)


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """A dated intervention: the fault family that was mended on a device."""

    device: str
    family: str
    at: int


@dataclass(slots=True)
class DeviceWear:
    """The wear of one device.

    Attributes:
        columns: fault ids in the order of the physics' wear columns.
        schedule: faults to come, by onset.
        faults: those that have begun, by onset.
    """

    columns: tuple[str, ...]
    schedule: list[Fault] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def begin(self, at: int) -> None:
        """Let the scheduled faults begin whose onset has come."""
        while self.schedule and self.schedule[0].onset <= at:
            fault = self.schedule.pop(0)
            if all(one.repaired is not None and one.repaired <= fault.onset for one in self.faults):
                self.faults.append(fault)

    def levels(self, at: int) -> NDArray[np.float64]:
        """Wear of each column at a time, shape (faults,)."""
        self.begin(at)
        found = np.zeros(len(self.columns))
        for fault in self.faults:
            level = fault.level(at)
            if level > 0.0:
                column = self.columns.index(fault.fault)
                found[column] = max(found[column], level)
        return found

    def active(self, family: str, at: int) -> Fault | None:
        """The unrepaired fault of a family that has begun."""
        self.begin(at)
        found = (one for one in self.faults if one.family == family and one.repaired is None and one.onset <= at)
        return next(found, None)

    def mend(self, family: str, at: int) -> Fault | None:
        """Undo the wear of a family from `at` on; None when there was none."""
        fault = self.active(family, at)
        if fault is None:
            return None
        mended = msgspec.structs.replace(fault, repaired=at)
        self.faults[self.faults.index(fault)] = mended
        return mended


def as_lines(faults: Iterable[Fault]) -> str:
    """The truth as JSON lines."""
    return "".join(msgspec.json.encode(fault).decode() + "\n" for fault in faults)
