"""A planning problem and its plan as frozen values. Times are whole seconds since 1970, UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from servicedesk.travel import Legs

WINDOW = 2 * 3600
"""Length of a window."""
LEAST = 3600
"""A visit is planned with an hour at least: parking, the talk, the paper."""
EARLY = 1800
"""Work that does not fit into its window begins within this of the window's start."""
TOP = 100
"""Weight of a visit that the owner has confirmed."""
SAFETY = 60
"""Weight from which on safety is at stake."""


class Blocking(StrEnum):
    """Why no window fits; named to dispatch."""

    HOUSEHOLD = "household"
    SKILL = "skill"
    PART = "part"
    WORKING_HOURS = "working_hours"
    TRAVEL = "travel"
    DOUBLE_BOOKING = "double_booking"
    REMAINING_LIFE = "remaining_life"


class Span(NamedTuple):
    """Start included, end not."""

    start: int
    end: int


def last_start(window: Span, seconds: int) -> int:
    """The latest second at which work of some length may begin in a window.

    It ends in the window if it can; longer work begins in the first half hour. It never begins so late that a second
    visit of the same technician would fit into the window: windows of one technician do not overlap.
    """
    return min(max(window.end - seconds, window.start + EARLY), window.start + LEAST - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A visit to plan.

    Attributes:
        id: of the ticket or visit.
        place: its row in the matrix of travel times.
        seconds: of work, at least `LEAST`.
        skill: that the technician must have on that day.
        weight: 1 to 100; more important is higher.
        windows: those that may be promised, in order: after notice and parts, before the end of the remaining life.
        only: ids of technicians who may come; None is anybody. A piece in a van ties a job to its driver.
        pinned: confirmed by the owner: this technician and the one window in `windows`, whatever else is planned.
        without: what left `windows` empty.
        tier: among visits of one weight, lower comes first.
    """

    id: str
    place: int
    seconds: int
    skill: str
    weight: int
    windows: tuple[Span, ...]
    only: frozenset[str] | None = None
    pinned: bool = False
    without: Blocking | None = None
    tier: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A break or an absence of some hours, wherever the technician is then.

    Attributes:
        earliest: it begins then or later.
        latest: it begins then or earlier.
        seconds: it lasts.
    """

    earliest: int
    latest: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A technician's day.

    Attributes:
        id: unique.
        technician: whose.
        start: leaves home, or begins at the first household when `home` is None.
        end: is home again, or has finished at the last household.
        home: row in the matrix of travel times.
        skills: that are valid on this day.
        pauses: by their earliest start.
    """

    id: str
    technician: str
    start: int
    end: int
    home: int | None
    skills: frozenset[str]
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything that a planner is given."""

    jobs: tuple[Job, ...]
    shifts: tuple[Shift, ...]
    legs: Legs


@dataclass(frozen=True, slots=True)
class Stop:
    """A planned visit: the window that is promised, and when the work begins and ends by the plan."""

    job: str
    window: Span
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Route:
    """A technician's day as planned; `pauses` are spans in the order of the shift's."""

    shift: str
    technician: str
    stops: tuple[Stop, ...]
    pauses: tuple[Span, ...] = ()
    travel: int = 0


@dataclass(frozen=True, slots=True)
class Unserved:
    """A visit that has no place in the plan, and the constraint that forbids it; `detail` is a skill, or empty."""

    job: str
    blocking: Blocking
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a planner answers; routes by shift, the unserved by job."""

    routes: tuple[Route, ...]
    unserved: tuple[Unserved, ...] = ()

    @property
    def served(self) -> int:
        """Visits that have their window."""
        return sum(len(route.stops) for route in self.routes)

    @property
    def travel(self) -> int:
        """Seconds on the road."""
        return sum(route.travel for route in self.routes)

    def stops(self) -> Mapping[str, tuple[str, Stop]]:
        """Technician and stop, by job."""
        return {stop.job: (route.technician, stop) for route in self.routes for stop in route.stops}


class Planner(Protocol):
    """Makes plans; the same problem gives the same plan."""

    def plan(self, problem: Problem) -> Plan:
        """A plan in which every constraint is kept and everything unserved has its reason."""
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """What makes one plan better than another: more weight, then more visits, then less travel."""

    weight: int
    served: int
    travel: int = field(default=0)

    @property
    def key(self) -> tuple[int, int, int]:
        """Higher is better."""
        return self.weight, self.served, -self.travel


def value(problem: Problem, plan: Plan) -> Value:
    """The value of a plan."""
    weights = {job.id: job.weight for job in problem.jobs}
    return Value(sum(weights[job] for job in plan.stops()), plan.served, plan.travel)
