"""Scenarios made of a few lines, for tests."""

from __future__ import annotations

from functools import cache

from firmware_sim.households import Appliance
from firmware_sim.population import appliances
from firmware_sim.scenario_file import read_scenario
from firmware_sim.scenario_types import Scenario, World
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import MICROS

START = 1_772_323_200 * MICROS
"""1 March 2026, 00:00 UTC."""
DAY = 86_400 * MICROS
HEAD = """id = "some"
title = "some"
start = 2026-03-01T00:00:00Z
"""
FLEET = """
[[fleet]]
kind = "refrigerator"
count = 10

[[fleet]]
kind = "washing_machine"
count = 6
"""


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


PLUGS = """
[[fleet]]
kind = "smart_plug"
count = 40
host = {refrigerator = 1, washing_machine = 1}
"""


def scenario(text: str, fleet: str = FLEET, head: str = HEAD) -> Scenario:
    return read_scenario(head + fleet + text, "some.toml", catalogue())


def world(text: str, fleet: str = FLEET, seed: int = 11) -> tuple[World, list[Appliance], Catalogue]:
    one = scenario(text, fleet)
    merged = one.catalogue(catalogue())
    return World(one, seed, START), appliances(one, seed, merged), merged
