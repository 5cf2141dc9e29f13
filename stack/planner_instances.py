"""Planning problems from a seed: a city with districts, people with skills and shifts, visits with their limits."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from servicedesk.routing.greedy import GreedyPlanner
from servicedesk.routing.problem import Blocking, Job, Pause, Problem, Shift, Span, last_start
from servicedesk.travel import CITY, Place

_CENTRE = Place(31.23, 121.47)
_KM = 1 / 111.2
"""Degrees of latitude in a kilometre."""
_MONDAY = 1_772_409_600
"""2 March 2026, midnight in Shanghai as seconds since 1970."""
_DAY = 86_400
_HOURS = (8, 10, 12, 14, 16, 18)
_SKILLS = ("cooling", "laundry", "hydraulics", "appliances")
_SHIFTS = ((8, 16), (8, 17), (9, 18), (10, 18), (12, 20), (8, 20))
_MINUTES = (60, 60, 60, 70, 75, 90, 120)
_WEIGHTS = (60, 40, 30, 30, 20, 20, 20)
_AHEAD = 7
# How often a technician loses a skill, is away for a day or some hours; a visit waits for a part, has little life left.
_EXPIRES, _AWAY, _ERRAND, _PART, _LIFE = 0.2, 0.15, 0.08, 0.12, 0.15


@dataclass(frozen=True, slots=True)
class Size:
    """How large a problem is, and the share of its visits that owners have confirmed before."""

    visits: int = 200
    technicians: int = 15
    days: int = 4
    confirmed: float = 0.15


def instance(size: Size, seed: int) -> Problem:
    """A problem. Visits cluster in districts, and each district has its own mix of appliances.

    Args:
        size: visits, technicians and days.
        seed: the same one gives the same problem.
    """
    rng = random.Random(seed)  # noqa: S311  (no secret)
    districts = [
        (Place(_CENTRE.latitude + rng.gauss(0, 9) * _KM, _CENTRE.longitude + rng.gauss(0, 10) * _KM), rng.uniform(1, 4))
        for _ in range(max(4, size.technicians * 2 // 3))
    ]
    mixes = [[rng.uniform(0.3, 1.7) for _ in _SKILLS] for _ in districts]
    homes = [_near(rng, rng.choice(districts)[0], 4.0) for _ in range(size.technicians)]
    numbers = rng.choices(range(len(districts)), k=size.visits)
    places = [_near(rng, *districts[number]) for number in numbers]
    shifts = tuple(shift for number in range(size.technicians) for shift in _shifts(rng, number, size.days))
    jobs = tuple(
        _job(rng, number, size.technicians + number, mixes[district], size.days)
        for number, district in enumerate(numbers)
    )
    problem = Problem(jobs=jobs, shifts=shifts, legs=CITY.matrix([*homes, *places]))
    return _confirmed(problem, rng, round(size.visits * size.confirmed))


def _near(rng: random.Random, middle: Place, km: float) -> Place:
    return Place(middle.latitude + rng.gauss(0, km) * _KM, middle.longitude + rng.gauss(0, km * 1.17) * _KM)


def _shifts(rng: random.Random, number: int, days: int) -> list[Shift]:
    """A person's days: a day off, perhaps a holiday or an appointment, perhaps a skill that expires."""
    skills = frozenset(skill for place, skill in enumerate(_SKILLS) if number % 3 == 0 or (place + number) % 3)
    off, (start, end) = number % 7, _SHIFTS[number % len(_SHIFTS)]
    expiring, last_day = rng.choice(sorted(skills)), rng.randrange(days) if rng.random() < _EXPIRES else days
    away = rng.randrange(days) if rng.random() < _AWAY else days
    made = []
    for day in range(days):
        midnight = _MONDAY + day * _DAY
        if day % 7 == off or day == away:
            continue
        noon = midnight + (start + 3) * 3600
        pauses = [Pause(earliest=noon, latest=noon + 2 * 3600, seconds=1800)]
        if rng.random() < _ERRAND:
            at = midnight + (end - 3) * 3600
            pauses.append(Pause(earliest=at, latest=at, seconds=3600))
        made.append(
            Shift(
                id=f"t{number:03}/{day}",
                technician=f"t{number:03}",
                start=midnight + start * 3600,
                end=midnight + end * 3600,
                home=number,
                skills=skills - {expiring} if day > last_day else skills,
                pauses=tuple(pauses),
            )
        )
    return made


def _job(rng: random.Random, number: int, place: int, mix: list[float], days: int) -> Job:
    earliest = _MONDAY + rng.randint(0, 10) * 3600
    latest, without = _MONDAY + days * _DAY, None
    if rng.random() < _PART:
        earliest, without = _MONDAY + rng.randrange(days + 1) * _DAY, Blocking.PART
    if rng.random() < _LIFE:
        latest, without = _MONDAY + rng.randrange(1, days + _AHEAD) * _DAY, without or Blocking.REMAINING_LIFE
    # A third is at home at any time, a third at certain hours, a third on certain days.
    habit = rng.choice(("any", "hours", "days"))
    hours = rng.choice((_HOURS[:3], _HOURS[3:], _HOURS[4:], _HOURS[1:5])) if habit == "hours" else _HOURS
    chosen = sorted(rng.sample(range(days), max(1, days // 2))) if habit == "days" else range(days)
    begins = [_MONDAY + day * _DAY + hour * 3600 for day in chosen for hour in hours]
    windows = tuple(Span(begin, begin + 7200) for begin in begins if earliest <= begin and begin + 7200 <= latest)
    return Job(
        id=f"v{number:04}",
        place=place,
        seconds=60 * rng.choice(_MINUTES),
        skill=rng.choices(_SKILLS, mix)[0],
        weight=rng.choice(_WEIGHTS),
        windows=windows,
        without=without,
    )


def _confirmed(problem: Problem, rng: random.Random, count: int) -> Problem:
    """Some visits were planned and confirmed before the others came."""
    early = replace(problem, jobs=tuple(rng.sample(problem.jobs, min(count, len(problem.jobs)))))
    fixed = GreedyPlanner().plan(early).stops()
    jobs = tuple(
        replace(job, windows=(fixed[job.id][1].window,), only=frozenset({fixed[job.id][0]}), pinned=True)
        if job.id in fixed
        else job
        for job in problem.jobs
    )
    return replace(problem, jobs=jobs)


def bound(problem: Problem) -> int:
    """Visits that some technician could do if there were no others: no plan serves more."""
    return sum(
        any(
            job.skill in shift.skills
            and (job.only is None or shift.technician in job.only)
            and any(
                last_start(window, job.seconds) >= shift.start
                and max(window.start, shift.start) + job.seconds <= shift.end
                for window in job.windows
            )
            for shift in problem.shifts
        )
        for job in problem.jobs
    )
