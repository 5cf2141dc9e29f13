"""When the simulated people of dispatch work: in the hours in which the desk promises a first human answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from servicedesk.calendars import Calendar, CalendarError
from servicedesk.level_policies import Levels
from telemetry.clock import to_datetime, to_micros

PROMISE = "first_response"
"""The policy whose calendar they keep; a table without it has people day and night."""


class ServiceHours:
    """The calendar of the first human response, in each household's own time zone.

    Args:
        levels: what the desk promises.
        zones: IANA time zone by device, `org/device`.
    """

    def __init__(self, levels: Levels, zones: Mapping[str, str]) -> None:
        policy = levels.policies.get(PROMISE)
        self._calendars = {
            zone: policy.calendar.of(zone) if policy is not None else Calendar() for zone in set(zones.values())
        }
        self._zones = zones

    def __call__(self, device: str, since: int, work: int) -> int:
        """When so much working time will have passed for a device's owner; all of it microseconds.

        Past the last year whose holidays are published, weekdays alone count, as in the desk's own clocks.
        """
        calendar, begin = self._calendars[self._zones[device]], to_datetime(since)
        span = timedelta(microseconds=work)
        try:
            return to_micros(calendar.add(begin, span))
        except CalendarError:
            return to_micros(calendar.plain().add(begin, span))
