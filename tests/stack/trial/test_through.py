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


def test_a_catalogue_of_its_own_is_refused(tmp_path: Path) -> None:
    text = TEXT + '\n[models.refrigerator.own]\ntitle = "Own"\nlike = "lx260"\nparameters = {fan_rpm = 900}\n'
    with pytest.raises(StackError, match="defines models or faults of its own"):
        run_brokered(read_scenario(text, "own.toml"), SEED, None, 1, tmp_path)
