"""One machine and one programme on the bench: what a parameter or a fault does to a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_sim.mechanism import SENSOR, Acting, effective
from firmware_sim.physics import physics_of
from firmware_sim.physics.base import Job, ProgrammePhysics, gather, stage_of
from tests.firmware_sim.kinds.rig import catalogue

_HOURS = 6.0


@dataclass(frozen=True, slots=True)
class Run:
    """True channels by name, shape (steps,), the stage of each step, and the event with which it ended."""

    channels: Mapping[str, NDArray[np.float64]]
    stages: tuple[str, ...]
    step: float
    error: str

    def of(self, channel: str, stage: str, skip: int = 0) -> NDArray[np.float64]:
        """Values of a channel in all phases of a stage, the first `skip` of them left out."""
        inside = np.array([one == stage for one in self.stages])
        found: NDArray[np.float64] = self.channels[channel][inside][skip:]
        return found

    def minutes(self, stage: str | None = None) -> float:
        """How long the run, or its stages of a name, lasted."""
        steps = len(self.stages) if stage is None else self.stages.count(stage)
        return steps * self.step / 60.0

    @property
    def kwh(self) -> float:
        """Energy from the mains."""
        return float(self.channels["power"].sum()) * self.step / 3.6e6


@cache
def run(
    kind: str,
    programme: str,
    fault: str | None = None,
    level: float = 1.0,
    model: str | None = None,
    **asked: float,
) -> Run:
    """Run one programme.

    Args:
        kind: of the catalogue.
        programme: of the kind.
        fault: of the catalogue; what it does to sensors is left out.
        level: of the fault.
        model: by default the kind's first.
        asked: of the job: load, imbalance, inlet, ambient, supply.
    """
    physics = physics_of(kind)
    assert isinstance(physics, ProgrammePhysics)
    spec = catalogue()[kind]
    unit = spec.models[model or next(iter(spec.models))].parameters
    mechanism = spec.faults[fault].mechanism if fault is not None else {}
    acting = [Acting(0, target, what, level) for target, what in mechanism.items() if not target.startswith(SENSOR)]
    p = physics.parameters(**effective(gather(physics, [unit]), acting))
    return _run(physics, p, _job(physics, programme, asked))


def _job(physics: ProgrammePhysics[Any, Any], programme: str, asked: Mapping[str, float]) -> Job:
    chosen = physics.programmes[programme]
    usual = {"load": physics.habits.load, "imbalance": 1.0, "inlet": 15.0, "ambient": 23.0, "supply": 1.0}
    return Job(
        stages=np.array([[*chosen.stages, physics.end]], dtype=np.int64),
        settings={name: np.array([float(value)]) for name, value in chosen.settings.items()},
        **{name: np.array([asked.get(name, value)]) for name, value in usual.items()},
    )


def _run(physics: ProgrammePhysics[Any, Any], p: Any, job: Job) -> Run:  # noqa: ANN401  (each kind's own)
    state, rows, stages = physics.initial(p, job), [], []
    for _ in range(round(_HOURS * 3600.0 / physics.step)):
        stage = int(stage_of(job, state.place)[0])
        if stage == physics.end:
            break
        rows.append(physics.output(p, job, state)[0])
        stages.append(physics.stages[stage])
        state = physics.next_state(p, job, state, physics.step)
    else:
        raise AssertionError("the run never ends")
    code = int(physics.error(p, state)[0])
    values = np.array(rows)
    channels = {name: values[:, number] for number, name in enumerate(physics.channels)}
    return Run(channels, tuple(stages), physics.step, physics.errors[code] if code >= 0 else "")
