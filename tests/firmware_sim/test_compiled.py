"""The compiled physics against the same formulas on arrays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firmware_sim import compiled, physics
from firmware_sim.compiled import run_on, run_to_end
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ContinuousPhysics, ProgrammePhysics, stage_of
from tests.firmware_sim.kinds.rig import drives, jobs, rig

_STEPS = 360
_LONGEST = 3600
_CLOSE = 1e-9
"""Sums are made in the same order; only powers and exponentials may differ, in their last bits."""
_NEVER_END = [kind for kind in simulated_kinds() if isinstance(physics_of(kind), ContinuousPhysics)]
_RUN = [kind for kind in simulated_kinds() if kind not in _NEVER_END]


def _around(kind: ContinuousPhysics[Any, Any], count: int) -> dict[str, Any]:
    found = drives(kind.drives, _STEPS, kind.step, seed=2)
    return {name: np.repeat(values[:, None], count, axis=1) for name, values in found.items()}


@pytest.mark.parametrize("kind", _NEVER_END)
def test_compiled_steps_are_the_steps_of_the_arrays(kind: str) -> None:
    """Healthy and with every fault at several levels."""
    one, own = rig(kind), physics_of(kind)
    assert isinstance(own, ContinuousPhysics)
    around = _around(own, len(one.names))
    state = own.initial(one.p, {name: x[0] for name, x in around.items()}, np.linspace(0.05, 0.95, len(one.names)))
    _, rows, codes = run_on(own, one.p, state, around)
    for i in range(_STEPS):
        drive = {name: x[i] for name, x in around.items()}
        state = own.next_state(one.p, state, drive, own.step)
        np.testing.assert_allclose(rows[i], own.output(one.p, state, drive), rtol=_CLOSE, atol=_CLOSE)
        np.testing.assert_array_equal(codes[i], own.phase(one.p, state))


@pytest.mark.parametrize("kind", _NEVER_END)
def test_a_stretch_may_end_anywhere(kind: str) -> None:
    """Two stretches are the bytes of one, and neighbours change nothing."""
    one, own = rig(kind), physics_of(kind)
    assert isinstance(own, ContinuousPhysics)
    around = _around(own, len(one.names))
    begun = own.initial(one.p, {name: x[0] for name, x in around.items()}, np.full(len(one.names), 0.5))
    _, whole, _ = run_on(own, one.p, begun, around)
    half, first, _ = run_on(own, one.p, begun, {name: x[:100] for name, x in around.items()})
    _, second, _ = run_on(own, one.p, half, {name: x[100:] for name, x in around.items()})
    assert np.concatenate([first, second]).tobytes() == whole.tobytes()


@pytest.mark.parametrize("kind", _RUN)
def test_compiled_runs_are_the_runs_of_the_arrays(kind: str) -> None:
    """One programme, healthy and with every fault at several levels."""
    one, own = rig(kind), physics_of(kind)
    assert isinstance(own, ProgrammePhysics)
    job = list(jobs(one, own, seed=2))[-1]
    after, rows, codes, lasted = run_to_end(own, one.p, job, _LONGEST)
    state, steps = own.initial(one.p, job), 0
    while steps < _LONGEST and bool((going := stage_of(job, state.place) != own.end).any()):
        np.testing.assert_array_equal(going, steps < lasted)
        np.testing.assert_array_equal(codes[steps][going], stage_of(job, state.place)[going])
        true = own.output(one.p, job, state)
        np.testing.assert_allclose(rows[steps][going], true[going], rtol=_CLOSE, atol=_CLOSE)
        state, steps = own.next_state(one.p, job, state, own.step), steps + 1
    assert steps == lasted.max()
    np.testing.assert_array_equal(own.error(one.p, after), own.error(one.p, state))


@pytest.mark.parametrize("changed", ["air.py", "refrigerator.py"])
def test_machine_code_of_a_changed_physics_is_not_used(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of one that another kind's file imports."""
    before = compiled._stamp("loop")
    for one in Path(physics.__file__).parent.glob("*.py"):
        shutil.copy(one, tmp_path)
    monkeypatch.setattr(physics, "__file__", str(tmp_path / "__init__.py"))
    assert compiled._stamp("loop") == before
    with (tmp_path / changed).open("a") as file:
        file.write("# another formula\n")
    assert compiled._stamp("loop") != before


@pytest.mark.long
def test_it_runs_where_no_cache_can_be_kept() -> None:
    program = (
        "from firmware_sim.compiled import _loop, warm; warm(); print(type(_loop('refrigerator')._cache).__name__)"
    )
    # The locator of zipped packages finds no place for ours.
    environment = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}
    told = subprocess.run(  # noqa: S603  (a constant program)
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment, timeout=300
    )
    assert told.stdout.strip() == "NullCache"
