"""Innocent spells: what looks like a fault on an appliance and is none; a function of (scenario, seed, appliance)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from firmware_sim.chance import generator
from firmware_sim.confounder_spec import ConfounderSpec, sized
from firmware_sim.entries import ConfounderEntry, date_micros
from firmware_sim.households import Appliance
from firmware_sim.mechanism import Spell
from firmware_sim.scenario_types import World
from firmware_sim.wear import DAY, Repair
from telemetry.catalogue import Influence
from telemetry.clock import to_datetime

_EVER = 3_650 * DAY
_YEAR = 365.25
_SIZES = (0.7, 0.85, 1.0, 1.15, 1.3)
"""What comes by chance varies in strength by these factors."""
_SOONEST = -30.0
"""Days before the start from which on something innocent can have begun by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A confounder on one appliance.

    Attributes:
        what: its id.
        begin: fleet time, microseconds.
        end: likewise.
        size: how strong, in the confounder's unit.
        firmware: the version it brings, or empty.
        then: the version that its end brings; empty: the one before it.
    """

    what: str
    begin: int
    end: int
    size: float
    firmware: str = ""
    then: str = ""


def occurrences(world: World, appliance: Appliance) -> tuple[Occurrence, ...]:
    """What happens to one appliance that is innocent, by its begin."""
    specs = world.scenario.confounders()
    found: list[Occurrence] = []
    for number, entry in enumerate(world.scenario.confounder):
        spec = specs[entry.what]
        if _concerned(spec, appliance) and entry.holds(appliance) and _drawn(world, appliance, entry, spec, number):
            found += _of_entry(world, appliance, entry, spec, number)
    found += _of_holidays(world, appliance, specs)
    return tuple(sorted(found, key=lambda one: (one.begin, one.what, one.end)))


def spells(world: World, appliance: Appliance) -> tuple[Spell, ...]:
    """The spells of one appliance, by their begin: what its occurrences change on its kind."""
    specs = world.scenario.confounders()
    found: list[Spell] = []
    for one in occurrences(world, appliance):
        influences = _at_size(tuple(specs[one.what].on(appliance.physics).items()), one.size)
        # What stands behind a plug is not connected: an update there is the plug's own, and changes no appliance.
        own = one.firmware and appliance.host is not None
        if influences and not own:
            ramp = round(specs[one.what].ramp_days * DAY)
            found.append(Spell(one.what, one.begin, one.end, min(ramp, (one.end - one.begin) // 2), influences))
    return tuple(found)


def planned_repairs(world: World, appliance: Appliance) -> tuple[Repair, ...]:
    """What the household mends without knowing it (descaling): `by` is the confounder's id."""
    specs = world.scenario.confounders()
    found: list[Repair] = []
    for one in occurrences(world, appliance):
        for mended in specs[one.what].mends:
            kind, _, fault = mended.partition(".")
            if kind == appliance.physics and one.begin > world.start:
                name = fault if appliance.host is None else mended
                found.append(Repair(device=appliance.key, family="", at=one.begin, by=one.what, fault=name))
    return tuple(found)


def firmware_versions(world: World, appliance: Appliance) -> tuple[tuple[int, str], ...]:
    """When which firmware version came to an appliance, by time; the first one was there from the start.

    An update that ends brings the version that takes it back: the one before it unless the scenario names another.
    """
    updates = [one for one in occurrences(world, appliance) if one.firmware]
    ends = {one.end for one in updates if one.end - one.begin < _EVER}
    base = appliance.firmware
    found = [(world.start, base)]
    for at in sorted({one.begin for one in updates} | ends):
        runs = [one.firmware for one in updates if one.begin <= at < one.end]
        base = next((one.then for one in updates if one.end == at and one.then), base)
        version = runs[-1] if runs else base
        if version != found[-1][1]:
            found.append((at, version))
    return tuple(found)


def firmware_at(world: World, appliance: Appliance, at: int) -> str:
    """The firmware version of an appliance at a fleet time: updates of the scenario change it."""
    return [version for since, version in firmware_versions(world, appliance) if since <= at or since == world.start][
        -1
    ]


def _concerned(spec: ConfounderSpec, appliance: Appliance) -> bool:
    return not spec.kinds or appliance.physics in spec.kinds


def _key(spec: ConfounderSpec, appliance: Appliance) -> int:
    """The index of the generators of those who share a confounder."""
    if spec.scope == "region":
        return -1
    return appliance.index if spec.scope == "device" else appliance.household.number


def _drawn(world: World, appliance: Appliance, entry: ConfounderEntry, spec: ConfounderSpec, number: int) -> bool:
    """Whether an appliance belongs to an entry's share: drawn by home where a home or a region shares it."""
    if entry.share >= 1.0:
        return True
    index = appliance.index if spec.scope == "device" else appliance.household.number
    return bool(generator(world.seed, index, f"confounder_share_{spec.scope}", number).random() < entry.share)


def _of_entry(
    world: World, appliance: Appliance, entry: ConfounderEntry, spec: ConfounderSpec, number: int
) -> Iterator[Occurrence]:
    size = spec.size if entry.size is None else entry.size
    firmware, then = entry.to_firmware or spec.firmware, entry.then_firmware or ""
    days = entry.days or (None if spec.lasting else spec.days)
    key = _key(spec, appliance)
    if entry.per_year is not None:
        rng = generator(world.seed, key, "confounder_times", number)
        day = _SOONEST + float(rng.exponential(_YEAR / entry.per_year))
        while day < world.scenario.days:
            strength = float(_SIZES[int(rng.integers(len(_SIZES)))])
            begin = world.start + round(day * DAY)
            last = spec.days if days is None else days
            yield Occurrence(
                what=entry.what,
                begin=begin,
                end=begin + round(last * DAY),
                size=size * strength,
                firmware=firmware,
                then=then,
            )
            day += last + float(rng.exponential(_YEAR / entry.per_year))
        return
    late = entry.spread_days * float(generator(world.seed, key, "confounder_begin", number).random())
    begin = entry.moment(world.start) + round(late * DAY)
    end = begin + (_EVER if days is None else round(days * DAY))
    yield Occurrence(what=entry.what, begin=begin, end=end, size=size, firmware=firmware, then=then)


def _of_holidays(world: World, appliance: Appliance, specs: Mapping[str, ConfounderSpec]) -> Iterator[Occurrence]:
    home = appliance.household.number
    last = world.start + round(world.scenario.days * DAY)
    for number, entry in enumerate(world.scenario.households.holiday):
        first_year = to_datetime(world.start).year - 1 if entry.every_year else entry.date.year
        last_year = to_datetime(last).year if entry.every_year else entry.date.year
        for year in range(first_year, last_year + 1):
            begin = date_micros(_in_year(entry.date, year))
            end = begin + round(entry.days * DAY)
            if end <= world.start or begin >= last:
                continue
            away = generator(world.seed, home, f"holiday_{number}", year).random() < entry.away
            what = "owner_away" if away else "holiday"
            if _concerned(specs[what], appliance):
                yield Occurrence(what=what, begin=begin, end=end, size=1.0)


def _in_year(date: dt.date, year: int) -> dt.date:
    """The same day of another year; 29 February is 1 March where there is none."""
    try:
        return date.replace(year=year)
    except ValueError:
        return dt.date(year, 3, 1)


@lru_cache(maxsize=4096)
def _at_size(influences: tuple[tuple[str, Influence], ...], size: float) -> Mapping[str, Influence]:
    return {target: sized(what, size) for target, what in influences}
