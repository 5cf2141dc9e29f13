"""How messages are divided into runs, and which devices share a call, changes nothing: not one bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.engine import DeviceDetector, Observation, observe_each
from telemetry.clock import MICROS
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Finding
from tests.detectors.streams import KEY, KINDS, LONG, PUMPS, bank, faulty, fresh, messages_joined, plug, pump

every_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.long) if kind in LONG else kind for kind in KINDS]
)
few = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
seeds = st.integers(0, 2**32 - 1)


@cache
def messages(kind: str) -> tuple[Observation, ...]:
    """A stream with a fault, holes, absent values, standing clocks and events; a pump's messages hold one reading."""
    stream = split(pump(rows=1600, change=900)) if kind in PUMPS else iter(faulty(kind))
    rng = np.random.default_rng(12)
    worn: list[Observation] = []
    for m in stream:
        values, t = m.values.copy(), m.t
        dice = rng.random()
        if dice < 0.002:
            t = np.full_like(t, t[0] - 50 * MICROS)
        elif dice < 0.02:
            values[rng.random(values.shape) < 0.2] = np.nan
        worn.append(Observation(1, m.seq, t, m.phase, values, m.events))
        if dice > 0.999:
            worn.append(Observation(1, m.seq, t[-1:], m.phase, values[:0], ("door_open",)))
    return tuple(worn)


def split(stream: Iterable[Observation]) -> Iterator[Observation]:
    """One reading a message."""
    for m in stream:
        for i in range(len(m.t)):
            yield Observation(1, 60 * m.seq + i, m.t[i : i + 1], m.phase, m.values[i : i + 1])


def runs(stream: tuple[Observation, ...], rng: np.random.Generator, lengths: tuple[int, ...]) -> Iterator[Observation]:
    """Consecutive messages of one phase joined, as many as chance says; a message with events stands alone."""
    length = int(rng.choice(lengths))
    cuts = [0]
    for i, (a, b) in enumerate(pairwise(stream), 1):
        if i - cuts[-1] >= length or a.events or b.events or a.phase != b.phase:
            cuts.append(i)
            length = int(rng.choice(lengths))
    for low, high in pairwise([*cuts, len(stream)]):
        yield messages_joined(stream[low:high])


@cache
def told_one_by_one(kind: str) -> tuple[list[Finding], bytes]:
    detector = fresh(kind)
    found = [finding for m in messages(kind) for finding in detector.observe(m)]
    assert found
    return found, detector.snapshot()


@every_kind
@few
@given(seed=seeds)
def test_any_division_into_runs_gives_the_same(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    detector, found = fresh(kind), []
    for run in runs(messages(kind), rng, (1, 2, 5, 40, 900)):
        if rng.random() < 0.1:
            state = detector.snapshot()
            detector = fresh(kind)
            detector.restore(state)
            assert detector.snapshot() == state
        found += detector.observe(run)
    assert (found, detector.snapshot()) == told_one_by_one(kind)


@few
@given(seed=seeds)
def test_any_grouping_of_devices_gives_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = [kind for kind in KINDS if kind not in LONG for _ in range(3)]
    detectors = [fresh(kind) for kind in kinds]
    found: list[list[Finding]] = [[] for _ in kinds]
    waiting = [list(runs(messages(kind), rng, (2, 30, 500))) for kind in kinds]
    while any(waiting):
        chosen = [int(i) for i in rng.permutation(len(kinds)) if waiting[i] and rng.random() < 0.7]
        for i in chosen:
            if rng.random() < 0.02:
                state = detectors[i].snapshot()
                detectors[i] = fresh(kinds[i])
                detectors[i].restore(state)
        told = bank().observe([(detectors[i], waiting[i].pop(0)) for i in chosen])
        for i, new in zip(chosen, told, strict=True):
            assert isinstance(new, list)
            found[i] += new
    for kind, detector, findings in zip(kinds, detectors, found, strict=True):
        assert (findings, detector.snapshot()) == told_one_by_one(kind)


@every_kind
def test_a_repair_between_runs_is_proven_at_the_same_reading(kind: str) -> None:
    def ends(size: int) -> tuple[list[Finding], bytes]:
        detector, found = fresh(kind), []
        for m in messages(kind):
            found += detector.observe(m)
        found += detector.control(repaired(found[-1]))
        rng = np.random.default_rng(1)
        for run in runs(after(kind), rng, (size,)):
            found += detector.observe(run)
        return found, detector.snapshot()

    assert ends(1) == ends(7) == ends(300)


def after(kind: str) -> tuple[Observation, ...]:
    last = int(messages(kind)[-1].t[-1])
    mended = pump(rows=4200, change=None) if kind in PUMPS else None
    mended = plug(days=2, change_day=None) if kind == "smart_plug" else mended
    stream = tuple(mended) if mended is not None else faulty(kind)[:200]
    shift = last - int(stream[0].t[0]) + 3600 * MICROS
    return tuple(Observation(1, 10**6 + m.seq, m.t + shift, m.phase, m.values) for m in stream)


def repaired(finding: Finding) -> ControlEntry:
    return ControlEntry(
        id="00000000-0000-0000-0000-000000000002",
        device=KEY,
        kind=ControlKind.REPAIR_DONE,
        at=finding.observed,
        body={"family": finding.family, "fault": finding.causes[0].fault},
    )


def test_an_error_stays_with_its_device() -> None:
    first, *rest = (messages_joined(part) for part in (messages("pump")[:700], messages("pump")[700:1000]))
    wrong = Observation(1, 9, first.t, first.phase, first.values[:, :3])
    spoilt, narrow, *healthy = pumps = [fresh("pump") for _ in range(5)]
    bank().observe([(detector, first) for detector in pumps])
    alone = fresh("pump")
    alone.observe(first)
    break_model(spoilt)
    for run in rest:
        told = bank().observe([(spoilt, run), (healthy[0], run), (narrow, wrong), (healthy[1], run), (healthy[2], run)])
        expected = alone.observe(run)
        assert isinstance(told[2], ValueError)
        assert [told[1], told[3], told[4]] == [expected] * 3
    assert {detector.snapshot() for detector in healthy} == {alone.snapshot()}


def break_model(detector: DeviceDetector) -> None:
    """A model of NaN, as a broken snapshot could bring."""
    plants = detector.plants  # type: ignore[attr-defined]
    plants.fields.channel[detector.slot] = np.nan  # type: ignore[attr-defined]


def test_a_device_that_fails_behind_a_row_fails_alone() -> None:
    run = messages_joined(m for m in messages("pump") if not m.events)
    fine, failing, other = detectors = [fresh("pump") for _ in range(3)]
    failing._book = None  # type: ignore[attr-defined]
    many = bank().observe([(detector, run) for detector in detectors])
    assert isinstance(many[1], AttributeError)
    assert many[0] == many[2] == observe_each([(fresh("pump"), run)])[0]
    assert many[0]
    assert fine.snapshot() == other.snapshot()


def test_memory_of_devices_that_are_gone_is_used_again() -> None:
    crowd = [fresh("pump") for _ in range(50)]
    slots = len(crowd[0].plants.fields.whole)  # type: ignore[attr-defined]
    first = messages_joined(messages("pump")[:600])
    bank().observe([(detector, first) for detector in crowd])
    for _ in range(5):
        del crowd
        crowd = [fresh("pump") for _ in range(50)]
    assert len(crowd[0].plants.fields.whole) == slots  # type: ignore[attr-defined]
    new = crowd[-1]
    new.observe(first)
    expected = fresh("pump")
    expected.observe(first)
    assert new.snapshot() == expected.snapshot()
