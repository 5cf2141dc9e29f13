"""What the worker decides of a message by registry and arrival stamp alone, so that a re-read says the same."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from storage.registry import DeviceRow
from storage.telemetry_rows import StoredMessage
from telemetry.block import Message
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS
from telemetry.identity import DeviceKey

_AHEAD_SECONDS = 600.0
_AHEAD_WALL_SECONDS = 5.0


def check(message: Message, spec: KindSpec | None, speed: float) -> tuple[str, str] | None:
    """Reason and detail of a dead letter, or None when the message can be stored.

    Args:
        message: of a registered device.
        spec: the catalogue's table of its kind; None when this version has none.
        speed: of the fleet clock when the message arrived.
    """
    if spec is None:
        return "unknown_kind", "the catalogue of this version has no such kind"
    strange = [name for name in message.channels if name not in spec.channels]
    if strange:
        return "unknown_channel", f"{', '.join(strange)[:200]} not among {', '.join(spec.channels)}"
    last = message.t + message.dt * max(0, len(message.values) - 1)
    ahead = ahead_of(speed)
    if last > message.arrival + ahead:
        seconds = (last - message.arrival) / MICROS
        return "future", f"dated {seconds:.0f} s after its arrival; at most {ahead / MICROS:.0f} s are allowed"
    return None


def unknown(device: DeviceKey) -> tuple[str, str]:
    """Reason and detail of a dead letter of somebody whom the registry does not know."""
    return "unknown_device", f"{device} is not registered; register it, then replay"


def ahead_of(speed: float) -> int:
    """How far after its arrival a reading may be dated, microseconds."""
    return round(max(_AHEAD_SECONDS, _AHEAD_WALL_SECONDS * speed) * MICROS)


def to_stored(message: Message, row: DeviceRow, spec: KindSpec, *, late: bool) -> StoredMessage:
    """Bring the values into the order of the table's columns; absent channels are NaN."""
    channels = tuple(spec.channels)
    n = len(message.values)
    if message.channels == channels:
        values = message.values
    else:
        values = np.full((n, len(channels)), np.nan, dtype=np.float32)
        for column, name in enumerate(message.channels):
            values[:, channels.index(name)] = message.values[:, column]
    return StoredMessage(
        device=row.no,
        kind=row.kind,
        epoch=message.epoch,
        seq=message.seq,
        arrival=message.arrival,
        # A message without readings leaves no row that could keep its phase.
        phase=message.phase if n else None,
        t=message.times() if n else np.array([message.t], dtype=np.int64),
        values=values,
        events=message.events,
        late=late,
    )


@lru_cache(maxsize=64)
def _range(spec: tuple[tuple[float, float], ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    low, high = zip(*spec, strict=True)
    return np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)


def plausible(values: NDArray[np.float32], spec: KindSpec) -> NDArray[np.float32]:
    """What detectors see: implausible values are absent. The stored ones stay as they were sent."""
    low, high = _range(tuple((channel.low, channel.high) for channel in spec.channels.values()))
    with np.errstate(invalid="ignore"):
        bad = (values < low) | (values > high)
    return np.where(bad, np.float32(np.nan), values) if bool(bad.any()) else values
