"""Wear: when faults begin, how they grow, what a repair undoes, and the ground truth of it all.

A device has a fixed schedule of faults, drawn once from its own generator. A fault of the schedule is skipped when
its onset comes while the device still carries another one, unless both began together: an appliance here has one fault,
or one combination of faults, at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np

from firmware_sim.chance import uniform
from telemetry.catalogue import CourseSpec
from telemetry.clock import MICROS

DAY = 86_400 * MICROS
HOUR = 3_600 * MICROS
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
        by: how: `visit`, `self_fix`, `breakdown` or `cleared`; None while it is not.
        mechanism_of: for a plug, the fault `KIND.FAULT` of the appliance behind it; None when it is the fault's own.
    """

    device: str
    family: str
    fault: str
    onset: int
    failure: int
    repaired: int | None = None
    by: str | None = None
    mechanism_of: str | None = None

    def level(self, at: int, course: CourseSpec = CourseSpec(), key: int = 0) -> float:  # noqa: B008  (frozen)
        """Wear at a time: 0 before the onset and after the repair, 1 at functional failure.

        Args:
            at: fleet time.
            course: how it develops. An intermittent fault is wholly there in bursts, which get denser: the share of
                bursts is what the level of a steady fault would be.
            key: of the bursts.
        """
        if at <= self.onset or (self.repaired is not None and at >= self.repaired):
            return 0.0
        grown = min(float(((at - self.onset) / (self.failure - self.onset)) ** course.shape), _MOST)
        if course.pattern != "intermittent" or grown >= 1.0:
            return grown
        burst = at // round(course.burst_hours * HOUR)
        return 1.0 if float(uniform(np.array([key], dtype=np.uint64), burst)[0]) < grown else 0.0


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """A dated intervention: the fault family that was mended on a device, and how.

    Attributes:
        device: `org/device`.
        family: of the fault; empty where `fault` says which.
        at: fleet time.
        by: how it was mended.
        fault: only this fault, by its own id or, for a plug, by `KIND.FAULT` of the appliance behind it.
    """

    device: str
    family: str
    at: int
    by: str = "visit"
    fault: str = ""


@dataclass(slots=True)
class DeviceWear:
    """The wear of one device.

    Attributes:
        courses: how each fault develops, by id.
        key: of its bursts.
        schedule: faults to come, by onset.
        faults: those that have begun, by onset.
    """

    courses: Mapping[str, CourseSpec]
    key: int = 0
    schedule: list[Fault] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def begin(self, at: int) -> None:
        """Let the scheduled faults begin whose onset has come."""
        while self.schedule and self.schedule[0].onset <= at:
            fault = self.schedule.pop(0)
            if all(
                one.onset == fault.onset or (one.repaired is not None and one.repaired <= fault.onset)
                for one in self.faults
            ):
                self.faults.append(fault)

    def levels(self, at: int) -> list[tuple[Fault, float]]:
        """The faults that act at a time, with their levels, in the order of their onsets."""
        if not self.faults and (not self.schedule or self.schedule[0].onset > at):
            return []
        self.begin(at)
        found = [(one, one.level(at, self.courses[one.fault], self.key)) for one in self.faults]
        return [(one, level) for one, level in found if level > 0.0]

    def active(self, family: str, at: int) -> Fault | None:
        """The unrepaired fault of a family that has begun."""
        self.begin(at)
        found = (one for one in self.faults if one.family == family and one.repaired is None and one.onset <= at)
        return next(found, None)

    def mend(self, family: str, at: int, by: str = "visit", only: str = "") -> Fault | None:
        """Undo the wear of a family, or of one fault only, from `at` on; None when there was none."""
        fault = self._worn(only, at) if only else self.active(family, at)
        if fault is None:
            return None
        mended = msgspec.structs.replace(fault, repaired=at, by=by)
        self.faults[self.faults.index(fault)] = mended
        return mended

    def _worn(self, name: str, at: int) -> Fault | None:
        self.begin(at)
        found = (one for one in self.faults if name in {one.fault, one.mechanism_of} and one.repaired is None)
        return next(found, None)
