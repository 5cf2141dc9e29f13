"""The state of a plan while it is made: who has which windows, what one more visit costs, why one has no place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from servicedesk.routing.problem import Blocking, Job, Plan, Problem, Route, Shift, Span, Stop, Unserved, last_start
from servicedesk.routing.schedule import NOWHERE, Day, Halt, feasible, times


class Option(NamedTuple):
    """Where a visit could go; the least is the best: little travel, early, a stable order."""

    detour: int
    window: Span
    shift: int


@dataclass(slots=True)
class _Place:
    """A shift with its visits by window."""

    shift: Shift
    day: Day
    jobs: list[Job]
    windows: list[Span]
    halts: list[Halt]


class Board:
    """A plan that grows by one visit at a time; what is on it can always be kept."""

    def __init__(self, problem: Problem) -> None:
        self._legs = problem.legs
        self.problem = problem
        self.jobs = {job.id: job for job in problem.jobs}
        self._places = [_Place(shift, _day(shift), [], [], []) for shift in sorted(problem.shifts, key=_ID)]
        self._number = {place.shift.id: number for number, place in enumerate(self._places)}
        self._on: set[str] = set()

    def leg(self, start: int, end: int) -> int:
        """Seconds between two places."""
        return self._legs[start][end]

    def has(self, job: str) -> bool:
        """Whether a visit is on the board."""
        return job in self._on

    def options(self, job: Job) -> Iterator[Option]:
        """Every window and shift in which the visit can be kept beside what is there."""
        for number, place in enumerate(self._places):
            if not allowed(job, place.shift):
                continue
            for window in job.windows[_first(job, place.shift) :]:
                if window.start > place.shift.end:
                    break
                found = self._try(job, place, window)
                if found is not None:
                    yield Option(found, window, number)

    def fits(self, job: Job, option: Option) -> bool:
        """Whether a visit can be kept in one place beside what is there."""
        return self._try(job, self._places[option.shift], option.window) is not None

    def put(self, job: Job, option: Option) -> None:
        """Enter a visit where `options` said."""
        place = self._places[option.shift]
        at = bisect_left(place.windows, option.window)
        place.jobs.insert(at, job)
        place.windows.insert(at, option.window)
        place.halts.insert(at, _halt(job, option.window))
        self._on.add(job.id)

    def take(self, job: Job) -> Option:
        """Remove a visit; what is left can be kept. Returns where it stood, to `put` it back. Raises LookupError."""
        for number, place in enumerate(self._places):
            if job in place.jobs:
                at = place.jobs.index(job)
                window = place.windows[at]
                del place.jobs[at], place.windows[at], place.halts[at]
                self._on.discard(job.id)
                return Option(0, window, number)
        raise LookupError(f"visit {job.id} is not on the board")

    def technician(self, option: Option) -> str:
        """Whose shift an option is in."""
        return self._places[option.shift].shift.technician

    def put_all(self, shift: str, row: list[tuple[Job, Span]]) -> bool:
        """Enter a whole day at once if it can be kept; False changes nothing."""
        place = self._places[self._number[shift]]
        windows = [window for _, window in row]
        halts = [_halt(job, window) for job, window in row]
        apart = all(a.end <= b.start for a, b in pairwise(windows))
        if not apart or not feasible(place.day, halts, self.leg):
            return False
        place.jobs, place.windows, place.halts = [job for job, _ in row], windows, halts
        self._on.update(job.id for job, _ in row)
        return True

    def plan(self) -> Plan:
        """The board as a plan, everything that is not on it with its reason."""
        routes = []
        for place in self._places:
            found = times(place.day, place.halts, self.leg)
            if not place.jobs or found is None:
                continue
            rows = zip(place.jobs, place.windows, found.begins, strict=True)
            stops = tuple(Stop(job.id, window, begin, begin + job.seconds) for job, window, begin in rows)
            pauses = zip(found.pauses, place.shift.pauses, strict=True)
            rests = tuple(Span(begin, begin + pause.seconds) for begin, pause in pauses)
            routes.append(Route(place.shift.id, place.shift.technician, stops, rests, found.travel))
        missing = sorted((job for job in self.problem.jobs if job.id not in self._on), key=_ID)
        return Plan(tuple(routes), tuple(self.why(job) for job in missing))

    def why(self, job: Job) -> Unserved:
        """The constraint that leaves a visit without a place."""
        if not job.windows:
            return Unserved(job.id, job.without or Blocking.REMAINING_LIFE)
        able = [place for place in self._places if allowed(job, place.shift)]
        if not able:
            return Unserved(job.id, Blocking.SKILL, job.skill)
        there = [
            (place, window)
            for place in able
            for window in job.windows
            if max(window.start, place.shift.start) + job.seconds <= place.shift.end
            and last_start(window, job.seconds) >= place.shift.start
        ]
        if not there:
            return Unserved(job.id, Blocking.WORKING_HOURS)
        if not any(feasible(place.day, [_halt(job, window)], self.leg) for place, window in there):
            return Unserved(job.id, Blocking.TRAVEL)
        return Unserved(job.id, Blocking.DOUBLE_BOOKING)

    def _try(self, job: Job, place: _Place, window: Span) -> int | None:
        """The detour, or None."""
        at = bisect_left(place.windows, window)
        if (at < len(place.windows) and place.windows[at].start < window.end) or (
            at and place.windows[at - 1].end > window.start
        ):
            return None
        halts = [*place.halts[:at], _halt(job, window), *place.halts[at:]]
        if not feasible(place.day, halts, self.leg):
            return None
        home = place.day.home
        before = place.halts[at - 1].place if at else home
        after = place.halts[at].place if at < len(place.halts) else home
        way = 0 if before == NOWHERE else self.leg(before, job.place)
        back = 0 if after == NOWHERE else self.leg(job.place, after)
        straight = 0 if NOWHERE in (before, after) or not place.halts else self.leg(before, after)
        return way + back - straight


_ID = attrgetter("id")


def allowed(job: Job, shift: Shift) -> bool:
    """Whether the technician of a shift may come."""
    return job.skill in shift.skills and (job.only is None or shift.technician in job.only)


def _first(job: Job, shift: Shift) -> int:
    """The first window that is not over when the shift begins."""
    return bisect_left(job.windows, shift.start, key=attrgetter("end"))


def _day(shift: Shift) -> Day:
    return Day(shift.start, shift.end, NOWHERE if shift.home is None else shift.home, shift.pauses)


def _halt(job: Job, window: Span) -> Halt:
    return Halt(job.place, window.start, last_start(window, job.seconds), job.seconds)
