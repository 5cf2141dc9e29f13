"""What speaks against a technician and a window for a ticket: every rule that it would break, hard ones first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.dayboard import day_rules, skill_said
from servicedesk.errors import UnknownError
from servicedesk.feasibility import latest_of, roster
from servicedesk.model import Booking, Household, Technician, Ticket, Visit, Window
from servicedesk.moves import Breach, Consent, Rule
from servicedesk.office import Office
from servicedesk.planner import HOURS, LENGTH, Roster
from servicedesk.planning import MOVABLE
from servicedesk.roster import shift_of
from servicedesk.routing.problem import LEAST, Span, last_start
from servicedesk.routing.schedule import NOWHERE, Day, Halt
from servicedesk.states import TICKET_ENDED, TicketState, VisitState
from servicedesk.travel import Place
from telemetry.catalogue import FaultSpec

PLACEABLE = frozenset(TicketState) - TICKET_ENDED - {TicketState.DONE, TicketState.VERIFIED, TicketState.IN_REPAIR}
"""The states in which a ticket can be given a visit by hand."""
FAR = timedelta(days=400)
"""Nobody places a visit further away."""
_PROMISED = frozenset({VisitState.CONFIRMED, VisitState.DISPATCHED, VisitState.TRAVELLING})


@dataclass(frozen=True, slots=True)
class Placing:
    """What is wished: a ticket's visit with a technician in a window.

    Attributes:
        owner: what the owner has to do with it; None when nobody said.
    """

    ticket: UUID
    technician: UUID
    start: datetime
    owner: Consent | None = None

    @property
    def window(self) -> Window:
        """The two hours."""
        return Window(self.start, self.start + LENGTH)


def far(start: datetime, now: datetime) -> bool:
    """Whether a moment is too far away for any plan."""
    return not -FAR < start - now < FAR


def promised(visit: Visit | None) -> bool:
    """Whether the owner has said yes to a visit."""
    return visit is not None and visit.state in _PROMISED


def weigh(office: Office, ticket: Ticket, old: Visit | None, wish: Placing, now: datetime) -> tuple[Breach, ...]:
    """Every rule that a placing breaks; hard ones first, none means that nothing speaks against it.

    Args:
        office: the desk.
        ticket: whose visit.
        old: the live visit that it has.
        wish: who and when.
        now: fleet time.

    Raises:
        UnknownError: the organisation has no such technician.
    """
    if far(wish.start, now):
        return (Breach(Rule.WINDOW),)
    household = office.household(ticket)
    fault = office.fault(ticket)
    technicians = office.desk.people.technicians(ticket.org)
    technician = next((each for each in technicians if each.id == wish.technician), None)
    if technician is None:
        raise UnknownError(f"there is no technician {wish.technician}")
    if household is None or fault is None:
        return (Breach(Rule.HOUSEHOLD if household is None else Rule.SKILL, {}),)
    skus = tuple(part.sku for part in fault.parts)
    around = Window(wish.start - timedelta(days=1), wish.window.end + timedelta(days=1))
    known = roster(office, ticket.org, skus, around, now, but=ticket.id)
    found = [
        *_case(ticket, old, wish, household, now),
        *_person(known, technician, fault, household.place, wish),
        *_soft(office, ticket, fault, household, known, wish, now, old),
    ]
    return tuple(sorted(found, key=lambda each: not each.hard))


def _case(ticket: Ticket, old: Visit | None, wish: Placing, household: Household, now: datetime) -> Iterator[Breach]:
    """What the ticket, its visit and its owner say."""
    if ticket.state not in PLACEABLE or (old is not None and old.state not in MOVABLE):
        yield Breach(
            Rule.STATE, {"state": str(ticket.state if ticket.state not in PLACEABLE or old is None else old.state)}
        )
    local = wish.start.astimezone(ZoneInfo(household.tz))
    if local.hour not in HOURS or (local.minute, local.second, local.microsecond) != (0, 0, 0):
        yield Breach(Rule.WINDOW)
    if wish.start <= now:
        yield Breach(Rule.BEGUN)
    if old is not None and old.locked is not None:
        yield Breach(Rule.LOCKED, {"by": old.locked})
    if (
        old is not None
        and promised(old)
        and old.window != wish.window
        and wish.owner not in (Consent.ASK, Consent.AGREED)
    ):
        yield Breach(Rule.CONFIRMED)


def _person(
    known: Roster, technician: Technician, fault: FaultSpec, place: Place | None, wish: Placing
) -> Iterator[Breach]:
    """What the technician's skills, shift and other visits say."""
    day = wish.start.astimezone(ZoneInfo(technician.tz)).date()
    if fault.skill not in technician.skills_on(day):
        yield Breach(Rule.SKILL, skill_said(technician, fault.skill))
    booked = known.booked.get(technician.id, ())
    away = [each.window for each in booked if each.ticket is None]
    home = 0 if technician.home is not None else None
    shift = shift_of(technician, day, away, known.workdays, home)
    if any(each.start <= wish.start and wish.window.end <= each.end for each in away):
        yield Breach(Rule.ABSENCE)
        return
    if shift is None:
        yield Breach(
            Rule.WORKING_HOURS if shift_of(technician, day, (), known.workdays, home) is None else Rule.ABSENCE
        )
        return
    visits = sorted((each for each in booked if each.ticket is not None), key=lambda each: each.window)
    if any(each.window.overlaps(wish.window) for each in visits):
        yield Breach(Rule.DOUBLE_BOOKING)
        return
    mine = Booking(window=wish.window, place=place, minutes=fault.minutes)
    row = sorted(
        (each for each in (*visits, mine) if _touches(each.window, shift.start, shift.end) or each is mine),
        key=lambda each: each.window,
    )
    places = [technician.home, *(each.place for each in row)]
    frame = Day(shift.start, shift.end, NOWHERE if shift.home is None else shift.home, shift.pauses)
    why = day_rules(frame, _halts(row), lambda a, b: known.travel.between(places[a], places[b]))
    if why is not None:
        rule, seconds = why
        yield Breach(rule, {"minutes": -(-seconds // 60)} if seconds else {})


def _soft(  # noqa: PLR0917  (one wish, all that is known)
    office: Office,
    ticket: Ticket,
    fault: FaultSpec,
    household: Household,
    known: Roster,
    wish: Placing,
    now: datetime,
    old: Visit | None,
) -> Iterator[Breach]:
    """What a person may go past with a reason."""
    own = office.desk.parts.put_aside(old.id) if old is not None else frozenset()
    van = known.vans.get(wish.technician, {})
    for part in fault.parts:
        stock = known.stock.get(part.sku)
        there = part.sku in own or van.get(part.sku, 0) > 0 or (stock is not None and stock.free > 0)
        if there or (stock is not None and stock.arrives is not None and stock.arrives <= wish.start):
            continue
        arrives = stock.arrives if stock is not None else None
        yield Breach(Rule.PART, {"sku": part.sku} if arrives is None else {"sku": part.sku, "until": arrives})
    latest = latest_of(office, ticket)
    if latest is not None and wish.window.end > latest:
        yield Breach(Rule.REMAINING_LIFE, {"until": latest})
    if wish.owner is not Consent.AGREED and now < wish.start < now + office.policy.lead_urgent:
        yield Breach(Rule.NOTICE, {"minutes": round((wish.start - now) / timedelta(minutes=1))})
    zone = ZoneInfo(household.tz)
    day = wish.start.astimezone(zone).date()
    refused = (each for each in office.desk.visits.of_ticket(ticket.id) if each.state is VisitState.DECLINED)
    if wish.owner is not Consent.AGREED and any(each.start.astimezone(zone).date() == day for each in refused):
        yield Breach(Rule.REFUSED_DAY)


def _touches(window: Window, start: int, end: int) -> bool:
    return window.start.timestamp() < end and start < window.end.timestamp()


def _halts(row: Sequence[Booking]) -> list[Halt]:
    halts = []
    for number, each in enumerate(row, 1):
        start, end = round(each.window.start.timestamp()), round(each.window.end.timestamp())
        work = max(each.minutes * 60, LEAST)
        halts.append(Halt(number, start, last_start(Span(start, end), work), work))
    return halts
