"""Getting into a home: the owner's answers, and when a technician may read them: on the day of the visit only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.access_rows import Access, Presence
from servicedesk.errors import IllegalMoveError, UnknownError
from servicedesk.model import Visit
from servicedesk.office import Office
from servicedesk.states import VISIT_LIVE, VisitState

ACCESS = "access"
"""Timeline: the owner said how to get in; the answers themselves never stand there."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The four questions of a visit; an empty text is none, `adult` None is not answered."""

    entry: str = ""
    parking: str = ""
    pets: str = ""
    adult: bool | None = None

    @property
    def given(self) -> bool:
        """Whether anything was answered for this visit."""
        return self.adult is not None


def answers_of(office: Office, visit: Visit) -> Answers:
    """What the household said: how to get in stays from visit to visit, who is at home is asked for each."""
    access = office.desk.care.access
    home = office.desk.tickets.get(visit.ticket).household
    known = access.of_household(home) if home is not None else None
    presence = access.presence(visit.id)
    adult = presence.adult if presence is not None else None
    return Answers(adult=adult) if known is None else Answers(known.entry, known.parking, known.pets, adult)


def tell_access(office: Office, visit_id: UUID, answers: Answers, now: datetime, actor: str) -> None:
    """Enter the answers; they can be changed until the visit is over.

    Raises:
        IllegalMoveError: the visit is over.
        UnknownError: the visit's household is not known.
    """
    ticket, visit = office.case(visit_id)
    if visit.state not in VISIT_LIVE:
        raise IllegalMoveError("visit", visit.state, ACCESS, tuple(sorted(map(str, VISIT_LIVE))))
    if ticket.household is None:
        raise UnknownError(f"ticket {ticket.ref} has no household")
    access = office.desk.care.access
    access.tell(
        Access(
            household=ticket.household,
            at=now,
            entry=answers.entry.strip(),
            parking=answers.parking.strip(),
            pets=answers.pets.strip(),
        )
    )
    if answers.adult is not None:
        access.at_home(Presence(visit=visit.id, adult=answers.adult, at=now))
    office.log(ticket.id, now, ACCESS, actor, visit=str(visit.id))


def access_today(office: Office, visit: Visit, now: datetime) -> Answers | None:
    """What the technician of a visit may read: nothing before its day, and nothing once it is over."""
    if visit.state not in VISIT_LIVE or visit.state is VisitState.PROPOSED:
        return None
    ticket = office.desk.tickets.get(visit.ticket)
    household = office.household(ticket)
    if household is None:
        return None
    zone = ZoneInfo(household.tz)
    if visit.start.astimezone(zone).date() != now.astimezone(zone).date():
        return None
    return answers_of(office, visit)
