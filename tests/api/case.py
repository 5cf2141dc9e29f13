"""A believable case in a real database: a fridge whose fan wears out, its finding, ticket, visit and notice."""

from __future__ import annotations

import math
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from servicedesk.hooks import Act, Wishes, ping, register
from servicedesk.model import Household
from servicedesk.office import Office
from servicedesk.opening import report
from servicedesk.photos import add_photo
from servicedesk.planning import plan
from servicedesk.quoting import draft_quote
from servicedesk.replanning import Ask, draw_up
from servicedesk.routing.greedy import GreedyPlanner
from servicedesk.way_rows import Way, WayKind
from storage.access import Role, create_owner_link, create_staff, create_token
from storage.clock_store import write_clock
from storage.desk import PgDesk, register_household, seed_demo
from storage.pool import Connection
from storage.registry import DeviceRow, register_device
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import MICROS, FleetClock, to_datetime, to_micros
from telemetry.finding import Cause, EpisodeState, Finding, Proof, Rejected, Signal, finding_id
from telemetry.identity import DeviceKey
from telemetry.ids import maker

ORG = "demo"
NOW = datetime(2026, 11, 18, 1, 30, tzinfo=UTC)  # 09:30 in Shanghai
WALL = to_micros(datetime(2026, 11, 22, 5, 0, tzinfo=UTC))
DAY = timedelta(days=1)
_ONSET = datetime(2026, 10, 21, 4, 0, tzinfo=UTC)


POINT = Way(id=UUID(int=9), org=ORG, kind=WayKind.SERVICE_POINT, name="North Gate", address="Road 9", hours="9-18")


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the tests hold in hands: ids, secrets, moments."""

    household: UUID
    device: DeviceRow
    ticket: UUID
    ref: str
    visit: UUID
    link: str
    staff: str
    road: str
    technician: UUID
    tokens: dict[str, str]
    finding: Finding
    plan: UUID
    quote: UUID
    photo: UUID
    webhook: UUID
    delivery: UUID

    @property
    def alert(self) -> str:
        return f"/o/{self.link}"


def run_time(rng: random.Random, day: float, onset: float) -> float:
    """Seconds a compressor runs; after the onset a worn fan makes the runs longer."""
    usual = 1_350 + 70 * math.sin(day / 9) + rng.gauss(0, 70)
    return usual + max(0.0, day - onset) * 26 + (rng.gauss(0, 40) if day > onset else 0)


def evidence(rng: random.Random, now: datetime, days: int = 90, repaired: float = math.inf) -> tuple[Signal, ...]:
    """Two signals of a cycle each: the run time leaves its band, the fan slows; three days are missing."""
    onset = (_ONSET - (now - days * DAY)) / DAY
    times, runs, fans = [], [], []
    at = now - days * DAY
    while at < now:
        day = (at - (now - days * DAY)) / DAY
        if not 74.0 < day < 77.0:
            worn = day > repaired
            times.append(to_micros(at))
            runs.append(run_time(rng, 0.0 if worn else day, onset if not worn else 9e9))
            fans.append(1_250 + rng.gauss(0, 12) - (0 if worn else max(0.0, day - onset) * 10))
        at += timedelta(seconds=5 * 3_600 + rng.uniform(0, 3_600))
    wave = [1_350 + 70 * math.sin((t - times[0]) / MICROS / 86_400 / 9) for t in times]
    return (
        Signal("run_time", tuple(times), tuple(runs), tuple(w - 190 for w in wave), tuple(w + 190 for w in wave)),
        Signal("fan_rpm", tuple(times), tuple(fans), tuple(1_205.0 for _ in times), tuple(1_295.0 for _ in times)),
    )


def fridge_finding(key: DeviceKey, now: datetime, rng: random.Random) -> Finding:
    """An open episode of the fan, opened two days ago, with causes, what was ruled out, and a life of 3–6 weeks."""
    opened = to_micros(now - 2 * DAY)
    onset = to_micros(_ONSET)
    return Finding(
        id=finding_id(key, "condenser_airflow", opened, 1),
        device=key,
        family="condenser_airflow",
        revision=0,
        state=EpisodeState.OPEN,
        severity=3,
        opened=opened,
        onset=onset,
        onset_low=onset - 3 * 86_400 * MICROS,
        onset_high=onset + 3 * 86_400 * MICROS,
        observed=to_micros(now) - 3_600 * MICROS,
        score=0.9995,
        causes=(
            Cause("condenser_fan_wear", 0.71, (("fan_rpm", 968.0, 1_250.0), ("run_time", 2_080.0, 1_350.0))),
            Cause("refrigerant_leak", 0.19, (("run_time", 2_080.0, 1_350.0),)),
            Cause("unknown", 0.10),
        ),
        rejected=(Rejected("heat_wave", "ambient_mean", 21.3, 29.0),),
        evidence=evidence(rng, now - timedelta(hours=1)),
        life_low=21 * 86_400.0,
        life_high=42 * 86_400.0,
        detector="cycles",
        version="1",
    )


def store_finding(conn: Connection, device: DeviceRow, finding: Finding) -> None:
    """Write a revision as the worker does."""
    at = to_datetime
    conn.execute(
        "insert into finding (id, device, family, opened, arrived) values (%s, %s, %s, %s, %s) on conflict do nothing",
        (finding.id, device.no, finding.family, at(finding.opened), at(finding.observed)),
    )
    conn.execute(
        """
        insert into finding_revision (finding, revision, state, severity, onset, onset_low, onset_high, observed, score,
            life_low, life_high, detector, version, body, arrived)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            finding.id,
            finding.revision,
            finding.state,
            finding.severity,
            at(finding.onset),
            at(finding.onset_low),
            at(finding.onset_high),
            at(finding.observed),
            finding.score,
            finding.life_low,
            finding.life_high,
            finding.detector,
            finding.version,
            Jsonb(msgspec.to_builtins(finding)),
            at(finding.observed),
        ),
    )


def office_of(conn: Connection, catalogue: Catalogue, rng: random.Random, now: datetime) -> Office:
    """The desk at a moment."""
    return Office(desk=PgDesk(conn, ""), catalogue=catalogue, new_id=maker(lambda: to_micros(now), rng))


def seed(conn: Connection, *, lang: str = "en", name: str = "Lin", wall: int = WALL) -> Seeded:
    """Enter the case and plan its visit. The fleet clock stands at `NOW`."""
    rng = random.Random(7)
    catalogue = load_catalogue()
    write_clock(conn, FleetClock(1, wall, to_micros(NOW), 0.0))
    seed_demo(conn, ORG, tz="Asia/Shanghai")
    household = UUID(int=rng.getrandbits(128), version=4)
    register_household(
        conn,
        Household(
            id=household, org=ORG, name=name, lang=lang, tz="Asia/Shanghai", registered=NOW - 400 * DAY, area="North"
        ),
        email="owner@example.org",
    )
    device = register_device(
        conn,
        DeviceKey(ORG, "fridge-1"),
        "refrigerator",
        registered=NOW - 400 * DAY,
        model="lx260",
        serial="LX260-004217",
        room="厨房" if lang == "zh" else "kitchen",
        lang=lang,
        household=household,
        warranty_until=date(2028, 3, 14),
    )
    finding = fridge_finding(device.key, NOW, rng)
    store_finding(conn, device, finding)
    office = office_of(conn, catalogue, rng, NOW)
    appliance = office.desk.people.appliance(device.no)
    ticket = report(office, finding, appliance, NOW)
    assert ticket is not None
    visit = plan(office, ticket.id, NOW)
    assert visit is not None
    conn.execute("update notice set state = 'sent', sent = %s where sent is null", (NOW,))
    link = create_owner_link(conn, now=NOW, ticket=ticket.id)
    staff = create_staff(conn, "ana", now=to_datetime(wall), name="Ana", role=Role.ADMIN, lang=lang)
    road = create_staff(
        conn, "wei", now=to_datetime(wall), name="Wei", role=Role.TECHNICIAN, lang=lang, technician=visit.technician
    )
    tokens = {
        role.value: create_token(
            conn,
            role,
            now=to_datetime(wall),
            label=role.value,
            technician=str(visit.technician) if role is Role.TECHNICIAN else None,
        )
        for role in Role
        if role is not Role.OWNER
    }
    tokens["foreign"] = create_token(conn, Role.ADMIN, now=to_datetime(wall), org="elsewhere")
    tokens["owner"] = create_owner_link(conn, now=NOW, household=household)
    made = draw_up(office, GreedyPlanner(), Ask(ORG, NOW, 5, "dispatch"), NOW)
    office.desk.ways.register(POINT)
    quote = draft_quote(office, ticket.id, NOW, "dispatch")
    photo = add_photo(office, ticket.id, picture(), NOW, "owner")
    wall_time = to_datetime(wall)
    wishes = Wishes(url="https://dispatch.example/wellkept", types=("ticket", "visit"), areas=("North",))
    hook = register(office, ORG, wishes, bytes(range(32)), Act("staff:ana", wall_time, NOW))
    return Seeded(
        household,
        device,
        ticket.id,
        ticket.ref,
        visit.id,
        link,
        staff,
        road,
        visit.technician,
        tokens,
        finding,
        made.id,
        quote.id,
        photo.id,
        hook.id,
        ping(office, hook.id, wall_time).id,
    )


def picture(grey: int = 0x80) -> bytes:
    """A PNG of one grey pixel, with a text chunk that says where it was taken."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    note = chunk(b"tEXt", b"Comment\0at home, 31.2 N 121.5 E")
    data = chunk(b"IDAT", zlib.compress(bytes((0, grey))))
    return b"\x89PNG\r\n\x1a\n" + head + note + data + chunk(b"IEND", b"")


def finish_case(conn: Connection, seeded: Seeded) -> None:
    """Carry the case to closed: confirmed, repaired four days ago, proven by the readings."""
    rng = random.Random(8)
    done, proven = NOW - 5 * DAY, NOW - 2 * DAY
    finding = msgspec.structs.replace(
        seeded.finding,
        revision=1,
        state=EpisodeState.ENDED,
        proof=Proof.PROVEN,
        observed=to_micros(NOW),
        opened=to_micros(NOW - 12 * DAY),
        evidence=evidence(rng, NOW, repaired=85.0),
        life_low=None,
        life_high=None,
    )
    store_finding(conn, seeded.device, finding)
    conn.execute("update finding set opened = %s where id = %s", (NOW - 12 * DAY, finding.id))
    conn.execute(
        "update visit set state = 'done', confirmed = %s, arrived = %s, finished = %s where id = %s",
        (done - DAY, done, done, seeded.visit),
    )
    conn.execute(
        "update ticket set state = 'closed', done = %s, verified = %s, closed = %s where id = %s",
        (done, proven, NOW - DAY, seeded.ticket),
    )


Moved = Callable[[str], None]
