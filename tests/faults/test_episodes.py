"""Shuffled, duplicated, delayed and restarted delivery of one day gives the same episodes, by the real detectors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.engine import Observation
from storage.memory_telemetry import MemoryTelemetry
from storage.registry import DeviceRow
from stream.port import Entry, Position
from telemetry.block import BlockBuilder
from telemetry.clock import MICROS
from telemetry.finding import Finding
from telemetry.message import Envelope, telemetry_message
from tests.detectors.streams import DAY, START, bank, catalogue, fleet_streams, plug, pump
from worker.core import WorkerCore

_SEED = 2_003
_LEAK_AT = 0.4
"""Share of the day after which the washing machine's sensor reports water."""


@dataclass(frozen=True)
class Disorder:
    """What a network does to a day.

    Attributes:
        seed: of everything below.
        depth: messages by which one may come too late.
        twice: share that comes again.
        block: messages in a block, at most.
        restarts: share of blocks before which the worker begins anew.
    """

    seed: int
    depth: int
    twice: float
    block: int
    restarts: float


DISORDERS = st.builds(
    Disorder,
    seed=st.integers(0, 2**32),
    depth=st.sampled_from([0, 1, 10, 100, 10_000]),
    twice=st.sampled_from([0.0, 0.1, 1.0]),
    block=st.sampled_from([1, 7, 60]),
    restarts=st.sampled_from([0.0, 0.1, 0.5]),
)


@cache
def day() -> tuple[tuple[DeviceRow, tuple[Envelope, ...]], ...]:
    """One day of a worn washing machine that leaks, a refrigerator, a plug and a pump that changes."""
    washer = list(fleet_streams("washing_machine", _SEED, 1.0, worn=True)[0])
    at = round(len(washer) * _LEAK_AT)
    leak = Observation(1, at + 1, washer[at].t[:1], None, np.empty((0, 6), np.float32), ("leak",))
    washer.insert(at, leak)
    told = {
        "washing_machine": washer,
        "refrigerator": list(fleet_streams("refrigerator", _SEED, 1.0, worn=True)[0]),
        "smart_plug": list(plug(days=1, change_day=None)),
        "pump": list(pump(rows=900, change=600)),
    }
    return tuple(
        (_row(number, kind), tuple(_envelope(kind, seq, each) for seq, each in enumerate(stream, 1)))
        for number, (kind, stream) in enumerate(told.items(), 1)
    )


def _row(number: int, kind: str) -> DeviceRow:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return DeviceRow(number, "demo", kind, kind, None, None, None, "en", None, None, None, when)


def _envelope(kind: str, seq: int, one: Observation) -> Envelope:
    names = list(catalogue()[kind].channels)
    columns = {
        name: [None if np.isnan(x) else float(x) for x in one.values[:, n]]
        for n, name in enumerate(names)
        if len(one.values)
    }
    dt = int(one.t[1] - one.t[0]) if len(one.t) > 1 else MICROS
    return telemetry_message(
        epoch=1, seq=seq, base=0, t_micros=int(one.t[0]), dt_micros=dt, q=columns, phase=one.phase, events=one.events
    )


def episodes(disorder: Disorder | None) -> dict[str, list[Finding]]:
    """Revisions of every episode of each device, as they were told; in order and live when there is no disorder."""
    store = MemoryTelemetry([row for row, _ in day()])
    rng = Random(disorder.seed if disorder else 0)
    sent = [(envelope.t, row.key, envelope) for row, envelopes in day() for envelope in envelopes]
    if disorder:
        spacing = 86_400.0 / max(len(envelopes) for _, envelopes in day())
        again = rng.sample(sent, round(len(sent) * disorder.twice))
        late = disorder.depth * spacing
        sent = [(t + rng.random() * late, key, envelope) for t, key, envelope in (*sent, *again)]
    sent.sort(key=lambda one: one[0])
    core = _begin(store)
    at, number = 0, 0
    while at < len(sent):
        size = rng.randint(1, disorder.block) if disorder else 1
        if disorder and rng.random() < disorder.restarts:
            core = _begin(store)
        builder = BlockBuilder()
        for t, key, envelope in sent[at : at + size]:
            builder.add(key, envelope, max(round(t * 1e6), START) + DAY)
        at, number = at + size, number + 1
        store.write(core.decide([Entry(0, "inc", number, builder.encode(), 0)]).batch)
    told: dict[str, list[Finding]] = {}
    for _, reported in sorted(store.revisions.items()):
        # Whether it was history when it arrived depends on arrival, and is no part of the episode.
        found = msgspec.structs.replace(reported.finding, history=False)
        told.setdefault(reported.device.device, []).append(found)
    return told


def _begin(store: MemoryTelemetry) -> WorkerCore:
    core = WorkerCore(catalogue(), bank(), store)
    core.own(0, Position(*store.take([0])[0]))
    return core


@cache
def in_order() -> dict[str, list[Finding]]:
    return episodes(None)


def test_the_day_has_something_to_find() -> None:
    found = in_order()
    assert {finding.family for finding in found["washing_machine"]} >= {"leak"}
    assert "pump" in found


@settings(max_examples=6, deadline=None)
@given(DISORDERS)
def test_a_disorderly_day_has_the_same_episodes(disorder: Disorder) -> None:
    assert episodes(disorder) == in_order()


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(DISORDERS)
def test_many_disorderly_days_have_the_same_episodes(disorder: Disorder) -> None:
    assert episodes(disorder) == in_order()
