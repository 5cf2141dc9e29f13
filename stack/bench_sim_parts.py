"""Parts of `wellkept bench sim`: `python -m stack.bench_sim_parts PART JSON` prints one line of JSON."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from firmware_sim.compiled import run_on
from firmware_sim.entries import FleetEntry
from firmware_sim.firmware import Body
from firmware_sim.fleet import Fleet
from firmware_sim.laboratory import laboratory
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ContinuousPhysics, gather
from firmware_sim.scenario import Scenario
from firmware_sim.wear import DAY, HOUR
from stack.bench_connections import hold
from stack.bench_meter import peak_mb
from telemetry.catalogue import load_catalogue

_START = 1_772_409_600 * 1_000_000
"""Monday 2 March 2026, midnight."""
_MORNING = 7 * HOUR
_PHYSICS_STEPS, _MANY = 240, 2_000
"""A physics alone runs so many steps of so many devices."""
_PLUG_HOST = "refrigerator"


def speed(devices: int, seed: int) -> dict[str, float]:
    """A fleet of all kinds through a whole day, in steps of an hour, its messages built and dropped."""
    one = Fleet(_mixed(devices), seed, _START)
    one.advance(_START + HOUR)
    gc.freeze()  # what the fleet is made of lives as long as the process
    began, read, said, messages = time.process_time(), one.samples, 0, 0
    for hour in range(1, 25):
        bodies = one.advance(_START + (hour + 1) * HOUR)
        said += _samples(bodies)
        messages += len(bodies)
    cpu = time.process_time() - began
    return {
        "samples_per_s": (one.samples - read) / cpu,
        "message_samples_per_s": said / cpu,
        "messages_per_s": messages / cpu,
        "device_days_per_cpu_hour": devices / cpu * 3600.0,
    }


def memory(devices: int, hours: float) -> dict[str, float]:
    """A fleet of all kinds in one process through some hours of its morning: the most memory it ever took."""
    one = Fleet(_mixed(devices), 1, _START)
    until = _START + _MORNING
    while one.now < until:
        one.advance(min(until, one.now + HOUR))
    until += round(hours * HOUR)
    messages = 0
    while one.now < until:
        messages += len(one.advance(min(until, one.now + HOUR)))
    return {"devices": len(one.devices), "messages": messages, "rss_mb": peak_mb()}


def kinds(devices: int, runs: int) -> list[dict[str, Any]]:
    """Each kind alone through a day: samples in messages, and what its physics alone computes."""
    found = []
    for kind in (*simulated_kinds(), "smart_plug"):
        rates = [_alone(kind, devices, seed + 1) for seed in range(runs)]
        row: dict[str, Any] = {
            "kind": kind,
            "samples_per_s": round(statistics.median(read for read, _ in rates)),
            "message_samples_per_s": round(statistics.median(said for _, said in rates)),
        }
        if kind in _continuous():
            row["physics_samples_per_s"] = round(statistics.median(_physics(kind, _MANY) for _ in range(runs)))
        found.append(row)
    return found


def _alone(kind: str, devices: int, seed: int) -> tuple[float, float]:
    """Sensor samples, and samples in messages, a CPU second."""
    host = _PLUG_HOST if kind == "smart_plug" else ""
    entry = FleetEntry(kind=kind, count=devices, host=host)
    one = Fleet(Scenario(id="bench", title="one kind", fleet=(entry,)), seed, _START)
    one.advance(_START + HOUR)
    gc.freeze()
    began, read = time.process_time(), one.samples
    said = _samples(one.advance(_START + HOUR + DAY))
    cpu = time.process_time() - began
    return (one.samples - read) / cpu, said / cpu


def _physics(kind: str, devices: int) -> float:
    """Channel samples a CPU second of a physics without sensors and messages."""
    physics = physics_of(kind)
    if not isinstance(physics, ContinuousPhysics):
        raise TypeError(f"{kind} runs programmes")
    model = next(iter(load_catalogue()[kind].models.values())).parameters
    p = physics.parameters(**gather(physics, [model] * devices))
    seconds = physics.step * np.arange(_PHYSICS_STEPS, dtype=np.float64)
    plain = laboratory(physics.drives, seconds, physics.step)
    drives = {name: np.repeat(values[:, None], devices, axis=1) for name, values in plain.items()}
    first = {name: values[0] for name, values in drives.items()}
    state = physics.initial(p, first, np.linspace(0.05, 0.95, devices))
    run_on(physics, p, state, {name: values[:1] for name, values in drives.items()})  # its machine code is fetched
    began = time.process_time()
    run_on(physics, p, state, drives)
    return _PHYSICS_STEPS * devices * len(physics.channels) / (time.process_time() - began)


def _continuous() -> list[str]:
    return [kind for kind in simulated_kinds() if isinstance(physics_of(kind), ContinuousPhysics)]


def _mixed(devices: int) -> Scenario:
    """All kinds alike, plugs included."""
    names = [*simulated_kinds(), "smart_plug"]
    counts = [devices // len(names) + (number < devices % len(names)) for number in range(len(names))]
    entries = tuple(
        FleetEntry(kind=kind, count=count, host=_PLUG_HOST if kind == "smart_plug" else "")
        for kind, count in zip(names, counts, strict=True)
        if count
    )
    return Scenario(id="bench", title="all kinds", fleet=entries)


def _samples(bodies: Iterable[Body]) -> int:
    """Numbers in messages; absent ones are none."""
    return sum(
        (len(column) - column.count(None)) if isinstance(column, list) else int(column is not None)
        for body in bodies
        for column in body.q.values()
    )


_PARTS: dict[str, Callable[..., Any]] = {"speed": speed, "memory": memory, "kinds": kinds, "connections": hold}

if __name__ == "__main__":
    print(json.dumps(_PARTS[sys.argv[1]](**json.loads(sys.argv[2]))))  # noqa: T201  (its answer)
