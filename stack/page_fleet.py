"""A full house for measuring pages: thousands of appliances in homes, tickets in every state, one case in detail.

Everything goes through the desk's own use cases; only the many devices and homes are entered as rows.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.errors import DeskError
from servicedesk.model import Household, Outcome, OutcomeCode
from servicedesk.office import DISPATCH, OWNER, Office
from servicedesk.opening import take_up
from servicedesk.planning import confirm, plan
from servicedesk.quoting import draft_quote, send_quote
from servicedesk.states import VisitState
from servicedesk.visiting import finish, move_visit
from storage.access import Role, create_owner_link, create_staff
from storage.clock_store import write_clock
from storage.desk import PgDesk, register_household, seed_demo
from storage.pool import Connection
from storage.registry import DeviceRow, register_device
from storage.telemetry_rows import Batch, Reported
from storage.telemetry_store import TelemetryStore
from telemetry.catalogue import Catalogue
from telemetry.clock import MICROS, FleetClock, to_micros
from telemetry.finding import Cause, EpisodeState, Finding, Signal, finding_id
from telemetry.identity import DeviceKey
from telemetry.ids import maker

ORG = "bench"
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
_DAY = timedelta(days=1)
_HOMES_A_DEVICE = 4
_SEED = 20_260_304
_LINKS = 4
_ZONE = ZoneInfo("Asia/Shanghai")
_AREAS = ("North", "South", "Harbour", "Old town")
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class House:
    """What a visitor of the pages holds in hand.

    Attributes:
        alert: link of the case whose visit is proposed.
        visit: link of the one whose visit is confirmed.
        quote: link of the one with a quote.
        report: link of the one that was mended yesterday.
        home: link of a household.
        ref: a ticket's reference.
        device: `ORG/DEVICE` of a ticket.
        day: of the confirmed visit, as in addresses.
        password: of the logins `desk` and `road`.
    """

    alert: str
    visit: str
    quote: str
    report: str
    home: str
    ref: str
    device: str
    day: str
    password: str


def furnish(conn: Connection, catalogue: Catalogue, devices: int, tickets: int, wall: int, told: Told) -> House:  # noqa: PLR0917  (named by the caller)
    """Fill an empty database. The fleet clock stands still at `NOW`."""
    rng = random.Random(_SEED)  # noqa: S311  (a measurement repeats)
    write_clock(conn, FleetClock(1, wall, to_micros(NOW), 0.0))
    seed_demo(conn, ORG, tz="Asia/Shanghai")
    homes = [_home(conn, rng, number) for number in range(max(1, devices // _HOMES_A_DEVICE))]
    rows = []
    for number in range(devices):
        kind = "refrigerator" if number < tickets else rng.choice(sorted(catalogue.kinds))
        key = DeviceKey(ORG, f"a-{number:05d}")
        home = homes[number % len(homes)]
        rows.append(register_device(conn, key, kind, registered=NOW - 400 * _DAY, room="Kitchen", household=home))
    told(f"{devices} devices in {len(homes)} homes")
    office = Office(PgDesk(conn, ""), catalogue, maker(lambda: to_micros(NOW), rng))
    store = TelemetryStore(conn, catalogue)
    made = [_case(office, store, rng, rows[number]) for number in range(tickets)]
    told(f"{tickets} tickets")
    planned = [ticket for ticket in made[:400] if _plan(office, ticket)]
    if len(planned) < _LINKS:
        raise RuntimeError("the bench's technicians have no time")
    _confirm(office, planned[1])
    quote = draft_quote(office, planned[2], NOW, DISPATCH)
    send_quote(office, quote.id, NOW, DISPATCH)
    _mend(office, planned[3])
    told(f"{len(planned)} visits")
    password = create_staff(conn, "desk", now=NOW, role=Role.ADMIN)
    technician = office.desk.visits.of_ticket(planned[1])[0].technician
    create_staff(conn, "road", now=NOW, role=Role.TECHNICIAN, technician=technician, password=password)
    links = [create_owner_link(conn, now=NOW, ticket=ticket) for ticket in planned[:_LINKS]]
    first = office.desk.tickets.get(planned[0])
    household = first.household
    home_link = create_owner_link(conn, now=NOW, household=household)
    return House(
        alert=links[0],
        visit=links[1],
        quote=links[2],
        report=links[3],
        home=home_link,
        ref=first.ref,
        device=f"{ORG}/{rows[first.device - rows[0].no].device}",
        day=_day_of(office, planned[1]),
        password=password,
    )


def _day_of(office: Office, ticket: UUID) -> str:
    return office.desk.visits.of_ticket(ticket)[0].start.astimezone(_ZONE).date().isoformat()


def _home(conn: Connection, rng: random.Random, number: int) -> UUID:
    home = Household(
        id=UUID(int=rng.getrandbits(128), version=4),
        org=ORG,
        name=f"Home {number}",
        lang=rng.choice(("en", "zh")),
        tz="Asia/Shanghai",
        registered=NOW - 400 * _DAY,
        area=_AREAS[number % len(_AREAS)],
    )
    return register_household(conn, home, email=f"home-{number}@example.org").id


def _case(office: Office, store: TelemetryStore, rng: random.Random, device: DeviceRow) -> UUID:
    finding = _finding(device.key, rng)
    store.write(Batch(findings=[Reported(device, finding, to_micros(NOW))]))
    # By hand: so many alike at once are one finding of the fleet, which here is not meant.
    return take_up(office, finding, NOW, DISPATCH).id


def _finding(key: DeviceKey, rng: random.Random) -> Finding:
    opened = to_micros(NOW - timedelta(hours=rng.uniform(1, 60)))
    onset = opened - 12 * 86_400 * MICROS
    times = tuple(opened - step * 6 * 3_600 * MICROS for step in range(240, 0, -1))
    usual = [1_350 + 60 * math.sin(index / 7) for index in range(len(times))]
    longer = [max(0.0, (t - onset) / MICROS / 86_400) * 40 for t in times]
    values = tuple(u + more + rng.gauss(0, 50) for u, more in zip(usual, longer, strict=True))
    low, high = tuple(u - 180 for u in usual), tuple(u + 180 for u in usual)
    return Finding(
        id=finding_id(key, "condenser_airflow", opened, 1),
        device=key,
        family="condenser_airflow",
        revision=0,
        state=EpisodeState.OPEN,
        severity=rng.choice((2, 3, 3, 3)),
        opened=opened,
        onset=onset,
        onset_low=onset - 2 * 86_400 * MICROS,
        onset_high=onset + 2 * 86_400 * MICROS,
        observed=opened,
        score=0.9995,
        causes=(Cause("condenser_fan_wear", 0.7, (("run_time", values[-1], usual[-1]),)), Cause("unknown", 0.3)),
        evidence=(Signal("run_time", times, values, low, high),),
        life_low=20 * 86_400.0,
        life_high=40 * 86_400.0,
        detector="cycles",
        version="bench",
    )


def _plan(office: Office, ticket: UUID) -> bool:
    """Whether a visit was found; the demo's few technicians are soon full."""
    try:
        return plan(office, ticket, NOW) is not None
    except DeskError:
        return False


def _mend(office: Office, ticket: UUID) -> None:
    """The visit is over: what the report tells."""
    _confirm(office, ticket)
    visit = office.desk.visits.of_ticket(ticket)[0]
    for state in (VisitState.DISPATCHED, VisitState.TRAVELLING, VisitState.ON_SITE):
        move_visit(office, visit.id, state, NOW, f"technician:{visit.technician}")
    finish(
        office,
        Outcome(
            visit=visit.id,
            code=OutcomeCode.REPAIRED,
            at=NOW,
            actor=f"technician:{visit.technician}",
            cause="condenser_fan_wear",
            parts=visit.parts,
        ),
    )


def _confirm(office: Office, ticket: UUID) -> None:
    visit = office.desk.visits.of_ticket(ticket)[0]
    confirm(office, visit.id, NOW, OWNER)
