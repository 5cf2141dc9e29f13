"""The fleet: all simulated appliances of a scenario, their wear and their truth.

What a device sends is a function of (scenario, seed, start, device, dated repairs, time). It does not depend on the
size of the steps in which the fleet is advanced, on other devices, or on a restart from a snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from firmware_sim.firmware import Body
from firmware_sim.physics import refrigerator, washing_machine
from firmware_sim.refrigerators import STEP, Refrigerators
from firmware_sim.scenario import Appliance, Scenario, World, appliances, fault_schedule, part_worn
from firmware_sim.washers import WashingMachines
from firmware_sim.wear import DeviceWear, Fault, Repair
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.errors import WellkeptError

SNAPSHOT = 1
_COLUMNS = {"refrigerator": refrigerator.FAULTS, "washing_machine": washing_machine.FAULTS}


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


class Fleet:
    """All devices of a scenario.

    Args:
        scenario: what they are.
        seed: which fleet of that description.
        start_micros: fleet time at which they are switched on; rounded down to the step.
        catalogue: by default the product's own.
    """

    def __init__(self, scenario: Scenario, seed: int, start_micros: int, catalogue: Catalogue | None = None) -> None:
        self.scenario, self.seed = scenario, seed
        self.start = self.now = start_micros // STEP * STEP
        self.catalogue = catalogue or load_catalogue()
        self.devices = appliances(scenario, seed, self.catalogue)
        worn = part_worn(scenario, seed, len(self.devices))
        self._wear = [
            DeviceWear(
                _COLUMNS[d.kind],
                fault_schedule(scenario, seed, d, self.catalogue[d.kind], self.start, worn=d.index in worn),
            )
            for d in self.devices
        ]
        self._index = {d.key: d.index for d in self.devices}
        self._repairs: list[Repair] = []
        self._pending: list[Repair] = []
        world = World(scenario, seed, self.start)
        fridges, washers = self._of("refrigerator"), self._of("washing_machine")
        self._fridges = Refrigerators(world, fridges, self.catalogue["refrigerator"], self._wear_of(fridges))
        self._washers = WashingMachines(world, washers, self.catalogue["washing_machine"], self._wear_of(washers))

    def advance(self, to_micros: int) -> list[Body]:
        """Advance to a fleet time; the messages completed on the way, each device's in order.

        Nothing happens when the time has been passed already.
        """
        found: list[Body] = []
        goal = to_micros // STEP * STEP
        while self.now < goal:
            edge = min([goal, *(repair.at for repair in self._pending)])
            if edge > self.now:
                found += self._fridges.advance(edge)
                found += self._washers.advance(edge)
                self.now = edge
            self._mend()
        return found

    def repair(self, device: str, family: str, at: int) -> Fault | None:
        """Mend a fault family of a device at a fleet time, at the earliest now.

        Args:
            device: `org/device`.
            family: fault family of the catalogue.
            at: microseconds; rounded up to the step.

        Returns:
            The fault that is there to be mended, or that was mended at this time or later (the call is a repeat);
            None: no fault found.

        Raises:
            KeyError: no such device.
        """
        found = self.active(device, family)
        if found is None:
            mended = [
                f for f in self._wear[self._index[device]].faults if f.family == family and (f.repaired or 0) >= at
            ]
            return mended[0] if mended else None
        moment = max(-(-at // STEP) * STEP, self.now)
        self._pending.append(Repair(device=device, family=family, at=moment))
        self._mend()
        return found

    def active(self, device: str, family: str) -> Fault | None:
        """The developing fault of a family, as a technician on site would find it."""
        return self._wear[self._index[device]].active(family, self.now)

    def truth(self) -> list[Fault]:
        """Every fault that has begun, by onset."""
        for one in self._wear:
            one.begin(self.now)
        return sorted(
            (fault for one in self._wear for fault in one.faults if fault.onset <= self.now), key=lambda f: f.onset
        )

    def expected(self, until: int) -> list[Fault]:
        """The faults that begin by a fleet time when nobody repairs anything more, by onset; nothing is advanced."""
        copies = [DeviceWear(one.columns, list(one.schedule), list(one.faults)) for one in self._wear]
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
                wear=[_Wear(one.schedule, one.faults) for one in self._wear],
                repairs=self._repairs,
                pending=self._pending,
                groups={"refrigerator": self._fridges.snapshot(), "washing_machine": self._washers.snapshot()},
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
        for one, state in zip(self._wear, saved.wear, strict=True):
            one.schedule, one.faults = state.schedule, state.faults
        self._fridges.restore(saved.groups["refrigerator"])
        self._washers.restore(saved.groups["washing_machine"])

    def _mend(self) -> None:
        due = [repair for repair in self._pending if repair.at <= self.now]
        self._pending = [repair for repair in self._pending if repair.at > self.now]
        for repair in due:
            index = self._index[repair.device]
            self._repairs.append(repair)
            if self._wear[index].mend(repair.family, repair.at) is None:
                continue
            if self.devices[index].kind == "refrigerator":
                self._fridges.mended()
            else:
                self._washers.mended([d.index for d in self._washers.devices].index(index))

    def _of(self, kind: str) -> list[Appliance]:
        return [d for d in self.devices if d.kind == kind]

    def _wear_of(self, devices: Sequence[Appliance]) -> list[DeviceWear]:
        return [self._wear[d.index] for d in devices]


def snapshot_start(data: bytes) -> int | None:
    """The start time in a snapshot, so that the same fleet can be made again; None when it cannot be read."""
    try:
        return msgspec.msgpack.decode(data, type=_Snapshot).start
    except msgspec.DecodeError:
        return None
