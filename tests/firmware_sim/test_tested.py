"""The catalogue's tables of self-tests say what the simulated appliances' test routines measure."""

from __future__ import annotations

import msgspec
import pytest

from firmware_sim import tested as table
from firmware_sim.physics import simulated_kinds
from telemetry.catalogue import KindSpec, load_catalogue
from telemetry.catalogue.load import reference_problems
from telemetry.catalogue.measure import LEVELS, MeasureSpec, reading
from telemetry.catalogue.text import Text


@pytest.mark.parametrize(
    "kind", [kind if kind == "freezer" else pytest.param(kind, marks=pytest.mark.long) for kind in simulated_kinds()]
)
def test_the_page_agrees_with_the_mechanisms(kind: str) -> None:
    page = load_catalogue()[kind]
    found = table.tested(page)
    assert set(page.self_test) == set(found.healthy)
    for name, measure in page.self_test.items():
        assert measure.healthy == pytest.approx(found.healthy[name], rel=0.01, abs=0.2 * measure.spread), name
        assert measure.spread == pytest.approx(found.spread[name], rel=0.1), name
    assert {name: set(fault.self_test) for name, fault in page.faults.items()} == {
        name: set(moved) for name, moved in found.faults.items()
    }
    for name, moved in found.faults.items():
        for quantity, course in moved.items():
            told = page.faults[name].self_test[quantity]
            assert told == pytest.approx(course, rel=0.01, abs=0.2 * page.self_test[quantity].spread), (name, quantity)


def test_readings_go_straight_between_the_levels() -> None:
    measure = MeasureSpec(unit="W", title=Text(zh="", en=""), healthy=100.0, spread=1.0, low=0.0, high=200.0)
    course = (80.0, 60.0, 50.0, 0.0)
    assert [reading(measure, course, level) for level in LEVELS] == list(course)
    assert reading(measure, course, 0.0) == 100.0
    assert reading(measure, course, 0.125) == pytest.approx(90.0)
    assert reading(measure, course, 0.875) == pytest.approx(25.0)
    assert reading(measure, course, 1.4) == 0.0


def test_a_wrong_table_is_named() -> None:
    page = load_catalogue()["freezer"]
    fault = page.faults["evaporator_fan_wear"]

    def problems(kind: KindSpec) -> list[str]:
        return [f"{key}: {detail}" for key, detail in reference_problems(kind)]

    def changed(course: dict[str, tuple[float, float, float, float]]) -> KindSpec:
        faults = page.faults | {"evaporator_fan_wear": msgspec.structs.replace(fault, self_test=course)}
        return msgspec.structs.replace(page, faults=faults)

    assert problems(page) == []
    assert any(
        each.startswith("faults.evaporator_fan_wear.self_test.fan_sped: is not one of")
        for each in problems(changed({"fan_sped": (1, 1, 1, 1)}))
    )
    assert "must lie between" in "".join(problems(changed({"fan_speed_rpm": (1, 1, 1, -1e9)})))
    silent = msgspec.structs.replace(page, self_test={})
    assert any("measures nothing" in each for each in problems(silent))
    twice = page.self_test | {next(iter(page.features)): page.self_test["fan_speed_rpm"]}
    assert any("one name" in each for each in problems(msgspec.structs.replace(page, self_test=twice)))
