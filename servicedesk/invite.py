"""The calendar file of a visit: one entry that keeps its identity when the visit moves (RFC 5545)."""

from __future__ import annotations

from datetime import datetime

from icalendar import Calendar, Event

from servicedesk.model import Household, Technician, Ticket, Visit
from servicedesk.states import VisitState
from servicedesk.texts import pick, text

_GONE = {VisitState.DECLINED, VisitState.MISSED, VisitState.CANCELLED}


def calendar_file(
    visit: Visit, ticket: Ticket, household: Household, technician: Technician, *, appliance: str, now: datetime
) -> bytes:
    """A VCALENDAR with the visit; its UID stays, its SEQUENCE counts moves up.

    Args:
        visit: what is put in the calendar.
        ticket: whose reference is shown.
        household: gives language and address.
        technician: who comes.
        appliance: its name in the household's language.
        now: DTSTAMP.
    """
    lang = household.lang
    event = Event()
    event.add("uid", f"{visit.calendar}@wellkept")
    event.add("sequence", visit.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", visit.start)
    event.add("dtend", visit.end)
    event.add("summary", pick(text("invite", "title"), lang).format(appliance=appliance, ref=ticket.ref))
    event.add("description", pick(text("invite", "body"), lang).format(technician=technician.name, ref=ticket.ref))
    event.add("location", household.address)
    event.add("status", _status(visit.state))
    calendar = Calendar()
    calendar.add("prodid", "-//Wellkept//Service desk//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if visit.state in _GONE else "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _status(state: VisitState) -> str:
    if state in _GONE:
        return "CANCELLED"
    return "TENTATIVE" if state is VisitState.PROPOSED else "CONFIRMED"
