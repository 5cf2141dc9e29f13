"""What a request works with: one transaction, the two clocks read once, the desk on that transaction."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request

from api.settings import Settings
from servicedesk.level_policies import FILE, Levels, load_levels
from servicedesk.office import Office
from storage.clock_store import read_clock
from storage.desk import PgDesk
from storage.pool import Connection, open_pool
from storage.read_models import signing_key
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import FleetClock, WallClock, production_clock, system_wall, to_datetime
from telemetry.ids import Ids

_PATIENCE_S = 5.0
"""A request waits no longer for a connection: 503 then, and the client repeats."""


class Tx:
    """One transaction and the moment at which it happens.

    Attributes:
        conn: its connection.
        wall: wall time, for sessions and tokens.
        clock: the fleet clock.
        now: fleet time, for everything of the service.
    """

    def __init__(self, conn: Connection, wall: int, clock: FleetClock, context: Context) -> None:
        self.conn = conn
        self.wall = to_datetime(wall)
        self.clock = clock
        self.now = to_datetime(clock.fleet_at(wall))
        self._fleet = clock.fleet_at(wall)
        self._context = context

    @cached_property
    def office(self) -> Office:
        """The desk's use cases on this transaction."""
        context = self._context
        return Office(
            desk=PgDesk(self.conn, context.settings.public_url),
            catalogue=context.catalogue,
            new_id=lambda: context.ids.at(self._fleet),
            channel="mailbox" if context.settings.mailbox else "mail",
            levels=context.levels,
        )


@dataclass
class Context:
    """What lives as long as the application."""

    settings: Settings
    wall: WallClock
    catalogue: Catalogue
    ids: Ids
    pool: Any
    levels: Levels
    _signing: bytes = field(default=b"", repr=False)

    def signing(self, conn: Connection) -> bytes:
        """The key that signs cursors, the same in all processes on one database."""
        if not self._signing:
            self._signing = signing_key(conn)
        return self._signing

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """A transaction: committed at the end, rolled back by an error."""
        with self.pool.connection(timeout=_PATIENCE_S) as conn:
            yield Tx(conn, self.wall(), read_clock(conn) or production_clock(), self)


def open_context(settings: Settings, wall: WallClock = system_wall) -> Context:
    """Open the pool; the database may come up later."""
    levels = load_levels(settings.levels or FILE)
    pool = open_pool(settings.database_url, application="wellkept-api", size=settings.pool_size)
    return Context(settings, wall, load_catalogue(), Ids(random.SystemRandom()), pool, levels)


def context_of(request: Request) -> Context:
    """The application's context."""
    context: Context = request.app.state.context
    return context


def transaction(request: Request) -> Iterator[Tx]:
    """The request's transaction; it ends before the answer leaves."""
    with context_of(request).begin() as tx:
        yield tx


InContext = Annotated[Context, Depends(context_of)]
InTx = Annotated[Tx, Depends(transaction, scope="function")]
