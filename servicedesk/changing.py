"""Until when an owner may change or cancel a visit by themselves; later a person has to be asked."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.errors import IllegalMoveError
from servicedesk.model import Household, Visit
from servicedesk.office import OWNER, Office
from servicedesk.states import VisitState
from servicedesk.visiting import move_visit

_EVENING = time(18)
_SECOND_THOUGHTS = timedelta(hours=1)


def change_until(visit: Visit, household: Household) -> datetime:
    """The cut-off of a visit: six in the evening of the day before, where the household lives.

    Whoever confirms later than that has an hour for second thoughts; a visit that is only proposed may be changed
    until it begins.
    """
    if visit.state is VisitState.PROPOSED:
        return visit.start
    zone = ZoneInfo(household.tz)
    day = visit.start.astimezone(zone).date() - timedelta(days=1)
    evening = datetime.combine(day, _EVENING, zone)
    confirmed = visit.confirmed or visit.proposed
    return min(max(evening, confirmed + _SECOND_THOUGHTS), visit.start)


def may_change(visit: Visit, household: Household, now: datetime) -> bool:
    """Whether the owner may still change or cancel a visit without asking anybody."""
    waiting = visit.state in (VisitState.PROPOSED, VisitState.CONFIRMED)
    return waiting and now < change_until(visit, household)


def check_change(office: Office, visit_id: UUID, now: datetime) -> Visit:
    """Pass when the owner may still change a visit.

    Raises:
        IllegalMoveError: the cut-off has passed, or the technician has set out.
    """
    ticket, visit = office.case(visit_id)
    household = office.household(ticket)
    if household is None or not may_change(visit, household, now):
        raise IllegalMoveError("visit", visit.state, "changed by its owner", ())
    return visit


def cancel(office: Office, visit_id: UUID, reason: str, now: datetime) -> Visit:
    """The owner calls a visit off; the case stays open, and another time is looked for.

    Raises:
        IllegalMoveError: the cut-off has passed, or it was called off before.
    """
    check_change(office, visit_id, now)
    return move_visit(office, visit_id, VisitState.DECLINED, now, OWNER, reason=reason.strip() or None)
