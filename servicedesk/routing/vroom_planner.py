"""The planner over VROOM (Coupey, Nicod, Varnier, https://vroom-project.org): the only place that imports it.

VROOM decides who goes where in which order. Times of work and breaks are computed again here, visits it left out are
tried once more, and on small problems the baseline is tried as well and the better plan is taken.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import vroom

from servicedesk.routing.board import Board
from servicedesk.routing.greedy import GreedyPlanner, fill
from servicedesk.routing.problem import TOP, Blocking, Job, Plan, Problem, Shift, Span, last_start, value

_ONLY = "only:"
_LEVELS = ((12_000, (1, 2)), (24_000, (1,)))
"""Jobs x shifts, and how far VROOM explores up to there, the next only while visits are left for lack of time."""
_SMALL = 3_000
"""Jobs x shifts up to which the baseline costs next to nothing."""
_PROFILE = "car"


@dataclass(frozen=True, slots=True)
class VroomPlanner:
    """Plans by VROOM without a time limit: the same problem gives the same plan, on any number of threads.

    Attributes:
        exploration: 0 to 5, how long it searches; None chooses by the size of the problem and goes on where it must.
        threads: its searches run side by side; the best of all is taken, whichever ends first.
    """

    exploration: int | None = None
    threads: int = 2

    def plan(self, problem: Problem) -> Plan:
        """See `servicedesk.routing.problem.Planner`."""
        size = len(problem.jobs) * len(problem.shifts)
        levels = next((levels for most, levels in _LEVELS if size <= most), (0,))
        plan = self._explored(problem, levels[0] if self.exploration is None else self.exploration)
        for level in levels[1:] if self.exploration is None else ():
            if any(each.blocking is Blocking.DOUBLE_BOOKING for each in plan.unserved):
                plan = max(plan, self._explored(problem, level), key=lambda each: value(problem, each).key)
        pinned = {job.id for job in problem.jobs if job.pinned}
        lost = pinned - plan.stops().keys()
        if lost or size <= _SMALL:
            # Confirmed visits come first there, whatever they cost the others.
            other = GreedyPlanner().plan(problem)
            kept = len(pinned - other.stops().keys()) - len(lost)
            if kept < 0 or (kept == 0 and value(problem, other).key > value(problem, plan).key):
                return other
        return plan

    def _explored(self, problem: Problem, level: int) -> Plan:
        """What VROOM finds at a level, and what it left out tried once more."""
        board = Board(problem)
        jobs = sorted((job for job in problem.jobs if job.windows), key=lambda job: job.id)
        if jobs and problem.shifts:
            _enter(board, jobs, _solve(problem, jobs, level, self.threads))
        fill(board)
        return board.plan()


def _solve(problem: Problem, jobs: list[Job], level: int, threads: int) -> dict[str, list[tuple[str, int]]]:
    """For each shift its jobs in order, with the second at which the work begins."""
    shifts = sorted(problem.shifts, key=lambda shift: shift.id)
    zero = min(*(shift.start for shift in shifts), *(job.windows[0].start for job in jobs))
    skills = _numbers(jobs)
    given = vroom.Input()
    # A shift without a home begins and ends anywhere: a place next to every other, which is the last of the matrix.
    anywhere = len(problem.legs)
    given.set_durations_matrix(_PROFILE, np.pad(problem.legs, (0, 1)))
    pause = 0
    for number, shift in enumerate(shifts, 1):
        breaks = []
        for each in shift.pauses:
            pause += 1
            start = vroom.TimeWindow(each.earliest - zero, each.latest - zero)
            breaks.append(vroom.Break(pause, [start], each.seconds))
        given.add_vehicle(
            vroom.Vehicle(
                number,
                start=anywhere if shift.home is None else shift.home,
                end=anywhere if shift.home is None else shift.home,
                profile=_PROFILE,
                skills=_skills_of(shift, skills),
                time_window=vroom.TimeWindow(shift.start - zero, shift.end - zero),
                breaks=breaks,
            )
        )
    for number, job in enumerate(jobs, 1):
        begins = [vroom.TimeWindow(w.start - zero, last_start(w, job.seconds) - zero) for w in job.windows]
        given.add_job(
            vroom.Job(
                number,
                job.place,
                default_service=job.seconds,
                skills={skills[name] for name in _needs(job)},
                priority=TOP if job.pinned else min(job.weight, TOP - 1),
                time_windows=begins,
            )
        )
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    rows = given.solve(exploration_level=level, nb_threads=threads).routes
    names = ("type", "vehicle_id", "id", "arrival", "waiting_time")
    # A solution without any visit has no column of their numbers.
    columns = [rows[name] for name in names] if "id" in rows else [()] * len(names)
    for kind, vehicle, number, arrival, waiting in zip(*columns, strict=True):
        if kind == "job":
            begin = int(arrival) + int(waiting) + zero
            found[shifts[int(vehicle) - 1].id].append((jobs[int(number) - 1].id, begin))
    return found


def _enter(board: Board, jobs: list[Job], found: dict[str, list[tuple[str, int]]]) -> None:
    """Put VROOM's days on the board; a day that cannot be kept exactly is left to the filling."""
    known = {job.id: job for job in jobs}
    for shift, row in found.items():
        day = [(known[name], _window(known[name], begin)) for name, begin in row]
        while day and not board.put_all(shift, day):
            # Two windows of visits in different zones may overlap, which VROOM is not told: the lighter one waits.
            day.remove(min(day, key=lambda each: (each[0].weight, -each[0].tier, each[0].id)))


def _window(job: Job, begin: int) -> Span:
    """The window in which the work begins."""
    return next(each for each in reversed(job.windows) if each.start <= begin)


def _needs(job: Job) -> tuple[str, ...]:
    if job.only is None:
        return (f"skill:{job.skill}",)
    return f"skill:{job.skill}", _ONLY + ",".join(sorted(job.only))


def _numbers(jobs: list[Job]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted({name for job in jobs for name in _needs(job)}), 1)}


def _skills_of(shift: Shift, skills: dict[str, int]) -> set[int]:
    has = {number for name, number in skills.items() if name.removeprefix("skill:") in shift.skills}
    return has | {
        number
        for name, number in skills.items()
        if name.startswith(_ONLY) and shift.technician in name.removeprefix(_ONLY).split(",")
    }
