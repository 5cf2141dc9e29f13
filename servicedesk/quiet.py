"""When a message may reach a household: outside its quiet hours, except for safety."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from servicedesk.model import Household

_MORNING_AT_LATEST = 2


def readable_from(now: datetime, household: Household, *, safety: bool) -> datetime:
    """When a notice may reach the household: now, or when its quiet hours end. Safety does not wait."""
    night = None if safety else quiet_span(now, household)
    return now if night is None else night[1]


def quiet_span(moment: datetime, household: Household) -> tuple[datetime, datetime] | None:
    """Begin and end of the quiet hours that a moment lies in, or None outside them."""
    zone = ZoneInfo(household.tz)
    local = moment.astimezone(zone)
    start, end = household.quiet_from, household.quiet_to
    clock = local.timetz().replace(tzinfo=None)
    inside = start <= clock < end if start <= end else clock >= start or clock < end
    if start == end or not inside:
        return None
    first = local.date() if clock >= start else local.date() - timedelta(days=1)
    return datetime.combine(first, start, zone).astimezone(UTC), _next(local.date(), end, zone, moment)


def _next(day: date, clock: time, zone: ZoneInfo, now: datetime) -> datetime:
    for ahead in range(_MORNING_AT_LATEST + 1):
        moment = datetime.combine(day + timedelta(days=ahead), clock, zone).astimezone(UTC)
        if moment > now:
            return moment
    return now
