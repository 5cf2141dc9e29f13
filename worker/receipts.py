"""Which receipts are owed: at most one a device and second; the newest state of each epoch."""

from __future__ import annotations

from collections.abc import Iterator

from telemetry.identity import DeviceKey
from telemetry.message import Receipt
from telemetry.progress import Progress
from worker.core import receipt_of

INTERVAL = 1.0


class OwedReceipts:
    """Gathers what was committed and hands out what is due. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._owed: dict[DeviceKey, dict[int, Progress]] = {}
        self._sent: dict[DeviceKey, float] = {}

    def owe(self, receipts: dict[tuple[DeviceKey, int], Progress]) -> None:
        """Note what a committed transaction settled."""
        for (key, epoch), progress in receipts.items():
            self._owed.setdefault(key, {})[epoch] = progress

    def due(self, now: float) -> Iterator[tuple[DeviceKey, Receipt]]:
        """Receipts to send now. Only one epoch a device and second: the others follow."""
        for key in [k for k in self._owed if now - self._sent.get(k, -INTERVAL) >= INTERVAL]:
            epochs = self._owed[key]
            progress = epochs.pop(min(epochs))
            if not epochs:
                del self._owed[key]
            self._sent[key] = now
            yield key, receipt_of(progress)

    def next_due(self) -> float | None:
        """When `due` has something again, or None."""
        return min((self._sent.get(key, -INTERVAL) + INTERVAL for key in self._owed), default=None)

    def forget(self) -> None:
        """After a transaction in doubt: what it settled is not known; devices ask again."""
        self._owed.clear()
