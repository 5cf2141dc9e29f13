"""A household with several appliances, a proven repair, a quote as far as it got: for pages, axe and pictures."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

from storage.pool import Connection
from storage.registry import register_device
from telemetry.identity import DeviceKey
from tests.api.case import DAY, NOW, ORG, Seeded, finish_case

_OUTCOME = """
insert into outcome (visit, code, at, actor, cause, parts, note)
values (%s, 'repaired', %s, 'technician:x', 'condenser_fan_wear', '{RF-FAN-120}', 'for our own eyes')
"""
_FITTED = (
    "insert into fitted_part (visit, sku, serial, replaced) values (%s, 'RF-FAN-120', 'CF-240-118-07731', 'CF-22054')"
)
_OBSERVED = """
insert into device_observed (device, epoch, seq, last_t, last_arrival, health, since)
values (%s, 1, 1, %s, %s, %s, %s)
"""
_WASHED = (
    "insert into reading_washing_machine (device, t, epoch, seq, sub, arrival, power) values (%s, %s, 1, %s, 0, %s, %s)"
)


def proven(conn: Connection, seeded: Seeded) -> None:
    """Repaired, proven, billed at nothing, and the owner was asked how it was."""
    finish_case(conn, seeded)
    conn.execute(_OUTCOME, (seeded.visit, NOW - 5 * DAY))
    conn.execute(_FITTED, (seeded.visit,))
    conn.execute("insert into survey (ticket, asked) values (%s, %s)", (seeded.ticket, NOW))


def proving(conn: Connection, seeded: Seeded) -> None:
    """The readings have not said yet whether the repair worked, and nobody was asked."""
    conn.execute("update ticket set state = 'done', verified = null, closed = null where id = %s", (seeded.ticket,))
    conn.execute("delete from survey where ticket = %s", (seeded.ticket,))


def verified(conn: Connection, seeded: Seeded) -> None:
    """They have."""
    conn.execute("update ticket set state = 'verified', verified = %s where id = %s", (NOW - 2 * DAY, seeded.ticket))
    conn.execute("insert into survey (ticket, asked) values (%s, %s)", (seeded.ticket, NOW))


def quoted(conn: Connection, seeded: Seeded, state: str, *, seen: bool = False) -> None:
    """The quote of the case, put to the owner by mail, as far as it got."""
    conn.execute("update device set warranty_until = '2024-01-01' where no = %s", (seeded.device.no,))
    conn.execute(
        "update notice set delivered = sent, state = case when %s then 'opened' else 'delivered' end,"
        " opened = case when %s then sent + interval '1 hour' end where ticket = %s",
        (seen, seen, seeded.ticket),
    )
    conn.execute(
        "update quote set state = %s, total = 250, notice = (select id from notice where ticket = %s limit 1),"
        " decided = case when %s in ('approved', 'declined', 'expired') then %s::timestamptz end,"
        " reason = case when %s = 'declined' then 'too dear' end where id = %s",
        (state, seeded.ticket, state, NOW, state, seeded.quote),
    )


def furnished(conn: Connection, seeded: Seeded) -> None:
    """A washing machine that is well, a dishwasher of four days, and a water heater that is silent."""
    home = seeded.household
    washer = register_device(
        conn, DeviceKey(ORG, "washer-1"), "washing_machine", registered=NOW - 60 * DAY, room="Bathroom", household=home
    )
    dishes = register_device(
        conn, DeviceKey(ORG, "dishes-1"), "dishwasher", registered=NOW - 4 * DAY, room="Kitchen", household=home
    )
    heater = register_device(
        conn, DeviceKey(ORG, "heater-1"), "water_heater", registered=NOW - 90 * DAY, household=home
    )
    minutes = timedelta(minutes=20)
    _observed(conn, seeded.device.no, NOW - minutes, "faulty")
    _observed(conn, washer.no, NOW - minutes, "ok")
    _observed(conn, dishes.no, NOW - minutes, "ok")
    _observed(conn, heater.no, NOW - 2 * DAY, "ok")
    rng = random.Random(3)
    for day in range(56):
        at = (NOW - 56 * DAY + day * DAY).replace(hour=6)
        power = 30 * (1 + 0.1 * math.sin(day) + rng.gauss(0, 0.08)) * (1.9 if day == 50 else 1)
        conn.execute(_WASHED, (washer.no, at, day, at, power))


def _observed(conn: Connection, number: int, last: datetime, health: str) -> None:
    conn.execute(_OBSERVED, (number, last, last, health, NOW - 9 * DAY))
