"""Whether the detectors keep their budget of false findings, and what they find at it, a kind a row.

    python -m benchmarks.calibration [KIND ...] [--devices N] [--days D] [--seed S] [--json]

The budget is one false finding in 2,000 healthy device-days (0.18 a device-year). With three faults in four
device-years, as the simulated fleets have, four of five findings are then right, which is what the desk believes before
anybody's verdict (`servicedesk.trust`). It is a budget of findings; the desk makes fewer tickets of them.

Protocol: that of `benchmarks.simulated`. A third of the devices stay healthy, on the others the kind's faults begin in
turn, all have heat waves, guests, sags and doors left open, nobody repairs. *False* is a finding on a device before its
fault began; its exposure are the device-days before a fault, so that no day counts on which a finding would be right.
*Power* is the share of the faults that a finding of their family was told of before the failure; *cause* how often its
first cause was the fault, of all that were found. Intervals at 95 % are exact: Poisson for rates, binomial for shares.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from benchmarks.simulated import GRACE, PLUG, healthy_days, opened, revisions, scenario, tally
from firmware_sim.fleet import Fleet
from firmware_sim.physics import simulated_kinds
from firmware_sim.wear import DAY
from servicedesk.rates import poisson_interval
from stack.trial.statistics import binomial_interval
from telemetry.clock import to_micros

BUDGET = 1 / 2_000
"""False findings a healthy device-day."""
_START = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """A kind's figures.

    Attributes:
        kind: of appliance.
        device_days: healthy ones.
        false: findings on them.
        a_day: false findings a healthy device-day, its exact 95 % interval behind it.
        budget: what a day may have.
        refuted: the whole interval lies above the budget.
        faults: that began early enough to be judged.
        in_time: found before the failure.
        power: share of these, its exact 95 % interval behind it.
        found: found at all.
        cause: of these, first cause right.
    """

    kind: str
    device_days: float
    false: int
    a_day: tuple[float, float, float]
    budget: float
    refuted: bool
    faults: int
    in_time: int
    power: tuple[float, float, float] | None
    found: int
    cause: int


def measure(kind: str, devices: int, days: float, seed: int) -> Row:
    """Play a fleet of one kind and count."""
    start = to_micros(_START)
    end = start + round(days * DAY)
    fleet = Fleet(scenario(kind, devices, days), seed, start)
    told = opened(revisions(kind, fleet, end))
    truth = fleet.truth()
    judged = [fault for fault in truth if fault.onset < end - GRACE]
    late = {fault.device: fault.onset for fault in truth if fault not in judged}
    told = {device: [one for one in some if one.opened < late.get(device, end)] for device, some in told.items()}
    found, false = tally(list(fleet.catalogue[kind].faults), judged, told)
    exposure = healthy_days(len(fleet.devices), truth, (start, end))
    of = found.values()
    return row(
        kind,
        (exposure, len(false)),
        (sum(t.devices for t in of), sum(t.in_time for t in of)),
        (sum(t.found for t in of), sum(t.top_cause for t in of)),
    )


def row(kind: str, healthy: tuple[float, int], faults: tuple[int, int], causes: tuple[int, int]) -> Row:
    """The figures of counts.

    Args:
        kind: of appliance, or a name for several.
        healthy: device-days, and false findings on them.
        faults: judged, and found before their failure.
        causes: faults found at all, and of these, first cause right.
    """
    exposure, false = healthy
    low, high = poisson_interval(false)
    ends = binomial_interval(faults[1], faults[0])
    power = None if ends is None else (faults[1] / faults[0], *ends)
    rates = (false / exposure, low / exposure, high / exposure)
    return Row(kind, round(exposure, 1), false, rates, BUDGET, rates[1] > BUDGET, *faults, power, *causes)


def together(rows: Sequence[Row]) -> Row:
    """All kinds as one."""
    return row(
        "all",
        (sum(r.device_days for r in rows), sum(r.false for r in rows)),
        (sum(r.faults for r in rows), sum(r.in_time for r in rows)),
        (sum(r.found for r in rows), sum(r.cause for r in rows)),
    )


def line(one: Row) -> str:
    """A row of the table."""
    power = "–" if one.power is None else f"{one.power[0]:.0%} ({one.power[1]:.0%}–{one.power[2]:.0%})"
    a_day = " / ".join(f"{1000 * value:.2f}" for value in one.a_day)
    kept = "refuted" if one.refuted else "kept" if one.a_day[2] <= one.budget else "not refuted"
    return (
        f"| {one.kind} | {one.device_days:,.0f} | {one.false} | {a_day} | {kept} | "
        f"{one.in_time} of {one.faults} | {power} | {one.cause} of {one.found} |"
    )


def main() -> None:
    """Print the table."""
    kinds = (*simulated_kinds(), PLUG)
    parser = argparse.ArgumentParser(
        description="False findings against their budget, and power beside them.",
        epilog="Example: python -m benchmarks.calibration refrigerator freezer --devices 60 --days 60",
    )
    parser.add_argument("kind", nargs="*", help=f"{', '.join(kinds)}; all unless told")
    parser.add_argument("--devices", type=int, default=36, help="of each kind (36)")
    parser.add_argument("--days", type=float, default=60.0, help="that are played (60)")
    parser.add_argument("--seed", type=int, default=3001)
    parser.add_argument("--json", action="store_true", help="one JSON value instead of a table")
    args = parser.parse_args()
    unknown = sorted(set(args.kind) - set(kinds))
    if unknown:
        parser.error(f"no simulated kind is called {', '.join(unknown)}; there are {', '.join(kinds)}")
    if not args.json:
        print(f"Budget: {1000 * BUDGET:.1f} false findings in 1,000 healthy device-days. Seed {args.seed}.\n")
        print("| kind | healthy days | false | in 1,000 days (95 %) | budget | in time | power (95 %) | cause |")
        print("|---|---|---|---|---|---|---|---|")
    rows = []
    for kind in args.kind or kinds:
        rows.append(measure(kind, args.devices, args.days, args.seed))
        if not args.json:
            print(line(rows[-1]), flush=True)
    total = together(rows)
    print(json.dumps([asdict(one) for one in (*rows, total)]) if args.json else line(total))


if __name__ == "__main__":
    main()
