"""Draws the households and appliances of a scenario: a function of (scenario, seed) alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firmware_sim.chance import generator
from firmware_sim.entries import WEEKDAYS, FleetEntry
from firmware_sim.households import Appliance, Household
from telemetry.catalogue import Catalogue

if TYPE_CHECKING:
    from firmware_sim.scenario_types import Scenario

FIRMWARE = "2.4.1"
LOT = "A"
_PREFIXES = {
    "refrigerator": "fridge",
    "washing_machine": "washer",
    "tumble_dryer": "dryer",
    "heat_pump": "heatpump",
    "water_heater": "heater",
    "smart_plug": "plug",
}
_KITCHEN, _BATH, _ANYWHERE = ("厨房", "Kitchen"), ("卫生间", "Bathroom"), ("客厅", "Living room")
_ROOMS = {
    "refrigerator": _KITCHEN,
    "freezer": ("储藏室", "Pantry"),
    "dishwasher": _KITCHEN,
    "washing_machine": ("阳台", "Balcony"),
    "tumble_dryer": ("阳台", "Balcony"),
    "water_heater": _BATH,
    "heat_pump": _ANYWHERE,
}
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


def appliances(scenario: Scenario, seed: int, catalogue: Catalogue) -> list[Appliance]:
    """Draw the fleet, in the order of the scenario's entries.

    Args:
        scenario: the fleet.
        seed: which fleet of that description.
        catalogue: the scenario's own: `scenario.catalogue(base)`.
    """
    places, total = _homes(scenario)
    homes = [household(scenario, seed, number) for number in range(total)]
    names = device_ids(scenario.fleet)
    return [
        _appliance(scenario, seed, catalogue, entry, index, names[index], homes[places[index]])
        for index, entry in enumerate(one for one in scenario.fleet for _ in range(one.count))
    ]


def household(scenario: Scenario, seed: int, number: int) -> Household:
    """Draw one household."""
    who = scenario.households
    rng = generator(seed, number, "household")
    weights = who.languages
    zh = bool(rng.random() < weights.get("zh", 0.0) / max(sum(weights.values()), 1e-12))
    name = str(rng.choice(_FAMILIES_ZH if zh else _FAMILIES_EN))
    house, flat = int(rng.integers(1, 180)), int(rng.integers(101, 1804))
    street = int(rng.integers(0, len(_STREETS_ZH)))
    address = f"{_STREETS_ZH[street]}{house}号{flat}室" if zh else f"{house} {_STREETS_EN[street]}, flat {flat}"
    analytics = bool(rng.random() < 0.7)  # noqa: PLR2004  (a share)
    life = generator(seed, number, "lifestyle")
    wake, sleep, leaves, returns = (
        float(mean + spread * np.clip(life.standard_normal(), -2.0, 2.0))
        for mean, spread in (who.wake, who.sleep, who.leaves, who.returns)
    )
    return Household(
        id=f"home-{number + 1:03d}",
        name=name,
        lang="zh" if zh else "en",
        tz=who.zones[number % len(who.zones)],
        address=address,
        consents={"alerts": True, "service": True, "analytics": analytics, "follow_up": True},
        number=number,
        wake=max(wake, 0.0),
        sleep=sleep,
        leaves=leaves,
        returns=max(returns, leaves + 1.0),
        home_by_day=bool(life.random() < who.home_by_day),
        free_days=tuple(WEEKDAYS.index(day) for day in who.free_days),
        busy=float(np.exp(who.busy * np.clip(life.standard_normal(), -2.0, 2.0))),
    )


def device_ids(fleet: Sequence[FleetEntry]) -> list[str]:
    """Ids of the devices in the fleet's order: entries with the same prefix count on."""
    used: dict[str, int] = defaultdict(int)
    found: list[str] = []
    for entry in fleet:
        prefix = entry.prefix or _PREFIXES.get(entry.kind, entry.kind.replace("_", "-"))
        for _ in range(entry.count):
            used[prefix] += 1
            found.append(f"{prefix}-{used[prefix]:03d}")
    return found


def kinds_in_order(fleet: Sequence[FleetEntry]) -> Iterator[str]:
    """The kind of each device, in the fleet's order."""
    for entry in fleet:
        for _ in range(entry.count):
            yield entry.kind


def shared_out(weights: Sequence[int], total: int) -> list[int]:
    """Share a total out in proportion, by largest remainders; where it suffices, nobody who has a weight gets nothing.

    Raises:
        ValueError: the total is below 1, or there is no weight.
    """
    if total < 1 or sum(weights) < 1:
        raise ValueError(f"cannot share {total} devices out over {list(weights)}")
    exact = [total * weight / sum(weights) for weight in weights]
    found = [math.floor(one) for one in exact]
    order = sorted(range(len(weights)), key=lambda i: (found[i] - exact[i], i))
    for i in order[: total - sum(found)]:
        found[i] += 1
    holders = sum(weight > 0 for weight in weights)
    while (
        holders <= total and (poor := next((i for i, w in enumerate(weights) if w and not found[i]), None)) is not None
    ):
        found[found.index(max(found))] -= 1
        found[poor] = 1
    return found


def _homes(scenario: Scenario) -> tuple[list[int], int]:
    """The household of each device, and how many households there are: at most one appliance of a kind in each."""
    kinds: dict[str, int] = defaultdict(int)
    for entry in scenario.fleet:
        kinds[entry.kind] += entry.count
    mean = scenario.households.appliances
    total = max(kinds.values())
    if mean is not None:
        total = max(total, math.ceil(scenario.devices / mean))
    begin: dict[str, int] = {}
    for kind in kinds:
        begin[kind] = sum(kinds[other] for other in begin) if mean is not None else 0
    places: list[int] = []
    for kind in kinds_in_order(scenario.fleet):
        places.append(begin[kind] % total)
        begin[kind] += 1
    return places, total


def _appliance(  # noqa: PLR0917  (all of it belongs to one device)
    scenario: Scenario,
    seed: int,
    catalogue: Catalogue,
    entry: FleetEntry,
    index: int,
    device: str,
    home: Household,
) -> Appliance:
    rng = generator(seed, index, "identity")
    models = sorted(catalogue[entry.kind].models) or [entry.kind]
    model = _chosen(entry.models, rng) if entry.models else str(rng.choice(models))
    serial = f"{device[:2].upper()}{int(rng.integers(10_000_000, 99_999_999))}"
    make = generator(seed, index, "make")
    firmware = _chosen(entry.firmware, make) if entry.firmware else FIRMWARE
    lot = _chosen(entry.lots, make) if entry.lots else LOT
    host = _chosen(entry.hosts, make) if entry.host else None
    zh, en = _ROOMS.get(host or entry.kind, _ANYWHERE)
    if entry.room is not None:
        zh, en = entry.room.zh, entry.room.en
    return Appliance(
        index=index,
        org=scenario.org,
        device=device,
        kind=entry.kind,
        model=model,
        serial=serial,
        room=zh if home.lang == "zh" else en,
        household=home,
        firmware=firmware,
        lot=lot,
        host=host,
        host_model=None if host is None else str(make.choice(sorted(catalogue[host].models))),
    )


def _chosen(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    names = list(weights)
    values = np.array([weights[name] for name in names], dtype=np.float64)
    return str(rng.choice(names, p=values / values.sum()))
