"""What many appliances of one kind begin to show together has one cause that is not theirs: one finding of the fleet.

A heat wave, a holiday or a firmware makes appliances leave their usual range side by side. Findings of one kind and
family within `WITHIN` are held against what such a fleet shows by chance (Poisson); when they are too many for it, one
fleet finding opens and its members' tickets wait until the cause has passed. A real fault is still there then. What
would fail before waits for half of the time that is left, what is grave for a day, and safety not at all. A finding
without a cause waits a little in any case, for company to show.
Whether the members share a firmware or a lot is looked at after each that joins; see `servicedesk.shared_trait`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.fleet_rows import FleetFinding, Why
from servicedesk.model import Appliance, TicketDraft
from servicedesk.office import Office
from servicedesk.rates import at_least
from servicedesk.shared_trait import COMPARE_FLEET
from telemetry.finding import Finding

WAITED = "finding_waited"
"""Due: a finding has waited long enough."""
WITHIN = timedelta(days=3)
UNSURE_WAIT = WITHIN
"""A finding without a cause waits as long as company may take to show."""
COMMON_WAIT = timedelta(days=10)
"""A warm spell in Europe and North China lasts three to nine days as a rule (Perkins-Kirkpatrick and Lewis 2020)."""
GRAVE_WAIT = timedelta(days=1)
"""A grave fault of many at once waits so long: mains voltage that sags takes the power of every heater with it."""
LEAST_WAIT = timedelta(hours=6)
"""Less would tell nothing."""
QUIET = timedelta(days=7)
"""A fleet finding without a new member for this long is over: the next finding is judged anew."""
_RATE = 0.5
"""Findings a year of one device and family at most: five times what the simulated kinds wear out at."""
_CHANCE = 1e-3
_LEAST = 3
_GRAVE, _GRAVEST = 2, 1
_YEAR = timedelta(days=365)
_UNKNOWN = "unknown"


def expected_of(devices: int) -> float:
    """Findings of one family that so many devices show within `WITHIN` by chance, at most."""
    return devices * _RATE * (WITHIN / _YEAR)


def too_many(findings: int, devices: int) -> bool:
    """Whether so many findings are too many for chance."""
    return findings >= _LEAST and at_least(findings, expected_of(devices)) < _CHANCE


def waits(office: Office, finding: Finding, appliance: Appliance, draft: TicketDraft, now: datetime) -> bool:
    """Whether a finding opens no ticket yet; it is then noted why, and a due thing looks at it again.

    Safety never waits; it is a member of a fleet finding all the same. Alone, what is grave or would fail meanwhile
    does not wait for company either.
    """
    fleet, found = office.desk.fleet, UUID(finding.id)
    if fleet.waited(found):
        return False
    member = fleet.member_of(found) is not None or _gathers(office, finding, appliance, now)
    longest = timedelta(0) if draft.safety else _longest(finding)
    waiting = fleet.waiting(found)
    if member and longest >= LEAST_WAIT:
        until = fleet.waits_until(found) if waiting is Why.COMMON else None
        if until is None or now + longest < until:
            _wait(office, found, appliance.no, Why.COMMON, now, until=now + longest)
        return True
    if longest < COMMON_WAIT or not _unsure(finding):
        return False
    if waiting is None:
        _wait(office, found, appliance.no, Why.UNSURE, now, until=now + UNSURE_WAIT)
    return True


def end_wait(office: Office, finding: UUID, now: datetime) -> bool:
    """A finding has waited long enough. Returns whether it has not been looked at since."""
    return office.desk.fleet.end_wait(finding, now)


def _wait(office: Office, finding: UUID, device: int, why: Why, now: datetime, *, until: datetime) -> None:
    office.desk.fleet.wait(finding, device, why, now, until)
    office.desk.agenda.set_due(WAITED, finding, until)


def _gathers(office: Office, finding: Finding, appliance: Appliance, now: datetime) -> bool:
    """Whether the finding is one of many; it then is a member of their fleet finding."""
    fleet, found = office.desk.fleet, UUID(finding.id)
    standing = fleet.standing(appliance.org, appliance.kind, finding.family, now - QUIET)
    if standing is not None:
        fleet.join(standing.id, found, appliance.no, now)
        office.desk.agenda.set_due(COMPARE_FLEET, standing.id, now)
        return True
    devices = fleet.devices(appliance.org, appliance.kind)
    recent = {**fleet.recent(appliance.org, appliance.kind, finding.family, now - WITHIN), appliance.no: found}
    if not too_many(len(recent), devices):
        return False
    opened = FleetFinding(
        id=office.new_id(),
        org=appliance.org,
        kind=appliance.kind,
        family=finding.family,
        opened=now,
        devices=devices,
        expected=expected_of(devices),
    )
    fleet.enter(opened)
    for device, member in sorted(recent.items()):
        fleet.join(opened.id, member, device, now)
        if fleet.waiting(member) is Why.UNSURE:
            _wait(office, member, device, Why.COMMON, now, until=now + COMMON_WAIT)
    office.desk.agenda.set_due(COMPARE_FLEET, opened.id, now)
    return True


def _unsure(finding: Finding) -> bool:
    """Whether no cause is likelier than that there is none that we know."""
    return bool(finding.causes) and finding.causes[0].fault == _UNKNOWN


def _longest(finding: Finding) -> timedelta:
    """How long the ticket of one of many may wait: never for more than half of the life that is left at least."""
    most = timedelta(0) if finding.severity <= _GRAVEST else GRAVE_WAIT if finding.severity <= _GRAVE else COMMON_WAIT
    if finding.life_low is None or finding.life_low >= COMMON_WAIT.total_seconds():
        return most
    return min(most, timedelta(seconds=finding.life_low / 2))
