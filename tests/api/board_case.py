"""More than one ticket for the dispatch board: households around a city, some with a visit, some in the tray."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID

import msgspec

from servicedesk.model import Household, Visit
from servicedesk.opening import report
from servicedesk.planning import confirm, plan
from servicedesk.seed_demo import demo_place
from storage.desk import register_household
from storage.pool import Connection
from storage.registry import register_device
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS, to_micros
from telemetry.finding import finding_id
from telemetry.identity import DeviceKey
from tests.api.case import NOW, ORG, Seeded, fridge_finding, office_of, store_finding

_NAMES = ("Wang", "Zhao", "Schmidt", "Okafor", "Rossi", "Chen", "Sato", "Novak", "Silva", "Haddad")
_AREAS = ("North", "South", "East", "West")


def busy(
    conn: Connection, seeded: Seeded, *, planned: int, confirmed: int, waiting: int
) -> tuple[list[UUID], list[Visit]]:
    """Enter tickets: with a proposed visit, with a confirmed one, and without any.

    Returns:
        The ids of those without a visit, and the visits.
    """
    catalogue, rng = load_catalogue(), random.Random(21)
    office = office_of(conn, catalogue, rng, NOW)
    visits, tray = [], []
    for number in range(planned + confirmed + waiting):
        place = demo_place(7 * number + 3)
        household = UUID(int=rng.getrandbits(128), version=4)
        name = _NAMES[number % len(_NAMES)]
        row = Household(
            id=household,
            org=ORG,
            name=name,
            lang="en",
            tz="Asia/Shanghai",
            registered=NOW - timedelta(days=300),
            area=_AREAS[number % 4],
            latitude=place.latitude,
            longitude=place.longitude,
        )
        register_household(conn, row, email=f"{name.lower()}{number}@example.org")
        key = DeviceKey(ORG, f"board-{number}")
        device = register_device(
            conn,
            key,
            "refrigerator",
            registered=NOW - timedelta(days=300),
            room="kitchen",
            household=household,
        )
        base = fridge_finding(key, NOW, rng)
        # Not within three days of each other: so many alike at once would be one finding of the fleet, and wait.
        opened = to_micros(NOW - timedelta(days=4, hours=number))
        found = msgspec.structs.replace(
            base,
            id=finding_id(key, base.family, opened, 1),
            opened=opened,
            evidence=(),
            life_low=(3 + number % 6) * 86_400.0,
            observed=to_micros(NOW) - 3_600 * MICROS,
        )
        store_finding(conn, device, found)
        ticket = report(office, found, office.desk.people.appliance(device.no), NOW)
        assert ticket is not None
        if number >= planned + confirmed:
            tray.append(ticket.id)
            continue
        visit = plan(office, ticket.id, NOW)
        assert visit is not None
        visits.append(confirm(office, visit.id, NOW, "owner") if number >= planned else visit)
    conn.execute("update notice set state = 'sent', sent = %s where sent is null", (NOW,))
    assert seeded
    return tray, visits
