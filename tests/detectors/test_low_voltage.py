"""Mains that sag take power from every heater; half of a tank's elements take more than mains ever do."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from detectors.cyclic import CyclicDetector
from detectors.diagnosis import signatures_of
from detectors.engine import Observation
from detectors.measured import Measured
from telemetry.catalogue import load_catalogue
from telemetry.finding import Finding
from telemetry.identity import DeviceKey
from tests.detectors.streams import fleet_streams

_PAGE = load_catalogue()["water_heater"]
_POWER = list(_PAGE.channels).index("power")
_LONG = 40
"""Heatings before the mains sag: the reference stands by then."""


def sagging(stream: tuple[Observation, ...], voltage: float) -> Iterator[Observation]:
    """A heater's messages, with mains at a share of their voltage from the fortieth heating on."""
    heatings, on = 0, False
    for one in stream:
        values = one.values.copy()
        for row in values:
            heatings += bool(row[_POWER] > 150) and not on
            on = bool(row[_POWER] > 150)
            if heatings >= _LONG and on:
                row[_POWER] *= voltage**2
        yield Observation(one.epoch, one.seq, one.t, one.phase, values, one.events)


def told(voltage: float) -> list[Finding]:
    """What a healthy heater's detector makes of such mains."""
    detector = CyclicDetector(DeviceKey("org", "heater"), _PAGE, "v")
    stream = fleet_streams("water_heater", 3, 30.0, worn=False)[0]
    return [finding for message in sagging(stream, voltage) for finding in detector.observe(message)]


@pytest.mark.parametrize("voltage", [0.95, 0.90, 0.86])
def test_mains_within_their_standard_are_no_fault(voltage: float) -> None:
    assert told(voltage) == []


def test_half_of_the_power_is_an_element() -> None:
    first = told(math.sqrt(0.5))[0]
    assert first.family == "heating_element"
    assert first.causes[0].fault == "element_open_circuit"


def test_what_bounding_left_of_a_deviation_bounds_its_innocent_cause_too() -> None:
    names = list(_PAGE.features)
    signatures = signatures_of(_PAGE, relative=False)
    measured = Measured(_PAGE, signatures)
    z, sd = [math.nan] * len(names), [60.0] * len(names)
    for name in ("plateau_power", "heating_power"):
        z[names.index(name)] = -0.5 * _PAGE.features[name].mean / 60.0
    half = [x / 2 for x in z]
    unknown: list[list[float]] = [[] for _ in names]
    whole, bounded = measured.match(z, sd, unknown), measured.match(half, sd, unknown, 0.5)
    assert whole["low_voltage"].amount == pytest.approx(1.0)
    assert bounded["low_voltage"].amount == pytest.approx(0.5)
    assert whole["element_open_circuit"].explained > whole["low_voltage"].explained
    assert bounded["element_open_circuit"].explained > bounded["low_voltage"].explained
    assert measured.match(half, sd, unknown)["low_voltage"].explained == pytest.approx(
        measured.match(half, sd, unknown)["element_open_circuit"].explained, rel=0.01
    )
