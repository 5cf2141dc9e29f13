"""The named scenarios on seeds kept for testing, each for 150 device-years: hours of work, hence resumable.

Trials lie in `$WELLKEPT_TRIALS` (by default `.wellkept/trials/test`); what is there is not run again.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from firmware_sim.scenario import load_scenario
from stack.cli_trial import conduct
from stack.trial.series import NAMED, Plan, run_scenario

YEARS = 150.0
FOLDER = Path(os.environ.get("WELLKEPT_TRIALS", ".wellkept/trials/test"))


@pytest.mark.long
@pytest.mark.timeout(12 * 3600)
@pytest.mark.parametrize("name", NAMED)
def test_a_named_scenario_is_far_better_than_blind(name: str) -> None:
    found = run_scenario(Plan(FOLDER, YEARS), load_scenario(name), conduct, print)
    assert found["device_years"] >= YEARS
    assert found["detector_errors"] == 0
    blind = found["controls"]
    # As many tickets at random would catch fewer faults than the exact interval of what was caught begins at.
    assert found["recall_ci95"][0] > blind["random_same_rate"]["recall"]
    # A blind ticket every 30 days costs at least ten times as many false ones.
    assert found["false_per_device_year_ci95"][1] * 10 < blind["periodic_30_days"]["false_per_device_year"]
    assert found["baselines"]["repair_on_failure"]["cost_ratio"] < 1.0
