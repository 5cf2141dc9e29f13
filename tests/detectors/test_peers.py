"""A device among its peers: what it tells of itself, what is subtracted, and for how long."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import pytest

from detectors.cyclic import CyclicDetector
from detectors.engine import DeviceDetector, Observation, compared
from detectors.peers import Peers
from telemetry.cohort import CohortReference, Common
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Finding
from tests.detectors.streams import DAY, KEY, START, catalogue, faulty, fleet_streams, plug

FIRST = START // DAY
CHANGE = 6
"""Day of `faulty("smart_plug")` from which runs are a quarter longer and stronger."""


def entry(day: int, **features: Common) -> ControlEntry:
    body = CohortReference(day, features).body()
    return ControlEntry(id="1", device=KEY, kind=ControlKind.COHORT_REFERENCE, at=day * DAY, body=body)


def made(kind: str = "smart_plug") -> CyclicDetector:
    page = catalogue()[kind]
    asking = msgspec.structs.replace(page, tuning={**page.tuning, "cohort_shift": 1, "cohort_start": 1})
    found = CyclicDetector(KEY, asking, "1")
    assert compared(found) is found.peers
    return found


def played(
    detector: DeviceDetector, stream: Sequence[Observation], daily: Common | None = None, cut: int | None = None
) -> list[Finding]:
    """What is found when peers are said to have moved likewise from the day of the change on, anew each day."""
    found: list[Finding] = []
    told = FIRST + CHANGE
    for n, message in enumerate(stream):
        if n == cut:
            state, detector = detector.snapshot(), made()
            detector.restore(state)
            assert detector.snapshot() == state
        day = int(message.t[0]) // DAY
        if daily is not None and day > told:
            told = day
            moved = ("run_time", "plateau_power", "peak_power", "energy", "duty")
            found += detector.control(entry(day - 1, **dict.fromkeys(moved, daily)))
        found += detector.observe(message)
    return found


def test_what_peers_share_is_nobodys_fault() -> None:
    stream = faulty("smart_plug")
    alone = played(made(), stream)
    assert [one.revision for one in alone][:1] == [0]
    moved = Common(peers=20, shift=math.log(1.25), shift_spread=0.03)
    assert not played(made(), stream, moved)
    # That others lie far apart does not hide one that moved alone.
    assert played(made(), stream, Common(peers=20, shift=0.0, shift_spread=0.5)) == alone


def test_a_restart_keeps_what_peers_do() -> None:
    stream = faulty("smart_plug")
    half = Common(peers=9, shift=0.08, shift_spread=0.02)
    whole = played(made(), stream, half)
    assert whole
    for cut in (len(stream) // 2, len(stream) * 4 // 5, len(stream) - 40):
        assert played(made(), stream, half, cut) == whole


def test_a_day_that_ended_is_told_once_the_next_begins() -> None:
    detector, days = made(), []
    for message in plug(days=7, change_day=None):
        detector.observe(message)
        if (told := detector.peers.summary) is not None and told.day not in days:
            days.append(told.day)
    assert days == list(range(days[0], FIRST + 7))
    assert detector.peers.summary is not None
    power = detector.peers.summary.features["plateau_power"]
    assert power.level is None
    assert power.shift == pytest.approx(0.0, abs=0.03)
    assert power.weight > 10
    assert power.scatter >= 0.05


def test_of_a_catalogued_kind_the_level_is_told_from_the_first_day_on() -> None:
    detector = made("refrigerator")
    for message in fleet_streams("refrigerator", 2003, 2.0, worn=False)[0]:
        detector.observe(message)
    assert detector.peers.summary is not None
    assert {own.shift for own in detector.peers.summary.features.values() if own.weight < 20} <= {None}
    assert all(own.level is not None for own in detector.peers.summary.features.values())


def test_a_kind_that_does_not_ask_tells_nothing_and_hears_nothing() -> None:
    stream = faulty("smart_plug")
    quiet = CyclicDetector(KEY, catalogue()["smart_plug"], "1")
    loud = CyclicDetector(KEY, catalogue()["smart_plug"], "1")
    assert played(loud, stream, Common(peers=20, shift=0.2)) == played(quiet, stream)
    assert loud.peers.summary is None
    assert loud.snapshot() == quiet.snapshot()


@pytest.fixture
def peers() -> Peers:
    return Peers(["run_time", "power"], shifts=True, starts=True)


def test_what_is_subtracted_is_bounded_in_size_and_time(peers: Peers) -> None:
    peers.hear(entry(100, power=Common(peers=9, shift=-5.0, shift_spread=0.5)))
    assert peers.moved(0, 101 * DAY, 1.0).shift == 0.0
    assert peers.moved(1, 101 * DAY, 1.0) == (-3.0, 0.25)
    assert peers.moved(1, 101 * DAY, 10.0).shift == -5.0
    shares = []
    for day in range(104, 170, 4):
        # It is told again and again, and so never stale.
        peers.hear(entry(day, power=Common(peers=9, shift=-5.0, shift_spread=0.5)))
        shares.append(-peers.moved(1, day * DAY, 1.0).shift / 3.0)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert 0 < shares[10] < 1
    assert shares[-1] == 0.0


def test_a_movement_that_ended_begins_anew(peers: Peers) -> None:
    for day in range(100, 160, 4):
        peers.hear(entry(day, power=Common(peers=9, shift=2.0)))
    peers.hear(entry(160))
    assert peers.moved(1, 160 * DAY, 1.0).shift == 0.0
    peers.hear(entry(170, power=Common(peers=9, shift=2.0)))
    assert peers.moved(1, 171 * DAY, 1.0).shift == 2.0


def test_an_old_reference_says_nothing(peers: Peers) -> None:
    peers.hear(entry(100, power=Common(peers=9, shift=2.0, level=0.3)))
    assert peers.moved(1, 108 * DAY, 1.0).shift == 2.0
    assert peers.moved(1, 109 * DAY, 1.0).shift == 0.0
    assert peers.level(1, 109 * DAY, 1.0, 1.5) == (0.0, 1.5)


def test_the_level_of_peers_is_no_farther_than_the_catalogue_allows(peers: Peers) -> None:
    peers.hear(entry(100, power=Common(peers=8, level=4.0, level_spread=0.1)))
    level, doubt = peers.level(1, 100 * DAY, 1.0, 1.5)
    assert level == 1.0
    # Half of the catalogue's spread at least, one eighth more for eight peers, and what conditions leave in doubt.
    assert doubt == pytest.approx(0.25 * 1.125 + 0.5)
    assert peers.level(0, 100 * DAY, 1.0, 1.5) == (0.0, 1.5)


def test_an_entry_that_says_nothing_changes_nothing(peers: Peers) -> None:
    peers.hear(entry(100, power=Common(peers=9, shift=2.0)))
    for body in ({}, {"day": "x", "features": {}}, {"day": 1, "features": {"power": {"peers": 0}}}):
        strange = ControlEntry(id="2", device=KEY, kind=ControlKind.COHORT_REFERENCE, at=0, body=body)
        peers.hear(strange)
    assert peers.moved(1, 101 * DAY, 1.0).shift == 2.0
