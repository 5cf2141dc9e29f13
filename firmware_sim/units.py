"""The units of a group: what production and the household made of a model, and what wear and spells do to it now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from firmware_sim.chance import generator
from firmware_sim.firmware import Intervals, Sampler
from firmware_sim.households import Appliance
from firmware_sim.mechanism import DRIVE, HABIT, Acting, Spell, effective
from firmware_sim.physics.base import Floats, Physics, gather
from firmware_sim.scenario_types import World
from firmware_sim.sensors import Sensors
from firmware_sim.wear import DeviceWear, Fault
from telemetry.catalogue import Catalogue, Influence, KindSpec, PhaseSpec, Text

_TOLERANCE = 2.0
"""Standard deviations by which a parameter of a unit differs from its model's at most."""
_METERING = PhaseSpec(every=60.0, batch=60, title=Text(zh="计量", en="Metering"))
"""A plug knows no phases: it measures once a minute."""


@dataclass(frozen=True, slots=True)
class Group:
    """The appliances of a fleet that share a physics; a plug stands with the kind behind it.

    Attributes:
        world: scenario, seed and start.
        physics: theirs.
        catalogue: the scenario's.
        devices: in the fleet's order.
        wear: of each.
        spells: on each.
        intervals: of the samplers, by index in the fleet, where somebody can set them.
    """

    world: World
    physics: Physics
    catalogue: Catalogue
    devices: Sequence[Appliance]
    wear: Sequence[DeviceWear]
    spells: Sequence[tuple[Spell, ...]]
    intervals: Callable[[int], Intervals] | None = None


class Units:
    """Parameters and sensors of a group's units."""

    def __init__(self, group: Group) -> None:
        self.group = group
        physics, channels = group.physics, list(group.physics.channels.values())
        models = group.catalogue[physics.kind].models
        draws = [generator(group.world.seed, one.index, "unit") for one in group.devices]
        units = [
            unit_of(physics, models[one.physics_model].parameters, rng, group.world.scenario.unit_spread)
            for one, rng in zip(group.devices, draws, strict=True)
        ]
        self.models = units
        self.healthy = gather(physics, units)
        spread = np.array([one.offset for one in channels])
        offsets = np.array([spread * rng.standard_normal(len(channels)) for rng in draws]).reshape(-1, len(channels))
        self.offsets = offsets
        indices = [one.index for one in group.devices]
        self.sensors = Sensors(group.world.seed, indices, dict(physics.channels), offsets)
        self._spells = [
            [(spell, target, what) for spell in some for target, what in spell.influences.items() if _inside(target)]
            for some in group.spells
        ]

    def acting(self, at: int, member: int, row: int) -> list[Acting]:
        """What acts on a member at a fleet time, as influences on row `row`: wear first, then spells."""
        found = [
            Acting(row, target, what, level)
            for fault, level in self.group.wear[member].levels(at)
            for target, what in mechanism(self.group.catalogue, self.group.devices[member], fault).items()
        ]
        for spell, target, what in self._spells[member]:
            if spell.begin <= at < spell.end:
                found.append(Acting(row, target, what, float(spell.level(np.array([at], dtype=np.int64))[0])))
        return found

    def parameters(self, members: Sequence[int] | None, acting: Sequence[Acting]) -> Any:  # noqa: ANN401  (each kind's own)
        """The kind's parameters of some members (all when None), with all that acts on the rows."""
        healthy: Mapping[str, Floats] = self.healthy
        if members is not None:
            rows = np.asarray(members, dtype=np.int64)
            healthy = {name: values[rows] for name, values in healthy.items()}
        return self.group.physics.parameters(**effective(healthy, acting))

    def self_test(self, member: int, at: int) -> dict[str, float]:
        """What the test routine of a member measures at a fleet time, without noise."""
        found = self.group.physics.self_test(self.parameters([member], self.acting(at, member, 0)))
        return {name: float(values[0]) for name, values in found.items()}

    def sampler(self, member: int, step: int) -> Sampler:
        """A fresh sampler of a member; `step` in microseconds."""
        device = self.group.devices[member]
        kind: KindSpec = self.group.catalogue[device.kind]
        set_by = None if self.group.intervals is None else self.group.intervals(device.index)
        return Sampler(device.index, tuple(kind.channels), phases(kind), step, intervals=set_by)

    def columns(self, member: int) -> list[int]:
        """Which of the physics' channels the device reports."""
        names = list(self.group.physics.channels)
        return [names.index(name) for name in self.group.catalogue[self.group.devices[member].kind].channels]


METERED = "metering"
"""The phase in which a plug samples; it is not said on the wire."""


def phases(kind: KindSpec) -> Mapping[str, PhaseSpec]:
    """The phases in which a device of a kind samples."""
    return kind.phases or {METERED: _METERING}


def mechanism(catalogue: Catalogue, device: Appliance, fault: Fault) -> dict[str, Influence]:
    """What a fault does inside a device: its own mechanism, and behind a plug that of the appliance's fault."""
    found: dict[str, Influence] = {}
    if fault.mechanism_of is not None:
        kind, _, name = fault.mechanism_of.partition(".")
        found |= catalogue[kind].faults[name].mechanism
    return found | catalogue[device.kind].faults[fault.fault].mechanism


def _inside(target: str) -> bool:
    return not target.startswith((DRIVE, HABIT, "programme."))


def _within(rng: np.random.Generator) -> float:
    """A standard normal number; what is further out than the limit does not pass the test at the end of the line."""
    return float(np.clip(rng.standard_normal(), -_TOLERANCE, _TOLERANCE))


def unit_of(physics: Physics, model: Mapping[str, float], rng: np.random.Generator, much: float) -> dict[str, float]:
    """The parameters of one unit: its model's, spread as production and people spread them, so much as usual."""
    draws = {name: 1.0 + much * share * _within(rng) for name, share in physics.spread.items()}
    unit = {name: value * draws.get(name, 1.0) for name, value in model.items()}
    for name, spread in getattr(physics, "shift", {}).items():
        unit[name] += much * spread * _within(rng)
    return unit
