"""What a ticket's visit needs and who could do it, gathered from the desk: the input of every kind of planning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.model import Booking, Household, Technician, Ticket, Window
from servicedesk.office import Office
from servicedesk.planner import LENGTH, Demand, Offers, Roster, offers
from servicedesk.roster import Announced, Workdays
from telemetry.catalogue import FaultSpec
from telemetry.clock import MICROS, to_datetime

VISITS = "visits"
"""The calendar of the days on which visits take place, in the table of service levels."""
_LITTLE = timedelta(hours=24)


def feasible(
    office: Office,
    ticket: Ticket,
    fault: FaultSpec,
    household: Household,
    *,
    earliest: datetime,
    now: datetime,
    own: Collection[str] = (),
    everybody: bool = False,
    start: datetime | None = None,
    known: Roster | None = None,
) -> Offers:
    """The windows of a ticket's visit within the policy's horizon.

    Args:
        office: the desk.
        ticket: whose visit.
        fault: what is to be mended.
        household: where.
        earliest: no window starts before.
        now: fleet time.
        own: SKUs that are reserved for it already.
        everybody: every technician of a window, not the best alone.
        start: look at the window that begins then alone.
        known: the roster of the horizon, where it is at hand.
    """
    until = now + office.policy.horizon
    parts = tuple(part.sku for part in fault.parts if part.sku not in own)
    demand = Demand(
        skill=fault.skill,
        parts=parts,
        earliest=earliest,
        latest=latest_of(office, ticket),
        until=until,
        tz=household.tz,
        area=household.area,
        place=household.place,
        minutes=fault.minutes,
    )
    known = known or roster(office, ticket.org, parts, Window(now, until + LENGTH), now, but=ticket.id)
    return offers(demand, known, everybody=everybody, start=start)


def roster(
    office: Office, org: str, skus: Collection[str], span: Window, now: datetime, *, but: UUID | None = None
) -> Roster:
    """Technicians of an organisation with what occupies them in a span, and the stock of some parts.

    Args:
        office: the desk.
        org: the organisation.
        skus: of the stock.
        span: of the bookings.
        now: fleet time; a window that is held then counts as booked.
        but: the ticket that is planned: its own visit and hold do not stand in its way.
    """
    desk = office.desk
    technicians = desk.people.technicians(org)
    who = [each.id for each in technicians]
    booked: dict[UUID, list[Booking]] = defaultdict(list)
    for technician, bookings in desk.visits.bookings(who, span).items():
        booked[technician].extend(each for each in bookings if but is None or each.ticket != but)
    for hold in desk.plans.held(who, span, now):
        if hold.ticket != but:
            booked[hold.technician].append(Booking(window=hold.window, ticket=hold.ticket))
    return Roster(
        technicians=technicians,
        booked=booked,
        stock=desk.parts.stock(org, skus),
        vans=desk.parts.vans(who, skus),
        workdays=workdays_of(office, technicians),
        travel=office.travel,
    )


def workdays_of(office: Office, technicians: Sequence[Technician]) -> Workdays:
    """The days of visits: those of the calendar `visits` where service levels name one, else every day with a shift."""
    calendar = office.levels.calendars.get(VISITS)
    if calendar is None or not technicians:
        return office.workdays
    return Announced(calendar.of(technicians[0].tz))


def latest_of(office: Office, ticket: Ticket) -> datetime | None:
    """The pessimistic end of the remaining life, or None when it is unknown."""
    finding = office.desk.agenda.finding(ticket.finding) if ticket.finding is not None else None
    if finding is None or finding.life_low is None:
        return None
    return to_datetime(finding.observed + round(finding.life_low * MICROS))


def earliest_of(office: Office, ticket: Ticket, readable: datetime) -> datetime:
    """Time for the owner to answer; little of it for what is urgent or would fail before."""
    policy, latest = office.policy, latest_of(office, ticket)
    short = latest is not None and latest < readable + policy.lead + _LITTLE
    return readable + (policy.lead_urgent if ticket.safety or ticket.severity == 1 or short else policy.lead)
