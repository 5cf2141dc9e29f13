"""Innocent spells: what looks like a fault on an appliance and is none."""

from __future__ import annotations

from firmware_sim.mechanism import Spell
from firmware_sim.scenario import Appliance, World
from firmware_sim.wear import Repair


def spells(world: World, appliance: Appliance) -> tuple[Spell, ...]:
    """The spells of one appliance, by their begin; a function of (scenario, seed, appliance)."""
    return ()


def planned_repairs(world: World, appliance: Appliance) -> tuple[Repair, ...]:
    """What the household mends without knowing it (descaling), dated from the start on: `by` is the confounder's id.

    The fleet takes these into its pending repairs when it is made.
    """
    return ()


def firmware_at(world: World, appliance: Appliance, at: int) -> str:
    """The firmware version of an appliance at a fleet time: updates of the scenario change it."""
    return appliance.firmware
