"""A plug's meter fails while the machine behind it stands by, too."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from firmware_sim.entries import FaultEntry, FleetEntry
from firmware_sim.fleet import Fleet
from firmware_sim.population import device_ids
from firmware_sim.scenario import Scenario
from firmware_sim.wear import DAY
from telemetry.clock import to_micros

_START = to_micros(dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
_DAYS, _ONSET = 40, 2.0
_STANDBY = 60.0
"""W; below it a washing machine does no work."""


def _power(fault: str) -> tuple[np.ndarray, np.ndarray]:
    """A reading a minute before the onset, and over the last days before the failure."""
    layout = (FleetEntry(kind="smart_plug", count=1, host="washing_machine"),)
    (device,) = device_ids(layout)
    worn = FaultEntry(fault=f"smart_plug.{fault}", device=(device,), day=_ONSET, spread_days=0.0)
    fleet = Fleet(Scenario(id="x", title="x", org="x", days=_DAYS, fleet=layout, fault=(worn,)), 7, _START)
    told = [
        (body.t // DAY * DAY, np.asarray(body.q["power"], np.float64)) for body in fleet.advance(_START + _DAYS * DAY)
    ]
    (one,) = fleet.truth()
    rows = [(at, values) for at, values in told if at < one.failure]
    end = max(at for at, _ in rows)
    before = np.concatenate([values for at, values in rows if at < one.onset - DAY])
    late = np.concatenate([values for at, values in rows if at > end - 8 * DAY])
    return before, late


@pytest.mark.parametrize("fault", ["power_sensor_drift", "relay_contact_wear"])
def test_a_failing_meter_fails_at_rest(fault: str) -> None:
    before, late = _power(fault)
    assert np.median(before) < 2.0
    still = late[~(late > _STANDBY)]
    if fault == "power_sensor_drift":
        assert np.nanmedian(still) > np.median(before) + 1.0
    else:
        # In bursts: readings jump, and some go missing.
        assert np.nanquantile(still, 0.97) > 5.0 > np.quantile(before[before < _STANDBY], 0.5)
        assert np.isnan(late).any()
        assert not np.isnan(before).any()
