"""One appliance on the test bed: the same laboratory day with a fault at several levels, held still.

What the traces differ in is the fault's doing alone: same unit, same day, same noise. That is a fault's signature as an
engineer wants to see it; how a fault grows in a life is the fleet's business.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_sim import laboratory
from firmware_sim.mechanism import Acting, effective, steer
from firmware_sim.names import known_name
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import (
    Bools,
    ContinuousPhysics,
    Floats,
    Ints,
    Job,
    Physics,
    ProgrammePhysics,
    gather,
    stage_of,
)
from firmware_sim.sensors import Sensors
from firmware_sim.units import METERED, phases
from telemetry.catalogue import Catalogue, FaultSpec, KindSpec
from telemetry.clock import MICROS

START = 1_772_409_600
"""Monday 2 March 2026, midnight, Unix seconds: the begin of the laboratory's day."""
_DAY = 86_400.0
RUNS = (8.0, 13.0, 18.0)
"""Hours at which programmes begin."""
_LONGEST_RUN = 6.0 * 3600.0
_SEED = 1
_QUIET = 0.2
"""A machine that stands by is read more quietly: share of its sensors' noise."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive samples of one phase: times (n,) in microseconds, values (n, channels), NaN where absent."""

    t: NDArray[np.int64]
    phase: str | None
    values: Floats


@dataclass(frozen=True, slots=True)
class Trace:
    """What an appliance shows at one level of a fault.

    Attributes:
        level: 0 healthy, 1 functional failure.
        pieces: its samples, in order.
        test: what its self-test measures, by name.
        events: codes that its firmware sends.
    """

    level: float
    pieces: list[Piece]
    test: dict[str, float] = field(default_factory=dict)
    events: tuple[str, ...] = ()

    def series(self) -> tuple[Floats, Floats]:
        """Hours from the begin of the first day, shape (n,), and values, shape (n, channels)."""
        t = np.concatenate([piece.t for piece in self.pieces])
        values = np.concatenate([piece.values for piece in self.pieces])
        return (t - START * MICROS) / (3600.0 * MICROS), values


@dataclass(frozen=True, slots=True)
class Setup:
    """What stands on the test bed.

    Attributes:
        kind: as it is seen.
        physics: that runs; for a plug, of the appliance behind it.
        host: the catalogue page of `physics`.
        model: id of the host's model.
        parameters: of the model.
    """

    kind: KindSpec
    physics: Physics
    host: KindSpec
    model: str
    parameters: Mapping[str, float]


def set_up(catalogue: Catalogue, kind: str, fault: str | None, model: str | None = None) -> tuple[Setup, list[Acting]]:
    """Choose physics, model and mechanism; the mechanism as influences at level 1 on row 0.

    A plug has no physics of its own: it shows the appliance that its fault is `seen_from`, or a refrigerator.

    Raises:
        UnknownNameError: no such kind, fault or model, or nothing simulates the kind.
    """
    spec = catalogue[known_name("kind", kind, catalogue.kinds)]
    page = spec.faults[known_name(f"fault of {kind}", fault, spec.faults)] if fault is not None else None
    host, mechanism = kind, dict(page.mechanism) if page is not None else {}
    if page is not None and page.seen_from:
        host, _, behind = page.seen_from[0].partition(".")
        source = _fault_of(catalogue, host, behind)
        mechanism = {**source.mechanism, **mechanism}
    elif kind not in simulated_kinds() and "power" in spec.channels and len(spec.channels) == 1:
        host = "refrigerator"
    physics = physics_of(known_name("simulated kind", host, simulated_kinds()))
    of = catalogue[host]
    chosen = known_name(f"model of {host}", model, of.models) if model is not None else next(iter(of.models))
    acting = [Acting(0, target, what, 1.0) for target, what in mechanism.items()]
    return Setup(spec, physics, of, chosen, of.models[chosen].parameters), acting


def traces(setup: Setup, acting: Sequence[Acting], levels: Sequence[float], days: int) -> list[Trace]:
    """One trace a level.

    Args:
        setup: from `set_up`.
        acting: the mechanism at level 1.
        levels: of the fault.
        days: of the laboratory.
    """
    rows = [
        Acting(row, one.target, one.what, level) for row, level in enumerate(levels) if level > 0.0 for one in acting
    ]
    bed = _Bed(setup, rows, list(levels))
    physics = setup.physics
    return bed.continuous(physics, days) if isinstance(physics, ContinuousPhysics) else bed.programmes(physics, days)


def _fault_of(catalogue: Catalogue, kind: str, fault: str) -> FaultSpec:
    spec = catalogue[known_name("kind", kind, catalogue.kinds)]
    return spec.faults[known_name(f"fault of {kind}", fault, spec.faults)]


class _Bed:
    def __init__(self, setup: Setup, acting: list[Acting], levels: list[float]) -> None:
        self._setup, self._acting, self._levels = setup, acting, levels
        self._n = len(levels)
        physics = setup.physics
        self._phases = phases(setup.kind)
        names = list(physics.channels)
        self._columns = [names.index(name) for name in setup.kind.channels]
        healthy = gather(physics, [setup.parameters] * self._n)
        self._p = physics.parameters(**effective(healthy, acting))
        channels = dict(physics.channels)
        # One key for all rows: the same noise at every level.
        self._sensors = Sensors(_SEED, [0] * self._n, channels, np.zeros((self._n, len(channels))))
        answers = physics.self_test(self._p)
        self._tests = [{name: float(values[row]) for name, values in answers.items()} for row in range(self._n)]

    def continuous(self, physics: ContinuousPhysics[Any, Any], days: int) -> list[Trace]:
        """A day to settle, then those that are shown."""
        step = physics.step
        a_day = round(_DAY / step)
        total = a_day * (days + 1)
        drives = self._drives(physics.drives, step * np.arange(total, dtype=np.float64) - _DAY, step)
        drive = {name: values[0] for name, values in drives.items()}
        state = physics.initial(self._p, drive, np.full(self._n, 0.5))
        true = np.empty((total - a_day, self._n, len(physics.channels)))
        phase: Ints = np.empty((total - a_day, self._n), dtype=np.int64)
        failed: Bools = np.zeros(self._n, dtype=bool)
        for i in range(total):
            drive = {name: values[i] for name, values in drives.items()}
            state = physics.next_state(self._p, state, drive, step)
            if i >= a_day:
                true[i - a_day] = physics.output(self._p, state, drive)
                phase[i - a_day] = physics.phase(self._p, state)
                failed |= physics.failed(self._p, state)
        first = round(START / step)
        read = self._sensors.read(true, first, self._acting)
        return [
            Trace(
                level,
                self._pieces(read[:, row], phase[:, row], physics.phases, first, step),
                self._tests[row],
                (physics.error,) if failed[row] and physics.error else (),
            )
            for row, level in enumerate(self._levels)
        ]

    def programmes(self, physics: ProgrammePhysics[Any, Any], days: int) -> list[Trace]:
        """The most usual programme with the usual load, three times a day."""
        job = self._job(physics)
        state = physics.initial(self._p, job)
        outputs, stages = [], []
        for _ in range(round(_LONGEST_RUN / physics.step)):
            stage = stage_of(job, state.place)
            outputs.append(physics.output(self._p, job, state))
            stages.append(stage)
            if bool((stage == physics.end).all()):
                break
            state = physics.next_state(self._p, job, state, physics.step)
        true, codes = np.array(outputs), np.array(stages)
        errors = physics.error(self._p, state)
        found = []
        for row, level in enumerate(self._levels):
            over = codes[:, row] == physics.end
            length = int(np.argmax(over)) if over.any() else len(codes)
            pieces: list[Piece] = []
            now = round(START / physics.step)
            for day, hour in itertools.product(range(days), RUNS):
                begin = max(round((START + day * _DAY + hour * 3600.0) / physics.step), now)
                pieces += self._rest(physics, now, begin, row)
                read = self._sensors.read(true, begin, self._acting)[:length, row]
                pieces += self._pieces(read, codes[:length, row], physics.stages, begin, physics.step)
                now = begin + length
            pieces += self._rest(physics, now, round((START + days * _DAY) / physics.step), row)
            said = tuple(physics.errors[i] for i in errors[row : row + 1] if i >= 0)
            found.append(Trace(level, pieces, self._tests[row], said))
        return found

    def _drives(self, names: Sequence[str], seconds: Floats, step: float) -> dict[str, Floats]:
        plain = laboratory.laboratory(names, seconds, step)
        found = {name: np.repeat(values[:, None], self._n, axis=1) for name, values in plain.items()}
        steer(found, self._acting)
        return found

    def _job(self, physics: ProgrammePhysics[Any, Any]) -> Job:
        programme = max(physics.programmes.values(), key=lambda one: one.share)
        habits, n = physics.habits, self._n
        drives = self._drives(("inlet", "ambient", "supply"), np.array([12.0 * 3600.0]), physics.step)
        load = min(habits.load, self._setup.parameters.get(habits.capacity, habits.load))
        return Job(
            stages=np.tile(np.array([*programme.stages, physics.end], dtype=np.int64), (n, 1)),
            settings={name: np.full(n, float(value)) for name, value in programme.settings.items()},
            load=np.full(n, load),
            imbalance=np.ones(n),
            inlet=drives["inlet"][0],
            ambient=drives["ambient"][0],
            supply=drives["supply"][0],
        )

    def _rest(self, physics: ProgrammePhysics[Any, Any], begin: int, end: int, row: int) -> list[Piece]:
        """A machine that stands by, from step `begin` to before `end`."""
        spec = self._phases.get(METERED) or self._phases["idle"]
        steps = np.arange(begin, end, max(round(spec.every / physics.step), 1))
        if not len(steps):
            return []
        values = [laboratory.ROOM if still is None else still for still in physics.resting.values()]
        true = np.tile(np.array(values, dtype=np.float64), (len(steps), self._n, 1))
        read = self._sensors.read(true, begin, self._acting if METERED in self._phases else [])[:, row]
        quiet = np.where(true[:, row] == 0.0, 0.0, true[:, row] + _QUIET * (read - true[:, row]))
        t = np.rint(steps * physics.step * MICROS).astype(np.int64)
        return [Piece(t, None if METERED in self._phases else "idle", quiet[:, self._columns])]

    def _pieces(self, values: Floats, codes: Ints, names: Sequence[str], first: int, step: float) -> list[Piece]:
        """Sampled as firmware does: from the begin of each phase, at the phase's interval; a plug knows no phases."""
        metered = METERED in self._phases
        edges = [0, *([] if metered else (np.flatnonzero(np.diff(codes)) + 1).tolist()), len(codes)]
        found = []
        for begin, end in itertools.pairwise(edges):
            phase = None if metered else names[int(codes[begin])]
            stride = max(round(self._phases[phase or METERED].every / step), 1)
            t = np.rint((first + np.arange(begin, end, stride)) * step * MICROS).astype(np.int64)
            found.append(Piece(t, phase, values[begin:end:stride][:, self._columns]))
        return found
