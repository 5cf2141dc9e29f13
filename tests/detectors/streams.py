"""Messages of each kind for the contract: simulated appliances; a synthetic plug and pump with a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.bank import Bank
from detectors.engine import DeviceDetector, Observation
from firmware_sim.fleet import Fleet
from firmware_sim.physics import physics_of
from firmware_sim.physics.base import ProgrammePhysics
from firmware_sim.scenario import Climate, FaultRates, FleetEntry, HabitEntry, Scenario
from telemetry.catalogue import Catalogue, KindSpec, load_catalogue
from telemetry.catalogue.model import RiverSpec
from telemetry.clock import MICROS
from telemetry.finding import Finding
from telemetry.identity import DeviceKey

START = 1_790_000_000 * MICROS
DAY = 86_400 * MICROS
KEY = DeviceKey("bench", "one")


WATCHED = {
    "watched_pump": RiverSpec(
        estimator="anomaly.HalfSpaceTrees",
        params={"n_trees": 8, "height": 6},
        sees=("current", "pressure", "flow"),
        fault="strange",
        every=2,
    ),
    "drifting_pump": RiverSpec(
        estimator="drift.PageHinkley",
        params={"threshold": 3.0, "delta": 0.1},
        sees=("current", "pressure"),
        fault="strange",
        every=2,
    ),
}
"""Kinds of the tests alone: pumps whose own detector is deaf, watched by an estimator of river."""
PUMPS = ("pump", *WATCHED)


def watched(pump: KindSpec, kind: str, spec: RiverSpec) -> KindSpec:
    """A pump that a river estimator alone watches."""
    strange = msgspec.structs.replace(pump.faults["pump_disturbance"], family="strange", signature=())
    return msgspec.structs.replace(
        pump,
        kind=kind,
        faults={**pump.faults, "strange": strange},
        tuning={**pump.tuning, "open_share": 2.0, "commissioning_rows": 300},
        river=(spec,),
    )


@cache
def catalogue() -> Catalogue:
    """The product's, and the kinds of the tests."""
    product = load_catalogue()
    extra = {kind: watched(product["pump"], kind, spec) for kind, spec in WATCHED.items()}
    return Catalogue({**product.kinds, **extra}, product.hash + "+tests")


@cache
def bank() -> Bank:
    return Bank(catalogue())


def fresh(kind: str) -> DeviceDetector:
    return bank()(KEY, catalogue()[kind])


KINDS = tuple(sorted(catalogue().kinds))
LONG = {"dishwasher", "drifting_pump", "freezer", "heat_pump", "tumble_dryer", "water_heater"}
"""Kinds whose contract is played in the long tier: days of them cost minutes."""
_UNITS = 6
_OFTEN = 2.5
"""Runs a day of what runs programmes: days are dear in a test."""


def scenario(kind: str, *, worn: bool) -> Scenario:
    runs = isinstance(physics_of(kind), ProgrammePhysics)
    return Scenario(
        id="contract",
        title="a few appliances",
        fleet=(FleetEntry(kind=kind, count=_UNITS),),
        habits={kind: HabitEntry(starts=_OFTEN)} if runs else {},
        climate=Climate(season=0.0, inlet_season=0.0),
        faults=FaultRates(part_worn=float(worn), worn_days=(6.0, 8.0)),
    )


@cache
def fleet_streams(kind: str, seed: int, days: float, *, worn: bool) -> tuple[tuple[Observation, ...], ...]:
    """Messages of each unit of a small fleet of one kind."""
    fleet = Fleet(scenario(kind, worn=worn), seed, START, catalogue())
    names = list(catalogue()[kind].channels)
    streams: list[list[Observation]] = [[] for _ in fleet.devices]
    for body in fleet.advance(START + round(days * DAY)):
        columns = [value if isinstance(value, list) else [value] for value in body.q.values()]
        n = len(columns[0]) if columns else 0
        values = np.full((n, len(names)), np.nan, np.float32)
        for name, column in zip(body.q, columns, strict=True):
            values[:, names.index(name)] = [np.nan if x is None else x for x in column]
        t = body.t + np.arange(n, dtype=np.int64) * (body.dt or 0)
        stream = streams[body.device]
        stream.append(Observation(1, len(stream) + 1, t, body.phase, values, body.events))
    return tuple(tuple(stream) for stream in streams)


@cache
def faulty(kind: str) -> tuple[Observation, ...]:
    """A stream of the kind that ends in a fault which its detector finds."""
    if kind == "smart_plug":
        return tuple(plug(days=9, change_day=6.0))
    if kind in PUMPS:
        return tuple(pump(rows=900, change=600))
    streams = fleet_streams(kind, 2003, 10.0, worn=True)
    return next(stream for stream in streams if run(kind, stream))


def plug(days: float, change_day: float | None, seed: int = 5) -> Iterator[Observation]:
    """A compressor on a plug at one reading in 10 s: runs of 30 min at 80 W; a change makes both a quarter larger."""
    rng = np.random.default_rng(seed)
    power: list[float] = []
    while len(power) < days * 8640:
        worn = 1.25 if change_day is not None and len(power) >= change_day * 8640 else 1.0
        on = round(180 * worn * rng.normal(1, 0.04))
        off = round(240 * rng.normal(1, 0.08))
        power += (80 * worn * rng.normal(1, 0.01) + rng.normal(0, 1, on)).tolist() + [0.0] * off
    values: NDArray[np.float32] = np.array(power, np.float32)[:, None]
    for seq, low in enumerate(range(0, len(values), 60), 1):
        part = values[low : low + 60]
        yield Observation(1, seq, START + (low + np.arange(len(part), dtype=np.int64)) * 10 * MICROS, None, part)


def pump(rows: int, change: int | None, seed: int = 6) -> Iterator[Observation]:
    """Eight correlated channels at 1 Hz; from a row on two of them no longer follow the others."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(0, 1, (3, 8))
    values = rng.normal(0, 1, (rows, 3)) @ mixing + rng.normal(0, 0.1, (rows, 8))
    if change is not None:
        values[change:, 2:4] += rng.normal(3, 2, (rows - change, 2))
    levels = np.array([0.03, 0.04, 1.5, 0.1, 75, 27, 230, 60])
    read: NDArray[np.float32] = (levels * (1 + 0.01 * values)).astype(np.float32)
    for seq, low in enumerate(range(0, rows, 60), 1):
        part = read[low : low + 60]
        t = START + (low + np.arange(len(part), dtype=np.int64)) * MICROS
        yield Observation(1, seq, t, "running", part)


def messages_joined(parts: Iterable[Observation]) -> Observation:
    """Consecutive messages as one run."""
    whole = list(parts)
    t, values = np.concatenate([m.t for m in whole]), np.concatenate([m.values for m in whole])
    return Observation(whole[-1].epoch, whole[-1].seq, t, whole[-1].phase, values, whole[-1].events)


def run(kind: str, stream: tuple[Observation, ...]) -> list[Finding]:
    detector = fresh(kind)
    return [finding for message in stream for finding in detector.observe(message)]
