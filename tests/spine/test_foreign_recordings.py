"""A real fridge on another plug: what Shelly and Tasmota say of it becomes the finding that our own wire gives."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detectors.bank import Bank
from firmware_sim.recordings import Change, Recording, find_recordings, recording_messages
from ingest.adapters.sources import load_sources
from ingest.core import IngestCore, PublishBlock, Token
from storage.memory_telemetry import MemoryTelemetry
from storage.registry import DeviceRow
from stream.port import Entry, Position
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS, FleetClock, to_micros
from telemetry.identity import DeviceKey
from tests.spine.test_recordings import CHANGE, in_one_pass, without_arrival
from worker.core import WorkerCore

pytestmark = pytest.mark.data
NAME = "fridge-changed"
Payload = Callable[[float, float], tuple[str, dict[str, Any]]]


def as_tasmota(at: float, watts: float) -> tuple[str, dict[str, Any]]:
    time = datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()
    return f"tele/{NAME}/SENSOR", {"Time": time, "ENERGY": {"Power": watts, "Voltage": 230}}


def as_shelly(at: float, watts: float) -> tuple[str, dict[str, Any]]:
    params = {"ts": at, "switch:0": {"id": 0, "apower": watts, "voltage": 230.1}}
    return f"{NAME}/events/rpc", {"src": NAME, "dst": f"{NAME}/events", "method": "NotifyStatus", "params": params}


def readings(recording: Recording, change: Change) -> Iterator[tuple[int, float]]:
    """Event time and watts of every reading."""
    for body in recording_messages(recording, change, 0):
        watts = body.q["power"]
        cells = list(watts) if isinstance(watts, list | tuple) else [watts]
        for index, value in enumerate(cells):
            if value is not None:
                yield body.t + index * (body.dt or 0), float(value)


def through(tmp_path: Path, name: str, form: Payload, recording: Recording, change: Change) -> list[dict[str, Any]]:
    """What is found when each reading comes as a payload of its own, up to 50 s late and out of order."""
    path = tmp_path / "adapters.toml"
    path.write_text(f'[[source]]\nformat = "{name}"\norg = "demo"\n', encoding="utf-8")
    ids, rng = itertools.count(1), random.Random(7)
    ingest = IngestCore(1, 900_000, lambda: str(next(ids)), load_sources(path))
    catalogue = load_catalogue()
    row = DeviceRow(
        1, *DeviceKey("demo", NAME), recording.kind, None, None, None, "en", None, None, None, datetime.now(UTC)
    )
    store = MemoryTelemetry([row])
    worker = WorkerCore(catalogue, Bank(catalogue), store)
    worker.own(0, Position(*store.take([0])[0]))
    ingest.hear_clock(FleetClock(1, 0, 0, 1.0), 0)
    ingest.connected()

    def hand_on(blocks: list[PublishBlock]) -> None:
        for block in blocks:
            store.write(worker.decide([Entry(0, "one", int(block.block_id), block.data, 0)]).batch)
            ingest.published(block.block_id, None, 0.0)

    sent = [(t + rng.randrange(50) * MICROS, t, watts) for t, watts in readings(recording, change)]
    for number, (arrival, t, watts) in enumerate(sorted(sent), 1):
        topic, body = form(t / MICROS, watts)
        hand_on(ingest.receive(topic, json.dumps(body).encode(), Token(1, 1 + number % 60_000), 0.0, arrival))
    hand_on(ingest.drain(0.0))
    assert store.dead == {}
    assert sum(not m.late for m in store.messages.values()) + len(store.held) == len(sent)
    ordered = sorted(store.revisions.values(), key=lambda r: (r.finding.opened, r.finding.revision))
    return [json.loads(msgspec.json.encode(r.finding)) for r in ordered]


@pytest.mark.parametrize(
    ("name", "form"), [("tasmota", as_tasmota), pytest.param("shelly", as_shelly, marks=pytest.mark.long)]
)
def test_the_same_one_finding(data_folder: Path, tmp_path: Path, name: str, form: Payload) -> None:
    found = find_recordings(data_folder, "tracebase")
    recording = dataclasses.replace(next(one for one in found if "refrigerator" in one.device), device=NAME)
    change = Change(to_micros(CHANGE), {"power": 1.15}, 1.2)
    natively = in_one_pass(recording, change, 0, 1)
    foreign = through(tmp_path, name, form, recording, change)
    assert len({body["id"] for body in foreign}) == 1
    # The last minute still waits: a revision may rest on it.
    assert without_arrival(foreign) == without_arrival(natively)[: len(foreign)]
    assert len(foreign) >= len(natively) - 1
