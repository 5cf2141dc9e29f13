"""What detectors cost: microseconds of CPU a message, by kind and by how many messages of a device come at once.

    python -m benchmarks.detectors [--devices N] [--json]

Protocol: a pump's message is one reading of eight channels, once commissioned, and never alarms; the others send what
the simulated appliance sends (a refrigerator and a washing machine with their firmware's batches) or, for the plug,
sixty readings at ten seconds. All runs of a call are of distinct devices, as the worker's are. The fleet observes the
same stretch of messages for each length of run, from the same snapshot. Times are CPU time of the process, so that
other load on the machine changes them little; cycles that end, episodes and evidence are in them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

# As in the worker, and before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from detectors.bank import Bank
from detectors.engine import Observation
from firmware_sim.fleet import Fleet
from firmware_sim.scenario import FleetEntry, Scenario
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import MICROS
from telemetry.identity import DeviceKey

START = 1_790_000_000 * MICROS
RUNS = (1, 4, 16)
_ROWS = 1200
_WARM = 500
_DAYS = 4.0
_PLUG_DAYS = 3
_SLOW = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """One row of the table.

    Attributes:
        kind: of the catalogue.
        devices: that share each call.
        readings: a message, mean.
        run: messages a run at most; a run ends where the phase changes.
        mean_run: messages a run, mean.
        us_per_message: CPU.
    """

    kind: str
    devices: int
    readings: float
    run: int
    mean_run: float
    us_per_message: float


@dataclass(frozen=True, slots=True)
class State:
    """What a device's memory costs: CPU of a snapshot and its restore, and its size."""

    kind: str
    snapshot_us: float
    restore_us: float
    bytes: int


def pump(seed: int = 6) -> list[Observation]:
    """Eight correlated channels at one reading a second, a message each."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(0, 1, (_ROWS, 3)) @ rng.normal(0, 1, (3, 8)) + rng.normal(0, 0.1, (_ROWS, 8))
    levels = np.array([0.03, 0.04, 1.5, 0.1, 75, 27, 230, 60])
    values = (levels * (1 + 0.01 * latent)).astype(np.float32)
    t = START + np.arange(_ROWS, dtype=np.int64) * MICROS
    return [Observation(1, i + 1, t[i : i + 1], "running", values[i : i + 1]) for i in range(_ROWS)]


def plug(seed: int = 5) -> list[Observation]:
    """A compressor on a plug: 30 minutes at 80 W, 40 minutes at rest."""
    rng = np.random.default_rng(seed)
    power: list[float] = []
    while len(power) < _PLUG_DAYS * 8640:
        on, off = round(180 * rng.normal(1, 0.04)), round(240 * rng.normal(1, 0.08))
        power += (80 + rng.normal(0, 1, on)).tolist() + [0.0] * off
    values = np.array(power, np.float32)[:, None]
    t = START + np.arange(len(values), dtype=np.int64) * 10 * MICROS
    starts = range(0, len(values) - 59, 60)
    return [Observation(1, i + 1, t[at : at + 60], None, values[at : at + 60]) for i, at in enumerate(starts)]


def appliance(catalogue: Catalogue, kind: str) -> list[Observation]:
    """What a simulated refrigerator or washing machine sends in four days."""
    scenario = Scenario(
        id="cost",
        title="one appliance",
        fleet=(FleetEntry(kind=kind, count=1),),
    )
    channels = list(catalogue[kind].channels)
    found: list[Observation] = []
    for body in Fleet(scenario, 7, START, catalogue).advance(START + round(_DAYS * 86_400 * MICROS)):
        columns = [value if isinstance(value, list) else [value] for value in body.q.values()]
        n = len(columns[0]) if columns else 0
        values = np.full((n, len(channels)), np.nan, np.float32)
        for name, column in zip(body.q, columns, strict=True):
            values[:, channels.index(name)] = [np.nan if x is None else x for x in column]
        t = body.t + np.arange(n, dtype=np.int64) * (body.dt or 0)
        found.append(Observation(1, len(found) + 1, t, body.phase, values, body.events))
    return found


def runs(messages: Sequence[Observation], most: int) -> Iterable[Observation]:
    """Consecutive messages of one phase joined, at most so many."""
    part: list[Observation] = []
    for m in messages:
        if part and (len(part) == most or m.events or part[-1].events or m.phase != part[-1].phase):
            yield _joined(part)
            part = []
        part.append(m)
    yield _joined(part)


def _joined(part: list[Observation]) -> Observation:
    last = part[-1]
    t, values = np.concatenate([m.t for m in part]), np.concatenate([m.values for m in part])
    return Observation(last.epoch, last.seq, t, last.phase, values, last.events)


def measure(devices: int) -> tuple[list[Cost], list[State]]:
    """Every kind at every length of run."""
    catalogue = load_catalogue()
    costs: list[Cost] = []
    states: list[State] = []
    streams: dict[str, tuple[int, int, Callable[[], list[Observation]]]] = {
        "pump": (devices, _WARM, pump),
        "smart_plug": (_SLOW, 0, plug),
        "refrigerator": (_SLOW, 0, lambda: appliance(catalogue, "refrigerator")),
        "washing_machine": (_SLOW, 0, lambda: appliance(catalogue, "washing_machine")),
    }
    for kind, (count, warm, stream) in streams.items():
        messages = stream()
        costs += [_cost(catalogue, kind, count, (messages[:warm], messages[warm:]), run) for run in RUNS]
        states.append(_state(catalogue, kind, messages))
    return costs, states


def _cost(
    catalogue: Catalogue, kind: str, devices: int, stream: tuple[list[Observation], list[Observation]], run: int
) -> Cost:
    before, messages = stream
    bank = Bank(catalogue)
    detectors = [bank(DeviceKey("bench", str(i)), catalogue[kind]) for i in range(devices)]
    if before:
        whole = _joined(before)
        bank.observe([(detector, whole) for detector in detectors])
    parts = list(runs(messages, run))
    begun = time.process_time()
    for part in parts:
        for told in bank.observe([(detector, part) for detector in detectors]):
            if isinstance(told, Exception):
                raise told
    spent = time.process_time() - begun
    readings = sum(len(m.t) for m in messages) / len(messages)
    per_message = spent / len(messages) / devices * 1e6
    return Cost(kind, devices, round(readings, 1), run, round(len(messages) / len(parts), 2), round(per_message, 2))


def _state(catalogue: Catalogue, kind: str, messages: list[Observation]) -> State:
    bank, times = Bank(catalogue), 200
    detector = bank(DeviceKey("bench", "one"), catalogue[kind])
    for part in runs(messages, 16):
        detector.observe(part)
    begun = time.process_time()
    for _ in range(times):
        state = detector.snapshot()
    middle = time.process_time()
    for _ in range(times):
        detector.restore(state)
    ended = time.process_time()
    return State(kind, round((middle - begun) / times * 1e6, 1), round((ended - middle) / times * 1e6, 1), len(state))


def start_up() -> dict[str, float]:
    """CPU seconds that a fresh process spends on importing detectors and on making the bank."""
    program = (
        "import time, numpy, msgspec; from telemetry.catalogue import load_catalogue; c = load_catalogue();"
        "a = time.process_time(); from detectors.bank import Bank; b = time.process_time(); Bank(c);"
        "print(b - a, time.process_time() - b)"
    )
    # The interpreter of this very process, and a constant program.
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603
    imported, made = (round(float(x), 2) for x in told.stdout.split())
    return {"import_s": imported, "bank_s": made}


def commit() -> str:
    """The checkout's commit; empty outside of one."""
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    )
    return told.stdout.strip()


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="CPU that detectors cost a message.")
    parser.add_argument("--devices", type=int, default=1000, help="pumps that share a call (1000)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    chosen = parser.parse_args(arguments)
    costs, states = measure(chosen.devices)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    started = start_up()
    if chosen.json:
        rows = {"costs": [asdict(c) for c in costs], "states": [asdict(s) for s in states]}
        print(json.dumps({**rows, "start_up": started, "commit": commit(), **machine}))
        return
    print(f"commit {commit()}, {machine['cores']} cores, {machine['machine']}, Python {machine['python']}")
    for c in costs:
        print(
            f"{c.kind:16} {c.devices:5} devices, {c.readings:5} readings a message, runs of {c.run:2}"
            f" (mean {c.mean_run:5}): {c.us_per_message:7.2f} us a message"
        )
    for s in states:
        print(f"{s.kind:16} snapshot {s.snapshot_us} us, restore {s.restore_us} us, {s.bytes} bytes")
    print(f"start-up: import {started['import_s']} s, bank {started['bank_s']} s of CPU")


if __name__ == "__main__":
    main()
