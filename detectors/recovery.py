"""After a repair an appliance recovers: what says that it does, and until when nothing speaks against the repair.

A freezer whose defrost heater was replaced works on with the ice of the days before until it has defrosted once. So a
repair is judged by the part first: until the feature in which the fault would stand out most was seen again, or the
time of the proof is over, other features out of band say nothing; with it, the evidence starts anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from detectors.diagnosis import Signature
from detectors.episodes import DAY, HOUR
from telemetry.catalogue import KindSpec


class Recovery(msgspec.Struct):
    """The last repair of an appliance, whatever it was of and whether or not a detector had asked for it.

    A fridge that stood warm for a day is brought back to its cold by runs like no others, a reference that was begun on
    a failed appliance is that of none, and the averages still hold the failure: none of that is another fault.

    Attributes:
        at: time of the last repair, microseconds; 0 before the first.
        lasts: whether the appliance has yet to come back to its usual state.
    """

    at: int = 0
    lasts: bool = False

    def hear(self, at: int) -> bool:
        """A repair is reported; False when it is an old one told again."""
        if at <= self.at:
            return False
        self.at, self.lasts = at, True
        return True

    def ends(self, start: int, after: int) -> bool:
        """Whether the cycle that began at `start` is the first of the settled appliance; true once a repair.

        Args:
            start: event time.
            after: how long an appliance takes, microseconds.
        """
        if not self.lasts or start < self.at + after:
            return False
        self.lasts = False
        return True


def telling_of(kind: KindSpec, signatures: Sequence[Signature]) -> dict[str, int]:
    """Of each family whose repair is proven by hours, the feature in which its faults stand out most."""
    doubt = [math.hypot(spec.spread, spec.noise) for spec in kind.features.values()]
    found: dict[str, tuple[float, int]] = {}
    for one in signatures:
        if one.family is None or kind.faults[one.cause].verify.hours is None:
            continue
        for i, size in one.moving:
            found[one.family] = max(found.get(one.family, (0.0, i)), (abs(size) / doubt[i], i))
    return {family: i for family, (_, i) in found.items()}


def waits_of(kind: KindSpec) -> dict[str, int]:
    """Of each family how long after a repair that feature is waited for at most, microseconds."""
    hours = {fault.family: fault.verify.hours for fault in kind.faults.values()}
    return {family: round(some * HOUR) for family, some in hours.items() if some is not None}


def settles_of(kind: KindSpec) -> int:
    """How long after a repair an appliance may behave like no healthy one, microseconds.

    What holds a temperature, so that hours prove its repairs, takes up to a day; a programme begins anew each time.
    """
    return DAY if any(f.verify.hours is not None and not f.safety for f in kind.faults.values()) else 0
