"""The fleet: all simulated appliances of a scenario, their wear and their truth.

What a device sends is a function of (scenario, seed, start, device, dated interventions, time). It does not depend on
the size of the steps in which the fleet is advanced, on other devices, or on a restart from a snapshot.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from firmware_sim import chance
from firmware_sim.comms import Comms, Intervention, SetInterval
from firmware_sim.confounders import firmware_versions, planned_repairs, spells
from firmware_sim.continuous import Continuous
from firmware_sim.firmware import Body
from firmware_sim.households import Appliance
from firmware_sim.names import known_name
from firmware_sim.physics import physics_of
from firmware_sim.physics.base import ContinuousPhysics
from firmware_sim.programmes import Programmes
from firmware_sim.scenario import Scenario, World, appliances
from firmware_sim.schedule import Choice, fault_schedule
from firmware_sim.units import Group
from firmware_sim.wear import DeviceWear, Fault, Repair
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import MICROS
from telemetry.errors import WellkeptError

STEP = 30 * MICROS
"""The grid of fleet times, microseconds; each physics has its own step on it."""
SNAPSHOT = 2


class SnapshotError(WellkeptError):
    """A snapshot of another scenario, seed, start or version; remove the file or start with its scenario and seed."""


class _Wear(msgspec.Struct):
    schedule: list[Fault]
    faults: list[Fault]


class _Snapshot(msgspec.Struct):
    version: int
    scenario: str
    seed: int
    start: int
    now: int
    wear: list[_Wear]
    repairs: list[Repair]
    pending: list[Repair]
    groups: dict[str, bytes]
    comms: bytes = b"[]"


class Fleet:
    """The devices of a scenario.

    Args:
        scenario: what they are.
        seed: which fleet of that description.
        start_micros: fleet time at which they are switched on; rounded down to the step.
        catalogue: by default the product's own; the scenario's models and faults are merged into it.
        only: numbers of the devices that live here; all of them when None. A device's life is the same either way.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        start_micros: int,
        catalogue: Catalogue | None = None,
        only: Collection[int] | None = None,
    ) -> None:
        self.scenario, self.seed = scenario, seed
        self.start = self.now = start_micros // STEP * STEP
        self.catalogue = scenario.catalogue(catalogue or load_catalogue())
        world = World(scenario, seed, self.start)
        everybody = appliances(scenario, seed, self.catalogue)
        self.devices = everybody if only is None else [one for one in everybody if one.index in only]
        courses = {
            name: {fault: spec.course for fault, spec in kind.faults.items()}
            for name, kind in self.catalogue.kinds.items()
        }
        bursts = chance.keys(seed, [one.index for one in self.devices], "bursts")
        self._wear = {
            one.index: DeviceWear(courses[one.kind], int(key), fault_schedule(world, one, self.catalogue))
            for one, key in zip(self.devices, bursts, strict=True)
        }
        self._by_key = {one.key: one for one in self.devices}
        self.comms = Comms(
            seed,
            self.start,
            {one.key: one.index for one in self.devices},
            {one.index: scenario.network.link(seed, one.index, one) for one in self.devices},
            {one.index: firmware_versions(world, one) for one in self.devices},
        )
        self._repairs: list[Repair] = []
        self._pending = [repair for one in self.devices for repair in planned_repairs(world, one)]
        self._groups: dict[str, Continuous | Programmes] = {}
        self._member: dict[int, tuple[str, int]] = {}
        for kind in dict.fromkeys(one.physics for one in self.devices):
            self._form(world, kind)

    def advance(self, to_micros: int) -> list[Body]:
        """Advance to a fleet time; the messages completed on the way, each device's in order.

        Nothing happens when the time has been passed already.
        """
        found: list[Body] = []
        begin, goal = self.now, to_micros // STEP * STEP
        while self.now < goal:
            edge = min([goal, *(repair.at for repair in self._pending)])
            if edge > self.now:
                for group in self._groups.values():
                    found += group.advance(edge)
                self.now = edge
            self._mend()
        return self.comms.finish(found, begin, max(begin, goal))

    def repair(self, device: str, family: str, at: int, by: str = "visit") -> Fault | None:
        """Mend a fault family of a device at a fleet time, at the earliest now.

        Args:
            device: `org/device`.
            family: fault family of the catalogue.
            at: microseconds; rounded up to the step.
            by: how: `visit`, `self_fix`, `breakdown` or `cleared`.

        Returns:
            The fault that is there to be mended, or that was mended at this time or later (the call is a repeat);
            None: no fault found.

        Raises:
            KeyError: no such device.
        """
        found = self.active(device, family)
        if found is None:
            faults = self._wear[self._by_key[device].index].faults
            return next((one for one in faults if one.family == family and (one.repaired or 0) >= at), None)
        moment = max(-(-at // STEP) * STEP, self.now)
        self._pending.append(Repair(device=device, family=family, at=moment, by=by))
        self._mend()
        return found

    def inject(self, device: str, fault: str, at: int, lead_days: float | None = None) -> Fault:
        """Let a fault begin on a device, at the earliest now.

        Args:
            device: `org/device`.
            fault: id of the catalogue, for the device's kind.
            at: its onset, microseconds.
            lead_days: until functional failure; by default the middle of the catalogue's range.

        Raises:
            UnknownNameError: no such device or fault; names the nearest.
        """
        one = self._by_key[known_name("device", device, self._by_key)]
        specs = self.catalogue[one.kind].faults
        spec = specs[known_name(f"fault of {one.kind}", fault, specs)]
        lead = lead_days if lead_days is not None else sum(spec.lead_days) / 2
        behind = [name for name in spec.seen_from if name.startswith(f"{one.physics}.")]
        onset = max(at, self.now)
        seen = behind[0] if behind and one.physics != one.kind else None
        begun = Choice(fault, spec, spec.family, seen).begin(device, onset, lead)
        self._wear[one.index].faults.append(begun)
        self._touch(one)
        return begun

    def clear(self, device: str, family: str, at: int) -> Fault | None:
        """Undo a fault without a visit; None when there is none. Arguments and errors as of `repair`."""
        return self.repair(device, family, at, by="cleared")

    def intervene(self, one: Intervention) -> None:
        """Change something in the communication modules; it must be dated after now.

        Raises:
            UnknownNameError: no such device, or no such field of a link.
        """
        self.comms.intervene(one)
        if isinstance(one, SetInterval):
            group = self._groups[self._member[self._by_key[one.device].index][0]]
            if isinstance(group, Programmes):
                # What a programme's run will say has been made ahead: it is made again.
                group.restore(group.snapshot())

    def active(self, device: str, family: str) -> Fault | None:
        """The developing fault of a family, as a technician on site would find it."""
        return self._wear[self._by_key[device].index].active(family, self.now)

    def self_test(self, device: str) -> dict[str, float]:
        """What the device's test routine measures now, by quantity, without noise."""
        kind, member = self._member[self._by_key[device].index]
        return self._groups[kind].self_test(member, self.now)

    def busy(self, device: str) -> bool:
        """Whether a programme runs on the device now."""
        kind, member = self._member[self._by_key[device].index]
        group = self._groups[kind]
        return isinstance(group, Programmes) and group.busy(member, self.now)

    @property
    def samples(self) -> int:
        """Channel samples that the sensors of its appliances have read since it was made."""
        return sum(group.samples for group in self._groups.values())

    def truth(self) -> list[Fault]:
        """Every fault that has begun, by onset."""
        for one in self._wear.values():
            one.begin(self.now)
        return sorted(
            (fault for one in self._wear.values() for fault in one.faults if fault.onset <= self.now),
            key=lambda f: f.onset,
        )

    def expected(self, until: int) -> list[Fault]:
        """The faults that begin by a fleet time when nobody repairs anything more, by onset; nothing is advanced."""
        copies = [DeviceWear(one.courses, one.key, list(one.schedule), list(one.faults)) for one in self._wear.values()]
        for one in copies:
            one.begin(until)
        return sorted((f for one in copies for f in one.faults if f.onset <= until), key=lambda f: f.onset)

    def repairs(self) -> list[Repair]:
        """The repairs that took effect, in order."""
        return list(self._repairs)

    def snapshot(self) -> bytes:
        """The whole state; going on from it equals never having stopped."""
        return msgspec.msgpack.encode(
            _Snapshot(
                version=SNAPSHOT,
                scenario=self.scenario.id,
                seed=self.seed,
                start=self.start,
                now=self.now,
                wear=[_Wear(one.schedule, one.faults) for one in self._wear.values()],
                repairs=self._repairs,
                pending=self._pending,
                groups={kind: group.snapshot() for kind, group in self._groups.items()},
                comms=self.comms.dump(),
            )
        )

    def restore(self, data: bytes) -> None:
        """Take a state made by `snapshot`.

        Raises:
            SnapshotError: it is another fleet's, or cannot be read.
        """
        try:
            saved = msgspec.msgpack.decode(data, type=_Snapshot)
        except msgspec.DecodeError as cause:
            raise SnapshotError(f"not a snapshot of a fleet: {cause}") from cause
        own = (SNAPSHOT, self.scenario.id, self.seed, self.start)
        if (saved.version, saved.scenario, saved.seed, saved.start) != own:
            raise SnapshotError(
                f"snapshot of {saved.scenario!r}, seed {saved.seed}, start {saved.start}; this fleet is {own[1:]}"
            )
        self.now, self._repairs, self._pending = saved.now, saved.repairs, saved.pending
        for one, state in zip(self._wear.values(), saved.wear, strict=True):
            one.schedule, one.faults = state.schedule, state.faults
        self.comms.load(saved.comms)
        for kind, group in self._groups.items():
            group.restore(saved.groups[kind])

    def _form(self, world: World, kind: str) -> None:
        members = [one for one in self.devices if one.physics == kind]
        self._member |= {one.index: (kind, number) for number, one in enumerate(members)}
        group = Group(
            world=world,
            physics=physics_of(kind),
            catalogue=self.catalogue,
            devices=members,
            wear=[self._wear[one.index] for one in members],
            spells=[spells(world, one) for one in members],
            intervals=self.comms.intervals,
        )
        self._groups[kind] = Continuous(group) if isinstance(group.physics, ContinuousPhysics) else Programmes(group)

    def _mend(self) -> None:
        due = [repair for repair in self._pending if repair.at <= self.now]
        self._pending = [repair for repair in self._pending if repair.at > self.now]
        for repair in due:
            one = self._by_key[repair.device]
            self._repairs.append(repair)
            if self._wear[one.index].mend(repair.family, repair.at, repair.by, repair.fault) is not None:
                self._touch(one)

    def _touch(self, one: Appliance) -> None:
        kind, member = self._member[one.index]
        self._groups[kind].mended(member)


def snapshot_start(data: bytes) -> int | None:
    """The start time in a snapshot, so that the same fleet can be made again; None when it cannot be read."""
    try:
        return msgspec.msgpack.decode(data, type=_Snapshot).start
    except msgspec.DecodeError:
        return None
