"""The upkeep of what readings leave behind: roll-ups, compression and retention, as due things of our own table.

The bounds are fleet time: TimescaleDB's own policies follow the server's clock and are not used, so a fleet that lives
a day in 12 seconds is rolled up, compressed and forgotten like any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from procrastinate import App
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.clock_store import read_clock
from storage.jobs import QUEUE
from storage.pool import Connection, connect
from storage.retention import Keep, Kept, retain
from storage.rollups import PlainRollUps, Refreshed
from storage.timescale import TimescaleRollUps, compress, fit_chunks, present
from storage.upkeep import APPLICATION, alone, due_again, ensure_due
from telemetry.catalogue import Catalogue
from telemetry.clock import to_datetime
from worker.jobs import Patience

log = structlog.get_logger()

UPKEEP = "upkeep"
"""Name of the task."""
ROLL_UP = "roll_up"
"""Due: the roll-ups go on."""
TIDY = "tidy"
"""Due: compression, retention, the size of new chunks."""
KINDS = (ROLL_UP, TIDY)

_REF = UUID("6c1f7a52-0a3e-5b55-9d0e-7f3f6f0c9a11")
"""There is one product a database, and one due thing of each kind."""
_EVERY = {ROLL_UP: timedelta(minutes=5), TIDY: timedelta(days=1)}
_AT_MOST_EVERY_S = 30.0
LAG = timedelta(hours=1)
"""Roll-ups end so long before now: appliances gather up to half an hour of readings in a message."""


class KeepSettings(BaseSettings):
    """How long things are kept, in days of fleet time; what is coarser at least as long, without a number for ever.

    Attributes:
        readings: and events.
        minutes: roll-ups by minute.
        hours: by hour.
        days: by day.
        compress_after: readings older than that are compressed, where the database can.
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_KEEP_", extra="ignore")

    readings: int = Field(default=400, ge=1)
    minutes: int = Field(default=400, ge=1)
    hours: int | None = Field(default=None, ge=1)
    days: int | None = Field(default=None, ge=1)
    compress_after: int = Field(default=7, ge=1)

    def policy(self) -> Keep:
        """As storage takes it.

        Raises:
            ValueError: something coarser is kept shorter.
        """
        return Keep(
            timedelta(days=self.readings),
            timedelta(days=self.minutes),
            None if self.hours is None else timedelta(days=self.hours),
            None if self.days is None else timedelta(days=self.days),
        )


@dataclass(frozen=True, slots=True)
class Keeper:
    """Does the upkeep.

    Attributes:
        database_url: `postgresql://…`; each piece of work opens a connection of its own, outside any transaction.
        catalogue: appliance kinds.
        fleet_now: fleet time, microseconds.
        keep: how long.
        stopping: once it is true, what is left of a round is left for the next one.
    """

    database_url: str
    catalogue: Catalogue
    fleet_now: Callable[[], int]
    keep: KeepSettings = field(default_factory=KeepSettings)
    stopping: Callable[[], bool] = lambda: False

    def begin(self) -> None:
        """See to it that the due things are there. Harmless when repeated."""
        now = to_datetime(self.fleet_now())
        with connect(self.database_url, application=APPLICATION, autocommit=True) as conn:
            for kind in KINDS:
                ensure_due(conn, kind, _REF, now + _EVERY[kind])

    def work(self, kind: str, due: int) -> None:
        """Do a due thing and set when it is due again. Harmless when repeated, also half done."""
        with connect(self.database_url, application=APPLICATION, autocommit=True) as conn:
            began = time.monotonic()
            alone(conn)
            now = to_datetime(self.fleet_now())
            if kind == ROLL_UP:
                roll_up(conn, self.catalogue, now, self.stopping)
            else:
                tidy(conn, self.catalogue, self.keep, now, self.stopping)
            if self.stopping():
                # It stays handed over, and is taken back when its job is gone.
                return
            clock = read_clock(conn)
            # Under an accelerated clock, which stands while anything is due, not at every turn.
            pause = timedelta(seconds=_AT_MOST_EVERY_S * (1.0 if clock is None else clock.speed))
            due_again(conn, due, to_datetime(self.fleet_now()) + max(_EVERY[kind], pause))
            log.info("upkeep", kind=kind, seconds=round(time.monotonic() - began, 3))


def roll_up(
    conn: Connection, catalogue: Catalogue, now: datetime, stopping: Callable[[], bool] = lambda: False
) -> list[Refreshed]:
    """Bring the roll-ups to an hour before a fleet time, in the database's lane. `conn` is in autocommit."""
    made = (TimescaleRollUps if present(conn) else PlainRollUps)(conn, catalogue, stopping=stopping)
    return made.refresh(now - LAG)


def tidy(
    conn: Connection,
    catalogue: Catalogue,
    keep: KeepSettings,
    now: datetime,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Kept]:
    """Drop what need not be kept at a fleet time, compress what is old. `conn` is in autocommit."""
    # First what is rolled up: nothing goes that is not.
    roll_up(conn, catalogue, now, stopping)
    if stopping():
        return []
    kept = retain(conn, catalogue, keep.policy(), now)
    if present(conn):
        fit_chunks(conn, catalogue)
        bound = now - timedelta(days=keep.compress_after)
        compress(conn, catalogue, readings=bound, minutes=bound)
    return kept


def register(app: App, keeper: Keeper) -> None:
    """Add the task to an app."""

    @app.task(name=UPKEEP, queue=QUEUE, retry=Patience())
    def upkeep(*, due: int, kind: str, ref: str) -> None:  # noqa: ARG001  (one product a database)
        keeper.work(kind, due)
