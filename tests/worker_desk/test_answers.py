"""Quantities that the catalogue does not know are said once."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from telemetry.catalogue import load_catalogue
from telemetry.control import ControlEntry, ControlKind
from telemetry.identity import DeviceKey
from worker.answers import warn_unknown


@pytest.mark.parametrize(
    ("kind", "values", "unknown"),
    [
        ("freezer", {"fan_speed_rpm": 2400.0, "fan_rpm": 1.0, "odd": 2.0}, ["fan_rpm", "odd"]),
        ("freezer", {"fan_speed_rpm": 2400.0}, None),
        ("pump", {"odd": 2.0}, None),
        ("freezer", "none at all", None),
    ],
)
def test_what_is_not_known_is_named(kind: str, values: object, unknown: list[str] | None) -> None:
    entry = ControlEntry(
        id="1", device=DeviceKey("a", "b"), kind=ControlKind.SELF_TEST, at=1, body={"status": "ok", "values": values}
    )
    with capture_logs() as said:
        warn_unknown(load_catalogue()[kind], entry)
    assert [each["unknown"] for each in said] == ([] if unknown is None else [unknown])
