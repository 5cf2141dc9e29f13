"""Appliances for the contract: every fault of a kind at once, on days that are not all alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_sim.laboratory import laboratory
from firmware_sim.mechanism import DRIVE, Acting, effective, influence
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ContinuousPhysics, Floats, Job, Physics, ProgrammePhysics, gather, stage_of
from telemetry.catalogue import Catalogue, FaultSpec, load_catalogue

DAY = 86_400.0
_LEVELS = (0.5, 1.0, 1.5)
"""Half way, at functional failure, and as far as wear goes on."""
_MOST_SECONDS = 5 * 3600.0


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


@cache
def kinds() -> tuple[str, ...]:
    """The kinds that have a physics and a page, and the plug, which borrows a physics."""
    return (*(kind for kind in simulated_kinds() if kind in catalogue()), "smart_plug")


def faults(kind: str) -> dict[str, FaultSpec]:
    """Those that the simulator can give an appliance."""
    return {name: one for name, one in catalogue()[kind].faults.items() if one.mechanism or one.seen_from}


def every_fault() -> list[tuple[str, str]]:
    return [(kind, name) for kind in kinds() for name in faults(kind)]


@dataclass(frozen=True, slots=True)
class Rig:
    """One row a case: the healthy appliance first, then each fault at several levels.

    Attributes:
        kind: of the catalogue.
        names: `healthy` or the fault, by row.
        acting: what the faults do.
        parameters: with it, by name.
    """

    kind: str
    names: tuple[str, ...]
    acting: tuple[Acting, ...]
    parameters: Mapping[str, Floats]

    @property
    def physics(self) -> Physics:
        return physics_of(self.kind)

    @property
    def p(self) -> Any:  # noqa: ANN401  (each kind's own)
        return self.physics.parameters(**self.parameters)


def rig(kind: str) -> Rig:
    spec = catalogue()[kind]
    unit = next(iter(spec.models.values())).parameters
    cases = [("healthy", 0.0), *((fault, level) for fault in faults(kind) for level in _LEVELS)]
    acting = tuple(
        Acting(row, target, what, level)
        for row, (name, level) in enumerate(cases)
        if level
        for target, what in spec.faults[name].mechanism.items()
    )
    parameters = effective(gather(physics_of(kind), [unit] * len(cases)), acting)
    return Rig(kind, tuple(name for name, _ in cases), acting, parameters)


@dataclass(frozen=True, slots=True)
class Lived:
    """What a rig did: true channels (steps, rows, channels), phase codes (steps, rows), failed (rows,) and energy.

    Attributes:
        residue: largest gap of the heat book in one step, J, by row.
        turnover: mean heat that one step moves, J, by row.
    """

    values: Floats
    codes: NDArray[np.int64]
    failed: NDArray[np.bool_]
    residue: Floats
    turnover: Floats


def live(one: Rig, days: float, seed: int = 1) -> Lived:
    physics = one.physics
    if isinstance(physics, ContinuousPhysics):
        return _live_on(one, physics, days, seed)
    return _run_all(one, physics, seed)


def drives(names: Sequence[str], steps: int, step: float, seed: int) -> dict[str, Floats]:
    """Laboratory days, each with its own weather, thirst and mains; shape (steps,)."""
    rng = np.random.default_rng(seed)
    found = laboratory(names, step * np.arange(steps, dtype=np.float64), step)
    day = (step * np.arange(steps) / DAY).astype(np.int64)
    warm, cold, use, mains = (rng.normal(0.0, sd, day[-1] + 1)[day] for sd in (2.0, 1.5, 0.25, 0.012))
    changes = {
        "ambient": lambda x: x + warm,
        "outdoor": lambda x: x + 3.0 * warm,
        "inlet": lambda x: x + cold,
        "draw": lambda x: x * np.maximum(1.0 + use, 0.0),
        "door": lambda x: np.clip(x * np.maximum(1.0 + use, 0.0), 0.0, 1.0),
        "supply": lambda x: x + mains,
    }
    return {name: np.asarray(changes.get(name, lambda x: x)(values)) for name, values in found.items()}


def _live_on(one: Rig, physics: ContinuousPhysics[Any, Any], days: float, seed: int) -> Lived:
    n, p, dt = len(one.names), one.p, physics.step
    steps = round(days * DAY / dt)
    around = {name: np.repeat(x[:, None], n, axis=1) for name, x in drives(physics.drives, steps, dt, seed).items()}
    for acting in one.acting:
        name = acting.target.removeprefix(DRIVE)
        if acting.target.startswith(DRIVE) and name in around:
            level = np.array([acting.level])
            around[name][:, acting.row] = influence(around[name][:, acting.row], acting.what, level)
    state = physics.initial(p, {name: x[0] for name, x in around.items()}, np.full(n, 0.5))
    values, codes = np.empty((steps, n, len(physics.channels))), np.empty((steps, n), dtype=np.int64)
    failed, residue, turnover = np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n)
    for i in range(steps):
        drive = {name: x[i] for name, x in around.items()}
        before, flow = physics.stored(p, state), dt * physics.inflow(p, state, drive)
        state = physics.next_state(p, state, drive, dt)
        residue = np.maximum(residue, np.abs(physics.stored(p, state) - before - flow))
        turnover += np.abs(flow) / steps
        values[i], codes[i] = physics.output(p, state, drive), physics.phase(p, state)
        failed |= physics.failed(p, state)
    return Lived(values, codes, failed, residue, turnover)


def _run_all(one: Rig, physics: ProgrammePhysics[Any, Any], seed: int) -> Lived:
    """Every programme, one after the other, with loads from the least to the full one."""
    n, p, dt = len(one.names), one.p, physics.step
    failed, residue, turnover = np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n)
    values, codes = [], []
    for job in jobs(one, physics, seed):
        state = physics.initial(p, job)
        steps = round(_MOST_SECONDS / dt)
        moved = np.zeros(n)
        for _ in range(steps):
            stage = stage_of(job, state.place)
            values.append(physics.output(p, job, state))
            codes.append(stage)
            going = stage != physics.end
            if not going.any():
                break
            before, flow = physics.stored(p, job, state), dt * physics.inflow(p, job, state)
            state = physics.next_state(p, job, state, dt)
            gap = np.abs(physics.stored(p, job, state) - before - flow)
            residue = np.maximum(residue, np.where(going, gap, 0.0))
            moved += np.abs(flow)
        failed |= physics.error(p, state) >= 0
        turnover += moved / steps / len(physics.programmes)
    return Lived(np.array(values), np.array(codes), failed, residue, turnover)


def jobs(one: Rig, physics: ProgrammePhysics[Any, Any], seed: int) -> Iterator[Job]:
    n, habits = len(one.names), physics.habits
    capacity = one.parameters.get(habits.capacity)
    most = habits.load + habits.load_within if capacity is None else float(capacity[0])
    unit = catalogue()[one.kind].models[next(iter(catalogue()[one.kind].models))].parameters
    most = unit.get(habits.capacity, most)
    rng = np.random.default_rng(seed)
    for number, programme in enumerate(physics.programmes.values()):
        share = number / max(len(physics.programmes) - 1, 1)
        yield Job(
            stages=np.tile(np.array([*programme.stages, physics.end], dtype=np.int64), (n, 1)),
            settings={name: np.full(n, float(value)) for name, value in programme.settings.items()},
            load=np.full(n, habits.least + share * (most - habits.least)),
            imbalance=np.full(n, float(np.exp(0.1 * rng.standard_normal()))),
            inlet=np.full(n, 12.0 + float(rng.normal(0.0, 1.5))),
            ambient=np.full(n, 21.0 + float(rng.normal(0.0, 1.5))),
            supply=np.full(n, 1.0 + float(rng.normal(0.0, 0.012))),
        )
