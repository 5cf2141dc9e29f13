"""Routes: every plan of both planners can be carried out, and the checker finds each kind of broken one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicedesk.routing.check import violations
from servicedesk.routing.greedy import GreedyPlanner
from servicedesk.routing.problem import (
    LEAST,
    SAFETY,
    WINDOW,
    Blocking,
    Job,
    Pause,
    Plan,
    Planner,
    Problem,
    Shift,
    Span,
    Unserved,
    value,
)
from servicedesk.routing.turns import in_turn
from servicedesk.routing.vroom_planner import VroomPlanner
from servicedesk.travel import CITY, CrowFlies, Place
from stack.planner_instances import Size, bound, instance

HOUR = 3600
NOON = 12 * HOUR
PLANNERS: list[Planner] = [VroomPlanner(), GreedyPlanner()]


def window(hour: float) -> Span:
    return Span(round(hour * HOUR), round(hour * HOUR) + WINDOW)


def job(name: str = "a", place: int = 1, *, hours: tuple[float, ...] = (8, 10), **changes: object) -> Job:
    given: dict[str, object] = {
        "id": name,
        "place": place,
        "seconds": LEAST,
        "skill": "cooling",
        "weight": 20,
        "windows": tuple(map(window, hours)),
    } | changes
    return Job(**given)  # type: ignore[arg-type]


def shift(name: str = "s", technician: str = "li", **changes: object) -> Shift:
    given: dict[str, object] = {
        "id": name,
        "technician": technician,
        "start": 8 * HOUR,
        "end": 18 * HOUR,
        "home": 0,
        "skills": frozenset({"cooling"}),
    } | changes
    return Shift(**given)  # type: ignore[arg-type]


def problem(jobs: list[Job], shifts: list[Shift], way: int = 600, places: int = 6) -> Problem:
    legs = tuple(tuple(0 if a == b else way for b in range(places)) for a in range(places))
    return Problem(jobs=tuple(jobs), shifts=tuple(shifts), legs=legs)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize(
    ("blocking", "given"),
    [
        (Blocking.SKILL, problem([job(skill="pump")], [shift()])),
        (Blocking.SKILL, problem([job(only=frozenset({"wang"}))], [shift()])),
        (Blocking.PART, problem([job(hours=(), without=Blocking.PART)], [shift()])),
        (Blocking.REMAINING_LIFE, problem([job(hours=(), without=Blocking.REMAINING_LIFE)], [shift()])),
        (Blocking.WORKING_HOURS, problem([job(hours=(18, 20))], [shift()])),
        (Blocking.TRAVEL, problem([job()], [shift()], way=3 * HOUR)),
        (Blocking.DOUBLE_BOOKING, problem([job("a", hours=(8,)), job("b", 2, hours=(8,))], [shift()])),
    ],
)
def test_the_blocking_constraint_is_named(planner: Planner, blocking: Blocking, given: Problem) -> None:
    plan = planner.plan(given)
    assert violations(given, plan) == []
    assert [each.blocking for each in plan.unserved] == [blocking]


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_confirmed_visit_stays_and_an_emergency_goes_around_it(planner: Planner) -> None:
    confirmed = job("z", 1, hours=(10,), pinned=True, only=frozenset({"li"}), weight=10)
    urgent = job("u", 2, hours=(10,), weight=99)
    shifts = [shift("s", "li"), shift("t", "wang")]
    with_other = problem([urgent, confirmed], shifts)
    plan = planner.plan(with_other)
    assert violations(with_other, plan) == []
    stops = plan.stops()
    assert stops["z"][0] == "li"
    assert stops["z"][1].window == window(10)
    assert stops["u"][0] == "wang"
    alone = problem([urgent, confirmed], shifts[:1])
    plan = planner.plan(alone)
    assert plan.stops().keys() == {"z"}
    assert plan.unserved == (Unserved("u", Blocking.DOUBLE_BOOKING),)


@pytest.mark.parametrize("planner", PLANNERS)
def test_safety_comes_before_the_rest(planner: Planner) -> None:
    given = problem([job("a", 1, hours=(8,), weight=20), job("b", 2, hours=(8,), weight=60)], [shift()])
    assert planner.plan(given).stops().keys() == {"b"}


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_break_is_taken_on_the_way_and_never_within_work(planner: Planner) -> None:
    noon = Pause(earliest=NOON - HOUR, latest=NOON, seconds=HOUR // 2)
    jobs = [job(name, place, hours=(hour,)) for name, place, hour in (("a", 1, 8), ("b", 2, 10), ("c", 3, 12))]
    given = problem(jobs, [shift(pauses=(noon,))], way=1200)
    plan = planner.plan(given)
    assert violations(given, plan) == []
    assert plan.served == 3
    (rest,) = plan.routes[0].pauses
    assert noon.earliest <= rest.start <= noon.latest


def test_the_checker_finds_each_kind_of_broken_plan() -> None:
    noon = Pause(earliest=NOON - HOUR, latest=NOON, seconds=HOUR // 2)
    pinned = job("p", 3, hours=(14,), pinned=True, only=frozenset({"li"}))
    given = problem([job("a", 1, hours=(8,)), job("b", 2, hours=(10,)), pinned], [shift(pauses=(noon,))])
    plan = VroomPlanner().plan(given)
    assert violations(given, plan) == []
    route = plan.routes[0]
    first, second, third = route.stops

    def with_route(**changes: object) -> Plan:
        return Plan((replace(route, **changes),), plan.unserved)  # type: ignore[arg-type]

    late = replace(first, begin=first.begin + 2 * HOUR, end=first.end + 2 * HOUR)
    broken: list[tuple[str, Problem, Plan]] = [
        ("served 0 times", given, Plan((), ())),
        ("was confirmed", given, Plan((), tuple(Unserved(n, Blocking.SKILL) for n in "abp"))),
        ("served 1 times and named unserved 1", given, Plan(plan.routes, (Unserved("a", Blocking.SKILL),))),
        ("nobody asked", given, with_route(stops=(replace(first, job="x"), second, third))),
        ("begins outside its window", given, with_route(stops=(late, second, third))),
        ("not to choose", given, with_route(stops=(replace(first, window=window(9)), second, third))),
        ("no valid skill", replace(given, shifts=(shift(pauses=(noon,), skills=frozenset()),)), plan),
        ("outside the shift", replace(given, shifts=(shift(pauses=(noon,), start=9 * HOUR),)), plan),
        ("do not fit", problem(list(given.jobs), list(given.shifts), way=4000), plan),
        ("pauses instead of", given, with_route(pauses=())),
        ("not when it should be", given, with_route(pauses=(Span(NOON + HOUR, NOON + HOUR + 1800),))),
        ("is interrupted", given, with_route(pauses=(Span(second.begin, second.begin + 1800),))),
        ("of travel", given, with_route(travel=0)),
        ("no such shift", given, with_route(technician="wang")),
        ("has 2 routes", given, Plan((route, route), ())),
        ("windows overlap", given, with_route(stops=(first, replace(second, window=window(9)), third))),
        ("instead of 3600", given, with_route(stops=(replace(first, end=first.end + 1), second, third))),
    ]
    for words, asked, wrong in broken:
        assert any(words in line for line in violations(asked, wrong)), words
    other = replace(given, jobs=(*given.jobs[:2], replace(pinned, only=frozenset({"wang"}))))
    assert any("has not got" in line for line in violations(other, plan))


small = st.builds(
    lambda seed, visits, people, days: instance(Size(visits, people, days, 0.2), seed),
    st.integers(0, 10_000),
    st.integers(1, 14),
    st.integers(1, 3),
    st.integers(1, 2),
)


@settings(max_examples=25, deadline=None)
@given(given=small)
def test_no_plan_breaks_a_constraint_and_vroom_is_never_behind_the_baseline(given: Problem) -> None:
    vroom, greedy = (planner.plan(given) for planner in PLANNERS)
    assert violations(given, vroom) == []
    assert violations(given, greedy) == []
    assert value(given, vroom).key >= value(given, greedy).key
    assert vroom.served <= bound(given)
    turned = in_turn(given, vroom)
    assert violations(given, turned) == []
    safe = {each.id for each in given.jobs if each.weight >= SAFETY}
    assert len(safe & turned.stops().keys()) >= len(safe & vroom.stops().keys())


def test_one_of_safety_takes_the_place_of_as_many_as_are_in_the_way() -> None:
    """Lighter visits may outweigh it as a sum; a lesser severity clears nobody away."""
    light = [job(name, hours=(hour,), weight=40) for name, hour in (("a", 8), ("b", 10), ("c", 12))]
    day = shift(start=8 * HOUR, end=14 * HOUR)
    plan = VroomPlanner().plan(problem(light, [day], way=300))
    assert plan.stops().keys() == {"a", "b", "c"}
    for weight, kept in ((SAFETY, {"d", "c"}), (SAFETY - 1, {"a", "b", "c"})):
        long = job("d", hours=(8,), weight=weight, seconds=3 * HOUR)
        with_it = problem([*light, long], [day], way=300)
        turned = in_turn(with_it, Plan(plan.routes, (Unserved("d", Blocking.DOUBLE_BOOKING),)))
        assert violations(with_it, turned) == []
        assert turned.stops().keys() == kept


def test_among_equals_the_tier_takes_the_place_and_a_confirmed_visit_gives_none_away() -> None:
    there, vip = job("a", hours=(8,), tier=1), job("b", hours=(8,))
    plan = GreedyPlanner().plan(problem([there], [shift()]))
    left = Plan(plan.routes, (Unserved("b", Blocking.DOUBLE_BOOKING),))
    assert in_turn(problem([there, vip], [shift()]), left).stops().keys() == {"b"}
    worse = replace(there, weight=30)
    assert in_turn(problem([worse, vip], [shift()]), left) is left
    pinned = replace(there, pinned=True)
    assert in_turn(problem([pinned, vip], [shift()]), left) is left


def _shuffled(given: Problem, seed: int) -> Problem:
    rng = random.Random(seed)
    jobs, shifts = rng.sample(given.jobs, len(given.jobs)), rng.sample(given.shifts, len(given.shifts))
    return replace(given, jobs=tuple(jobs), shifts=tuple(shifts))


def test_the_same_problem_gives_the_same_plan_in_any_order() -> None:
    given = instance(Size(60, 5, 3), 4)
    plan = VroomPlanner(0).plan(given)
    assert VroomPlanner(0, threads=1).plan(_shuffled(given, 1)) == plan
    assert violations(given, plan) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_hundred_visits_for_fifteen_technicians(seed: int) -> None:
    given = instance(Size(), seed)
    plan = VroomPlanner().plan(given)
    best = max(VroomPlanner(level).plan(given).served for level in (0, 2, 3))
    assert violations(given, plan) == []
    assert plan.served >= 0.99 * best
    assert VroomPlanner().plan(_shuffled(given, 2)) == plan


@pytest.mark.parametrize("ways", [CITY.between, lambda a, b: CITY.matrix([a, b])[0][1]])
def test_travel_times(ways: Callable[[Place, Place], int]) -> None:
    hongqiao, pudong = Place(31.1979, 121.3363), Place(31.1443, 121.8083)
    # 45.3 km as the crow flies, 1.3 times that by road, at 30 km/h.
    assert ways(hongqiao, pudong) == pytest.approx(45.3 * 1.3 / 30 * 3600 + 120, rel=0.01)
    assert ways(hongqiao, pudong) == ways(pudong, hongqiao)
    assert ways(hongqiao, hongqiao) == 0


def test_nobody_knows_the_way_to_an_unknown_place() -> None:
    own = CrowFlies(unknown=99)
    assert own.between(None, Place(0, 0)) == 99
    assert own.matrix([None, Place(0, 0), Place(0, 0)]) == ((0, 99, 99), (99, 0, 0), (99, 0, 0))
