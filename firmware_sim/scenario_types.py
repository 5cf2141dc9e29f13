"""What a scenario is, as types; `docs/scenarios.md` is the reference of the language in which they are written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec

from firmware_sim.climate import Climate
from firmware_sim.confounder_spec import ConfounderSpec, confounder_specs
from firmware_sim.costs import Costs
from firmware_sim.entries import (
    ConfounderEntry,
    Define,
    FaultEntry,
    FaultRates,
    FleetEntry,
    HabitEntry,
    Households,
    ModelOverride,
)
from firmware_sim.network_spec import NetworkSpec
from firmware_sim.overrides import merged
from firmware_sim.people_spec import PeopleSpec
from firmware_sim.physics.base import Habits, Programme
from firmware_sim.population import device_ids, shared_out
from firmware_sim.where import words
from telemetry.catalogue import Catalogue


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fleet and what happens to it.

    Attributes:
        id: permanent; results are named by it.
        title: for people, one line.
        about: what it tests, in sentences.
        org: organisation of the devices.
        start: the fleet's start where the caller gives none.
        days: how long it plans ahead: confounders that come by chance come within so many days of the start.
        fleet: the devices.
        households: who lives with them.
        habits: kind to how it is used, where that differs from the kind's own.
        unit_spread: factor on how much the units of a model differ from each other.
        climate: outdoors, rooms and tap water through the year.
        faults: faults that come by chance.
        fault: faults on fixed dates.
        confounder: what is innocent.
        network: how badly the devices are connected.
        people: what owners and technicians do with the service.
        costs: for the account of the trial.
        models: kind to name to new or changed models.
        define: new or changed faults, confounders and combinations.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    title: str
    about: str = ""
    org: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "demo"
    start: dt.datetime | None = None
    days: Annotated[float, msgspec.Meta(gt=0, le=3_650)] = 730.0
    fleet: Annotated[tuple[FleetEntry, ...], msgspec.Meta(min_length=1)]
    households: Households = Households()
    habits: dict[str, HabitEntry] = {}
    unit_spread: Annotated[float, msgspec.Meta(ge=0, le=5)] = 1.0
    climate: Climate = Climate()
    faults: FaultRates = FaultRates()
    fault: tuple[FaultEntry, ...] = ()
    confounder: tuple[ConfounderEntry, ...] = ()
    network: NetworkSpec = NetworkSpec()
    people: PeopleSpec = PeopleSpec()
    costs: Costs = Costs()
    models: dict[str, dict[str, ModelOverride]] = {}
    define: Define = Define()

    @property
    def devices(self) -> int:
        """How many devices it has."""
        return sum(entry.count for entry in self.fleet)

    def habits_of(self, kind: str, usual: Habits) -> Habits:
        """How appliances that run programmes are used; `usual` is the kind's own."""
        own = self.habits.get(kind)
        if own is None:
            return usual
        names = (name for name in own.__struct_fields__ if name != "programmes")
        return replace(usual, **{name: value for name in names if (value := getattr(own, name)) is not None})

    def programmes_of(self, kind: str, usual: Mapping[str, Programme]) -> Mapping[str, Programme]:
        """The programmes of a kind, as often as they are chosen here; `usual` are the kind's own."""
        own = self.habits.get(kind)
        if own is None:
            return usual
        return {name: replace(one, share=own.programmes.get(name, one.share)) for name, one in usual.items()}

    def catalogue(self, base: Catalogue) -> Catalogue:
        """The catalogue with the models and faults of this scenario merged in; the base itself when it has none.

        Raises:
            ValueError: a definition cannot be merged; a scenario from a file has been checked for that.
        """
        return merged(base, self.models, self.define)

    def confounders(self) -> dict[str, ConfounderSpec]:
        """All confounders by id: the product's and this scenario's."""
        return confounder_specs(self.define.confounder)

    def scaled(self, devices: int) -> Scenario:
        """The same mix with another number of devices.

        A fault or confounder that names devices holds for those that are left. Shares stay shares.

        Args:
            devices: at least 1; where there are fewer devices than entries, the largest entries keep one.
        """
        counts = shared_out([entry.count for entry in self.fleet], devices)
        fleet = tuple(
            msgspec.structs.replace(entry, count=count)
            for entry, count in zip(self.fleet, counts, strict=True)
            if count > 0
        )
        left = set(device_ids(fleet))
        return msgspec.structs.replace(
            self,
            fleet=fleet,
            fault=tuple(one for one in self.fault if not one.device or left & set(words(one.device))),
            confounder=tuple(one for one in self.confounder if not one.device or left & set(words(one.device))),
        )


@dataclass(frozen=True, slots=True)
class World:
    """What decides a fleet's life: scenario, seed and the fleet time of its start, microseconds."""

    scenario: Scenario
    seed: int
    start: int
