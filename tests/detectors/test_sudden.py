"""Fast faults: evidence counts by its size, beyond what something innocent explains."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from detectors.bank import Bank
from detectors.cyclic_state import Stand
from detectors.decision import Track
from detectors.diagnosis import signatures_of
from detectors.engine import Observation
from detectors.episodes import DAY, HOUR, Episode
from detectors.measured import Measured
from detectors.sudden import SuddenFaults
from firmware_sim.entries import FaultEntry, FleetEntry
from firmware_sim.fleet import Fleet
from firmware_sim.scenario import Scenario
from telemetry.catalogue import load_catalogue
from telemetry.finding import Cause, Finding, Proof
from telemetry.identity import DeviceKey
from tests.detectors.streams import START

LEAST, CYCLES = 4.0, 6
"""Six cycles at four deviations: two at seven carry as much, and one at fourteen twice as much."""
DAMPER, GASKET = "damper_stuck", "door_gasket_leak"


class Watched:
    """The test of a kind's fast faults, fed with cycles that look exactly like one cause."""

    def __init__(self, kind: str) -> None:
        page = load_catalogue()[kind]
        self.signatures = {one.cause: one for one in signatures_of(page, relative=False)}
        several = list(self.signatures.values())
        self.sudden = SuddenFaults(page, several, Measured(page, several), LEAST, CYCLES)
        self.tracks = {one.family: Track() for one in several if one.family is not None}
        self.hour = 0

    def cycle(self, cause: str, score: float, amount: float = 1.0, *, known: bool = True) -> None:
        """One cycle in which a cause has come so far, and fits with such a score."""
        moving = self.signatures[cause].moving
        one = Stand(len(self.signatures[cause].size))
        one.x = [[1.0] for _ in one.z_far]
        # As many deviations in each feature that moves: their sum counts less for being correlated.
        by = score * math.sqrt(0.7 / len(moving) + 0.3)
        for i, size in moving if known else ():
            one.z_far[i] = math.copysign(by, size)
            one.sd_far[i] = abs(size) * amount / by
        self.hour += 1
        self.sudden.judge(self.tracks, self.hour * HOUR, one, lambda _: 1.0)

    def opens(self, family: str, factor: float = 1.0) -> bool:
        return self.sudden.opens(self.tracks[family], factor)


def test_two_cycles_carry_what_six_smaller_ones_do() -> None:
    fridge = Watched("refrigerator")
    for _ in range(CYCLES - 1):
        fridge.cycle(DAMPER, 4.01)
        assert not fridge.opens("air_damper")
    fridge.cycle(DAMPER, 4.01)
    assert fridge.opens("air_damper")
    quick = Watched("refrigerator")
    quick.cycle(DAMPER, 7.0)
    assert not quick.opens("air_damper")
    quick.cycle(DAMPER, 7.0)
    assert quick.opens("air_damper")
    assert not quick.opens("air_damper", 1.5)
    assert quick.tracks["air_damper"].sudden.since == HOUR


def test_one_cycle_alone_carries_twice_as_much() -> None:
    fridge = Watched("refrigerator")
    fridge.cycle(DAMPER, 13.8)
    assert not fridge.opens("air_damper")
    fridge = Watched("refrigerator")
    fridge.cycle(DAMPER, 13.9)
    assert fridge.opens("air_damper")


def test_a_usual_cycle_begins_anew_and_one_that_cannot_tell_is_passed_over() -> None:
    fridge = Watched("refrigerator")
    fridge.cycle(DAMPER, 7.0)
    fridge.cycle(DAMPER, 0.5)
    fridge.cycle(DAMPER, 7.0)
    assert not fridge.opens("air_damper")
    fridge.cycle(DAMPER, 9.0, known=False)
    fridge.cycle(DAMPER, 7.0)
    assert fridge.opens("air_damper")
    fridge.tracks["air_damper"].reset()
    assert not fridge.opens("air_damper")


def test_what_takes_weeks_is_not_believed_in_two_cycles() -> None:
    fridge = Watched("refrigerator")
    for _ in range(3):
        fridge.cycle(GASKET, 15.0)
    assert not any(fridge.opens(family) for family in fridge.tracks)
    fridge.cycle(DAMPER, 8.0)
    fridge.cycle(GASKET, 15.0)
    fridge.cycle(DAMPER, 8.0)
    assert not fridge.opens("air_damper")


@pytest.mark.parametrize(("cause", "opens"), [("low_voltage", False), ("element_open_circuit", True)])
def test_low_mains_take_a_quarter_of_a_heaters_power_and_a_broken_element_half(cause: str, *, opens: bool) -> None:
    heater = Watched("water_heater")
    heater.cycle(cause, 17.0)
    heater.cycle(cause, 17.0)
    assert heater.opens("heating_element") == opens


def test_a_fault_of_weeks_is_unlikely_to_stand_out_at_once() -> None:
    heater = Watched("water_heater")
    track = heater.tracks["heating_element"]
    assert heater.sudden.causes("heating_element", track, {"element_scale": 2.0}, 1.0) == {"element_scale": 2.0}
    heater.cycle("element_open_circuit", 17.0)
    heater.cycle("element_open_circuit", 17.0)
    told = heater.sudden.causes("heating_element", track, {"element_scale": 2.0}, 1.0)
    assert told == {"element_scale": pytest.approx(0.2)}


def played(kind: str, fault: str, days: float, seed: int) -> tuple[list[Finding], int, int]:
    """Episodes of one appliance with a fault that begins late, its onset and its failure."""
    page = load_catalogue()[kind]
    scenario = Scenario(
        id="sudden",
        title="one fast fault",
        fleet=(FleetEntry(kind=kind, count=1),),
        fault=(FaultEntry(fault=f"{kind}.{fault}", day=days - 1.5, lead_days=page.faults[fault].lead_days[1]),),
    )
    fleet = Fleet(scenario, seed, START)
    detector = Bank(fleet.catalogue)(DeviceKey("bench", "one"), page)
    found: list[Finding] = []
    for number, body in enumerate(fleet.advance(START + round(days * DAY)), start=1):
        n = max((np.asarray(x, np.float32).size for x in body.q.values()), default=0)
        rows = [np.broadcast_to(np.asarray(body.q.get(name, np.nan), np.float32), n) for name in page.channels]
        t = body.t + (body.dt or 0) * np.arange(max(n, 1), dtype=np.int64)
        found += detector.observe(Observation(1, number, t, body.phase, np.stack(rows, axis=1), body.events))
    truth = fleet.truth()[0]
    return [one for one in found if one.revision == 0], truth.onset, truth.failure


@pytest.mark.parametrize("seed", [11, 12])
def test_a_damper_that_jams_within_half_a_day_is_told_before_the_food_is_warm(seed: int) -> None:
    episodes, onset, failure = played("refrigerator", DAMPER, 6.0, seed)
    assert [one.family for one in episodes] == ["air_damper"]
    first = episodes[0]
    assert onset < first.opened < failure
    assert first.causes[0].fault == DAMPER
    assert first.onset_low <= onset <= first.onset_high
    assert first.score > 0.99


def test_an_appliance_whose_fast_fault_may_be_over_opens_no_second_family() -> None:
    episodes, _, _ = played("refrigerator", DAMPER, 6.0, 11)
    finding = msgspec.structs.replace(episodes[0], causes=(Cause(DAMPER, 0.9, ()), Cause("unknown", 0.1, ())))
    sudden, lead = Watched("refrigerator").sudden, round(0.1 * DAY)
    assert not sudden.over(Episode(finding, finding.opened), finding.onset + lead - 1)
    assert sudden.over(Episode(finding, finding.opened), finding.onset + lead)
    mended = msgspec.structs.replace(finding, proof=Proof.PROVING)
    assert not sudden.over(Episode(mended, finding.opened), finding.onset + DAY)
    slow = msgspec.structs.replace(finding, causes=(Cause(GASKET, 0.9, ()),))
    assert not sudden.over(Episode(slow, finding.opened), finding.onset + 90 * DAY)
