"""What the worker asks of detectors: one object per device, fed in spool order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from telemetry.catalogue import KindSpec
from telemetry.control import ControlEntry
from telemetry.finding import Finding
from telemetry.identity import DeviceKey


@dataclass(frozen=True, slots=True)
class Observation:
    """One message of one device as a detector sees it, in `(epoch, seq)` order.

    Attributes:
        epoch: spool epoch.
        seq: place in the epoch.
        t: event times, int64 microseconds, shape (n,); may step back when a device's clock was set. A message of
            events alone has one time and no row of values.
        phase: the device's phase, or None.
        values: float32, shape (n, channels of the kind in catalogue order); NaN where absent.
        events: event codes of the message.
    """

    epoch: int
    seq: int
    t: NDArray[np.int64]
    phase: str | None
    values: NDArray[np.float32]
    events: tuple[str, ...] = ()


class DeviceDetector(Protocol):
    """All detectors of one device. Findings are a function of what was observed, in order, and nothing else."""

    def observe(self, observation: Observation) -> list[Finding]:
        """Take the next message; return new revisions of episodes, oldest first."""
        ...

    def lose(self, epoch: int, seq: int) -> list[Finding]:
        """Everything up to `(epoch, seq)` that was not observed is declared lost: a gap, not data."""
        ...

    def control(self, entry: ControlEntry) -> list[Finding]:
        """Take a control entry (repair done ends the family's episode and starts its proof)."""
        ...

    def snapshot(self) -> bytes:
        """The whole state; restoring it and going on equals never having stopped, bit for bit."""
        ...

    def restore(self, state: bytes) -> None:
        """Take a state made by `snapshot` of the same version."""
        ...


class DetectorFactory(Protocol):
    """Makes the detector of a device from its kind's table."""

    version: str
    """Hash of code, catalogue and configuration."""

    def __call__(self, key: DeviceKey, kind: KindSpec) -> DeviceDetector:
        """A fresh detector: catalogue priors, nothing observed."""
        ...
