"""The table of a kind's self-test, worked out from the physics: what its catalogue page must say.

A quantity's healthy reading and its spread come from many units of all models, each measured once with the test's own
noise. A fault's readings are those of its mechanism on the models as they are designed, and of the quantities that it
moves alone. The detectors read the page, not this: a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firmware_sim.chance import generator
from firmware_sim.commands import TEST_NOISE
from firmware_sim.mechanism import Acting, effective
from firmware_sim.physics import physics_of
from firmware_sim.physics.base import Floats, Physics, gather
from firmware_sim.units import unit_of
from telemetry.catalogue import Influence, KindSpec
from telemetry.catalogue.measure import LEVELS

UNITS = 400
"""Of each model."""
_SEED = 1
_LEAST_SHARE = 0.02
"""Of the largest move that a fault makes: no quantity is known better than that."""
_MOVED = 1.5
"""Spreads by which a fault must move a quantity at least, once, to be said to move it."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What the self-test of a kind measures.

    Attributes:
        healthy: mean over units, by quantity.
        spread: standard deviation between them.
        faults: by fault and quantity that it moves: readings at `LEVELS`.
    """

    healthy: Mapping[str, float]
    spread: Mapping[str, float]
    faults: Mapping[str, Mapping[str, tuple[float, ...]]]


def tested(kind: KindSpec) -> Tested:
    """Work out a kind's table.

    Raises:
        KeyError: nothing simulates the kind.
    """
    physics = physics_of(kind.kind)
    models = [model.parameters for model in kind.models.values()]
    units = [
        unit_of(physics, model, generator(_SEED, number * UNITS + i, "unit"), 1.0)
        for number, model in enumerate(models)
        for i in range(UNITS)
    ]
    rng = generator(_SEED, -1, "self_test", 0)
    read = {
        name: values * (1.0 + TEST_NOISE * rng.standard_normal(len(values)))
        for name, values in sorted(_measure(physics, units, {}, 0.0).items())
    }
    healthy = {name: float(values.mean()) for name, values in read.items()}
    courses = {
        fault: {
            name: tuple(float(each[name].mean()) for each in at)
            for at in [[_measure(physics, models, spec.mechanism, level) for level in LEVELS]]
            for name in healthy
        }
        for fault, spec in kind.faults.items()
    }
    far = {name: max(abs(x - healthy[name]) for some in courses.values() for x in some[name]) for name in healthy}
    spread = {name: max(float(values.std()), _LEAST_SHARE * far[name]) for name, values in read.items()}
    moved = {
        fault: {
            name: course
            for name, course in some.items()
            if max(abs(x - healthy[name]) for x in course) > _MOVED * spread[name]
        }
        for fault, some in courses.items()
    }
    return Tested(healthy, spread, moved)


def _measure(
    physics: Physics, units: Sequence[Mapping[str, float]], mechanism: Mapping[str, Influence], level: float
) -> Mapping[str, Floats]:
    """The test of each unit, with a fault of some level on all of them."""
    acting = [Acting(row, target, what, level) for row in range(len(units)) for target, what in mechanism.items()]
    measured: Mapping[str, Floats] = physics.self_test(physics.parameters(**effective(gather(physics, units), acting)))
    return measured
