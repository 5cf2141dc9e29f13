"""What every detector owes, for every kind of the catalogue."""

from __future__ import annotations

import json
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from detectors.engine import Observation
from telemetry.clock import MICROS
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import EpisodeState, Finding, Proof
from tests.detectors.streams import (
    DAY,
    KEY,
    KINDS,
    LONG,
    PUMPS,
    catalogue,
    faulty,
    fleet_streams,
    fresh,
    plug,
    pump,
    run,
)

_MOST_BYTES = 65_536

every_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.long) if kind in LONG else kind for kind in KINDS]
)


def test_every_kind_of_the_catalogue_is_under_contract() -> None:
    assert set(catalogue().kinds) == set(KINDS)


@every_kind
def test_a_developing_fault_is_one_episode(kind: str) -> None:
    found = run(kind, faulty(kind))
    assert {finding.state for finding in found} == {EpisodeState.OPEN}
    assert len({finding.id for finding in found}) == 1
    assert [finding.revision for finding in found] == list(range(len(found)))


@every_kind
def test_findings_are_complete(kind: str) -> None:
    for finding in run(kind, faulty(kind)):
        assert finding.onset_low <= finding.onset <= finding.onset_high <= finding.observed
        # A fault that comes and goes may be told with less certainty later than when it was found.
        assert (0.95 if finding.revision == 0 else 0.0) < finding.score <= 1
        assert sum(cause.probability for cause in finding.causes) == pytest.approx(1)
        assert finding.life_low is not None
        assert finding.life_high is not None
        assert 0 < finding.life_low < finding.life_high
        assert 1 <= len(finding.evidence) <= 3
        for signal in finding.evidence:
            assert len(signal.t) == len(signal.value) == len(signal.low) == len(signal.high) <= 60
            assert all(a < b for a, b in pairwise(signal.t))
        # No NaN may reach the database's JSON.
        json.dumps(msgspec.to_builtins(finding), allow_nan=False)


@every_kind
def test_restart_equals_no_restart(kind: str) -> None:
    stream = faulty(kind)
    whole = fresh(kind)
    expected = [finding for message in stream for finding in whole.observe(message)]
    every = max(1, len(stream) // 40)
    detector, found = fresh(kind), []
    for index, message in enumerate(stream):
        if index % every == 0:
            state = detector.snapshot()
            detector = fresh(kind)
            detector.restore(state)
            assert detector.snapshot() == state
        found += detector.observe(message)
    assert found == expected
    assert detector.snapshot() == whole.snapshot()


@every_kind
def test_the_same_readings_give_the_same_findings(kind: str) -> None:
    assert run(kind, faulty(kind)) == run(kind, faulty(kind))


@every_kind
def test_no_finding_rests_on_the_future(kind: str) -> None:
    stream = faulty(kind)
    whole = run(kind, stream)
    for share in (0.5, 0.8, 0.95):
        part = run(kind, stream[: int(len(stream) * share)])
        assert part == whole[: len(part)]


@every_kind
def test_nothing_comes_of_empty_readings(kind: str) -> None:
    detector = fresh(kind)
    found: list[Finding] = []
    for seq, message in enumerate(faulty(kind)[:200], 1):
        blank = np.full_like(message.values, np.nan)
        found += detector.observe(Observation(1, seq, message.t, message.phase, blank))
    assert found == []


@every_kind
def test_holes_and_standing_clocks_are_no_fault(kind: str) -> None:
    stream = healthy(kind)
    rng = np.random.default_rng(3)
    detector = fresh(kind)
    found: list[Finding] = []
    for seq, message in enumerate(stream, 1):
        values, t = message.values.copy(), message.t
        dice = rng.random()
        if dice < 0.02:
            found += detector.lose(1, seq)
            continue
        if dice < 0.04:
            values[rng.random(values.shape) < 0.3] = np.nan
        elif dice < 0.05:
            t = np.full_like(t, t[0])
        elif dice < 0.06:
            found += detector.observe(Observation(1, seq, t, message.phase, values, message.events))
        found += detector.observe(Observation(1, seq, t, message.phase, values, message.events))
    assert found == []


@every_kind
def test_memory_is_bounded(kind: str) -> None:
    detector = fresh(kind)
    most = 0
    for message in faulty(kind):
        detector.observe(message)
        most = max(most, len(detector.snapshot()))
    assert most <= _MOST_BYTES


@every_kind
def test_a_healthy_appliance_raises_nothing(kind: str) -> None:
    assert run(kind, healthy(kind)) == []


def healthy(kind: str) -> tuple[Observation, ...]:
    if kind == "smart_plug":
        return tuple(plug(days=9, change_day=None))
    if kind in PUMPS:
        return tuple(pump(rows=3000, change=None))
    return fleet_streams(kind, 2004, 6.0, worn=False)[0]


@every_kind
def test_a_repair_is_proven_by_readings(kind: str) -> None:
    detector = fresh(kind)
    found = [finding for message in faulty(kind) for finding in detector.observe(message)]
    last = faulty(kind)[-1]
    repaired = entry(found[-1], int(last.t[-1]))
    told = detector.control(repaired)
    assert [finding.proof for finding in told] == [Proof.PROVING]
    assert detector.control(repaired) == []
    mended = tuple(pump(rows=12_000, change=None)) if kind in PUMPS else healthy(kind)
    shift = int(last.t[-1]) - int(mended[0].t[0]) + 3600 * MICROS
    after = []
    for seq, message in enumerate(mended, last.seq + 1):
        after += detector.observe(Observation(1, seq, message.t + shift, message.phase, message.values))
    assert after[-1].proof is Proof.PROVEN
    assert after[-1].state is EpisodeState.ENDED
    assert {finding.id for finding in after} == {found[0].id}


@every_kind
def test_a_repair_that_nobody_waited_for_begins_the_evidence_anew(kind: str) -> None:
    # An owner may notice a fault, and have it mended, just before telemetry would have told it.
    stream = faulty(kind)
    opened = run(kind, stream)[0]
    until = next(i for i, message in enumerate(stream) if int(message.t[-1]) >= opened.observed)
    detector, other = fresh(kind), fresh(kind)
    assert [finding for message in stream[:until] for finding in detector.observe(message)] == []
    repaired = entry(opened, int(stream[until - 1].t[-1]))
    assert detector.control(repaired) == []
    kept = detector.snapshot()
    assert detector.control(repaired) == []
    assert detector.snapshot() == kept
    other.restore(kept)
    # The repair did not help: that takes as much evidence as if nothing had been known.
    for message in stream[until:]:
        found = detector.observe(message)
        assert found == other.observe(message)
        assert all(finding.observed > opened.observed for finding in found)


@every_kind
def test_a_repair_that_did_not_help_fails(kind: str) -> None:
    stream = tuple(pump(rows=9000, change=600)) if kind in PUMPS else faulty(kind)
    detector = fresh(kind)
    after: list[Finding] = []
    opened: Finding | None = None
    for message in stream:
        found = detector.observe(message)
        if opened is not None:
            after += found
        elif found:
            opened = found[0]
            detector.control(entry(opened, int(message.t[-1])))
    assert opened is not None
    failed = [finding for finding in after if finding.proof is Proof.FAILED]
    assert failed
    assert failed[0].state is EpisodeState.OPEN
    assert failed[0].observed - opened.observed < 3 * DAY


@every_kind
def test_revisions_are_few(kind: str) -> None:
    found = run(kind, faulty(kind))
    days = (found[-1].observed - found[0].observed) / DAY
    assert len(found) <= 2 + 1.5 * days


def entry(finding: Finding, at: int) -> ControlEntry:
    return ControlEntry(
        id="00000000-0000-0000-0000-000000000001",
        device=KEY,
        kind=ControlKind.REPAIR_DONE,
        at=at,
        body={"family": finding.family, "fault": finding.causes[0].fault},
    )
