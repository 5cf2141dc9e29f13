"""The test bed: what a fault moves against a healthy twin, sketches and pictures of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.laboratory import laboratory
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ContinuousPhysics
from firmware_sim.plot import PlotError, plot, thinned, window
from firmware_sim.signature import LEVELS, signature
from firmware_sim.sketch import braille, sparkline
from stack.sim_features import read_features
from telemetry.catalogue import load_catalogue

CATALOGUE = load_catalogue()


@pytest.mark.parametrize("kind", sorted(simulated_kinds()))
def test_a_laboratory_day_has_what_each_kind_asks_for(kind: str) -> None:
    physics = physics_of(kind)
    names = physics.drives if isinstance(physics, ContinuousPhysics) else ("ambient", "inlet", "supply")
    seconds = np.arange(0.0, 86_400.0, 30.0)
    today, tomorrow = laboratory(names, seconds, 30.0), laboratory(names, seconds + 86_400.0, 30.0)
    for name in names:
        assert np.isfinite(today[name]).all()
        np.testing.assert_array_equal(today[name], tomorrow[name])


def test_water_drawn_in_the_laboratory_does_not_depend_on_the_step() -> None:
    totals = [
        float(laboratory(("draw",), np.arange(0.0, 86_400.0, step), step)["draw"].sum() * step / 60.0)
        for step in (10.0, 30.0, 60.0)
    ]
    assert totals == pytest.approx([3 * 36.0 + 9 * 2.25] * 3)


def test_a_healthy_twin_has_no_level_and_a_fault_leaves_the_rest_alone() -> None:
    shown = signature(CATALOGUE, "refrigerator", "thermostat_sensor_drift")
    assert [trace.level for trace in shown.traces] == list(LEVELS)
    alone = signature(CATALOGUE, "refrigerator", None)
    np.testing.assert_array_equal(alone.healthy.series()[1], shown.healthy.series()[1])
    hours, values = shown.healthy.series()
    assert np.all(np.diff(hours) > 0)
    assert values.shape == (len(hours), len(CATALOGUE["refrigerator"].channels))


def test_features_of_the_test_bed_follow_the_signature() -> None:
    fault = CATALOGUE["refrigerator"].faults["refrigerant_leak"]
    shown = signature(CATALOGUE, "refrigerator", "refrigerant_leak", reader=read_features)
    for effect in fault.signature:
        values = shown.feature(effect.feature)[: len(LEVELS) - 1]
        if effect.direction:
            assert np.all(np.diff(values) * effect.direction > 0), effect.feature
        else:
            assert np.all(np.abs(values / values[0] - 1.0) < 0.05), effect.feature


def test_an_intermittent_fault_is_shown_inside_a_burst() -> None:
    shown = signature(CATALOGUE, "water_heater", "relay_contact")
    assert shown.shown.level == 1.0


def test_a_plug_shows_the_appliance_behind_it() -> None:
    fault = next(name for name, spec in CATALOGUE["smart_plug"].faults.items() if spec.seen_from)
    shown = signature(CATALOGUE, "smart_plug", fault, reader=read_features)
    assert shown.setup.host.kind == CATALOGUE["smart_plug"].faults[fault].seen_from[0].partition(".")[0]
    hours, values = shown.healthy.series()
    assert values.shape[1] == 1
    assert np.allclose(np.diff(hours) * 60.0, 1.0)
    assert shown.changes
    assert not np.array_equal(values, shown.shown.series()[1])


def test_sparklines_and_braille() -> None:
    assert sparkline([0.0, 1.0, float("nan"), 7.0]) == "▁▂ █"
    assert sparkline([3.0, 3.0]) == "▁▁"
    t = np.arange(8.0)
    rising = braille(t, t, width=4, height=2, low=0.0, high=7.0)
    assert [len(line) for line in rising] == [4, 4]
    assert rising[0][0] == rising[1][3] == "\u2800"
    assert rising[0][3] != "\u2800"
    assert rising[1][0] != "\u2800"
    assert braille(t, np.full(8, np.nan), width=4, height=1, low=0.0, high=1.0) == ["\u2800" * 4]


def test_thinning_keeps_highs_and_lows() -> None:
    x = np.arange(1_000.0)
    y = np.sin(x / 20.0)
    y[500] = 9.0
    few_x, few_y = thinned(x, y, 60)
    assert len(few_x) <= 64
    assert (few_y.max(), few_y.min()) == (9.0, y.min())
    assert np.all(np.diff(few_x) > 0)


@pytest.mark.parametrize(
    ("kind", "fault"), [("washing_machine", "drain_pump_wear"), ("refrigerator", "refrigerant_leak")]
)
def test_a_picture_is_small_and_the_same_each_time(kind: str, fault: str, tmp_path: Path) -> None:
    shown = signature(CATALOGUE, kind, fault, reader=read_features)
    low, high = window(shown)
    assert 0.0 <= low < high <= 24.5
    for name in ("a.svg", "b.svg"):
        plot(shown, tmp_path / name)
    text = (tmp_path / "a.svg").read_bytes()
    assert text == (tmp_path / "b.svg").read_bytes()
    assert len(text) < 40_000
    words = {element.text for element in ET.fromstring(text).iter() if element.text}  # noqa: S314  (our own picture)
    assert set(CATALOGUE[kind].channels) <= words
    with pytest.raises(PlotError, match=r"\.svg nor \.png"):
        plot(shown, tmp_path / "a.pdf")


def test_a_picture_without_its_extra_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = signature(CATALOGUE, "washing_machine", None)
    monkeypatch.setattr("firmware_sim.plot.find_spec", lambda _name: None)
    with pytest.raises(PlotError, match=r"wellkept\[plot\]"):
        plot(shown, tmp_path / "a.svg")
