"""When the faults of an appliance begin: by chance, part worn at the start, on fixed dates, in combinations.

An appliance has one fault, or one combination, at a time. A fault on a fixed date is never in the way of one that
comes by chance: those by chance give way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from firmware_sim.chance import generator
from firmware_sim.confounders import firmware_versions
from firmware_sim.entries import FaultEntry
from firmware_sim.households import Appliance
from firmware_sim.scenario_types import Scenario, World
from firmware_sim.wear import DAY, Fault
from firmware_sim.where import words
from telemetry.catalogue import Catalogue, FaultSpec

_HORIZON_DAYS = 3_650.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A fault as it can begin on an appliance.

    Attributes:
        fault: id among the faults of the device's kind.
        spec: where its lead time stands: behind a plug, the appliance's.
        family: of the device's kind.
        mechanism_of: `KIND.FAULT` of the appliance behind a plug, else None.
    """

    fault: str
    spec: FaultSpec
    family: str
    mechanism_of: str | None = None

    def begin(self, device: str, onset: int, lead: float) -> Fault:
        """The fault on a device; `lead` in days."""
        return Fault(
            device=device,
            family=self.family,
            fault=self.fault,
            onset=onset,
            failure=onset + max(round(lead * DAY), 1),
            mechanism_of=self.mechanism_of,
        )


def fault_schedule(world: World, appliance: Appliance, catalogue: Catalogue) -> list[Fault]:
    """The faults of one appliance, by onset, for ten years.

    Args:
        world: scenario, seed and start.
        appliance: whose.
        catalogue: the scenario's own: `world.scenario.catalogue(base)`.
    """
    fixed = list(_fixed(world, appliance, catalogue))
    free_from = max((one.failure for one in fixed), default=None)
    chance = [one for one in _by_chance(world, appliance, catalogue) if free_from is None or one.onset > free_from]
    return sorted([*fixed, *chance], key=lambda one: (one.onset, one.fault))


def choices(appliance: Appliance, catalogue: Catalogue) -> dict[str, Choice]:
    """The faults that an appliance can have, by their name `KIND.FAULT`: those that have a mechanism.

    A plug can have its own, and sees those of the appliance behind it that one of its faults is `seen_from`.
    """
    kind = catalogue[appliance.kind]
    found = {
        f"{appliance.kind}.{name}": Choice(name, spec, spec.family)
        for name, spec in kind.faults.items()
        if spec.mechanism
    }
    if appliance.host is not None:
        inside = catalogue[appliance.host].faults
        for name, spec in kind.faults.items():
            for seen in spec.seen_from:
                host, _, fault = seen.partition(".")
                if host == appliance.host and fault in inside and inside[fault].mechanism and seen not in found:
                    found[seen] = Choice(name, inside[fault], spec.family, seen)
    return found


def _by_chance(world: World, appliance: Appliance, catalogue: Catalogue) -> Iterator[Fault]:
    """A renewal process with the catalogue's lead times; the first one may be under way at the start."""
    rates = world.scenario.faults
    if rates.kinds and not {appliance.kind, appliance.physics} & set(words(rates.kinds)):
        return
    table = _weighted(world.scenario, appliance, catalogue)
    weights = np.array([weight for _, weight in table])
    if not table or weights.sum() <= 0.0:
        return
    chances = weights / weights.sum()
    rng = generator(world.seed, appliance.index, "faults")
    ago = float(rng.uniform(*rates.worn_days))
    wait = float(rng.exponential(rates.mean_days or 1.0))
    worn = appliance.index in _worn(
        world.seed, tuple(kinds_in_layout(world.scenario)), rates.part_worn, words(rates.kinds)
    )
    if not worn and rates.mean_days is None:
        return
    day = -ago if worn else rates.first_day + wait
    while day < _HORIZON_DAYS:
        together = table[int(rng.choice(len(table), p=chances))][0]
        onset = world.start + round(day * DAY)
        for choice in together:
            yield choice.begin(appliance.key, onset, float(rng.uniform(*choice.spec.lead_days)))
        if rates.mean_days is None:
            return
        day += rates.rest_days + float(rng.exponential(rates.mean_days))


def _weighted(scenario: Scenario, appliance: Appliance, catalogue: Catalogue) -> list[tuple[tuple[Choice, ...], float]]:
    found = choices(appliance, catalogue)
    factors = scenario.faults.weights
    table: list[tuple[tuple[Choice, ...], float]] = [
        ((one,), one.spec.prior * factors.get(name, 1.0)) for name, one in found.items()
    ]
    for name, combination in scenario.define.combination.items():
        parts = _together(found, combination.kind, combination.faults) if combination.kind == appliance.physics else ()
        weight = combination.prior * factors.get(name, 1.0)
        if parts and weight > 0.0:
            table.append((parts, weight))
    return table


def _together(found: dict[str, Choice], kind: str, faults: tuple[str, ...]) -> tuple[Choice, ...]:
    """Several faults of a kind as an appliance can have them; a plug sees one of them as one."""
    parts = [found[f"{kind}.{one}"] for one in faults if f"{kind}.{one}" in found]
    return tuple({one.mechanism_of or one.fault: one for one in parts}.values())


def _fixed(world: World, appliance: Appliance, catalogue: Catalogue) -> Iterator[Fault]:
    for number, entry in enumerate(world.scenario.fault):
        if not entry.holds(appliance):
            continue
        rng = generator(world.seed, appliance.index, "fixed_fault", number)
        drawn, late, lead_at = float(rng.random()), float(rng.random()), float(rng.random())
        if drawn >= entry.share:
            continue
        onset = _onset(world, entry, appliance, late)
        if onset is None:
            continue
        for choice in named(world.scenario, entry, appliance, catalogue):
            low, high = choice.spec.lead_days
            lead = entry.lead_days if entry.lead_days is not None else low + lead_at * (high - low)
            yield choice.begin(appliance.key, onset, lead)


def _onset(world: World, entry: FaultEntry, appliance: Appliance, late: float) -> int | None:
    """When a fixed fault begins; None where the version whose doing it is has not come, or is gone by then."""
    spread = round(late * entry.spread_days * DAY)
    if entry.updated_to is None:
        return entry.moment(world.start) + spread
    versions = firmware_versions(world, appliance)[1:]
    came = next((at for at, version in versions if version == entry.updated_to), None)
    if came is None:
        return None
    gone = next((at for at, version in versions if at > came and version != entry.updated_to), None)
    onset = came + spread
    return onset if gone is None or onset < gone else None


def named(scenario: Scenario, entry: FaultEntry, appliance: Appliance, catalogue: Catalogue) -> tuple[Choice, ...]:
    """What a fixed fault means on an appliance; nothing where the appliance cannot have it."""
    found = choices(appliance, catalogue)
    combination = scenario.define.combination.get(entry.fault)
    if combination is not None:
        return _together(found, combination.kind, combination.faults) if combination.kind == appliance.physics else ()
    names = (
        (entry.fault,)
        if "." in entry.fault
        else (f"{appliance.kind}.{entry.fault}", f"{appliance.physics}.{entry.fault}")
    )
    return next(((found[name],) for name in names if name in found), ())


def kinds_in_layout(scenario: Scenario) -> Iterator[tuple[str, int]]:
    """Kind and number of the entries of a fleet."""
    for entry in scenario.fleet:
        yield entry.kind, entry.count


@lru_cache(maxsize=8)
def _worn(seed: int, layout: tuple[tuple[str, int], ...], share: float, kinds: tuple[str, ...]) -> frozenset[int]:
    """Which appliances carry a developing fault at the start: exactly that share of those that can."""
    every = [kind for kind, count in layout for _ in range(count)]
    order = generator(seed, -1, "part_worn").permutation(len(every))
    can = [int(i) for i in order if not kinds or every[i] in kinds]
    return frozenset(can[: round(share * len(can))])
