"""`wellkept bench sim`: what the simulator carries on one core, a fleet's memory, and the connections it holds.

CPU time of a process of its own, so that other load on the machine changes it little; medians of several runs. A
channel sample is one value that a sensor has read, noise and faults included, on the grid of its appliance's physics;
weather, households, wear and the building of messages are in the time. `message_samples_per_s` counts only those
samples that a phase's interval lets into a message.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from stack.bench_connections import product
from stack.bench_load import BenchError, Told

# As in a process of the product: one core is one thread.
_ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_PATIENCE_S = 1_800.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Attributes:
        devices: of the fleet of all kinds whose memory is measured.
        hours: fleet hours that it is advanced, after seven.
        fleet: devices of the fleet whose speed is measured, through a day.
        runs: of which the median is taken.
        connections: MQTT connections of one process.
        kinds: whether each kind is measured alone too.
    """

    devices: int = 10_000
    hours: float = 3.0
    fleet: int = 2_700
    runs: int = 3
    connections: int = 1_000
    kinds: bool = True


def bench_sim(plan: Plan, told: Told) -> dict[str, Any]:
    """All figures; `samples_per_s` is that of the fleet of all kinds.

    Raises:
        BenchError: a part of it failed.
    """
    runs = []
    for number in range(plan.runs):
        run = _part("speed", {"devices": plan.fleet, "seed": number + 1})
        told(f"{plan.fleet:,} devices of all kinds, a day: {run['samples_per_s'] / 1e6:.2f} M samples/s")
        runs.append(run)
    large = _part("memory", {"devices": plan.devices, "hours": plan.hours})
    told(f"{large['devices']:,} devices, {plan.hours:g} h: {large['rss_mb']:,.0f} MB")
    figures: dict[str, Any] = {
        **{name: round(statistics.median(run[name] for run in runs)) for name in runs[0]},
        "devices": large["devices"],
        "rss_mb": round(large["rss_mb"], 1),
        "connections": 0,
    }
    if plan.connections:
        with product(plan.connections) as url:
            held = _part("connections", {"connections": plan.connections, "url": url})
        told(
            f"{held['connected']:,} connections up, {held['receipted']:,} messages receipted in {held['seconds']:.1f} s"
        )
        figures["connections"] = min(held["connected"], held["receipted"])
        figures["connections_rss_mb"] = round(held["rss_mb"], 1)
    if plan.kinds:
        figures["kinds"] = _part("kinds", {"devices": max(plan.fleet // 9, 9), "runs": plan.runs})
        for row in figures["kinds"]:
            told(f"  {row['kind']}: {row['samples_per_s'] / 1e6:.2f} M samples/s")
    figures["plan"] = asdict(plan)
    return figures


def _part(name: str, argument: dict[str, Any]) -> Any:  # noqa: ANN401  (each part's own JSON)
    """Run one part in a process of its own, so that its memory is its own."""
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-m", "stack.bench_sim_parts", name, json.dumps(argument)],
        env={**os.environ, **_ONE_CORE},
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_S,
    )
    if done.returncode:
        raise BenchError(f"the part {name!r} failed: {(done.stderr.strip() or done.stdout).splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])
