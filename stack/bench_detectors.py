"""What detectors cost: messages a second of the full bank on one core, bytes a device, river's estimators beside.

Protocol. 1,000 pumps with eight channels, commissioned, healthy, each with its own readings; a message is one reading
of a device. They are observed in calls that hold so many consecutive messages of every device, as a worker's blocks
do: few when it keeps up, many when it catches up. The headline is that of `RUN` messages, the slowest and fastest stand
beside it. All scores of the kind are made, the windows judged, evidence gathered. Times are CPU time of this process,
so that other work on the machine changes them little; the median of the runs counts.
"""

from __future__ import annotations

import os
import platform
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from statistics import median
from typing import Any, NamedTuple

# As in the worker, and before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from detectors.bank import Bank
from detectors.engine import DeviceDetector, Observation
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import MICROS
from telemetry.identity import DeviceKey

START = 1_790_000_000 * MICROS
RUNS = (1, 4, 16)
RUN = 4
_BEFORE = 420
_KIND = "pump"
_LEVELS = (0.03, 0.04, 1.5, 0.1, 75.0, 27.0, 230.0, 60.0)


class Plan(NamedTuple):
    """What is measured.

    Attributes:
        devices: pumps.
        rows: readings of each that are timed.
        repeats: runs, of which the median counts.
        river_rows: readings of each channel given to river's estimators.
    """

    devices: int
    rows: int
    repeats: int
    river_rows: int


def detectors(plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything.

    Returns:
        `messages_per_s`, `bytes_per_device`, `river`, and what they were measured on.
    """
    catalogue = load_catalogue()
    say(f"commissioning {plan.devices} pumps")
    Bank(catalogue)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    fleet = _Fleet(catalogue, plan.devices)
    fleet.go_on(readings(plan.devices, _BEFORE), _BEFORE)
    size = round((tracemalloc.get_traced_memory()[0] - before) / plan.devices)
    tracemalloc.stop()
    values = readings(plan.devices, plan.rows)
    by_run: dict[str, float] = {}
    for run in RUNS:
        fleet.go_on(values[: 2 * run], run)
        spent = [fleet.go_on(values, run) for _ in range(plan.repeats)]
        by_run[str(run)] = round(plan.devices * (plan.rows // run * run) / median(spent))
        say(f"{by_run[str(run)]:,.0f} messages a second, {run} of a device a call")
    say("river's estimators on the same readings")
    from detectors.yardstick.beside_river import compare  # noqa: PLC0415  (importing river's drift costs two seconds)

    channels = len(_LEVELS)
    beside = compare(plan.devices * channels, plan.river_rows, plan.repeats)
    return {
        "messages_per_s": by_run[str(RUN)],
        "messages_per_s_by_run": by_run,
        "bytes_per_device": size,
        "snapshot_bytes": len(fleet.made[0].snapshot()),
        "river": {name: asdict(one) for name, one in beside.items()},
        "devices": plan.devices,
        "channels": channels,
        "repeats": plan.repeats,
        "time": "CPU",
        "cores_used": 1,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def readings(devices: int, rows: int, seed: int = 6) -> NDArray[np.float32]:
    """Eight correlated channels of each pump, (rows, devices, channels)."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(0, 1, (3, len(_LEVELS)))
    found = np.empty((rows, devices, len(_LEVELS)), np.float32)
    for row in range(rows):
        latent = rng.normal(0, 1, (devices, 3)) @ mixing + rng.normal(0, 0.1, (devices, len(_LEVELS)))
        found[row] = np.array(_LEVELS) * (1 + 0.01 * latent)
    return found


class _Fleet:
    """Pumps of one bank, and the time until which they were observed."""

    def __init__(self, catalogue: Catalogue, devices: int) -> None:
        self._bank = Bank(catalogue)
        self.made: list[DeviceDetector] = [
            self._bank(DeviceKey("bench", str(i)), catalogue[_KIND]) for i in range(devices)
        ]
        self._at = START

    def go_on(self, values: NDArray[np.float32], run: int) -> float:
        """Observe the next rows, so many of a device a call; returns CPU seconds. Calls are made before the clock."""
        calls = []
        for low in range(0, len(values) - run + 1, run):
            t = self._at + np.arange(run, dtype=np.int64) * MICROS
            self._at += run * MICROS
            # Of one array, as those of a block are.
            part = np.ascontiguousarray(values[low : low + run].transpose(1, 0, 2))
            calls.append([(d, Observation(1, low, t, "running", part[i])) for i, d in enumerate(self.made)])
        begun = time.process_time()
        for call in calls:
            for told in self._bank.observe(call):
                if isinstance(told, Exception):
                    raise told
        return time.process_time() - begun
