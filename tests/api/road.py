"""The seeded case on the day of its visit, an hour before the window: what a technician's tests begin with."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import httpx

from servicedesk.access import Answers, tell_access
from servicedesk.model import Visit
from servicedesk.planning import confirm
from storage.clock_store import write_clock
from storage.pool import connect
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS, FleetClock, to_micros
from tests.api.case import NOW, WALL, Seeded, office_of

LOGIN = "wei"
_BEFORE = 4 * 3600


def on_the_day(database_url: str, seeded: Seeded, ahead: timedelta = timedelta(hours=1)) -> Visit:
    """The owner has agreed and said how to get in; fleet time stands before the window."""
    with connect(database_url, application="test") as conn:
        office = office_of(conn, load_catalogue(), random.Random(3), NOW)
        visit = confirm(office, seeded.visit, NOW, "owner")
        conn.execute(
            "update household set address = '12 Elm Road', latitude = 31.236, longitude = 121.47 where id = %s",
            (seeded.household,),
        )
        conn.execute("update contact set phone = '+862155501234' where household = %s", (seeded.household,))
        tell_access(office, visit.id, Answers("code 4711", "in the yard", "a shy cat", adult=True), NOW, "owner")
        write_clock(conn, _clock(2, visit.start - ahead))
    return visit


def _clock(revision: int, moment: datetime) -> FleetClock:
    """Fleet time runs with wall time since long before now, which is `moment`."""
    return FleetClock(revision, WALL - _BEFORE * MICROS, to_micros(moment) - _BEFORE * MICROS, 1.0)


def wind(database_url: str, moment: datetime) -> None:
    """Put the fleet clock to a moment."""
    with connect(database_url, application="test") as conn:
        write_clock(conn, _clock(3, moment))


def log_in(http: httpx.Client, seeded: Seeded) -> str:
    """Log the technician in; returns the token of forms."""
    answer = http.post("/login", data={"login": LOGIN, "password": seeded.road})
    assert (answer.status_code, answer.headers["location"]) == (303, "/day")
    csrf: str = http.get("/day/session").json()["csrf"]
    return csrf
