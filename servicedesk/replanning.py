"""Plans all visits of an organisation at once: what waits and what is only proposed, around what is confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.feasibility import earliest_of, latest_of, roster
from servicedesk.model import Booking, Household, Ticket, Visit, Window
from servicedesk.office import Office
from servicedesk.plan_rows import PlanLine, VisitPlan
from servicedesk.planner import LENGTH, Blocking, Roster, windows
from servicedesk.quiet import readable_from
from servicedesk.roster import shift_of
from servicedesk.routing.keeping import keep
from servicedesk.routing.problem import LEAST, SAFETY, Job, Planner, Problem, Shift, Span, last_start
from servicedesk.routing.schedule import NOWHERE, Day, Halt, feasible, travel
from servicedesk.routing.turns import in_turn
from servicedesk.states import VisitState
from servicedesk.tiers import rank_of, tier_of, work_order
from servicedesk.travel import Place
from telemetry.catalogue import FaultSpec
from telemetry.clock import to_datetime

PLAN_ALL = "plan_all"
"""Job: plans an organisation's visits for somebody who looks at the plan when it is there."""
_ANY = "*"
"""The skill of what is confirmed: it was the technician's own when it was promised."""
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Case:
    """A ticket to plan, with everything it needs."""

    ticket: Ticket
    visit: Visit | None
    fault: FaultSpec
    household: Household
    tier: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be planned: an organisation's visits from a moment on, for some days."""

    org: str
    first: datetime
    days: int
    actor: str


def draw_up(office: Office, planner: Planner, ask: Ask, now: datetime, *, ident: UUID | None = None) -> VisitPlan:
    """Make a plan and enter it with a line for each ticket that waits; nothing else changes until a line is accepted.

    Confirmed visits and held windows stay where they are; so does a technician's day that cannot be kept as it is.

    Args:
        office: the desk.
        planner: makes the routes.
        ask: whose visits, from when, for how long; at most to the policy's horizon from now.
        now: fleet time.
        ident: of the plan, where it was given before it is made.
    """
    desk = office.desk
    org, first = ask.org, max(ask.first, now)
    until = min(first + timedelta(days=ask.days), now + office.policy.horizon)
    there = desk.plans.waiting(org)
    tiers = {ticket.id: tier_of(office, ticket) for ticket, _ in there}
    waiting = sorted(there, key=lambda each: work_order(each[0], tiers[each[0].id]))
    cases, lines = _cases(office, waiting, tiers)
    skus = sorted({part.sku for case in cases for part in case.fault.parts})
    known = roster(office, org, skus, Window(first - LENGTH, until + LENGTH), now)
    draft = _Draft(office, known, cases, Window(first, until), now)
    plan = in_turn(draft.problem, keep(draft.problem, planner.plan(draft.problem), draft.standing))
    stops, blocked = plan.stops(), {each.job: each.blocking for each in plan.unserved}
    ident = ident or office.new_id()
    for case in cases:
        stop = stops.get(str(case.ticket.id))
        lines[case.ticket.id] = (
            (UUID(stop[0]), _moments(stop[1].window), None)
            if stop is not None
            else (None, None, blocked.get(str(case.ticket.id)))
        )
    rows = [
        PlanLine(
            plan=ident,
            no=number,
            ticket=ticket.id,
            version=ticket.version,
            visit=visit.id if visit is not None else None,
            before_technician=visit.technician if visit is not None else None,
            before=visit.window if visit is not None else None,
            after_technician=lines[ticket.id][0],
            after=lines[ticket.id][1],
            blocking=lines[ticket.id][2],
        )
        for number, (ticket, visit) in enumerate(waiting, 1)
    ]
    made = VisitPlan(
        id=ident,
        org=org,
        made=now,
        actor=ask.actor,
        first=first,
        until=until,
        served=sum(row.after is not None for row in rows),
        of=len(rows),
        travel_before=draft.travel_now(),
        travel_after=plan.travel,
    )
    desk.plans.add(made, rows)
    return made


def _cases(
    office: Office, waiting: Iterable[tuple[Ticket, Visit | None]], tiers: Mapping[UUID, str]
) -> tuple[list[_Case], dict[UUID, tuple[UUID | None, Window | None, Blocking | None]]]:
    """What can be planned, and the lines of what lacks a household or a fault of the catalogue."""
    cases: list[_Case] = []
    lines: dict[UUID, tuple[UUID | None, Window | None, Blocking | None]] = {}
    for ticket, visit in waiting:
        household = office.household(ticket)
        fault = office.fault(ticket)
        if household is None or fault is None:
            lines[ticket.id] = (None, None, Blocking.HOUSEHOLD if household is None else Blocking.SKILL)
        else:
            cases.append(_Case(ticket, visit, fault, household, tiers[ticket.id]))
    return cases, lines


class _Draft:
    """The planning problem of a desk."""

    def __init__(self, office: Office, known: Roster, cases: Sequence[_Case], span: Window, now: datetime) -> None:
        self._office = office
        self._known = known
        self._span = span
        self._now = now
        self._places: list[Place | None] = [each.home for each in known.technicians]
        free = {case.ticket.id for case in cases}
        self.standing = {
            str(case.ticket.id): (str(case.visit.technician), _seconds(case.visit.window))
            for case in cases
            if case.visit is not None
        }
        self._fixed: dict[UUID, list[tuple[Booking, int]]] = {}
        self._movable: dict[UUID, list[tuple[Booking, int]]] = {}
        for technician in known.technicians:
            for booking in sorted(known.booked.get(technician.id, ()), key=lambda each: each.window):
                if booking.ticket is None:
                    continue
                moves = booking.movable and booking.ticket in free
                rows = self._movable if moves else self._fixed
                rows.setdefault(technician.id, []).append((booking, self._place(booking.place)))
        numbers = [self._place(case.household.place) for case in cases]
        jobs = [*self._jobs(cases, numbers), *self._confirmed()]
        legs = known.travel.matrix(self._places)
        self._legs = legs
        shifts = [each for each in self._shifts() if self._kept(each)]
        self.problem = Problem(jobs=tuple(self._inside(jobs, shifts)), shifts=tuple(shifts), legs=legs)

    def travel_now(self) -> int:
        """Seconds on the road with the visits as they stand."""
        return sum(travel(_day(each), self._halts(each, moving=True), self._leg) for each in self._shifts())

    def _place(self, place: Place | None) -> int:
        self._places.append(place)
        return len(self._places) - 1

    def _leg(self, start: int, end: int) -> int:
        return self._legs[start][end]

    def _shifts(self) -> list[Shift]:
        made = []
        for number, technician in enumerate(self._known.technicians):
            zone = ZoneInfo(technician.tz)
            away = [each.window for each in self._known.booked.get(technician.id, ()) if each.ticket is None]
            home = number if technician.home is not None else None
            day = self._span.start.astimezone(zone).date()
            while day <= self._span.end.astimezone(zone).date():
                shift = shift_of(technician, day, away, self._known.workdays, home, extra=_ANY)
                if shift is not None:
                    made.append(shift)
                day += timedelta(days=1)
        return made

    def _halts(self, shift: Shift, *, moving: bool) -> list[Halt]:
        """The visits of a shift, those that are only proposed too when they count."""
        who = UUID(shift.technician)
        rows = [*self._fixed.get(who, ()), *(self._movable.get(who, ()) if moving else ())]
        halts = []
        for booking, place in sorted(rows, key=lambda each: each[0].window):
            span = _seconds(booking.window)
            if span.start < shift.end and shift.start < span.end:
                work = max(booking.minutes * 60, LEAST)
                halts.append(Halt(place, span.start, last_start(span, work), work))
        return halts

    def _kept(self, shift: Shift) -> bool:
        """Whether what is confirmed for a day can be kept; otherwise nothing is planned into it."""
        return feasible(_day(shift), self._halts(shift, moving=False), self._leg)

    def _confirmed(self) -> list[Job]:
        return [
            Job(
                id=f"{booking.ticket}/{booking.window.start.isoformat()}",
                place=place,
                seconds=max(booking.minutes * 60, LEAST),
                skill=_ANY,
                weight=100,
                windows=(_seconds(booking.window),),
                only=frozenset({str(technician)}),
                pinned=True,
            )
            for technician, rows in self._fixed.items()
            for booking, place in rows
        ]

    @staticmethod
    def _inside(jobs: list[Job], shifts: Sequence[Shift]) -> list[Job]:
        """Without what is confirmed for a time at which its technician has no shift: a person must look at that."""
        days: dict[str, list[Shift]] = {}
        for shift in shifts:
            days.setdefault(shift.technician, []).append(shift)
        return [
            job
            for job in jobs
            if not job.pinned
            or any(
                shift.start < job.windows[0].end and job.windows[0].start < shift.end
                for shift in days.get(next(iter(job.only or ())), ())
            )
        ]

    def _jobs(self, cases: Sequence[_Case], places: Sequence[int]) -> list[Job]:
        own = {case.visit.id: self._office.desk.parts.put_aside(case.visit.id) for case in cases if case.visit}
        ready = _Stock(self._known, own).ready(cases, self._now)
        return [self._job(case, place, ready[case.ticket.id]) for case, place in zip(cases, places, strict=True)]

    def _job(self, case: _Case, place: int, ready: tuple[datetime | None, frozenset[str] | None]) -> Job:
        office, ticket = self._office, case.ticket
        moment, only = ready
        latest = latest_of(office, ticket)
        readable = readable_from(self._now, case.household, safety=ticket.safety)
        earliest = max(earliest_of(office, ticket, readable), self._span.start)
        end = self._span.end if latest is None else min(latest, self._span.end)
        zone = ZoneInfo(case.household.tz)
        refused = {
            each.start.astimezone(zone).date()
            for each in office.desk.visits.of_ticket(ticket.id)
            if each.state is VisitState.DECLINED
        }
        free: set[Span] = set()
        if moment is not None:
            free = {
                _seconds(each)
                for each in windows(max(earliest, moment), end, case.household.tz)
                if each.start.astimezone(zone).date() not in refused
            }
        if case.visit is not None and self._span.start <= case.visit.start and case.visit.end <= self._span.end:
            free.add(_seconds(case.visit.window))
        late = moment is None or moment + LENGTH > end
        return Job(
            id=str(ticket.id),
            place=place,
            seconds=max(case.fault.minutes * 60, LEAST),
            skill=case.fault.skill,
            weight=max(SAFETY - ticket.priority, 10),
            tier=rank_of(case.tier),
            windows=tuple(sorted(free)),
            only=only,
            without=None if free else Blocking.PART if late else Blocking.REMAINING_LIFE,
        )


class _Stock:
    """Gives out pieces in the order of work: of the depot first, then of vans, then of what is ordered."""

    def __init__(self, known: Roster, own: Mapping[UUID, Collection[str]]) -> None:
        self._known = known
        self._own = own
        self._depot = Counter({sku: part.free for sku, part in known.stock.items()})
        self._vans = {who: Counter(pieces) for who, pieces in known.vans.items()}

    def ready(
        self, cases: Sequence[_Case], now: datetime
    ) -> Mapping[UUID, tuple[datetime | None, frozenset[str] | None]]:
        """For each ticket from when its parts are in hand (None: never), and who alone may come with them."""
        order = sorted(cases, key=lambda each: work_order(each.ticket, each.tier))
        return {case.ticket.id: self._take(case, now) for case in order}

    def _take(self, case: _Case, now: datetime) -> tuple[datetime | None, frozenset[str] | None]:
        own = self._own[case.visit.id] if case.visit is not None else ()
        need = [part.sku for part in case.fault.parts if part.sku not in own]
        short = [sku for sku in need if self._depot[sku] <= 0]
        self._depot.subtract(sku for sku in need if sku not in short)
        if not short:
            return now, None
        for who in sorted(self._vans):
            if all(self._vans[who][sku] > 0 for sku in short):
                self._vans[who].subtract(short)
                return now, frozenset({str(who)})
        arrivals = [part.arrives for sku in short if (part := self._known.stock.get(sku)) is not None and part.arrives]
        return (max(arrivals) if len(arrivals) == len(short) else None), None


def _seconds(window: Window) -> Span:
    return Span(round(window.start.timestamp()), round(window.end.timestamp()))


def _moments(span: Span) -> Window:
    return Window(to_datetime(span.start * _MICROS), to_datetime(span.end * _MICROS))


def _day(shift: Shift) -> Day:
    return Day(shift.start, shift.end, NOWHERE if shift.home is None else shift.home, shift.pauses)
