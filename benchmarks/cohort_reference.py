"""What comparison with peers does for a fleet: the same readings to detectors with it and without it.

Protocol: a scenario's fleet lives its days without repairs, and its messages reach all detectors in order, without a
network. Each configuration has detectors and a desk of its own; at 02:00 UTC the desk compares what the devices told of
themselves, and what it tells them enters their detectors there. A fault counts whose failure lies within the days:
found when an episode of its family opens between onset and failure; lead is what was left then. An episode that opens
on a device on which no fault has begun is false; on a plug whose appliance is at fault any family is its own.

Run: `python -m benchmarks.cohort_reference SCENARIO [--kinds KIND …] [--devices N] [--start DATE]
[--days D] [--seed S] [--variants …] [--json]`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

import msgspec
import numpy as np

from detectors.bank import Bank
from detectors.engine import Observation, compared
from firmware_sim.firmware import Body
from firmware_sim.fleet import Fleet
from firmware_sim.scenario import load_scenario
from firmware_sim.wear import DAY, HOUR, Fault
from servicedesk.cohorts import ALL, compare, take_summary
from servicedesk.memory import MemoryDesk
from servicedesk.office import Office
from stack.trial.engine import START
from stack.trial.roster import rows_of
from telemetry.catalogue import Catalogue
from telemetry.clock import to_datetime, to_micros
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Finding
from telemetry.identity import DeviceKey
from telemetry.ids import Ids
from worker.desk import appliance_of

PLUG = "smart_plug"
VARIANTS: Mapping[str, Mapping[str, float]] = {
    "alone": {"cohort_shift": 0, "cohort_start": 0},
    "shift": {"cohort_shift": 1, "cohort_start": 0},
    "start": {"cohort_shift": 0, "cohort_start": 1},
    "both": {"cohort_shift": 1, "cohort_start": 1},
}


class Side:
    """One configuration: its detectors and its desk.

    Args:
        fleet: whose readings it sees.
        tuning: on every kind's page.
    """

    def __init__(self, fleet: Fleet, tuning: Mapping[str, float]) -> None:
        self._catalogue = _with(fleet.catalogue, tuning)
        bank = Bank(self._catalogue)
        self._rows = rows_of(fleet.devices, to_datetime(fleet.start))
        self._keys = {row.no - 1: DeviceKey(row.org, row.device) for row in self._rows}
        self._detectors = {row.no - 1: bank(row.key, self._catalogue[row.kind]) for row in self._rows}
        self._desk = MemoryDesk()
        for row in self._rows:
            self._desk.people.appliances[row.no] = appliance_of(row)
        self._told: dict[int, int] = {}
        self._ids = Ids(random.Random(1))
        self.firmware: dict[int, str] = {}
        self.opened: list[Finding] = []
        self.entries = 0

    def observe(self, index: int, run: Observation) -> None:
        """One message."""
        self.opened += [one for one in self._detectors[index].observe(run) if one.revision == 0]

    def compare(self, now: int) -> None:
        """A day's comparison, and its effect."""
        moment = to_datetime(now)
        for index, detector in self._detectors.items():
            peers = compared(detector)
            summary = None if peers is None else peers.summary
            if summary is not None and self._told.get(index, -1) < summary.day:
                self._told[index] = summary.day
                told = msgspec.structs.replace(summary, firmware=self.firmware.get(index))
                take_summary(self._desk, index + 1, told, moment)
        compare(Office(self._desk, self._catalogue, lambda: self._ids.at(now)), ALL, moment)
        controls = self._desk.agenda.controls
        self.entries += len(controls)
        for ident, (no, kind, at, body) in controls.items():
            key = self._keys[no - 1]
            entry = ControlEntry(id=str(ident), device=key, kind=ControlKind(kind), at=to_micros(at), body=body)
            self._detectors[no - 1].control(entry)
        controls.clear()


def _with(catalogue: Catalogue, tuning: Mapping[str, float]) -> Catalogue:
    kinds = {
        name: msgspec.structs.replace(kind, tuning={**kind.tuning, **tuning}) for name, kind in catalogue.kinds.items()
    }
    return Catalogue(kinds, f"{catalogue.hash}{sorted(tuning.items())}")


def live(fleet: Fleet, sides: Iterable[Side], until: int) -> None:
    """Let all sides see the same messages, and compare at two each night."""
    sides = list(sides)
    sequence: dict[int, int] = defaultdict(int)
    kind_of = {one.index: fleet.catalogue[one.kind] for one in fleet.devices}
    while fleet.now < until:
        midnight = (fleet.now - 2 * HOUR) // DAY * DAY + DAY + 2 * HOUR
        for body in fleet.advance(min(midnight, until)):
            sequence[body.device] += 1
            run = _run(body, sequence[body.device], list(kind_of[body.device].channels))
            for side in sides:
                side.firmware[body.device] = body.fw
                side.observe(body.device, run)
        for side in sides:
            side.compare(fleet.now)


def _run(body: Body, seq: int, channels: list[str]) -> Observation:
    count = max((np.size(values) for values in body.q.values()), default=0)
    columns = [np.array(body.q.get(name, np.nan), np.float32, ndmin=1) for name in channels]
    values = np.stack([np.broadcast_to(column, count) for column in columns], axis=1)
    t = body.t + (body.dt or 0) * np.arange(max(count, 1), dtype=np.int64)
    return Observation(1, seq, t, body.phase, values, body.events)


def score(truth: list[Fault], opened: list[Finding], end: int) -> dict[str, Any]:
    """Counts of one side, see the protocol."""
    faults: dict[str, list[Fault]] = defaultdict(list)
    for fault in truth:
        faults[fault.device].append(fault)
    false: dict[str, int] = defaultdict(int)
    for one in opened:
        if all(one.opened < fault.onset for fault in faults[str(one.device)]):
            false[f"{one.device.device.rpartition('-')[0]}: {one.family}"] += 1
    judged = [fault for fault in truth if fault.failure < end]
    leads = []
    for fault in judged:
        hits = [
            (fault.failure - one.opened) / DAY
            for one in opened
            if str(one.device) == fault.device and one.family == fault.family
            if fault.onset <= one.opened < fault.failure
        ]
        if hits:
            leads.append(max(hits))
    return {
        "faults": len(judged),
        "found": len(leads),
        "lead_days_p50": round(median(leads), 2) if leads else None,
        "false": sum(false.values()),
        "false_by": dict(sorted(false.items())),
        "episodes": len(opened),
    }


def main() -> None:
    """Run all configurations over one fleet and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("scenario", help="id or path")
    parser.add_argument("--devices", type=int)
    parser.add_argument("--kinds", nargs="+", help="of the scenario's fleet only these")
    parser.add_argument("--start", type=dt.date.fromisoformat, help="when the scenario begins, instead of its own day")
    parser.add_argument("--days", type=float, default=45.0)
    parser.add_argument("--seed", type=int, default=401)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["alone", "both"])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    scenario = load_scenario(args.scenario)
    if args.start is not None:
        scenario = msgspec.structs.replace(scenario, start=dt.datetime.combine(args.start, dt.time(), dt.UTC))
    if args.kinds:
        scenario = msgspec.structs.replace(scenario, fleet=tuple(x for x in scenario.fleet if x.kind in args.kinds))
    scenario = scenario if args.devices is None else scenario.scaled(args.devices)
    start = START if scenario.start is None else to_micros(scenario.start)
    fleet = Fleet(scenario, args.seed, start)
    sides = {name: Side(fleet, VARIANTS[name]) for name in args.variants}
    end = fleet.start + round(args.days * DAY)
    live(fleet, sides.values(), end)
    found = {name: score(fleet.truth(), side.opened, end) | {"entries": side.entries} for name, side in sides.items()}
    years = len(fleet.devices) * args.days / 365.25
    if args.json:
        print(json.dumps({"scenario": scenario.id, "seed": args.seed, "device_years": round(years, 2), "sides": found}))
        return
    print(
        f"{scenario.id}: {len(fleet.devices)} devices, {args.days:g} days, seed {args.seed}: {years:.1f} device-years"
    )
    for name, one in found.items():
        lead = "" if one["lead_days_p50"] is None else f", median lead {one['lead_days_p50']:.1f} days"
        print(
            f"  {name:6} found {one['found']:3} of {one['faults']:3}{lead}; false {one['false']:3} {one['false_by']};"
            f" {one['episodes']} episodes, {one['entries']} control entries"
        )


if __name__ == "__main__":
    main()
