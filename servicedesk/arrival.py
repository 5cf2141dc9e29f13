"""When a technician is expected at the door, and whether that is later than promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from servicedesk.day_rows import Delay, Position
from servicedesk.model import Visit
from servicedesk.states import VisitState
from servicedesk.travel import Place, TravelTimes

_STEP = timedelta(minutes=5)
_AHEAD = (VisitState.CONFIRMED, VisitState.DISPATCHED, VisitState.TRAVELLING)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of an arrival.

    Attributes:
        expected: about when; None where nothing is known but the window.
        promised: the end of the window.
        late: later than promised, or the promise has passed.
        by: `technician` (they said so), `position` (from where they are), or empty.
    """

    expected: datetime | None
    promised: datetime
    late: bool
    by: str = ""


def arrival(
    visit: Visit,
    home: Place | None,
    now: datetime,
    travel: TravelTimes,
    *,
    position: Position | None = None,
    delay: Delay | None = None,
) -> Arrival:
    """Weigh what is known: the technician's own word, else the way from where they are.

    A word that is older than the position gives way to it; a word whose time has passed says nothing any more.

    Args:
        visit: ahead or not.
        home: where it is.
        now: fleet time.
        travel: times of ways.
        position: where the technician is, while travelling.
        delay: what the technician said.
    """
    if visit.state not in _AHEAD:
        return Arrival(None, visit.end, late=False)
    expected, by = None, ""
    if delay is not None and delay.expected > now:
        expected, by = delay.expected, "technician"
    newer = position is not None and (delay is None or position.at > delay.at or expected is None)
    if visit.state is VisitState.TRAVELLING and position is not None and home is not None and newer:
        expected, by = max(position.at + timedelta(seconds=travel.between(position.place, home)), now), "position"
    if expected is None:
        return Arrival(None, visit.end, late=now > visit.end)
    told = _up(expected)
    return Arrival(told, visit.end, told > visit.end, by)


def _up(moment: datetime) -> datetime:
    """The next full five minutes: nobody can say it more exactly."""
    over = timedelta(minutes=moment.minute % 5, seconds=moment.second, microseconds=moment.microsecond)
    return moment if not over else moment + _STEP - over
