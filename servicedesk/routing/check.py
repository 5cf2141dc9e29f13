"""Whether a plan keeps every constraint, worked out from the problem alone: no code is shared with the planners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from servicedesk.routing.problem import Job, Plan, Problem, Route, Shift

_TWO_HOURS = 7200
_HALF_HOUR = 1800


def violations(problem: Problem, plan: Plan) -> list[str]:
    """Every broken constraint in words; an empty list is a plan that can be carried out."""
    return [*_accounts(problem, plan), *(line for route in plan.routes for line in _route(problem, route))]


def _accounts(problem: Problem, plan: Plan) -> Iterator[str]:
    """Everything is served once or named with its reason; every shift has one route; confirmed visits are kept."""
    served = Counter(stop.job for route in plan.routes for stop in route.stops)
    named = Counter(each.job for each in plan.unserved)
    known = {job.id for job in problem.jobs}
    for name in sorted(known | served.keys() | named.keys()):
        if name not in known:
            yield f"{name}: nobody asked for it"
        elif served[name] + named[name] != 1:
            yield f"{name}: served {served[name]} times and named unserved {named[name]} times"
    for shift, count in Counter(route.shift for route in plan.routes).items():
        if count > 1:
            yield f"{shift}: has {count} routes"
    for job in problem.jobs:
        if job.pinned and not served[job.id]:
            yield f"{job.id}: was confirmed and is not in the plan"


def _route(problem: Problem, route: Route) -> Iterator[str]:
    shift = next((each for each in problem.shifts if each.id == route.shift), None)
    if shift is None or shift.technician != route.technician:
        yield f"{route.shift}: there is no such shift of {route.technician}"
        return
    jobs = {job.id: job for job in problem.jobs}
    for stop in route.stops:
        if stop.job in jobs:
            yield from (
                f"{stop.job}: {what}" for what in _stop(jobs[stop.job], shift, stop.window, stop.begin, stop.end)
            )
    for one, other in pairwise(route.stops):
        if other.window[0] < one.window[1]:
            yield f"{one.job}, {other.job}: their windows overlap"
    yield from _pauses(shift, route)
    yield from _way(problem, shift, route)


def _stop(job: Job, shift: Shift, window: tuple[int, int], begin: int, end: int) -> Iterator[str]:
    start, over = window
    if over - start != _TWO_HOURS:
        yield f"the window has {over - start} seconds"
    if (start, over) not in [(each[0], each[1]) for each in job.windows]:
        yield "this window was not to choose"
    if job.skill not in shift.skills:
        yield f"{shift.technician} has no valid skill {job.skill} in {shift.id}"
    if job.only is not None and shift.technician not in job.only:
        yield f"{shift.technician} has not got what it needs"
    if not start <= begin < over:
        yield "work begins outside its window"
    if end > over and begin > start + _HALF_HOUR:
        yield "work ends after its window and did not begin in its first half hour"
    if end - begin != job.seconds:
        yield f"work has {end - begin} seconds instead of {job.seconds}"
    if begin < shift.start or end > shift.end:
        yield f"work lies outside the shift {shift.id}"


def _pauses(shift: Shift, route: Route) -> Iterator[str]:
    if len(route.pauses) != len(shift.pauses):
        yield f"{shift.id}: {len(route.pauses)} pauses instead of {len(shift.pauses)}"
        return
    for (begin, end), pause in zip(route.pauses, shift.pauses, strict=True):
        if not pause.earliest <= begin <= pause.latest or end - begin != pause.seconds:
            yield f"{shift.id}: a pause is not when it should be"


def _way(problem: Problem, shift: Shift, route: Route) -> Iterator[str]:
    """Between two things a technician does there is time for the way, beside the pauses that fall between."""
    places = {job.id: job.place for job in problem.jobs}
    known = [stop for stop in route.stops if stop.job in places]
    # (when it ends, when the next begins, from, to)
    points: list[tuple[int, int, int | None]] = [(shift.start, shift.start, shift.home)]
    points += [(stop.begin, stop.end, places[stop.job]) for stop in known]
    points.append((shift.end, shift.end, shift.home))
    driven = 0
    for (_, left, here), (due, _, there) in pairwise(points):
        rest = sum(end - begin for begin, end in route.pauses if left <= begin and end <= due)
        way = 0 if here is None or there is None or not known else problem.legs[here][there]
        driven += way
        if left + way + rest > due:
            yield f"{shift.id}: {way} s of way and {rest} s of pause do not fit between {left} and {due}"
    for begin, end in route.pauses:
        if begin < shift.start or end > shift.end or any(begin < stop.end and stop.begin < end for stop in known):
            yield f"{shift.id}: a pause is interrupted"
    if driven != route.travel:
        yield f"{shift.id}: says {route.travel} s of travel, has {driven}"
