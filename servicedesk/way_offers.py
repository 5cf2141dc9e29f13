"""The other ways of repair that serve a ticket, with their dates, and how they are said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.model import Ticket
from servicedesk.office import Office
from servicedesk.partners import by_hand_only
from servicedesk.texts import pick, say_day, text
from servicedesk.way_rows import WAY_LIVE, Way, WayCase, WayOffer

_ONE_DAY = timedelta(days=1)


def way_offers(office: Office, ticket: Ticket, now: datetime, *, by_hand: bool = False) -> tuple[WayOffer, ...]:
    """The other ways that serve a ticket's appliance, area and skill, the soonest back first.

    A partner below the bar is among them for a dispatcher (`by_hand`) only.
    """
    household = office.household(ticket)
    fault = office.fault(ticket)
    if household is None or fault is None:
        return ()
    kind = office.desk.people.appliance(ticket.device).kind
    found = [
        _dated(office, way, household.tz, now)
        for way in office.desk.ways.of_org(ticket.org)
        if way.serves(kind, household.area, fault.skill) and (by_hand or not by_hand_only(office, way, now))
    ]
    return tuple(sorted(found, key=lambda each: (each.back, each.way.name)))


def live_case(office: Office, ticket: UUID) -> WayCase | None:
    """The case of a ticket that is being mended in another way, or None."""
    return next((each for each in office.desk.ways.of_ticket(ticket) if each.state in WAY_LIVE), None)


def say_ways(office: Office, ticket: Ticket, found: tuple[WayOffer, ...]) -> str:
    """The ways that are offered, with their dates, in the household's language."""
    return _mark(office, ticket).join(words_of(office, ticket, each)["way"] for each in found)


def words_of(office: Office, ticket: Ticket, offer: WayOffer) -> dict[str, str]:
    """What the texts say of a way."""
    lang, tz = office.words_for(ticket)
    words = {
        "name": offer.way.name,
        "begin": say_day(offer.begins, tz, lang),
        "back": say_day(offer.back, tz, lang),
        "place": offer.way.address,
        "open": offer.way.hours,
    }
    return words | {"way": pick(text("way", offer.way.kind), lang).format_map(words)}


def _dated(office: Office, way: Way, tz: str, now: datetime) -> WayOffer:
    """A way's dates: it begins in the morning of a workday, and ends so many workdays later."""
    zone = ZoneInfo(tz)
    begins = _workday(office, now.astimezone(zone), way.lead_days)
    return WayOffer(way, begins, _workday(office, begins, way.work_days))


def _workday(office: Office, since: datetime, count: int) -> datetime:
    """Nine o'clock of the workday that lies so many after a moment."""
    day = since
    while count > 0:
        day += _ONE_DAY
        count -= office.workdays.is_workday(day.date())
    return day.replace(hour=9, minute=0, second=0, microsecond=0).astimezone(UTC)


def _mark(office: Office, ticket: Ticket) -> str:
    return pick(text("label", "list_mark"), office.words_for(ticket)[0])
