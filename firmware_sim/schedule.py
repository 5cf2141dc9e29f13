"""When the faults of an appliance begin: by rate, part worn, by fixed dates, in combinations."""

from __future__ import annotations

from firmware_sim.scenario import Appliance, World
from firmware_sim.scenario import fault_schedule as by_rate
from firmware_sim.scenario import part_worn
from firmware_sim.wear import Fault
from telemetry.catalogue import Catalogue


def fault_schedule(world: World, appliance: Appliance, catalogue: Catalogue) -> list[Fault]:
    """The faults of one appliance, by onset, for ten years.

    Args:
        world: scenario, seed and start.
        appliance: whose.
        catalogue: the scenario's own: `world.scenario.catalogue(base)`.
    """
    scenario = world.scenario
    worn = part_worn(scenario, world.seed, scenario.refrigerators + scenario.washing_machines)
    kind = catalogue[appliance.kind]
    return by_rate(scenario, world.seed, appliance, kind, world.start, worn=appliance.index in worn)
