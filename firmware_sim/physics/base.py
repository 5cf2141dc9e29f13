"""What the physics of a kind consists of. Two shapes: appliances that never end, and appliances that run programmes.

Five equations each (initial, next state, output, phase, failed), vectorised over appliances, plus the heat book
(`stored`, `inflow`) by which a test checks that no energy comes from nowhere. Physics knows neither faults nor weather:
a fault changes parameters (`firmware_sim.mechanism`), surroundings and habits arrive as drives and jobs. Nothing here
may mix appliances: every array operation is elementwise along its first axis, so that an appliance's life does not
depend on its neighbours. So `firmware_sim.compiled` can compile the same functions for one appliance: `next_state`,
`output`, `phase` and what they call use of numpy the names of `firmware_sim.scalar` only. Units: W, Celsius, J,
seconds, L, kg, 1/min.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Drive = Mapping[str, Floats]
"""What surrounds the appliances during one step, by name (`firmware_sim.homes.DRIVES`); shape (appliances,) each."""

P = TypeVar("P")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Sensor:
    """How a channel is read.

    Attributes:
        noise: standard deviation of a reading.
        offset: standard deviation of the constant error between units.
        resolution: readings are multiples of it.
        low: no reading is below.
        zero: reads exactly 0 where the true value is 0 (a counter of turns).
    """

    noise: float
    offset: float
    resolution: float
    low: float = -np.inf
    zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousPhysics(Generic[P, S]):
    """An appliance that never ends: refrigerator, heat pump, water heater.

    Attributes:
        kind: of the catalogue.
        step: seconds; the explicit Euler step must stay well below the smallest time constant.
        channels: name to sensor, in the catalogue's order.
        phases: names of the catalogue, by the codes that `phase` gives.
        drives: which drives it needs.
        parameters: a dataclass of arrays; names as in the catalogue's models.
        state: a dataclass of arrays.
        spread: relative standard deviation of a parameter between units of one model.
        shift: absolute standard deviation likewise (set points).
        rest: parameters that models need not give: what only faults move, with its healthy value.
        initial: (parameters, drive, place 0..1 in its cycle) to a state in the middle of ordinary operation.
        next_state: (parameters, state, drive, seconds) to the state after one step.
        output: (parameters, state, drive) to what ideal sensors read, shape (appliances, channels).
        phase: (parameters, state) to codes of `phases`.
        failed: (parameters, state) to whether the appliance no longer does its work.
        error: the event that firmware sends when `failed` becomes true; empty for none.
        stored: (parameters, state) to the heat in all its stores, J, against any fixed zero.
        inflow: (parameters, state, drive) to the net heat flow into these stores during the next step, W.
        self_test: what the device's own test routine measures from its effective parameters, by name with the unit
            as suffix (`fan_speed_rpm`); each quantity narrows the causes down.
    """

    kind: str
    step: float
    channels: Mapping[str, Sensor]
    phases: tuple[str, ...]
    drives: tuple[str, ...]
    parameters: type[P]
    state: type[S]
    spread: Mapping[str, float]
    shift: Mapping[str, float] = field(default_factory=dict)
    rest: Mapping[str, float] = field(default_factory=dict)
    initial: Callable[[P, Drive, Floats], S]
    next_state: Callable[[P, S, Drive, float], S]
    output: Callable[[P, S, Drive], Floats]
    phase: Callable[[P, S], Ints]
    failed: Callable[[P, S], Bools]
    error: str = ""
    stored: Callable[[P, S], Floats]
    inflow: Callable[[P, S, Drive], Floats]
    self_test: Callable[[P], Mapping[str, Floats]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme of an appliance.

    Attributes:
        share: how often households choose it.
        stages: codes of the kind's stages, in order, without the end.
        settings: numbers that the physics reads, by name; the same names in all programmes of a kind.
    """

    share: float
    stages: tuple[int, ...]
    settings: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How households use it, before a scenario changes that.

    Attributes:
        starts: mean runs a day.
        load: mean load of a household, kg (or place settings).
        load_between: standard deviation between households.
        load_within: standard deviation from run to run.
        least: smallest load.
        capacity: name of the model parameter that bounds the load.
        weekend: factor on `starts` on Saturdays and Sundays.
    """

    starts: float
    load: float
    load_between: float
    load_within: float
    least: float
    capacity: str
    weekend: float = 1.3


@dataclass(frozen=True, slots=True)
class Job:
    """What households ask of their machines; one row a run.

    Attributes:
        stages: shape (runs, stages), codes of the kind's stages, filled up with the end's code.
        settings: of each run's programme, by name, shape (runs,).
        load: kg (or place settings).
        imbalance: how badly the load lies, 1 on average.
        inlet: tap water, Celsius.
        ambient: the room, Celsius.
        supply: mains voltage over its nominal value.
    """

    stages: Ints
    settings: Mapping[str, Floats]
    load: Floats
    imbalance: Floats
    inlet: Floats
    ambient: Floats
    supply: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammePhysics(Generic[P, S]):
    """An appliance that runs programmes: washing machine, dishwasher, tumble dryer. Runs are aligned at their starts.

    Attributes:
        kind: of the catalogue.
        step: seconds.
        channels: name to sensor, in the catalogue's order.
        stages: names; each is a phase of the catalogue. The end's code is their number; between runs it is `idle`.
        programmes: by name.
        habits: of use.
        parameters: a dataclass of arrays; names as in the catalogue's models.
        state: a dataclass of arrays, among them `place` (index into the job's stages).
        spread: relative standard deviation of a parameter between units of one model.
        rest: parameters that only faults move, with their healthy value.
        resting: channel values of a machine that stands by; `None` stands for the room's temperature.
        initial: (parameters, job) to the state at the start.
        next_state: (parameters, job, state, seconds) to the state after one step.
        output: (parameters, job, state) to what ideal sensors read, shape (runs, channels).
        error: (parameters, state) to an index into `errors`, or -1; read when the run has ended.
        errors: events of firmware.
        stored: (parameters, job, state) to the heat in water, load and drum, J; the zero is the room's temperature.
        inflow: (parameters, job, state) to the net heat flow into these stores during the next step, W; water that
            comes and goes included.
        self_test: as of ContinuousPhysics.
    """

    kind: str
    step: float
    channels: Mapping[str, Sensor]
    stages: tuple[str, ...]
    programmes: Mapping[str, Programme]
    habits: Habits
    parameters: type[P]
    state: type[S]
    spread: Mapping[str, float]
    rest: Mapping[str, float] = field(default_factory=dict)
    resting: Mapping[str, float | None]
    initial: Callable[[P, Job], S]
    next_state: Callable[[P, Job, S, float], S]
    output: Callable[[P, Job, S], Floats]
    error: Callable[[P, S], Ints]
    errors: tuple[str, ...] = ()
    stored: Callable[[P, Job, S], Floats]
    inflow: Callable[[P, Job, S], Floats]
    self_test: Callable[[P], Mapping[str, Floats]]

    @property
    def end(self) -> int:
        """Code of the end."""
        return len(self.stages)


Physics = ContinuousPhysics[Any, Any] | ProgrammePhysics[Any, Any]
"""Groups treat the parameters and states of all kinds alike; each kind's own functions are typed."""


def gather(kind: Physics, units: Sequence[Mapping[str, float]]) -> dict[str, Floats]:
    """One array a parameter from one mapping a unit; what only faults move is at rest.

    Raises:
        KeyError: a model lacks a parameter.
    """
    return {
        one.name: np.array(
            [
                unit[one.name] if one.name in unit or one.name not in kind.rest else kind.rest[one.name]
                for unit in units
            ],
            dtype=np.float64,
        )
        for one in fields(kind.parameters)
    }


def stage_of(job: Job, place: Ints) -> Ints:
    """The stage of each run."""
    return job.stages[np.arange(len(place)), place]
