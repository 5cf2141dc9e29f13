"""Scenarios: a fleet described in a TOML file with a permanent id, and the devices and homes drawn from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from firmware_sim.chance import generator
from firmware_sim.climate import Climate
from firmware_sim.costs import Costs
from firmware_sim.households import Appliance, Household
from firmware_sim.network_spec import NetworkSpec
from firmware_sim.wear import DAY, Fault
from telemetry.catalogue import Catalogue, KindSpec

__all__ = [
    "Appliance",
    "Climate",
    "Costs",
    "Household",
    "NetworkSpec",
    "Scenario",
    "Spell",
    "World",
    "appliances",
    "fault_schedule",
    "load_scenario",
    "part_worn",
    "scenario_ids",
]
_HERE = Path(__file__).parent / "scenarios"
_HORIZON_DAYS = 3_650.0
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Spell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days, counted from the fleet's start, on which something innocent happens.

    Attributes:
        start: first day.
        days: length.
        size: kelvin of a hot spell, or the factor of heavier loads.
        share: share of the appliances it concerns.
    """

    start: float
    days: float
    size: float
    share: Share = 1.0


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fleet.

    Attributes:
        id: permanent; results are named by it.
        title: for people.
        org: organisation of the devices.
        refrigerators: how many.
        washing_machines: how many; they stand in the first households.
        part_worn: how many appliances carry a developing fault at the start.
        worn_days: how many days ago their faults began, low and high.
        gap_days: mean days from one fault of an appliance to the next.
        first_days: no new fault begins before this day.
        heat: hot spells.
        heavy: spells of heavier loads.
        washes: mean washes a day and machine.
        chinese: share of households that read Chinese.
        zones: time zones, given out in turn.
        climate: outdoors, rooms and tap water through the year.
        network: how badly the devices are connected.
        costs: for the account of the trial.
    """

    id: str
    title: str
    org: str = "demo"
    refrigerators: Annotated[int, msgspec.Meta(ge=0)]
    washing_machines: Annotated[int, msgspec.Meta(ge=0)]
    part_worn: Annotated[int, msgspec.Meta(ge=0)] = 0
    worn_days: tuple[float, float] = (3.0, 8.0)
    gap_days: float = 200.0
    first_days: float = 3.0
    heat: tuple[Spell, ...] = ()
    heavy: tuple[Spell, ...] = ()
    washes: float = 1.4
    chinese: Share = 0.6
    zones: tuple[str, ...] = ("Asia/Shanghai",)
    climate: Climate = Climate()
    network: NetworkSpec = NetworkSpec()
    costs: Costs = Costs()

    def catalogue(self, base: Catalogue) -> Catalogue:
        """The catalogue with the models and faults of this scenario merged in."""
        return base

    def runs_a_day(self, kind: str, usual: float) -> float:
        """Mean runs a day of an appliance that runs programmes; `usual` is the kind's own."""
        return self.washes if kind == "washing_machine" else usual


@dataclass(frozen=True, slots=True)
class World:
    """What decides a fleet's life: scenario, seed and the fleet time of its start, microseconds."""

    scenario: Scenario
    seed: int
    start: int


def load_scenario(name: str) -> Scenario:
    """Load a scenario by id, or from a path that ends in `.toml`.

    Raises:
        FileNotFoundError: there is none of that name; names those that exist.
        msgspec.ValidationError: the file does not follow Scenario.
    """
    path = Path(name) if name.endswith(".toml") else _HERE / f"{name}.toml"
    if not path.is_file():
        raise FileNotFoundError(f"no scenario {name!r}; there are {', '.join(scenario_ids())}")
    return msgspec.toml.decode(path.read_bytes(), type=Scenario)


def scenario_ids() -> list[str]:
    """Ids of the scenarios that come with the product."""
    return sorted(path.stem for path in _HERE.glob("*.toml"))


_FAMILIES_ZH = ("陈晓雨", "林嘉明", "王芳", "李建国", "张敏", "刘洋", "赵静", "黄志强", "周婷", "吴昊", "徐丽", "孙磊")
_FAMILIES_EN = (
    "Ada Brook",
    "Tom Ellery",
    "Grace Hale",
    "Owen Marsh",
    "Ines Calder",
    "Hugo Lind",
    "Nora Finch",
    "Sam Reed",
)
_STREETS_ZH = ("梧桐路", "青荷街", "桂花巷", "文昌路", "柳岸街", "银杏路")
_STREETS_EN = ("Plane Tree Road", "Lotus Street", "Osmanthus Lane", "Willow Bank", "Ginkgo Road", "Harbour Street")


def household(scenario: Scenario, seed: int, number: int) -> Household:
    """Draw one household."""
    rng = generator(seed, number, "household")
    zh = bool(rng.random() < scenario.chinese)
    name = str(rng.choice(_FAMILIES_ZH if zh else _FAMILIES_EN))
    house, flat = int(rng.integers(1, 180)), int(rng.integers(101, 1804))
    street = int(rng.integers(0, len(_STREETS_ZH)))
    address = f"{_STREETS_ZH[street]}{house}号{flat}室" if zh else f"{house} {_STREETS_EN[street]}, flat {flat}"
    return Household(
        id=f"home-{number + 1:03d}",
        name=name,
        lang="zh" if zh else "en",
        tz=scenario.zones[number % len(scenario.zones)],
        address=address,
        consents={"alerts": True, "service": True, "analytics": bool(rng.random() < 0.7), "follow_up": True},  # noqa: PLR2004  (a share)
    )


def appliances(scenario: Scenario, seed: int, catalogue: Catalogue) -> list[Appliance]:
    """Draw the fleet: refrigerators first, a washing machine in each of the first households."""
    homes = [household(scenario, seed, i) for i in range(max(scenario.refrigerators, scenario.washing_machines))]
    counts = (
        ("refrigerator", "fridge", scenario.refrigerators),
        ("washing_machine", "washer", scenario.washing_machines),
    )
    fleet: list[Appliance] = []
    for kind, prefix, count in counts:
        models = sorted(catalogue[kind].models) if count else []
        for number in range(count):
            rng = generator(seed, len(fleet), "identity")
            home = homes[number]
            room = {
                "zh": "厨房" if kind == "refrigerator" else "阳台",
                "en": "Kitchen" if kind == "refrigerator" else "Balcony",
            }
            fleet.append(
                Appliance(
                    index=len(fleet),
                    org=scenario.org,
                    device=f"{prefix}-{number + 1:03d}",
                    kind=kind,
                    model=str(rng.choice(models)),
                    serial=f"{prefix[:2].upper()}{int(rng.integers(10_000_000, 99_999_999))}",
                    room=room[home.lang],
                    household=home,
                )
            )
    return fleet


def part_worn(scenario: Scenario, seed: int, total: int) -> frozenset[int]:
    """Which appliances carry a developing fault at the start."""
    chosen = generator(seed, -1, "part_worn").permutation(total)[: scenario.part_worn]
    return frozenset(int(i) for i in chosen)


def fault_schedule(
    scenario: Scenario, seed: int, appliance: Appliance, kind: KindSpec, start: int, *, worn: bool
) -> list[Fault]:
    """The faults of one appliance, by onset, for ten years: a renewal process with the catalogue's lead times.

    Args:
        scenario: the fleet.
        seed: of the fleet.
        appliance: whose.
        kind: its tables.
        start: fleet time of the fleet's start, microseconds.
        worn: the first fault began before the start.
    """
    rng = generator(seed, appliance.index, "faults")
    names = list(kind.faults)
    weights = [kind.faults[name].prior for name in names]
    chances = [weight / sum(weights) for weight in weights]
    ago = float(rng.uniform(*scenario.worn_days))
    day = -ago if worn else scenario.first_days + float(rng.exponential(scenario.gap_days))
    found: list[Fault] = []
    while day < _HORIZON_DAYS:
        name = str(rng.choice(names, p=chances))
        lead = float(rng.uniform(*kind.faults[name].lead_days))
        onset = start + round(day * DAY)
        failure = onset + round(lead * DAY)
        fault = Fault(device=appliance.key, family=kind.faults[name].family, fault=name, onset=onset, failure=failure)
        found.append(fault)
        day += 60.0 + float(rng.exponential(scenario.gap_days))
    return found
