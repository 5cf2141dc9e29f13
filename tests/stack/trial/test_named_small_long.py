"""The named scenarios at a small size, on seeds for trying out: within what is promised, and the same bytes twice.

A small trial cannot prove a figure. What it can do is refute one: the test fails when the exact interval of what was
counted lies wholly beyond a floor, so that chance alone fails it in one of forty.
"""

from __future__ import annotations

import pytest

from firmware_sim.scenario import load_scenario
from stack.trial.engine import run_trial
from stack.trial.report import report
from stack.trial.series import NAMED
from telemetry.catalogue import load_catalogue

SEED = 3201
DEVICES, DAYS = 24, 60
RECALL = 0.5
"""Of the faults whose whole course is in the trial, so many are caught before the failure, at least."""
SEEN_BY_A_PLUG = 0.2
"""Of those behind a plug, which sees power alone and some of them not at all."""
FALSE = 1.0
"""False tickets a device-year, at most; a blind ticket every 30 days makes twelve."""


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMED)
def test_a_named_scenario_keeps_its_floors_and_its_bytes(name: str) -> None:
    scenario = load_scenario(name)
    record = run_trial(scenario, SEED, devices=DEVICES, days=DAYS, processes=1)
    assert run_trial(scenario, SEED, devices=DEVICES, days=DAYS, processes=2).encode() == record.encode()
    found = report(record, scenario.costs, scenario.catalogue(load_catalogue()))
    assert found["detector_errors"] == 0
    assert found["false_per_device_year_ci95"][0] <= FALSE, found["false"]
    if found["faults"]:
        assert found["recall_ci95"][1] >= (SEEN_BY_A_PLUG if name == "plug-only" else RECALL), found["by_fault"]
