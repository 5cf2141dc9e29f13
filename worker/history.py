"""What the worker's core asks of the database, within the transaction of the batch it decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from storage.registry import DeviceRow
from storage.telemetry_rows import DeviceHistory, Replay, SeqRange, StoredControl, StoredMessage
from telemetry.identity import DeviceKey
from telemetry.progress import Progress


class History(Protocol):
    """The database, asked when the core first hears of a device or when a gap closes."""

    def find(self, keys: Sequence[DeviceKey]) -> dict[DeviceKey, DeviceRow]:
        """Registered devices among the keys."""
        ...

    def load(self, devices: Sequence[int]) -> dict[int, DeviceHistory]:
        """See `TelemetryStore.load`."""
        ...

    def load_strangers(self, keys: Sequence[DeviceKey]) -> dict[tuple[DeviceKey, int], Progress]:
        """See `TelemetryStore.load_strangers`."""
        ...

    def replay(self, kind: str, ranges: Sequence[SeqRange]) -> Replay:
        """See `TelemetryStore.replay`."""
        ...

    def read_back(self, device: int, kind: str, epoch: int, from_seq: int, to_seq: int) -> list[StoredMessage]:
        """See `TelemetryStore.read_back`."""
        ...

    def came_late(self, device: DeviceRow, epoch: int, seq: int) -> bool:
        """See `TelemetryStore.came_late`."""
        ...

    def is_stored(self, device: DeviceRow, t: int) -> bool:
        """See `TelemetryStore.is_stored`."""
        ...

    def read_controls(self, devices: Sequence[int]) -> dict[int, list[StoredControl]]:
        """See `TelemetryStore.read_controls`."""
        ...

    def asked_tests(self, ids: Sequence[str]) -> dict[str, int]:
        """See `TelemetryStore.asked_tests`."""
        ...

    def taken_effect(self, ids: Sequence[str]) -> set[str]:
        """See `TelemetryStore.taken_effect`."""
        ...
