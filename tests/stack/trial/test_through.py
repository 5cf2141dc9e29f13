from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.scenario_file import read_scenario
from stack.errors import StackError
from stack.trial.engine import run_trial
from stack.trial.record import TrialRecord
from stack.trial.through import run_brokered
from tests.stack.trial.test_engine import SEED, TEXT

DAYS = 5
# Faults over several kinds, at different stages; people who do not always do what they should; a network that repeats.
MANY = """
id = "many"
title = "Six faults among six kinds"
org = "t"
start = 2026-03-02T08:00:00+08:00
days = 30.0

[[fleet]]
kind = "refrigerator"
count = 4

[[fleet]]
kind = "freezer"
count = 4

[[fleet]]
kind = "washing_machine"
count = 3

[[fleet]]
kind = "dishwasher"
count = 3

[[fleet]]
kind = "water_heater"
count = 3

[[fleet]]
kind = "smart_plug"
count = 2
host = "freezer"

[habits.washing_machine]
starts = 2.0

[habits.dishwasher]
starts = 2.0

[[fault]]
device = "fridge-002"
fault = "condenser_fan_wear"
day = -8.0
lead_days = 18.0

[[fault]]
device = "freezer-001"
fault = "refrigerant_leak"
day = -2.0
lead_days = 9.0

[[fault]]
device = "washer-002"
fault = "drain_pump_wear"
day = -3.0
lead_days = 9.0

[[fault]]
device = "dishwasher-001"
fault = "heater_scale"
day = -6.0
lead_days = 14.0

[[fault]]
device = "heater-003"
fault = "element_open_circuit"
day = 1.5
lead_days = 2.0

[[fault]]
device = "plug-001"
fault = "appliance_weak"
day = -3.0
lead_days = 9.0

[[confounder]]
what = "guests"
day = 2.0
days = 2.0
share = 0.5

[network]
duplicates = 0.02
reorder = 0.02
"""
MANY_DAYS = 7
# Firmware that comes, restarts the device and is taken back; restarts of their own; a fault under way before it.
UPDATED = """
id = "updated"
title = "An update comes and goes while faults grow"
org = "t"
start = 2026-03-02T08:00:00+08:00
days = 30.0

[[fleet]]
kind = "refrigerator"
count = 3

[[fleet]]
kind = "freezer"
count = 2

[[fleet]]
kind = "water_heater"
count = 1

[[fault]]
device = "fridge-002"
fault = "condenser_fan_wear"
day = -8.0
lead_days = 18.0

[[fault]]
device = "freezer-001"
fault = "refrigerant_leak"
day = -2.0
lead_days = 9.0

[[confounder]]
what = "firmware_update"
day = 2.5
days = 1.5
spread_days = 0.5
to_firmware = "2.5.0"
then_firmware = "2.5.1"

[network]
reboots = 0.3
offline_hours = 0.5
"""
UPDATED_DAYS = 6


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own: as root the database runs under another account.
    made = Path(tempfile.mkdtemp(prefix="wellkept-trial-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def tickets(record: TrialRecord) -> list[tuple[str, str, int | None, int, str]]:
    return [
        (one.device, one.family, one.onset, one.severity, one.causes[0].fault if one.causes else "")
        for one in record.tickets
    ]


@pytest.mark.long
@pytest.mark.stack
@pytest.mark.timeout(1500)
def test_the_real_stack_finds_the_same(folder: Path) -> None:
    scenario = read_scenario(TEXT, "engine.toml")
    real = run_brokered(scenario, SEED, None, DAYS, folder)
    memory = run_trial(scenario, SEED, days=DAYS, control=False)
    assert tickets(memory)
    assert tickets(real) == tickets(memory)
    assert (real.messages, real.readings) == (memory.messages, memory.readings)
    assert [(one.device, one.outcome, one.cause) for one in real.visits] == [
        (one.device, one.outcome, one.cause) for one in memory.visits
    ]
    assert [(one.fault, one.by) for one in real.faults] == [(one.fault, one.by) for one in memory.faults]


@pytest.mark.long
@pytest.mark.stack
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [3101, 3102])
def test_the_real_stack_finds_the_same_of_many_kinds(folder: Path, seed: int) -> None:
    scenario = read_scenario(MANY, "many.toml")
    memory = run_trial(scenario, seed, days=MANY_DAYS, control=False)
    found = tickets(memory)
    assert len({one.kind for one in memory.tickets}) >= 4
    real = run_brokered(scenario, seed, None, MANY_DAYS, folder)
    assert sorted(tickets(real)) == sorted(found)
    # A repair takes effect at another minute of its hour, after which cycles and runs are others.
    assert real.messages == pytest.approx(memory.messages, rel=0.01)
    assert real.readings == pytest.approx(memory.readings, rel=0.01)
    assert real.confounders == memory.confounders
    assert set(real.promises) == set(memory.promises) != set()


@pytest.mark.long
@pytest.mark.stack
@pytest.mark.timeout(1500)
def test_the_real_stack_finds_the_same_while_firmware_comes_and_goes(folder: Path) -> None:
    scenario = read_scenario(UPDATED, "updated.toml")
    memory = run_trial(scenario, SEED, days=UPDATED_DAYS, control=False)
    assert {one.device for one in memory.tickets} >= {"t/fridge-002", "t/freezer-001"}
    real = run_brokered(scenario, SEED, None, UPDATED_DAYS, folder)
    assert sorted(tickets(real)) == sorted(tickets(memory))
    assert real.messages == pytest.approx(memory.messages, rel=0.01)
    assert real.confounders == memory.confounders
    assert real.detector_errors == memory.detector_errors == 0


def test_a_catalogue_of_its_own_is_refused(tmp_path: Path) -> None:
    text = TEXT + '\n[models.refrigerator.own]\ntitle = "Own"\nlike = "lx260"\nparameters = {fan_rpm = 900}\n'
    with pytest.raises(StackError, match="defines models or faults of its own"):
        run_brokered(read_scenario(text, "own.toml"), SEED, None, 1, tmp_path)
