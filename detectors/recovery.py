"""After a repair an appliance recovers: what says that it does, and until when nothing speaks against the repair.

A freezer whose defrost heater was replaced works on with the ice of the days before until it has defrosted once. So a
repair is judged by the part first: until the feature in which the fault would stand out most was seen again, or the
time of the proof is over, other features out of band say nothing; with it, the evidence starts anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from detectors.diagnosis import Signature
from detectors.episodes import HOUR
from telemetry.catalogue import KindSpec


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
