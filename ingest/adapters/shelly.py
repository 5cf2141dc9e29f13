"""Shelly, second generation and later: `PREFIX/events/rpc` (NotifyStatus) and `PREFIX/status/COMPONENT:ID`.

A notification carries what changed, with its time; a component that meters has `apower` (W). While nothing but the
counter moves it carries `aenergy.by_minute`, milliwatt-hours of the last whole minutes, newest first, with
`minute_ts`, the second in which the present minute began: their power is then the mean of the last minute.
Several components become devices `PREFIX-1`, `PREFIX-2`, …; the first keeps the prefix.
Source: the maker's documentation of notifications and of the components Switch, PM1 and EM1.
"""

from __future__ import annotations

from typing import Any

from ingest.adapters.base import Format, Options, Said, first, read_number, read_numbers, read_object, read_time
from telemetry.errors import WireError

_METERING = ("switch", "pm1", "em1", "cover", "light")
_NAMES = {"apower": "power", "act_power": "power", "voltage": "voltage", "current": "current"}
_METHODS = ("NotifyStatus", "NotifyFullStatus")
_MWH_PER_MINUTE = 0.06
"""Watts: a milliwatt-hour is 3.6 J, and a minute has 60 s."""


def decode(topic: str, payload: bytes, options: Options) -> list[Said]:
    """See `Decode`."""
    levels = topic.split("/")
    if levels[-2:] == ["events", "rpc"]:
        prefix, body = "/".join(levels[:-2]), read_object(payload)
        if body.get("method") not in _METHODS:
            return []
        params = body.get("params")
        if not isinstance(params, dict):
            raise WireError("malformed", "a notification without params")
        at = read_time(params.get("ts"), options.zone)
        parts = {name: part for name, part in params.items() if name.split(":")[0] in _METERING}
        return [one for name, part in sorted(parts.items()) for one in _said(prefix, name, part, at, options)]
    if len(levels) > 2 and levels[-2] == "status" and levels[-1].split(":")[0] in _METERING:  # noqa: PLR2004
        return _said("/".join(levels[:-2]), levels[-1], read_object(payload), None, options)
    return []


def _said(prefix: str, component: str, part: object, at: float | None, options: Options) -> list[Said]:
    if not isinstance(part, dict):
        raise WireError("malformed", f"{component} is not an object")
    number = component.partition(":")[2] or "0"
    device = prefix if number == "0" else f"{prefix}-{number}"
    numbers = read_numbers({ours: part[theirs] for theirs, ours in _NAMES.items() if theirs in part})
    if "power" not in numbers:
        mean, until = _last_minute(part.get("aenergy"), options)
        if mean is not None and until is not None:
            return [Said(device, until, {"power": mean})]
    return [Said(device, at, numbers)] if numbers else []


def _last_minute(counter: Any, options: Options) -> tuple[float | None, float | None]:  # noqa: ANN401  (as JSON gives it)
    """Mean power of the last whole minute and its end."""
    if not isinstance(counter, dict) or not isinstance(counter.get("by_minute"), list):
        return None, None
    used = read_number(first(counter["by_minute"]), "by_minute")
    return None if used is None else used * _MWH_PER_MINUTE, read_time(counter.get("minute_ts"), options.zone)


FORMAT = Format("shelly", "Shelly, second generation and later", ("+/events/rpc", "+/status/+"), decode)
