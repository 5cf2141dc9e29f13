"""What devices truly said: every message that got a place in a spool, and every one that a spool dropped."""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware_sim.firmware import Body
from telemetry.identity import DeviceKey

MessageId = tuple[DeviceKey, int, int]
"""Device, epoch, seq."""


@dataclass(slots=True)
class Ledger:
    """Kept outside of the product, by the world.

    Attributes:
        said: every numbered message and its content, in order of numbering.
        dropped: those that a full spool dropped without a receipt.
        epochs: by device, the epochs its spools had, ascending; all but the last are over.
        deleted: those that a device let go of because of a receipt.
    """

    said: dict[MessageId, Body] = field(default_factory=dict)
    dropped: set[MessageId] = field(default_factory=set)
    epochs: dict[DeviceKey, list[int]] = field(default_factory=dict)
    deleted: set[MessageId] = field(default_factory=set)

    def numbered(self, key: DeviceKey, epoch: int, seq: int, body: Body) -> None:
        """A message got its place, for ever."""
        if epoch not in self.epochs.setdefault(key, []):
            self.epochs[key].append(epoch)
        self.said[key, epoch, seq] = body

    def over(self, key: DeviceKey, epoch: int) -> bool:
        """Whether an epoch's spool is gone."""
        return bool(self.epochs.get(key)) and epoch != self.epochs[key][-1]
