"""What the types of a scenario cannot say: that all it names exists and that its dates are possible."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Sequence

from firmware_sim.definition_check import PLUG, Problem, defined, fault_names, kinds_of, one_of, referring, wrong
from firmware_sim.entries import DAY, ConfounderEntry, Dated, FaultEntry, HabitEntry
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ProgrammePhysics
from firmware_sim.population import FIRMWARE, LOT, device_ids
from firmware_sim.scenario_types import Scenario
from firmware_sim.where import Where, words
from telemetry.catalogue import Catalogue
from telemetry.clock import to_micros

_SHOWN = 14
SOME_START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
"""When a fleet starts whose scenario and whose command do not say."""
_BEFORE, _AFTER = 365 * DAY, 3_650 * DAY


def problems(scenario: Scenario, base: Catalogue) -> Iterator[Problem]:
    """What is wrong with a scenario, in the order in which it should be mended.

    What comes later relies on what came before: whoever goes on after a problem may meet errors.
    """
    yield from defined(scenario, base)
    catalogue = scenario.catalogue(base)
    yield from referring(scenario, catalogue)
    yield from _fleet(scenario, catalogue)
    yield from _households(scenario)
    yield from _rates(scenario, catalogue)
    yield from _settings(scenario, catalogue)
    known = _Known(scenario, catalogue)
    for number, entry in enumerate(scenario.fault):
        yield from known.fault(f"fault[{number}]", entry)
    for number, spell in enumerate(scenario.confounder):
        yield from known.confounder(f"confounder[{number}]", spell)
    for number, scene in enumerate(scenario.people.scene):
        yield from known.device(f"people.scene[{number}].device", scene.device)
    for number, part in enumerate(scenario.network.part):
        yield from known.where(f"network.part[{number}]", part)


def _settings(scenario: Scenario, catalogue: Catalogue) -> Iterator[Problem]:
    for kind in scenario.habits:
        yield from one_of(f"habits.{kind}", "kind that runs programmes", kind, _running())
        yield from _programmes(f"habits.{kind}.programmes", kind, scenario.habits[kind])
    for kind in scenario.costs.kinds:
        yield from one_of(f"costs.kinds.{kind}", "kind", kind, sorted(catalogue.kinds))


def _running() -> list[str]:
    return [kind for kind in simulated_kinds() if isinstance(physics_of(kind), ProgrammePhysics)]


def _programmes(key: str, kind: str, entry: HabitEntry) -> Iterator[Problem]:
    physics = physics_of(kind)
    shares = {name: one.share for name, one in getattr(physics, "programmes", {}).items()}
    for name in entry.programmes:
        yield from one_of(f"{key}.{name}", f"programme of {kind}", name, sorted(shares))
    if sum((shares | entry.programmes).values()) <= 0.0:
        yield key, "all programmes have weight 0; give one that has not"


def _fleet(scenario: Scenario, catalogue: Catalogue) -> Iterator[Problem]:
    kinds = kinds_of(catalogue)
    for number, entry in enumerate(scenario.fleet):
        key = f"fleet[{number}]"
        yield from one_of(f"{key}.kind", "kind that can be simulated", entry.kind, kinds)
        models = sorted(catalogue[entry.kind].models) or [entry.kind]
        for model in entry.models:
            yield from one_of(f"{key}.models.{model}", f"model of {entry.kind}", model, models)
        for name in ("models", "firmware", "lots", "hosts"):
            weights = getattr(entry, name)
            if weights and sum(weights.values()) <= 0.0:
                yield f"{key}.{name}", "all weights are 0; give one that is not"
        if entry.kind == PLUG and not entry.host:
            yield f"{key}.host", f"is missing: what stands behind the plug, one of {', '.join(simulated_kinds())}"
        if entry.kind != PLUG and entry.host:
            yield f"{key}.host", f"only a {PLUG} has a host; leave it out"
        for host in entry.hosts:
            yield from one_of(f"{key}.host", "kind that can stand behind a plug", host, simulated_kinds())
    if scenario.devices < 1:
        yield "fleet", "has no device; give a count of 1 or more"


def _households(scenario: Scenario) -> Iterator[Problem]:
    who = scenario.households
    for zone in who.zones:
        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            yield "households.zones", wrong("time zone", zone, sorted(zoneinfo.available_timezones()))
    if sum(who.languages.values()) <= 0.0:
        yield "households.languages", "all weights are 0; give one that is not"


def _rates(scenario: Scenario, catalogue: Catalogue) -> Iterator[Problem]:
    rates = scenario.faults
    present = sorted({kind for entry in scenario.fleet for kind in (entry.kind, *entry.hosts)})
    for kind in words(rates.kinds):
        yield from one_of("faults.kinds", "kind in this fleet", kind, present)
    for name in rates.weights:
        known = [*fault_names(catalogue), *scenario.define.combination]
        yield from one_of(f"faults.weights.{name}", "fault", name, known)
    if rates.worn_days[0] > rates.worn_days[1]:
        yield "faults.worn_days", "the first must not exceed the second"


class _Known:
    """What entries may name."""

    def __init__(self, scenario: Scenario, catalogue: Catalogue) -> None:
        self._scenario, self._catalogue = scenario, catalogue
        fleet = scenario.fleet
        self._devices = device_ids(fleet)
        self._kind_of = dict(zip(self._devices, (e.kind for e in fleet for _ in range(e.count)), strict=True))
        self._kinds = list(dict.fromkeys(kind for entry in fleet for kind in (entry.kind, *entry.hosts)))
        models = {m for e in fleet for m in (e.models or sorted(catalogue[e.kind].models) or [e.kind])}
        self._models = sorted(models)
        self._firmware = sorted({version for entry in fleet for version in (entry.firmware or [FIRMWARE])})
        self._lots = sorted({lot for entry in fleet for lot in (entry.lots or [LOT])})
        self._confounders = scenario.confounders()

    def where(self, key: str, entry: Where) -> Iterator[Problem]:
        """Conditions that nothing fulfils."""
        for name, what, known in (
            ("device", "device", self._devices),
            ("kind", "kind in this fleet", self._kinds),
            ("model", "model in this fleet", self._models),
            ("firmware", "firmware version in this fleet", self._firmware),
            ("lot", "lot in this fleet", self._lots),
            ("zone", "zone of these households", list(self._scenario.households.zones)),
        ):
            for value in words(getattr(entry, name)):
                yield from one_of(f"{key}.{name}", what, value, known)

    def device(self, key: str, name: str) -> Iterator[Problem]:
        """One device of the fleet."""
        yield from one_of(key, "device", name, self._devices)

    def fault(self, key: str, entry: FaultEntry) -> Iterator[Problem]:
        """A fixed fault."""
        yield from self.where(key, entry)
        if entry.updated_to is None:
            yield from self._dated(key, entry, by_chance=False)
        else:
            yield from self._updated(key, entry, entry.updated_to)
        combinations = self._scenario.define.combination
        if entry.fault in combinations:
            yield from one_of(f"{key}.fault", "kind in this fleet", combinations[entry.fault].kind, self._kinds)
            return
        if "." in entry.fault:
            yield from one_of(f"{key}.fault", "fault", entry.fault, self._names(self._kinds))
            return
        kinds = words(entry.kind) or tuple({self._kind_of[one] for one in words(entry.device)})
        if not kinds:
            yield f"{key}.fault", f"of which kind? Write KIND.FAULT: {self._examples(entry.fault)}"
        for kind in kinds:
            hosts = [host for one in self._scenario.fleet if one.kind == kind for host in one.hosts]
            known = [name.partition(".")[2] for name in self._names([kind, *hosts])]
            yield from one_of(f"{key}.fault", f"fault of {kind}", entry.fault, known or list(combinations))

    def confounder(self, key: str, entry: ConfounderEntry) -> Iterator[Problem]:
        """An innocent spell."""
        yield from one_of(f"{key}.what", "confounder", entry.what, sorted(self._confounders))
        yield from self.where(key, entry)
        yield from self._dated(key, entry, by_chance=entry.per_year is not None)
        spec = self._confounders[entry.what]
        if entry.to_firmware is not None and not spec.firmware:
            yield f"{key}.to_firmware", f"{entry.what} updates nothing; leave it out, or use firmware_update"
        if entry.then_firmware is not None and (not spec.firmware or (spec.lasting and entry.days is None)):
            why = "lasts for good; give its `days`" if spec.firmware else "updates nothing; leave it out"
            yield f"{key}.then_firmware", f"{entry.what} {why}"

    def _updated(self, key: str, entry: FaultEntry, version: str) -> Iterator[Problem]:
        for name in ("date", "day"):
            if getattr(entry, name) is not None:
                yield f"{key}.{name}", "give either a moment or updated_to"
        updates = [one for one in self._scenario.confounder if one.what in self._confounders]
        brought = {one.to_firmware or self._confounders[one.what].firmware for one in updates}
        brought |= {one.then_firmware or "" for one in updates}
        yield from one_of(f"{key}.updated_to", "version that an update brings", version, sorted(brought - {""}))

    def _dated(self, key: str, entry: Dated, *, by_chance: bool) -> Iterator[Problem]:
        given = [name for name in ("date", "day") if getattr(entry, name) is not None]
        needed = "one of date, day and per_year" if isinstance(entry, ConfounderEntry) else "one of date and day"
        if len(given) + by_chance != 1:
            yield f"{key}.{given[-1]}" if given else key, f"give exactly {needed}"
            return
        start = self._scenario.start
        if by_chance:
            return
        begin = to_micros(start or SOME_START)
        moment = entry.moment(begin)
        if not begin - _BEFORE <= moment <= begin + _AFTER:
            said = f"from a year before the start {start or SOME_START:%Y-%m-%d} to ten years after it"
            hint = "; write `start` at the top of the file for another one" if start is None else ""
            yield f"{key}.{given[0]}", f"is impossible: {said}{hint}"

    def _names(self, kinds: Sequence[str]) -> list[str]:
        return [name for name in fault_names(self._catalogue) if name.partition(".")[0] in kinds]

    def _examples(self, fault: str) -> str:
        names = self._names(self._kinds)
        same = [name for name in names if name.partition(".")[2] == fault]
        return ", ".join(same or names[:_SHOWN])
