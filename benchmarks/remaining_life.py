"""Whether the remaining life of findings holds the true failure, how wide it is, and whether it narrows.

Protocol: the fleets of `benchmarks.simulated`: each fault of a kind in turn, innocent ups and downs, nobody repairs.
Every revision of an open episode whose family is that of the device's fault, told after its onset and before its
functional failure, is one interval: two dates beside the true one. A revision narrows when it lies within the one
before of the same episode, widened by a twentieth of its width at each end. Faults with lead times below a day
(`fast`) stand apart: no interval of days can serve there.

Run: `python -m benchmarks.remaining_life KIND [KIND ...] [--devices N] [--days D] [--seed S] [--json]`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.simulated import PLUG, revisions, scenario
from firmware_sim.fleet import Fleet
from firmware_sim.physics import simulated_kinds
from firmware_sim.wear import DAY, Fault
from telemetry.clock import MICROS, to_micros
from telemetry.finding import EpisodeState, Finding

_TOLERANCE = 0.05
_BANDS = ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0))


@dataclass(frozen=True, slots=True)
class Told:
    """One interval beside the truth, in days.

    Attributes:
        episode: of which it is a revision.
        kind: of the device.
        fault: that the device truly has.
        gone: share of the lead time gone when it was told.
        low: pessimistic end, days from then on.
        high: optimistic end.
        left: true days to functional failure.
    """

    episode: str
    kind: str
    fault: str
    gone: float
    low: float
    high: float
    left: float


def intervals(kind: str, truth: Iterable[Fault], told: dict[str, list[Finding]]) -> list[Told]:
    """Those that the protocol counts."""
    found = []
    for fault in truth:
        for one in told.get(fault.device, []):
            before = fault.onset <= one.opened and one.observed < fault.failure
            if one.family != fault.family or one.state is not EpisodeState.OPEN or not before:
                continue
            if one.life_low is None or one.life_high is None:
                continue
            gone = (one.observed - fault.onset) / (fault.failure - fault.onset)
            left = (fault.failure - one.observed) / DAY
            low, high = one.life_low * MICROS / DAY, one.life_high * MICROS / DAY
            found.append(Told(str(one.id), kind, fault.fault, gone, low, high, left))
    return found


def narrowing(told: Sequence[Told]) -> float:
    """Share of revisions that lie within the one before, widened by the tolerance; NaN where there are none."""
    episodes: dict[str, list[Told]] = defaultdict(list)
    for one in told:
        episodes[one.episode].append(one)
    within = []
    for some in episodes.values():
        for old, new in pairwise(some):
            passed, slack = old.left - new.left, _TOLERANCE * (old.high - old.low)
            within.append(new.low + passed >= old.low - slack and new.high + passed <= old.high + slack)
    return float(np.mean(within)) if within else float("nan")


def summary(told: Sequence[Told]) -> dict[str, Any]:
    """Coverage, share of pessimistic ends before the failure, widths, narrowing."""
    low, high, left = (np.array([getattr(one, name) for one in told]) for name in ("low", "high", "left"))
    ends: dict[str, list[float]] = defaultdict(list)
    for one in told:
        ends[one.episode].append(one.high - one.low)
    return {
        "episodes": len(ends),
        "intervals": len(told),
        "hold": round(float(np.mean((low <= left) & (left <= high))), 3),
        "low_before": round(float(np.mean(low <= left)), 3),
        "high_after": round(float(np.mean(high >= left)), 3),
        "median_width": round(float(np.median(high - low)), 1),
        "median_early": round(float(np.median(left - low)), 1),
        "last_to_first": round(float(np.median([some[-1] / some[0] for some in ends.values()])), 2),
        "narrows": round(narrowing(told), 3),
    }


def rows(told: Sequence[Told], fast: set[str]) -> list[dict[str, Any]]:
    """One row for all, one a band of the lead time gone, one a fault; fast faults stand apart."""
    slow = [one for one in told if f"{one.kind}.{one.fault}" not in fast]
    groups: list[tuple[str, Callable[[Told], bool]]] = [("all", lambda _one: True)]
    for low, high in _BANDS:
        groups.append((f"{low:.0%} to {high:.0%} gone", lambda one, a=low, b=high: a <= one.gone < b))  # type: ignore[misc]
    found = []
    for name, chosen in groups:
        if some := [one for one in slow if chosen(one)]:
            found.append({"of": name} | summary(some))
    for name in sorted({f"{one.kind}.{one.fault}" for one in told}):
        some = [one for one in told if f"{one.kind}.{one.fault}" == name]
        found.append({"of": f"{name} (fast)" if name in fast else name} | summary(some))
    return found


def main() -> None:
    """Run the protocol for each kind and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("kind", nargs="+", choices=(*simulated_kinds(), PLUG))
    parser.add_argument("--devices", type=int, default=36)
    parser.add_argument("--days", type=float, default=75.0)
    parser.add_argument("--seed", type=int, default=2001)
    parser.add_argument("--start", type=dt.date.fromisoformat, default=dt.date(2026, 3, 1))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    start = to_micros(dt.datetime.combine(args.start, dt.time(), dt.UTC))
    end = start + round(args.days * DAY)
    told: list[Told] = []
    fast: set[str] = set()
    for kind in args.kind:
        fleet = Fleet(scenario(kind, args.devices, args.days), args.seed, start)
        found = revisions(kind, fleet, end)
        told += intervals(kind, fleet.truth(), found)
        faults = fleet.catalogue[kind].faults
        fast |= {f"{kind}.{name}" for name, fault in faults.items() if fault.lead_days[0] < 1}
    table = rows(told, fast)
    if args.json:
        print(
            json.dumps(
                {"kinds": args.kind, "devices": args.devices, "days": args.days, "seed": args.seed, "rows": table}
            )
        )
        return
    print(f"{', '.join(args.kind)}: {args.devices} devices a kind, {args.days:g} days, seed {args.seed}")
    print(f"{'':40}" + "".join(f"{name:>15}" for name in list(table[0])[1:]) if table else "no interval")
    for row in table:
        print(f"{row['of']:40}" + "".join(f"{value:>15}" for value in list(row.values())[1:]))


if __name__ == "__main__":
    main()
