"""What detectors are told: runs of messages, losses and control entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.engine import Observation
from telemetry.control import ControlEntry


class Run(msgspec.Struct, frozen=True, gc=False):
    """Consecutive messages to be observed at once, or a loss (no observation).

    Attributes:
        epoch: of all of them.
        seq: of the last one, or up to where all is lost.
        observation: None for a loss.
        arrival: of each reading, or of the event that stands without one.
        seqs: of each message; empty where nobody asks for them one by one.
        counts: readings of each message, likewise.
    """

    epoch: int
    seq: int
    observation: Observation | None
    arrival: NDArray[np.int64]
    seqs: Sequence[int] = ()
    counts: Sequence[int] = ()

    def apart(self) -> Iterator[Run]:
        """The same, a message at a time."""
        if self.observation is None or len(self.seqs) < 2:  # noqa: PLR2004  (one stands alone already)
            yield self
            return
        of, at = self.observation, 0
        for seq, count in zip(self.seqs, self.counts, strict=True):
            part = slice(at, at + count)
            at = part.stop
            yield Run(
                self.epoch, seq, Observation(of.epoch, seq, of.t[part], of.phase, of.values[part]), self.arrival[part]
            )


Told: TypeAlias = Run | ControlEntry
