"""What the worker asks of detectors: one object per device, fed in spool order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.peers import Peers
from telemetry.catalogue import KindSpec
from telemetry.control import ControlEntry
from telemetry.finding import Finding
from telemetry.identity import DeviceKey


class Observation(msgspec.Struct, frozen=True, gc=False):
    """A run of consecutive messages of one device as a detector sees it, in `(epoch, seq)` order.

    A run holds messages of one epoch and one phase, and a message with events stands alone. How a device's messages
    are divided into runs must not change a finding or a snapshot by one bit.

    Attributes:
        epoch: spool epoch.
        seq: place in the epoch of the run's last message.
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


def compared(detector: DeviceDetector) -> Peers | None:
    """The device among its peers; None where its detector compares nothing.

    Asked after every run: a checked protocol would cost more than the rest of the question.
    """
    return getattr(detector, "peers", None)


Observed: TypeAlias = "list[Finding] | Exception"
"""What one run brought about: new revisions, or the error of a detector that failed."""


def observe_each(items: Sequence[tuple[DeviceDetector, Observation]]) -> list[Observed]:
    """Observe one run after the other; an error stays with its own device."""
    found: list[Observed] = []
    for detector, observation in items:
        try:
            found.append(detector.observe(observation))
        except Exception as error:  # noqa: BLE001  (whatever a detector does, its device alone must suffer)
            found.append(error)
    return found


class DetectorFactory(Protocol):
    """Makes the detector of a device from its kind's table, and feeds many of them at once."""

    version: str
    """Hash of code, catalogue and configuration."""

    def __call__(self, key: DeviceKey, kind: KindSpec) -> DeviceDetector:
        """A fresh detector: catalogue priors, nothing observed."""
        ...

    def observe(self, items: Sequence[tuple[DeviceDetector, Observation]]) -> list[Observed]:
        """Observe runs of distinct devices; equals `observe_each`, and may be faster. Answers in the items' order."""
        ...
