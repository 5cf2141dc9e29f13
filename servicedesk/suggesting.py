"""The three best choices for one ticket, each with its reasons: for a dispatcher who plans by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.feasibility import earliest_of, feasible, latest_of, roster
from servicedesk.model import Household, Technician, Ticket, Visit, Window
from servicedesk.office import Office
from servicedesk.planner import LENGTH, Blocking, Offer, Roster
from servicedesk.quiet import readable_from
from servicedesk.states import VISIT_LIVE
from telemetry.catalogue import FaultSpec

COUNT = 3
_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A technician and a window.

    Attributes:
        window: the two hours.
        technician: who would come.
        name: of the technician.
        detour: seconds of way that it adds to that day.
        same_area: the technician works in the household's area.
        visits: that the technician has on that day.
        skill_until: last day of the skill, when that is within a month after the visit.
        parts: for each SKU where it is: `van`, `depot` or `ordered`.
        life_left: from the window's end to the pessimistic end of the remaining life; None when it is unknown.
    """

    window: Window
    technician: UUID
    name: str
    detour: int
    same_area: bool
    visits: int
    skill_until: date | None
    parts: tuple[tuple[str, str], ...]
    life_left: timedelta | None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The best, or the constraint that leaves none (or, with some, that all come after the remaining life).

    Attributes:
        free: everybody who could come, in every window.
    """

    best: tuple[Suggestion, ...]
    blocking: Blocking | None = None
    free: tuple[Offer, ...] = ()


def suggest(office: Office, ticket: Ticket, now: datetime) -> Suggestions:
    """Three windows with their technicians: little way and an early day first, and not three times the same half day.

    Where the ticket's visit stands already is none of them.

    Nothing is written; the windows are not held.
    """
    household = office.household(ticket)
    fault = office.fault(ticket)
    if household is None or fault is None:
        return Suggestions((), Blocking.HOUSEHOLD if household is None else Blocking.SKILL)
    readable = readable_from(now, household, safety=ticket.safety)
    earliest = earliest_of(office, ticket, readable)
    span = Window(now, now + office.policy.horizon + LENGTH)
    known = roster(office, ticket.org, [part.sku for part in fault.parts], span, now, but=ticket.id)
    found = feasible(office, ticket, fault, household, earliest=earliest, now=now, everybody=True, known=known)
    latest = latest_of(office, ticket)
    stands = {(each.technician, each.window) for each in _live_of(office, ticket.id)}
    other = tuple(each for each in found.found if (each.technician, each.window) not in stands)
    best = tuple(_explained(offer, fault, household, known, latest) for offer in _spread(other, household.tz, earliest))
    return Suggestions(best, found.blocking, other)


def _live_of(office: Office, ticket: UUID) -> list[Visit]:
    """The visit that a ticket has now, if any."""
    return [each for each in office.desk.visits.of_ticket(ticket) if each.state in VISIT_LIVE]


def _spread(found: tuple[Offer, ...], tz: str, earliest: datetime) -> list[Offer]:
    """The cheapest of different half days; a day of waiting weighs as much as half an hour on the road."""
    zone = ZoneInfo(tz)
    best: list[Offer] = []
    seen: set[tuple[int, bool]] = set()
    for offer in sorted(found, key=lambda each: (_cost(each, earliest), each.window.start, each.technician)):
        local = offer.window.start.astimezone(zone)
        half = (local.toordinal(), local.hour < 12)  # noqa: PLR2004  (noon)
        if half not in seen:
            seen.add(half)
            best.append(offer)
        if len(best) == COUNT:
            break
    return best


def _cost(offer: Offer, earliest: datetime) -> float:
    return offer.detour + 1800 * ((offer.window.start - earliest) / timedelta(days=1))


def _explained(
    offer: Offer, fault: FaultSpec, household: Household, known: Roster, latest: datetime | None
) -> Suggestion:
    technician = next(each for each in known.technicians if each.id == offer.technician)
    day = offer.window.start.astimezone(ZoneInfo(technician.tz)).date()
    visits = [
        each
        for each in known.booked.get(technician.id, ())
        if each.ticket is not None and each.window.start.astimezone(ZoneInfo(technician.tz)).date() == day
    ]
    return Suggestion(
        window=offer.window,
        technician=technician.id,
        name=technician.name,
        detour=offer.detour,
        same_area=bool(household.area) and technician.area == household.area,
        visits=len(visits),
        skill_until=_until(technician, fault.skill, day),
        parts=tuple((part.sku, _where(known, technician.id, part.sku)) for part in fault.parts),
        life_left=latest - offer.window.end if latest is not None else None,
    )


def _until(technician: Technician, skill: str, day: date) -> date | None:
    for each in technician.certificates:
        if each.skill == skill and each.valid_until is not None and each.valid_until <= day + _SOON:
            return each.valid_until
    return None


def _where(known: Roster, technician: UUID, sku: str) -> str:
    if known.vans.get(technician, {}).get(sku, 0) > 0:
        return "van"
    part = known.stock.get(sku)
    return "depot" if part is not None and part.free > 0 else "ordered"
