"""Whether the product's detector finds the simulated faults of a kind, and what it finds where there is nothing.

Protocol: a third of the devices stay healthy; on the others the faults of the kind begin in turn, drawn from day 6 to
day 12, with lead times from the catalogue, and nobody repairs anything. All homes have their share of innocent ups and
downs. Messages reach the detectors in order, without a network. A finding of the fault's family after its onset counts
as found; of another family between onset and failure it is a wrong one (an appliance that has failed is not like
anything in the catalogue any more); any finding before an onset, or on a healthy device, is false.

Run: `python -m benchmarks.simulated KIND [--devices N] [--days D] [--seed S] [--start YYYY-MM-DD] [--json]`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from statistics import median

import numpy as np

from detectors.bank import Bank
from detectors.engine import Observation
from firmware_sim.entries import ConfounderEntry, FaultEntry, FleetEntry
from firmware_sim.fleet import Fleet
from firmware_sim.physics import simulated_kinds
from firmware_sim.population import device_ids
from firmware_sim.scenario import Scenario
from firmware_sim.wear import DAY, Fault
from telemetry.catalogue import FaultSpec, load_catalogue
from telemetry.clock import to_micros
from telemetry.finding import Finding
from telemetry.identity import DeviceKey

_FIRST_DAY, _SPREAD_DAYS = 6.0, 6.0
GRACE = 2 * DAY
"""A fault that began later than so long before the end is not judged."""
PLUG = "smart_plug"


@dataclass(slots=True)
class Tally:
    """Of one fault: devices, those found before failure and after, days from onset to the finding, level there."""

    devices: int = 0
    found: int = 0
    in_time: int = 0
    top_cause: int = 0
    days: list[float] = field(default_factory=list)
    level: list[float] = field(default_factory=list)
    wrong: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def behind(fault: FaultSpec) -> str:
    """The appliance behind the plug that has a plug's fault."""
    return fault.seen_from[0].partition(".")[0] if fault.seen_from else "refrigerator"


def scenario(kind: str, devices: int, days: float) -> Scenario:
    """The fleet of the protocol; a plug's healthy devices have the appliances of the others behind them."""
    page = load_catalogue()[kind].faults
    faults = [name for name, fault in page.items() if fault.mechanism or fault.seen_from]
    healthy = devices // 3
    fleet: tuple[FleetEntry, ...] = (FleetEntry(kind=kind, count=devices),)
    if kind == PLUG:
        hosts = dict.fromkeys((behind(page[one]) for one in faults), 1.0)
        worn = [
            FleetEntry(kind=kind, count=1, host=behind(page[faults[i % len(faults)]])) for i in range(devices - healthy)
        ]
        fleet = (FleetEntry(kind=kind, count=healthy, host=hosts), *worn)
    ids = device_ids(fleet)[healthy:]
    return Scenario(
        id=f"bench-{kind.replace('_', '-')}",
        title="Every fault of a kind",
        org="bench",
        days=days,
        fleet=fleet,
        fault=tuple(
            FaultEntry(
                fault=(page[name].seen_from or (f"{kind}.{name}",))[0],
                device=tuple(ids[place :: len(faults)]),
                day=_FIRST_DAY,
                spread_days=_SPREAD_DAYS,
            )
            for place, name in enumerate(faults)
            if ids[place :: len(faults)]
        ),
        confounder=(
            ConfounderEntry(what="heat_wave", day=9.0, days=4.0, size=6.0),
            ConfounderEntry(what="heat_wave", day=24.0, days=4.0, size=6.0),
            ConfounderEntry(what="cold_snap", day=17.0, days=4.0),
            ConfounderEntry(what="guests", per_year=12.0, share=0.5),
            ConfounderEntry(what="owner_away", per_year=4.0, share=0.5),
            ConfounderEntry(what="door_left_open", per_year=12.0),
            ConfounderEntry(what="heavy_loads", day=14.0, days=8.0, share=0.3),
            ConfounderEntry(what="voltage_sag", per_year=12.0),
        ),
    )


def revisions(kind: str, fleet: Fleet, until: int) -> dict[str, list[Finding]]:
    """Every revision of every episode, by device, as the kind's detectors tell it of the fleet's own messages."""
    catalogue = fleet.catalogue
    bank = Bank(catalogue)
    spec, keys = catalogue[kind], {one.index: one.key for one in fleet.devices}
    detectors = {index: bank(DeviceKey(*key.split("/")), spec) for index, key in keys.items()}
    sequence: dict[int, int] = defaultdict(int)
    told: dict[str, list[Finding]] = defaultdict(list)
    while fleet.now < until:
        for body in fleet.advance(min(fleet.now + DAY, until)):
            seq = sequence[body.device] = sequence[body.device] + 1
            count = max((np.asarray(values, np.float32).size for values in body.q.values()), default=0)
            # A firmware may leave a channel out.
            rows = [np.broadcast_to(np.asarray(body.q.get(name, np.nan), np.float32), count) for name in spec.channels]
            t = body.t + (body.dt or 0) * np.arange(max(count, 1), dtype=np.int64)
            run = Observation(1, seq, t, body.phase, np.stack(rows, axis=1), body.events)
            told[keys[body.device]] += detectors[body.device].observe(run)
    return told


def opened(told: dict[str, list[Finding]]) -> dict[str, list[Finding]]:
    """The first revision of every episode alone."""
    return {device: [one for one in some if one.revision == 0] for device, some in told.items()}


def tally(
    faults: list[str], truth: list[Fault], told: dict[str, list[Finding]]
) -> tuple[dict[str, Tally], list[Finding]]:
    """What was found of each fault, and the findings that nothing explains."""
    found = {name: Tally() for name in faults}
    of_device = {fault.device: fault for fault in truth}
    false: list[Finding] = []
    for fault in truth:
        found[fault.fault].devices += 1
    for device, some in told.items():
        worn = of_device.get(device)
        for one in some:
            if worn is None or one.opened < worn.onset:
                false.append(one)
            elif one.family != worn.family and one.opened < worn.failure:
                found[worn.fault].wrong[one.family] += 1
        if worn is None:
            continue
        hits = [one for one in some if one.family == worn.family and one.opened >= worn.onset]
        if hits:
            one, mine = hits[0], found[worn.fault]
            mine.found += 1
            mine.in_time += one.opened < worn.failure
            mine.top_cause += next(c.fault for c in one.causes if c.fault != "unknown") == worn.fault
            mine.days.append((one.opened - worn.onset) / DAY)
            mine.level.append((one.opened - worn.onset) / (worn.failure - worn.onset))
    return found, false


def healthy_days(devices: int, truth: list[Fault], span: tuple[int, int]) -> float:
    """Device-days on which any finding is a false one: of devices without a fault, and of the others before its onset.

    Args:
        devices: how many there are.
        truth: all faults, at most one a device.
        span: begin and end of what was played.
    """
    start, end = span
    worn = sum(max(0, end - max(start, fault.onset)) for fault in truth)
    return (devices * (end - start) - worn) / DAY


def main() -> None:
    """Run the protocol once and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("kind", choices=(*simulated_kinds(), PLUG))
    parser.add_argument("--devices", type=int, default=60)
    parser.add_argument("--days", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=2001)
    parser.add_argument("--start", type=dt.date.fromisoformat, default=dt.date(2026, 3, 1))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    start = to_micros(dt.datetime.combine(args.start, dt.time(), dt.UTC))
    end = start + round(args.days * DAY)
    fleet = Fleet(scenario(args.kind, args.devices, args.days), args.seed, start)
    told = opened(revisions(args.kind, fleet, end))
    truth = [fault for fault in fleet.truth() if fault.onset < end - GRACE]
    found, false = tally(list(fleet.catalogue[args.kind].faults), truth, told)
    years = healthy_days(args.devices, fleet.truth(), (start, end)) / 365.25
    if args.json:
        rows = {name: asdict(one) for name, one in found.items()}
        print(json.dumps({"kind": args.kind, "seed": args.seed, "faults": rows, "false": len(false), "years": years}))
        return
    print(f"{args.kind}: {args.devices} devices, {args.days:g} days, seed {args.seed}, from {args.start}")
    for name, one in found.items():
        after = f"after {median(one.days):5.1f} days, {median(one.level):4.0%} of the lead time" if one.days else ""
        wrong = ", ".join(f"{family} {count}" for family, count in one.wrong.items())
        print(
            f"  {name:28} found {one.found:3}/{one.devices:<3} in time {one.in_time:3} cause {one.top_cause:3} {after}",
            f"wrong: {wrong}" if wrong else "",
        )
    print(f"  false findings: {len(false)} in {years:.1f} healthy device-years")
    for finding in false:
        at, causes = (finding.opened - start) / DAY, [cause.fault for cause in finding.causes[:2]]
        signals = [f"{one.feature}" for one in finding.evidence] if finding.evidence else []
        print(f"    {finding.device.device} day {at:.1f} {finding.family} {causes} {signals}")


if __name__ == "__main__":
    main()
