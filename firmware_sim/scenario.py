"""Scenarios: a fleet, what happens to it and what that costs, described in a TOML file with a permanent id."""

from __future__ import annotations

from pathlib import Path

from firmware_sim.climate import Climate
from firmware_sim.costs import Costs
from firmware_sim.definition_check import wrong
from firmware_sim.entries import (
    Combination,
    ConfounderEntry,
    Define,
    FaultEntry,
    FaultRates,
    FleetEntry,
    HabitEntry,
    HolidayEntry,
    Households,
    ModelOverride,
)
from firmware_sim.households import Appliance, Household
from firmware_sim.network_spec import NetworkPart, NetworkSpec
from firmware_sim.population import appliances
from firmware_sim.scenario_file import ScenarioError, read_scenario
from firmware_sim.scenario_types import Scenario, World
from telemetry.catalogue import Catalogue

__all__ = [
    "Appliance",
    "Climate",
    "Combination",
    "ConfounderEntry",
    "Costs",
    "Define",
    "FaultEntry",
    "FaultRates",
    "FleetEntry",
    "HabitEntry",
    "HolidayEntry",
    "Household",
    "Households",
    "ModelOverride",
    "NetworkPart",
    "NetworkSpec",
    "Scenario",
    "ScenarioError",
    "World",
    "appliances",
    "load_scenario",
    "scenario_ids",
]
_HERE = Path(__file__).parent / "scenarios"


def load_scenario(name: str, catalogue: Catalogue | None = None) -> Scenario:
    """Load a scenario by id, or from a path that ends in `.toml`, and check it against a catalogue.

    Args:
        name: id or path.
        catalogue: by default the product's own.

    Raises:
        FileNotFoundError: there is none of that name; names the nearest and those that exist.
        ScenarioError: it is wrong; names file, line, key and what is allowed.
    """
    own = not name.endswith(".toml")
    path = _HERE / f"{name}.toml" if own else Path(name)
    if not path.is_file():
        raise FileNotFoundError(wrong("scenario", name, scenario_ids()))
    return read_scenario(path.read_text(encoding="utf-8"), path.name if own else name, catalogue)


def scenario_ids() -> list[str]:
    """Ids of the scenarios that come with the product."""
    return sorted(path.stem for path in _HERE.glob("*.toml"))
