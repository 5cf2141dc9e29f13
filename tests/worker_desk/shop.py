"""The desk on a real database: a fridge, its household, technicians, and findings as the worker writes them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from servicedesk.model import Household, Ticket
from servicedesk.office import Office
from storage.desk import PgDesk, register_household, seed_demo
from storage.pool import Connection, connect
from storage.registry import DeviceRow, register_device
from telemetry.clock import to_datetime, to_micros
from telemetry.finding import Finding
from telemetry.ids import maker
from tests.servicedesk.world import CATALOGUE, KEY, START
from worker.desk import report

_FINDING = "insert into finding (id, device, family, opened, arrived, history) values (%s, %s, %s, %s, %s, %s)"
_REVISION = """
insert into finding_revision (finding, revision, state, severity, onset, onset_low, onset_high, observed, score,
    life_low, life_high, detector, version, body, arrived)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass
class Shop:
    """A database with the desk's first rows; `now` is the fleet time and steps by hand."""

    url: str
    now: datetime = START
    household: UUID = field(default_factory=lambda: UUID(int=7))
    rng: random.Random = field(default_factory=lambda: random.Random(3))

    def __post_init__(self) -> None:
        self.conn: Connection = connect(self.url, application="test")
        household = Household(
            id=self.household, org="demo", name="Li", lang="en", tz="Asia/Shanghai", registered=START, address="Road 1"
        )
        register_household(self.conn, household, contact_name="Li", email="li@example.org")
        seed_demo(self.conn, "demo", tz="Asia/Shanghai")
        self.device: DeviceRow = register_device(
            self.conn, KEY, "refrigerator", registered=START, room="Kitchen", household=household.id
        )
        self.conn.commit()

    def micros(self) -> int:
        return to_micros(self.now)

    def office(self, conn: Connection | None = None) -> Office:
        return Office(PgDesk(conn or self.conn, "http://desk"), CATALOGUE, maker(self.micros, self.rng))

    def enter(self, found: Finding, conn: Connection | None = None) -> None:
        """The finding's rows, as a block's transaction writes them."""
        conn = conn or self.conn
        if found.revision == 0:
            row = (found.id, self.device.no, found.family, to_datetime(found.opened), self.now, found.history)
            conn.execute(_FINDING, row)
        times = (to_datetime(each) for each in (found.onset, found.onset_low, found.onset_high, found.observed))
        head = (found.id, found.revision, found.state, found.severity, *times, found.score)
        tail = (found.life_low, found.life_high, found.detector, found.version)
        conn.execute(_REVISION, (*head, *tail, Jsonb(msgspec.to_builtins(found)), self.now))

    def report(self, found: Finding) -> Ticket | None:
        """One block's transaction."""
        self.enter(found)
        ticket = report(self.conn, found, self.device, self.micros())
        self.conn.commit()
        return ticket

    def close(self) -> None:
        self.conn.close()
