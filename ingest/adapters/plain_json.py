"""Any JSON object, by a mapping: paths of numbers, time and device, their keys divided by dots.

Where the settings name no path for the device, it is what stands for the first `+` of the topic's filter.
"""

from __future__ import annotations

from typing import Any

from ingest.adapters.base import Format, Options, Said, read_numbers, read_object, read_time
from telemetry.errors import WireError


def decode(topic: str, payload: bytes, options: Options) -> list[Said]:
    """See `Decode`; the device is left empty when the payload does not name it."""
    body = read_object(payload)
    numbers = read_numbers({name: _at(body, path) for name, path in options.fields.items()})
    if not numbers:
        return []
    device = _at(body, options.device) if options.device else ""
    if options.device and not isinstance(device, str | int):
        raise WireError("malformed", f"{topic[:80]!r}: no device's name at {options.device}")
    at = read_time(_at(body, options.time), options.zone) if options.time else None
    return [Said(str(device), at, numbers)]


def _at(body: Any, path: str) -> Any:  # noqa: ANN401  (as JSON gives it)
    """What stands at a path; None when nothing does."""
    found = body
    for key in path.split("."):
        if isinstance(found, dict):
            found = found.get(key)
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found


FORMAT = Format("json", "Any JSON object, by a mapping", (), decode)
