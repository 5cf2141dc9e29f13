"""Tasmota: `tele/TOPIC/SENSOR` every TelePeriod, `stat/TOPIC/STATUS8` and `STATUS10` when asked.

The energy object holds numbers, or lists of them where a device meters several outlets: these become devices named
`TOPIC-1`, `TOPIC-2`, … Times are local to the device unless it was told otherwise (`Time`, `Timezone`).
Source: the firmware's documentation, pages "MQTT" and "Power Monitoring Calibration", section on telemetry.
"""

from __future__ import annotations

from typing import Any

from ingest.adapters.base import Format, Options, Said, read_numbers, read_object, read_time
from telemetry.errors import WireError

_NAMES = {"Power": "power", "Voltage": "voltage", "Current": "current"}
_LEVELS = 3


def decode(topic: str, payload: bytes, options: Options) -> list[Said]:
    """See `Decode`."""
    levels = topic.split("/")
    if len(levels) < _LEVELS:
        raise WireError("topic", f"{topic[:120]!r} is not PREFIX/TOPIC/WHAT")
    name, body = levels[-2], read_object(payload)
    status = next((body[key] for key in ("StatusSNS", "StatusPWR") if key in body), None)
    if isinstance(status, dict):
        body = status
    energy = body.get("ENERGY")
    if energy is None:
        return []
    if not isinstance(energy, dict):
        raise WireError("malformed", "ENERGY is not an object")
    at = read_time(body.get("Time"), options.zone)
    found = {ours: energy[theirs] for theirs, ours in _NAMES.items() if theirs in energy}
    outlets = max((len(value) for value in found.values() if isinstance(value, list)), default=0)
    if not outlets:
        return _said(name, at, found)
    # What is measured for all outlets together (the voltage) stands for each.
    return [
        one
        for index in range(outlets)
        for one in _said(f"{name}-{index + 1}", at, {k: _of(value, index) for k, value in found.items()})
    ]


def _of(value: Any, index: int) -> Any:  # noqa: ANN401  (as JSON gives it)
    if isinstance(value, list):
        return value[index] if index < len(value) else None
    return value


def _said(name: str, at: float | None, values: dict[str, Any]) -> list[Said]:
    numbers = read_numbers(values)
    return [Said(name, at, numbers)] if numbers else []


FORMAT = Format("tasmota", "Tasmota", ("tele/+/SENSOR", "stat/+/STATUS8", "stat/+/STATUS10"), decode)
