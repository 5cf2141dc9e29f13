"""After a repair, at a fault's end, and where no cause is known: what is no second fault."""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
import pytest

from detectors.cyclic import CyclicDetector
from detectors.cyclic_state import Stand
from detectors.decision import Track
from detectors.diagnosis import UNKNOWN, signatures_of
from detectors.engine import Observation
from detectors.episodes import DAY, HOUR, Episode
from detectors.life import Growth
from detectors.measured import Measured
from detectors.opening import doubtful, failed
from detectors.recovery import Recovery, settles_of
from detectors.sudden import SuddenFaults
from firmware_sim.entries import FleetEntry
from firmware_sim.fleet import Fleet
from firmware_sim.scenario import Scenario
from telemetry.catalogue import load_catalogue
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Cause, Proof
from telemetry.identity import DeviceKey
from tests.detectors.streams import START

_CATALOGUE = load_catalogue()
_KEY = DeviceKey("org", "fridge")
_REPAIRED = START + 12 * DAY


@cache
def broken_and_mended() -> tuple[Observation, ...]:
    """A fridge whose fan wears from day 3, stands still from day 10, and is replaced on day 12."""
    fleet = Fleet(Scenario(id="mended", title="one", fleet=(FleetEntry(kind="refrigerator", count=1),)), 11, START)
    device = fleet.devices[0].key
    fleet.inject(device, "condenser_fan_wear", START + 3 * DAY, 7.0)
    bodies = fleet.advance(_REPAIRED)
    fleet.repair(device, "condenser_airflow", _REPAIRED)
    channels = _CATALOGUE["refrigerator"].channels
    stream = []
    for seq, body in enumerate([*bodies, *fleet.advance(START + 16 * DAY)], start=1):
        rows = np.array([body.q[name] for name in channels], np.float32).reshape(len(channels), -1).T
        t = body.t + np.arange(len(rows), dtype=np.int64) * (body.dt or 0)
        stream.append(Observation(1, seq, t, body.phase, rows, body.events))
    return tuple(stream)


def mended(family: str) -> ControlEntry:
    """What the desk says of the visit."""
    return ControlEntry(id="1", device=_KEY, kind=ControlKind.REPAIR_DONE, at=_REPAIRED, body={"family": family})


def test_a_mended_fridge_has_no_second_fault() -> None:
    detector, found = CyclicDetector(_KEY, _CATALOGUE["refrigerator"], "v"), []
    for one in broken_and_mended():
        if int(one.t[-1]) >= _REPAIRED:
            found += detector.control(mended("condenser_airflow"))
        found += detector.observe(one)
    assert {one.family for one in found} == {"condenser_airflow"}
    assert found[-1].proof is Proof.PROVEN


def test_whatever_was_mended_the_evidence_and_a_reference_of_the_broken_begin_anew() -> None:
    # Its owner asked for the visit, for something of which nothing had been found.
    detector = CyclicDetector(_KEY, _CATALOGUE["refrigerator"], "v")
    for one in broken_and_mended():
        if int(one.t[-1]) < _REPAIRED - 10 * DAY:
            detector.observe(one)
    state = detector._state
    assert state.learned > 0
    assert any(recent.n for recent in state.recent)
    assert any(track.n for track in state.tracks.values())
    assert detector.control(mended("damper")) == []
    assert state.learned == 0
    assert not any(recent.n for recent in state.recent)
    assert not any(track.n or track.log_e or track.over for track in state.tracks.values())


def test_an_old_repair_told_again_begins_nothing() -> None:
    recovery = Recovery()
    assert recovery.hear(5 * DAY)
    assert not recovery.ends(5 * DAY + HOUR, DAY)
    assert recovery.ends(6 * DAY, DAY)
    assert not recovery.ends(6 * DAY + HOUR, DAY)
    assert not recovery.hear(5 * DAY)
    assert not recovery.lasts


@pytest.mark.parametrize(("kind", "takes"), [("refrigerator", DAY), ("dishwasher", 0), ("washing_machine", 0)])
def test_what_holds_a_temperature_settles_for_a_day(kind: str, takes: int) -> None:
    assert settles_of(_CATALOGUE[kind]) == takes


def test_no_known_cause_is_no_reason_to_come() -> None:
    assert doubtful([Cause(UNKNOWN, 0.9, ()), Cause("drain_pump_wear", 0.1, ())])
    assert not doubtful([Cause(UNKNOWN, 0.3, ()), Cause("drain_pump_wear", 0.7, ())])


def test_a_fault_at_its_end_is_told_from_one_under_way() -> None:
    stream, detector = broken_and_mended(), CyclicDetector(_KEY, _CATALOGUE["refrigerator"], "v")
    finding = next(finding for one in stream for finding in detector.observe(one))
    cause = next(one.fault for one in finding.causes if one.fault != UNKNOWN)
    growth = Growth(0)
    growth.add(DAY, {cause: 0.4})
    assert not failed(Episode(finding, 0), {finding.family: growth})
    growth.add(2 * DAY, {cause: 1.1})
    growth.add(3 * DAY, {cause: 0.5})
    assert failed(Episode(finding, 0), {finding.family: growth})
    assert not failed(Episode(msgspec.structs.replace(finding, proof=Proof.PROVING), 0), {finding.family: growth})


def frosty(seen: dict[str, float]) -> tuple[Track, SuddenFaults]:
    """A freezer's evidence for a dead defrost heater after two cycles like this, in standard deviations."""
    page = _CATALOGUE["freezer"]
    names = list(page.features)
    signatures = signatures_of(page, relative=False)
    sudden = SuddenFaults(page, signatures, Measured(page, signatures), 4.3, 6)
    tracks = {fault.family: Track() for fault in page.faults.values()}
    for cycle in range(2):
        one = Stand(len(names))
        one.x = [[1.0, *(0.0 for _ in spec.explained_by)] for spec in page.features.values()]
        one.sd_far = [spec.noise for spec in page.features.values()]
        for name, far in seen.items():
            one.z_far[names.index(name)] = far
        sudden.judge(tracks, cycle * HOUR, one, lambda _: 1.0)
    return tracks["defrost"], sudden


def test_frost_alone_is_no_dead_heater() -> None:
    track, sudden = frosty({"evaporator_gap": 12.0, "run_time": 3.0, "duty": 3.0})
    assert not sudden.opens(track, 1.0)
    track, sudden = frosty({"defrost_power": -20.0, "defrost_time": 8.0})
    assert sudden.opens(track, 1.0)
