"""One technician's day as it stands: when each visit would begin, the way between, and what cannot be kept and why.

Planners make days that can be kept; people, illness and traffic make others. This module never refuses: it works out
the earliest times of whatever is there and names what each visit breaks. `servicedesk.routing.check` judges the
same day without any code in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from uuid import UUID

from servicedesk.model import Technician, Window
from servicedesk.moves import Breach, Rule
from servicedesk.roster import Workdays, shift_of
from servicedesk.routing.problem import LEAST, Shift, Span, last_start
from servicedesk.routing.schedule import NOWHERE, Day, Halt, feasible, times
from servicedesk.states import VisitState
from servicedesk.travel import Place, TravelTimes
from telemetry.clock import to_datetime

_MICROS = 1_000_000
_WAITING = frozenset({VisitState.PROPOSED, VisitState.CONFIRMED, VisitState.DISPATCHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A visit of a day.

    Attributes:
        visit: its id.
        missing: SKUs that it needs and that are not put aside.
        latest: pessimistic end of the remaining life, if it is known.
    """

    visit: UUID
    window: Window
    state: VisitState
    skill: str
    minutes: int
    place: Place | None = None
    arrived: datetime | None = None
    finished: datetime | None = None
    missing: tuple[str, ...] = ()
    latest: datetime | None = None

    @property
    def work(self) -> int:
        """Seconds it is planned with."""
        return max(self.minutes * 60, LEAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A visit with its times.

    Attributes:
        begin, end: when it is worked on: as it was, or as is expected now.
        way: seconds from what is before it.
        late: seconds after its window that it begins, or would begin.
        over: seconds that the work takes longer than planned so far.
        breaches: what it breaks.
    """

    visit: UUID
    begin: datetime
    end: datetime
    way: int
    late: int = 0
    over: int = 0
    breaches: tuple[Breach, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A technician's day.

    Attributes:
        shift: from and to, absences at its ends taken off; None without one.
        pauses: breaks and absences within it, where they fall.
        way: seconds on the road, the way home included.
        load: share of the shift that is worked or driven.
        absent: somebody who has a shift is away all of it.
    """

    technician: UUID
    shift: Window | None
    pauses: tuple[Window, ...]
    blocks: tuple[Block, ...]
    way: int
    load: float
    absent: bool


def lane_of(
    technician: Technician,
    day: date,
    items: Sequence[Item],
    away: Sequence[Window],
    *,
    workdays: Workdays,
    travel: TravelTimes,
    now: datetime,
) -> Lane:
    """Work out a day.

    Args:
        technician: whose.
        day: in the technician's zone.
        items: the visits of the day, done ones too, by window.
        away: absences.
        workdays: the organisation's calendar.
        travel: how long a way takes.
        now: fleet time: what has not begun cannot have begun before.
    """
    home = 0 if technician.home is not None else None
    shift = shift_of(technician, day, away, workdays, home)
    absent = shift is None and shift_of(technician, day, (), workdays, home) is not None
    places: list[Place | None] = [technician.home, *(each.place for each in items)]

    def leg(start: int, end: int) -> int:
        return travel.between(places[start], places[end])

    frame = _frame(shift, items)
    halts = [_halt(number, each) for number, each in enumerate(items, 1)]
    planned = times(frame, halts, leg) if shift is not None else None
    ways = _ways(frame, halts, leg)
    begins = list(planned.begins) if planned is not None else _earliest(frame, halts, ways)
    waiting = [number for number, each in enumerate(items) if each.state in _WAITING]
    row = _Row(items=items, halts=halts, begins=begins, frame=frame, open=waiting)
    nobody = None if shift is not None else Rule.ABSENCE if absent else Rule.WORKING_HOURS
    breaches = _breaches(row, technician, day, nobody)
    if shift is not None and planned is None:
        _unkept(row, breaches, leg)
    blocks = _as_it_goes(row, ways, now)
    blocks = [replace(block, breaches=tuple(found)) for block, found in zip(blocks, breaches, strict=True)]
    rests = []
    if shift is not None:
        starts = planned.pauses if planned is not None else [each.earliest for each in shift.pauses]
        rests = [_window(Span(begin, begin + each.seconds)) for begin, each in zip(starts, shift.pauses, strict=True)]
    length = frame.end - frame.start
    busy = sum(each.work for each in items) + sum(ways) if items else 0
    return Lane(
        technician=technician.id,
        shift=None if shift is None else _window(Span(shift.start, shift.end)),
        pauses=tuple(rests),
        blocks=tuple(blocks),
        way=sum(ways) if items else 0,
        load=busy / length if shift is not None and length else 0.0,
        absent=absent,
    )


def day_rules(frame: Day, halts: Sequence[Halt], leg: Callable[[int, int], int]) -> tuple[Rule, int] | None:
    """Why a row of visits cannot be kept, and by how many seconds; None when it can."""
    if feasible(frame, halts, leg):
        return None
    early = max((frame.start - halt.last for halt in halts), default=0)
    if early > 0:
        return Rule.OVERTIME, early
    ways = _ways(frame, halts, leg)
    begins = _earliest(frame, halts, ways)
    short = max((begin - halt.last for begin, halt in zip(begins, halts, strict=True)), default=0)
    if short > 0:
        return Rule.TRAVEL, short
    back = begins[-1] + halts[-1].seconds + ways[-1] - frame.end if halts else 0
    if back > 0:
        return Rule.OVERTIME, back
    return Rule.BREAK, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A day's visits as they are judged."""

    items: Sequence[Item]
    halts: Sequence[Halt]
    begins: Sequence[int]
    frame: Day
    open: Sequence[int]
    """Places in the row of what can still be changed; what is under way breaks nothing any more."""


def _breaches(row: _Row, technician: Technician, day: date, nobody: Rule | None) -> list[list[Breach]]:
    """What each visit breaks by itself, whatever stands beside it; `nobody` says why there is no shift."""
    found: list[list[Breach]] = [[] for _ in row.items]
    for number in row.open:
        each = row.items[number]
        if nobody is not None:
            found[number].append(Breach(nobody))
        if each.skill not in technician.skills_on(day):
            found[number].append(Breach(Rule.SKILL, skill_said(technician, each.skill)))
        found[number] += [Breach(Rule.PART, {"sku": sku}) for sku in each.missing]
        if each.latest is not None and each.window.end > each.latest:
            found[number].append(Breach(Rule.REMAINING_LIFE, {"until": each.latest}))
        if number and each.window.start < row.items[number - 1].window.end:
            found[number].append(Breach(Rule.DOUBLE_BOOKING))
    return found


def _unkept(row: _Row, found: list[list[Breach]], leg: Callable[[int, int], int]) -> None:
    """Add what makes a day impossible: too late for a window, work after the shift, no room for the break."""
    for number in row.open:
        halt = row.halts[number]
        short, over = row.begins[number] - halt.last, row.begins[number] + halt.seconds - row.frame.end
        early = row.frame.start - halt.last
        if early > 0:
            found[number].append(Breach(Rule.OVERTIME, {"minutes": -(-early // 60)}))
        elif short > 0:
            found[number].append(Breach(Rule.TRAVEL, {"minutes": -(-short // 60)}))
        elif over > 0:
            found[number].append(Breach(Rule.OVERTIME, {"minutes": -(-over // 60)}))
    why = day_rules(row.frame, row.halts, leg)
    if row.open and why is not None and not any(found[number] for number in row.open):
        rule, seconds = why
        found[row.open[-1]].append(Breach(rule, {"minutes": -(-seconds // 60)} if seconds else {}))


def skill_said(technician: Technician, skill: str) -> dict[str, object]:
    """Which skill is missing, and since when if it has ended."""
    ended = next((each.valid_until for each in technician.certificates if each.skill == skill), None)
    return {"skill": skill} if ended is None or skill not in technician.skills else {"skill": skill, "since": ended}


def _as_it_goes(row: _Row, ways: Sequence[int], now: datetime) -> list[Block]:
    """The planned times, pushed on by what has happened and by the time that it is."""
    blocks: list[Block] = []
    present, free = round(now.timestamp()), 0
    today = row.frame.start <= present
    for number, each in enumerate(row.items):
        begin, over = row.begins[number], 0
        done = each.state is VisitState.DONE
        if each.arrived is not None:
            begin = round(each.arrived.timestamp())
        else:
            begin = max(begin, free + ways[number] if free else 0, present if today and not done else 0)
        end = begin + row.halts[number].seconds
        if each.finished is not None:
            end = max(round(each.finished.timestamp()), begin + 60)
        elif each.arrived is not None and end < present:
            over, end = present - end, present
        if today:
            free = end
        late = 0 if done else max(0, begin - round(each.window.end.timestamp()))
        span = _window(Span(begin, end))
        blocks.append(Block(visit=each.visit, begin=span.start, end=span.end, way=ways[number], late=late, over=over))
    return blocks


def _frame(shift: Shift | None, items: Sequence[Item]) -> Day:
    if shift is not None:
        return Day(shift.start, shift.end, NOWHERE if shift.home is None else shift.home, shift.pauses)
    # Nobody works: the visits stand where they were promised.
    ends = [round(each.window.end.timestamp()) for each in items]
    starts = [round(each.window.start.timestamp()) for each in items]
    return Day(min(starts, default=0), max(ends, default=0), NOWHERE, ())


def _halt(number: int, item: Item) -> Halt:
    start, end = round(item.window.start.timestamp()), round(item.window.end.timestamp())
    return Halt(number, start, last_start(Span(start, end), item.work), item.work)


def _ways(frame: Day, halts: Sequence[Halt], leg: Callable[[int, int], int]) -> list[int]:
    """Seconds to each visit, and home."""
    if not halts:
        return [0]
    places = [halt.place for halt in halts]
    first = 0 if frame.home == NOWHERE else leg(frame.home, places[0])
    last = 0 if frame.home == NOWHERE else leg(places[-1], frame.home)
    return [first, *(leg(a, b) for a, b in pairwise(places)), last]


def _earliest(frame: Day, halts: Sequence[Halt], ways: Sequence[int]) -> list[int]:
    """When each visit begins at the earliest if nobody minds that it is too late; breaks not counted."""
    begins, free = [], frame.start
    for halt, way in zip(halts, ways, strict=False):
        begin = max(free + way, halt.first)
        begins.append(begin)
        free = begin + halt.seconds
    return begins


def _window(span: Span) -> Window:
    return Window(to_datetime(span.start * _MICROS), to_datetime(span.end * _MICROS))
