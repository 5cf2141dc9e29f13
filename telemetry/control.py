"""Control entries: whatever changes a detector, other than readings, enters through the stream as one of these."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from telemetry.identity import DeviceKey


class ControlKind(StrEnum):
    """What a control entry says."""

    REPAIR_DONE = "repair_done"
    SELF_TEST = "self_test"
    COHORT_REFERENCE = "cohort_reference"
    PRIORS = "priors"
    CONFIGURATION = "configuration"
    GAP_GIVEN_UP = "gap_given_up"


class ControlEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `control_entry` on its way to the partition of its device.

    Attributes:
        id: of the row; a repeat is harmless by it.
        device: whom it concerns.
        kind: what it says.
        at: fleet time at which it was decided, microseconds.
        body: e.g. `{"family": "...", "fault": "..."}` for a repair.
    """

    id: str
    device: DeviceKey
    kind: ControlKind
    at: int
    body: dict[str, Any] = msgspec.field(default_factory=dict)
