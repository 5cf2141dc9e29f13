"""The demo holds, by construction, one of each of the four cases that everybody should see."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from firmware_sim.fleet import Fleet
from firmware_sim.people_plan import Answer, plan
from firmware_sim.people_spec import NEIGHBOURS, PeopleSpec, Shows
from firmware_sim.scenario import Scenario, load_scenario
from firmware_sim.service import Visit, Window
from firmware_sim.wear import DAY, Fault
from servicedesk.money import price_list
from servicedesk.warranty import Cover, Facts, evaluate
from stack.demo_fleet import START, first_fault, make_fleet, warranty_of
from telemetry.clock import to_micros

SEEDS = (7,)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("demo")


@pytest.fixture(scope="module", params=SEEDS)
def fleet(request: pytest.FixtureRequest) -> Fleet:
    return make_fleet(request.param, to_micros(START))


def staged(fleet: Fleet, shows: Shows) -> Fault:
    """The fault of the scene that shows something."""
    (device,) = [each.device for each in fleet.scenario.people.scene if each.shows is shows]
    (fault,) = [each for each in fleet.truth() if each.device == f"demo/{device}"]
    return fault


def spec_of(scenario: Scenario) -> PeopleSpec:
    """People as the demo has them."""
    return msgspec.structs.replace(NEIGHBOURS, scene=scenario.people.scene)


def visit(device: str, hour: int) -> Visit:
    start = START + timedelta(days=1, hours=hour)
    window = Window(start, start + timedelta(hours=2))
    return Visit(id="v", ticket="t", device=device, family="f", window=window, state="proposed")


def test_there_is_one_scene_of_each(scenario: Scenario) -> None:
    assert sorted(each.shows for each in scenario.people.scene) == sorted(Shows)


def test_their_faults_have_begun_and_none_fails_in_the_first_week(fleet: Fleet) -> None:
    start = to_micros(START)
    for shows in Shows:
        fault = staged(fleet, shows)
        assert fault.onset <= start - 4 * DAY
        assert fault.failure >= start + 7 * DAY


def test_the_quote_is_needed_because_the_repair_is_dear_and_the_warranty_has_ended(fleet: Fleet) -> None:
    fault = staged(fleet, Shows.QUOTE)
    spec = fleet.catalogue["refrigerator"].faults[fault.fault]
    number = next(i for i, each in enumerate(fleet.devices) if each.key == fault.device)
    _, until = warranty_of(number, START)
    cover = evaluate(Facts(on=START.date(), until=until, component=spec.component))
    assert cover.cover is Cover.EXPIRED
    assert spec.price.high >= price_list().quote_from


@pytest.mark.parametrize("shows", [Shows.SELF_FIX, Shows.NO_FAULT_FOUND])
def test_what_the_owner_mends_has_a_guide(fleet: Fleet, shows: Shows) -> None:
    fault = staged(fleet, shows)
    assert fleet.catalogue["refrigerator"].faults[fault.fault].self_fix


@pytest.mark.parametrize("hour", range(0, 48, 2))
def test_people_do_what_their_scene_wants_whenever_the_visit_is(scenario: Scenario, hour: int) -> None:
    spec, read = spec_of(scenario), to_micros(START)
    for scene in scenario.people.scene:
        one = visit(f"demo/{scene.device}", hour)
        first, second = (plan(7, one, read, spec, first=each) for each in (True, False))
        assert first.answer is second.answer is Answer.CONFIRM
        assert (first.finds, first.fits, second.holds) == (True, True, True)
        assert first.holds == (scene.shows is not Shows.REOPENED)
        assert (first.self_fix is not None and first.guide_helps) == (
            scene.shows in {Shows.SELF_FIX, Shows.NO_FAULT_FOUND}
        )
        assert first.tells == (scene.shows is not Shows.NO_FAULT_FOUND)
        assert second.self_fix is None


def test_your_household_is_not_one_of_them(fleet: Fleet) -> None:
    assert fleet.scenario.people.shows(first_fault(fleet).device) is None
