"""The device's own test tells causes apart; and what every detector owes to such an answer."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest

from detectors.diagnosis import UNKNOWN
from detectors.self_test import Heard, SelfTests
from telemetry.catalogue.measure import reading
from telemetry.clock import MICROS
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Cause, Finding
from tests.detectors.streams import DAY, KEY, KINDS, LONG, catalogue, faulty, fresh

every_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.long) if kind in LONG else kind for kind in KINDS]
)


def measured(kind: str, fault: str | None, level: float = 0.5) -> dict[str, float]:
    """What the test of a usual unit of a kind reads, with or without a fault."""
    page = catalogue()[kind]
    course = page.faults[fault].self_test if fault is not None else {}
    return {
        name: reading(measure, course[name], level) if name in course else measure.healthy
        for name, measure in page.self_test.items()
    }


def weighed(
    kind: str, shares: dict[str, float], values: dict[str, float], *, age_days: float = 0.0
) -> dict[str, float]:
    """Probabilities with an answer in mind."""
    page = catalogue()[kind]
    family = page.faults[next(name for name in shares if name != UNKNOWN)].family
    heard = Heard(tuple(Cause(name, p) for name, p in shares.items()), (), 0.0, DAY, values)
    told = SelfTests(page).weigh(family, heard, DAY + round(age_days * DAY), 0)
    assert sum(cause.probability for cause in told.causes) == pytest.approx(1)
    assert [c.probability for c in told.causes] == sorted((c.probability for c in told.causes), reverse=True)
    return {cause.fault: cause.probability for cause in told.causes}


def test_two_causes_of_a_family_are_told_apart_either_way() -> None:
    even = {"condenser_fan_wear": 0.45, "condenser_dust": 0.45, UNKNOWN: 0.1}
    fan = weighed("refrigerator", even, measured("refrigerator", "condenser_fan_wear"))
    dust = weighed("refrigerator", even, measured("refrigerator", "condenser_dust"))
    assert fan["condenser_fan_wear"] > 0.95
    assert dust["condenser_dust"] > 0.95


def test_an_answer_that_bears_a_cause_out_ends_the_abstention_and_a_healthy_one_does_not() -> None:
    doubtful = {"evaporator_fan_wear": 0.4, UNKNOWN: 0.6}
    assert weighed("freezer", doubtful, measured("freezer", "evaporator_fan_wear", 0.3))["evaporator_fan_wear"] > 0.9
    assert weighed("freezer", doubtful, measured("freezer", None))["evaporator_fan_wear"] < 0.1


def test_a_fault_of_another_family_is_named_when_the_answer_shows_it() -> None:
    found = weighed(
        "freezer", {"evaporator_fan_wear": 0.6, UNKNOWN: 0.4}, measured("freezer", "defrost_heater_open", 1.0)
    )
    assert max(found, key=lambda name: found[name]) == "defrost_heater_open"
    # No single quantity decides alone, whatever it reads.
    assert found["evaporator_fan_wear"] > 1e-6


def test_a_test_between_two_bursts_says_little() -> None:
    shares = {"compressor_start_relay": 0.8, UNKNOWN: 0.2}
    assert weighed("freezer", shares, measured("freezer", None))["compressor_start_relay"] > 0.7


def test_what_the_test_cannot_see_is_not_ruled_out_by_a_healthy_answer() -> None:
    shares = {"thermistor_drift": 0.6, UNKNOWN: 0.4}
    assert weighed("freezer", shares, measured("freezer", None))["thermistor_drift"] > 0.6


def test_an_old_answer_counts_less_and_one_from_before_the_onset_not_at_all() -> None:
    shares = {"evaporator_fan_wear": 0.6, UNKNOWN: 0.4}
    values = measured("freezer", None)
    young, old = (weighed("freezer", shares, values, age_days=age)["evaporator_fan_wear"] for age in (0.0, 40.0))
    assert young < old < 0.6
    page = catalogue()["freezer"]
    heard = Heard(tuple(Cause(name, p) for name, p in shares.items()), (), 0.0, DAY, values)
    assert SelfTests(page).weigh("cold_air_flow", heard, DAY, DAY + 1).causes == heard.causes


def test_reasons_and_what_was_ruled_out_can_be_read() -> None:
    page = catalogue()["freezer"]
    heard = Heard((Cause("defrost_heater_open", 0.5), Cause(UNKNOWN, 0.5)), (), 0.0, DAY)
    heard.values = measured("freezer", "defrost_heater_open", 1.0)
    told = SelfTests(page).weigh("defrost", heard, DAY, 0)
    assert told.causes[0].reasons == (("heater_power_w", 0.0, page.self_test["heater_power_w"].healthy),)
    out = {each.cause: each for each in told.rejected}
    assert out["evaporator_fan_wear"].feature == "fan_speed_rpm"
    assert out["evaporator_fan_wear"].expected < 0.7 * out["evaporator_fan_wear"].value


@cache
def opened(kind: str) -> tuple[bytes, Finding, int]:
    """A detector's state when the kind's episode opens, its finding, and the place of the next message."""
    detector = fresh(kind)
    for place, message in enumerate(faulty(kind), 1):
        found = detector.observe(message)
        if found:
            return detector.snapshot(), found[-1], place
    raise AssertionError(kind)


def answered(finding: Finding, values: dict[str, Any], at: int | None = None, status: str = "ok") -> ControlEntry:
    return ControlEntry(
        id="00000000-0000-0000-0000-000000000002",
        device=KEY,
        kind=ControlKind.SELF_TEST,
        at=finding.observed + 60 * MICROS if at is None else at,
        body={"status": status, "values": values, "error": ""},
    )


@every_kind
def test_an_answer_then_a_restart_equals_no_restart(kind: str) -> None:
    state, finding, place = opened(kind)
    first = finding.causes[0].fault
    page = catalogue()[kind]
    values = measured(kind, first if first in page.faults else None) if page.self_test else {"fan_speed_rpm": 1.0}
    whole, other = fresh(kind), fresh(kind)
    for each in (whole, other):
        each.restore(state)
    told = whole.control(answered(finding, values))
    assert other.control(answered(finding, values)) == told
    assert [each.revision for each in told] == ([finding.revision + 1] if page.self_test else [])
    for new in told:
        assert sum(cause.probability for cause in new.causes) == pytest.approx(1)
        assert new.observed == finding.observed + 60 * MICROS
        assert new.life_low is not None
        assert new.life_high is not None
        assert 0 < new.life_low < new.life_high
    again = fresh(kind)
    again.restore(other.snapshot())
    later = faulty(kind)[place : place + 200]
    found = [each for message in later for each in whole.observe(message)]
    assert [each for message in later for each in again.observe(message)] == found
    assert again.snapshot() == whole.snapshot()


@every_kind
def test_what_is_no_answer_to_the_episode_changes_nothing(kind: str) -> None:
    state, finding, _ = opened(kind)
    healthy: dict[str, Any] = measured(kind, None)
    name = next(iter(healthy), "fan_speed_rpm")
    none: list[ControlEntry] = [
        answered(finding, healthy, finding.onset - 1),
        answered(finding, healthy, status="error"),
        answered(finding, {"invented_by_the_firmware": 3.0}),
        answered(finding, {name: math.nan}),
        answered(finding, {name: 1e30}),
        answered(finding, {name: "fast"}),
        answered(finding, {name: None}),
    ]
    detector = fresh(kind)
    detector.restore(state)
    for entry in none:
        assert detector.control(entry) == []
    assert detector.snapshot() == state
    idle = fresh(kind)
    before = idle.snapshot()
    assert idle.control(answered(finding, healthy)) == []
    assert idle.snapshot() == before


@every_kind
def test_unknown_quantities_beside_known_ones_are_ignored(kind: str) -> None:
    state, finding, _ = opened(kind)
    values = measured(kind, None)
    one, other = fresh(kind), fresh(kind)
    for each in (one, other):
        each.restore(state)
    assert one.control(answered(finding, values)) == other.control(answered(finding, values | {"invented": 1.0}))
    assert one.snapshot() == other.snapshot()
