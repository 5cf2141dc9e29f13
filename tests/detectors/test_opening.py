"""What opens no episode of its own: a rival of an open one, and what is like nothing known."""

from __future__ import annotations

import pytest

from detectors.diagnosis import UNKNOWN, signatures_of
from detectors.opening import doubtful, rivals
from telemetry.catalogue import load_catalogue
from telemetry.finding import Cause

_CATALOGUE = load_catalogue()


def test_a_leak_and_a_stuck_valve_move_the_same_features_the_same_way() -> None:
    found = rivals(signatures_of(_CATALOGUE["heat_pump"], relative=False))
    assert found["refrigerant"] == {"reversing_valve"}
    assert found["reversing_valve"] == {"refrigerant"}
    assert not found["indoor_airflow"] | found["outdoor_airflow"] | found["compressor"] | found["coil_sensor"]


@pytest.mark.parametrize("kind", ["refrigerator", "washing_machine", "dishwasher", "water_heater"])
def test_faults_that_differ_in_one_direction_are_no_rivals(kind: str) -> None:
    assert not any(rivals(signatures_of(_CATALOGUE[kind], relative=False)).values())


@pytest.mark.parametrize(("unknown", "holds"), [(0.49, False), (0.5, True), (0.6, True)])
def test_nobody_is_sent_for_what_is_likelier_unknown(unknown: float, holds: bool) -> None:  # noqa: FBT001  (a table)
    assert doubtful([Cause(UNKNOWN, unknown, ()), Cause("refrigerant_leak", 1 - unknown, ())]) is holds
