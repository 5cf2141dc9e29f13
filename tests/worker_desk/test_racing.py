"""Two hundred owners want the same two hours of one technician: one gets them, the others a fresh list."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from servicedesk.errors import WindowGoneError
from servicedesk.holding import HOLD, hold_window
from servicedesk.model import Household, Technician, Ticket, Visit
from servicedesk.office import OWNER, Office
from servicedesk.planner import LENGTH
from servicedesk.planning import alternatives, take_window
from servicedesk.states import TicketState, VisitState
from storage.desk import PgDesk, register_household, register_technician
from storage.pool import Connection, open_pool
from storage.registry import register_device
from telemetry.clock import to_micros
from telemetry.identity import DeviceKey
from telemetry.ids import maker
from tests.servicedesk.world import CATALOGUE, START
from tests.worker_desk.shop import Shop

CLIENTS = 200
SLOT = datetime(2026, 3, 6, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
DAY = (8 * 60, 20 * 60)


@dataclass(frozen=True)
class Client:
    number: int
    ticket: UUID
    visit: UUID


def office(conn: Connection, number: int) -> Office:
    return Office(PgDesk(conn, "http://desk"), CATALOGUE, maker(lambda: to_micros(START), random.Random(number)))


def enter(shop: Shop, count: int = CLIENTS) -> list[Client]:
    """As many households as clients, each with a proposed visit of somebody who has left; one technician works."""
    conn, ids = shop.conn, maker(lambda: to_micros(START), random.Random(5))
    conn.execute("update technician set active = false")
    gone = conn.execute("select id from technician order by name limit 1").fetchone()
    assert gone is not None
    only = Technician(
        id=ids(), org="demo", name="Only", skills=("cooling", "appliances"), tz="Asia/Shanghai", hours=(DAY,) * 7
    )
    register_technician(conn, only)
    desk, clients = PgDesk(conn, "http://desk"), []
    fault = CATALOGUE["refrigerator"].faults["condenser_fan_wear"]
    for number in range(count):
        home = Household(id=ids(), org="demo", name=f"H{number}", tz="Asia/Shanghai", lang="en", registered=START)
        register_household(conn, home, email=f"h{number}@example.org")
        key = DeviceKey("demo", f"race-{number}")
        device = register_device(conn, key, "refrigerator", registered=START, household=home.id)
        ticket = desk.tickets.add(
            Ticket(
                id=ids(),
                org="demo",
                device=device.no,
                household=home.id,
                family="condenser_airflow",
                fault="condenser_fan_wear",
                severity=3,
                priority=30,
                state=TicketState.OPEN,
                responsible="dispatch",
                next_action="await_owner",
                opened=START,
                respond_due=START + timedelta(hours=24),
            )
        )
        assert ticket is not None
        start = START + timedelta(days=30) + number * LENGTH
        visit = Visit(
            id=ids(),
            ticket=ticket.id,
            technician=gone[0],  # type: ignore[arg-type]
            skill=fault.skill,
            start=start,
            end=start + LENGTH,
            state=VisitState.PROPOSED,
            hold_until=start,
            calendar=ids(),
            proposed=START,
        )
        desk.visits.add(visit)
        clients.append(Client(number, ticket.id, visit.id))
    conn.commit()
    return clients


@pytest.mark.parametrize("way", ["take", pytest.param("hold", marks=pytest.mark.long)])
def test_two_hundred_clients_for_one_slot_and_one_winner(shop: Shop, way: str) -> None:
    clients = enter(shop)
    pool = open_pool(shop.url, application="race", size=16)
    ready = threading.Barrier(CLIENTS)

    def race(client: Client) -> list[datetime] | None:
        """None for the winner; the fresh list for the others."""
        ready.wait(timeout=60)
        try:
            with pool.connection(timeout=120) as conn:
                desk = office(conn, client.number)
                if way == "take":
                    take_window(desk, client.visit, SLOT, START, OWNER)
                else:
                    hold_window(desk, client.visit, SLOT, START, OWNER)
                return None
        except WindowGoneError:
            with pool.connection(timeout=120) as conn:
                found = alternatives(office(conn, client.number), client.visit, START)
                return [offer.window.start for offer in found.all]

    with ThreadPoolExecutor(CLIENTS) as threads:
        told = list(threads.map(race, clients))
    pool.close()
    winners = [client for client, fresh in zip(clients, told, strict=True) if fresh is None]
    assert len(winners) == 1
    for fresh in told:
        assert fresh is None or (fresh and SLOT not in fresh)
    taken = shop.conn.execute(
        "select ticket from visit where state = 'confirmed' and lower(span) = %s"
        " union select ticket from slot_hold where lower(span) = %s",
        (SLOT, SLOT),
    ).fetchall()
    assert taken == [(winners[0].ticket,)]
    clash = """
        select from visit a join visit b on a.technician = b.technician and a.id < b.id and a.span && b.span
        where a.state in ('proposed', 'confirmed') and b.state in ('proposed', 'confirmed')
    """
    assert shop.conn.execute(clash).rowcount == 0
    if way == "hold":
        _the_hold_ends(shop, clients, winners[0])


def _the_hold_ends(shop: Shop, clients: list[Client], winner: Client) -> None:
    """For ten minutes nobody else gets it; then the first who asks does."""
    other = next(each for each in clients if each != winner)
    within = START + HOLD - timedelta(seconds=1)
    with pytest.raises(WindowGoneError):
        take_window(office(shop.conn, 900), other.visit, SLOT, within, OWNER)
    shop.conn.rollback()
    visit = take_window(office(shop.conn, 901), other.visit, SLOT, START + HOLD, OWNER)
    assert (visit.state, visit.start) == (VisitState.CONFIRMED, SLOT)
    shop.conn.commit()


def test_who_holds_a_window_gets_it(shop: Shop) -> None:
    first, second = enter(shop, 2)
    hold = hold_window(office(shop.conn, 1), first.visit, SLOT, START, OWNER)
    assert hold.until == START + timedelta(minutes=10)
    shop.conn.commit()
    with pytest.raises(WindowGoneError):
        hold_window(office(shop.conn, 2), second.visit, SLOT, START, OWNER)
    shop.conn.rollback()
    free = [each.window.start for each in alternatives(office(shop.conn, 3), second.visit, START).all]
    assert SLOT not in free
    own = [each.window.start for each in alternatives(office(shop.conn, 4), first.visit, START).all]
    assert SLOT in own
    # Another choice lets the first window go.
    later = replace(hold, start=own[-1])
    hold_window(office(shop.conn, 5), first.visit, later.start, START, OWNER)
    shop.conn.commit()
    visit = take_window(office(shop.conn, 6), second.visit, SLOT, START, OWNER)
    assert visit.start == SLOT
    visit = take_window(office(shop.conn, 7), first.visit, later.start, START, OWNER)
    shop.conn.commit()
    assert visit.technician == hold.technician
    assert shop.conn.execute("select from slot_hold").rowcount == 0
